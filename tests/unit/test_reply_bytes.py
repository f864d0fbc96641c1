"""Decoding response bodies: every invalid, truncated or oversized gzip or JSON body raises DecodeError."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ippanel_edge import endpoints
from ippanel_edge.endpoints import Endpoint
from ippanel_edge.errors import DecodeError, Outcome
from ippanel_edge.models.auth import LoginStep
from ippanel_edge.wire.reply import RawAnswer, decompress, parse, parse_json

CREDIT, SEND = endpoints.PAYMENT_CREDIT, endpoints.SEND_WEBSERVICE


def success(data: Any) -> dict[str, Any]:
    return {"data": data, "meta": {"status": True}}


def response(content: bytes, encoding: str = "") -> RawAnswer:
    return RawAnswer(status_code=200, content=content, headers={"content-encoding": encoding})


def assert_decode_error(body: bytes, message: str, endpoint: Endpoint[Any] = CREDIT, encoding: str = "") -> DecodeError:
    with pytest.raises(DecodeError) as caught:
        parse(endpoint, response(body, encoding))
    error = caught.value
    assert (error.status_code, error.outcome) == (200, Outcome.UNKNOWN)
    assert message in str(error)
    return error


# Content encodings.

BODY = json.dumps(success({"message_outbox_ids": [4]})).encode()


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", " x-gzip "])
def test_gzip_is_decompressed(encoding: str) -> None:
    assert parse(SEND, response(gzip.compress(BODY), encoding=encoding))[2] == BODY


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_a_body_with_identity_encoding_is_unchanged(encoding: str) -> None:
    assert parse(SEND, response(BODY, encoding=encoding))[2] == BODY


@pytest.mark.parametrize("encoding", ["br", "zstd", "deflate", "gzip, gzip", "x" * 100])
def test_an_encoding_that_was_not_requested_is_rejected(encoding: str) -> None:
    assert_decode_error(
        zlib.compress(BODY), f"has the encoding {encoding[:20]!r}, which was not requested", encoding=encoding
    )


def test_invalid_or_truncated_gzip_is_rejected() -> None:
    compressed = gzip.compress(BODY)
    assert_decode_error(BODY, "the gzip data is invalid", encoding="gzip")
    assert_decode_error(compressed[:30] + b"\0" * 30, "the gzip data is invalid", encoding="gzip")
    for length in (0, 5, len(compressed) - 9, len(compressed) - 1):
        assert_decode_error(compressed[:length], "the gzip data is truncated", encoding="gzip")


def test_a_gzip_bomb_is_rejected_without_decompressing_it_completely() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1024 * 1024)) for _ in range(300)) + packer.flush()
    assert len(bomb) < 400_000
    tracemalloc.start()
    assert_decode_error(bomb, "the response is larger than 33,554,432 bytes", encoding="gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100 * 1024 * 1024


def test_a_body_of_exactly_the_size_limit_is_accepted() -> None:
    raw = response(gzip.compress(b"x" * 50), encoding="gzip")
    assert decompress(raw, limit=50) == b"x" * 50
    with pytest.raises(DecodeError, match="larger than 49 bytes"):
        decompress(raw, limit=49)


@given(body=st.binary(max_size=60))
def test_decompressing_any_bytes_returns_bytes_or_raises_decode_error(body: bytes) -> None:
    try:
        result: object = decompress(response(body, encoding="gzip"))
    except DecodeError as error:
        result = str(error).encode()
    assert isinstance(result, bytes)


# Invalid and ambiguous JSON.


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_a_non_finite_number_is_rejected(constant: str) -> None:
    assert_decode_error(f'{{"data": {constant}, "meta": {{"status": true}}}}'.encode(), f"the JSON contains {constant}")


def test_a_duplicate_key_is_rejected() -> None:
    # The second key could turn a false status into a true one.
    assert_decode_error(
        b'{"data": {}, "meta": {"status": false, "status": true}}', "the JSON has a duplicate key", SEND
    )
    assert_decode_error(
        b'{"data": {}, "meta": {"status": true}, "meta": {"status": true}}', "the JSON has a duplicate key", SEND
    )


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
@pytest.mark.parametrize("depth", [65, 900, 100_000])
def test_json_nested_too_deeply_is_rejected(opening: str, closing: str, depth: int) -> None:
    nested = opening * depth + "1" + closing * depth
    with pytest.raises(DecodeError, match="nested too deeply"):
        parse_json(nested.encode())


def test_json_nested_64_levels_deep_is_parsed() -> None:
    assert parse_json(b"[" * 64 + b"]" * 64)


@given(
    levels=st.lists(st.sampled_from([("[", "]"), ('{"a": ', "}"), ('[1, {"[": "{"}, ', ", []]")]), max_size=3),
    repeats=st.integers(1, 40),
    innermost=st.sampled_from(["1", "[]", '"[[{"', "{}", "[[]" + ", {}" * 70 + "]"]),
)
def test_json_is_rejected_exactly_if_it_has_more_than_64_levels(
    levels: list[tuple[str, str]], repeats: int, innermost: str
) -> None:
    opening, closing = "".join(level[0] for level in levels), "".join(level[1] for level in reversed(levels))
    body = (opening * repeats + innermost + closing * repeats).encode()
    value = json.loads(body)
    if depth(value) > 64:
        with pytest.raises(DecodeError, match="nested too deeply"):
            parse_json(body)
    else:
        assert parse_json(body) == value


def depth(value: object) -> int:
    if isinstance(value, dict):
        return depth(list(cast("dict[str, object]", value).values()))
    return 1 + max(map(depth, cast("list[object]", value)), default=0) if isinstance(value, list) else 0


def test_a_number_of_4301_digits_is_rejected_and_one_of_4300_is_parsed() -> None:
    assert_decode_error(b'{"data": ' + b"9" * 4301 + b"}", "the JSON is truncated or invalid")
    assert parse_json(b"9" * 4300) == int("9" * 4300)


def test_a_number_out_of_the_range_of_floats_is_rejected() -> None:
    assert_decode_error(
        b'{"data": {"credit": 1e999}, "meta": {"status": true}}', "data.credit: expected a number, got inf"
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "latin-1"])
def test_json_that_is_not_utf_8_is_rejected(encoding: str) -> None:
    text = '{"data": {"token": "s3cretär"}, "meta": {"status": true}}'
    error = assert_decode_error(text.encode(encoding), "the JSON is truncated or invalid")
    assert "cret" not in str(error).replace("\0", "").replace("\\x00", "")


@pytest.mark.parametrize("text", ['"\\ud800"', '{"\\udfff": 1}', '[[{"a": ["\\udc00x"]}]]'])
def test_a_lone_surrogate_is_rejected_in_values_and_keys(text: str) -> None:
    with pytest.raises(DecodeError, match="lone surrogate"):
        parse_json(text.encode())


@given(
    st.lists(st.sampled_from(["\\ud83d", "\\uD83D", "\\udf3b", "\\\\", "\\u0633", "ud83d", "a"]), max_size=8).map(
        "".join
    )
)
@example(r"\\ud83d\udf3b")
@example(r"\ud83d\ud83d\udf3b\udf3b")
def test_a_text_is_rejected_exactly_if_it_has_a_lone_surrogate(text: str) -> None:
    body = f'["{text}"]'.encode()
    value = json.loads(body)
    try:
        value[0].encode()
    except UnicodeEncodeError:
        with pytest.raises(DecodeError, match="lone surrogate"):
            parse_json(body)
    else:
        assert parse_json(body) == value


def test_surrogate_pairs_and_other_escapes_are_parsed() -> None:
    assert parse_json(b'["\\ud83c\\udf3b", "\\u0633", {"\\u0061": 1}]') == ["🌻", "س", {"a": 1}]


@pytest.mark.parametrize("body", [b"", b"  \r\n"])
def test_an_empty_response_is_rejected(body: bytes) -> None:
    assert_decode_error(body, "the response is empty", SEND)


def test_the_error_for_truncated_json_states_the_position_but_not_the_content() -> None:
    # The content may be a token.
    complete = json.dumps(success({"method": "login", "token": "84cd0f5e0ffe"})).encode()
    for length in range(1, len(complete)):
        error = assert_decode_error(complete[:length], f"({length:,} bytes)", endpoints.AUTH_LOGIN)
        assert "the JSON is truncated or invalid at character" in str(error)
        assert "84cd" not in str(error)
    assert parse(endpoints.AUTH_LOGIN, response(complete))[0] == LoginStep(method="login", token="84cd0f5e0ffe")


def test_json_followed_by_other_data_is_rejected() -> None:
    assert_decode_error(BODY + b"{}", "truncated or invalid", SEND)
    assert_decode_error(BODY + b"\n<!-- cdn -->", "truncated or invalid", SEND)
    assert parse(SEND, response(b" \n" + BODY + b"\r\n"))[0].id == 4


@given(
    body=st.binary(max_size=80)
    | st.text(alphabet='{}[]":,0123456789.eE+-\\u dDfalsetrunNaI', max_size=60).map(str.encode)
)
def test_parsing_any_bytes_returns_json_or_raises_decode_error(body: bytes) -> None:
    try:
        value = parse_json(body)
    except DecodeError:
        return
    assert json.dumps(value, allow_nan=False) or value == float("inf")
