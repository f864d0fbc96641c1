"""Bare clients of the fault server, for its own tests: httpx without the SDK, and plain sockets. It asserts nothing."""

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
"""Seconds after which a stall is taken for one. Only the step that stalls is so impatient."""
PATIENT: Final = 5.0
BODY: Final = b'{"message": "salam"}'
REQUEST: Final = (
    b"POST /v1/api/send HTTP/1.1\r\nHost: api\r\nContent-Length: " + str(len(BODY)).encode() + b"\r\n\r\n" + BODY
)


def name_of(fault: Fault) -> str:
    """The fault's part of a test's id."""
    return fault.name


def timeout_for(cell: Cell) -> httpx.Timeout:
    """Time-outs of a client of the cell: short for the step at which its fault stalls, long for all others."""
    fault = cell.fault
    if fault.ended_by is not EndedBy.TIMEOUT:
        return httpx.Timeout(PATIENT)
    if fault.where in {Where.NOWHERE, Where.TLS} or (fault.where is Where.ACCEPT and cell.trust and not cell.reused):
        return httpx.Timeout(PATIENT, connect=STALL_TIMEOUT)
    return httpx.Timeout(PATIENT, read=STALL_TIMEOUT, write=STALL_TIMEOUT)


_TRUSTS_NOBODY: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def bare_client(cell: Cell) -> httpx.Client:
    """An httpx client for the cell, as patient as its fault asks."""
    proxy = httpx.Proxy(cell.proxy) if cell.proxy else None
    verify = cell.trust or _TRUSTS_NOBODY
    return httpx.Client(base_url=cell.base_url, timeout=timeout_for(cell), proxy=proxy, verify=verify, trust_env=False)


def post(client: httpx.Client, fault: Fault) -> str:
    """Send once; the status that came, or the name of what httpx raised."""
    body = b"x" * LARGE_BODY_BYTES if fault.large_body else BODY
    try:
        return str(client.post(SEND, content=body).status_code)
    except httpx.HTTPError as error:
        return type(error).__name__


def connect(cell: Cell) -> socket.socket:
    """A plain socket to the cell, as patient as its fault asks."""
    url = httpx.URL(cell.base_url)
    assert url.port is not None
    timeout = STALL_TIMEOUT if cell.fault.ended_by is EndedBy.TIMEOUT else PATIENT
    return socket.create_connection((url.host, url.port), timeout=timeout)


def say_and_listen(cell: Cell, request: bytes) -> bytes:
    """Send the bytes on a connection of their own; the first byte that comes back."""
    with connect(cell) as sock:
        sock.sendall(request)
        return sock.recv(1)


def read_answer(sock: socket.socket) -> bytes:
    """Read one good answer off a socket, to its last byte."""
    before = sock.gettimeout()
    sock.settimeout(PATIENT)
    data = b""
    while b"\r\n\r\n" not in data:
        data += sock.recv(1)
    length = int(data.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    body = b""
    while len(body) < length:
        body += sock.recv(length - len(body))
    sock.settimeout(before)
    return body
