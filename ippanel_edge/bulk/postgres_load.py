"""Loading rows into PostgreSQL: they are copied to temporary tables, and join the campaign in one transaction.

A temporary table ends with its connection, so a load that was abandoned or crashed leaves nothing behind.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any, Final, LiteralString, Protocol

import attrs
from psycopg import AsyncConnection

from ippanel_edge.bulk.ledger import Cut, storable
from ippanel_edge.bulk.records import BadRow, LoadReport, NewRow

_TABLES: Final[LiteralString] = """
CREATE TEMP TABLE loading (position bigint, line bigint, recipient text, content text, hash bigint);
CREATE TEMP TABLE loading_bad (position bigint, line bigint, value text, reason text);
"""


LOCK: Final[LiteralString] = "SELECT id FROM ippanel_edge.campaigns WHERE id = %s FOR NO KEY UPDATE"
"""Lets one load of a campaign at a time finish."""


class ChunkQueue(Protocol):
    """A queue with a job for each chunk, in the database of the ledger."""

    async def defer(self, connection: AsyncConnection, campaign: str, chunk_ids: Sequence[int]) -> None:
        """Add a job for each of the chunks, in the transaction of the connection."""
        ...


@attrs.define(eq=False)
class Loading:
    """A load that is not finished.

    Attributes:
        connection: its own connection, which holds its temporary tables.
        source: the name of the file.
        rows: the number of valid rows so far.
        bad: the number of invalid rows so far.
        token: identifies the load if the connection breaks during its commit.
    """

    connection: AsyncConnection
    source: str
    rows: int = 0
    bad: int = 0
    token: str = attrs.field(factory=lambda: secrets.token_hex(16))

    async def begin(self) -> None:
        """Create the temporary tables."""
        await self.connection.execute(_TABLES)
        await self.connection.commit()

    async def add(self, rows: Sequence[NewRow], bad_rows: Sequence[BadRow]) -> None:
        """Append rows."""
        await self._copy(
            "COPY loading FROM STDIN", ((position, *row) for position, row in enumerate(rows, self.rows + 1))
        )
        await self._copy(
            "COPY loading_bad FROM STDIN",
            (
                (position, each.line, storable(each.value), storable(each.reason))
                for position, each in enumerate(bad_rows, self.bad + 1)
            ),
        )
        await self.connection.commit()
        self.rows += len(rows)
        self.bad += len(bad_rows)

    async def _copy(self, statement: LiteralString, rows: Iterable[Sequence[Any]]) -> None:
        async with self.connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                await copy.write_row(row)

    async def finish(self, campaign: int, cut: Cut, *, one_per_number: bool) -> tuple[LoadReport, Sequence[int]]:
        """Add the rows to a campaign in the open transaction, which holds the lock of the campaign.

        Returns:
            The report, and the ids of the new chunks.
        """
        connection = self.connection
        await connection.execute("ANALYZE loading (hash)")
        already = await _count(connection, _DELETE_LOADED, (campaign, one_per_number))
        duplicates = await self._delete_duplicates(one_per_number)
        added = self.rows - already - duplicates
        method, size = cut(added)
        load = await _value(
            connection,
            "INSERT INTO ippanel_edge.loads (campaign, token, source, rows, duplicates, already_loaded) "
            "VALUES (%s, %s, %s, %s, %s, %s) RETURNING id",
            (campaign, self.token, storable(self.source), self.rows + self.bad, duplicates, already),
        )
        last_chunk = await _value(connection, _LAST_CHUNK, (campaign,))
        last_row = await _value(connection, _LAST_ROW, (campaign,))
        values = {
            "campaign": campaign,
            "load": load,
            "last_row": last_row,
            "last_chunk": last_chunk,
            "size": size,
            "added": added,
            "method": method.value,
            "source": storable(self.source),
        }
        await connection.execute(_NUMBERED_ROWS if already or duplicates else _ROWS, values)
        chunks = await connection.execute(_CHUNKS, values)
        await connection.execute(_BAD_ROWS, values)
        report = LoadReport(
            source=self.source,
            rows=self.rows + self.bad,
            added=added,
            set_aside=self.bad,
            duplicates=duplicates,
            already_loaded=already,
        )
        return report, range(last_chunk + 1, last_chunk + 1 + chunks.rowcount)

    async def _delete_duplicates(self, one_per_number: bool) -> int:  # noqa: FBT001 - private
        """Delete the later ones of equal rows. Only rows whose hash is not unique are compared."""
        connection = self.connection
        repeated = await connection.execute(
            "CREATE TEMP TABLE repeated ON COMMIT DROP AS SELECT hash FROM loading GROUP BY hash HAVING count(*) > 1"
        )
        if not repeated.rowcount:
            return 0
        await connection.execute("ANALYZE repeated")
        return await _count(connection, _DELETE_DUPLICATES, (one_per_number,))

    async def has_landed(self, connection: AsyncConnection, *, campaign: int) -> bool:
        """Return whether the load was committed. A transaction that may still commit is waited for."""
        await connection.execute(LOCK, (campaign,))
        cursor = await connection.execute("SELECT 1 FROM ippanel_edge.loads WHERE token = %s", (self.token,))
        return await cursor.fetchone() is not None


async def _count(connection: AsyncConnection, statement: LiteralString, values: Sequence[object] = ()) -> int:
    return (await connection.execute(statement, values)).rowcount


async def _value(connection: AsyncConnection, statement: LiteralString, values: Sequence[object]) -> int:
    ((value,),) = await (await connection.execute(statement, values)).fetchall()
    return int(value)


_DELETE_LOADED: Final[LiteralString] = """
DELETE FROM loading USING ippanel_edge.rows
WHERE rows.campaign = %s AND rows.hash = loading.hash AND rows.recipient = loading.recipient
AND (%s OR rows.content IS NOT DISTINCT FROM loading.content)
"""
_DELETE_DUPLICATES: Final[LiteralString] = """
DELETE FROM loading USING (
    SELECT position,
    min(position) OVER (PARTITION BY hash, recipient, CASE WHEN %s THEN NULL ELSE content END) AS earliest
    FROM loading JOIN repeated USING (hash)
) AS found
WHERE loading.position = found.position AND found.position > found.earliest
"""
_LAST_CHUNK: Final[LiteralString] = "SELECT coalesce(max(id), 0) FROM ippanel_edge.chunks WHERE campaign = %s"
_LAST_ROW: Final[LiteralString] = "SELECT coalesce(max(id), 0) FROM ippanel_edge.rows WHERE campaign = %s"
_ROWS: Final[LiteralString] = """
INSERT INTO ippanel_edge.rows (campaign, id, chunk, load, line, recipient, content, hash)
SELECT %(campaign)s, %(last_row)s + number, %(last_chunk)s + (number - 1) / %(size)s + 1, %(load)s,
line, recipient, content, hash
FROM (SELECT *, position AS number FROM loading) AS numbered ORDER BY number
"""
_NUMBERED_ROWS: Final[LiteralString] = _ROWS.replace("position AS", "row_number() OVER (ORDER BY position) AS")
_CHUNKS: Final[LiteralString] = """
INSERT INTO ippanel_edge.chunks (campaign, id, first_row, last_row, rows, method)
SELECT %(campaign)s, %(last_chunk)s + number, %(last_row)s + first, %(last_row)s + last, last - first + 1, %(method)s
FROM (
    SELECT number, (number - 1) * %(size)s + 1 AS first, least(number * %(size)s, %(added)s) AS last
    FROM generate_series(1, (%(added)s::bigint + %(size)s - 1) / %(size)s) AS number
) AS ranges
"""
_BAD_ROWS: Final[LiteralString] = """
INSERT INTO ippanel_edge.set_aside (campaign, id, load, line, value, reason)
SELECT %(campaign)s, (SELECT coalesce(max(id), 0) FROM ippanel_edge.set_aside WHERE campaign = %(campaign)s) + position,
%(load)s, line, value, reason
FROM loading_bad WHERE NOT EXISTS (
    SELECT 1 FROM ippanel_edge.set_aside AS earlier JOIN ippanel_edge.loads ON loads.id = earlier.load
    WHERE earlier.campaign = %(campaign)s AND earlier.line = loading_bad.line AND loads.source = %(source)s
    AND earlier.value = loading_bad.value AND earlier.reason = loading_bad.reason
)
"""
