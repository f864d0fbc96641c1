"""A small HTTP server on a loopback port, with one thread per connection and the responses of the test."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Self

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT = 10.0
"""Timeout of every wait in this module, in seconds."""


def http_response(body: str, *, headers: str = "") -> bytes:
    """Return an HTTP/1.1 response; `headers` are further header lines, each with its CRLF."""
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{headers}\r\n{body}".encode()


@attrs.frozen
class ReceivedRequest:
    """A request that the server received.

    Attributes:
        server: the server.
        connection: the number of the connection, from 1.
        position: the number of the request on its connection, from 1.
        target: the target in the request line.
        sock: the socket of the connection.
    """

    server: Loopback
    connection: int
    position: int
    target: str
    sock: socket.socket

    def send(self, *chunks: bytes) -> None:
        """Send chunks, as separate TLS records, but in one TCP segment if the system supports TCP_CORK."""
        corked = hasattr(socket, "TCP_CORK")
        if corked:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        for chunk in chunks:
            self.sock.sendall(chunk)
        if corked:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


def echo(request: ReceivedRequest) -> None:
    """Respond with the last part of the requested path."""
    request.send(http_response(request.target.rpartition("/")[2]))


class Loopback:
    """A server that calls `handler` for each request, in the thread of its connection, and is also a proxy to itself.

    Attributes:
        connections: the number of accepted connections.
        open: the number of connections that the client has not closed.
    """

    def __init__(self, handler: Callable[[ReceivedRequest], None] = echo, *, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.open = 0
        self._handler = handler
        self._tls = tls
        self._changed = threading.Condition()
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def url(self) -> str:
        return f"{'http' if self._tls is None else 'https'}://{self.host}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):  # macOS cannot shut a listener down; close() ends accept() there
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in list(self._sockets):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(TIMEOUT)

    def wait_for_open(self, count: int) -> bool:
        """Wait until `count` connections are open; return False after a timeout."""
        with self._changed:
            return self._changed.wait_for(lambda: self.open == count, TIMEOUT)

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.settimeout(TIMEOUT)
            with self._changed:
                self.connections += 1
                self.open += 1
            thread = threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True)
            self._threads.append(thread)
            self._sockets.append(sock)
            thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
                stack.enter_context(sock)
                if self._tls is not None and not self._is_connect(sock):
                    sock = stack.enter_context(self._tls.wrap_socket(sock, server_side=True))
                self._serve_requests(sock, number, stack)
        finally:
            with self._changed:
                self.open -= 1
                self._changed.notify_all()

    @staticmethod
    def _is_connect(sock: socket.socket) -> bool:
        return sock.recv(1, socket.MSG_PEEK) == b"C"

    def _serve_requests(self, sock: socket.socket, number: int, stack: contextlib.ExitStack) -> None:
        position = 0
        while target := _read_request(sock):
            if target.startswith("CONNECT "):
                sock.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                if self._tls is not None:
                    sock = stack.enter_context(self._tls.wrap_socket(sock, server_side=True))
                continue
            position += 1
            self._handler(ReceivedRequest(self, number, position, target.split(" ")[1], sock))


def _read_request(sock: socket.socket) -> str:
    """Read one request and return its request line, or an empty str if the client has closed the connection."""
    head = b""
    while b"\r\n\r\n" not in head:
        if not (received := sock.recv(65536)):
            return ""
        head += received
    lines, _, body = head.partition(b"\r\n\r\n")
    request_line, *headers = lines.decode().split("\r\n")
    fields = dict(header.lower().split(": ", 1) for header in headers)
    remaining = int(fields.get("content-length", "0")) - len(body)
    while remaining > 0 and (received := sock.recv(65536)):
        remaining -= len(received)
    return request_line
