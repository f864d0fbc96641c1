"""From a call to a request: addresses that cannot be led astray, bodies to the byte, time-outs within the deadline."""

from __future__ import annotations

import string
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import ConfigurationError, Repeat, Secret
from ippanel_edge.endpoints import Endpoint
from ippanel_edge.wire import request
from ippanel_edge.wire.call import call, encode_json
from ippanel_edge.wire.reply import RawAnswer

BASE = "https://edge.example.test/v1"
NO_LIMIT = httpx.Timeout(None)
SHOW = Endpoint("x.show", "GET", "/api/x/{x_id}/y", Repeat.READ, object, "")


@pytest.mark.parametrize(
    "value",
    [
        "https://edge.example.test/v1",
        "https://edge.example.test/v1/",
        "https://edge.example.test/v1/api",
        "https://edge.example.test/v1/api/",
        " https://edge.example.test/v1 ",
        "https://EDGE.example.test/v1",
    ],
)
def test_a_base_url_has_one_form_however_it_is_written(value: str) -> None:
    assert request.check_base_url(value) == BASE


def test_a_base_url_keeps_its_port_and_its_path() -> None:
    assert request.check_base_url("https://a.example.test:8443/x/v1") == "https://a.example.test:8443/x/v1"
    assert request.check_base_url("http://[::1]:80/v1") == "http://[::1]:80/v1"
    assert request.check_base_url(None) == "https://edge.ippanel.com/v1"


@pytest.mark.parametrize("value", ["", ".", "..", "a\nb", "\x00", "\x9f", "a\ud800"])
def test_a_path_parameter_that_would_change_the_path_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="x_id"):
        call(SHOW, path={"x_id": value})


@given(st.text(min_size=1, max_size=30))
def test_a_path_parameter_stays_one_step_of_the_path(value: str) -> None:
    try:
        planned = call(SHOW, path={"x_id": value})
    except ConfigurationError:
        return
    url = request.build(planned, base_url=BASE, timeout=NO_LIMIT).url
    steps = url.raw_path.decode().split("/")
    assert len(steps) == 6
    assert (steps[:4], steps[5]) == (["", "v1", "api", "x"], "y")
    assert url.host == "edge.example.test"
    assert url.path.split("/", 4)[4] == f"{value}/y"


def test_the_second_version_of_the_place_bank_lies_beside_v1() -> None:
    assert request.url_for(BASE, "/v2/api/x") == "https://edge.example.test/v2/api/x"
    assert request.url_for("https://edge.example.test", "/v2/api/x") == "https://edge.example.test/v2/api/x"
    assert request.url_for(BASE, "/api/x") == "https://edge.example.test/v1/api/x"


def test_what_is_none_is_left_out_of_query_and_form() -> None:
    planned = call(SHOW, path={"x_id": 5}, query={"a": None, "b": False, "c": 0, "d": "ی"}, form={"e": None, "f": True})
    built = request.build(planned, base_url=BASE, timeout=NO_LIMIT)
    assert built.url.query == b"b=false&c=0&d=%DB%8C"
    assert built.read() == b"f=true"


def test_json_is_compact_utf8() -> None:
    assert encode_json({"متن": ["ی", 1, None]}) == '{"متن":["ی",1,null]}'.encode()


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800", object(), b"x", {1, 2}, LOOP])
def test_what_json_does_not_know_is_refused_before_anything_is_sent(value: object) -> None:
    with pytest.raises(ConfigurationError, match="json"):
        encode_json([value])


def test_no_step_may_take_longer_than_what_is_left() -> None:
    planned = call(SHOW, path={"x_id": 5})
    timeout = httpx.Timeout(10.0, connect=1.0, pool=None)
    steps = request.build(planned, base_url=BASE, timeout=timeout, remaining=4.0).extensions["timeout"]
    assert steps == {"connect": 1.0, "read": 4.0, "write": 4.0, "pool": 4.0}
    steps = request.build(planned, base_url=BASE, timeout=timeout).extensions["timeout"]
    assert steps == {"connect": 1.0, "read": 10.0, "write": 10.0, "pool": None}


@pytest.mark.parametrize("value", ["a b", "", "کلید", "a\r\nX-Other: 1", "a\x00", "Bearer", "bearer-abc"])
def test_a_key_that_cannot_be_a_header_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        request.check_secret(Secret(value), argument="api_key")
    assert not value or value.lower().startswith("bearer") or value not in str(caught.value)


@given(st.text(string.ascii_letters + string.digits + string.punctuation, min_size=1))
def test_visible_ascii_is_a_key(value: str) -> None:
    if not value.lower().startswith("bearer"):
        assert request.check_secret(Secret(value), argument="token") == value


def test_a_reply_can_be_looked_into_although_it_came_compressed() -> None:
    asked = httpx.Request("GET", BASE)
    answer = RawAnswer(
        status_code=200, headers={"content-encoding": "gzip", "content-length": "3", "x-id": "7"}, content=b"gz!"
    )
    response = request.response(asked, answer, b'{"a":1}')
    assert response.json() == {"a": 1}
    assert response.headers["x-id"] == "7"
    assert response.request is asked


def test_a_call_does_not_show_what_it_carries() -> None:
    planned = call(SHOW, path={"x_id": 5}, form={"password": "canary-1"}, query={"token": "canary-2"})
    assert "canary" not in repr(planned)
