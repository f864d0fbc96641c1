"""Which workers are running: each holds an advisory lock, and what a worker without it was sending is unknown.

The server releases the lock when the worker's connection ends, however it ends. So no clocks are compared, and a worker
that only waits for a long time is not taken for dead.
"""

from __future__ import annotations

import secrets
from typing import Final

import anyio
import psycopg
from psycopg import AsyncConnection

from ippanel_edge.bulk.postgres_connections import Conninfo

_CRASHED: Final = "the worker ended, or lost its connection to the database, while the chunk was being sent"
_BITS: Final = 63
_RELEASES_IN: Final = 1.0
"""Seconds to wait until the lock is released; then the end of the connection releases it a little later."""


class Worker:
    """The lock of this worker, on a connection of its own.

    Args:
        conninfo: the connection string.
    """

    def __init__(self, conninfo: Conninfo) -> None:
        self._conninfo = conninfo
        self._connection: AsyncConnection | None = None
        self._id = 0
        self._renewing = anyio.Lock()

    async def current(self) -> int:
        """Return the id of this worker: the key of its lock. A new one is taken if there is none.

        Raises:
            LedgerError: the database cannot be used.
        """
        if self._connection is None:
            async with self._renewing:
                if self._connection is None:
                    self._id, self._connection = await self._take()
        return self._id

    async def _take(self) -> tuple[int, AsyncConnection]:
        connection = await self._conninfo.connect()
        try:
            await connection.set_autocommit(True)
            while True:
                key = secrets.randbits(_BITS)
                cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", (key,))
                if await cursor.fetchone() == (True,):
                    return key, connection
        except psycopg.Error as error:
            await connection.close()
            raise self._conninfo.failure(error) from error
        except BaseException:
            await connection.close()
            raise

    async def drop(self, worker: int) -> None:
        """Give up an id, if it is still the current one: what it was sending becomes unknown unless it is settled."""
        if worker == self._id:
            await self.aclose()

    async def aclose(self) -> None:
        """Release the lock."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            with anyio.move_on_after(_RELEASES_IN):
                await connection.execute("SELECT pg_advisory_unlock_all()")
        except psycopg.Error:  # the server releases the lock when it sees that the connection has ended
            pass
        finally:
            await connection.close()


async def has_ended(connection: AsyncConnection, worker: int) -> bool:
    """Return whether a worker holds its lock no more.

    Any number of workers may ask at once, because they lock it in shared mode, until the end of their transactions.
    """
    cursor = await connection.execute("SELECT pg_try_advisory_xact_lock_shared(%s)", (worker,))
    return await cursor.fetchone() == (True,)


async def settle_ended(connection: AsyncConnection, campaign: int) -> int:
    """Make the chunks unknown that workers were sending which have ended, and return their number."""
    cursor = await connection.execute(
        "SELECT DISTINCT worker FROM ippanel_edge.chunks WHERE campaign = %s AND state = 'sending'", (campaign,)
    )
    ended = [worker for (worker,) in await cursor.fetchall() if await has_ended(connection, worker)]
    if not ended:
        return 0
    cursor = await connection.execute(
        "UPDATE ippanel_edge.chunks SET state = 'unknown', error = %s, settled_at = now() "
        "WHERE campaign = %s AND state = 'sending' AND worker = ANY (%s)",
        (_CRASHED, campaign, ended),
    )
    return cursor.rowcount
