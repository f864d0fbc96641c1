"""Shared argument checks: ints, ids, choices, strings and pages, on both sides of each limit."""

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

NOT_INT = [None, True, 1.0, "1", [1]]


def assert_rejected(argument: str, message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert caught.value.argument == argument
    assert str(caught.value) == f"{argument}: {message}"
    assert caught.value.outcome is Outcome.NOT_SENT


@pytest.mark.parametrize("value", NOT_INT)
def test_a_value_that_is_not_an_int_is_rejected(value: Any) -> None:
    message = f"expected an int, got {type(value).__name__}"
    assert_rejected("n", message, lambda: check_int(value, argument="n"))
    assert_rejected("n", message, lambda: check_id(value, argument="n"))


@pytest.mark.parametrize("value", [-(2**63), 0, 2**63 - 1])
def test_a_64_bit_int_is_accepted(value: int) -> None:
    assert check_int(value, argument="n") == value


@pytest.mark.parametrize("value", [-(2**63) - 1, 2**63, pytest.param(10**5000, id="5,001 digits")])
def test_an_int_of_more_than_64_bits_is_rejected(value: int) -> None:
    assert_rejected("n", "is too large: the service stores integers in 64 bits", lambda: check_int(value, argument="n"))


@pytest.mark.parametrize("value", [2, 5, None])
def test_an_int_within_its_range_and_none_are_accepted(value: int | None) -> None:
    assert check_range(value, 2, 5, argument="n") == value


@pytest.mark.parametrize("value", [1, 6])
def test_an_int_out_of_its_range_is_rejected_unless_limit_checks_are_disabled(value: int) -> None:
    assert_rejected("n", f"expected 2 to 5, got {value}", lambda: check_range(value, 2, 5, argument="n"))
    assert check_range(value, 2, 5, argument="n", check=False) == value


def test_a_range_may_have_no_upper_bound() -> None:
    assert check_range(10**9, 0, None, argument="n") == 10**9
    assert_rejected("n", "expected 0 or more, got -1", lambda: check_range(-1, 0, None, argument="n"))


def test_a_float_is_rejected_even_if_limit_checks_are_disabled() -> None:
    assert_rejected("n", "expected an int, got float", lambda: check_range(2.5, 1, 5, argument="n", check=False))  # type: ignore[arg-type]  # a caller without a type checker


def test_an_id_is_at_least_1() -> None:
    assert check_id(1, argument="id") == 1
    assert_rejected("id", "expected an id, an int from 1, got 0", lambda: check_id(0, argument="id"))
    assert_rejected("id", "expected an id, an int from 1, got -3", lambda: check_id(-3, argument="id"))


def test_an_optional_id_may_be_none() -> None:
    assert optional_ids(id=None) == {}
    assert optional_ids(id=4) == {"id": 4}
    assert_rejected("id", "expected an id, an int from 1, got 0", lambda: optional_ids(id=0))


def test_ids_are_accepted_from_any_iterable_in_order() -> None:
    assert check_ids((each for each in (3, 1, 3)), argument="ids") == [3, 1, 3]
    assert check_ids([], argument="ids", minimum=0) == []


def test_the_first_invalid_id_is_named_by_its_index() -> None:
    assert_rejected("ids[1]", "expected an id, an int from 1, got 0", lambda: check_ids([7, 0, -1], argument="ids"))


@pytest.mark.parametrize("values", [5, None, "12", b"12", {1: 2}])
def test_a_value_that_is_not_a_list_of_ids_is_rejected(values: Any) -> None:
    message = f"expected a list of ids, such as [1, 2], got {type(values).__name__}"
    assert_rejected("ids", message, lambda: check_ids(values, argument="ids"))


def test_an_empty_list_of_ids_is_rejected() -> None:
    assert_rejected("ids", "must not be empty", lambda: check_ids([], argument="ids"))


def test_an_iterable_is_returned_without_reading_it() -> None:
    values = iter([1, 2])
    assert check_iterable(values, argument="n", of="numbers") is values


class Kind(enum.StrEnum):
    A = "a"
    B = "b"


@pytest.mark.parametrize("value", ["a", Kind.B, None])
def test_a_documented_choice_is_accepted(value: str | None) -> None:
    assert check_choice(value, ("a", "b"), argument="kind") == value


def test_an_undocumented_choice_is_rejected_unless_limit_checks_are_disabled() -> None:
    assert_rejected("kind", "expected one of 'a', 'b', got 'c'", lambda: check_choice("c", ("a", "b"), argument="kind"))
    assert check_choice("c", ("a", "b"), argument="kind", check=False) == "c"


@pytest.mark.parametrize("value", [True, 1.0, "1"])
def test_an_equal_value_of_another_type_is_not_a_valid_choice(value: Any) -> None:
    expected = f"expected one of 1, 2, got {value!r}"
    assert_rejected("n", expected, lambda: check_choice(value, (1, 2), argument="n", check=True))
    assert_rejected("n", expected, lambda: check_choice(value, (1, 2), argument="n", check=False))


def test_a_blank_str_is_rejected() -> None:
    assert check_text(" سلام ", argument="title") == " سلام "
    assert_rejected("title", "must not be empty", lambda: check_text(" \n", argument="title"))


def test_a_str_over_its_length_limit_is_rejected_unless_limit_checks_are_disabled() -> None:
    assert check_text("abc", argument="title", limit=3) == "abc"
    assert_rejected(
        "title", "expected at most 3 characters, got 4", lambda: check_text("abcd", argument="title", limit=3)
    )
    assert check_text("abcd", argument="title", limit=Defaults(validate=False).limit(3)) == "abcd"


@pytest.mark.parametrize("value", [None, 5, b"x"])
def test_a_value_that_is_not_a_str_is_rejected(value: Any) -> None:
    for check in (check_text, check_str):
        assert_rejected("title", f"expected a str, got {type(value).__name__}", lambda: check(value, argument="title"))  # noqa: B023 - called in the same iteration


def test_a_lone_surrogate_is_rejected_and_other_strings_are_accepted() -> None:
    for check in (check_text, check_str):
        assert_rejected("t", "contains a lone surrogate", lambda: check("a\ud83d", argument="t"))  # noqa: B023 - called in the same iteration
    assert check_str("", argument="t") == ""
    assert check_str("\U0001f33b", argument="t") == "\U0001f33b"


def test_an_object_of_another_class_is_rejected() -> None:
    assert check_type(Kind.A, Kind, argument="kind") is Kind.A
    assert_rejected("kind", "expected a Kind, got str", lambda: check_type("a", Kind, argument="kind"))
    assert_rejected(
        "kind", "expected a Kind or int, got NoneType", lambda: check_type(None, (Kind, int), argument="kind")
    )


def test_the_first_item_of_another_class_is_named_by_its_index() -> None:
    assert check_items((each for each in [1, 2]), int, argument="n") == [1, 2]
    assert_rejected("n[1]", "expected a int, got str", lambda: check_items([1, "2"], int, argument="n"))


def test_a_single_object_and_an_empty_list_are_rejected() -> None:
    assert_rejected("n", "expected a list of int, got int", lambda: check_items(1, int, argument="n"))
    assert_rejected("n", "must not be empty", lambda: check_items([], int, argument="n"))
    assert check_items([], int, argument="n", minimum=0) == []


def test_paging_returns_the_page_and_its_size_as_query_parameters() -> None:
    assert paging(1, per_page=1) == {"page": 1, "per_page": 1}
    assert paging(9, limit=1000) == {"page": 9, "limit": 1000}


@pytest.mark.parametrize(
    ("page", "per_page", "argument", "message"),
    [
        (0, 10, "page", "expected 1 or more, got 0"),
        (None, 10, "page", "expected an int, got NoneType"),
        (1, 0, "per_page", "expected 1 to 1000, got 0"),
        (1, 1001, "per_page", "expected 1 to 1000, got 1001"),
        (1, "10", "per_page", "expected an int, got str"),
    ],
)
def test_an_invalid_page_or_page_size_is_rejected(page: Any, per_page: Any, argument: str, message: str) -> None:
    assert_rejected(argument, message, lambda: paging(page, per_page=per_page))


def test_a_page_size_over_the_limit_but_not_below_1_is_accepted_if_limit_checks_are_disabled() -> None:
    assert paging(1, per_page=5000, check=False) == {"page": 1, "per_page": 5000}
    assert_rejected("per_page", "expected 1 or more, got 0", lambda: paging(1, per_page=0, check=False))
