"""Clients without the SDK for the tests of the fault server: plain httpx and plain sockets."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING, Final

import httpx

from tests.faults.catalogue import LARGE_BODY_BYTES
from tests.faults.fault import EndedBy, Fault, Where

if TYPE_CHECKING:
    from tests.faults.server import Cell

SEND: Final = "/api/send"
STALL_TIMEOUT: Final = 0.05
"""Seconds until a stalled step times out. Only the step that stalls has this timeout."""
LONG_TIMEOUT: Final = 5.0
BODY: Final = b'{"message": "salam"}'
REQUEST: Final = (
    b"POST /v1/api/send HTTP/1.1\r\nHost: api\r\nContent-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
)


def name_of(fault: Fault) -> str:
    """Return the name of a fault as the id of a test parameter."""
    return fault.name


def timeout_for(cell: Cell) -> httpx.Timeout:
    """Return the timeouts of a client: short for the step at which the fault stalls, long for all others."""
    fault = cell.fault
    if fault.ended_by is not EndedBy.TIMEOUT:
        return httpx.Timeout(LONG_TIMEOUT)
    if fault.where in {Where.NOWHERE, Where.TLS} or (fault.where is Where.ACCEPT and cell.trust and not cell.reused):
        return httpx.Timeout(LONG_TIMEOUT, connect=STALL_TIMEOUT)
    return httpx.Timeout(LONG_TIMEOUT, read=STALL_TIMEOUT, write=STALL_TIMEOUT)


_NO_TRUSTED_CA: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def bare_client(cell: Cell) -> httpx.Client:
    """Return an httpx client for the cell, with the timeouts that its fault requires."""
    proxy = httpx.Proxy(cell.proxy) if cell.proxy else None
    verify = cell.trust or _NO_TRUSTED_CA
    return httpx.Client(base_url=cell.base_url, timeout=timeout_for(cell), proxy=proxy, verify=verify, trust_env=False)


def post(client: httpx.Client, fault: Fault) -> str:
    """Send one request; return the status of the response, or the name of the exception that httpx raised."""
    body = b"x" * LARGE_BODY_BYTES if fault.large_body else BODY
    try:
        return str(client.post(SEND, content=body).status_code)
    except httpx.HTTPError as error:
        return type(error).__name__


def connect(cell: Cell) -> socket.socket:
    """Return a plain socket connected to the cell, with the timeout that its fault requires."""
    url = httpx.URL(cell.base_url)
    assert url.port is not None
    timeout = STALL_TIMEOUT if cell.fault.ended_by is EndedBy.TIMEOUT else LONG_TIMEOUT
    return socket.create_connection((url.host, url.port), timeout=timeout)


def first_byte_of_response(cell: Cell, request: bytes) -> bytes:
    """Send the bytes on a new connection, and return the first byte of the response."""
    with connect(cell) as sock:
        sock.sendall(request)
        return sock.recv(1)


def read_response(sock: socket.socket) -> bytes:
    """Read one complete valid response from a socket, and return its body."""
    before = sock.gettimeout()
    sock.settimeout(LONG_TIMEOUT)
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(1)
    length = int(data.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = b""
    while len(body) < length:
        body += sock.recv(length - len(body))
    sock.settimeout(before)
    return body
