"""The statements that read a ledger in PostgreSQL, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final, LiteralString

from psycopg import AsyncConnection
from psycopg.errors import LockNotAvailable

from ippanel_edge.bulk.records import FINAL, BadRow, CampaignError, Chunk, Counts, LedgerRow, Method, ReportRow, State

_CHUNKS: Final[LiteralString] = (
    "SELECT id, method, state, rows, message_outbox_id, message_outbox_ids, error, sending_at, attempts, unknown_since "
    "FROM ippanel_edge.chunks WHERE campaign = %s "
)
_FIRST_PENDING: Final[LiteralString] = _CHUNKS + "AND state = 'pending' ORDER BY id LIMIT 1 FOR UPDATE"
_CLAIM_WAIT: Final = "10s"
"""How long a worker waits for a chunk that another one claims, which takes milliseconds."""


async def pending_chunk(connection: AsyncConnection, campaign: int, chunk_id: int) -> Chunk | None:
    """Return a chunk if it is pending, and lock it. If another worker claims it now, wait until that is decided."""
    cursor = await connection.execute(_CHUNKS + "AND state = 'pending' AND id = %s FOR UPDATE", (campaign, chunk_id))
    found = await cursor.fetchone()
    return None if found is None else _chunk(found)


async def free_chunk(connection: AsyncConnection, campaign: int) -> Chunk | None:
    """Return the first pending chunk that no other worker claims now, and lock it."""
    cursor = await connection.execute(_FIRST_PENDING + " SKIP LOCKED", (campaign,))
    found = await cursor.fetchone()
    return None if found is None else _chunk(found)


async def freed_chunk(connection: AsyncConnection, campaign: int) -> Chunk | None:
    """Wait until other workers have claimed the pending chunks; return one that a killed worker left, and lock it.

    A worker that does not go on for a long time keeps its chunk.
    """
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('lock_timeout', %s, true)", (_CLAIM_WAIT,))
            cursor = await connection.execute(_FIRST_PENDING, (campaign,))
            found = await cursor.fetchone()
    except LockNotAvailable:
        return None
    return None if found is None else _chunk(found)


async def chunks(connection: AsyncConnection, *, campaign: int, state: State, after: int, limit: int) -> list[Chunk]:
    """Return chunks in a state, with ids above `after`."""
    query = _CHUNKS + "AND state = %s AND id > %s ORDER BY id LIMIT %s"
    cursor = await connection.execute(query, (campaign, state.value, after, limit))
    return [_chunk(columns) for columns in await cursor.fetchall()]


def _chunk(columns: Sequence[Any]) -> Chunk:
    chunk_id, method, state, rows, message_id, message_ids, error, sending_at, attempts, unknown_since = columns
    return Chunk(
        id=chunk_id,
        method=Method(method),
        state=State(state),
        rows=rows,
        message_outbox_ids=(message_id,) if message_id is not None else tuple(message_ids or ()),
        error=error,
        sending_at=None if sending_at is None else sending_at.astimezone(UTC),
        attempts=attempts,
        unknown_since=None if unknown_since is None else unknown_since.astimezone(UTC),
    )


async def open_rows(connection: AsyncConnection, campaign: int, chunk_id: int) -> list[LedgerRow]:
    """Return the rows of a chunk that have its state.

    Raises:
        CampaignError: there is no such chunk.
    """
    cursor = await connection.execute(
        "SELECT first_row, last_row FROM ippanel_edge.chunks WHERE campaign = %s AND id = %s", (campaign, chunk_id)
    )
    found = await cursor.fetchone()
    if found is None:
        raise CampaignError(f"the ledger has no chunk {chunk_id}", argument="chunk_id")
    cursor = await connection.execute(
        "SELECT id, recipient, content FROM ippanel_edge.rows "
        "WHERE campaign = %s AND id BETWEEN %s AND %s AND state IS NULL ORDER BY id",
        (campaign, *found),
    )
    rows: list[LedgerRow] = await cursor.fetchall()
    return rows


async def counts(connection: AsyncConnection, campaign: int) -> Counts:
    """Return the number of rows in each state."""
    rows = dict.fromkeys((state.value for state in State), 0)
    query: LiteralString = "SELECT state, sum(rows) FROM ippanel_edge.chunks WHERE campaign = %s GROUP BY state"
    for state, count in await (await connection.execute(query, (campaign,))).fetchall():
        rows[state] += int(count)
    query = (
        "SELECT rows.state, chunks.state, count(*) FROM ippanel_edge.rows JOIN ippanel_edge.chunks "
        "ON chunks.campaign = rows.campaign AND chunks.id = rows.chunk "
        "WHERE rows.campaign = %s AND rows.state IS NOT NULL GROUP BY 1, 2"
    )
    for state, of_chunk, count in await (await connection.execute(query, (campaign,))).fetchall():
        rows[state] += count
        rows[of_chunk] -= count
    query = "SELECT delivery, count(*) FROM ippanel_edge.rows WHERE campaign = %s AND delivery IS NOT NULL GROUP BY 1"
    deliveries: dict[str, int] = dict(await (await connection.execute(query, (campaign,))).fetchall())
    query = (
        "SELECT (SELECT count(*) FROM ippanel_edge.set_aside WHERE campaign = %(campaign)s), "
        "(SELECT coalesce(sum(duplicates), 0) FROM ippanel_edge.loads WHERE campaign = %(campaign)s)"
    )
    ((set_aside, duplicates),) = await (await connection.execute(query, {"campaign": campaign})).fetchall()
    return Counts(
        **rows,
        set_aside=set_aside,
        duplicates=int(duplicates),
        delivered=deliveries.get("delivered", 0),
        not_delivered=sum(deliveries.get(status, 0) for status in FINAL if status != "delivered"),
    )


async def pending_chunks(connection: AsyncConnection, *, campaign: int) -> dict[Method, int]:
    """Return the number of pending chunks by method."""
    cursor = await connection.execute(
        "SELECT method, count(*) FROM ippanel_edge.chunks WHERE campaign = %s AND state = 'pending' GROUP BY method",
        (campaign,),
    )
    return {Method(method): count for method, count in await cursor.fetchall()}


_FIRST_CHUNK: Final[LiteralString] = """
SELECT id, first_row FROM ippanel_edge.chunks WHERE campaign = %(campaign)s AND id = (
    SELECT chunk FROM ippanel_edge.rows WHERE campaign = %(campaign)s AND id > %(after)s ORDER BY id LIMIT 1
)
"""
_NEXT_CHUNKS: Final[LiteralString] = """
SELECT id FROM (
    SELECT id, sum(rows) OVER (ORDER BY id) - rows AS rows_before FROM (
        SELECT id, rows FROM ippanel_edge.chunks
        WHERE campaign = %(campaign)s AND id >= %(chunk)s AND (state = ANY (%(states)s) OR 'sent' = ANY (%(states)s))
        ORDER BY id LIMIT %(limit)s + 1
    ) AS next
) AS counted
WHERE rows_before < %(limit)s + %(skipped)s ORDER BY id
"""
_ROWS_OF_CHUNKS: Final[LiteralString] = """
SELECT rows.id, loads.source, rows.line, rows.recipient, rows.content, coalesce(rows.state, chunks.state),
coalesce(rows.message_outbox_id, chunks.message_outbox_id), CASE WHEN rows.state IS NULL THEN chunks.error END,
rows.delivery
FROM ippanel_edge.chunks
JOIN ippanel_edge.rows ON rows.campaign = %(campaign)s AND rows.id BETWEEN chunks.first_row AND chunks.last_row
JOIN ippanel_edge.loads ON loads.id = rows.load
WHERE chunks.campaign = %(campaign)s AND chunks.id = ANY (%(chunks)s) AND rows.id > %(after)s
AND coalesce(rows.state, chunks.state) = ANY (%(states)s)
ORDER BY rows.id LIMIT %(limit)s
"""


async def report(
    connection: AsyncConnection, *, campaign: int, after: int, limit: int, states: Sequence[State]
) -> list[tuple[int, ReportRow]]:
    """Return rows in any of the states, with ids above `after`; perhaps fewer than `limit`, but not none if there are.

    The chunks are chosen first. Without statistics, the planner would sort all rows of the campaign for each page.
    """
    values: dict[str, Any] = {
        "campaign": campaign,
        "after": after,
        "limit": limit,
        "states": [state.value for state in states],
    }
    first = await (await connection.execute(_FIRST_CHUNK, values)).fetchone()
    if first is None:
        return []
    chunk, first_row = first
    values["skipped"] = max(0, after - first_row + 1)
    while True:
        values["chunk"] = chunk
        values["chunks"] = [each for (each,) in await (await connection.execute(_NEXT_CHUNKS, values)).fetchall()]
        if not values["chunks"]:
            return []
        found = await (await connection.execute(_ROWS_OF_CHUNKS, values)).fetchall()
        if found:
            return [_report_row(columns) for columns in found]
        chunk = values["chunks"][-1] + 1


def _report_row(columns: Sequence[Any]) -> tuple[int, ReportRow]:
    row_id, source, line, recipient, content, state, message_id, error, delivery = columns
    row = ReportRow(
        source=source,
        line=line,
        recipient=recipient,
        content=content,
        state=State(state),
        message_outbox_id=message_id,
        error=error,
        delivery=delivery,
    )
    return row_id, row


async def bad_rows(connection: AsyncConnection, *, campaign: int, after: int, limit: int) -> list[tuple[int, BadRow]]:
    """Return rows that were set aside, with numbers above `after`."""
    cursor = await connection.execute(
        "SELECT set_aside.id, source, line, value, reason FROM ippanel_edge.set_aside "
        "JOIN ippanel_edge.loads ON loads.id = set_aside.load "
        "WHERE set_aside.campaign = %s AND set_aside.id > %s ORDER BY set_aside.id LIMIT %s",
        (campaign, after, limit),
    )
    return [(number, BadRow(*columns)) for number, *columns in await cursor.fetchall()]


async def known_ids(connection: AsyncConnection, *, campaign: int, message_outbox_ids: Sequence[int]) -> set[int]:
    """Return those of the ids that belong to sent rows."""
    cursor = await connection.execute(
        "SELECT message_outbox_id FROM ippanel_edge.chunks "
        "WHERE campaign = %(campaign)s AND message_outbox_id = ANY (%(ids)s) UNION "
        "SELECT message_outbox_id FROM ippanel_edge.rows "
        "WHERE campaign = %(campaign)s AND message_outbox_id = ANY (%(ids)s) UNION "
        "SELECT listed.id FROM ippanel_edge.chunks, unnest(message_outbox_ids) AS listed (id) "
        "WHERE campaign = %(campaign)s AND message_outbox_ids IS NOT NULL AND listed.id = ANY (%(ids)s)",
        {"campaign": campaign, "ids": list(message_outbox_ids)},
    )
    return {value for (value,) in await cursor.fetchall()}


_UNDELIVERED: Final[LiteralString] = """
SELECT message_outbox_id, count FROM (
    SELECT message_outbox_id, count(*) AS count FROM ippanel_edge.rows
    WHERE campaign = %(campaign)s AND message_outbox_id > %(after)s
    GROUP BY message_outbox_id HAVING bool_or(delivery IS NULL OR delivery <> ALL (%(final)s))
    UNION ALL
    SELECT message_outbox_id, rows FROM ippanel_edge.chunks
    WHERE campaign = %(campaign)s AND message_outbox_id > %(after)s AND EXISTS (
        SELECT 1 FROM ippanel_edge.rows
        WHERE rows.campaign = chunks.campaign AND rows.id BETWEEN first_row AND last_row
        AND (delivery IS NULL OR delivery <> ALL (%(final)s))
    )
) AS found
ORDER BY message_outbox_id LIMIT %(limit)s
"""


async def undelivered(connection: AsyncConnection, *, campaign: int, after: int, limit: int) -> list[tuple[int, int]]:
    """Return (message id, number of rows) of sent messages with rows without a final status, above `after`."""
    values = {"campaign": campaign, "after": after, "limit": limit, "final": list(FINAL)}
    return [
        (message_id, count) for message_id, count in await (await connection.execute(_UNDELIVERED, values)).fetchall()
    ]
