"""A small server on a loopback port, a thread for each connection, with a test's own answers. It judges nothing."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Self

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 10.0
"""Seconds after which anything that waits in here gives up."""


def reply(body: str, *, more: str = "") -> bytes:
    """Render an answer of HTTP/1.1; `more` are further header lines, each with its line's end."""
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n{more}\r\n{body}".encode()


@attrs.frozen
class Asked:
    """A request as it was read.

    Attributes:
        server: the server that read it.
        connection: the number of its connection, from 1.
        nth: its place on that connection, from 1.
        target: what its first line asks for.
        wire: the socket that it came on.
    """

    server: Loopback
    connection: int
    nth: int
    target: str
    wire: socket.socket

    def send(self, *pieces: bytes) -> None:
        """Send pieces, each on its own to the TLS layer, all in one segment where the system can hold them back."""
        held = hasattr(socket, "TCP_CORK")
        if held:
            self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 1)
        for piece in pieces:
            self.wire.sendall(piece)
        if held:
            self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_CORK, 0)


def echo(asked: Asked) -> None:
    """Answer with the path that was asked for."""
    asked.send(reply(asked.target.rpartition("/")[2]))


class Loopback:
    """The server: `answer` is called for each request, on its connection's thread. It is proxy too, to itself.

    Attributes:
        connections: how many were made.
        open: how many of them the client has not closed.
    """

    def __init__(self, answer: Callable[[Asked], None] = echo, *, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.open = 0
        self._answer = answer
        self._tls = tls
        self._changed = threading.Condition()
        self._wires: list[socket.socket] = []
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
        with contextlib.suppress(OSError):  # a Mac does not shut a listener down, closing wakes it there
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for wire in list(self._wires):
            with contextlib.suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(PATIENCE)

    def comes_to(self, *, open: int) -> bool:  # noqa: A002 - it is what the test speaks of
        """Wait until so many connections are open; whether it came to that."""
        with self._changed:
            return self._changed.wait_for(lambda: self.open == open, PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                wire, _ = self._listener.accept()
            except OSError:
                return
            wire.settimeout(PATIENCE)
            with self._changed:
                self.connections += 1
                self.open += 1
            thread = threading.Thread(target=self._serve, args=(wire, self.connections), daemon=True)
            self._threads.append(thread)
            self._wires.append(wire)
            thread.start()

    def _serve(self, wire: socket.socket, number: int) -> None:
        try:
            with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
                stack.enter_context(wire)
                if self._tls is not None and not self._is_connect(wire):
                    wire = stack.enter_context(self._tls.wrap_socket(wire, server_side=True))
                self._converse(wire, number, stack)
        finally:
            with self._changed:
                self.open -= 1
                self._changed.notify_all()

    @staticmethod
    def _is_connect(wire: socket.socket) -> bool:
        return wire.recv(1, socket.MSG_PEEK) == b"C"

    def _converse(self, wire: socket.socket, number: int, stack: contextlib.ExitStack) -> None:
        nth = 0
        while target := _read_request(wire):
            if target.startswith("CONNECT "):
                wire.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                if self._tls is not None:
                    wire = stack.enter_context(self._tls.wrap_socket(wire, server_side=True))
                continue
            nth += 1
            self._answer(Asked(self, number, nth, target.split(" ")[1], wire))


def _read_request(wire: socket.socket) -> str:
    """Read a request to its end. Returns its first line, empty where the client has gone."""
    head = b""
    while b"\r\n\r\n" not in head:
        if not (piece := wire.recv(65536)):
            return ""
        head += piece
    lines, _, body = head.partition(b"\r\n\r\n")
    first, *headers = lines.decode().split("\r\n")
    fields = dict(header.lower().split(": ", 1) for header in headers)
    missing = int(fields.get("content-length", "0")) - len(body)
    while missing > 0 and (piece := wire.recv(65536)):
        missing -= len(piece)
    return first
