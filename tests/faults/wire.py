"""One accepted connection of the fault server: a raw socket, with TLS and an exact end of the connection.

The transports of asyncio are not used: closing one with unread bytes sends a reset, TLS cannot be half closed, and an
abort does not state what was sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
import struct
from typing import TYPE_CHECKING, Final

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

CHUNK: Final = 64 * 1024
_LINGER_ZERO: Final = struct.pack("ii", 1, 0)


def readable(sock: socket.socket) -> bool:
    """Return whether the socket is readable: it has received bytes, a connection or the end of the stream."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))


class Wire:
    """Reads and writes the bytes of one connection.

    Attributes:
        waiting: whether the server waits for bytes from the client.
    """

    def __init__(self, sock: socket.socket, on_wait: Callable[[], None]) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock = sock
        self._on_wait = on_wait
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.waiting = False

    def idle(self) -> bool:
        """Return whether the server waits and has received nothing."""
        return self.waiting and not readable(self._sock)

    async def _raw(self) -> bytes:
        while True:
            with contextlib.suppress(BlockingIOError):
                return self._sock.recv(CHUNK)
            await self._wait_readable()

    async def _wait_readable(self) -> None:
        """Wait until the socket is readable, without reading: `loop.sock_recv` would hide the bytes from `idle`."""
        loop = asyncio.get_running_loop()
        readable_event = asyncio.Event()
        loop.add_reader(self._sock, readable_event.set)
        self.waiting = True
        self._on_wait()
        try:
            await readable_event.wait()
        finally:
            self.waiting = False
            loop.remove_reader(self._sock)

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await asyncio.get_running_loop().sock_sendall(self._sock, self._outgoing.read())

    async def _feed(self) -> None:
        await self._flush()
        if data := await self._raw():
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    async def start_tls(self, context: ssl.SSLContext) -> None:
        """Perform the TLS handshake as the server.

        Raises:
            ssl.SSLError: the client rejected the certificate, or disconnected.
        """
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self._feed()
        await self._flush()
        self._tls = tls

    async def receive(self) -> bytes:
        """Return the next bytes from the client; empty if it has disconnected."""
        if self._tls is None:
            return await self._raw()
        while True:
            try:
                return self._tls.read(CHUNK)
            except ssl.SSLWantReadError:
                await self._feed()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return b""

    async def send(self, data: bytes) -> None:
        """Send the bytes, as fast as the client reads them."""
        if self._tls is None:
            await asyncio.get_running_loop().sock_sendall(self._sock, data)
        else:
            self._tls.write(data)
            await self._flush()

    async def close(self) -> None:
        """Send FIN, with TLS after close_notify, then discard further bytes, so that no reset follows."""
        if self._tls is not None:
            try:
                self._tls.unwrap()
            except ssl.SSLError:
                await self._flush()
        self._sock.shutdown(socket.SHUT_WR)
        await self.drain()

    async def drain(self) -> None:
        """Discard the bytes from the client until it disconnects."""
        while await self._raw():
            pass

    def reset(self) -> None:
        """Send RST after all pending bytes."""
        # The system delays small segments, and a reset discards them; setting this option again flushes them.
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._sock.close()

    def close_socket(self) -> None:
        """Close the socket."""
        self._sock.close()


@attrs.frozen
class Head:
    """The request line and the headers of a request."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]

    def header(self, name: str) -> str:
        """Return the value of a header, or an empty str if it is missing."""
        return next((value for key, value in self.headers if key.lower() == name), "")


def parse_head(raw: bytes) -> Head:
    """Parse the head of a request without validation, because the clients of the fault server are trusted."""
    first, *lines = raw.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines)
    return Head(method, target, tuple((name, value.strip()) for name, _, value in pairs))


class RequestReader:
    """Reads requests from a wire, only as far as requested."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._buffer = bytearray()

    async def more(self) -> bool:
        """Read the next bytes; return False if the client has disconnected."""
        data = await self._wire.receive()
        self._buffer += data
        return bool(data)

    async def begins(self) -> bool:
        """Wait for the first bytes of a request; return False if the client has disconnected."""
        return bool(self._buffer) or await self.more()

    async def head(self) -> Head | None:
        """Return the head of the next request; None if the client disconnected before its end."""
        raw = await self._until(b"\r\n\r\n")
        return None if raw is None else parse_head(raw)

    async def body(self, head: Head, limit: int | None) -> tuple[bytes, bool]:
        """Return the body of the request, and whether it is complete.

        Args:
            head: the request's head.
            limit: the maximum number of bytes to read; None for all.
        """
        if "chunked" in head.header("transfer-encoding"):
            return await self._chunks(limit)
        length = int(head.header("content-length") or 0)
        wanted = length if limit is None else min(limit, length)
        body = await self._exactly(wanted)
        return body, len(body) == length

    async def _chunks(self, limit: int | None) -> tuple[bytes, bool]:
        body = b""
        while limit is None or len(body) < limit:
            line = await self._until(b"\r\n")
            if line is None:
                return body, False
            size = int(line, 16)
            data = await self._exactly(size + 2)
            if len(data) < size + 2:
                return body + data, False
            body += data[:size]
            if size == 0:
                return body, True
        return body, False

    async def _until(self, end: bytes) -> bytes | None:
        while (at := self._buffer.find(end)) < 0:
            if not await self.more():
                return None
        raw = bytes(self._buffer[:at])
        del self._buffer[: at + len(end)]
        return raw

    async def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size and await self.more():
            pass
        raw = bytes(self._buffer[:size])
        del self._buffer[:size]
        return raw
