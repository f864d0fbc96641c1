"""A connection of the fast transport on a blocking socket: HTTP/1.1. `_async/_socket.py` has the same names.

These two files are written by hand. Each operation of the socket observes its timeout and the deadline.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar, cast

import httpx

from ippanel_edge._sync import _io
from ippanel_edge._sync._grace import Grace, finish
from ippanel_edge.wire.http1 import MAX_HEAD_BYTES, Framing, Parser
from ippanel_edge.wire.reply import RawAnswer
from ippanel_edge.wire.request import whole_content
from ippanel_edge.wire.route import NOTHING_LEFT, Route, named

T = TypeVar("T")

_READ_BYTES: Final = 64 * 1024
"""Bytes that one read takes at most."""


class Connection:
    """One connection to an origin: it is opened by its first exchange, and serves one exchange after the other.

    Attributes:
        origin: scheme, host and port.
        expires: the time at which it is not used any more while it is idle.
        is_reusable: whether the last exchange ended so that another one may follow.
    """

    def __init__(self, origin: tuple[str, str, int | None], route: Route) -> None:
        self.origin = origin
        self.expires = 0.0
        self.is_reusable = False
        self._route = route
        self._socket: socket.socket | None = None
        self._is_closed = False
        self._timeouts: Mapping[str, float | None] = {}

    @property
    def is_lost(self) -> bool:
        """Whether it must not be used again: the server closed it while it was idle, or sent something."""
        return self._socket is not None and _is_readable(self._socket)

    def exchange(self, request: httpx.Request, grace: Grace[RawAnswer] | None, limit: int) -> RawAnswer:
        """Send a request and read its response.

        Args:
            request: its extensions `timeout` and `trace` are observed. A trace receives the events of connecting and
                the one before the headers leave.
            grace: receives None after KeyboardInterrupt.
            limit: the maximum size of the response in bytes.

        Raises:
            httpx.TransportError: as httpx's own transport raises it.
            DecodeError: the response is too large.
            DeadlinePassed: the deadline expired.
        """
        self._timeouts = request.extensions.get("timeout", {})
        if grace is None:
            return self._exchange(request, limit)
        return finish(lambda: self._exchange(request, limit), grace)

    def close(self) -> None:
        """Close the connection, and interrupt an exchange in progress in another thread."""
        self._is_closed = True
        if self._socket is None:
            return
        with suppress(OSError):  # it is not connected any more
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # of the TCP connection, also below TLS
        self._socket.close()

    def _exchange(self, request: httpx.Request, limit: int) -> RawAnswer:
        trace = request.extensions.get("trace")
        self.is_reusable = False
        sock = self._socket or self._open(trace)
        content = whole_content(request)
        framing = Framing.of(request.headers) if content is None else None
        data = self._route.head(request) + (content or b"")
        if trace is not None:
            trace("http11.send_request_headers.started", {"request": named(request.method)})
        is_sent = self._write_first(sock, data, trace) and (framing is None or self._upload(sock, request, framing))
        parser = Parser(request.method, limit)
        self._read(sock, parser)
        self.is_reusable = is_sent and parser.keeps_alive and not parser.has_more
        return parser.answer

    # Connecting.

    def _open(self, trace: Any) -> socket.socket:  # noqa: ANN401 - httpx's extension
        route, connect = self._route, self._timeouts.get("connect")
        _tell(trace, "connection.connect_tcp.started")
        self._socket = _connected(*route.address, connect)
        self._check_open()
        if route.is_tunnel:
            self._open_tunnel(self._socket)
        if route.is_tls:
            self._socket = self._secure(self._socket, connect)
        _tell(trace, "connection.connect_tcp.complete")
        return self._socket

    def _check_open(self) -> None:
        """Raise an error if another thread has closed the connection while it was being opened."""
        if self._is_closed:
            self.close()
            raise httpx.ConnectError("the connection was closed")

    def _open_tunnel(self, sock: socket.socket) -> None:
        """Open a tunnel through the proxy. Nothing of the request has left if this fails."""
        parser = Parser("CONNECT", MAX_HEAD_BYTES)
        try:
            self._write(sock, self._route.connect_request())
            self._read(sock, parser)
        except httpx.RemoteProtocolError as error:
            raise httpx.ProxyError(f"the proxy did not open a tunnel: {error}") from error
        if not 200 <= parser.status_code < 300:  # noqa: PLR2004 - success
            raise httpx.ProxyError(f"the proxy refused to open a tunnel: HTTP {parser.status_code}")
        if parser.has_more:
            raise httpx.ProxyError("the proxy sent more than the response to CONNECT")

    def _secure(self, sock: socket.socket, connect: float | None) -> ssl.SSLSocket:
        """Start TLS. The new socket is stored before its handshake, so that it can be closed meanwhile."""
        try:
            secured = self._route.context.wrap_socket(
                sock, server_hostname=self._route.host, do_handshake_on_connect=False
            )
            self._socket = secured
            self._check_open()
            _limited(secured, secured.do_handshake, connect, httpx.ConnectTimeout)
        except (OSError, ValueError) as error:  # a TLS error is an OSError; the host name may be invalid
            raise httpx.ConnectError(str(error)) from error
        return secured

    # Sending.

    def _write_first(self, sock: socket.socket, data: bytes, trace: Any) -> bool:  # noqa: ANN401 - as above
        """Write the headers, and report it if nothing of them left."""
        sent = [0]
        failure: BaseException
        try:
            return self._write(sock, data, sent)
        except (httpx.TransportError, _io.DeadlinePassed) as error:
            failure = error
        if not sent[0] and not self._route.is_tls:  # the system accepted no byte
            _tell(trace, NOTHING_LEFT)
        raise failure

    def _write(self, sock: socket.socket, data: bytes, sent: list[int] | None = None) -> bool:
        """Write bytes; count them in `sent`. Return False if the server stopped reading, and may have responded.

        Raises:
            httpx.WriteError: no byte left.
            httpx.WriteTimeout: the server does not read.
            DeadlinePassed: the deadline expired.
        """
        count = [0] if sent is None else sent
        seconds = self._timeouts.get("write")
        while count[0] < len(data):
            by_deadline = _set_limit(sock, seconds)
            try:
                count[0] += sock.send(memoryview(data)[count[0] :] if count[0] else data)
            except TimeoutError:
                if sent is None and not by_deadline and _is_readable(sock):
                    return False
                raise _expired(by_deadline, httpx.WriteTimeout) from None
            except OSError as error:
                if sent is not None and not count[0]:
                    raise httpx.WriteError(type(error).__name__) from error
                return False
        return True

    def _upload(self, sock: socket.socket, request: httpx.Request, framing: Framing) -> bool:
        """Write the content of a request. Return False if the server stopped reading, or has responded."""
        return all(
            self._write(sock, framing.part(part)) for part in cast("Iterator[bytes]", request.stream)
        ) and self._write(sock, framing.end())

    # Receiving.

    def _read(self, sock: socket.socket, parser: Parser) -> None:
        while not parser.is_complete:
            data = self._received(sock)
            if data:
                parser.feed(data)
            else:
                parser.end()

    def _received(self, sock: socket.socket) -> bytes:
        by_deadline = _set_limit(sock, self._timeouts.get("read"))
        try:
            return sock.recv(_READ_BYTES)
        except TimeoutError:
            raise _expired(by_deadline, httpx.ReadTimeout) from None
        except OSError as error:
            raise httpx.ReadError(type(error).__name__) from error


def _tell(trace: Any, event: str) -> None:  # noqa: ANN401 - httpx's extension
    if trace is not None:
        trace(event, {})


def _set_limit(sock: socket.socket, seconds: float | None) -> bool:
    """Limit the next operation of a socket. Return whether the deadline does, and not its timeout.

    Raises:
        DeadlinePassed: the deadline expired already.
    """
    left = _io.remaining()
    by_deadline = left is not None and (seconds is None or left <= seconds)
    if by_deadline and not left:
        raise _io.DeadlinePassed
    limit = left if by_deadline else seconds
    if sock.gettimeout() != limit:  # setting it is a system call
        sock.settimeout(limit)
    return by_deadline


def _expired(by_deadline: bool, timeout: type[httpx.TimeoutException]) -> Exception:  # noqa: FBT001 - of `_set_limit`
    """Return the error of an operation that took too long."""
    return _io.DeadlinePassed() if by_deadline else timeout("an operation of the socket took too long")


def _limited(
    sock: socket.socket, step: Callable[[], T], seconds: float | None, timeout: type[httpx.TimeoutException]
) -> T:
    """Run one operation of a socket within its timeout and the deadline.

    Raises:
        DeadlinePassed: the deadline expired.
        httpx.TimeoutException: of the class `timeout`: the timeout expired.
    """
    by_deadline = _set_limit(sock, seconds)
    try:
        return step()
    except TimeoutError:
        raise _expired(by_deadline, timeout) from None


def _connected(host: str, port: int, timeout: float | None) -> socket.socket:
    """Connect to the first address of a host that accepts. The system cannot interrupt a DNS look-up."""
    failure: Exception = OSError("the host has no address")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpx.ConnectError(str(error)) from error
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _limited(sock, lambda sock=sock, address=address: sock.connect(address), timeout, httpx.ConnectTimeout)  # type: ignore[misc]  # mypy cannot infer the type of the lambda
        except BaseException as error:
            sock.close()
            if not isinstance(error, OSError | httpx.ConnectTimeout):
                raise
            failure = error
        else:
            return sock
    if isinstance(failure, httpx.ConnectTimeout):
        raise failure
    raise httpx.ConnectError(str(failure)) from failure


def _is_readable(sock: socket.socket) -> bool:
    """Return whether a socket has bytes to read now, or was closed."""
    if sock.fileno() < 0 or (isinstance(sock, ssl.SSLSocket) and sock.pending()):
        return True
    if not hasattr(select, "poll"):  # Windows
        return bool(select.select([sock], [], [], 0)[0])
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
