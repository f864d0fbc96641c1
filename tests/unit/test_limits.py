"""Checks that several calls share: ints, ids, choices, texts and pages, at both sides of each limit."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import pytest

from ippanel_edge.config import Defaults
from ippanel_edge.errors import ConfigurationError, Outcome
from ippanel_edge.values.checks import (
    check_choice,
    check_id,
    check_ids,
    check_int,
    check_items,
    check_iterable,
    check_range,
    check_str,
    check_text,
    check_type,
    optional_ids,
    paging,
)

NOT_WHOLE = [None, True, 1.0, "1", [1]]


def refused(argument: str, says: str, call: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert caught.value.argument == argument
    assert str(caught.value) == f"{argument}: {says}"
    assert caught.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("value", NOT_WHOLE)
def test_only_an_int_is_a_whole_number(value: Any) -> None:
    says = f"expected an int, got {type(value).__name__}"
    refused("n", says, lambda: check_int(value, argument="n"))
    refused("n", says, lambda: check_id(value, argument="n"))


@pytest.mark.parametrize("value", [-(2**63), 0, 2**63 - 1])
def test_a_whole_number_has_64_bits(value: int) -> None:
    assert check_int(value, argument="n") == value


@pytest.mark.parametrize("value", [-(2**63) - 1, 2**63, pytest.param(10**5000, id="of 5,001 digits")])
def test_a_number_that_the_service_cannot_hold_is_refused(value: int) -> None:
    refused("n", "is too large: the service stores integers in 64 bits", lambda: check_int(value, argument="n"))


@pytest.mark.parametrize("value", [2, 5, None])
def test_a_number_within_its_bounds_or_unset_is_accepted(value: int | None) -> None:
    assert check_range(value, 2, 5, argument="n") == value


@pytest.mark.parametrize("value", [1, 6])
def test_a_number_out_of_its_bounds_is_refused_unless_limits_are_off(value: int) -> None:
    refused("n", f"expected 2 to 5, got {value}", lambda: check_range(value, 2, 5, argument="n"))
    assert check_range(value, 2, 5, argument="n", check=False) == value


def test_a_bound_may_be_open() -> None:
    assert check_range(10**9, 0, None, argument="n") == 10**9
    refused("n", "expected 0 or more, got -1", lambda: check_range(-1, 0, None, argument="n"))


def test_what_is_no_number_is_refused_with_limits_off_too() -> None:
    refused("n", "expected an int, got float", lambda: check_range(2.5, 1, 5, argument="n", check=False))  # type: ignore[arg-type]  # a caller without a type checker


def test_an_id_begins_at_1() -> None:
    assert check_id(1, argument="id") == 1
    refused("id", "expected an id, an int from 1, got 0", lambda: check_id(0, argument="id"))
    refused("id", "expected an id, an int from 1, got -3", lambda: check_id(-3, argument="id"))


def test_an_id_may_be_unset_where_it_may() -> None:
    assert optional_ids(id=None) == {}
    assert optional_ids(id=4) == {"id": 4}
    refused("id", "expected an id, an int from 1, got 0", lambda: optional_ids(id=0))


def test_ids_come_from_any_iterable_in_their_order() -> None:
    assert check_ids((each for each in (3, 1, 3)), argument="ids") == [3, 1, 3]
    assert check_ids([], argument="ids", minimum=0) == []


def test_the_first_wrong_id_is_named_by_its_place() -> None:
    refused("ids[1]", "expected an id, an int from 1, got 0", lambda: check_ids([7, 0, -1], argument="ids"))


@pytest.mark.parametrize("values", [5, None, "12", b"12", {1: 2}])
def test_ids_are_a_list(values: Any) -> None:
    says = f"expected a list of ids, such as [1, 2], got {type(values).__name__}"
    refused("ids", says, lambda: check_ids(values, argument="ids"))


def test_no_ids_are_too_few() -> None:
    refused("ids", "must not be empty", lambda: check_ids([], argument="ids"))


def test_an_iterable_is_handed_on_unread() -> None:
    values = iter([1, 2])
    assert check_iterable(values, argument="n", of="numbers") is values


class Kind(enum.StrEnum):
    A = "a"
    B = "b"


@pytest.mark.parametrize("value", ["a", Kind.B, None])
def test_a_documented_choice_is_accepted(value: str | None) -> None:
    assert check_choice(value, ("a", "b"), argument="kind") == value


def test_another_choice_is_refused_with_the_list_of_them_unless_limits_are_off() -> None:
    refused("kind", "expected one of 'a', 'b', got 'c'", lambda: check_choice("c", ("a", "b"), argument="kind"))
    assert check_choice("c", ("a", "b"), argument="kind", check=False) == "c"


@pytest.mark.parametrize("value", [True, 1.0, "1"])
def test_a_choice_of_another_type_is_refused_though_it_may_be_equal(value: Any) -> None:
    expected = f"expected one of 1, 2, got {value!r}"
    refused("n", expected, lambda: check_choice(value, (1, 2), argument="n", check=True))
    refused("n", expected, lambda: check_choice(value, (1, 2), argument="n", check=False))


def test_a_text_holds_something() -> None:
    assert check_text(" سلام ", argument="title") == " سلام "
    refused("title", "must not be empty", lambda: check_text(" \n", argument="title"))


def test_a_text_has_a_length_at_most_unless_limits_are_off() -> None:
    assert check_text("abc", argument="title", limit=3) == "abc"
    refused("title", "expected at most 3 characters, got 4", lambda: check_text("abcd", argument="title", limit=3))
    assert check_text("abcd", argument="title", limit=Defaults(validate=False).limit(3)) == "abcd"


@pytest.mark.parametrize("value", [None, 5, b"x"])
def test_a_text_is_a_str(value: Any) -> None:
    for check in (check_text, check_str):
        refused("title", f"expected a str, got {type(value).__name__}", lambda: check(value, argument="title"))  # noqa: B023 - called at once


def test_half_a_character_is_refused_and_an_empty_text_has_none() -> None:
    for check in (check_text, check_str):
        refused("t", "contains a lone surrogate", lambda: check("a\ud83d", argument="t"))  # noqa: B023 - called at once
    assert check_str("", argument="t") == ""
    assert check_str("\U0001f33b", argument="t") == "\U0001f33b"


def test_an_object_is_of_its_class() -> None:
    assert check_type(Kind.A, Kind, argument="kind") is Kind.A
    refused("kind", "expected a Kind, got str", lambda: check_type("a", Kind, argument="kind"))
    refused("kind", "expected a Kind or int, got NoneType", lambda: check_type(None, (Kind, int), argument="kind"))


def test_the_first_object_of_another_class_is_named_by_its_place() -> None:
    assert check_items((each for each in [1, 2]), int, argument="n") == [1, 2]
    refused("n[1]", "expected a int, got str", lambda: check_items([1, "2"], int, argument="n"))


def test_a_lone_object_is_no_list_and_an_empty_list_is_too_few() -> None:
    refused("n", "expected a list of int, got int", lambda: check_items(1, int, argument="n"))
    refused("n", "must not be empty", lambda: check_items([], int, argument="n"))
    assert check_items([], int, argument="n", minimum=0) == []


def test_a_page_is_asked_for_by_number_and_size() -> None:
    assert paging(1, per_page=1) == {"page": 1, "per_page": 1}
    assert paging(9, limit=1000) == {"page": 9, "limit": 1000}


@pytest.mark.parametrize(
    ("page", "per_page", "argument", "says"),
    [
        (0, 10, "page", "expected 1 or more, got 0"),
        (None, 10, "page", "expected an int, got NoneType"),
        (1, 0, "per_page", "expected 1 to 1000, got 0"),
        (1, 1001, "per_page", "expected 1 to 1000, got 1001"),
        (1, "10", "per_page", "expected an int, got str"),
    ],
)
def test_a_page_out_of_bounds_is_refused(page: Any, per_page: Any, argument: str, says: str) -> None:
    refused(argument, says, lambda: paging(page, per_page=per_page))


def test_a_larger_page_may_be_asked_for_with_limits_off_but_none_below_1() -> None:
    assert paging(1, per_page=5000, check=False) == {"page": 1, "per_page": 5000}
    refused("per_page", "expected 1 or more, got 0", lambda: paging(1, per_page=0, check=False))
