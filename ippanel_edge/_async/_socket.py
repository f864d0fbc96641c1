"""A connection of the fast transport on asyncio: HTTP/1.1 over a socket. `_sync/_socket.py` has the same names.

These two files are written by hand. An exchange belongs to the connection, not to the task that waits for it: so a send
that is cancelled can finish without a task of its own.
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections import deque
from collections.abc import AsyncIterator, Mapping
from types import SimpleNamespace
from typing import Any, Final, cast

import httpx

from ippanel_edge._async import _io
from ippanel_edge.wire.http1 import MAX_HEAD_BYTES, Framing, Parser
from ippanel_edge.wire.reply import RawAnswer
from ippanel_edge.wire.request import Content
from ippanel_edge.wire.route import NOTHING_LEFT, Route

_NEXT_ADDRESS: Final = 0.25
"""Seconds after which the next address of a host is tried at the same time ("happy eyeballs")."""
_MIN_HANDSHAKE_TIMEOUT: Final = 60.0
"""asyncio's own timeout of the TLS handshake, in seconds. The connect timeout applies first, unless it is longer."""


class Connection(asyncio.Protocol):
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
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport  # once it is open
        self._is_open = False
        self._is_exact = False  # whether a write that closes the transport at once proves that nothing left
        self._poll: Any = None
        self._parser: Parser | None = None
        self._answer: asyncio.Future[RawAnswer] | None = None
        self._resumed: asyncio.Future[None] | None = None  # while the write buffer is not empty and a task waits
        self._has_more = False  # whether bytes followed the last response
        self._is_paused = False
        self._is_sending = False
        self._timer: asyncio.TimerHandle | None = None
        self._timeouts: Mapping[str, float | None] = {}
        self._heard = 0.0  # the time of the last progress
        self._pending = 0  # bytes in the write buffer at that time

    @property
    def is_lost(self) -> bool:
        """Whether it must not be used again: the server closed it while it was idle, or sent something."""
        if not self._is_open:
            return False
        return self._transport.is_closing() or (self._poll is not None and bool(self._poll.poll(0)))

    async def exchange(self, request: httpx.Request, grace: _io.Grace[RawAnswer] | None, limit: int) -> RawAnswer:
        """Send a request and read its response.

        Args:
            request: its extensions `timeout` and `trace` are observed. A trace receives the events of connecting and
                the one before the headers leave.
            grace: the time that it has to finish after a cancellation; None for none.
            limit: the maximum size of the response in bytes.

        Raises:
            httpx.TransportError: as httpx's own transport raises it.
            DecodeError: the response is too large.
        """
        self._timeouts = request.extensions.get("timeout", {})
        trace = request.extensions.get("trace")
        if not self._is_open:
            await self._open(trace)
        if isinstance(request.stream, Content | httpx.ByteStream):
            answer = await self._start(request, request.content, limit, trace)
            return await self._settled(answer, grace)
        if grace is None:
            return await self._upload(request, limit, trace)
        return await _io.finish(lambda: self._upload(request, limit, trace), grace)

    async def aclose(self) -> None:
        """Close the connection, and interrupt an exchange in progress."""
        if self._is_open:
            self._fail(httpx.ReadError("the connection was closed"))
            await asyncio.sleep(0)  # asyncio closes the socket in its next iteration

    # Connecting.

    async def _open(self, trace: Any) -> None:  # noqa: ANN401 - httpx's extension
        route, connect = self._route, self._timeouts.get("connect")
        tls: dict[str, Any] = {}
        if route.is_tls:
            tls = {
                "server_hostname": route.host,
                "ssl_handshake_timeout": max(connect or _MIN_HANDSHAKE_TIMEOUT, _MIN_HANDSHAKE_TIMEOUT),
            }
        await _tell(trace, "connection.connect_tcp.started")
        try:
            async with asyncio.timeout(connect):
                sock = await _connected(self._loop, *route.address)
                direct = {"ssl": route.context, **tls} if route.is_tls and not route.is_tunnel else {}
                await self._loop.create_connection(lambda: self, sock=sock, **direct)
            if route.is_tunnel:
                await self._open_tunnel(tls, connect)
        except TimeoutError:
            raise httpx.ConnectTimeout("the connection was not opened in time") from None
        except (OSError, UnicodeError) as error:  # a TLS error is an OSError
            raise httpx.ConnectError(str(error)) from error
        await _tell(trace, "connection.connect_tcp.complete")

    async def _open_tunnel(self, tls: dict[str, Any], connect: float | None) -> None:
        """Open a tunnel through the proxy. Nothing of the request has left if this fails."""
        answer = self._expect("CONNECT", MAX_HEAD_BYTES)
        self._write(self._route.connect_request())
        try:
            reply = await self._settled(answer, None)
        except httpx.RemoteProtocolError as error:
            raise httpx.ProxyError(f"the proxy did not open a tunnel: {error}") from error
        if not 200 <= reply.status_code < 300:  # noqa: PLR2004 - success
            raise httpx.ProxyError(f"the proxy refused to open a tunnel: HTTP {reply.status_code}")
        if self._has_more:
            raise httpx.ProxyError("the proxy sent more than the response to CONNECT")
        async with asyncio.timeout(connect):
            secured = await self._loop.start_tls(self._transport, self, self._route.context, **tls)
        if secured is None:
            raise ConnectionResetError("the proxy closed the connection")
        self.connection_made(secured)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport. Called by asyncio."""
        self._transport = cast("asyncio.Transport", transport)
        self._is_open = True
        # So that `_is_paused` tells whether all bytes left. With a high of 0, asyncio's TLS would pause at 0 bytes.
        self._transport.set_write_buffer_limits(high=1, low=0)
        self._is_exact = not self._route.is_tls and isinstance(self._loop, asyncio.SelectorEventLoop)
        sock: socket.socket | None = transport.get_extra_info("socket")
        if sock is not None and hasattr(select, "poll"):  # Windows has none: there, only asyncio tells of an end
            self._poll = select.poll()
            self._poll.register(sock.fileno(), select.POLLIN)

    # Sending.

    async def _start(
        self,
        request: httpx.Request,
        content: bytes,
        limit: int,
        trace: Any,  # noqa: ANN401 - as above
    ) -> asyncio.Future[RawAnswer]:
        """Write the headers and the content of a request, as far as it is known."""
        data = self._route.head(request) + content
        if trace is not None:
            await trace("http11.send_request_headers.started", {"request": _Named(request.method)})
        if self._transport.is_closing():
            await _tell(trace, NOTHING_LEFT)
            raise httpx.WriteError("the connection was lost before anything was sent")
        answer = self._expect(request.method, limit)
        self._write(data)
        if self._is_exact and self._transport.is_closing():  # the system rejected the first write as a whole
            answer.cancel()
            await _tell(trace, NOTHING_LEFT)
            raise httpx.WriteError("the connection was lost before anything was sent")
        return answer

    async def _upload(self, request: httpx.Request, limit: int, trace: Any) -> RawAnswer:  # noqa: ANN401 - as above
        """Send a request whose content is a stream, as fast as the server reads it."""
        framing = Framing.of(request.headers)
        answer = await self._start(request, b"", limit, trace)
        self._is_sending = True
        try:
            async for part in cast("AsyncIterator[bytes]", request.stream):
                if answer.done():  # a response before the end of the request, or an error
                    return await answer
                self._write(framing.part(part))
                await self._wait_until_written(answer)
            self._write(framing.end())
            self._is_sending = False
            return await answer
        finally:
            if not answer.done():
                self._abandon(answer)

    def _expect(self, method: str, limit: int) -> asyncio.Future[RawAnswer]:
        self.is_reusable = False
        self._parser = Parser(method, limit)
        self._answer = self._loop.create_future()
        return self._answer

    def _write(self, data: bytes) -> None:
        if data:
            self._transport.write(data)
        self._heard = self._loop.time()
        if self._timer is None:
            self._set_timer()

    async def _wait_until_written(self, answer: asyncio.Future[RawAnswer]) -> None:
        if not self._is_paused or answer.done():
            return
        self._resumed = self._loop.create_future()
        try:
            await self._resumed
        finally:
            self._resumed = None

    def pause_writing(self) -> None:
        """Record that the write buffer is not empty. Called by asyncio."""
        self._is_paused = True
        self._pending = self._transport.get_write_buffer_size()

    def resume_writing(self) -> None:
        """Record that the system accepted all bytes. Called by asyncio."""
        self._is_paused = False
        self._heard = self._loop.time()
        self._wake()

    def _wake(self) -> None:
        if self._resumed is not None and not self._resumed.done():
            self._resumed.set_result(None)

    # Receiving.

    async def _settled(self, answer: asyncio.Future[RawAnswer], grace: _io.Grace[RawAnswer] | None) -> RawAnswer:
        if grace is not None:
            return await _io.settled(answer, grace, lambda: self._abandon(answer))
        try:
            return await answer
        finally:
            if not answer.done() or answer.cancelled():
                self._abandon(answer)

    def _abandon(self, answer: asyncio.Future[RawAnswer]) -> None:
        """End an exchange without a response. Its connection cannot be used again."""
        answer.cancel()
        self._end()
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Parse received bytes. Called by asyncio."""
        parser, answer = self._parser, self._answer
        if parser is None or answer is None or answer.done():  # bytes that no request asked for
            self.is_reusable = False
            self._transport.abort()
            return
        self._heard = self._loop.time()
        try:
            is_complete = parser.feed(data)
        except Exception as error:  # noqa: BLE001 - the waiting task receives it
            self._fail(error)
        else:
            if is_complete:
                self._complete(parser, answer)

    def eof_received(self) -> None:
        """Complete a response that ends with the connection. Called by asyncio."""
        self._lose(None)
        self._transport.abort()  # without waiting until its buffer is written

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange in progress. Called by asyncio."""
        self._lose(exc)
        self._end()
        self._wake()

    def _lose(self, error: Exception | None) -> None:
        parser, answer = self._parser, self._answer
        self.is_reusable = False
        if parser is None or answer is None or answer.done():
            return
        try:
            if error is not None:
                raise _lost(error)
            parser.end()
        except httpx.TransportError as problem:
            self._fail(problem)
        else:
            self._complete(parser, answer)

    def _complete(self, parser: Parser, answer: asyncio.Future[RawAnswer]) -> None:
        is_sent = not self._is_sending and not self._is_paused
        self._has_more = parser.has_more
        self.is_reusable = parser.keeps_alive and not parser.has_more and is_sent
        self._end()
        answer.set_result(parser.answer)
        self._wake()

    def _fail(self, error: Exception) -> None:
        answer = self._answer
        self._end()
        if answer is not None and not answer.done():
            answer.set_exception(error)
        self._transport.abort()
        self._wake()

    def _end(self) -> None:
        self._parser = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Timeouts of a step: a write while the buffer is not empty, otherwise a read.

    def _set_timer(self) -> None:
        seconds = self._timeouts.get("write" if self._is_paused else "read")
        if seconds is not None:
            self._timer = self._loop.call_at(self._heard + seconds, self._check_progress)

    def _check_progress(self) -> None:
        self._timer = None
        if self._is_paused:
            pending = self._transport.get_write_buffer_size()
            if pending != self._pending:
                self._pending, self._heard = pending, self._loop.time()
        elif self._is_sending:  # the content is being read from its file
            self._heard = self._loop.time()
        seconds = self._timeouts.get("write" if self._is_paused else "read")
        if seconds is None:
            return
        if self._loop.time() < self._heard + seconds:
            self._set_timer()
        elif self._is_paused:
            self._fail(httpx.WriteTimeout("the server does not read the request"))
        else:
            self._fail(httpx.ReadTimeout("the server does not respond"))


class _Named(SimpleNamespace):
    """A request as httpcore's trace events name it."""

    def __init__(self, method: str) -> None:
        super().__init__(method=method.encode())


async def _tell(trace: Any, event: str) -> None:  # noqa: ANN401 - httpx's extension
    if trace is not None:
        await trace(event, {})


def _lost(error: Exception) -> httpx.TransportError:
    kind = httpx.WriteError if isinstance(error, BrokenPipeError) else httpx.ReadError
    failure = kind(type(error).__name__)
    failure.__cause__ = error
    return failure


async def _connected(loop: asyncio.AbstractEventLoop, host: str, port: int) -> socket.socket:
    """Connect to the first address of a host that accepts; after a pause, the next one is tried at the same time.

    asyncio's own function for this may leave a socket open if it is cancelled, and uvloop's tries one after the other.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:  # a name
        addresses = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if len(addresses) == 1:
        return await _connected_to(loop, addresses[0])
    waiting, pending = deque(addresses), set[asyncio.Task[socket.socket]]()
    failure: BaseException = OSError("the host has no address")
    try:
        while waiting or pending:
            if waiting:
                pending.add(loop.create_task(_connected_to(loop, waiting.popleft())))
            pause = _NEXT_ADDRESS if waiting else None
            done, _ = await asyncio.wait(pending, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                pending.remove(each)
                error = each.exception()
                if error is None:
                    return each.result()
                failure = error
    finally:
        for each in pending:
            each.cancel()
            each.add_done_callback(_close_unused)
    raise failure


async def _connected_to(loop: asyncio.AbstractEventLoop, address: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol, _, place = address
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        await loop.sock_connect(sock, place)
    except BaseException:
        sock.close()
        raise
    return sock


def _close_unused(attempt: asyncio.Task[socket.socket]) -> None:
    """Close the socket of an attempt that succeeded after another one."""
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()
