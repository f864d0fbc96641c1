"""Queries of the number banks: places, birth years, genders and prefixes, on both sides of each limit."""

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
from tests.unit.call_recorder import CallRecorder

CITY = {"province_id": 3, "county_id": 8, "city_id": 1}
CHECKED = Defaults()
UNCHECKED = Defaults(validate=False)


def bank_query(arguments: Mapping[str, Any], defaults: Defaults = CHECKED) -> dict[str, str]:
    recorder = CallRecorder()
    fields: dict[str, Any] = {**CITY, **arguments}
    Banks(recorder, defaults).count(**fields)
    return recorder.query


def geolocation_query(arguments: Mapping[str, Any], defaults: Defaults = CHECKED) -> dict[str, str]:
    recorder = CallRecorder()
    fields: dict[str, Any] = {"province_id": 3, **arguments}
    Geolocation(recorder, defaults).count(**fields)
    return recorder.query


def job_query(arguments: Mapping[str, Any], defaults: Defaults = CHECKED) -> dict[str, str]:
    recorder = CallRecorder()
    fields: dict[str, Any] = {"main_category_id": 3, **arguments}
    Jobs(recorder, defaults).count(**fields)
    return recorder.query


def as_query(arguments: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in arguments.items()}


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"birth_year_from": 1300},
        {"birth_year_to": 1410},
        {"birth_year_from": 1360, "birth_year_to": 1360},
        {"gender_id": 1},
        {"gender_id": 3},
        {"number_prefix": "9"},
        {"number_prefix": "9123456"},
    ],
)
def test_arguments_within_the_limits_are_sent_unchanged(arguments: dict[str, Any]) -> None:
    assert bank_query(arguments) == as_query({**CITY, **arguments})


OUT_OF_LIMITS = [
    ({"birth_year_from": 1299}, "birth_year_from", "expected 1300 to 1410, got 1299"),
    ({"birth_year_to": 1411}, "birth_year_to", "expected 1300 to 1410, got 1411"),
    (
        {"birth_year_from": 1361, "birth_year_to": 1360},
        "birth_year_from",
        "must not be after birth_year_to (1360), but is 1361",
    ),
    ({"gender_id": 0}, "gender_id", "expected one of 1, 2, 3, got 0"),
    ({"gender_id": 4}, "gender_id", "expected one of 1, 2, 3, got 4"),
    ({"county_id": None, "city_id": None}, "county_id", "is required: the API counts the numbers of a city only"),
    ({"city_id": None}, "city_id", "is required: the API counts the numbers of a city only"),
]


@pytest.mark.parametrize(("arguments", "argument", "message"), OUT_OF_LIMITS)
def test_an_argument_out_of_its_limits_is_rejected_and_named_in_the_error(
    arguments: dict[str, Any], argument: str, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        bank_query(arguments)
    assert (caught.value.argument, str(caught.value)) == (argument, f"{argument}: {message}")


@pytest.mark.parametrize(("arguments", "argument", "message"), OUT_OF_LIMITS)
def test_arguments_out_of_the_limits_are_sent_if_limit_checks_are_disabled(
    arguments: dict[str, Any], argument: str, message: str
) -> None:
    assert argument in arguments, message
    expected = {name: value for name, value in {**CITY, **arguments}.items() if value is not None}
    assert bank_query(arguments, UNCHECKED) == as_query(expected)


@pytest.mark.parametrize(
    ("arguments", "argument", "message"),
    [
        ({"province_id": None}, "province_id", "expected an int, got NoneType"),
        ({"province_id": 0}, "province_id", "expected an id, an int from 1, got 0"),
        ({"county_id": "8"}, "county_id", "expected an int, got str"),
        ({"county_id": 8, "city_id": 0}, "city_id", "expected an id, an int from 1, got 0"),
        ({"county_id": None}, "county_id", "is required with city_id"),
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
def test_an_argument_of_a_wrong_type_is_rejected_even_if_limit_checks_are_disabled(
    defaults: Defaults, arguments: dict[str, Any], argument: str, message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        bank_query(arguments, defaults)
    assert (caught.value.argument, str(caught.value)) == (argument, f"{argument}: {message}")


def test_a_missing_count_adds_0_to_the_total() -> None:
    assert RecipientsCount(mci_count=5, other_count=2).total == 7


def test_the_range_of_years_may_have_no_start_and_no_end() -> None:
    assert years(check=True, first=None, last=None) == {}
    assert years(check=True, first=1410, last=None) == {"first": 1410}
    assert years(check=True, first=None, last=1300) == {"last": 1300}


def test_a_prefix_may_be_none() -> None:
    assert prefix(None, argument="pre") is None


def test_the_error_of_a_nested_place_contains_its_path() -> None:
    assert inner_place(8, 1, within="targets[2].") == {"county_id": 8, "city_id": 1}
    with pytest.raises(ConfigurationError) as caught:
        inner_place(None, 1, within="targets[2].")
    assert caught.value.argument == "targets[2].county_id"


def test_the_geolocation_bank_accepts_genders_1_and_2_and_a_city_without_a_county() -> None:
    arguments = {"province_id": 3, "city_id": 5, "from_age": 1300, "to_age": 1410, "gender": 2, "pre": "9"}
    assert geolocation_query(arguments) == as_query(arguments)
    for invalid, argument in (({"gender": 0}, "gender"), ({"gender": 3}, "gender"), ({"from_age": 1299}, "from_age")):
        with pytest.raises(ConfigurationError) as caught:
            geolocation_query(invalid)
        assert caught.value.argument == argument
        assert geolocation_query(invalid, UNCHECKED) == as_query({"province_id": 3, **invalid})


def test_a_job_is_selected_by_category_ids_operator_and_range() -> None:
    arguments = {"sub_category_id": 4, "operator_id": 13, "start": 0, "size": 7}
    assert job_query(arguments) == as_query({"main_category_id": 3, **arguments})
    for invalid, argument in (
        ({"operator_id": 3}, "operator_id"),
        ({"start": -1}, "start"),
        ({"size": -1}, "size"),
        ({"sub_category_id": 0}, "sub_category_id"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            job_query(invalid)
        assert caught.value.argument == argument
    assert job_query({"operator_id": 3}, UNCHECKED) == as_query({"main_category_id": 3, "operator_id": 3})
