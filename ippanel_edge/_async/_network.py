"""The network backend of httpcore on asyncio, in place of anyio's. Written by hand; the sync side has none.

A request takes a quarter less CPU time: anyio opens a cancel scope for each read and write, and httpcore writes the
headers and the body of a request separately, which are one write here.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any, Final, cast

import httpcore

from ippanel_edge._async._dial import connected, prepare

_MAX_BUFFER: Final = 256 * 1024
"""Bytes that are received in advance at most, about."""
_MAX_HELD: Final = 16 * 1024
"""Bytes of a first write that may wait for the second one."""
_ERRORS: Final = (OSError, UnicodeError)  # a TLS error is an OSError


class Backend(httpcore.AsyncNetworkBackend):
    """Opens connections on asyncio."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host. There is no local address and no socket option: this package sets none."""
        del local_address, socket_options
        stream = _Stream()
        try:
            async with asyncio.timeout(timeout):
                sock = await connected(host, port)
                await asyncio.get_running_loop().create_connection(lambda: stream, sock=sock)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except _ERRORS as error:
            raise httpcore.ConnectError(str(error)) from error
        return stream


class _Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """A connection, with TLS or without."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._is_tls = False
        self._poll: Any = None
        self._data = b""  # received, and not read yet
        self._is_at_end = False
        self._error: Exception | None = None
        self._held = b""  # to be written with the next bytes
        self._may_hold = True
        self._is_paused = False
        self._waiter: asyncio.Future[bool] | None = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's signature
        """Return received bytes, at most `max_bytes`; none at the end of the connection."""
        if self._held:
            await self._send(b"", timeout)
        self._may_hold = True
        while not self._data:
            if self._error is not None:
                raise httpcore.ReadError(str(self._error)) from self._error
            if self._is_at_end:
                return b""
            if not await self._wait(timeout):
                raise httpcore.ReadTimeout
        data, self._data = self._data[:max_bytes], self._data[max_bytes:]
        if not self._data and not self._transport.is_reading() and not self._transport.is_closing():
            self._transport.resume_reading()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - httpcore's signature
        """Write bytes. The first after a read wait for the next ones, or for the next read."""
        if self._may_hold and len(buffer) <= _MAX_HELD:
            self._may_hold, self._held = False, buffer
        else:
            await self._send(buffer, timeout)

    async def _send(self, buffer: bytes, timeout: float | None) -> None:  # noqa: ASYNC109 - of `write`
        data, self._held, self._may_hold = self._held + buffer, b"", False
        if not data:
            return
        if not self._transport.is_closing():
            self._transport.write(data)
        while self._is_paused and not self._transport.is_closing():
            if not await self._wait(timeout):
                raise httpcore.WriteTimeout
        if self._transport.is_closing():
            raise httpcore.WriteError(str(self._error)) from self._error

    async def aclose(self) -> None:
        """Close the connection at once, and interrupt a read in progress."""
        self._error = self._error or ConnectionAbortedError("the connection was closed")
        self._transport.abort()
        await asyncio.sleep(0)  # asyncio closes the socket in its next iteration

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
    ) -> httpcore.AsyncNetworkStream:
        """Start TLS on the connection."""
        try:
            async with asyncio.timeout(timeout):
                secured = await self._loop.start_tls(
                    self._transport, self, ssl_context, server_hostname=server_hostname, ssl_handshake_timeout=timeout
                )
        except TimeoutError as error:
            raise httpcore.ConnectTimeout(str(error)) from error
        except _ERRORS as error:
            raise httpcore.ConnectError(str(error)) from error
        if secured is None:
            raise httpcore.ConnectError("the server closed the connection")
        self._is_tls = True
        self.connection_made(secured)
        return self

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        """Return a property of the connection by httpcore's name."""
        if info == "is_readable":
            is_over = self._is_at_end or self._error is not None or self._transport.is_closing()
            return bool(self._data) or is_over or bool(self._poll is not None and self._poll.poll(0))
        names = {"client_addr": "sockname", "server_addr": "peername"}
        return self._transport.get_extra_info(names.get(info, info))

    # Called by asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._poll = prepare(self._transport)

    def data_received(self, data: bytes) -> None:
        """Store received bytes."""
        self._data = self._data + data if self._data else data
        if len(self._data) > _MAX_BUFFER:
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> bool:
        """Record the end of the response. Without TLS, the request may still be written."""
        self._is_at_end = True
        self._wake()
        return not self._is_tls

    def connection_lost(self, exc: Exception | None) -> None:
        """Record the end of the connection."""
        self._is_at_end = True
        self._error = self._error or exc
        self._wake()

    def pause_writing(self) -> None:
        """Record that the system does not accept more bytes."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """Record that the system has accepted all bytes."""
        self._is_paused = False
        self._wake()

    async def _wait(self, seconds: float | None) -> bool:
        """Wait until something happens; return whether it did within some seconds."""
        self._waiter = waiter = self._loop.create_future()
        timer = None if seconds is None else self._loop.call_later(seconds, self._wake, False)
        try:
            in_time: bool = await waiter
        finally:
            self._waiter = None
            if timer is not None:
                timer.cancel()
        return in_time

    def _wake(self, in_time: bool = True) -> None:  # noqa: FBT001, FBT002 - asyncio calls it with positional arguments
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(in_time)
