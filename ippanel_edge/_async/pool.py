"""The default transport: httpx transports with one connection each, behind a pool of our own. No retries.

httpx's own pool scans all its connections when a request starts or ends: a burst of 1,000 requests times out in it, and
with 100 concurrent requests each costs several times as much as one alone. Here each transport has one connection, so
that a scan covers one, and a request takes the most recently used connection.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import attrs
import httpx

from ippanel_edge._async import _io
from ippanel_edge._async._grace import Grace, finish
from ippanel_edge._async.connections import KEEPALIVE_EXPIRY, MAX_CONNECTIONS, AsyncPool, Connections, Origin
from ippanel_edge._async.receiving import raw_answer
from ippanel_edge.wire import inspection
from ippanel_edge.wire.reply import RawAnswer
from ippanel_edge.wire.tls import tls_context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

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

    origin: Origin
    transport: httpx.AsyncHTTPTransport
    expires: float = 0.0
    opened: _Network | None = None
    is_closed: bool = False

    async def exchange(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its response; keep a reference to the socket opened for it.

        httpcore drops a socket without closing it if it is cancelled during or just after the TLS handshake.
        """
        trace: _Trace | None = request.extensions.get("trace")

        async def note(event: str, info: Mapping[str, Any]) -> None:
            if event.endswith(("connect_tcp.complete", "start_tls.complete")):
                self.opened = info.get("return_value")
                if self.is_closed:  # meanwhile: nothing was sent yet
                    raise httpx.ConnectError("the connection was closed")
            if event == "http11.send_request_headers.started":
                await _io.check_cancelled()  # the last moment at which nothing has left
            if trace is not None:
                await trace(event, info)

        request.extensions["trace"] = note
        try:
            return await self.transport.handle_async_request(request)
        finally:
            request.extensions.pop("trace")
            if trace is not None:
                request.extensions["trace"] = trace

    @property
    def is_lost(self) -> bool:
        """False: the transport opens its connection again if it was closed."""
        return False

    async def aclose(self) -> None:
        """Close the transport and the socket, and interrupt a request in progress."""
        self.is_closed = True
        if self.opened is not None:
            _io.interrupt(self.opened)
        await self.transport.aclose()
        if self.opened is not None:
            await self.opened.aclose()


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
        context = tls_context(verify)  # shared by all transports: creating one takes longer than a request
        self._proxy = httpx.Proxy(proxy) if isinstance(proxy, str) else proxy

        def connect(origin: Origin) -> _Connection:
            return _Connection(origin, _io.make_transport(context, self._proxy, keepalive_expiry))

        self.pool = AsyncPool(connect, max_connections, max_keepalive_connections, keepalive_expiry)

    def direct(self) -> AsyncPoolTransport | None:
        """Return the transport whose `exchange` replaces httpx's client, or None if httpx is patched, as by a mock."""
        return None if inspection.is_patched() else self

    async def exchange(
        self, lease: Connections[_Connection], request: httpx.Request, grace: Grace[RawAnswer] | None, limit: int
    ) -> RawAnswer:
        """Send a request over a leased connection and read its response.

        Args:
            lease: a slot of `pool`, which the caller releases.
            request: its `trace` extension receives httpcore's events.
            grace: the time that the request has to finish after a cancellation; None for none.
            limit: the maximum size of the response in bytes.
        """
        if grace is None:
            return await self._exchange(lease, request, limit)
        return await finish(lambda: self._exchange(lease, request, limit), grace)

    async def _exchange(self, lease: Connections[_Connection], request: httpx.Request, limit: int) -> RawAnswer:
        connection = await self.pool.take(lease, request.url)
        try:
            response = await connection.exchange(request)
            inspection.log_request(request, response)
            answer = await raw_answer(response, limit)
            await response.aclose()
        except BaseException:
            await self.pool.drop(lease, connection)
            raise
        network: _Network | None = response.extensions.get("network_stream")
        await self.pool.give_back(lease, connection, reusable=self._is_clean(connection, network))
        return answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over a free or a new connection. Return the response; its body is not read yet.

        Args:
            request: the `pool` value of its timeout extension limits the wait for a free connection, in seconds.

        Raises:
            httpx.PoolTimeout: no connection became free in that time; nothing was sent.
            httpx.TransportError: as httpx's own transport raises it.
        """
        lease = await self.pool.lease(request.extensions.get("timeout", {}).get("pool"))
        connection: _Connection | None = None
        try:
            connection = await self.pool.take(lease, request.url)
            response = await connection.exchange(request)
        except BaseException:
            try:
                if connection is not None:
                    await self.pool.drop(lease, connection)
            finally:
                lease.slots.release()
            raise
        network: _Network | None = response.extensions.get("network_stream")

        async def give_back() -> None:
            try:
                await self.pool.give_back(lease, connection, reusable=self._is_clean(connection, network))
            finally:
                lease.slots.release()

        stream = _Stream(cast("httpx.AsyncByteStream", response.stream), give_back)
        response.stream = stream
        if response.is_closed:  # a mock's response has its body already; the stream is neither read nor closed later
            await stream.aclose()
        return response

    async def aclose(self) -> None:
        """Close all connections. A request in progress fails as if its connection had broken."""
        await self.pool.aclose()

    def _is_clean(self, connection: _Connection, network: _Network | None) -> bool:
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
