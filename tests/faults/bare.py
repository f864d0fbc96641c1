"""Bare clients of the fault server, for its own tests: httpx without the SDK, and plain sockets. It asserts nothing."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Final

import httpx

from tests.faults.catalogue import LARGE_BODY_BYTES
from tests.faults.fault import EndedBy, Fault

if TYPE_CHECKING:
    from tests.faults.server import Cell

SEND: Final = "/api/send"
STALL_TIMEOUT: Final = 0.05
BODY: Final = b'{"message": "salam"}'
REQUEST: Final = (
    b"POST /v1/api/send HTTP/1.1\r\nHost: api\r\nContent-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
)


def name_of(fault: Fault) -> str:
    """The fault's part of a test's id."""
    return fault.name


def bare_client(cell: Cell) -> httpx.Client:
    """An httpx client for the cell, as patient as its fault asks."""
    timeout = STALL_TIMEOUT if cell.fault.ended_by is EndedBy.TIMEOUT else 5.0
    proxy = httpx.Proxy(cell.proxy) if cell.proxy else None
    verify = cell.trust or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.Client(base_url=cell.base_url, timeout=timeout, proxy=proxy, verify=verify, trust_env=False)


def post(client: httpx.Client, fault: Fault) -> str:
    """Send once; the status that came, or the name of what httpx raised."""
    body = b"x" * LARGE_BODY_BYTES if fault.large_body else BODY
    try:
        return str(client.post(SEND, content=body).status_code)
    except httpx.HTTPError as error:
        return type(error).__name__


def connect(cell: Cell) -> socket.socket:
    """A plain socket to the cell."""
    url = httpx.URL(cell.base_url)
    assert url.port is not None
    return socket.create_connection((url.host, url.port), timeout=STALL_TIMEOUT)


def say_and_listen(cell: Cell, request: bytes) -> bytes:
    """Send the bytes on a connection of their own; the first byte that comes back."""
    with connect(cell) as sock:
        sock.sendall(request)
        return sock.recv(1)


def read_answer(sock: socket.socket) -> bytes:
    """Read one good answer off a socket, to its last byte."""
    sock.settimeout(5)
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(1)
    length = int(data.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = b""
    while len(body) < length:
        body += sock.recv(length - len(body))
    sock.settimeout(STALL_TIMEOUT)
    return body
