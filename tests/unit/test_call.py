"""Calls: path, query, form and JSON values are validated and encoded, and not shown in the repr."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import ConfigurationError, Repeat
from ippanel_edge.endpoints import Endpoint
from ippanel_edge.wire import request
from ippanel_edge.wire.call import Headers, call, encode_json

BASE = "https://edge.example.test/v1"
NO_LIMIT = httpx.Timeout(None)
ENDPOINT = Endpoint("x.show", "GET", "/api/x/{x_id}/y", Repeat.READ, object, "")


@pytest.mark.parametrize("value", ["", ".", "..", "a\nb", "\x00", "\x9f", "a\ud800"])
def test_a_path_parameter_that_would_change_the_path_is_rejected(value: str) -> None:
    with pytest.raises(ConfigurationError, match="x_id"):
        call(ENDPOINT, path={"x_id": value})


@given(st.text(min_size=1, max_size=30))
def test_a_path_parameter_is_encoded_as_one_path_segment(value: str) -> None:
    try:
        planned_call = call(ENDPOINT, path={"x_id": value})
    except ConfigurationError:
        return
    url = request.build(planned_call, base_url=BASE, timeout=NO_LIMIT).url
    segments = url.raw_path.decode().split("/")
    assert len(segments) == 6
    assert (segments[:4], segments[5]) == (["", "v1", "api", "x"], "y")
    assert url.host == "edge.example.test"
    assert url.path.split("/", 4)[4] == f"{value}/y"


def test_none_is_omitted_from_the_query_and_the_form() -> None:
    planned_call = call(
        ENDPOINT, path={"x_id": 5}, query={"a": None, "b": False, "c": 0, "d": "ی"}, form={"e": None, "f": True}
    )
    built = request.build(planned_call, base_url=BASE, timeout=NO_LIMIT)
    assert built.url.query == b"b=false&c=0&d=%DB%8C"
    assert built.read() == b"f=true"


def test_json_is_encoded_as_compact_utf_8() -> None:
    assert encode_json({"متن": ["ی", 1, None]}) == '{"متن":["ی",1,null]}'.encode()


CIRCULAR: list[Any] = []
CIRCULAR.append(CIRCULAR)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", object(), b"x", {1, 2}, CIRCULAR])
def test_a_value_that_json_cannot_represent_is_rejected(value: object) -> None:
    with pytest.raises(ConfigurationError, match="json"):
        encode_json([value])


def test_the_repr_of_a_call_does_not_contain_its_values() -> None:
    planned_call = call(ENDPOINT, path={"x_id": 5}, form={"password": "canary-1"}, query={"token": "canary-2"})
    assert "canary" not in repr(planned_call)


def test_header_names_in_another_letter_case_are_one_header_and_the_last_one_is_used() -> None:
    headers = Headers({"Authorization": "first", "X-Trace": "1", "authorization": "last"})
    assert dict(headers) == {"authorization": "last", "X-Trace": "1"}
    assert (headers["AUTHORIZATION"], "x-trace" in headers, len(headers)) == ("last", True, 2)
    assert hash(headers) == hash(Headers({"authorization": "last", "X-Trace": "1"}))
    assert repr(headers) == "<Headers authorization, X-Trace>"
