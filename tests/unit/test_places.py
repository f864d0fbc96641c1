"""The questions to the number banks: places, birth years, genders and prefixes, on both sides of each limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ippanel_edge._sync.sections.banks import Banks
from ippanel_edge._sync.sections.geolocation import Geolocation
from ippanel_edge._sync.sections.jobs import Jobs
from ippanel_edge.api.places import inner_place, prefix, years
from ippanel_edge.config import Defaults
from ippanel_edge.errors import ConfigurationError
from ippanel_edge.models.banks import RecipientsCount
from tests.unit.built import Built

CHECKED = Defaults()
UNCHECKED = Defaults(validate=False)


def bank(choice: Mapping[str, Any], defaults: Defaults = CHECKED) -> dict[str, str]:
    built = Built()
    asked: dict[str, Any] = {"province_id": 3, **choice}
    Banks(built, defaults).count(**asked)
    return built.query


def geolocation(choice: Mapping[str, Any], defaults: Defaults = CHECKED) -> dict[str, str]:
    built = Built()
    asked: dict[str, Any] = {"province_id": 3, **choice}
    Geolocation(built, defaults).count(**asked)
    return built.query


def job(choice: Mapping[str, Any], defaults: Defaults = CHECKED) -> dict[str, str]:
    built = Built()
    asked: dict[str, Any] = {"main_category_id": 3, **choice}
    Jobs(built, defaults).count(**asked)
    return built.query


def written(choice: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in choice.items()}


@pytest.mark.parametrize(
    "choice",
    [
        {},
        {"county_id": 8},
        {"county_id": 8, "city_id": 1},
        {"birth_year_from": 1300},
        {"birth_year_to": 1410},
        {"birth_year_from": 1360, "birth_year_to": 1360},
        {"gender_id": 1},
        {"gender_id": 3},
        {"number_prefix": "91"},
        {"number_prefix": "091234"},
    ],
)
def test_a_choice_within_the_limits_is_asked_as_it_is(choice: dict[str, Any]) -> None:
    assert bank(choice) == written({"province_id": 3, **choice})


BEYOND = [
    ({"birth_year_from": 1299}, "birth_year_from", "expected 1300 to 1410, got 1299"),
    ({"birth_year_to": 1411}, "birth_year_to", "expected 1300 to 1410, got 1411"),
    (
        {"birth_year_from": 1361, "birth_year_to": 1360},
        "birth_year_from",
        "must not be after birth_year_to (1360), but is 1361",
    ),
    ({"gender_id": 0}, "gender_id", "expected one of 1, 2, 3, got 0"),
    ({"gender_id": 4}, "gender_id", "expected one of 1, 2, 3, got 4"),
    ({"number_prefix": "9"}, "number_prefix", "expected 2 to 6 digits, such as '912', got 1"),
    ({"number_prefix": "0912345"}, "number_prefix", "expected 2 to 6 digits, such as '912', got 7"),
]


@pytest.mark.parametrize(("choice", "argument", "says"), BEYOND)
def test_a_choice_over_a_limit_is_refused_by_its_name(choice: dict[str, Any], argument: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        bank(choice)
    assert (caught.value.argument, str(caught.value)) == (argument, f"{argument}: {says}")


@pytest.mark.parametrize(("choice", "argument", "says"), BEYOND)
def test_with_limits_off_the_service_decides(choice: dict[str, Any], argument: str, says: str) -> None:
    assert argument in choice, says
    assert bank(choice, UNCHECKED) == written({"province_id": 3, **choice})


@pytest.mark.parametrize(
    ("choice", "argument", "says"),
    [
        ({"province_id": None}, "province_id", "expected an int, got NoneType"),
        ({"province_id": 0}, "province_id", "expected an id, an int from 1, got 0"),
        ({"county_id": "8"}, "county_id", "expected an int, got str"),
        ({"county_id": 8, "city_id": 0}, "city_id", "expected an id, an int from 1, got 0"),
        ({"city_id": 1}, "county_id", "is required with city_id"),
        ({"birth_year_from": "1360"}, "birth_year_from", "expected an int, got str"),
        ({"gender_id": "male"}, "gender_id", "expected one of 1, 2, 3, got 'male'"),
        ({"gender_id": True}, "gender_id", "expected one of 1, 2, 3, got True"),
        ({"number_prefix": 912}, "number_prefix", "expected a str of digits, such as '912'"),
        ({"number_prefix": "91x"}, "number_prefix", "expected a str of digits, such as '912'"),
        ({"number_prefix": ""}, "number_prefix", "expected a str of digits, such as '912'"),
        ({"number_prefix": "912\n"}, "number_prefix", "expected a str of digits, such as '912'"),
    ],
)
@pytest.mark.parametrize("defaults", [CHECKED, UNCHECKED])
def test_a_wrong_shape_is_refused_with_limits_on_and_off(
    defaults: Defaults, choice: dict[str, Any], argument: str, says: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        bank(choice, defaults)
    assert (caught.value.argument, str(caught.value)) == (argument, f"{argument}: {says}")


def test_what_the_service_does_not_count_counts_as_none() -> None:
    assert RecipientsCount(mci_count=5, other_count=2).total == 7


def test_an_open_end_of_the_years_is_accepted() -> None:
    assert years(check=True, first=None, last=None) == {}
    assert years(check=True, first=1410, last=None) == {"first": 1410}
    assert years(check=True, first=None, last=1300) == {"last": 1300}


def test_a_prefix_may_be_unset() -> None:
    assert prefix(None, argument="pre", check=True) is None


def test_a_place_says_where_it_stands() -> None:
    assert inner_place(8, 1, within="targets[2].") == {"county_id": 8, "city_id": 1}
    with pytest.raises(ConfigurationError) as caught:
        inner_place(None, 1, within="targets[2].")
    assert caught.value.argument == "targets[2].county_id"


def test_the_second_bank_tells_two_genders_apart_and_takes_a_city_alone() -> None:
    choice = {"province_id": 3, "city_id": 5, "from_age": 1300, "to_age": 1410, "gender": 2, "pre": "0912"}
    assert geolocation(choice) == written(choice)
    for wrong, argument in (({"gender": 3}, "gender"), ({"from_age": 1299}, "from_age"), ({"pre": "9"}, "pre")):
        with pytest.raises(ConfigurationError) as caught:
            geolocation(wrong)
        assert caught.value.argument == argument
        assert geolocation(wrong, UNCHECKED) == written({"province_id": 3, **wrong})


def test_a_trade_is_asked_for_by_its_ids_operator_and_range() -> None:
    choice = {"sub_category_id": 4, "operator_id": 13, "start": 0, "size": 7}
    assert job(choice) == written({"main_category_id": 3, **choice})
    for wrong, argument in (
        ({"operator_id": 3}, "operator_id"),
        ({"start": -1}, "start"),
        ({"size": -1}, "size"),
        ({"sub_category_id": 0}, "sub_category_id"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            job(wrong)
        assert caught.value.argument == argument
    assert job({"operator_id": 3}, UNCHECKED) == written({"main_category_id": 3, "operator_id": 3})
