# Generated from ippanel_edge/_async/fast.py by tests/codegen/generate_sync.py: edit that, not this.
"""The fast transport: connections of our own over HTTP/1.1, without httpx, httpcore and h11 in between."""

from __future__ import annotations

import ssl

import httpx

from ippanel_edge._sync import _io
from ippanel_edge._sync._grace import Grace
from ippanel_edge._sync._socket import Connection
from ippanel_edge._sync.connections import KEEPALIVE_EXPIRY, MAX_CONNECTIONS, Connections, Origin, Pool
from ippanel_edge._sync.pool import PoolTransport
from ippanel_edge.config import MAX_ANSWER_BYTES
from ippanel_edge.errors import ConfigurationError
from ippanel_edge.wire import inspection
from ippanel_edge.wire.reply import RawAnswer
from ippanel_edge.wire.route import Route
from ippanel_edge.wire.tls import tls_context


class FastTransport(httpx.BaseTransport):
    """An httpx transport for concurrent requests over HTTP/1.1 that reads each response as a whole.

    It behaves as `PoolTransport`, which takes its place on trio, and while httpx or httpcore is patched: a mocked
    test must not reach the network.

    Args:
        verify: the TLS context, or whether certificates are verified.
        proxy: the HTTP proxy of all requests, which must not use TLS itself.
        max_connections: the maximum of concurrent requests and of open connections.
        max_keepalive_connections: the maximum of idle connections; defaults to max_connections.
        keepalive_expiry: seconds for which an idle connection is kept.

    Raises:
        ConfigurationError: the proxy uses TLS or SOCKS.
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
        context = tls_context(verify)
        via = httpx.Proxy(proxy) if isinstance(proxy, str) else proxy
        if via is not None and via.url.scheme != "http":
            problem = (
                f"the fast transport supports http:// proxies only, not {via.url.scheme}://; use transport='httpx'"
            )
            raise ConfigurationError(problem, argument="proxy")

        def connect(origin: Origin) -> Connection:
            return Connection(origin, Route(*origin, context=context, proxy=via))

        self.pool = Pool(connect, max_connections, max_keepalive_connections, keepalive_expiry)
        self._default = PoolTransport(
            verify=context,
            proxy=via,
            max_connections=max_connections,
            max_keepalive_connections=max_keepalive_connections,
            keepalive_expiry=keepalive_expiry,
        )

    def direct(self) -> FastTransport | PoolTransport | None:
        """Return the transport to use here, or None if httpx is patched, as by a mock."""
        if inspection.is_patched():
            return None
        return self if _io.on_asyncio() else self._default

    def exchange(
        self, lease: Connections[Connection], request: httpx.Request, grace: Grace[RawAnswer] | None, limit: int
    ) -> RawAnswer:
        """Send a request over a leased connection and read its response.

        Args:
            lease: a slot of `pool`, which the caller releases.
            request: its `trace` extension receives the events before its headers leave.
            grace: the time that the request has to finish after a cancellation; None for none.
            limit: the maximum size of the response in bytes.
        """
        connection = self.pool.take(lease, request.url)
        try:
            answer = connection.exchange(request, grace, limit)
        except BaseException:
            self._give_back(lease, connection, grace, None)
            raise
        self._give_back(lease, connection, grace, answer)
        return answer

    def _give_back(
        self,
        lease: Connections[Connection],
        connection: Connection,
        grace: Grace[RawAnswer] | None,
        answer: RawAnswer | None,
    ) -> None:
        """Give a connection back. If that is interrupted, record the response, which the caller does not receive."""
        try:
            self.pool.give_back(lease, connection, reusable=answer is not None and connection.is_reusable)
        except BaseException:
            if grace is not None and grace.began():
                grace.abandoned(answer)
            raise

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over a free or a new connection. Return the response; its body was read already.

        The values of equal header names are joined.

        Args:
            request: the `pool` value of its timeout extension limits the wait for a free connection, in seconds.

        Raises:
            httpx.PoolTimeout: no connection became free in that time; nothing was sent.
            httpx.TransportError: as httpx's own transport raises it.
            DecodeError: the response is larger than 32 MB.
        """
        direct = self.direct()
        if direct is not self:
            return self._default.handle_request(request)
        lease = self.pool.lease(request.extensions.get("timeout", {}).get("pool"))
        try:
            answer = self.exchange(lease, request, None, MAX_ANSWER_BYTES)
        finally:
            lease.slots.release()
        return httpx.Response(
            answer.status_code, headers=dict(answer.headers), stream=httpx.ByteStream(answer.content), request=request
        )

    def close(self) -> None:
        """Close all connections. A request in progress fails as if its connection had broken."""
        self.pool.close()
        self._default.close()
