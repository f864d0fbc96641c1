"""The connections of a transport, busy or idle: a limited number for each event loop. They know nothing of HTTP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

import httpx

from ippanel_edge._async import _io

MAX_CONNECTIONS: Final = 100
"""The maximum of open connections: not more than the shortest accept backlog of common servers.

So opening all of them at once overflows no backlog, and no separate limit on opening connections is needed.
"""

KEEPALIVE_EXPIRY: Final = 2.0
"""Seconds for which an idle connection is kept.

Servers close idle connections too. If a server closes one just as it is reused, the request is lost and its outcome is
unknown. So this time must be shorter than the server's; common servers wait for 5 seconds or more.
"""

Origin: TypeAlias = tuple[str, str, int | None]
"""Scheme, host and port of a URL."""


class AsyncConnection(Protocol):
    """A connection to one origin. `expires` is the time at which it is not used any more while it is idle."""

    origin: Origin
    expires: float

    @property
    def is_lost(self) -> bool:
        """Whether it must not be used again: the server closed it while it was idle, or sent something."""
        ...

    async def aclose(self) -> None:
        """Close the connection, and interrupt a request in progress."""


C = TypeVar("C", bound=AsyncConnection)


class Connections(Generic[C]):
    """The busy and the idle connections, the most recently used last. It decides; the caller closes connections."""

    def __init__(self, total: int, keep: int) -> None:
        self.slots = _io.Slots(total)
        self._total = total
        self._keep = keep
        self._guard = _io.Guard()
        self._idle: list[C] = []
        self._busy: set[C] = set()
        self.is_closed = False

    def take(self, origin: Origin, now: float) -> tuple[C | None, Sequence[C]]:
        """Return the most recently used connection to `origin`, if any, and those to close: lost, expired, surplus."""
        with self._guard:
            idle = self._idle
            stale: list[C] = []
            if idle and idle[0].expires <= now:
                fresh = next((at for at, each in enumerate(idle) if each.expires > now), len(idle))
                stale, idle[:fresh] = idle[:fresh], []
            for at in reversed(range(len(idle))):
                if idle[at].origin != origin:
                    continue
                connection = idle.pop(at)
                if connection.is_lost:
                    stale.append(connection)
                    continue
                self._busy.add(connection)
                return connection, stale
            if idle and len(idle) + len(self._busy) >= self._total:
                stale.append(idle.pop(0))
            return None, stale

    def add(self, connection: C) -> None:
        """Add a new connection as busy."""
        with self._guard:
            self._busy.add(connection)

    def remove(self, connection: C) -> None:
        """Remove a busy connection."""
        with self._guard:
            self._busy.discard(connection)

    def give_back(self, connection: C) -> Sequence[C]:
        """Make a connection idle. Return those to close: the oldest surplus ones, unless a request is waiting."""
        with self._guard:
            self._busy.discard(connection)
            self._idle.append(connection)
            surplus = 0 if self.slots.has_waiters else max(len(self._idle) - self._keep, 0)
            if not surplus:
                return ()
            stale, self._idle[:surplus] = self._idle[:surplus], []
            return stale

    def close(self) -> list[C]:
        """Remove all connections and return them; wake the waiting requests, which then fail."""
        with self._guard:
            self.is_closed = True
            connections = [*self._idle, *self._busy]
            self._idle.clear()
            self._busy.clear()
        if self.slots.has_waiters:
            self.slots.release()  # each waiter that wakes releases the next one
        return connections


class AsyncPool(Generic[C]):
    """The connections of each event loop (of the process, for the synchronous client), behind their limit.

    A request takes a slot (`lease`), then a connection, and gives both back.

    Args:
        make: creates a connection to an origin; it need not be open.
        total: the maximum of concurrent requests and of open connections.
        keep: the maximum of idle connections; None for `total`.
        expiry: seconds for which an idle connection is kept.
    """

    def __init__(self, make: Callable[[Origin], C], total: int, keep: int | None, expiry: float) -> None:
        self._make = make
        self._expiry = expiry
        self._owned: _io.Local[Connections[C]] = _io.Local(
            lambda: Connections(total, total if keep is None else keep), _close_all
        )

    @property
    def here(self) -> Connections[C]:
        """The connections of this event loop."""
        return self._owned.get()

    def lease_now(self) -> Connections[C] | None:
        """Take a slot if one is free. The caller releases it."""
        connections = self.here
        return connections if connections.slots.acquire_now() else None

    async def lease(self, within: float | None) -> Connections[C]:
        """Wait for a slot, first come, first served. The caller releases it.

        Args:
            within: the maximum of seconds to wait; None for no limit.

        Raises:
            httpx.PoolTimeout: none became free in that time.
            httpx.ConnectError: the pool was closed meanwhile.
        """
        connections = self.here
        try:
            await connections.slots.acquire(within)
        except _io.SlotTimeout:
            raise httpx.PoolTimeout("no pool connection became free in time") from None
        if connections.is_closed:
            connections.slots.release()
            raise httpx.ConnectError("the connection pool was closed")
        return connections

    async def take(self, connections: Connections[C], url: httpx.URL) -> C:
        """Return an idle connection, or a new one, which may not be open yet.

        Raises:
            httpx.ConnectError: the pool was closed meanwhile.
        """
        origin = (url.scheme, url.raw_host.decode("ascii"), url.port)
        connection, stale = connections.take(origin, _io.monotonic())
        if connection is None:
            connection = self._make(origin)
            connections.add(connection)
        if stale:
            try:
                await _close(stale)
            except BaseException:
                connections.remove(connection)
                raise
        if connections.is_closed:  # after the slot was taken
            await self.drop(connections, connection)
            raise httpx.ConnectError("the connection pool was closed")
        return connection

    async def give_back(self, connections: Connections[C], connection: C, *, reusable: bool) -> None:
        """Keep a connection for the next request, or close it."""
        if not reusable or not self._owned.owns(connections):
            await self.drop(connections, connection)
            return
        connection.expires = _io.monotonic() + self._expiry
        if stale := connections.give_back(connection):
            await _close(stale)

    async def drop(self, connections: Connections[C], connection: C) -> None:
        """Close a connection."""
        connections.remove(connection)
        await _close([connection])

    async def aclose(self) -> None:
        """Close all connections. A request in progress fails as if its connection had broken."""
        await self._owned.aclose()


async def _close_all(connections: Connections[C]) -> None:
    await _close(connections.close())


async def _close(connections: Sequence[C]) -> None:
    interruption: BaseException | None = None
    with _io.shielded():
        for connection in connections:
            try:
                await connection.aclose()
            except Exception:  # noqa: BLE001, S110 - the connection is discarded, whatever error its socket raises
                pass
            except BaseException as error:  # noqa: BLE001 - the others are closed first
                interruption = error
    if interruption is not None:
        raise interruption
