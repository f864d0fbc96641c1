"""What the fault server says, as bytes: the API's envelope, HTTP replies, and ways to utter them. No I/O in here."""

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
"""The id in an answer that belongs to no request: a client that shows it has taken another request's answer."""
DECODED_BOMB_BYTES: Final = 128 * 1024 * 1024


@attrs.frozen
class Send:
    """Say all of it at once."""

    data: bytes


@attrs.frozen
class Drip:
    """Say it byte by byte, so slowly that it does not end, so fast that no wait for a single byte runs out."""

    data: bytes
    pause: float = 0.01


@attrs.frozen
class Flood:
    """Say it again and again until the client leaves."""

    data: bytes


@attrs.frozen
class Hush:
    """Say nothing until the client says more or leaves."""


Step = Send | Drip | Flood | Hush


@attrs.frozen
class Good:
    """The right answer to one request, and one that answers nothing.

    Attributes:
        body: the envelope that the service would answer.
        poison: the same with `POISON` as its id.
    """

    body: bytes
    poison: bytes


Say = Callable[[Good], tuple[Step, ...]]


def envelope(data: object, *, status: object = True, message: str = MESSAGE, code: str = "200-1") -> bytes:
    """The API's own form around `data`."""
    meta: dict[str, object] = {"status": status, "message": message, "message_parameters": [], "message_code": code}
    return json.dumps({"data": data, "meta": meta}, ensure_ascii=False).encode()


def head(status: int, *headers: str) -> bytes:
    """A status line and headers, without a reason phrase."""
    return "\r\n".join([f"HTTP/1.1 {status} ", *headers, "", ""]).encode()


def reply(body: bytes, status: int = 200, *headers: str, kind: str = "application/json") -> bytes:
    """A whole reply with its true length."""
    return head(status, f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers) + body


def html(status: int) -> bytes:
    """The page that a proxy in front of the service answers."""
    return f"<html><head><title>{status}</title></head><body><h1>{status}</h1><hr>cdn</body></html>".encode()


def good_data(path: str, number: int) -> object:
    """What `data` holds when all is well: ids for a send, an amount for the credit, else nothing.

    Args:
        path: the path of the request, without its query.
        number: the number that this answer is to be known by.
    """
    if path.endswith("/api/send"):
        return {"message_outbox_ids": [number]}
    if path.endswith("/credit/mine"):
        return {"credit": number}
    return None


def good(path: str, number: int, data: Callable[[str, int], object]) -> Good:
    """The right answer to a request for `path`, and the poisoned one."""
    return Good(envelope(data(path, number)), envelope(data(path, POISON)))


@functools.cache
def bomb() -> bytes:
    """A gzip stream of `DECODED_BOMB_BYTES` blanks in some 130 kB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    blanks = b" " * (1024 * 1024)
    return b"".join([packer.compress(blanks) for _ in range(DECODED_BOMB_BYTES // len(blanks))]) + packer.flush()


@functools.cache
def nested_bomb() -> bytes:
    """The bomb packed once more: about a kilobyte on the wire."""
    return gzip.compress(bomb(), mtime=0)
