"""HTTP/1.1 without I/O: the bytes of a request, and a strict parser of one response. Used by the fast transport."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

import attrs
import httpx

from ippanel_edge.errors import DecodeError
from ippanel_edge.wire.reply import RawAnswer

MAX_HEAD_BYTES: Final = 100 * 1024
"""The maximum size of a status line with its headers, and of the trailers of a chunked body."""
_MAX_LINE: Final = 4096
"""The maximum length of a line in a chunked body."""

_HEAD: Final = re.compile(
    rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\x00\r\n]*+)?+"
    rb"((?:\r\n[!#$%&'*+\-.^_`|~0-9A-Za-z]++:[^\x00-\x08\x0a-\x1f\x7f]*+)*+)"
)
"""A status line and headers, without the empty line after them."""
_LENGTH: Final = re.compile("[0-9]{1,18}", re.ASCII)
_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\x00\r\n]*)?")
_HEAD_END: Final = b"\r\n\r\n"
_BARE_END: Final = re.compile(rb"\n\r?\n")
_SWITCHING: Final = 101
_NO_CONTENT: Final = frozenset({_SWITCHING, 204, 304})
_WITHOUT_BODY: Final = frozenset({"HEAD", "CONNECT"})  # what follows the response to a CONNECT is not read as HTTP


def head(
    method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]], *, more: Iterable[tuple[bytes, bytes]] = ()
) -> bytes:
    """Return the request line and the headers of a request.

    Args:
        method: such as ``POST``.
        target: the path with its query; for an HTTP proxy, the whole URL; for CONNECT, host and port.
        headers: names and values.
        more: those of a proxy; a header of the same name in `headers` replaces one of these.

    Raises:
        httpx.LocalProtocolError: a header contains a line break or NUL.
    """
    fields = list(headers)
    if more:
        names = {name.lower() for name, _ in fields}
        fields = [*(field for field in more if field[0].lower() not in names), *fields]
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)
    text = b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode(), target, lines)
    ends = len(fields) + 2
    if text.count(b"\n") != ends or text.count(b"\r") != ends or b"\0" in text:
        raise httpx.LocalProtocolError("a header contains a line break or NUL")
    return text


@attrs.define
class Framing:
    """Frames the content of a request that is read from a stream: by its length, or as chunks.

    Attributes:
        length: the length that the headers state; None for chunks.
        sent: the bytes so far.
    """

    length: int | None
    sent: int = 0

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Framing:
        """Return the framing that the headers of a request state.

        Raises:
            httpx.LocalProtocolError: they state none.
        """
        length = headers.get("content-length")
        if length is None and headers.get("transfer-encoding", "").lower() != "chunked":
            raise httpx.LocalProtocolError("the headers of the request do not state the length of its content")
        return cls(None if length is None else int(length))

    @property
    def is_complete(self) -> bool:
        """Whether all of the stated length was written; chunks end with `end`."""
        return self.sent == self.length

    def part(self, content: bytes) -> bytes:
        """Return the bytes to write for a part of the content.

        Raises:
            httpx.LocalProtocolError: the content is longer than stated.
        """
        self.sent += len(content)
        if self.length is None:
            return b"%x\r\n%b\r\n" % (len(content), content) if content else b""
        if self.sent > self.length:
            raise httpx.LocalProtocolError("the content of the request is longer than its headers state")
        return content

    def end(self) -> bytes:
        """Return the bytes to write after the content.

        Raises:
            httpx.LocalProtocolError: the content is shorter than stated.
        """
        if self.length is None:
            return b"0\r\n\r\n"
        if self.sent != self.length:
            raise httpx.LocalProtocolError("the content of the request is shorter than its headers state")
        return b""


@attrs.define(eq=False)
class Parser:
    """Parses the bytes of one response.

    Attributes:
        method: the method of the request, on which it depends whether there is a body.
        limit: the maximum size of the body in bytes.
        is_complete: whether the response is complete.
        status_code: the status, once the headers are complete.
        keeps_alive: whether the server keeps the connection open after the response.
        has_more: whether bytes follow the response. The connection must not be used again.
    """

    method: str
    limit: int
    is_complete: bool = False
    status_code: int = 0
    keeps_alive: bool = False
    has_more: bool = False
    _buffer: bytearray = attrs.field(factory=bytearray)
    _headers: dict[str, str] = attrs.field(factory=dict[str, str])
    _body: list[bytes] = attrs.field(factory=list[bytes])
    _size: int = 0  # of the body so far
    _left: int | None = 0  # bytes of the body or of the chunk that are missing; None: it ends with the connection
    _is_chunked: bool = False
    _expects_line_end: bool = False  # after the data of a chunk
    _in_trailers: bool = False
    _trailers: int = 0  # their size

    @property
    def answer(self) -> RawAnswer:
        """The response. It must be complete."""
        return RawAnswer(status_code=self.status_code, headers=self._headers, content=b"".join(self._body))

    def feed(self, data: bytes) -> bool:
        """Parse received bytes. Return whether the response is complete.

        Raises:
            httpx.RemoteProtocolError: this is not a response in HTTP/1.1.
            DecodeError: the body is larger than the limit.
        """
        if self.is_complete:
            self.has_more = self.has_more or bool(data)
            return True
        if self._buffer:
            checked = len(self._buffer)
            self._buffer += data
            if not self.status_code and self._buffer.find(_HEAD_END, max(checked - 3, 0)) < 0:
                self._check_start(checked)
                return False
            data = bytes(self._buffer)
            self._buffer.clear()
        while not self.status_code:
            end = data.find(_HEAD_END)
            if end < 0:
                self._buffer += data
                self._check_start(0)
                return False
            self._parse_head(data[:end])
            data = data[end + 4 :]
        if self._is_chunked:
            self._parse_chunks(data)
        else:
            self._parse_body(data)
        return self.is_complete

    def end(self) -> bool:
        """Record that the server closed the connection. Return whether the response is complete.

        Raises:
            httpx.RemoteProtocolError: it is not.
        """
        if not self.status_code:
            raise httpx.RemoteProtocolError("the server closed the connection without a response")
        if not self.is_complete and self._left is not None:
            raise httpx.RemoteProtocolError("the server closed the connection before the end of the response")
        self.is_complete = True
        self.keeps_alive = False
        return True

    def _check_start(self, checked: int) -> None:
        """Check headers that are not complete yet, beyond the first bytes, which were checked before."""
        if len(self._buffer) > MAX_HEAD_BYTES:
            raise httpx.RemoteProtocolError("the headers of the response are too large")
        if _BARE_END.search(self._buffer, max(checked - 2, 0)):
            raise httpx.RemoteProtocolError("the lines of the response do not end in CRLF")
        if not b"HTTP/1.".startswith(bytes(self._buffer[:7])):
            raise httpx.RemoteProtocolError("the response is not HTTP/1.1")

    def _parse_head(self, text: bytes) -> None:
        """Parse the status line and the headers. A status of 1xx is followed by another response."""
        if len(text) > MAX_HEAD_BYTES:
            raise httpx.RemoteProtocolError("the headers of the response are too large")
        found = _HEAD.fullmatch(text)
        if found is None:
            raise httpx.RemoteProtocolError("the response is not valid HTTP/1.1")
        status = int(found[2])
        if status < 200 and status != _SWITCHING:  # noqa: PLR2004 - an informational response
            return
        self.status_code = status
        self._headers = headers = _headers(found[3])
        self.keeps_alive = found[1] == b"1" and status != _SWITCHING
        if "connection" in headers:
            options = [option.strip() for option in headers["connection"].lower().split(",")]
            self.keeps_alive = self.keeps_alive and "close" not in options
        self._frame(headers.get("content-length"))

    def _frame(self, lengths: str | None) -> None:
        """Determine where the body ends."""
        if self.method in _WITHOUT_BODY or self.status_code in _NO_CONTENT:
            return  # no byte is missing
        encoding = self._headers.get("transfer-encoding")
        if encoding is not None:
            if encoding.lower() != "chunked" or not encoding.isascii():  # the Kelvin sign is a k in lower case
                raise httpx.RemoteProtocolError("the response has an unknown transfer encoding")
            self._is_chunked = True
            self.keeps_alive = self.keeps_alive and lengths is None  # two framings may be an attack on a proxy
            return
        if lengths is None:
            self._left, self.keeps_alive = None, False
            return
        length, *others = {each.strip(" \t") for each in lengths.split(",")}
        if others or not _LENGTH.fullmatch(length):
            raise httpx.RemoteProtocolError("the response has an invalid Content-Length")
        self._left = int(length)
        self._check_size(self._left)

    def _parse_body(self, data: bytes) -> None:
        if self._left is None:
            self._add(data)
            return
        part, rest = data[: self._left], data[self._left :]
        self._add(part)
        self._left -= len(part)
        if not self._left:
            self._complete(rest)

    def _parse_chunks(self, data: bytes) -> None:
        at = 0
        while True:
            if self._left:
                part = data[at : at + self._left]
                self._add(part)
                at += len(part)
                self._left -= len(part)
                if self._left:
                    return
                self._expects_line_end = True
            end = data.find(b"\r\n", at)
            if end < 0:
                self._keep_line(data[at:])
                return
            line, at = data[at:end], end + 2
            if self._in_trailers and not line:
                self._complete(data[at:])
                return
            self._parse_line(line)

    def _parse_line(self, line: bytes) -> None:
        """Parse a line of a chunked body: the end of a chunk, the size of one, or a trailer, which is ignored."""
        if self._expects_line_end:
            if line:
                raise httpx.RemoteProtocolError("a chunk of the response is longer than its size")
            self._expects_line_end = False
            return
        if self._in_trailers:
            self._trailers += len(line)
            if self._trailers > MAX_HEAD_BYTES:
                raise httpx.RemoteProtocolError("the trailers of the response are too large")
            return
        found = _SIZE.fullmatch(line)
        if found is None:
            raise httpx.RemoteProtocolError("the response has an invalid chunk size")
        self._left = int(found[1], 16)
        self._in_trailers = not self._left
        self._check_size(self._size + self._left)

    def _keep_line(self, rest: bytes) -> None:
        if len(rest) > _MAX_LINE or (self._expects_line_end and rest not in (b"", b"\r")):
            raise httpx.RemoteProtocolError("the response has an invalid chunk")
        self._buffer += rest

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        self._check_size(self._size)
        self._body.append(part)

    def _check_size(self, size: int) -> None:
        if size > self.limit:
            raise DecodeError(f"the response is larger than {self.limit:,} bytes", status_code=self.status_code)

    def _complete(self, rest: bytes) -> None:
        self.is_complete = True
        self.has_more = bool(rest)


def _headers(block: bytes) -> dict[str, str]:
    """Return the headers of a valid block, decoded as httpx does; the values of equal names are joined."""
    try:
        text = block.decode()
    except UnicodeDecodeError:
        text = block.decode("iso-8859-1")
    headers: dict[str, str] = {}
    for line in text.split("\r\n")[1:]:
        name, _, value = line.partition(":")
        name, value = name.lower(), value.strip(" \t")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
