"""The connection pool: httpx transports with one connection each, on a free list behind a semaphore. No retries.

httpx's own pool scans all its connections when a request starts or ends: a burst of 1,000 requests times out in it, and
with 100 concurrent requests each costs several times as much as one alone. Here each transport has one connection, so
that a scan covers one, and a request takes the most recently used connection.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, cast

import attrs
import httpx

from ippanel_edge._async import _io
from ippanel_edge.wire import inspection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

MAX_CONNECTIONS: Final = 100
"""The maximum of open connections: not more than the shortest accept backlog of common servers.

So opening all of them at once overflows no backlog, and no separate limit on opening connections is needed.
"""

KEEPALIVE_EXPIRY: Final = 2.0
"""Seconds for which an idle connection is kept.

Servers close idle connections too. If a server closes one just as it is reused, the request is lost and its outcome is
unknown. So this time must be shorter than the server's; common servers wait for 5 seconds or more.
"""

_Origin: TypeAlias = tuple[str, str, int | None]


_Trace: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[None]]


class _Network(Protocol):
    """The interface of httpcore's network stream."""

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        """Return a property of the socket."""

    async def aclose(self) -> None:
        """Close the socket; it may be closed already."""


@attrs.define(eq=False)
class _Connection:
    """A transport with one connection, and the time at which that expires."""

    origin: _Origin
    transport: httpx.AsyncHTTPTransport
    expires: float = 0.0
    opened: _Network | None = None

    async def exchange(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its response; keep a reference to the socket opened for it.

        httpcore drops a socket without closing it if it is cancelled during or just after the TLS handshake.
        """
        trace: _Trace | None = request.extensions.get("trace")

        async def note(event: str, info: Mapping[str, Any]) -> None:
            if event.endswith(("connect_tcp.complete", "start_tls.complete")):
                self.opened = info.get("return_value")
            if trace is not None:
                await trace(event, info)

        request.extensions["trace"] = note
        try:
            return await self.transport.handle_async_request(request)
        finally:
            request.extensions.pop("trace")
            if trace is not None:
                request.extensions["trace"] = trace

    async def aclose(self) -> None:
        """Close the transport and the socket, and interrupt a request in progress."""
        if self.opened is not None:
            _io.interrupt(self.opened)
        await self.transport.aclose()
        if self.opened is not None:
            await self.opened.aclose()


class _Connections:
    """The busy and the idle connections, the most recently used last. It decides; the caller closes connections."""

    def __init__(self, total: int, keep: int) -> None:
        self.slots = _io.Slots(total)
        self._total = total
        self._keep = keep
        self._guard = _io.Guard()
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()
        self.is_closed = False

    def take(self, origin: _Origin, now: float) -> tuple[_Connection | None, list[_Connection]]:
        """Return the most recently used connection to `origin`, if any, and those to close: expired or surplus ones."""
        with self._guard:
            fresh = next((at for at, each in enumerate(self._idle) if each.expires > now), len(self._idle))
            stale, self._idle[:fresh] = self._idle[:fresh], []
            for at in reversed(range(len(self._idle))):
                if self._idle[at].origin == origin:
                    connection = self._idle.pop(at)
                    self._busy.add(connection)
                    return connection, stale
            if self._idle and len(self._idle) + len(self._busy) >= self._total:
                stale.append(self._idle.pop(0))
            return None, stale

    def add(self, connection: _Connection) -> None:
        """Add a new connection as busy."""
        with self._guard:
            self._busy.add(connection)

    def remove(self, connection: _Connection) -> None:
        """Remove a busy connection."""
        with self._guard:
            self._busy.discard(connection)

    def give_back(self, connection: _Connection) -> list[_Connection]:
        """Make a connection idle. Return those to close: the oldest surplus ones, unless a request is waiting."""
        with self._guard:
            self._busy.discard(connection)
            self._idle.append(connection)
            surplus = 0 if self.slots.has_waiters else max(len(self._idle) - self._keep, 0)
            stale, self._idle[:surplus] = self._idle[:surplus], []
            return stale

    def close(self) -> list[_Connection]:
        """Remove all connections and return them; wake the waiting requests, which then fail."""
        with self._guard:
            self.is_closed = True
            connections = [*self._idle, *self._busy]
            self._idle.clear()
            self._busy.clear()
        if self.slots.has_waiters:
            self.slots.release()  # each waiter that wakes releases the next one
        return connections


class AsyncPoolTransport(httpx.AsyncBaseTransport):
    """An httpx transport for concurrent requests over HTTP/1.1.

    A request waits for a free connection until its pool timeout, first come, first served. A connection is reused only
    if no bytes follow its last response: if a server responds twice, its second response would otherwise be taken as
    the response to the next request. Each event loop and each process has its own connections, up to the maximum, and
    they are closed when the loop ends.

    It cannot detect a second response that arrives while the next request is being sent, nor, over TLS, one that is
    split after a first response of more than 64 kilobytes.

    Args:
        verify: the TLS context, or whether certificates are verified.
        proxy: the proxy of all requests, as a URL or an httpx.Proxy. Proxy settings of the environment are not used.
        max_connections: the maximum of concurrent requests and of open connections.
        max_keepalive_connections: the maximum of idle connections; defaults to max_connections.
        keepalive_expiry: seconds for which an idle connection is kept.
    """

    def __init__(
        self,
        *,
        verify: ssl.SSLContext | bool = True,
        proxy: httpx.Proxy | str | None = None,
        max_connections: int = MAX_CONNECTIONS,
        max_keepalive_connections: int | None = None,
        keepalive_expiry: float = KEEPALIVE_EXPIRY,
    ) -> None:
        context = verify if isinstance(verify, ssl.SSLContext) else httpx.create_ssl_context(verify, trust_env=False)
        self._verify = context  # shared by all transports: creating one takes longer than a request
        self._proxy = httpx.Proxy(proxy) if isinstance(proxy, str) else proxy
        self._expiry = keepalive_expiry
        keep = max_connections if max_keepalive_connections is None else max_keepalive_connections
        self._connections = _io.Local(lambda: _Connections(max_connections, keep), _close_all)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over a free or a new connection. Return the response; its body is not read yet.

        Args:
            request: the `pool` value of its timeout extension limits the wait for a free connection, in seconds.

        Raises:
            httpx.PoolTimeout: no connection became free in that time; nothing was sent.
            httpx.TransportError: as httpx's own transport raises it.
        """
        connections = self._connections.get()
        try:
            await connections.slots.acquire(request.extensions.get("timeout", {}).get("pool"))
        except _io.SlotTimeout:
            raise httpx.PoolTimeout("no pool connection became free in time", request=request) from None
        if connections.is_closed:
            connections.slots.release()
            raise httpx.ConnectError("the connection pool was closed", request=request)
        connection: _Connection | None = None
        try:
            connection, stale = self._take(connections, request.url)
            await _close(stale)
            response = await connection.exchange(request)
        except BaseException:
            await self._drop(connections, connection)
            raise
        network: _Network | None = response.extensions.get("network_stream")

        async def give_back() -> None:
            await self._give_back(connections, connection, network)

        stream = _Stream(cast("httpx.AsyncByteStream", response.stream), give_back)
        response.stream = stream
        if response.is_closed:  # a mock's response has its body already; the stream is neither read nor closed later
            await stream.aclose()
        return response

    async def aclose(self) -> None:
        """Close all connections. A request in progress fails as if its connection had broken."""
        await self._connections.aclose()

    def _take(self, connections: _Connections, url: httpx.URL) -> tuple[_Connection, list[_Connection]]:
        origin = (url.scheme, url.host, url.port)
        connection, stale = connections.take(origin, _io.monotonic())
        if connection is None:
            connection = _Connection(origin, _io.make_transport(self._verify, self._proxy, self._expiry))
            connections.add(connection)
        return connection, stale

    async def _give_back(self, connections: _Connections, connection: _Connection, network: _Network | None) -> None:
        if not self._connections.owns(connections) or not self._reusable(connection, network):
            await self._drop(connections, connection)
            return
        connection.expires = _io.monotonic() + self._expiry
        try:
            await _close(connections.give_back(connection))
        finally:
            connections.slots.release()

    async def _drop(self, connections: _Connections, connection: _Connection | None) -> None:
        try:
            if connection is not None:
                connections.remove(connection)
                await _close([connection])
        finally:
            connections.slots.release()

    def _reusable(self, connection: _Connection, network: _Network | None) -> bool:
        # Over a proxy with TLS, the bytes that its TLS layer has read ahead cannot be inspected.
        proxied_by_tls = self._proxy is not None and self._proxy.url.scheme == "https"
        return not proxied_by_tls and inspection.is_clean(connection.transport, network)


class _Stream(httpx.AsyncByteStream):
    """A response body. Closing it releases the connection, also while the task is being cancelled."""

    def __init__(self, stream: httpx.AsyncByteStream, give_back: Callable[[], Awaitable[None]]) -> None:
        self._stream = stream
        self._give_back = give_back
        self._closed = False

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._stream)

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        with _io.shielded():
            try:
                await self._stream.aclose()
            finally:
                await self._give_back()


async def _close_all(connections: _Connections) -> None:
    await _close(connections.close())


async def _close(connections: Sequence[_Connection]) -> None:
    if not connections:  # the usual case: an unneeded cancel scope costs as much as the rest of this module
        return
    with _io.shielded():
        for connection in connections:
            with contextlib.suppress(Exception):  # the connection is discarded, whatever error its socket raises
                await connection.aclose()
