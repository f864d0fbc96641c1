# Generated from ippanel_edge/_async/pool.py by tests/codegen/generate_sync.py: edit that, not this.
"""The connection pool: one-connection httpx transports on a free list behind a limiter. It repeats nothing.

httpx's own pool scans all its connections whenever a request comes or goes: a burst of 1,000 requests gets lost in
it, and at 100 at once a request costs several times what it costs alone. Here a transport holds one connection, so
that scan is over one, and a request takes the connection that was used last.
"""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, cast

import attrs
import httpx

from ippanel_edge._sync import _io
from ippanel_edge.wire import inspection

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_CONNECTIONS: Final = 100
"""How many connections are open at once: no more than the shortest queue in which common servers let them wait.

So opening all of them at once overruns nobody, and a limit of its own on connections being opened gains nothing.
"""

KEEPALIVE_EXPIRY: Final = 2.0
"""Seconds for which an idle connection is kept.

A server drops idle connections too. Where it does so just as one is used again the request is lost, nobody repeats
it, and whether it arrived is not known. So ours has to be the shorter time; common servers wait for 5 seconds or more.
"""

_Origin: TypeAlias = tuple[str, str, int | None]


_Trace: TypeAlias = Callable[[str, Mapping[str, Any]], None]


class _Network(Protocol):
    """What httpcore shows of a connection's socket."""

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        """Return a property of the socket by its name."""

    def close(self) -> None:
        """Close the socket, which may be closed already."""


@attrs.define(eq=False)
class _Connection:
    """A transport that holds one connection, and when that has been idle for too long."""

    origin: _Origin
    transport: httpx.HTTPTransport
    expires: float = 0.0
    opened: _Network | None = None

    def exchange(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return its response, keeping hold of the socket opened for it.

        httpcore lets go of a socket, without closing it, where it is cancelled during the TLS handshake or just after.
        """
        trace: _Trace | None = request.extensions.get("trace")

        def note(event: str, info: Mapping[str, Any]) -> None:
            if event.endswith(("connect_tcp.complete", "start_tls.complete")):
                self.opened = info.get("return_value")
            if trace is not None:
                trace(event, info)

        request.extensions["trace"] = note
        try:
            return self.transport.handle_request(request)
        finally:
            request.extensions.pop("trace")
            if trace is not None:
                request.extensions["trace"] = trace

    def close(self) -> None:
        """Close what is open."""
        self.transport.close()
        if self.opened is not None:
            self.opened.close()


class _Connections:
    """Which connections are at work and which are idle, the latest used last. It decides; closing is the caller's."""

    def __init__(self, total: int, keep: int) -> None:
        self.slots = _io.Slots(total)
        self._total = total
        self._keep = keep
        self._guard = _io.Guard()
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()

    def take(self, origin: _Origin, now: float) -> tuple[_Connection | None, list[_Connection]]:
        """Take the connection to `origin` that was used last, if any, and those to close: too old, or one too many."""
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
        """Count a new connection as at work."""
        with self._guard:
            self._busy.add(connection)

    def remove(self, connection: _Connection) -> None:
        """Forget a connection that was at work."""
        with self._guard:
            self._busy.discard(connection)

    def give_back(self, connection: _Connection) -> list[_Connection]:
        """Make a connection idle. Returns those to close: the oldest beyond the number kept, unless someone waits."""
        with self._guard:
            self._busy.discard(connection)
            self._idle.append(connection)
            surplus = 0 if self.slots.has_waiters else max(len(self._idle) - self._keep, 0)
            stale, self._idle[:surplus] = self._idle[:surplus], []
            return stale

    def clear(self) -> list[_Connection]:
        """Forget all connections, at work or idle, and return them."""
        with self._guard:
            connections = [*self._idle, *self._busy]
            self._idle.clear()
            self._busy.clear()
            return connections


class PoolTransport(httpx.BaseTransport):
    """An httpx transport for many requests at once, over HTTP/1.1.

    A request waits for a free connection as long as its pool timeout says, first come, first served. A connection is
    used again only where its last reply left nothing behind: a server that answers twice would otherwise have its
    second answer taken for the reply to the next request. Connections belong to an event loop and a process;
    in another loop, or after a fork, the pool begins afresh.

    What cannot be seen is a second answer that comes while the next request is already on its way, and over TLS
    one cut in two behind a first of more than 64 kilobytes.

    Args:
        verify: the TLS context, or whether certificates are checked.
        proxy: the proxy for all requests: its URL, or an httpx.Proxy. The environment is not asked for one.
        max_connections: how many requests are under way at once, and how many connections are open.
        max_keepalive_connections: how many idle connections are kept; by default as many as may be open.
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
        self._verify = context  # shared by all transports: to make one takes longer than a request
        self._proxy = httpx.Proxy(proxy) if isinstance(proxy, str) else proxy
        self._expiry = keepalive_expiry
        keep = max_connections if max_keepalive_connections is None else max_keepalive_connections
        self._connections = _io.Local(lambda: _Connections(max_connections, keep))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over a free connection, or a new one, and return the response, its body still to be read.

        Args:
            request: its timeout extension's `pool` says for how many seconds to wait for a free connection.

        Raises:
            httpx.PoolTimeout: no connection came free in that time: nothing was sent.
            httpx.TransportError: as httpx's own transport raises it.
        """
        connections = self._connections.get()
        try:
            connections.slots.acquire(request.extensions.get("timeout", {}).get("pool"))
        except _io.SlotTimeout:
            raise httpx.PoolTimeout("no connection of the pool came free in time", request=request) from None
        connection: _Connection | None = None
        try:
            connection, stale = self._take(connections, request.url)
            _close(stale)
            response = connection.exchange(request)
        except BaseException:
            self._drop(connections, connection)
            raise
        network: _Network | None = response.extensions.get("network_stream")

        def give_back() -> None:
            self._give_back(connections, connection, network)

        stream = _Stream(cast("httpx.SyncByteStream", response.stream), give_back)
        response.stream = stream
        if response.is_closed:  # its body came with it, from a mock: nobody will read or close the stream
            stream.close()
        return response

    def close(self) -> None:
        """Close all connections. A request under way fails as if the connection had broken."""
        connections = self._connections.get()
        self._connections.drop()
        _close(connections.clear())

    def _take(self, connections: _Connections, url: httpx.URL) -> tuple[_Connection, list[_Connection]]:
        origin = (url.scheme, url.host, url.port)
        connection, stale = connections.take(origin, _io.monotonic())
        if connection is None:
            connection = _Connection(origin, _io.make_transport(self._verify, self._proxy, self._expiry))
            connections.add(connection)
        return connection, stale

    def _give_back(self, connections: _Connections, connection: _Connection, network: _Network | None) -> None:
        if not self._connections.owns(connections) or not self._reusable(connection, network):
            self._drop(connections, connection)
            return
        connection.expires = _io.monotonic() + self._expiry
        try:
            _close(connections.give_back(connection))
        finally:
            connections.slots.release()

    def _drop(self, connections: _Connections, connection: _Connection | None) -> None:
        try:
            if connection is not None:
                connections.remove(connection)
                _close([connection])
        finally:
            connections.slots.release()

    def _reusable(self, connection: _Connection, network: _Network | None) -> bool:
        # Over a proxy that itself speaks TLS, what its layer has read ahead cannot be seen from here.
        proxied_by_tls = self._proxy is not None and self._proxy.url.scheme == "https"
        return not proxied_by_tls and inspection.is_clean(connection.transport, network)


class _Stream(httpx.SyncByteStream):
    """A reply's body, whose closing gives the connection back, also while its task is being cancelled."""

    def __init__(self, stream: httpx.SyncByteStream, give_back: Callable[[], None]) -> None:
        self._stream = stream
        self._give_back = give_back
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        with _io.shielded():
            try:
                self._stream.close()
            finally:
                self._give_back()


def _close(connections: Sequence[_Connection]) -> None:
    if not connections:  # most of the time: a cancel scope for nothing costs as much as the rest of this module
        return
    with _io.shielded():
        for connection in connections:
            with contextlib.suppress(Exception):  # it is out of use, whatever its socket says to that
                connection.close()
