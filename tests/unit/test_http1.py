"""The parser of HTTP/1.1 responses: framings, splits, limits, and equality with h11, which is an independent parser."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import h11
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge.errors import DecodeError, Outcome
from ippanel_edge.wire import http1
from ippanel_edge.wire.http1 import MAX_HEAD_BYTES, Parser

LIMIT: Final = 1_000_000
OK: Final = b"HTTP/1.1 200 OK\r\n"
HEAD_2: Final = OK + b"Content-Length: 2\r\n"
CHUNKED: Final = OK + b"Transfer-Encoding: chunked\r\n\r\n"


class Parsed(NamedTuple):
    """What a parser reads from a response."""

    status: int
    headers: dict[str, str]
    body: bytes
    keeps_alive: bool
    has_more: bool


def parse(parts: Iterable[bytes], *, method: str = "GET", ends: bool = False, limit: int = LIMIT) -> Parsed | None:
    """Parse a response that arrives in parts, and the end of the connection. Return None if it is not complete."""
    parser = Parser(method, limit)
    for part in parts:
        assert parser.feed(part) is parser.is_complete
    if ends and not parser.is_complete:
        assert parser.end()
    if not parser.is_complete:
        return None
    answer = parser.answer
    headers = dict(answer.headers)
    return Parsed(answer.status_code, headers, answer.content, parser.keeps_alive, parser.has_more)


def whole(raw: bytes, *, method: str = "GET", ends: bool = False) -> Parsed:
    """Parse a response that must be complete."""
    parsed = parse([raw], method=method, ends=ends)
    assert parsed is not None
    return parsed


def parse_with_h11(raw: bytes, *, method: str = "GET", ends: bool = False) -> Parsed | None:
    """Parse a response likewise with h11; a response that it rejects raises h11.RemoteProtocolError."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_BYTES)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "edge.example.test")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(raw)
    status, headers, body, ended_by_eof = 0, dict[str, str](), bytearray(), False
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA and ends and not ended_by_eof:
            ended_by_eof = True
            connection.receive_data(b"")
        elif isinstance(event, h11.Response):
            status = event.status_code
            headers = joined(list(event.headers))
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            keeps_alive = connection.their_state is h11.DONE and not ended_by_eof
            return Parsed(status, headers, bytes(body), keeps_alive, bool(connection.trailing_data[0]))
        elif not isinstance(event, h11.InformationalResponse):
            return None


def joined(fields: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Decode headers, all of them as UTF-8 or all as Latin-1, and join the values of equal names."""
    names = {name.decode(): [value for other, value in fields if other == name] for name, _ in fields}
    try:
        return {name: b", ".join(values).decode() for name, values in names.items()}
    except UnicodeDecodeError:
        return {name: b", ".join(values).decode("iso-8859-1") for name, values in names.items()}


# The framings of a body.


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (HEAD_2 + b"\r\nhi", b"hi"),
        (OK + b"content-length: 0\r\n\r\n", b""),
        (CHUNKED + b"2\r\nhi\r\n0\r\n\r\n", b"hi"),
        (
            CHUNKED + b"2;name=value\r\nhi\r\nA ; x\r\n0123456789\r\n00\r\nTrailer: x\r\nOther: y\r\n\r\n",
            b"hi0123456789",
        ),
        (CHUNKED + b"0\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + HEAD_2 + b"\r\nhi", b"hi"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", b""),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", b"hi"),
    ],
    ids=["length", "empty", "chunked", "extensions", "no-chunks", "after-1xx", "204", "304", "no-reason"],
)
def test_a_response_is_complete_at_its_last_byte_and_keeps_the_connection(raw: bytes, body: bytes) -> None:
    assert parse([raw[:-1]]) is None
    parsed = whole(raw)
    assert (parsed.body, parsed.keeps_alive, parsed.has_more) == (body, True, False)
    assert whole(raw + b"H") == parsed._replace(has_more=True)
    assert parse([raw, b"H"]) == parsed._replace(has_more=True)


@pytest.mark.parametrize("method", ["HEAD", "CONNECT"])
@pytest.mark.parametrize("framing", [b"Content-Length: 5", b"Transfer-Encoding: chunked", b"X: y"])
def test_the_response_to_a_head_or_connect_request_has_no_body(method: str, framing: bytes) -> None:
    parsed = whole(OK + framing + b"\r\n\r\n", method=method)
    assert (parsed.status, parsed.body, parsed.has_more) == (200, b"", False)


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    assert parse([OK + b"\r\n", b"hi", b"!"]) is None
    parsed = parse([OK + b"\r\n", b"hi", b"!"], ends=True)
    assert parsed is not None
    assert (parsed.body, parsed.keeps_alive, parsed.has_more) == (b"hi!", False, False)


def test_a_response_that_switches_protocols_ends_the_use_of_the_connection() -> None:
    parsed = whole(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nbytes of x")
    assert (parsed.status, parsed.body, parsed.keeps_alive, parsed.has_more) == (101, b"", False, True)


@pytest.mark.parametrize(
    ("start", "connection", "keeps_alive"),
    [
        (b"HTTP/1.1", b"X: y", True),
        (b"HTTP/1.1", b"Connection: keep-alive", True),
        (b"HTTP/1.1", b"Connection: Close", False),
        (b"HTTP/1.1", b"Connection: x,  close , y", False),
        (b"HTTP/1.1", b"Connection: x\r\nConnection: close", False),
        (b"HTTP/1.1", b"Connection: closed", True),
        (b"HTTP/1.0", b"Connection: keep-alive", False),
        (b"HTTP/1.0", b"X: y", False),
    ],
)
def test_the_server_states_whether_it_keeps_the_connection(
    start: bytes, connection: bytes, *, keeps_alive: bool
) -> None:
    raw = start + b" 200 OK\r\nContent-Length: 2\r\n" + connection + b"\r\n\r\nhi"
    assert whole(raw).keeps_alive is keeps_alive
    reference = parse_with_h11(raw)
    assert reference is not None
    assert reference.keeps_alive is keeps_alive


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        HEAD_2 + b"\r\nh",
        CHUNKED,
        CHUNKED + b"2\r\nhi",
        CHUNKED + b"2\r\nhi\r\n",
        CHUNKED + b"2\r\nhi\r\n0\r\n",
        CHUNKED + b"2\r\nhi\r\n0\r\nTrailer: x\r\n",
    ],
)
def test_a_connection_that_ends_within_a_response_is_an_error(raw: bytes) -> None:
    with pytest.raises(httpx.RemoteProtocolError, match="the server closed the connection"):
        parse([raw], ends=True)
    with pytest.raises(h11.RemoteProtocolError):
        parse_with_h11(raw, ends=True)


def test_a_response_with_two_framings_is_read_as_chunks_and_its_connection_is_not_used_again() -> None:
    parsed = whole(OK + b"Content-Length: 3\r\nTransfer-Encoding: CHUNKED\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
    assert (parsed.body, parsed.keeps_alive, parsed.has_more) == (b"hi", False, False)


@pytest.mark.parametrize("fields", [b"Content-Length: 2, 2\r\n", b"Content-Length: 2\r\n" * 2])
def test_equal_lengths_are_one(fields: bytes) -> None:
    reference = parse_with_h11(OK + fields + b"\r\nhi")
    assert reference is not None
    assert whole(OK + fields + b"\r\nhi").body == reference.body == b"hi"


# Headers.


@pytest.mark.parametrize(
    ("lines", "headers"),
    [
        (b"X-Name:  a value \t\r\n", {"x-name": "a value"}),
        (b"X:\r\n", {"x": ""}),
        (b"Set-Cookie: a\r\nX: y\r\nSET-COOKIE: b\r\n", {"set-cookie": "a, b", "x": "y"}),
        ("X: سلام\r\n".encode(), {"x": "سلام"}),
        (b"X: x\xe9\r\n", {"x": "x\xe9"}),
        (b"X: x\xe9\r\nY: \xd8\xb3\r\n", {"x": "x\xe9", "y": "\xd8\xb3"}),
        (b"X: a\tb:c\r\n", {"x": "a\tb:c"}),
    ],
    ids=["blanks", "empty", "repeated", "utf-8", "latin-1", "both", "inner-tab"],
)
def test_headers_are_decoded(lines: bytes, headers: dict[str, str]) -> None:
    assert whole(OK + lines + b"Content-Length: 0\r\n\r\n").headers == {**headers, "content-length": "0"}


# Limits.


def test_the_headers_of_a_response_are_limited() -> None:
    start, end = OK + b"X: ", b"\r\nContent-Length: 0"
    size = MAX_HEAD_BYTES - len(start) - len(end)
    assert whole(start + b"x" * size + end + b"\r\n\r\n").status == 200
    with pytest.raises(httpx.RemoteProtocolError, match="the headers of the response are too large"):
        parse([start + b"x" * (size + 1) + end + b"\r\n\r\n"])
    with pytest.raises(httpx.RemoteProtocolError, match="the headers of the response are too large"):
        parse([start, *[b"x" * 1000] * 200])


@pytest.mark.parametrize(
    ("raw", "ends"),
    [
        (OK + b"Content-Length: 11\r\n\r\n", False),
        (OK + b"Content-Length: 999999999999999999\r\n\r\n", False),
        (OK + b"\r\n12345678901", True),
        (CHUNKED + b"b\r\n", False),
        (CHUNKED + b"ffffffffffffffff\r\n", False),
        (CHUNKED + b"6\r\n123456\r\n5\r\n", False),
    ],
    ids=["length", "large-length", "until-the-end", "chunk", "large-chunk", "chunks"],
)
def test_a_body_beyond_the_limit_is_an_error_that_has_the_status(raw: bytes, *, ends: bool) -> None:
    with pytest.raises(DecodeError, match="the response is larger than 10 bytes") as caught:
        parse([raw], limit=10, ends=ends)
    assert (caught.value.status_code, caught.value.outcome) == (200, Outcome.UNKNOWN)


@pytest.mark.parametrize("end", [b"Content-Length: 10\r\n\r\n1234567890", b"\r\n1234567890"])
def test_a_body_of_the_limit_is_accepted(end: bytes) -> None:
    parsed = parse([OK + end], limit=10, ends=True)
    assert parsed is not None
    assert parsed.body == b"1234567890"


def test_the_lines_of_a_chunked_body_are_limited() -> None:
    line = b"2;" + b"x" * (http1._MAX_LINE - 3)
    parser = Parser("GET", LIMIT)
    parser.feed(CHUNKED + line)
    assert parser.feed(b"\r\nhi\r\n0\r\n\r\n")
    with pytest.raises(httpx.RemoteProtocolError, match="invalid chunk"):
        parse([CHUNKED + line, b"xx"])


def test_the_trailers_of_a_response_are_limited() -> None:
    trailer = b"X: " + b"x" * 1021 + b"\r\n"
    start, most = CHUNKED + b"0\r\n", MAX_HEAD_BYTES // (len(trailer) - 2)
    assert whole(start + trailer * most + b"\r\n").body == b""
    with pytest.raises(httpx.RemoteProtocolError, match="the trailers of the response are too large"):
        parse([start, *[trailer] * (most + 1)])


# Malformed responses.

MALFORMED: Final[Sequence[bytes]] = [
    b"\r\n\r\n",
    b"\r\n" + HEAD_2 + b"\r\nhi",
    b"HTTP/2 200 OK\r\n\r\n",
    b"HTTP/1.1  200 OK\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\n\r\n",
    b"HTTP/1.1 \xd9\xa2\xd9\xa0\xd9\xa0 OK\r\n\r\n",
    b"HTTP/1.1 abc OK\r\n\r\n",
    b"HTTP/1.1 200 O\0K\r\n\r\n",
    b"http/1.1 200 OK\r\n\r\n",
    b"SSH-2.0-OpenSSH_9\r\n\r\n",
    b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n",
    OK + b"X : y\r\n\r\n",
    OK + b": y\r\n\r\n",
    OK + b"X\r\n\r\n",
    OK + b"X Y: z\r\n\r\n",
    OK + b"X: a\0b\r\n\r\n",
    OK + b"X: a\rb\r\n\r\n",
    OK + b"X\xe9: y\r\n\r\n",
    OK + b" X: y\r\n\r\n",
    OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi",
    OK + b"Content-Length: 2, 3\r\n\r\nhi",
    OK + b"Content-Length: 2,\r\n\r\nhi",
    OK + b"Content-Length:\r\n\r\nhi",
    OK + b"Content-Length: -2\r\n\r\nhi",
    OK + b"Content-Length: +2\r\n\r\nhi",
    OK + b"Content-Length: 0x2\r\n\r\nhi",
    OK + b"Content-Length: 2 2\r\n\r\nhi",
    OK + b"Content-Length: \xd9\xa2\r\n\r\nhi",
    OK + b"Content-Length: \xa02\r\n\r\nhi",
    OK + b"Content-Length: 2\xe2\x80\x83\r\n\r\nhi",
    OK + b"Transfer-Encoding: gzip\r\n\r\n",
    OK + b"Transfer-Encoding: chun\xe2\x84\xaaed\r\n\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    CHUNKED + b"\r\n",
    CHUNKED + b"x\r\n",
    CHUNKED + b"-1\r\n",
    CHUNKED + b"0x2\r\nhi\r\n0\r\n\r\n",
    CHUNKED + b"2 2\r\nhi\r\n0\r\n\r\n",
    CHUNKED + b"1\r\nhi\r\n0\r\n\r\n",
    CHUNKED + b"123456789012345678901\r\n",
]
"""What h11 rejects, and so does the parser."""

LONG_CHUNK: Final = CHUNKED + b"2\r\nhixx0\r\n\r\n"
"""A chunk that is longer than its size: h11 accepted it before 0.16."""

STRICTER: Final[Sequence[bytes]] = [
    b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    OK + b"Content-Length: 2\n\nhi",
    OK + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\nhi",
    OK + b"X: a\x01b\r\nContent-Length: 2\r\n\r\nhi",
    OK + b"X: a\x7fb\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.2 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    CHUNKED + b"00000000000000002\r\nhi\r\n0\r\n\r\n",
]
"""What h11 accepts and the parser rejects: lines that end in LF, folded headers, control characters, other versions,
and chunk sizes of more than 16 digits."""

MORE_TOLERANT: Final[Sequence[bytes]] = [
    CHUNKED + b"2\r\nhi\r\n0\r\nnot a trailer\r\n\r\n",
]
"""What h11 rejects and the parser accepts: trailers, which it ignores."""


@pytest.mark.parametrize("raw", MALFORMED)
def test_a_malformed_response_is_rejected_by_h11(raw: bytes) -> None:
    with pytest.raises(h11.RemoteProtocolError):
        parse_with_h11(raw, ends=True)


@pytest.mark.parametrize("raw", [*MALFORMED, LONG_CHUNK])
def test_a_malformed_response_is_rejected(raw: bytes) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        parse([raw])
    with pytest.raises(httpx.RemoteProtocolError):
        parse((bytes([byte]) for byte in raw), ends=True)


@pytest.mark.parametrize("raw", STRICTER)
def test_the_parser_is_stricter_than_h11(raw: bytes) -> None:
    reference = parse_with_h11(raw)
    assert reference is not None
    assert reference.body == b"hi"
    with pytest.raises(httpx.RemoteProtocolError):
        parse([raw])


@pytest.mark.parametrize("raw", MORE_TOLERANT)
def test_the_parser_ignores_a_malformed_trailer_unlike_h11(raw: bytes) -> None:
    with pytest.raises(h11.RemoteProtocolError):
        parse_with_h11(raw)
    assert whole(raw).body == b"hi"


@pytest.mark.parametrize("raw", [b"HTTQ", b"SSH-2.0", b"HTTP/2", b"\x15\x03\x01", b" ", b"HTTP/1.1 200 OK\n\n"])
def test_a_response_that_is_not_http_is_rejected_without_its_end(raw: bytes) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        parse([raw])


# Random responses.

TOKENS: Final = st.text("!#$%&'*+-.^_`|~09azAZ", min_size=1, max_size=8).map(str.encode)
VALUES: Final = st.lists(
    st.text('\t !~azAZ09,;:="سé', max_size=12).map(str.encode) | st.sampled_from([b"\xe9", b"a\xff"]), max_size=2
).map(lambda parts: b"".join(parts).strip(b" \t"))
FRAMING_NAMES: Final = {b"content-length", b"transfer-encoding", b"connection"}
FIELDS: Final = st.lists(st.tuples(TOKENS, VALUES), max_size=4).map(
    lambda fields: [field for field in fields if field[0].lower() not in FRAMING_NAMES]
)
BODIES: Final = st.binary(max_size=60)


def lines_of(fields: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b:%b\r\n" % field for field in fields)


@st.composite
def responses(draw: Any) -> tuple[bytes, str, bool]:
    """Return the bytes of a valid response, the method of its request, and whether the connection ends after it."""
    method = draw(st.sampled_from(["GET", "POST", "HEAD", "DELETE"]))
    status = draw(st.sampled_from([200, 201, 204, 304, 400, 401, 404, 429, 500, 503, 999]))
    fields = draw(FIELDS)
    fields += draw(st.sampled_from([[], [(b"Connection", b"close")], [(b"CONNECTION", b" Keep-Alive, x ")]]))
    framing = draw(st.sampled_from(["length", "chunked", "end"]))
    content = draw(BODIES)
    body = content
    if framing == "length":
        fields.append((b"Content-Length", b" %d" % len(content)))
    elif framing == "chunked":
        fields.append((b"transfer-encoding", b" chunked"))
        body = b""
        for chunk in filter(None, [content[:7], content[7:9], content[9:]]):
            extension = draw(st.sampled_from([b"", b";a=b", b"; c", b" "]))
            body += b"%x%b\r\n%b\r\n" % (len(chunk), extension, chunk)
        body += b"0\r\n" + lines_of(draw(FIELDS)) + b"\r\n"
    if method == "HEAD" or status in (204, 304):
        body = b""
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"]))
    reason = draw(st.sampled_from([b"", b" ", b" OK", b" Not \xe9 Found"]))
    before = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103\r\nLink: x\r\n\r\n"]))
    more = draw(st.sampled_from([b"", b"", b"x", b"HTTP/1.1 200 OK\r\n\r\n"]))
    head = b"HTTP/%b %d%b\r\n" % (version, status, reason) + lines_of(draw(st.permutations(fields)))
    return before + head + b"\r\n" + body + more, method, True if framing == "end" else draw(st.booleans())


@given(responses(), st.lists(st.integers(0, 400), max_size=6))
def test_any_valid_response_in_any_parts_is_parsed_as_by_h11(
    response: tuple[bytes, str, bool], splits: list[int]
) -> None:
    raw, method, ends = response
    expected = parse_with_h11(raw, method=method, ends=ends)
    assert expected is not None
    at = [0, *sorted(splits), len(raw)]
    parts = [raw[start:end] for start, end in itertools.pairwise(at)]
    assert parse(parts, method=method, ends=ends) == expected
    assert parse((bytes([byte]) for byte in raw), method=method, ends=ends) == expected


@given(responses(), st.data())
def test_a_mutated_response_is_rejected_or_is_the_same_in_any_parts(
    response: tuple[bytes, str, bool], data: st.DataObject
) -> None:
    raw, method, ends = response
    at = data.draw(st.integers(0, len(raw) - 1))
    mutated = raw[:at] + data.draw(st.binary(max_size=2)) + raw[at + data.draw(st.integers(0, 3)) :]

    def outcome(parts: Iterable[bytes]) -> Parsed | str | None:
        try:
            return parse(parts, method=method, ends=ends)
        except (httpx.RemoteProtocolError, DecodeError) as error:
            return type(error).__name__

    assert outcome(bytes([byte]) for byte in mutated) == outcome([mutated])


@given(raw=st.binary(max_size=200), ends=st.booleans())
def test_no_bytes_raise_another_exception(raw: bytes, *, ends: bool) -> None:
    for start in (b"", OK, CHUNKED):
        try:
            parsed = parse([start, raw], ends=ends)
        except (httpx.RemoteProtocolError, DecodeError):
            continue
        assert parsed is None or parsed.status == 200
