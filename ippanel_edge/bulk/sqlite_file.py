"""The SQLite file of a ledger: one owner, mode 0600, and transactions that tasks share. No rules of campaigns."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

import anyio
import anyio.to_thread
import attrs

from ippanel_edge._async._grace import Grace, finish
from ippanel_edge.bulk.records import CampaignError, LedgerError

T = TypeVar("T")

APPLICATION_ID: Final = 0x49504564
"""Marks the file as a ledger: "IPEd"."""
_MODE: Final = 0o600
"""A ledger holds phone numbers and messages."""
_BUSY: Final = 30.0
"""Seconds to wait for a program that reads the file."""
_PATIENCE: Final = 60.0
"""Seconds that a transaction has to finish after a cancellation."""
_CACHE_KIB: Final = 16 * 1024
_OWNING: Final = threading.Lock()
"""Held while a process becomes the owner of a ledger."""


@attrs.define(eq=False)
class _Job(Generic[T]):
    """A part of a transaction, with its result."""

    work: Callable[[sqlite3.Connection], T]
    is_done: bool = False
    value: Any = None
    error: BaseException | None = None

    def run(self, connection: sqlite3.Connection) -> None:
        connection.execute("SAVEPOINT job")
        try:
            self.value = self.work(connection)
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - raised again where the job was requested
            connection.execute("ROLLBACK TO job")
            self.error = error
        connection.execute("RELEASE job")

    def result(self) -> T:
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[no-any-return]  # of the type that `work` returns


class LedgerFile:
    """A SQLite file in WAL mode, whose commits are durable (synchronous=FULL).

    Tasks that write at the same time share one transaction, so that a slow disk is waited for once, not once for each.

    Args:
        path: the path of the file.
        version: the version of the schema.
        schema: the statements that create the tables.
        read_only: whether to read a file that another process may own.
    """

    def __init__(self, path: str | os.PathLike[str], *, version: int, schema: str, read_only: bool = False) -> None:
        self.path: Path = Path(path)
        self._version = version
        self._schema = schema
        self._read_only = read_only
        self._jobs: list[_Job[Any]] = []
        self._connection: sqlite3.Connection | None = None
        self._owner: sqlite3.Connection | None = None
        self._lock: anyio.Lock | None = None

    async def open(self, *, create: bool) -> None:
        """Open the file, and become its owner unless it is read-only.

        Raises:
            CampaignError: there is no such file, another process owns it, or it is not a ledger of this version.
        """
        if self._lock is not None:
            raise CampaignError(f"the ledger {str(self.path)!r} is open already", argument="ledger")
        self._lock = anyio.Lock()
        try:
            await anyio.to_thread.run_sync(self._open, create)
        except BaseException:
            self._close()
            self._lock = None
            raise

    def _open(self, create: bool) -> None:  # noqa: FBT001 - to_thread.run_sync passes positional arguments
        if not create and not self.path.exists():
            raise CampaignError(f"there is no ledger {str(self.path)!r}", argument="ledger")
        try:
            if not self._read_only:
                self._owner = _own(self.path)
                if not self.path.exists():
                    os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _MODE))
            if self._read_only:
                self._connection = connect_to_read(self.path, timeout=_BUSY)
            else:
                self._connection = _connect(f"{self.path.absolute().as_uri()}?mode=rw", timeout=_BUSY)
            self._connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
            self._check(self._connection)
        except sqlite3.DatabaseError as error:
            problem = _read_problem(error) if self._read_only else None
            if problem is not None:
                raise CampaignError(
                    f"cannot read the ledger {str(self.path)!r}: {problem}", argument="ledger"
                ) from error
            if isinstance(error, sqlite3.OperationalError):
                raise LedgerError(f"cannot open the ledger {str(self.path)!r}: {error}") from error
            raise CampaignError(f"{str(self.path)!r} is not a ledger: {error}", argument="ledger") from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise CampaignError(f"cannot create the ledger {str(self.path)!r}: {reason}", argument="ledger") from error

    def _check(self, connection: sqlite3.Connection) -> None:
        """Create the tables of a new file, or check that it is a ledger of this version."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        is_new = not tables and not application
        if not is_new and application != APPLICATION_ID:
            raise CampaignError(f"{str(self.path)!r} is a database, but not a ledger", argument="ledger")
        if not is_new and version != self._version:
            raise CampaignError(
                f"the ledger {str(self.path)!r} has version {version}, expected {self._version}; finish the campaign "
                "with the version of ippanel-edge that began it",
                argument="ledger",
            )
        if self._read_only:
            if is_new:
                raise CampaignError(f"the ledger {str(self.path)!r} is empty", argument="ledger")
            return
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        if is_new:
            connection.executescript(
                f"BEGIN;{self._schema};PRAGMA application_id={APPLICATION_ID};"
                f"PRAGMA user_version={self._version};COMMIT"
            )

    async def aclose(self) -> None:
        """Close the file and give up its ownership."""
        if self._lock is None:
            return
        lock = self._lock

        async def close() -> None:
            async with lock:  # after the transaction of another task
                await anyio.to_thread.run_sync(self._close)
                self._lock = None

        with anyio.CancelScope(shield=True):
            await finish(close, Grace(lambda: True, _PATIENCE, lambda _: None))

    def _close(self) -> None:
        for connection in (self._connection, self._owner):
            if connection is not None:
                with contextlib.suppress(sqlite3.Error):  # a full disk prevents the final checkpoint, which is optional
                    connection.close()
        self._connection = self._owner = None

    async def transact(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function in a transaction, in a worker thread, and return its result after the durable commit.

        A cancellation is raised after the transaction has ended.

        Raises:
            LedgerError: the file cannot be written. Nothing of the transaction is in it.
        """
        job = _Job(work)
        lock = self._opened_lock()

        async def commit() -> None:
            # Not before: until `finish` has started this function, a cancellation leaves nobody to wait for the job.
            self._jobs.append(job)
            async with lock:
                if job.is_done:  # the previous holder of the lock ran it
                    return
                jobs, self._jobs = self._jobs, []
                await anyio.to_thread.run_sync(self._run, jobs)

        try:
            await finish(commit, Grace(lambda: True, _PATIENCE, lambda _: None))
        except BaseException:
            if job in self._jobs:
                self._jobs.remove(job)
            raise
        return job.result()

    def _run(self, jobs: list[_Job[Any]]) -> None:
        """Run jobs in one transaction. An error of SQLite is the error of all of them."""
        try:
            connection = self._opened()
            connection.execute("BEGIN IMMEDIATE")
            try:
                for job in jobs:
                    job.run(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            failure = LedgerError(
                f"cannot write the ledger {str(self.path)!r}: {error}; free the disk or end the other program, then "
                "open the ledger again"
            )
            for job in jobs:
                job.error = failure
        except Exception as error:  # noqa: BLE001 - raised again where the jobs were requested
            for job in jobs:
                job.error = error
        for job in jobs:
            job.is_done = True

    def _opened_lock(self) -> anyio.Lock:
        if self._lock is None:
            raise CampaignError("the ledger is closed", argument="ledger")
        return self._lock

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise CampaignError("the ledger is closed", argument="ledger")
        return self._connection

    async def read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run a function that only reads, in a worker thread, between transactions.

        Raises:
            LedgerError: the file cannot be read.
        """
        async with self._opened_lock():
            return await anyio.to_thread.run_sync(self._read, work)

    def _read(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return work(self._opened())
        except sqlite3.Error as error:
            raise LedgerError(f"cannot read the ledger {str(self.path)!r}: {error}") from error


def _connect(uri: str, *, timeout: float) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, timeout=timeout, isolation_level=None, check_same_thread=False)


def connect_to_read(path: Path, *, timeout: float = _BUSY) -> sqlite3.Connection:
    """Open a ledger that another process may own, to read only; also in a folder that cannot be written.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = _connect(uri, timeout=timeout)
    try:
        connection.execute("SELECT count(*) FROM sqlite_schema")  # opens the file
    except sqlite3.Error as error:
        connection.close()
        if not _is_blocked(error) or _has_journal(path):
            raise
        # SQLite cannot create its index of the journal here. Without a journal, nobody is writing, and it needs none.
        return _connect(f"{uri}&immutable=1", timeout=timeout)
    return connection


def _is_blocked(error: sqlite3.Error) -> bool:
    """Whether SQLite could not create or write a file beside the ledger."""
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN"))


def _has_journal(path: Path) -> bool:
    """Whether SQLite has changes of the ledger in another file."""
    ledger = path.resolve()
    journals = (ledger.with_name(f"{ledger.name}{suffix}") for suffix in ("-wal", "-journal"))
    return any(journal.exists() and journal.stat().st_size for journal in journals)


def _read_problem(error: sqlite3.Error) -> str | None:
    """Return why a ledger with a journal cannot be opened to read only, or None if the reason is another one."""
    if not getattr(error, "sqlite_errorname", "").startswith("SQLITE_READONLY"):
        return None
    if error.sqlite_errorname == "SQLITE_READONLY_ROLLBACK":
        return "the process that was creating it ended too early; run the campaign again"
    return (
        "it has a journal (-wal), which SQLite reads only in a folder that this user may write; get that right, or "
        "copy both files to a folder of your own"
    )


def _own(path: Path) -> sqlite3.Connection:
    """Become the owner of a ledger, until the connection is closed or the process ends, however it ends.

    The lock is SQLite's own on an empty file beside the ledger: it works on every system, and the ledger itself can
    still be read.
    """
    ledger = path.resolve()  # a link to the ledger has the same owner
    lock = ledger.with_name(f"{ledger.name}.lock")
    connection: sqlite3.Connection | None = None
    try:
        with _OWNING:
            # An existing file is not opened here: closing it would end a lock that this process holds on it (POSIX).
            with contextlib.suppress(FileExistsError):
                os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_RDWR, _MODE))
            connection = _connect(f"{lock.as_uri()}?mode=rw", timeout=0)
            connection.execute("PRAGMA journal_mode=MEMORY")  # no third file
            connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if connection is not None:
            connection.close()
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        raise CampaignError(
            f"another process uses the ledger {str(path)!r}; wait until it has ended (`ippanel-edge bulk status` shows "
            "its progress)",
            argument="ledger",
        ) from error
    return connection
