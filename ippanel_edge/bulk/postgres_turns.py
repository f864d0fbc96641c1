"""The rate of a sender line over all workers: a row in PostgreSQL for each line, and the clock of the server."""

from __future__ import annotations

from psycopg import AsyncConnection

from ippanel_edge._async import _io
from ippanel_edge.bulk.ledger import Turns
from ippanel_edge.bulk.postgres_connections import Connections
from ippanel_edge.config import RateLimit


class LineTurns(Turns):
    """The turns of a sender line (GCRA: the bucket is the time of the next turn).

    Args:
        connections: the pool.
        rate: the rate.
        line: the sender line. All campaigns in the database share its turns.
    """

    def __init__(self, connections: Connections, rate: RateLimit, line: str) -> None:
        self._connections = connections
        gap = 1.0 / rate.per_second
        self._values = {"line": line, "gap": gap, "slack": gap * (rate.burst - 1)}

    async def wait(self) -> None:
        """Wait for the turn of the next request. A turn whose wait is cancelled is not used.

        Raises:
            LedgerError: the database cannot be used.
        """
        delay = await self._connections.transact(self._take)
        if delay > 0:
            await _io.sleep(delay)

    async def _take(self, connection: AsyncConnection) -> float:
        """Take the next turn and return the seconds until it.

        The commit is not waited for on the disk: after a crash of the server, some turns are free again.
        """
        await connection.execute("SET LOCAL synchronous_commit = off")
        cursor = await connection.execute(
            "INSERT INTO ippanel_edge.lines AS lines (line, next_at) "
            "VALUES (%(line)s, clock_timestamp() + make_interval(secs => %(gap)s)) "
            "ON CONFLICT (line) DO UPDATE "
            "SET next_at = greatest(lines.next_at, clock_timestamp()) + make_interval(secs => %(gap)s) "
            "RETURNING extract(epoch FROM next_at - clock_timestamp())::float8 - %(gap)s - %(slack)s",
            self._values,
        )
        ((delay,),) = await cursor.fetchall()
        return float(delay)
