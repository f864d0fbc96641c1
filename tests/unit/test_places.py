"""The questions to the number banks: places, birth years, genders and prefixes, on both sides of each limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ippanel_edge.api.places import bank_choice, geolocation_choice, inner_place, job_choice, prefix, years
from ippanel_edge.config import Defaults
from ippanel_edge.errors import ConfigurationError
from ippanel_edge.models.banks import RecipientsCount

CHECKED = Defaults()
UNCHECKED = Defaults(validate=False)
NAMES = ("from", "to")


def bank(choice: Mapping[str, Any], defaults: Defaults = CHECKED) -> dict[str, Any]:
    unset: dict[str, Any] = dict.fromkeys(
        ("county_id", "city_id", "birth_year_from", "birth_year_to", "gender_id", "number_prefix")
    )
    asked: dict[str, Any] = {**unset, "province_id": 3, **choice}
    return bank_choice(defaults, **asked)


def geolocation(choice: Mapping[str, Any], defaults: Defaults = CHECKED) -> dict[str, Any]:
    unset: dict[str, Any] = dict.fromkeys(("county_id", "city_id", "from_age", "to_age", "gender", "pre"))
    asked: dict[str, Any] = {**unset, "province_id": 3, **choice}
    return geolocation_choice(defaults, **asked)


def job(choice: Mapping[str, Any], defaults: Defaults = CHECKED) -> dict[str, Any]:
    unset: dict[str, Any] = dict.fromkeys(("sub_category_id", "operator_id", "start", "size"))
    asked: dict[str, Any] = {**unset, "main_category_id": 3, **choice}
    return job_choice(defaults, **asked)


def kept(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}


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
    assert kept(bank(choice)) == {"province_id": 3, **choice}


BEYOND = [
    ({"birth_year_from": 1299}, "birth_year_from", "must be 1300 to 1410, not 1299"),
    ({"birth_year_to": 1411}, "birth_year_to", "must be 1300 to 1410, not 1411"),
    (
        {"birth_year_from": 1361, "birth_year_to": 1360},
        "birth_year_from",
        "must not be after birth_year_to (1360), but is 1361",
    ),
    ({"gender_id": 0}, "gender_id", "must be one of 1, 2, 3, not 0"),
    ({"gender_id": 4}, "gender_id", "must be one of 1, 2, 3, not 4"),
    ({"number_prefix": "9"}, "number_prefix", "must be 2 to 6 digits, such as '912', not 1"),
    ({"number_prefix": "0912345"}, "number_prefix", "must be 2 to 6 digits, such as '912', not 7"),
]


@pytest.mark.parametrize(("choice", "argument", "says"), BEYOND)
def test_a_choice_over_a_limit_is_refused_by_its_name(choice: dict[str, Any], argument: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        bank(choice)
    assert (caught.value.argument, str(caught.value)) == (argument, f"{argument}: {says}")


@pytest.mark.parametrize(("choice", "argument", "says"), BEYOND)
def test_with_limits_off_the_service_decides(choice: dict[str, Any], argument: str, says: str) -> None:
    assert argument in choice, says
    assert kept(bank(choice, UNCHECKED)) == {"province_id": 3, **choice}


@pytest.mark.parametrize(
    ("choice", "argument", "says"),
    [
        ({"province_id": None}, "province_id", "must be a whole number, not NoneType"),
        ({"province_id": 0}, "province_id", "must be an id, a whole number from 1, not 0"),
        ({"county_id": "8"}, "county_id", "must be a whole number, not str"),
        ({"county_id": 8, "city_id": 0}, "city_id", "must be an id, a whole number from 1, not 0"),
        ({"city_id": 1}, "county_id", "is needed beside city_id"),
        ({"birth_year_from": "1360"}, "birth_year_from", "must be a whole number, not str"),
        ({"gender_id": "male"}, "gender_id", "must be one of 1, 2, 3, not 'male'"),
        ({"gender_id": True}, "gender_id", "must be one of 1, 2, 3, not True"),
        ({"number_prefix": 912}, "number_prefix", "must be a text of digits, such as '912'"),
        ({"number_prefix": "91x"}, "number_prefix", "must be a text of digits, such as '912'"),
        ({"number_prefix": ""}, "number_prefix", "must be a text of digits, such as '912'"),
        ({"number_prefix": "912\n"}, "number_prefix", "must be a text of digits, such as '912'"),
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
    years(None, None, NAMES, check=True)
    years(1410, None, NAMES, check=True)
    years(None, 1300, NAMES, check=True)


def test_a_prefix_may_be_unset() -> None:
    assert prefix(None, argument="pre", check=True) is None


def test_a_place_says_where_it_stands() -> None:
    assert inner_place(8, 1, within="targets[2].") == {"county_id": 8, "city_id": 1}
    with pytest.raises(ConfigurationError) as caught:
        inner_place(None, 1, within="targets[2].")
    assert caught.value.argument == "targets[2].county_id"


def test_the_second_bank_tells_two_genders_apart_and_takes_a_city_alone() -> None:
    choice = {"province_id": 3, "city_id": 5, "from_age": 1300, "to_age": 1410, "gender": 2, "pre": "0912"}
    assert kept(geolocation(choice)) == choice
    for wrong, argument in (({"gender": 3}, "gender"), ({"from_age": 1299}, "from_age"), ({"pre": "9"}, "pre")):
        with pytest.raises(ConfigurationError) as caught:
            geolocation(wrong)
        assert caught.value.argument == argument
        assert kept(geolocation(wrong, UNCHECKED)) == {"province_id": 3, **wrong}


def test_a_trade_is_asked_for_by_its_ids_operator_and_range() -> None:
    choice = {"sub_category_id": 4, "operator_id": 13, "start": 0, "size": 7}
    assert kept(job(choice)) == {"main_category_id": 3, **choice}
    for wrong, argument in (
        ({"operator_id": 3}, "operator_id"),
        ({"start": -1}, "start"),
        ({"size": -1}, "size"),
        ({"sub_category_id": 0}, "sub_category_id"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            job(wrong)
        assert caught.value.argument == argument
    assert kept(job({"operator_id": 3}, UNCHECKED)) == {"main_category_id": 3, "operator_id": 3}
