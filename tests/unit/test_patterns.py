"""Patterns: text and variables are held against each other before anything is sent; a 405 makes POST a PUT."""

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


def of(message: str, *names: str, **fields: Any) -> NewPattern:
    variables = [PatternVariable(name=name, type=VariableType.STRING) for name in names]
    return NewPattern(description="x", message=message, variable=variables, **fields)


def refuse(_: httpx.Request) -> httpx.Response:
    raise AssertionError("something was sent")


def client_of(answer: Callable[[httpx.Request], httpx.Response], **options: Any) -> EdgeClient:
    return EdgeClient("key", http_client=httpx.Client(transport=httpx.MockTransport(answer)), **options)


STRING = VariableType.STRING


@pytest.mark.parametrize(
    ("argument", "named", "pattern"),
    [
        ("pattern.message", "%code%", of("کد %code%")),
        ("pattern.message", "%b%", of("%a% %b%", "a")),
        ("pattern.message", "%نام%", of("%نام% عزیز")),
        ("pattern.variable[1].name", "'b'", of("%a%", "a", "b")),
        ("pattern.variable[1].name", "twice", of("%a%", "a", "a")),
        ("pattern.variable[0].name", "'code'", of("code", "code")),
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
        ("pattern.message", "empty", of(" ")),
        ("pattern.description", "empty", NewPattern(description="", message="x", variable=[])),
        ("pattern.title", "empty", of("x", title="")),
        ("pattern.website", "empty", of("x", website=" ")),
        ("pattern.variable[0]", "PatternVariable", NewPattern(description="x", message="x", variable=[{}])),  # type: ignore[list-item]  # what a caller without a checker may write
        ("pattern.variable", "list", NewPattern(description="x", message="x", variable="ab")),  # type: ignore[arg-type]  # the same
    ],
)
def test_what_does_not_agree_is_named_and_nothing_is_sent(argument: str, named: str, pattern: NewPattern) -> None:
    client = client_of(refuse)
    for ask in (client.patterns.create, partial(client.patterns.update, "k")):
        with pytest.raises(ConfigurationError) as caught:
            ask(pattern)
        assert caught.value.argument == argument
        assert named in str(caught.value)


def test_a_dict_is_no_pattern() -> None:
    with pytest.raises(ConfigurationError, match="NewPattern"):
        client_of(refuse).patterns.create({"message": "x"})  # type: ignore[arg-type]  # what a caller without a checker may write


@pytest.mark.parametrize("message", ["50% off", "50% و 60% تخفیف", "100%/50%", "%%", "% a %", "100%"])
def test_a_percent_sign_alone_is_no_variable(message: str) -> None:
    assert patterns.body(Defaults(), of(message))["variable"] == []


def test_a_text_that_only_looks_like_a_variable_passes_when_limits_are_off() -> None:
    assert patterns.body(Defaults(validate=False), of("10%تا%20"))["message"] == "10%تا%20"


@given(st.lists(st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True), unique=True, max_size=6))
def test_every_variable_that_is_in_the_message_is_declared_and_goes_out(names: list[str]) -> None:
    message = "x " + " ".join(f"%{name}%" for name in names)
    body = patterns.body(Defaults(), of(message, *names))
    assert [each["name"] for each in body["variable"]] == names


REFUSED: list[tuple[str, Callable[[Any], object]]] = [
    ("per_page", lambda c: c.patterns.list(per_page=101)),
    ("per_page", lambda c: list(c.patterns.iter_list(per_page=101))),
    ("page", lambda c: c.patterns.list(page=0)),
    ("pattern_code", lambda c: c.patterns.get("")),
    ("pattern_code", lambda c: c.patterns.get("..")),
    ("pattern_code", lambda c: c.patterns.delete(" ")),
    ("pattern_code", lambda c: c.patterns.update("", of("x"))),
]


@pytest.mark.parametrize(("argument", "ask"), REFUSED)
def test_pages_and_codes_are_checked(argument: str, ask: Callable[[Any], object]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ask(client_of(refuse))
    assert caught.value.argument == argument


def test_a_code_stays_one_step_of_the_address() -> None:
    paths: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        paths.append(request.url.raw_path)
        return httpx.Response(200, json={"data": {}, "meta": {"status": True}})

    client_of(answer).patterns.get("a/b?c")
    assert paths == [b"/v1/api/patterns/a%2Fb%3Fc"]


def test_unset_filters_are_left_out() -> None:
    assert patterns.listing(Defaults(), page=2, per_page=5, filters=PatternFilters()) == {"page": 2, "per_page": 5}


def test_an_update_that_post_may_not_do_is_made_by_put_and_so_from_then_on() -> None:
    methods: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        methods.append(request.method)
        if request.method == "POST":
            return httpx.Response(405, headers={"Allow": "PUT"}, json={"data": None, "meta": {"status": False}})
        return httpx.Response(200, json={"data": {"pattern_status": "pending"}, "meta": {"status": True}})

    client = client_of(answer)
    assert client.patterns.update("k", of("x")).pattern_status == "pending"
    client.patterns.update("k", of("y"))
    assert methods == ["POST", "PUT", "PUT"]
