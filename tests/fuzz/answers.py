"""Strategies for responses, from valid to malformed: status, headers, body and the stream that yields the body."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Final

import attrs
import httpx
from hypothesis import strategies as st

from tests.unit.junk import anything

_GOOD: Final = [200] * 24 + [201, 202, 204, 206, 299]
_REJECTED: Final = [100, 301, 302, 304, 307, 400, 401, 403, 404, 405, 408, 409, 413, 415, 421, 422, 425, 429, 451]
_FAILED: Final = [500, 502, 503, 504, 520, 522, 524, 525, 599]
STATUSES: Final = [*_GOOD, *_REJECTED, *_FAILED]
FLAGS: Final[list[Any]] = (
    [True] * 6 + [False] * 4 + [1, 0, "1", "0", "true", "False", "yes", "no", 1.0, 2, None, "", "x"]
)
RETRY_AFTER: Final = [
    b"0",
    b"1",
    b"7.5",
    b"-3",
    b"NaN",
    b"inf",
    b"9" * 400,
    b"119",
    b"121",
    b"",
    b" 4 ",
    b"\xb2",
    b"1, 2",
    b"Wed, 21 Oct 2015 07:28:00 GMT",
    b"Fri, 31 Dec 9999 23:59:59 -2359",
    b"Mon, 01 Jan 0001 00:00:00 +2359",
    b"Wed, 99 Oct 99999 07:28:00",
    b"1 Jan 0 0:0:0 +99999999999",
    b"\xd9\xa3",
]
ALLOW: Final = [b"GET", b"PUT", b"POST, PUT", b"put", b",,", b"", b"\xff", b"DELETE"]
TYPES: Final = [b"application/json", b"text/html", b"text/csv", b"application/octet-stream", b"", b"\xff/\xfe"]
ENCODINGS: Final = [b"br", b"zstd", b"deflate", b"gzip, gzip", b"", b"x-gzip", b"\xff", b"GZIP"]


class Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A response body as a connection yields it: unread and not decompressed."""

    def __init__(self, content: bytes) -> None:
        self._pieces = [content[:7], content[7:]]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


@attrs.frozen
class Answer:
    """A response of the service or of a proxy in front of it."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    content: bytes

    def to_response(self) -> httpx.Response:
        """Return an httpx response with an unread body."""
        return httpx.Response(self.status, headers=list(self.headers), stream=Stream(self.content))

    @property
    def text(self) -> bytes | None:
        """The decompressed body; None if it cannot be decompressed or the client does not accept its encoding."""
        encodings = [value.strip().lower() for name, value in self.headers if name == b"content-encoding"]
        if encodings in ([], [b""], [b"identity"]):
            return self.content
        try:
            return gzip.decompress(self.content) if encodings in ([b"gzip"], [b"x-gzip"]) else None
        except (OSError, EOFError, ValueError):
            return None
        except gzip.zlib.error:  # type: ignore[attr-defined]  # gzip raises zlib.error, which it imports
            return None


def envelopes(data: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw the JSON of a response: mostly the API's envelope around the data."""
    meta = st.fixed_dictionaries(
        {"status": st.sampled_from(FLAGS)},
        optional={
            "message": st.sampled_from(["انجام شد", "", None, 7]) | anything,
            "message_code": anything,
            "message_parameters": anything,
            "errors": st.dictionaries(st.sampled_from(["a", "b.0.c"]), anything, max_size=2) | anything,
            "current_page": anything,
            "total": anything,
        },
    )
    complete = st.fixed_dictionaries({"meta": meta}, optional={"data": data, "errors": anything})
    return st.one_of(complete, complete, complete, st.fixed_dictionaries({"data": data, "meta": meta}), data, anything)


def _truncated(text: bytes, at: int) -> bytes:
    return text[: at % (len(text) + 1)]


def _flipped(text: bytes, at: int) -> bytes:
    place = at % max(len(text), 1)
    return text[:place] + bytes([text[place] ^ (1 << at % 8)]) + text[place + 1 :] if text else text


def _with_duplicate_keys(text: bytes, at: int) -> bytes:
    extra = [
        b'{"meta":{"status":true},',
        b'{"meta":{"status":false},',
        b'{"data":{"message_outbox_ids":[1]},',
        b'{"":0,"":1,',
    ][at % 4]
    return text.replace(b"{", extra, 1)


def _with_duplicate_status(text: bytes, at: int) -> bytes:
    return re.sub(rb'"status": ?', b'"status":%s,"status":' % (b"true" if at % 2 else b"false"), text, count=1)


def _nested(text: bytes, at: int) -> bytes:
    depth = [3, 63, 64, 65, 900, 30_000][at % 6]
    return re.sub(rb"\d+|null|true", b"[" * depth + b"]" * depth, text, count=1)


def _with_huge_number(text: bytes, at: int) -> bytes:
    digits = b"9" * [20, 309, 4_300, 4_301, 20_000][at % 5]
    return re.sub(rb"\d+|null", [digits, b"-" + digits, b"1e" + digits[:400], digits + b".5"][at % 4], text, count=1)


def _with_invalid_number(text: bytes, at: int) -> bytes:
    return re.sub(rb"\d+|null|true", [b"NaN", b"Infinity", b"-Infinity"][at % 3], text, count=1)


def _reencoded(text: bytes, at: int) -> bytes:
    encoding = ["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7", "cp1256"][at % 6]
    return text.decode("utf-8", "replace").encode(encoding, "replace")


def _with_lone_surrogate(text: bytes, at: int) -> bytes:
    surrogate = [b'"\\ud800', b'"\\udfff', b'"\xed\xa0\x80', b'"\\ud83d\\ude00', b'"\\u0000'][at % 5]
    places = [found.start() for found in re.finditer(b'"', text)]
    place = places[at % len(places)] if places else 0
    return text[:place] + surrogate + text[place + 1 :]


def _with_trailing_bytes(text: bytes, at: int) -> bytes:
    return text + [b"\r\n", b"{}", b"<!-- cdn -->", b"\0", b"}"][at % 5]


def _replaced(text: bytes, at: int) -> bytes:
    return [text[:0], b" ", b"<html>502</html>", b"null", b"[]", b"{}", b'"x"', b"\xef\xbb\xbf"][at % 8]


MUTATIONS: Final[list[Callable[[bytes, int], bytes]]] = [
    _truncated,
    _flipped,
    _with_duplicate_keys,
    _with_duplicate_status,
    _nested,
    _with_huge_number,
    _with_invalid_number,
    _reencoded,
    _with_lone_surrogate,
    _with_trailing_bytes,
    _replaced,
]


@st.composite
def _bodies(draw: st.DrawFn, data: st.SearchStrategy[Any]) -> bytes:
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=80))
    text = json.dumps(draw(envelopes(data)), ensure_ascii=draw(st.booleans())).encode()
    for mutate in draw(st.sampled_from([[], [], [1], [1], [1, 2]])):
        del mutate
        text = draw(st.sampled_from(MUTATIONS))(text, draw(st.integers(0, 10_000)))
    return text


def _gzipped(text: bytes) -> bytes:
    return gzip.compress(text, 1, mtime=0)


@st.composite
def answers(draw: st.DrawFn, data: st.SearchStrategy[Any]) -> Answer:
    """Draw a response of an endpoint; its data is drawn from `data`."""
    content = draw(_bodies(data))
    headers: list[tuple[bytes, bytes]] = []
    compression = draw(st.integers(0, 11))
    if compression <= 4:
        content = _gzipped(content)
        headers.append((b"content-encoding", b"gzip"))
    elif compression == 5:
        content = draw(st.sampled_from([_truncated, _flipped, _with_trailing_bytes]))(
            _gzipped(content), draw(st.integers(0, 999))
        )
        headers.append((b"content-encoding", b"gzip"))
    elif compression == 6:
        headers.append((b"content-encoding", draw(st.sampled_from([b"gzip", b"identity", *ENCODINGS]))))
    elif compression == 7:
        content = _gzipped(content)
    for name, known in ((b"content-type", TYPES), (b"retry-after", RETRY_AFTER), (b"allow", ALLOW)):
        if draw(st.integers(0, 2)) == 0:
            headers.append((name, draw(st.sampled_from(known) | st.binary(max_size=6))))
    return Answer(draw(st.sampled_from(STATUSES) | st.integers(100, 999)), tuple(headers), content)
