"""The ledger of one machine: a SQLite file that one process owns, and that any program can read."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

import anyio

from ippanel_edge._async.limiter import AsyncLimiter
from ippanel_edge.bulk import sqlite_statements as statements
from ippanel_edge.bulk.ledger import Build, Claimed, Cut, Ledger, Turns, check_releasable, storable
from ippanel_edge.bulk.records import (
    FINAL,
    BadRow,
    CampaignError,
    Chunk,
    Counts,
    LedgerError,
    LedgerRow,
    LoadReport,
    Method,
    NewRow,
    ReportRow,
    Settlement,
    State,
    Terms,
)
from ippanel_edge.bulk.sqlite_file import LedgerFile
from ippanel_edge.bulk.sqlite_schema import SCHEMA, VERSION
from ippanel_edge.config import RateLimit

T = TypeVar("T")

_COLUMNS: Final = (
    "id, method, state, rows, message_outbox_id, message_outbox_ids, error, sending_at, attempts, unknown_since"
)
_FINAL: Final = ", ".join(f"'{status}'" for status in FINAL)


class SqliteLedger(Ledger):
    """A ledger in a SQLite file.

    Args:
        path: the path of the file. It is created with the mode 0600. The owner's lock is a file beside it.
        read_only: whether to read a ledger that another process may own; nothing can be loaded or sent then.
    """

    def __init__(self, path: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self._file = LedgerFile(path, version=VERSION, schema=SCHEMA, read_only=read_only)
        self._read_only = read_only
        self._terms: Terms | None = None
        self._is_loading = False

    def __repr__(self) -> str:
        """Return the path."""
        return f"SqliteLedger({str(self._file.path)!r})"

    @property
    def terms(self) -> Terms:
        """The terms of the campaign."""
        if self._terms is None:
            raise CampaignError("the ledger is not open", argument="ledger")
        return self._terms

    async def open(self, terms: Terms | None) -> Terms:
        """Open or create the file, and settle what a crash left."""
        await self._file.open(create=terms is not None)
        try:
            if self._read_only:
                found = await self._file.read(statements.read_terms)
            else:
                found = await self._file.transact(lambda connection: statements.begin(connection, terms))
            found = statements.check_terms(found, terms)
        except BaseException:
            await self.aclose()
            raise
        self._terms = found
        return found

    async def aclose(self) -> None:
        """Close the file. Chunks that a worker did not settle are unknown."""
        is_owner = self._terms is not None and not self._read_only
        self._terms = None
        try:
            if is_owner:
                with anyio.CancelScope(shield=True):
                    await self._file.transact(statements.settle_unfinished)
        except LedgerError:
            pass  # for example a full disk: the next owner does it
        finally:
            await self._file.aclose()

    # Loading.

    async def begin_load(self, source: str) -> int:
        """Begin a load."""
        if self._is_loading:
            raise CampaignError("another load of this campaign is in progress; wait until it has ended")

        def work(connection: sqlite3.Connection) -> int:
            statements.delete_unfinished(connection)  # that of a load which could not be abandoned
            cursor = connection.execute(
                "INSERT INTO loads (source, started_at) VALUES (?, ?)", (storable(source), statements.now())
            )
            return int(cursor.lastrowid or 0)

        self._is_loading = True
        try:
            return await self._file.transact(work)
        except BaseException:
            self._is_loading = False
            raise

    async def add(self, load: int, rows: Sequence[NewRow], bad_rows: Sequence[BadRow]) -> None:
        """Append rows. Duplicates are found when the load is finished, by sorting: an index would be slower."""

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                f"INSERT INTO rows (load, line, recipient, content, hash) VALUES ({load}, ?, ?, ?, ?)",  # noqa: S608 - an int
                rows,
            )
            connection.executemany(
                "INSERT INTO set_aside (load, line, value, reason) VALUES (?, ?, ?, ?)",
                ((load, each.line, storable(each.value), storable(each.reason)) for each in bad_rows),
            )
            connection.execute("UPDATE loads SET rows = rows + ? WHERE id = ?", (len(rows) + len(bad_rows), load))

        await self._file.transact(work)

    async def finish_load(self, load: int, cut: Cut) -> LoadReport:
        """Leave out duplicates, and divide the rows into chunks."""
        same = "hash, recipient" if self.terms.one_per_number else "hash, recipient, content"
        report = await self._file.transact(lambda connection: statements.finish_load(connection, load, cut, same))
        self._is_loading = False
        return report

    async def abandon_load(self, load: int) -> None:
        """Delete the rows of the load."""
        self._is_loading = False
        await self._file.transact(lambda connection: statements.delete_load(connection, load))

    # Sending.

    async def claim(self, build: Build[T], chunk_id: int | None = None) -> Claimed[T] | None:
        """Record that a pending chunk is being sent."""
        token = secrets.token_hex(8)
        claimed: list[Claimed[T]] = []

        def work(connection: sqlite3.Connection) -> Claimed[T] | None:
            where = "state = 'pending'" if chunk_id is None else "id = ? AND state = 'pending'"
            found = connection.execute(
                f"SELECT first_row, last_row, {_COLUMNS} FROM chunks WHERE {where} ORDER BY id LIMIT 1",  # noqa: S608 - constants
                () if chunk_id is None else (chunk_id,),
            ).fetchone()
            if found is None:
                return None
            first, last, *columns = found
            chunk = statements.read_chunk(columns)
            rows = statements.open_rows(connection, first, last)
            result = Claimed(chunk, rows, build(chunk, rows), token)
            connection.execute(
                "UPDATE chunks SET state = 'sending', sending_at = ?, attempts = attempts + 1, claim = ?, error = NULL "
                "WHERE id = ?",
                (statements.now(), token, chunk.id),
            )
            claimed.append(result)
            return result

        try:
            return await self._file.transact(work)
        except anyio.get_cancelled_exc_class():
            if claimed:  # nobody will send it
                with anyio.CancelScope(shield=True):
                    await self._file.transact(
                        lambda connection: statements.unclaim(connection, claimed[0].chunk.id, token)
                    )
            raise

    async def settle(self, chunk_id: int, settlement: Settlement, *, token: str | None = None) -> None:
        """Record the result of sending a chunk."""
        await self._file.transact(lambda connection: statements.settle(connection, chunk_id, settlement, token))

    def turns(self, rate: RateLimit, line: str) -> Turns:
        """Return the turns of this process, which owns the ledger."""
        del line
        return _Turns(rate)

    # Reading.

    async def counts(self) -> Counts:
        """Return the number of rows in each state."""
        return await self._file.read(statements.counts)

    async def chunks(self, state: State, *, after: int = 0, limit: int = 1000) -> Sequence[Chunk]:
        """Return chunks in a state."""

        def work(connection: sqlite3.Connection) -> list[Chunk]:
            found = connection.execute(
                f"SELECT {_COLUMNS} FROM chunks WHERE state = ? AND id > ? ORDER BY id LIMIT ?",  # noqa: S608 - constants
                (state.value, after, limit),
            )
            return [statements.read_chunk(columns) for columns in found]

        return await self._file.read(work)

    async def rows(self, chunk_id: int) -> Sequence[LedgerRow]:
        """Return the rows of a chunk that have its state."""

        def work(connection: sqlite3.Connection) -> list[LedgerRow]:
            return statements.open_rows(connection, *statements.row_range(connection, chunk_id))

        return await self._file.read(work)

    async def pending_chunks(self) -> Mapping[Method, int]:
        """Return the number of pending chunks by method."""

        def work(connection: sqlite3.Connection) -> dict[Method, int]:
            query = "SELECT method, count(*) FROM chunks WHERE state = 'pending' GROUP BY method"
            return {Method(method): count for method, count in connection.execute(query)}

        return await self._file.read(work)

    async def report(self, *, after: int, limit: int, states: Sequence[State]) -> Sequence[tuple[int, ReportRow]]:
        """Return rows with their states. `after` and the ids are those of rows."""

        def work(connection: sqlite3.Connection) -> list[tuple[int, ReportRow]]:
            # From the chunk of the row `after`, because the view has no order of its own.
            start = connection.execute(
                "SELECT coalesce(max(id), 0) FROM chunks WHERE first_row <= ?", (after,)
            ).fetchone()[0]
            found = connection.execute(
                "SELECT id, source, line, recipient, content, state, message_outbox_id, error, delivery FROM report "
                "WHERE chunk >= ? AND id > ? AND state IN (SELECT value FROM json_each(?)) ORDER BY chunk, id LIMIT ?",
                (start, after, json.dumps([state.value for state in states]), limit),
            )
            return [(row_id, statements.report_row(columns)) for row_id, *columns in found]

        return await self._file.read(work)

    async def bad_rows(self, *, after: int, limit: int) -> Sequence[tuple[int, BadRow]]:
        """Return rows that were set aside."""

        def work(connection: sqlite3.Connection) -> list[tuple[int, BadRow]]:
            query = (
                "SELECT set_aside.id, source, line, value, reason FROM set_aside JOIN loads ON loads.id = load "
                "WHERE set_aside.id > ? AND finished_at IS NOT NULL ORDER BY set_aside.id LIMIT ?"
            )
            return [(number, BadRow(*columns)) for number, *columns in connection.execute(query, (after, limit))]

        return await self._file.read(work)

    # Afterwards.

    async def prove_sent(self, chunk_id: int, message_outbox_ids: Mapping[int, int]) -> int:
        """Record that rows of an unknown chunk were accepted."""
        return await self._file.transact(
            lambda connection: statements.prove_sent(connection, chunk_id, message_outbox_ids)
        )

    async def known_ids(self, message_outbox_ids: Sequence[int]) -> set[int]:
        """Return those of the ids that belong to sent rows."""

        def work(connection: sqlite3.Connection) -> set[int]:
            query = (
                "SELECT value FROM json_each(?1) AS given WHERE "
                "EXISTS (SELECT 1 FROM chunks WHERE chunks.message_outbox_id = given.value) OR "
                "EXISTS (SELECT 1 FROM rows WHERE rows.message_outbox_id = given.value) UNION "
                "SELECT each.value FROM chunks, json_each(message_outbox_ids) AS each "
                "WHERE message_outbox_ids IS NOT NULL AND each.value IN (SELECT value FROM json_each(?1))"
            )
            return {value for (value,) in connection.execute(query, (json.dumps(list(message_outbox_ids)),))}

        return await self._file.read(work)

    async def release(self, state: State) -> int:
        """Make the rejected or unknown rows pending again."""
        check_releasable(state)

        def work(connection: sqlite3.Connection) -> int:
            count = statements.rows_in(connection, state)
            connection.execute(
                "UPDATE chunks SET state = 'pending', settled_at = NULL, unknown_since = "
                "CASE state WHEN 'unknown' THEN coalesce(unknown_since, sending_at) ELSE unknown_since END "
                "WHERE state = ?",
                (state.value,),
            )
            return count

        return await self._file.transact(work)

    async def undelivered(self, *, after: int, limit: int) -> Sequence[tuple[int, int]]:
        """Return sent messages with rows without a final status."""
        is_open = f"(delivery IS NULL OR delivery NOT IN ({_FINAL}))"

        def work(connection: sqlite3.Connection) -> list[tuple[int, int]]:
            found = connection.execute(
                "SELECT message_outbox_id, count FROM ("  # noqa: S608 - constants
                "SELECT message_outbox_id, count(*) AS count FROM rows WHERE message_outbox_id > :after "
                f"GROUP BY message_outbox_id HAVING sum({is_open}) UNION ALL "
                "SELECT message_outbox_id, rows FROM chunks WHERE message_outbox_id > :after AND EXISTS ("
                f"SELECT 1 FROM rows WHERE rows.id BETWEEN first_row AND last_row AND {is_open})"
                ") ORDER BY message_outbox_id LIMIT :limit",
                {"after": after, "limit": limit},
            )
            return list(found)

        return await self._file.read(work)

    async def set_delivery(self, message_outbox_id: int, statuses: Mapping[str, str]) -> None:
        """Record the delivery status of the recipients of a message."""
        others = statuses.get("")

        def work(connection: sqlite3.Connection) -> None:
            rows = connection.execute(
                "SELECT id, recipient, delivery FROM rows WHERE message_outbox_id = :id UNION ALL "
                "SELECT rows.id, recipient, delivery FROM chunks "
                "JOIN rows ON rows.id BETWEEN first_row AND last_row AND rows.message_outbox_id IS NULL "
                "WHERE chunks.message_outbox_id = :id",
                {"id": message_outbox_id},
            ).fetchall()
            changes = [
                (status, row_id)
                for row_id, recipient, delivery in rows
                if (status := statuses.get(recipient, others)) not in (None, delivery)
            ]
            connection.executemany("UPDATE rows SET delivery = ? WHERE id = ?", changes)

        await self._file.transact(work)


class _Turns(Turns):
    """The turns of one process."""

    def __init__(self, rate: RateLimit) -> None:
        self._limiter = AsyncLimiter(rate)

    async def wait(self) -> None:
        """Wait for the turn of the next request."""
        await self._limiter.wait(lambda _: None)
