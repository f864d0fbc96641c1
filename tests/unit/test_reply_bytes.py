"""From bytes to JSON: gzip that is broken, cut or a bomb, and JSON that only looks good, each one DecodeError."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import endpoints
from ippanel_edge.endpoints import Endpoint
from ippanel_edge.errors import DecodeError, Outcome
from ippanel_edge.models.auth import LoginStep
from ippanel_edge.wire.reply import RawAnswer, decompress, parse, parse_json

CREDIT, SEND = endpoints.PAYMENT_CREDIT, endpoints.SEND_WEBSERVICE


def good(data: Any) -> dict[str, Any]:
    return {"data": data, "meta": {"status": True}}


def answer(content: bytes, encoding: str = "") -> RawAnswer:
    return RawAnswer(status_code=200, content=content, headers={"content-encoding": encoding})


def unreadable(body: bytes, says: str, endpoint: Endpoint[Any] = CREDIT, encoding: str = "") -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        parse(endpoint, answer(body, encoding))
    error = caught.value
    assert (error.status_code, error.outcome) == (200, Outcome.UNKNOWN)
    assert says in str(error)
    return error


# Encodings.

BODY = json.dumps(good({"message_outbox_ids": [4]})).encode()


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " x-gzip "])
def test_gzip_is_undone(encoding: str) -> None:
    assert parse(SEND, answer(gzip.compress(BODY), encoding=encoding))[2] == BODY


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_identity_is_left_as_it_is(encoding: str) -> None:
    assert parse(SEND, answer(BODY, encoding=encoding))[2] == BODY


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "x" * 100])
def test_an_encoding_that_was_not_asked_for_is_refused(encoding: str) -> None:
    unreadable(zlib.compress(BODY), f"has the encoding {encoding[:20]!r}, which was not requested", encoding=encoding)


def test_broken_or_cut_gzip_is_one_error() -> None:
    packed = gzip.compress(BODY)
    unreadable(BODY, "the gzip data is invalid", encoding="gzip")
    unreadable(packed[:30] + b"\0" * 30, "the gzip data is invalid", encoding="gzip")
    for length in (0, 5, len(packed) - 9, len(packed) - 1):
        unreadable(packed[:length], "the gzip data is truncated", encoding="gzip")


def test_a_bomb_is_refused_before_it_has_unfolded() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(300)) + packer.flush()
    assert len(bomb) < 400_000
    tracemalloc.start()
    unreadable(bomb, "the response is larger than 33,554,432 bytes", encoding="gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * 1024 * 1024


def test_the_largest_size_is_still_taken() -> None:
    raw = answer(gzip.compress(b"x" * 50), encoding="gzip")
    assert decompress(raw, limit=50) == b"x" * 50
    with pytest.raises(DecodeError, match="larger than 49 bytes"):
        decompress(raw, limit=49)


@given(body=st.binary(max_size=60))
def test_any_bytes_as_gzip_make_bytes_or_one_error(body: bytes) -> None:
    try:
        result: object = decompress(answer(body, encoding="gzip"))
    except DecodeError as error:
        result = str(error).encode()
    assert isinstance(result, bytes)


# JSON that only looks good.


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_refused(word: str) -> None:
    unreadable(f'{{"data": {word}, "meta": {{"status": true}}}}'.encode(), f"the JSON contains {word}")


def test_a_key_twice_is_refused_for_the_second_might_turn_the_status() -> None:
    unreadable(b'{"data": {}, "meta": {"status": false, "status": true}}', "the JSON has a duplicate key", SEND)
    unreadable(
        b'{"data": {}, "meta": {"status": true}, "meta": {"status": true}}', "the JSON has a duplicate key", SEND
    )


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("depth", [65, 900, 100_000])
def test_a_deep_nest_is_refused(opening: str, closing: str, depth: int) -> None:
    nest = opening * depth + "1" + closing * depth
    with pytest.raises(DecodeError, match="nested too deeply"):
        parse_json(nest.encode())


def test_a_nest_of_64_is_read() -> None:
    assert parse_json(b"[" * 64 + b"]" * 64)


def test_a_number_of_4301_digits_is_refused_and_one_of_4300_is_read() -> None:
    unreadable(b'{"data": ' + b"9" * 4301 + b"}", "the JSON is truncated or invalid")
    assert parse_json(b"9" * 4300) == int("9" * 4300)


def test_a_number_beyond_floats_is_no_amount() -> None:
    unreadable(b'{"data": {"credit": 1e999}, "meta": {"status": true}}', "data.credit: expected a number, got inf")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "latin-1"])
def test_json_in_another_encoding_is_refused(encoding: str) -> None:
    text = '{"data": {"token": "s3cretär"}, "meta": {"status": true}}'
    error = unreadable(text.encode(encoding), "the JSON is truncated or invalid")
    assert "cret" not in str(error).replace("\0", "").replace("\\x00", "")


@pytest.mark.parametrize("text", ['"\\ud800"', '{"\\udfff": 1}', '[[{"a": ["\\udc00x"]}]]'])
def test_half_a_character_is_refused_in_values_and_keys(text: str) -> None:
    with pytest.raises(DecodeError, match="lone surrogate"):
        parse_json(text.encode())


def test_a_pair_of_surrogates_and_other_escapes_are_text() -> None:
    assert parse_json(b'["\\ud83c\\udf3b", "\\u0633", {"\\u0061": 1}]') == ["🌻", "س", {"a": 1}]


@pytest.mark.parametrize("body", [b"", b"  \r\n"])
def test_nothing_is_no_answer(body: bytes) -> None:
    unreadable(body, "the response is empty", SEND)


def test_cut_json_says_where_and_shows_nothing_of_it_for_it_may_hold_a_token() -> None:
    whole = json.dumps(good({"method": "login", "token": "84cd0f5e0ffe"})).encode()
    for length in range(1, len(whole)):
        error = unreadable(whole[:length], f"({length:,} bytes)", endpoints.AUTH_LOGIN)
        assert "the JSON is truncated or invalid at character" in str(error)
        assert "84cd" not in str(error)
    assert parse(endpoints.AUTH_LOGIN, answer(whole))[0] == LoginStep(method="login", token="84cd0f5e0ffe")


def test_json_with_something_behind_it_is_refused() -> None:
    unreadable(BODY + b"{}", "truncated or invalid", SEND)
    unreadable(BODY + b"\n<!-- cdn -->", "truncated or invalid", SEND)
    assert parse(SEND, answer(b" \n" + BODY + b"\r\n"))[0].id == 4


@given(
    body=st.binary(max_size=80)
    | st.text(alphabet='{}[]":,0123456789.eE+-\\u dDfalsetrunNaI', max_size=60).map(str.encode)
)
def test_any_bytes_make_json_or_one_error(body: bytes) -> None:
    try:
        value = parse_json(body)
    except DecodeError:
        return
    assert json.dumps(value, allow_nan=False) or value == float("inf")
