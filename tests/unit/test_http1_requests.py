"""The bytes of a request: its head, and the framing of content that is a stream."""

from __future__ import annotations

import h11
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge.wire.http1 import Framing, head


def events(raw: bytes) -> list[h11.Event | type[h11.PAUSED | h11.NEED_DATA]]:
    """Return the events that h11 reads from a request."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(raw)
    found = [connection.next_event()]
    while isinstance(found[-1], h11.Event) and not isinstance(found[-1], h11.EndOfMessage):
        found.append(connection.next_event())
    return found


# The head.


def test_a_head_has_the_request_line_and_the_headers_in_order() -> None:
    raw = head("POST", b"/v1/api/send?x=%20", [(b"Host", b"a.test"), (b"X-Name", b"a value"), (b"x-name", b"")])
    assert raw == b"POST /v1/api/send?x=%20 HTTP/1.1\r\nHost: a.test\r\nX-Name: a value\r\nx-name: \r\n\r\n"
    request = events(raw)[0]
    assert isinstance(request, h11.Request)
    assert (request.method, request.target) == (b"POST", b"/v1/api/send?x=%20")
    assert list(request.headers) == [(b"host", b"a.test"), (b"x-name", b"a value"), (b"x-name", b"")]


@pytest.mark.parametrize("text", [b"\r", b"\n", b"\0", b"\r\nX: y", b"\r\n\r\n", b"\n\r"])
@pytest.mark.parametrize("place", ["method", "target", "name", "value", "proxy-name", "proxy-value"])
def test_a_line_break_or_nul_anywhere_is_refused(text: bytes, place: str) -> None:
    names = ["method", "target", "name", "value", "proxy-name", "proxy-value"]
    parts = {name: name.encode() for name in names}
    parts[place] = b"a" + text + b"b"
    with pytest.raises(httpx.LocalProtocolError, match="a header contains a line break or NUL"):
        head(
            parts["method"].decode(),
            parts["target"],
            [(b"Host", b"a.test"), (parts["name"], parts["value"])],
            more=[(parts["proxy-name"], parts["proxy-value"])],
        )


def test_a_header_of_the_request_replaces_that_of_the_proxy() -> None:
    raw = head("GET", b"/", [(b"host", b"a.test")], more=[(b"Host", b"proxy.test"), (b"Proxy-Authorization", b"x")])
    assert raw == b"GET / HTTP/1.1\r\nProxy-Authorization: x\r\nhost: a.test\r\n\r\n"


# Content of a stream.


def framed(headers: dict[str, str], parts: list[bytes]) -> bytes:
    framing = Framing.of(httpx.Headers(headers))
    return b"".join([*map(framing.part, parts), framing.end()])


@given(st.lists(st.binary(max_size=40), max_size=6), st.booleans())
def test_content_of_a_stream_is_read_by_h11_as_it_was(parts: list[bytes], is_chunked: bool) -> None:  # noqa: FBT001 - hypothesis passes it
    content = b"".join(parts)
    headers = {"Transfer-Encoding": "chunked"} if is_chunked else {"Content-Length": str(len(content))}
    fields = [(b"Host", b"a.test"), *((name.encode(), value.encode()) for name, value in headers.items())]
    found = events(head("POST", b"/", fields) + framed(headers, parts))
    assert isinstance(found[-1], h11.EndOfMessage)
    assert b"".join(bytes(event.data) for event in found if isinstance(event, h11.Data)) == content


def test_an_empty_part_of_a_stream_does_not_end_its_chunks() -> None:
    assert framed({"transfer-encoding": "Chunked"}, [b"", b"hi", b""]) == b"2\r\nhi\r\n0\r\n\r\n"


def test_content_that_is_longer_than_its_headers_state_is_refused() -> None:
    framing = Framing.of({"content-length": "3"})
    assert framing.part(b"abc") == b"abc"
    with pytest.raises(httpx.LocalProtocolError, match="longer than its headers state"):
        framing.part(b"d")


def test_content_that_is_shorter_than_its_headers_state_is_refused() -> None:
    framing = Framing.of({"content-length": "3"})
    framing.part(b"ab")
    with pytest.raises(httpx.LocalProtocolError, match="shorter than its headers state"):
        framing.end()


@pytest.mark.parametrize("headers", [{}, {"transfer-encoding": "gzip"}, {"transfer-encoding": "gzip, chunked"}])
def test_content_without_a_framing_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(httpx.LocalProtocolError, match="do not state the length"):
        Framing.of(headers)
