"""Patterns: message and variables are validated together, and an update falls back to PUT after a 405."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import ConfigurationError, EdgeClient
from ippanel_edge.api import patterns
from ippanel_edge.config import Defaults
from ippanel_edge.models.patterns import NewPattern, PatternFilters, PatternVariable
from ippanel_edge.models.states import VariableType


def pattern_of(message: str, *names: str, **fields: Any) -> NewPattern:
    variables = [PatternVariable(name=name, type=VariableType.STRING) for name in names]
    return NewPattern(description="x", message=message, variable=variables, **fields)


def fail_on_request(_: httpx.Request) -> httpx.Response:
    raise AssertionError("a request was sent")


def client_with(respond: Callable[[httpx.Request], httpx.Response], **options: Any) -> EdgeClient:
    return EdgeClient("key", http_client=httpx.Client(transport=httpx.MockTransport(respond)), **options)


STRING = VariableType.STRING


@pytest.mark.parametrize(
    ("argument", "expected", "pattern"),
    [
        ("pattern.message", "%code%", pattern_of("کد %code%")),
        ("pattern.message", "%b%", pattern_of("%a% %b%", "a")),
        ("pattern.message", "%نام%", pattern_of("%نام% عزیز")),
        ("pattern.variable[1].name", "'b'", pattern_of("%a%", "a", "b")),
        ("pattern.variable[1].name", "twice", pattern_of("%a%", "a", "a")),
        ("pattern.variable[0].name", "'code'", pattern_of("code", "code")),
        ("pattern.variable[0].name", "empty", NewPattern(description="x", message="x", variable=[PatternVariable()])),
        (
            "pattern.variable[0].type",
            "empty",
            NewPattern(description="x", message="%a%", variable=[PatternVariable(name="a")]),
        ),
        (
            "pattern.variable[0].type",
            "'string', 'integer'",
            NewPattern(description="x", message="%a%", variable=[PatternVariable(name="a", type="number")]),
        ),
        (
            "pattern.variable[0].len",
            "0 or more",
            NewPattern(description="x", message="%a%", variable=[PatternVariable(name="a", type=STRING, len=-1)]),
        ),
        ("pattern.message", "empty", pattern_of(" ")),
        ("pattern.description", "empty", NewPattern(description="", message="x", variable=[])),
        ("pattern.title", "empty", pattern_of("x", title="")),
        ("pattern.website", "empty", pattern_of("x", website=" ")),
    ],
)
def test_an_invalid_pattern_is_rejected_before_sending_and_the_error_names_the_field(
    argument: str, expected: str, pattern: NewPattern
) -> None:
    client = client_with(fail_on_request)
    for call in (client.patterns.create, partial(client.patterns.update, "k")):
        with pytest.raises(ConfigurationError) as caught:
            call(pattern)
        assert caught.value.argument == argument
        assert expected in str(caught.value)


def test_a_dict_is_rejected_as_a_pattern() -> None:
    with pytest.raises(ConfigurationError, match="NewPattern"):
        client_with(fail_on_request).patterns.create({"message": "x"})  # type: ignore[arg-type]  # a caller without a type checker


@pytest.mark.parametrize("message", ["50% off", "50% و 60% تخفیف", "100%/50%", "%%", "% a %", "100%"])
def test_a_percent_sign_that_does_not_delimit_a_name_is_not_a_variable(message: str) -> None:
    assert patterns.body(Defaults(), pattern_of(message))["variable"] == []


def test_a_text_that_resembles_a_variable_is_accepted_if_limit_checks_are_disabled() -> None:
    assert patterns.body(Defaults(validate=False), pattern_of("10%تا%20"))["message"] == "10%تا%20"


@given(st.lists(st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), unique=True, max_size=6))
def test_all_declared_variables_of_a_message_are_sent(names: list[str]) -> None:
    message = "x " + " ".join(f"%{name}%" for name in names)
    body = patterns.body(Defaults(), pattern_of(message, *names))
    assert [each["name"] for each in body["variable"]] == names


INVALID_CALLS: list[tuple[str, Callable[[Any], object]]] = [
    ("per_page", lambda c: c.patterns.list(per_page=101)),
    ("per_page", lambda c: list(c.patterns.iter_list(per_page=101))),
    ("page", lambda c: c.patterns.list(page=0)),
    ("pattern_code", lambda c: c.patterns.get("")),
    ("pattern_code", lambda c: c.patterns.get("..")),
    ("pattern_code", lambda c: c.patterns.delete(" ")),
    ("pattern_code", lambda c: c.patterns.update("", pattern_of("x"))),
]


@pytest.mark.parametrize(("argument", "call"), INVALID_CALLS)
def test_invalid_pages_and_pattern_codes_are_rejected_before_sending(
    argument: str, call: Callable[[Any], object]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call(client_with(fail_on_request))
    assert caught.value.argument == argument


def test_a_pattern_code_is_encoded_as_one_path_segment() -> None:
    paths: list[bytes] = []

    def respond(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(200, json={"data": {}, "meta": {"status": True}})

    client_with(respond).patterns.get("a/b?c")
    assert paths == [b"/v1/api/patterns/a%2Fb%3Fc"]


def test_unset_filters_are_omitted_from_the_query() -> None:
    assert patterns.listing(Defaults(), page=2, per_page=5, filters=PatternFilters()) == {"page": 2, "per_page": 5}


def test_an_update_switches_from_post_to_put_after_a_405() -> None:
    methods: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        methods.append(request.method)
        if request.method == "POST":
            return httpx.Response(405, headers={"Allow": "PUT"}, json={"data": None, "meta": {"status": False}})
        return httpx.Response(200, json={"data": {"pattern_status": "pending"}, "meta": {"status": True}})

    client = client_with(respond)
    assert client.patterns.update("k", pattern_of("x")).pattern_status == "pending"
    client.patterns.update("k", pattern_of("y"))
    assert methods == ["POST", "PUT", "PUT"]
