"""Assigning sender lines: missing and invalid arguments are rejected before a request is sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ippanel_edge import ConfigurationError, EdgeClient


def client_without_requests() -> EdgeClient:
    def fail_on_request(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"{request.method} {request.url} was sent")

    http = httpx.Client(transport=httpx.MockTransport(fail_on_request))
    return EdgeClient("unit-key", base_url="https://edge.example.test/v1", http_client=http)


@pytest.mark.parametrize(
    ("arguments", "argument", "message"),
    [
        ({"target_user_id": 8}, "number_id", "is required, or number: name the sender line"),
        ({"target_user": "omid"}, "number_id", "is required, or number"),
        ({"number_id": 5}, "target_user_id", "is required, or target_user: name the user"),
        ({"number": "3000818"}, "target_user_id", "is required, or target_user"),
        ({}, "number_id", "is required"),
        ({"number_id": 0, "target_user_id": 8}, "number_id", "expected an id"),
        ({"number_id": 5, "target_user_id": "8"}, "target_user_id", "expected an int"),
        ({"number_id": 5, "target_user": ""}, "target_user", "must not be empty"),
        ({"number": "", "target_user": "omid"}, "number", "digits|empty"),
    ],
)
def test_a_sender_line_and_a_user_are_required(arguments: dict[str, Any], argument: str, message: str) -> None:
    numbers = client_without_requests().numbers
    with pytest.raises(ConfigurationError, match=message) as caught:
        numbers.assign(send=True, gets=True, **arguments)
    assert caught.value.argument == argument
    with pytest.raises(ConfigurationError, match=message) as caught:
        numbers.unassign(**arguments)
    assert caught.value.argument == argument


@pytest.mark.parametrize("value", ["false", 1, None])
@pytest.mark.parametrize("flag", ["send", "gets"])
def test_the_permissions_of_the_user_must_be_bools(flag: str, value: object) -> None:
    flags: dict[str, Any] = {"send": True, "gets": True, flag: value}
    with pytest.raises(ConfigurationError, match="expected a bool") as caught:
        client_without_requests().numbers.assign(number_id=5, target_user_id=8, **flags)
    assert caught.value.argument == flag


def test_a_page_size_over_1000_is_rejected() -> None:
    with pytest.raises(ConfigurationError) as caught:
        client_without_requests().numbers.list(per_page=1001)
    assert caught.value.argument == "per_page"
