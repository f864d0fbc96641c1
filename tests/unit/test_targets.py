"""The targets of a send: banks, trades and phonebooks, each limit on both sides, named by its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ippanel_edge.api.targets import MAX_NUMBERS, countries, geolocations, jobs, phonebooks, postal_codes
from ippanel_edge.errors import ConfigurationError, Outcome
from ippanel_edge.models.send import (
    CountryTarget,
    GeolocationTarget,
    JobTarget,
    OperatorSlice,
    PhonebookNumbers,
    PostalCodeTarget,
    Slice,
    WholePhonebooks,
)

BOTH = pytest.mark.parametrize("check", [True, False], ids=["limits on", "limits off"])


def write(target: Any, *, check: bool = True, others: int = 0) -> list[dict[str, Any]]:
    """Write a good target and, behind it, the one in question: errors name the second place."""
    if isinstance(target, PostalCodeTarget):
        return postal_codes([PostalCodeTarget(postal_code=12), target], others=others, check=check)
    if isinstance(target, CountryTarget):
        return countries([CountryTarget(province_id=1), target], others=others, check=check)
    if isinstance(target, GeolocationTarget):
        return geolocations([GeolocationTarget(province_id=1), target], others=others, check=check)
    if isinstance(target, JobTarget):
        return jobs([JobTarget(main_category_id=1), target], check=check)
    return phonebooks([WholePhonebooks(phonebook_ids=[1]), target], check=check)


def refused(argument: str, says: str, call: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert caught.value.argument == argument
    assert says in str(caught.value)
    assert caught.value.outcome is Outcome.NOT_SENT


def filled(needed: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    return {**needed, **given}


def postal(**fields: Any) -> PostalCodeTarget:
    return PostalCodeTarget(**filled({"postal_code": 12}, fields))


def country(**fields: Any) -> CountryTarget:
    return CountryTarget(**filled({"province_id": 1}, fields))


def geolocation(**fields: Any) -> GeolocationTarget:
    return GeolocationTarget(**filled({"province_id": 1}, fields))


def job(**fields: Any) -> JobTarget:
    return JobTarget(**filled({"main_category_id": 1}, fields))


def operators(*sizes: int) -> list[OperatorSlice]:
    return [OperatorSlice(id=1, size=size) for size in sizes]


@pytest.mark.parametrize(
    "target",
    [
        *(postal(postal_code=code) for code in (10, 99999)),
        *(make(age_from=1300, age_to=1410) for make in (postal, country)),
        *(make(age_from=1400, age_to=1400) for make in (postal, country)),
        *(make(gender=gender) for make in (postal, country, geolocation) for gender in (0, 1, 2)),
        *(make(bank=bank) for make in (postal, country) for bank in ("all", "white")),
        *(make(mci=Slice(start=0, size=0), other=Slice(start=9)) for make in (postal, country)),
        *(country(pre=pre) for pre in (10, 999999, None)),
        country(county_id=1),
        country(county_id=1, city_id=1),
        *(geolocation(pre=pre) for pre in ("09", "091234")),
        *(geolocation(from_age=first, to_age=last) for first, last in ((1300, None), (None, 1410), (1350, 1350))),
        geolocation(province_id=None, city_id=7),
        GeolocationTarget(gender=1),
        *(make(operator=[OperatorSlice(id=each)]) for make in (geolocation, job) for each in (1, 2, 13)),
        job(sub_category_id=1, operator=()),
        WholePhonebooks(phonebook_ids=[1, 2], start=0, size=0),
        PhonebookNumbers(phonebook_id=1, number_ids=range(1, 500)),
    ],
    ids=str,
)
def test_a_target_within_its_limits_is_accepted(target: Any) -> None:
    assert len(write(target)) == 2


OVER: list[tuple[Any, str, str]] = [
    *((postal(postal_code=code), ".postal_code", "expected 10 to 99999") for code in (9, 100000)),
    *((make(age_from=1299), ".age_from", "expected 1300 to 1410, got 1299") for make in (postal, country)),
    *((make(age_to=1411), ".age_to", "expected 1300 to 1410, got 1411") for make in (postal, country)),
    *(
        (make(age_from=1381, age_to=1380), ".age_from", "must not be after targets[1].age_to (1380)")
        for make in (postal, country)
    ),
    *((make(gender=3), ".gender", "expected one of 0, 1, 2, got 3") for make in (postal, country, geolocation)),
    *((make(bank="black"), ".bank", "expected one of 'all', 'white', got 'black'") for make in (postal, country)),
    *((country(pre=pre), ".pre", "expected 10 to 999999") for pre in (9, 1000000)),
    *((geolocation(pre=pre), ".pre", "expected 2 to 6 digits") for pre in ("9", "0912345")),
    (geolocation(from_age=1299), ".from_age", "expected 1300 to 1410"),
    (geolocation(from_age=1351, to_age=1350), ".from_age", "must not be after targets[1].to_age"),
    *(
        (make(operator=[OperatorSlice(id=1), OperatorSlice(id=3)]), ".operator[1].id", "expected one of 1, 2, 13")
        for make in (geolocation, job)
    ),
]


@pytest.mark.parametrize(("target", "place", "says"), OVER, ids=str)
def test_a_target_over_a_limit_is_named_by_its_place_and_field(target: Any, place: str, says: str) -> None:
    refused(f"targets[1]{place}", says, lambda: write(target))


@pytest.mark.parametrize(("target", "place", "says"), OVER, ids=str)
def test_with_limits_off_it_is_sent_as_it_is(target: Any, place: str, says: str) -> None:
    assert place
    assert says
    assert len(write(target, check=False)) == 2


SHAPES: list[tuple[Any, str, str]] = [
    *((postal(postal_code=code), ".postal_code", "expected an int") for code in (None, "51", 5.0)),
    *((make(age_from=None), ".age_from", "expected an int, got NoneType") for make in (postal, country)),
    *((make(age_to="1400"), ".age_to", "expected an int, got str") for make in (postal, country)),
    *((make(gender=None), ".gender", "expected an int, got NoneType") for make in (postal, country)),
    *((make(gender="male"), ".gender", "") for make in (postal, country, geolocation)),
    *((make(bank=None), ".bank", "expected a str, got NoneType") for make in (postal, country)),
    *((make(mci={"start": 0}), ".mci", "expected a Slice, got dict") for make in (postal, country)),
    *((make(other=None), ".other", "expected a Slice, got NoneType") for make in (postal, country)),
    *((make(irancell=Slice(start=-1)), ".irancell.start", "expected 0 or more, got -1") for make in (postal, country)),
    *((make(mci=Slice(size=-1)), ".mci.size", "expected 0 or more, got -1") for make in (postal, country)),
    *((make(mci=Slice(size=None)), ".mci.size", "expected an int") for make in (postal, country)),  # type: ignore[arg-type]  # a caller without a type checker
    (country(province_id=None), ".province_id", "expected an int, got NoneType"),
    (country(county_id=0), ".county_id", "expected an id"),
    (country(city_id=4), ".county_id", "is required with city_id"),
    (country(pre="914"), ".pre", "expected an int, got str"),
    (geolocation(county_id="4"), ".county_id", "expected an int, got str"),
    (geolocation(city_id=0), ".city_id", "expected an id"),
    (geolocation(pre=914), ".pre", "expected a str of digits"),
    (geolocation(from_age="1350"), ".from_age", "expected an int, got str"),
    (GeolocationTarget(), "", "selects nobody or everybody"),
    (GeolocationTarget(operator=[]), "", "selects nobody or everybody"),
    (job(main_category_id=None), ".main_category_id", "expected an int, got NoneType"),
    (job(sub_category_id=0), ".sub_category_id", "expected an id"),
    *((make(operator=None), ".operator", "expected a list or tuple, got NoneType") for make in (geolocation, job)),
    *(
        (make(operator=(each for each in operators(1))), ".operator", "expected a list or tuple, got generator")
        for make in (geolocation, job)
    ),
    *(
        (make(operator=[{"id": 1}]), ".operator[0]", "expected a OperatorSlice, got dict")
        for make in (geolocation, job)
    ),
    *(
        (make(operator=[OperatorSlice(id=1, start=-1)]), ".operator[0].start", "0 or more")
        for make in (geolocation, job)
    ),
]


@BOTH
@pytest.mark.parametrize(
    ("target", "place", "says"), SHAPES, ids=lambda value: value if isinstance(value, str) else type(value).__name__
)
def test_a_wrong_shape_is_refused_with_limits_on_and_off(target: Any, place: str, says: str, check: bool) -> None:  # noqa: FBT001 - a parameter of the table
    refused(f"targets[1]{place}", says, lambda: write(target, check=check))


@BOTH
@pytest.mark.parametrize(
    ("target", "place", "says"),
    [
        (WholePhonebooks(phonebook_ids=[]), ".phonebook_ids", "must not be empty"),
        (WholePhonebooks(phonebook_ids=[1, 0]), ".phonebook_ids[1]", "expected an id"),
        (WholePhonebooks(phonebook_ids=5), ".phonebook_ids", "expected a list of ids"),  # type: ignore[arg-type]  # a caller without a type checker
        (WholePhonebooks(phonebook_ids=[1], start=-1), ".start", "expected 0 or more, got -1"),
        (WholePhonebooks(phonebook_ids=[1], size=-1), ".size", "expected 0 or more, got -1"),
        (WholePhonebooks(phonebook_ids=[1], size="2"), ".size", "expected an int, got str"),  # type: ignore[arg-type]  # the same
        (PhonebookNumbers(phonebook_id=0, number_ids=[1]), ".phonebook_id", "expected an id"),
        (PhonebookNumbers(phonebook_id=1, number_ids=[]), ".number_ids", "must not be empty"),
        (PhonebookNumbers(phonebook_id=1, number_ids=[5, -1]), ".number_ids[1]", "expected an id"),
    ],
    ids=str,
)
def test_a_wrong_selection_is_named_with_limits_on_and_off(target: Any, place: str, says: str, check: bool) -> None:  # noqa: FBT001 - a parameter of the table
    refused(f"selections[1]{place}", says, lambda: write(target, check=check))


def test_a_selection_takes_ids_from_anything_that_yields_them() -> None:
    written = phonebooks([PhonebookNumbers(phonebook_id=1, number_ids=(each for each in (5, 6)))], check=True)  # type: ignore[arg-type]  # a caller without a type checker
    assert written == [{"phonebook_id": "1", "type": "detail", "number_ids": ["5", "6"]}]


def test_a_hundred_selections_are_taken_and_the_next_is_named_with_the_way_out() -> None:
    hundred = [WholePhonebooks(phonebook_ids=[1])] * 100
    assert len(phonebooks(hundred, check=True)) == 100
    says = "too many selections: at most 100 per send; name several phonebooks in one selection"
    refused("selections[100]", says, lambda: phonebooks([*hundred, hundred[0]], check=True))
    assert len(phonebooks([*hundred, hundred[0]], check=False)) == 101


@BOTH
def test_targets_are_a_list_of_their_class(check: bool) -> None:  # noqa: FBT001 - a parameter of the table
    def both(targets: Any) -> list[Callable[[], Any]]:
        return [lambda: jobs(targets, check=check), lambda: countries(targets, others=0, check=check)]

    wholes: Sequence[tuple[Any, str, str]] = [
        (job(), "targets", "expected a list of "),
        (None, "targets", "expected a list of "),
        ([], "targets", "must not be empty"),
        ([postal()], "targets[0]", "expected a "),
    ]
    for targets, argument, says in wholes:
        for call in both(targets):
            refused(argument, says, call)
    refused("selections[0]", "expected a WholePhonebooks or PhonebookNumbers", lambda: phonebooks([1], check=check))  # type: ignore[list-item]  # a caller without a type checker


MILLION: list[Callable[[int], Any]] = [
    lambda size: postal(mci=Slice(size=1), irancell=Slice(size=1), other=Slice(size=size - 2)),
    lambda size: country(mci=Slice(size=size - 1), other=Slice(size=1)),
    lambda size: geolocation(operator=operators(1, size - 1)),
    lambda size: job(operator=operators(size - 3, 3)),
    lambda size: WholePhonebooks(phonebook_ids=[1, 2], size=size),
]


@pytest.mark.parametrize("make", MILLION)
def test_a_send_has_a_million_numbers_at_most(make: Callable[[int], Any]) -> None:
    assert MAX_NUMBERS == 1_000_000
    assert len(write(make(1_000_000))) == 2
    argument = "selections[1]" if isinstance(make(9), WholePhonebooks) else "targets[1]"
    says = "too many numbers: 1,000,001 of at most 1,000,000 per send; split it into several sends"
    refused(argument, says, lambda: write(make(1_000_001)))
    assert len(write(make(1_000_001), check=False)) == 2


@pytest.mark.parametrize("make", MILLION[:3])
def test_the_other_recipients_count_too(make: Callable[[int], Any]) -> None:
    assert len(write(make(999_999), others=1)) == 2
    refused("targets[1]", "1,000,001 of at most", lambda: write(make(1_000_000), others=1))
