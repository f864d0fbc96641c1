"""A connection of the fast transport on asyncio: HTTP/1.1 over a socket. `_sync/_socket.py` has the same names.

These two files are written by hand. An exchange belongs to the connection, not to the task that waits for it: so a send
that is cancelled can finish without a task of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any, Final, cast

import anyio
import httpx

from ippanel_edge._async import _io
from ippanel_edge._async._dial import connected, prepare
from ippanel_edge._async._grace import Grace, finish
from ippanel_edge.wire.http1 import MAX_HEAD_BYTES, Framing, Parser
from ippanel_edge.wire.reply import RawAnswer
from ippanel_edge.wire.request import whole_content
from ippanel_edge.wire.route import NOTHING_LEFT, Route, named

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
        self._is_closed = False
        self._opening: asyncio.Timeout | None = None  # while a task is connecting
        self._is_exact = False  # whether a write that closes the transport at once proves that nothing left
        self._poll: Any = None
        self._parser: Parser | None = None  # of the exchange in progress
        self._result: RawAnswer | Exception | None = None  # of the exchange, until it is taken
        self._waiter: asyncio.Future[None] | None = None  # of the task that waits for it, or to write
        self._has_more = False  # whether bytes followed the last response
        self._is_paused = False  # whether the write buffer is not empty
        self._is_sending = False  # whether content remains to be written
        self._timer: asyncio.TimerHandle | None = None
        self._timeouts: Mapping[str, float | None] = {}
        self._heard = 0.0  # the time of the last progress
        self._pending: int = 0  # bytes in the write buffer at that time

    @property
    def is_lost(self) -> bool:
        """Whether it must not be used again: the server closed it while it was idle, or sent something."""
        if not self._is_open:
            return False
        return self._transport.is_closing() or (self._poll is not None and bool(self._poll.poll(0)))

    async def exchange(self, request: httpx.Request, grace: Grace[RawAnswer] | None, limit: int) -> RawAnswer:
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
        content = whole_content(request)
        if content is not None:
            await self._start(request, content, limit, trace)
            return await self._outcome(grace)
        if grace is None:
            return await self._upload(request, limit, trace)
        return await finish(lambda: self._upload(request, limit, trace), grace)

    async def aclose(self) -> None:
        """Close the connection, and interrupt an exchange in progress."""
        self._is_closed = True
        if self._is_open:
            self._fail(httpx.ReadError("the connection was closed"))
            await asyncio.sleep(0)  # asyncio closes the socket in its next iteration
        elif self._opening is not None:
            self._opening.reschedule(self._loop.time())

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
        if self._is_closed:
            raise httpx.ConnectError("the connection was closed")
        self._opening = asyncio.timeout(connect)
        try:
            async with self._opening:
                sock = await connected(*route.address)
                direct: dict[str, Any] = {} if route.is_tunnel or not route.is_tls else {"ssl": route.context, **tls}
                await self._loop.create_connection(lambda: self, sock=sock, **direct)
            if route.is_tunnel:
                await self._open_tunnel(tls, connect)
        except TimeoutError:
            if self._is_closed:
                raise httpx.ConnectError("the connection was closed") from None
            raise httpx.ConnectTimeout("the connection was not opened in time") from None
        except (OSError, UnicodeError) as error:  # a TLS error is an OSError
            raise httpx.ConnectError(str(error)) from error
        finally:
            self._opening = None
        await _tell(trace, "connection.connect_tcp.complete")

    async def _open_tunnel(self, tls: dict[str, Any], connect: float | None) -> None:
        """Open a tunnel through the proxy. Nothing of the request has left if this fails."""
        self._expect("CONNECT", MAX_HEAD_BYTES)
        self._write(self._route.connect_request())
        try:
            reply = await self._outcome(None)
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
        self._poll = prepare(self._transport)
        self._is_exact = not self._route.is_tls and isinstance(self._loop, asyncio.SelectorEventLoop)

    # Sending.

    async def _start(
        self,
        request: httpx.Request,
        content: bytes,
        limit: int,
        trace: Any,  # noqa: ANN401 - as above
    ) -> None:
        """Write the headers and the content of a request, as far as it is known."""
        data = self._route.head(request) + content
        await _check_cancelled()  # the last moment at which nothing has left
        if trace is not None:
            await trace("http11.send_request_headers.started", {"request": named(request.method)})
        if not self._transport.is_closing():
            self._expect(request.method, limit)
            self._write(data)
            if not self._is_exact or not self._transport.is_closing():
                return
            self._end()  # the system rejected the first write as a whole
        await _tell(trace, NOTHING_LEFT)
        raise httpx.WriteError("the connection was lost before anything was sent")

    async def _upload(self, request: httpx.Request, limit: int, trace: Any) -> RawAnswer:  # noqa: ANN401 - as above
        """Send a request whose content is a stream, as fast as the server reads it."""
        framing = Framing.of(request.headers)
        await self._start(request, b"", limit, trace)
        self._is_sending = True
        try:
            async for part in cast("AsyncIterator[bytes]", request.stream):
                self._write(framing.part(part))
                self._is_sending = not framing.is_complete
                while self._is_paused and self._result is None:
                    await self._wait()
                if self._result is not None:  # a response before the end of the request, or an error
                    break
            else:
                self._write(framing.end())
                self._is_sending = False
        except BaseException:
            self._abandon()
            raise
        return await self._outcome(None)

    def _expect(self, method: str, limit: int) -> None:
        self.is_reusable = False
        self._parser = Parser(method, limit)
        self._result = None

    def _write(self, data: bytes) -> None:
        if data:
            self._transport.write(data)
        self._heard = self._loop.time()
        self._set_timer()

    def pause_writing(self) -> None:
        """Record that the write buffer is not empty. Called by asyncio."""
        self._is_paused = True
        pending: int = self._transport.get_write_buffer_size()
        self._pending = pending

    def resume_writing(self) -> None:
        """Record that the system accepted all bytes. Called by asyncio."""
        self._is_paused = False
        self._heard = self._loop.time()
        self._set_timer()
        self._wake()

    # Waiting for the end of an exchange.

    async def _outcome(self, grace: Grace[RawAnswer] | None) -> RawAnswer:
        """Wait for the end of the exchange. A cancellation does not end it until its grace time is over."""
        try:
            while self._result is None:
                await self._wait()
        except asyncio.CancelledError:
            if grace is not None and grace.began():
                await self._finish(grace.left())
            if self._result is None:
                self._abandon()
            if grace is not None and grace.began():
                grace.abandoned(self._result if isinstance(self._result, RawAnswer) else None)
            raise
        result, self._result = self._result, None
        if isinstance(result, Exception):
            raise result
        return result

    async def _finish(self, limit: float) -> None:
        """Wait for the end of the exchange, for at most `limit` seconds, whatever is cancelled meanwhile."""
        ends = self._loop.time() + limit
        timer = self._loop.call_at(ends, self._wake)
        with anyio.CancelScope(shield=True):
            while self._result is None and self._loop.time() < ends:
                with suppress(asyncio.CancelledError):  # asyncio's own: the first one is raised at the end
                    await self._wait()
        timer.cancel()

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # Receiving.

    def data_received(self, data: bytes) -> None:
        """Parse received bytes. Called by asyncio."""
        parser = self._parser
        if parser is None:  # bytes that no request asked for
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
                self._complete(parser)

    def eof_received(self) -> None:
        """Complete a response that ends with the connection. Called by asyncio."""
        self._lose(None)
        self._transport.abort()  # without waiting until its buffer is written

    def connection_lost(self, exc: Exception | None) -> None:
        """End the exchange in progress. Called by asyncio."""
        self._lose(exc)
        self._end()

    def _lose(self, error: Exception | None) -> None:
        parser = self._parser
        self.is_reusable = False
        if parser is None:
            return
        try:
            if error is not None:
                raise _lost(error)
            parser.end()
        except httpx.TransportError as problem:
            self._fail(problem)
        else:
            self._complete(parser)

    def _complete(self, parser: Parser) -> None:
        is_sent = not self._is_sending and not self._is_paused
        self._has_more = parser.has_more
        self.is_reusable = parser.keeps_alive and not parser.has_more and is_sent
        self._parser = None  # its timer is kept: the next exchange needs one
        self._result = parser.answer
        self._wake()

    def _fail(self, error: Exception) -> None:
        if self._parser is not None:
            self._result = error
        self._abandon()
        self._wake()

    def _abandon(self) -> None:
        """End the exchange, and close its connection, which cannot be used again."""
        self._end()
        self._transport.abort()

    def _end(self) -> None:
        self._parser = None
        self.is_reusable = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # Timeouts of a step: a write while the buffer is not empty, otherwise a read.

    def _set_timer(self) -> None:
        """Set the timer, unless it is set to an earlier time: then it is set again as it fires."""
        seconds = self._timeouts.get("write" if self._is_paused else "read")
        if seconds is None:
            return
        due, timer = self._heard + seconds, self._timer
        if timer is not None:
            if timer.when() <= due:
                return
            timer.cancel()
        self._timer = self._loop.call_at(due, self._check_progress)

    def _check_progress(self) -> None:
        self._timer = None
        if self._parser is None:
            return
        if self._is_paused:
            pending: int = self._transport.get_write_buffer_size()
            if pending != self._pending:
                self._pending, self._heard = pending, self._loop.time()
        elif self._is_sending:  # the content is being read from its file
            self._heard = self._loop.time()
        seconds = self._timeouts.get("write" if self._is_paused else "read")
        if seconds is None or self._loop.time() < self._heard + seconds:
            self._set_timer()
        elif self._is_paused:
            self._fail(httpx.WriteTimeout("the server does not read the request"))
        else:
            self._fail(httpx.ReadTimeout("the server does not respond"))


async def _check_cancelled() -> None:
    """Raise a cancellation that was requested already: of the task, or of a cancel scope."""
    if getattr(asyncio.current_task(), "_must_cancel", False):  # of asyncio; anyio reads it too
        await asyncio.sleep(0)
    await _io.check_cancelled()


async def _tell(trace: Any, event: str) -> None:  # noqa: ANN401 - httpx's extension
    if trace is not None:
        await trace(event, {})


def _lost(error: Exception) -> httpx.TransportError:
    kind = httpx.WriteError if isinstance(error, BrokenPipeError) else httpx.ReadError
    failure = kind(type(error).__name__)
    failure.__cause__ = error
    return failure
