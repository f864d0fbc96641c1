"""Requests: base URLs, API keys and timeouts are validated, and responses are converted to those of httpx."""

from __future__ import annotations

import string

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import ConfigurationError, Conflict, NotFound, Repeat, Secret
from ippanel_edge.endpoints import Endpoint
from ippanel_edge.wire import request
from ippanel_edge.wire.call import call
from ippanel_edge.wire.reply import RawAnswer

BASE = "https://edge.example.test/v1"
ENDPOINT = Endpoint("x.show", "GET", "/api/x/{x_id}/y", Repeat.READ, object, "")


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
def test_all_forms_of_a_base_url_are_normalised_to_one(value: str) -> None:
    assert request.check_base_url(value) == BASE


def test_the_port_and_the_path_of_a_base_url_are_preserved() -> None:
    assert request.check_base_url("https://a.example.test:8443/x/v1") == "https://a.example.test:8443/x/v1"
    assert request.check_base_url("http://[::1]:80/v1") == "http://[::1]:80/v1"
    assert request.check_base_url(None) == "https://edge.ippanel.com/v1"


def test_the_v2_endpoints_replace_v1_in_the_base_url() -> None:
    assert request.url_for(BASE, "/v2/api/x") == "https://edge.example.test/v2/api/x"
    assert request.url_for("https://edge.example.test", "/v2/api/x") == "https://edge.example.test/v2/api/x"
    assert request.url_for(BASE, "/api/x") == "https://edge.example.test/v1/api/x"


def test_each_timeout_is_limited_to_the_remaining_time() -> None:
    planned_call = call(ENDPOINT, path={"x_id": 5})
    timeout = httpx.Timeout(10.0, connect=1.0, pool=None)
    timeouts = request.build(planned_call, base_url=BASE, timeout=timeout, remaining=4.0).extensions["timeout"]
    assert timeouts == {"connect": 1.0, "read": 4.0, "write": 4.0, "pool": 4.0}
    timeouts = request.build(planned_call, base_url=BASE, timeout=timeout).extensions["timeout"]
    assert timeouts == {"connect": 1.0, "read": 10.0, "write": 10.0, "pool": None}


@pytest.mark.parametrize("value", ["a b", "", "کلید", "a\r\nX-Other: 1", "a\x00", "Bearer", "bearer-abc"])
def test_a_key_that_is_not_a_valid_header_is_rejected_and_not_shown(value: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        request.check_secret(Secret(value), argument="api_key")
    assert not value or value.lower().startswith("bearer") or value not in str(caught.value)


@given(st.text(string.ascii_letters + string.digits + string.punctuation, min_size=1))
def test_a_key_of_visible_ascii_is_accepted(value: str) -> None:
    if not value.lower().startswith("bearer"):
        assert request.check_secret(Secret(value), argument="token") == value


def test_a_compressed_response_is_converted_to_a_decoded_httpx_response() -> None:
    sent = httpx.Request("GET", BASE)
    received = RawAnswer(
        status_code=200, headers={"content-encoding": "gzip", "content-length": "3", "x-id": "7"}, content=b"gz!"
    )
    response = request.response(sent, received, b'{"a":1}')
    assert response.json() == {"a": 1}
    assert response.headers["x-id"] == "7"
    assert response.request is sent


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8010", "https://edge.example.test", "https://example.test/sms"])
def test_a_404_from_a_base_url_without_a_version_has_advice(base_url: str) -> None:
    error = request.advised(NotFound("x", status_code=404), base_url)
    assert "the base URL usually ends in /v1" in str(error)


def test_other_errors_and_base_urls_have_no_such_advice() -> None:
    missing = NotFound("x", status_code=404)
    assert request.advised(missing, "https://edge.example.test/v1") is missing
    conflict = Conflict("x", status_code=409)
    assert request.advised(conflict, "https://edge.example.test") is conflict
