"""The ledger of one machine: a SQLite file that one process owns, and that any program can read."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

import anyio

from ippanel_edge._async.limiter import AsyncLimiter
from ippanel_edge.bulk.ledger import Build, Claimed, Cut, Ledger, Turns
from ippanel_edge.bulk.records import (
    FINAL,
    BadRow,
    CampaignError,
    Chunk,
    Counts,
    Kind,
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

_CRASHED: Final = "the process ended while the chunk was being sent"
_COLUMNS: Final = "id, method, state, rows, message_outbox_id, message_outbox_ids, error, sending_at, attempts"
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
                found = await self._file.read(_read_terms)
            else:
                found = await self._file.transact(lambda connection: _begin(connection, terms))
            found = _check_terms(found, terms)
        except BaseException:
            await self.aclose()
            raise
        self._terms = found
        return found

    async def aclose(self) -> None:
        """Close the file."""
        self._terms = None
        await self._file.aclose()

    # Loading.

    async def begin_load(self, source: str) -> int:
        """Begin a load."""

        def work(connection: sqlite3.Connection) -> int:
            cursor = connection.execute("INSERT INTO loads (source, started_at) VALUES (?, ?)", (source, _now()))
            return int(cursor.lastrowid or 0)

        return await self._file.transact(work)

    async def add(self, load: int, rows: Sequence[NewRow], bad_rows: Sequence[BadRow]) -> None:
        """Append rows. Duplicates are found when the load is finished, by sorting: an index would be slower."""

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                f"INSERT INTO rows (load, line, recipient, content, hash) VALUES ({load}, ?, ?, ?, ?)",  # noqa: S608 - an int
                rows,
            )
            connection.executemany(
                "INSERT INTO set_aside (load, line, value, reason) VALUES (?, ?, ?, ?)",
                ((load, each.line, each.value, each.reason) for each in bad_rows),
            )
            connection.execute("UPDATE loads SET rows = rows + ? WHERE id = ?", (len(rows) + len(bad_rows), load))

        await self._file.transact(work)

    async def finish_load(self, load: int, cut: Cut) -> LoadReport:
        """Leave out duplicates, and divide the rows into chunks."""
        return await self._file.transact(lambda connection: _finish_load(connection, load, cut))

    async def abandon_load(self, load: int) -> None:
        """Delete the rows of the load."""
        await self._file.transact(lambda connection: _delete_load(connection, load))

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
            chunk = _chunk(columns)
            rows = _open_rows(connection, first, last)
            result = Claimed(chunk, rows, build(chunk, rows), token)
            connection.execute(
                "UPDATE chunks SET state = 'sending', sending_at = ?, attempts = attempts + 1, claim = ?, error = NULL "
                "WHERE id = ?",
                (_now(), token, chunk.id),
            )
            claimed.append(result)
            return result

        try:
            return await self._file.transact(work)
        except anyio.get_cancelled_exc_class():
            if claimed:  # nobody will send it
                with anyio.CancelScope(shield=True):
                    await self._file.transact(lambda connection: _unclaim(connection, claimed[0].chunk.id, token))
            raise

    async def settle(self, chunk_id: int, settlement: Settlement, *, token: str | None = None) -> None:
        """Record the result of sending a chunk."""
        await self._file.transact(lambda connection: _settle(connection, chunk_id, settlement, token))

    def turns(self, rate: RateLimit, line: str) -> Turns:
        """Return the turns of this process, which owns the ledger."""
        del line
        return _Turns(rate)

    # Reading.

    async def counts(self) -> Counts:
        """Return the number of rows in each state."""
        return await self._file.read(_counts)

    async def chunks(self, state: State, *, after: int = 0, limit: int = 1000) -> Sequence[Chunk]:
        """Return chunks in a state."""

        def work(connection: sqlite3.Connection) -> list[Chunk]:
            found = connection.execute(
                f"SELECT {_COLUMNS} FROM chunks WHERE state = ? AND id > ? ORDER BY id LIMIT ?",  # noqa: S608 - constants
                (state.value, after, limit),
            )
            return [_chunk(columns) for columns in found]

        return await self._file.read(work)

    async def rows(self, chunk_id: int) -> Sequence[LedgerRow]:
        """Return the rows of a chunk that have its state."""

        def work(connection: sqlite3.Connection) -> list[LedgerRow]:
            return _open_rows(connection, *_range(connection, chunk_id))

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
            return [(row_id, _report_row(columns)) for row_id, *columns in found]

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

    async def prove_sent(self, chunk_id: int, message_outbox_ids: Mapping[int, int]) -> None:
        """Record that rows of an unknown chunk were accepted."""
        await self._file.transact(lambda connection: _prove_sent(connection, chunk_id, message_outbox_ids))

    async def known_ids(self, message_outbox_ids: Sequence[int]) -> set[int]:
        """Return those of the ids that belong to sent rows."""

        def work(connection: sqlite3.Connection) -> set[int]:
            query = (
                "SELECT value FROM json_each(?) AS given WHERE "
                "EXISTS (SELECT 1 FROM chunks WHERE chunks.message_outbox_id = given.value) OR "
                "EXISTS (SELECT 1 FROM rows WHERE rows.message_outbox_id = given.value)"
            )
            return {value for (value,) in connection.execute(query, (json.dumps(list(message_outbox_ids)),))}

        return await self._file.read(work)

    async def release(self, state: State) -> int:
        """Make the rejected or unknown rows pending again."""

        def work(connection: sqlite3.Connection) -> int:
            count = _rows_in(connection, state)
            connection.execute("UPDATE chunks SET state = 'pending', settled_at = NULL WHERE state = ?", (state.value,))
            return count

        return await self._file.transact(work)

    async def undelivered(self, *, after: int, limit: int) -> Sequence[tuple[int, int]]:
        """Return sent messages with rows without a final status."""
        is_open = f"(delivery IS NULL OR delivery NOT IN ({_FINAL}))"

        def work(connection: sqlite3.Connection) -> list[tuple[int, int]]:
            found = connection.execute(
                "SELECT message_outbox_id, count FROM ("  # noqa: S608 - constants
                "SELECT message_outbox_id, 1 AS count FROM rows "
                f"WHERE message_outbox_id > :after AND {is_open} UNION ALL "
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


def _check_terms(found: Terms | None, given: Terms | None) -> Terms:
    if found is None:
        raise CampaignError("the ledger has no campaign; use Campaign.open to begin one", argument="ledger")
    if given is not None:
        found.check_same(given)
    return found


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _begin(connection: sqlite3.Connection, terms: Terms | None) -> Terms | None:
    """Return the terms, which a new ledger records, and settle what a crash left."""
    _delete_unfinished(connection)
    connection.execute(
        "UPDATE chunks SET state = 'unknown', error = ?, settled_at = ? WHERE state = 'sending'", (_CRASHED, _now())
    )
    found = _read_terms(connection)
    is_used = connection.execute("SELECT EXISTS (SELECT 1 FROM loads)").fetchone()[0]
    if terms is None or (found is not None and is_used):
        return found
    connection.execute("DELETE FROM campaign")
    connection.execute(
        "INSERT INTO campaign VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            terms.from_number,
            terms.kind.value,
            terms.message,
            terms.pattern,
            None if terms.params is None else json.dumps(dict(terms.params), ensure_ascii=False),
            None if terms.send_time is None else terms.send_time.isoformat(),
            _now(),
        ),
    )
    return terms


def _read_terms(connection: sqlite3.Connection) -> Terms | None:
    query = "SELECT from_number, kind, message, pattern, params, send_time FROM campaign"
    found = connection.execute(query).fetchone()
    if found is None:
        return None
    from_number, kind, message, pattern, params, send_time = found
    return Terms(
        from_number=from_number,
        kind=Kind(kind),
        message=message,
        pattern=pattern,
        params=None if params is None else json.loads(params),
        send_time=None if send_time is None else datetime.fromisoformat(send_time),
    )


def _delete_unfinished(connection: sqlite3.Connection) -> None:
    for (load,) in connection.execute("SELECT id FROM loads WHERE finished_at IS NULL").fetchall():
        _delete_load(connection, load)


def _delete_load(connection: sqlite3.Connection, load: int) -> None:
    # The rows of a load that is not finished come after those of the chunks.
    connection.execute("DELETE FROM rows WHERE id >= ? AND load = ?", (_next_row(connection), load))
    connection.execute("DELETE FROM set_aside WHERE load = ?", (load,))
    connection.execute("DELETE FROM loads WHERE id = ?", (load,))


def _finish_load(connection: sqlite3.Connection, load: int, cut: Cut) -> LoadReport:
    first = _next_row(connection)
    # Only rows whose hash is not unique are compared: the texts take no part in sorting all rows.
    connection.execute(
        "CREATE TEMP TABLE surplus AS SELECT id, earliest FROM ("
        "SELECT id, min(id) OVER (PARTITION BY hash, recipient, content) AS earliest FROM rows WHERE hash IN ("
        "SELECT hash FROM rows GROUP BY hash HAVING count(*) > 1)) WHERE id > earliest AND id >= ?",
        (first,),
    )
    duplicates, already = connection.execute(
        "SELECT count(*) FILTER (WHERE earliest >= ?1), count(*) FILTER (WHERE earliest < ?1) FROM surplus", (first,)
    ).fetchone()
    connection.execute("DELETE FROM rows WHERE id IN (SELECT id FROM surplus)")
    connection.execute("DROP TABLE surplus")
    added = connection.execute("SELECT count(*) FROM rows WHERE id >= ?", (first,)).fetchone()[0]
    method, size = cut(added)
    ids = connection.execute("SELECT id FROM rows WHERE id >= ? ORDER BY id", (first,))
    connection.executemany(
        "INSERT INTO chunks (first_row, last_row, rows, method) VALUES (?, ?, ?, ?)",
        ((*chunk, method.value) for chunk in _ranges(ids, size)),
    )
    connection.execute(
        "UPDATE loads SET finished_at = ?, duplicates = ?, already_loaded = ? WHERE id = ?",
        (_now(), duplicates, already, load),
    )
    source, rows = connection.execute("SELECT source, rows FROM loads WHERE id = ?", (load,)).fetchone()
    bad = connection.execute("SELECT count(*) FROM set_aside WHERE load = ?", (load,)).fetchone()[0]
    return LoadReport(
        source=source, rows=rows, added=added, set_aside=bad, duplicates=duplicates, already_loaded=already
    )


def _next_row(connection: sqlite3.Connection) -> int:
    """Return the id after that of the last row of the campaign."""
    last = connection.execute("SELECT last_row FROM chunks ORDER BY id DESC LIMIT 1").fetchone()
    return 1 if last is None else last[0] + 1


def _ranges(ids: Iterator[tuple[int]], size: int) -> Iterator[tuple[int, int, int]]:
    """Yield (first row, last row, number of rows) of each chunk."""
    first = last = count = 0
    for (last,) in ids:
        if not count:
            first = last
        count += 1
        if count == size:
            yield first, last, count
            count = 0
    if count:
        yield first, last, count


def _chunk(columns: Sequence[Any]) -> Chunk:
    chunk_id, method, state, rows, message_id, message_ids, error, sending_at, attempts = columns
    ids = [message_id] if message_id is not None else json.loads(message_ids) if message_ids else []
    return Chunk(
        id=chunk_id,
        method=Method(method),
        state=State(state),
        rows=rows,
        message_outbox_ids=tuple(ids),
        error=error,
        sending_at=None if sending_at is None else datetime.fromisoformat(sending_at),
        attempts=attempts,
    )


def _range(connection: sqlite3.Connection, chunk_id: int) -> tuple[int, int]:
    found = connection.execute("SELECT first_row, last_row FROM chunks WHERE id = ?", (chunk_id,)).fetchone()
    if found is None:
        raise CampaignError(f"the ledger has no chunk {chunk_id}", argument="chunk_id")
    first, last = found
    return first, last


def _open_rows(connection: sqlite3.Connection, first: int, last: int) -> list[LedgerRow]:
    return connection.execute(
        "SELECT id, recipient, content FROM rows WHERE id BETWEEN ? AND ? AND state IS NULL ORDER BY id", (first, last)
    ).fetchall()


def _unclaim(connection: sqlite3.Connection, chunk_id: int, token: str) -> None:
    connection.execute(
        "UPDATE chunks SET state = 'pending', attempts = attempts - 1 WHERE id = ? AND claim = ? AND state = 'sending'",
        (chunk_id, token),
    )


def _settle(connection: sqlite3.Connection, chunk_id: int, settlement: Settlement, token: str | None) -> None:
    ids = settlement.message_outbox_ids
    first, last = _range(connection, chunk_id)
    rows = _open_rows(connection, first, last) if len(ids) > 1 else []
    is_own = len(ids) > 1 and len(ids) == len(rows)
    changed = connection.execute(
        "UPDATE chunks SET state = ?, message_outbox_id = ?, message_outbox_ids = ?, error = ?, settled_at = ? "
        "WHERE id = ? AND state = 'sending' AND claim = coalesce(?, claim)",
        (
            settlement.state.value,
            ids[0] if len(ids) == 1 else None,
            json.dumps(ids) if len(ids) > 1 and not is_own else None,
            settlement.error,
            _now(),
            chunk_id,
            token,
        ),
    )
    if not changed.rowcount:
        raise CampaignError(f"chunk {chunk_id} is not being sent", argument="chunk_id")
    if is_own:
        connection.executemany(
            "UPDATE rows SET message_outbox_id = ? WHERE id = ?",
            zip(ids, (row_id for row_id, _, _ in rows), strict=True),
        )


def _rows_in(connection: sqlite3.Connection, state: State) -> int:
    """Return the number of rows in a state: those of the chunks, without those settled one by one, and with them."""
    return int(getattr(_counts(connection), state.value))


def _counts(connection: sqlite3.Connection) -> Counts:
    counts = dict.fromkeys((state.value for state in State), 0)
    for state, rows in connection.execute("SELECT state, sum(rows) FROM chunks GROUP BY state"):
        counts[state] += rows
    for state, chunk_state, rows in connection.execute(
        "SELECT rows.state, chunks.state, count(*) FROM rows JOIN chunks ON chunks.id = ("
        "SELECT id FROM chunks WHERE first_row <= rows.id ORDER BY first_row DESC LIMIT 1) "
        "WHERE rows.state IS NOT NULL GROUP BY 1, 2"
    ):
        counts[state] += rows
        counts[chunk_state] -= rows
    deliveries = dict(connection.execute("SELECT delivery, count(*) FROM rows WHERE delivery IS NOT NULL GROUP BY 1"))
    set_aside, duplicates = connection.execute(
        "SELECT (SELECT count(*) FROM set_aside JOIN loads ON loads.id = load WHERE finished_at IS NOT NULL), "
        "coalesce(sum(duplicates), 0) FROM loads WHERE finished_at IS NOT NULL"
    ).fetchone()
    return Counts(
        **counts,
        set_aside=set_aside,
        duplicates=duplicates,
        delivered=deliveries.get("delivered", 0),
        not_delivered=sum(deliveries.get(status, 0) for status in FINAL if status != "delivered"),
    )


def _report_row(columns: Sequence[Any]) -> ReportRow:
    source, line, recipient, content, state, message_id, error, delivery = columns
    return ReportRow(
        source=source,
        line=line,
        recipient=recipient,
        content=content,
        state=State(state),
        message_outbox_id=message_id,
        error=error,
        delivery=delivery,
    )


def _prove_sent(connection: sqlite3.Connection, chunk_id: int, message_ids: Mapping[int, int]) -> None:
    first, last = _range(connection, chunk_id)
    rows = {row_id for row_id, _, _ in _open_rows(connection, first, last)}
    proven = {row_id: message_id for row_id, message_id in message_ids.items() if row_id in rows}
    connection.executemany(
        "UPDATE rows SET state = 'sent', message_outbox_id = ? WHERE id = ?",
        ((message_id, row_id) for row_id, message_id in proven.items()),
    )
    if len(proven) == len(rows):
        connection.execute(
            "UPDATE chunks SET state = 'sent', error = NULL, settled_at = ? WHERE id = ? AND state = 'unknown'",
            (_now(), chunk_id),
        )
