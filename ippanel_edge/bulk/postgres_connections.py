"""Connections to PostgreSQL: a small pool, transactions that survive a broken connection, and errors with remedies."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeAlias, TypeVar

import anyio
import psycopg
from psycopg import AsyncConnection, errors
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ippanel_edge._async import _io
from ippanel_edge._async._grace import Grace, finish
from ippanel_edge.bulk.records import LedgerError
from ippanel_edge.errors import ConfigurationError, InvalidArgument
from ippanel_edge.values.secrets import Secret

T = TypeVar("T")

Work: TypeAlias = Callable[[AsyncConnection], Awaitable[T]]
"""What is done in a transaction."""

_PATIENCE: Final = 10.0
"""Seconds that a transaction has to finish after a cancellation."""
_ATTEMPTS: Final = 3
"""How often a transaction is tried when connections break, with pauses of 0.1 s, 0.2 s, 0.4 s and so on between."""
_PAUSE: Final = 0.1
_KEEPALIVE: Final = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}
"""How soon the end of a machine without a word is noticed; the server is asked for the same: in about a minute."""

_REMEDIES: Final = (
    (errors.InsufficientPrivilege, "grant the user CREATE on the database and all rights on the schema ippanel_edge"),
    (errors.InvalidPassword, "check the user and the password"),
    (errors.InvalidCatalogName, "create the database first"),
    (errors.DiskFull, "free the server's disk, then open the ledger again"),
    (errors.TooManyConnections, "raise max_connections of the server, or lower `connections` of the ledgers"),
    (errors.UndefinedTable, "the tables were dropped; restore them from a backup"),
    (psycopg.OperationalError, "check that the server runs and can be reached, then open the ledger again"),
)
_OTHER: Final = "report it with the version of PostgreSQL"


class Conninfo:
    """A connection string of PostgreSQL, checked, and without its password in repr.

    Args:
        value: a URL such as ``postgresql://user:password@host/database``, or ``key=value`` pairs.

    Raises:
        InvalidArgument: it is not a connection string. The message does not repeat it.
    """

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
            raise InvalidArgument(f"expected a str, got {type(value).__name__}", argument="conninfo")
        try:
            found = conninfo_to_dict(value)
        except psycopg.Error:
            found = None
        if (
            found is None
            or "@" in str(found.get("host", ""))
            or not str(found.get("port", "0")).replace(",", "").isdigit()
        ):
            raise InvalidArgument(
                "not a connection string of PostgreSQL; expected a URL such as postgresql://user:password@host/name "
                "with special characters percent-encoded, or key=value pairs",
                argument="conninfo",
            )
        self._value = Secret(
            make_conninfo(value, **{key: each for key, each in _KEEPALIVE.items() if key not in found})
        )
        self._password = found.get("password")
        self._shown = f"{found.get('host', '')}/{found.get('dbname', '')}"

    def __repr__(self) -> str:
        """Return the host and the name of the database."""
        return repr(self._shown)

    async def connect(self) -> AsyncConnection:
        """Connect.

        Raises:
            LedgerError: there is no connection. The message does not contain the password.
        """
        try:
            connection = await AsyncConnection.connect(str(self._value))
        except psycopg.Error as error:
            raise self.failure(error) from None  # what libpq quotes of the connection string is not known
        try:
            await _prepare(connection)
        except psycopg.Error as error:
            await connection.close()
            raise self.failure(error) from error
        except BaseException:
            await connection.close()
            raise
        return connection

    def failure(self, error: psycopg.Error) -> LedgerError:
        """Return the error that callers see, with the remedy."""
        reason = error.diag.message_primary or str(error) or type(error).__name__
        if self._password:
            reason = reason.replace(str(self._password), "***")
        remedy = next((text for kind, text in _REMEDIES if isinstance(error, kind)), _OTHER)
        in_one_line = " ".join(reason.split())
        return LedgerError(f"cannot use the ledger in PostgreSQL ({self._shown}): {in_one_line}; {remedy}")


async def _prepare(connection: AsyncConnection) -> None:
    """Set what the promises of a ledger need, whatever the server, the database or the user is set to.

    Commits are durable, no timeout ends an idle connection, and a statement that waited for a lock sees what the
    transaction that held it has committed.
    """
    await connection.execute(
        "SELECT set_config(name, CASE name WHEN 'synchronous_commit' THEN 'on' "
        "WHEN 'default_transaction_isolation' THEN 'read committed' WHEN 'tcp_keepalives_idle' THEN '30' "
        "WHEN 'tcp_keepalives_interval' THEN '10' WHEN 'tcp_keepalives_count' THEN '3' ELSE '0' END, false) "
        "FROM pg_settings WHERE name IN ('tcp_keepalives_idle', 'tcp_keepalives_interval', 'tcp_keepalives_count', "
        "'idle_session_timeout', 'idle_in_transaction_session_timeout', 'statement_timeout', "
        "'default_transaction_isolation') "
        "OR name = 'synchronous_commit' AND setting IN ('off', 'local')"
    )
    await connection.commit()


class Connections:
    """A pool of connections that belongs to one event loop of asyncio.

    A connection that broke, or whose use was cancelled, is closed, so each transaction is committed or rolled back.

    Args:
        conninfo: the connection string.
        size: the maximum number of connections.
    """

    def __init__(self, conninfo: Conninfo, size: int) -> None:
        self.conninfo = conninfo
        self._size = size
        self._idle: list[AsyncConnection] = []
        self._limit = anyio.Semaphore(size)
        self._is_open = False

    def open(self) -> None:
        """Allow connections.

        Raises:
            ConfigurationError: the running event loop is not asyncio's.
        """
        if not _io.on_asyncio():
            raise ConfigurationError(
                "a ledger in PostgreSQL needs asyncio, because its driver does; run the program with asyncio, for "
                'example anyio.run(main, backend="asyncio"), or use a SQLite ledger',
                argument="ledger",
            )
        self._limit = anyio.Semaphore(self._size)
        self._is_open = True

    async def aclose(self) -> None:
        """Close the connections that are not in use, and each of the others when its use ends."""
        self._is_open = False
        while self._idle:
            await self._idle.pop().close()

    @asynccontextmanager
    async def lend(self) -> AsyncGenerator[AsyncConnection]:
        """Lend a connection, for as long as the context lasts."""
        async with self._limit:
            connection = self._idle.pop() if self._idle else await self.conninfo.connect()
            is_usable = False
            try:
                yield connection
                is_usable = True
            except Exception:
                is_usable = await _roll_back(connection)
                raise
            finally:  # after a cancellation, the server rolls back when it sees that the connection has ended
                if is_usable and self._is_open:
                    self._idle.append(connection)
                else:
                    await connection.close()

    async def transact(self, work: Work[T], *, landed: Work[T | None] | None = None, attempts: int = _ATTEMPTS) -> T:
        """Run a function in a transaction, and return its result after the durable commit.

        If the connection breaks before the commit was sent, the transaction is tried again: the server rolls it back.
        If it breaks during the commit, `landed` decides. A cancellation is raised after the transaction has ended.

        Args:
            work: the function.
            landed: looks up whether the transaction was committed; returns its result, or None if it was not. If it is
                omitted, the transaction is one that can be repeated.
            attempts: the maximum number of attempts.

        Raises:
            LedgerError: the database cannot be used.
        """
        run = partial(self._transact, work, landed, attempts)
        return await finish(run, Grace(lambda: True, _PATIENCE, lambda _: None))

    async def _transact(self, work: Work[T], landed: Work[T | None] | None, attempts: int) -> T:
        is_doubtful = False
        attempt = 0
        while True:
            attempt += 1
            is_committing = False
            try:
                async with self.lend() as connection:
                    if is_doubtful and landed is not None:
                        found = await landed(connection)
                        if found is not None:
                            await connection.commit()
                            return found
                    result = await work(connection)
                    is_committing = True
                    await connection.commit()
                    return result
            except psycopg.Error as error:
                is_doubtful = is_doubtful or is_committing
                if not _is_transient(error) or attempt == attempts:
                    raise self.conninfo.failure(error) from error
            except LedgerError:  # there is no connection
                if attempt == attempts:
                    raise
            await _io.sleep(_PAUSE * 2 ** (attempt - 1))

    async def read(self, work: Work[T]) -> T:
        """Run a function that only reads, in one snapshot of the database.

        Raises:
            LedgerError: the database cannot be used.
        """

        async def snapshot(connection: AsyncConnection) -> T:
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            return await work(connection)

        return await self.transact(snapshot)


async def _roll_back(connection: AsyncConnection) -> bool:
    """Roll back, and return whether the connection can be used again."""
    try:
        await connection.rollback()
    except psycopg.Error:
        return False
    return not connection.closed


def _is_transient(error: psycopg.Error) -> bool:
    """Return whether another attempt may succeed: the connection broke, or two transactions waited for each other."""
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and not isinstance(
        error, errors.DiskFull | errors.QueryCanceled
    )
