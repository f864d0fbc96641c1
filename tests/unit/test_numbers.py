"""Assigning a number names a line and a user; what is missing or wrong is said before anything is sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ippanel_edge import ConfigurationError, EdgeClient


def client_that_sends_nothing() -> EdgeClient:
    def answer(request: httpx.Request) -> httpx.Response:
        raise AssertionError(f"{request.method} {request.url} was sent")

    http = httpx.Client(transport=httpx.MockTransport(answer))
    return EdgeClient("unit-key", base_url="https://edge.example.test/v1", http_client=http)


@pytest.mark.parametrize(
    ("arguments", "argument", "why"),
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
def test_a_line_and_a_user_are_needed(arguments: dict[str, Any], argument: str, why: str) -> None:
    numbers = client_that_sends_nothing().numbers
    with pytest.raises(ConfigurationError, match=why) as caught:
        numbers.assign(send=True, gets=True, **arguments)
    assert caught.value.argument == argument
    with pytest.raises(ConfigurationError, match=why) as caught:
        numbers.unassign(**arguments)
    assert caught.value.argument == argument


@pytest.mark.parametrize("word", ["false", 1, None])
@pytest.mark.parametrize("flag", ["send", "gets"])
def test_what_the_user_may_do_is_true_or_false(flag: str, word: object) -> None:
    flags: dict[str, Any] = {"send": True, "gets": True, flag: word}
    with pytest.raises(ConfigurationError, match="expected a bool") as caught:
        client_that_sends_nothing().numbers.assign(number_id=5, target_user_id=8, **flags)
    assert caught.value.argument == flag


def test_a_page_has_at_most_1000_rows() -> None:
    with pytest.raises(ConfigurationError) as caught:
        client_that_sends_nothing().numbers.list(per_page=1001)
    assert caught.value.argument == "per_page"
