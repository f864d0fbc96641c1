"""The statements of a ledger in SQLite: functions of a connection, each a part of a transaction. No I/O of its own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ippanel_edge.bulk.ledger import Cut
from ippanel_edge.bulk.records import (
    FINAL,
    CampaignError,
    Chunk,
    Counts,
    Kind,
    LedgerRow,
    LoadReport,
    Method,
    ReportRow,
    Settlement,
    State,
    Terms,
)

_CRASHED: Final = "the process ended while the chunk was being sent"


def check_terms(found: Terms | None, given: Terms | None) -> Terms:
    """Check the terms of a campaign against the recorded ones, and return those.

    Raises:
        CampaignError: they differ, or none are recorded.
    """
    if found is None:
        raise CampaignError("the ledger has no campaign; use Campaign.open to begin one", argument="ledger")
    if given is not None:
        found.check_same(given)
    return found


def now() -> str:
    """Return the time by the clock of this machine, as recorded in the ledger."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def begin(connection: sqlite3.Connection, terms: Terms | None) -> Terms | None:
    """Return the terms, which a new ledger records, and settle what a crash left."""
    delete_unfinished(connection)
    settle_unfinished(connection)
    found = read_terms(connection)
    is_used = connection.execute("SELECT EXISTS (SELECT 1 FROM loads)").fetchone()[0]
    if terms is None or (found is not None and is_used):
        return found
    connection.execute("DELETE FROM campaign")
    connection.execute(
        "INSERT INTO campaign VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            terms.from_number,
            terms.kind.value,
            terms.message,
            terms.pattern,
            None if terms.params is None else json.dumps(dict(terms.params), ensure_ascii=False),
            None if terms.send_time is None else terms.send_time.isoformat(),
            terms.one_per_number,
            now(),
        ),
    )
    return terms


def settle_unfinished(connection: sqlite3.Connection) -> None:
    """Make the chunks unknown whose worker has ended without settling them: they may have been accepted."""
    connection.execute(
        "UPDATE chunks SET state = 'unknown', error = ?, settled_at = ? WHERE state = 'sending'", (_CRASHED, now())
    )


def read_terms(connection: sqlite3.Connection) -> Terms | None:
    """Return the recorded terms; None if there are none."""
    query = "SELECT from_number, kind, message, pattern, params, send_time, one_per_number FROM campaign"
    found = connection.execute(query).fetchone()
    if found is None:
        return None
    from_number, kind, message, pattern, params, send_time, one_per_number = found
    return Terms(
        from_number=from_number,
        kind=Kind(kind),
        message=message,
        pattern=pattern,
        params=None if params is None else json.loads(params),
        send_time=None if send_time is None else datetime.fromisoformat(send_time),
        one_per_number=bool(one_per_number),
    )


def delete_unfinished(connection: sqlite3.Connection) -> None:
    """Delete the loads that were not finished."""
    for (load,) in connection.execute("SELECT id FROM loads WHERE finished_at IS NULL").fetchall():
        delete_load(connection, load)


def delete_load(connection: sqlite3.Connection, load: int) -> None:
    """Delete a load that was not finished. One that was finished just before a cancellation stays."""
    unfinished = "SELECT EXISTS (SELECT 1 FROM loads WHERE id = ? AND finished_at IS NULL)"
    if not connection.execute(unfinished, (load,)).fetchone()[0]:
        return
    # The rows of a load that is not finished come after those of the chunks.
    connection.execute("DELETE FROM rows WHERE id >= ? AND load = ?", (_next_row(connection), load))
    connection.execute("DELETE FROM set_aside WHERE load = ?", (load,))
    connection.execute("DELETE FROM loads WHERE id = ?", (load,))


_DELETE_KNOWN: Final = """
DELETE FROM set_aside WHERE load = :load AND EXISTS (
    SELECT 1 FROM set_aside AS earlier JOIN loads ON loads.id = earlier.load
    WHERE earlier.line = set_aside.line AND earlier.load < :load AND loads.source = :source
    AND earlier.value = set_aside.value AND earlier.reason = set_aside.reason
)
"""
"""Deletes the invalid rows of a load that an earlier load of the same source has set aside already."""


def finish_load(connection: sqlite3.Connection, load: int, cut: Cut, same: str) -> LoadReport:
    """Leave out the duplicates of a load, divide its rows into chunks, and make it part of the campaign.

    Rows whose columns `same` are equal are duplicates.
    """
    first = _next_row(connection)
    # Only rows whose hash is not unique are compared: the texts take no part in sorting all rows.
    connection.execute(
        "CREATE TEMP TABLE surplus AS SELECT id, earliest FROM ("  # noqa: S608 - `same` is a constant
        f"SELECT id, min(id) OVER (PARTITION BY {same}) AS earliest FROM rows WHERE hash IN ("
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
        (now(), duplicates, already, load),
    )
    source, rows = connection.execute("SELECT source, rows FROM loads WHERE id = ?", (load,)).fetchone()
    bad = connection.execute("SELECT count(*) FROM set_aside WHERE load = ?", (load,)).fetchone()[0]
    connection.execute(_DELETE_KNOWN, {"load": load, "source": source})
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


def read_chunk(columns: Sequence[Any]) -> Chunk:
    """Return a chunk from its columns."""
    chunk_id, method, state, rows, message_id, message_ids, error, sending_at, attempts, unknown_since = columns
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
        unknown_since=None if unknown_since is None else datetime.fromisoformat(unknown_since),
    )


def row_range(connection: sqlite3.Connection, chunk_id: int) -> tuple[int, int]:
    """Return the first and the last row of a chunk.

    Raises:
        CampaignError: there is no such chunk.
    """
    found = connection.execute("SELECT first_row, last_row FROM chunks WHERE id = ?", (chunk_id,)).fetchone()
    if found is None:
        raise CampaignError(f"the ledger has no chunk {chunk_id}", argument="chunk_id")
    first, last = found
    return first, last


def open_rows(connection: sqlite3.Connection, first: int, last: int) -> list[LedgerRow]:
    """Return the rows of a range that have the state of their chunk."""
    return connection.execute(
        "SELECT id, recipient, content FROM rows WHERE id BETWEEN ? AND ? AND state IS NULL ORDER BY id", (first, last)
    ).fetchall()


def unclaim(connection: sqlite3.Connection, chunk_id: int, token: str) -> None:
    """Make a chunk pending again that was claimed, but not sent."""
    connection.execute(
        "UPDATE chunks SET state = 'pending', attempts = attempts - 1 WHERE id = ? AND claim = ? AND state = 'sending'",
        (chunk_id, token),
    )


def settle(connection: sqlite3.Connection, chunk_id: int, settlement: Settlement, token: str | None) -> None:
    """Record the result of sending a chunk.

    Raises:
        CampaignError: the chunk is not being sent.
    """
    ids = settlement.message_outbox_ids
    first, last = row_range(connection, chunk_id)
    rows = open_rows(connection, first, last) if len(ids) > 1 else []
    is_own = len(ids) > 1 and len(ids) == len(rows)
    changed = connection.execute(
        "UPDATE chunks SET state = ?, message_outbox_id = ?, message_outbox_ids = ?, error = ?, settled_at = ? "
        "WHERE id = ? AND state = 'sending' AND claim = coalesce(?, claim)",
        (
            settlement.state.value,
            ids[0] if len(ids) == 1 else None,
            json.dumps(ids) if len(ids) > 1 and not is_own else None,
            settlement.error,
            now(),
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


def rows_in(connection: sqlite3.Connection, state: State) -> int:
    """Return the number of rows in a state: those of the chunks, without those settled one by one, and with them."""
    return int(getattr(counts(connection), state.value))


def counts(connection: sqlite3.Connection) -> Counts:
    """Return the number of rows in each state."""
    rows_in_state = dict.fromkeys((state.value for state in State), 0)
    for state, rows in connection.execute("SELECT state, sum(rows) FROM chunks GROUP BY state"):
        rows_in_state[state] += rows
    for state, chunk_state, rows in connection.execute(
        "SELECT rows.state, chunks.state, count(*) FROM rows JOIN chunks ON chunks.id = ("
        "SELECT id FROM chunks WHERE first_row <= rows.id ORDER BY first_row DESC LIMIT 1) "
        "WHERE rows.state IS NOT NULL GROUP BY 1, 2"
    ):
        rows_in_state[state] += rows
        rows_in_state[chunk_state] -= rows
    deliveries = dict(connection.execute("SELECT delivery, count(*) FROM rows WHERE delivery IS NOT NULL GROUP BY 1"))
    set_aside, duplicates = connection.execute(
        "SELECT (SELECT count(*) FROM set_aside JOIN loads ON loads.id = load WHERE finished_at IS NOT NULL), "
        "coalesce(sum(duplicates), 0) FROM loads WHERE finished_at IS NOT NULL"
    ).fetchone()
    return Counts(
        **rows_in_state,
        set_aside=set_aside,
        duplicates=duplicates,
        delivered=deliveries.get("delivered", 0),
        not_delivered=sum(deliveries.get(status, 0) for status in FINAL if status != "delivered"),
    )


def report_row(columns: Sequence[Any]) -> ReportRow:
    """Return a row from the columns of the view `report`."""
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


def prove_sent(connection: sqlite3.Connection, chunk_id: int, message_ids: Mapping[int, int]) -> int:
    """Record that rows of an unknown chunk were accepted, and return their number; 0 if it is not unknown any more."""
    first, last = row_range(connection, chunk_id)
    is_unknown = "SELECT EXISTS (SELECT 1 FROM chunks WHERE id = ? AND state = 'unknown')"
    if not connection.execute(is_unknown, (chunk_id,)).fetchone()[0]:
        return 0
    rows = {row_id for row_id, _, _ in open_rows(connection, first, last)}
    proven = {row_id: message_id for row_id, message_id in message_ids.items() if row_id in rows}
    connection.executemany(
        "UPDATE rows SET state = 'sent', message_outbox_id = ? WHERE id = ?",
        ((message_id, row_id) for row_id, message_id in proven.items()),
    )
    if len(proven) == len(rows):
        connection.execute(
            "UPDATE chunks SET state = 'sent', error = NULL, settled_at = ? WHERE id = ?", (now(), chunk_id)
        )
    return len(proven)
