"""Responses of the fault server as bytes, and the steps in which they are sent. This module does no I/O."""

from __future__ import annotations

import functools
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Final

import attrs

MESSAGE: Final = "انجام شد"
POISON: Final = 666_666
"""The id in a response that belongs to no request: a client that returns it assigned a response to a wrong request."""
DECODED_BOMB_BYTES: Final = 128 * 1024 * 1024


@attrs.frozen
class Send:
    """Send all bytes at once."""

    data: bytes


@attrs.frozen
class SendSlowly:
    """Send byte by byte: too slowly to finish before the deadline, but fast enough that no single read times out."""

    data: bytes
    pause: float = 0.01


@attrs.frozen
class Flood:
    """Send the bytes repeatedly until the client disconnects."""

    data: bytes


@attrs.frozen
class AwaitClient:
    """Send nothing until the client sends more bytes or disconnects."""


Step = Send | SendSlowly | Flood | AwaitClient


@attrs.frozen
class Good:
    """The valid response body of one request, and one that belongs to no request.

    Attributes:
        body: the envelope that the service would return.
        poison: the same envelope with `POISON` as its id.
    """

    body: bytes
    poison: bytes


Steps = Callable[[Good], tuple[Step, ...]]


def envelope(data: object, *, status: object = True, message: str = MESSAGE, code: str = "200-1") -> bytes:
    """Return the envelope of the API with `data`."""
    meta: dict[str, object] = {"status": status, "message": message, "message_parameters": [], "message_code": code}
    return json.dumps({"data": data, "meta": meta}, ensure_ascii=False).encode()


def head(status: int, *headers: str) -> bytes:
    """Return a status line without a reason phrase, and headers."""
    return "\r\n".join([f"HTTP/1.1 {status} ", *headers, "", ""]).encode()


def reply(body: bytes, status: int = 200, *headers: str, kind: str = "application/json") -> bytes:
    """Return a complete response with the correct Content-Length."""
    return head(status, f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers) + body


def html(status: int) -> bytes:
    """Return an error page as sent by a proxy in front of the service."""
    return f"<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>cdn</body></html>".encode()


def good_data(path: str, number: int) -> object:
    """Return the `data` of a valid response: ids for a send, an amount for the credit, otherwise None.

    Args:
        path: the path of the request, without its query.
        number: the number that identifies this response.
    """
    if path.endswith("/api/send"):
        return {"message_outbox_ids": [number]}
    if path.endswith("/credit/mine"):
        return {"credit": number}
    return None


def good(path: str, number: int, data: Callable[[str, int], object]) -> Good:
    """Return the valid response body of a request for `path`, and the poisoned one."""
    return Good(envelope(data(path, number)), envelope(data(path, POISON)))


@functools.cache
def bomb() -> bytes:
    """Return a gzip stream of about 130 kB that decompresses to `DECODED_BOMB_BYTES` spaces."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    spaces = b" " * (1024 * 1024)
    return (
        b"".join([compressor.compress(spaces) for _ in range(DECODED_BOMB_BYTES // len(spaces))]) + compressor.flush()
    )


@functools.cache
def nested_bomb() -> bytes:
    """Return the bomb, compressed a second time to about 1 kB."""
    return gzip.compress(bomb(), mtime=0)
