"""Targets of a send: number banks, jobs and phonebooks, with every documented limit on both sides."""

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

LIMIT_CHECKS_ON_AND_OFF = pytest.mark.parametrize("check", [True, False], ids=["limit checks", "no limit checks"])


def encode(target: Any, *, check: bool = True, others: int = 0) -> list[dict[str, Any]]:
    """Encode a valid target followed by `target`, so that errors refer to index 1."""
    if isinstance(target, PostalCodeTarget):
        return postal_codes([PostalCodeTarget(postal_code=12, everyone=True), target], others=others, check=check)
    if isinstance(target, CountryTarget):
        return countries([CountryTarget(province_id=1, everyone=True), target], others=others, check=check)
    if isinstance(target, GeolocationTarget):
        return geolocations([GeolocationTarget(province_id=1, everyone=True), target], others=others, check=check)
    if isinstance(target, JobTarget):
        return jobs([JobTarget(main_category_id=1, everyone=True), target], check=check)
    return phonebooks([WholePhonebooks(phonebook_ids=[1]), target], check=check)


def assert_rejected(argument: str, message: str, call: Callable[[], Any]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        call()
    assert caught.value.argument == argument
    assert message in str(caught.value)
    assert caught.value.outcome is Outcome.NOT_SENT


def merged(required: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    return {**required, **fields}


SLICES: dict[str, Any] = {"mci": Slice(size=1), "irancell": Slice(), "other": Slice()}


def postal(**fields: Any) -> PostalCodeTarget:
    return PostalCodeTarget(**merged({"postal_code": 12, **SLICES}, fields))


def country(**fields: Any) -> CountryTarget:
    return CountryTarget(**merged({"province_id": 1, **SLICES}, fields))


def geolocation(**fields: Any) -> GeolocationTarget:
    return GeolocationTarget(**merged({"province_id": 1, "operator": operators(1)}, fields))


def job(**fields: Any) -> JobTarget:
    return JobTarget(**merged({"main_category_id": 1, "operator": operators(1)}, fields))


def everyone_of() -> list[Any]:
    """Return a target of each class that says that it means all numbers."""
    return [
        PostalCodeTarget(postal_code=12, everyone=True),
        CountryTarget(province_id=1, everyone=True),
        GeolocationTarget(province_id=1, everyone=True),
        JobTarget(main_category_id=1, everyone=True),
    ]


def operators(*sizes: int) -> list[OperatorSlice]:
    return [OperatorSlice(id=1, size=size) for size in sizes]


@pytest.mark.parametrize(
    "target",
    [
        *(postal(postal_code=code) for code in (10, 99999)),
        *(create(age_from=1300, age_to=1410) for create in (postal, country)),
        *(create(age_from=1400, age_to=1400) for create in (postal, country)),
        *(create(gender=gender) for create in (postal, country) for gender in (0, 1, 2)),
        *(geolocation(gender=gender) for gender in (1, 2, None)),
        *(create(bank=bank) for create in (postal, country) for bank in ("all", "white")),
        *(create(mci=Slice(start=0, size=0), other=Slice(start=9, size=1)) for create in (postal, country)),
        *everyone_of(),
        *(country(pre=pre) for pre in (10, 999999, None)),
        country(county_id=1),
        country(county_id=1, city_id=1),
        *(geolocation(pre=pre) for pre in ("9", "9123456")),
        *(geolocation(from_age=first, to_age=last) for first, last in ((1300, None), (None, 1410), (1350, 1350))),
        geolocation(province_id=None, city_id=7),
        GeolocationTarget(gender=1, everyone=True),
        GeolocationTarget(operator=operators(1)),
        *(
            create(operator=[OperatorSlice(id=operator, size=1)])
            for create in (geolocation, job)
            for operator in (1, 2, 13)
        ),
        job(sub_category_id=1, operator=operators(1, 2)),
        WholePhonebooks(phonebook_ids=[1, 2], start=0, size=0),
        PhonebookNumbers(phonebook_id=1, number_ids=range(1, 500)),
    ],
    ids=str,
)
def test_a_target_within_its_limits_is_accepted(target: Any) -> None:
    assert len(encode(target)) == 2


OUT_OF_LIMITS: list[tuple[Any, str, str]] = [
    *((postal(postal_code=code), ".postal_code", "expected 10 to 99999") for code in (9, 100000)),
    *((create(age_from=1299), ".age_from", "expected 1300 to 1410, got 1299") for create in (postal, country)),
    *((create(age_to=1411), ".age_to", "expected 1300 to 1410, got 1411") for create in (postal, country)),
    *(
        (create(age_from=1381, age_to=1380), ".age_from", "must not be after targets[1].age_to (1380)")
        for create in (postal, country)
    ),
    *((create(gender=3), ".gender", "expected one of 0, 1, 2, got 3") for create in (postal, country)),
    *((geolocation(gender=gender), ".gender", f"expected one of 1, 2, got {gender}") for gender in (0, 3)),
    *((create(bank="black"), ".bank", "expected one of 'all', 'white', got 'black'") for create in (postal, country)),
    *((country(pre=pre), ".pre", "expected 10 to 999999") for pre in (9, 1000000)),
    (geolocation(from_age=1299), ".from_age", "expected 1300 to 1410"),
    (geolocation(from_age=1351, to_age=1350), ".from_age", "must not be after targets[1].to_age"),
    *(
        (
            create(operator=[OperatorSlice(id=1, size=1), OperatorSlice(id=3, size=1)]),
            ".operator[1].id",
            "expected one of 1, 2, 13",
        )
        for create in (geolocation, job)
    ),
]


@pytest.mark.parametrize(("target", "path", "message"), OUT_OF_LIMITS, ids=str)
def test_a_target_out_of_its_limits_is_rejected_and_the_error_names_index_and_field(
    target: Any, path: str, message: str
) -> None:
    assert_rejected(f"targets[1]{path}", message, lambda: encode(target))


@pytest.mark.parametrize(("target", "path", "message"), OUT_OF_LIMITS, ids=str)
def test_a_target_out_of_its_limits_is_sent_if_limit_checks_are_disabled(target: Any, path: str, message: str) -> None:
    assert path
    assert message
    assert len(encode(target, check=False)) == 2


INVALID_FIELDS: list[tuple[Any, str, str]] = [
    *(
        (create(irancell=Slice(start=-1)), ".irancell.start", "expected 0 or more, got -1")
        for create in (postal, country)
    ),
    *((create(mci=Slice(size=-1)), ".mci.size", "expected 0 or more, got -1") for create in (postal, country)),
    (country(county_id=0), ".county_id", "expected an id"),
    (country(city_id=4), ".county_id", "is required with city_id"),
    (geolocation(city_id=0), ".city_id", "expected an id"),
    (geolocation(pre="9x"), ".pre", "expected a str of digits"),
    (GeolocationTarget(everyone=True), "", "selects the whole country"),
    (job(sub_category_id=0), ".sub_category_id", "expected an id"),
    *(
        (create(operator=[OperatorSlice(id=1, start=-1, size=1)]), ".operator[0].start", "0 or more")
        for create in (geolocation, job)
    ),
]


@LIMIT_CHECKS_ON_AND_OFF
@pytest.mark.parametrize(
    ("target", "path", "message"),
    INVALID_FIELDS,
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_invalid_field_is_rejected_even_if_limit_checks_are_disabled(
    target: Any,
    path: str,
    message: str,
    check: bool,  # noqa: FBT001 - a test parameter
) -> None:
    assert_rejected(f"targets[1]{path}", message, lambda: encode(target, check=check))


AMBIGUOUS: list[tuple[Any, str, str]] = [
    (PostalCodeTarget(postal_code=12), "", "names no numbers; pass mci=, irancell= and other=, or everyone=True"),
    (CountryTarget(province_id=1), "", "names no numbers; pass mci=, irancell= and other=, or everyone=True"),
    (GeolocationTarget(province_id=1), "", "names no numbers; pass operator=, or everyone=True"),
    (JobTarget(main_category_id=1), "", "names no numbers; pass operator=, or everyone=True"),
    *(
        (create(**{name: None}), f".{name}", "is required, because left out it may mean all numbers of this operator")
        for create in (postal, country)
        for name in ("mci", "irancell", "other")
    ),
    *((create(mci=Slice()), "", "selects nobody") for create in (postal, country)),
    *((create(other=Slice(start=9)), ".other.size", "is required with start") for create in (postal, country)),
    *((create(operator=operators(0)), ".operator[0].size", "expected 1 or more") for create in (geolocation, job)),
    *(
        (create(everyone=True), "", "expected either everyone=True or ranges of numbers, got both")
        for create in (postal, country, geolocation, job)
    ),
]


@LIMIT_CHECKS_ON_AND_OFF
@pytest.mark.parametrize(("target", "path", "message"), AMBIGUOUS, ids=str)
def test_a_target_that_may_mean_nobody_or_everybody_is_rejected(
    target: Any,
    path: str,
    message: str,
    check: bool,  # noqa: FBT001 - a test parameter
) -> None:
    assert_rejected(f"targets[1]{path}", message, lambda: encode(target, check=check))


def test_everyone_leaves_the_ranges_out_of_the_request() -> None:
    encoded = [encode(target)[1] for target in everyone_of()]
    bank = {"age_from": 1300, "age_to": 1410, "gender": 0, "bank": "all"}
    assert encoded == [
        {"postal_code": 12, **bank},
        {"province_id": 1, **bank},
        {"province_id": 1},
        {"main_category_id": 1},
    ]


def test_the_documented_example_of_one_operator_is_sent_as_documented() -> None:
    nobody = {"start": 0, "size": 0}
    (_, params) = encode(postal())
    assert (params["mci"], params["irancell"], params["other"]) == ({"start": 0, "size": 1}, nobody, nobody)
    assert "everyone" not in params


@LIMIT_CHECKS_ON_AND_OFF
@pytest.mark.parametrize(
    ("target", "path", "message"),
    [
        (WholePhonebooks(phonebook_ids=[]), ".phonebook_ids", "must not be empty"),
        (WholePhonebooks(phonebook_ids=[1, 0]), ".phonebook_ids[1]", "expected an id"),
        (WholePhonebooks(phonebook_ids=[1], start=-1), ".start", "expected 0 or more, got -1"),
        (WholePhonebooks(phonebook_ids=[1], size=-1), ".size", "expected 0 or more, got -1"),
        (PhonebookNumbers(phonebook_id=0, number_ids=[1]), ".phonebook_id", "expected an id"),
        (PhonebookNumbers(phonebook_id=1, number_ids=[]), ".number_ids", "must not be empty"),
        (PhonebookNumbers(phonebook_id=1, number_ids=[5, -1]), ".number_ids[1]", "expected an id"),
    ],
    ids=str,
)
def test_an_invalid_selection_is_rejected_even_if_limit_checks_are_disabled(
    target: Any,
    path: str,
    message: str,
    check: bool,  # noqa: FBT001 - a test parameter
) -> None:
    assert_rejected(f"selections[1]{path}", message, lambda: encode(target, check=check))


def test_a_selection_accepts_ids_from_any_iterable() -> None:
    numbers = PhonebookNumbers(phonebook_id=1, number_ids=(number_id for number_id in (5, 6)))  # type: ignore[arg-type]  # a caller without a type checker
    encoded = {"phonebook_id": "1", "type": "detail", "number_ids": ["5", "6"]}
    assert phonebooks([numbers, numbers], check=True) == [encoded, encoded], "it is not used up"


def test_100_selections_are_accepted_and_the_error_for_more_names_an_alternative() -> None:
    selections = [WholePhonebooks(phonebook_ids=[1])] * 100
    assert len(phonebooks(selections, check=True)) == 100
    message = "too many selections: at most 100 per send; name several phonebooks in one selection"
    assert_rejected("selections[100]", message, lambda: phonebooks([*selections, selections[0]], check=True))
    assert len(phonebooks([*selections, selections[0]], check=False)) == 101


@LIMIT_CHECKS_ON_AND_OFF
def test_targets_that_are_not_a_list_of_their_class_are_rejected(check: bool) -> None:  # noqa: FBT001 - a test parameter
    def both(targets: Any) -> list[Callable[[], Any]]:
        return [lambda: jobs(targets, check=check), lambda: countries(targets, others=0, check=check)]

    invalid: Sequence[tuple[Any, str, str]] = [
        (job(), "targets", "expected a list of "),
        (None, "targets", "expected a list of "),
        ([], "targets", "must not be empty"),
        ([postal()], "targets[0]", "expected a "),
    ]
    for targets, argument, message in invalid:
        for call in both(targets):
            assert_rejected(argument, message, call)
    no_selections: Any = [1]
    message = "expected a WholePhonebooks or PhonebookNumbers"
    assert_rejected("selections[0]", message, lambda: phonebooks(no_selections, check=check))


TARGETS_OF_SIZE: list[Callable[[int], Any]] = [
    lambda size: postal(mci=Slice(size=1), irancell=Slice(size=1), other=Slice(size=size - 2)),
    lambda size: country(mci=Slice(size=size - 1), other=Slice(size=1)),
    lambda size: geolocation(operator=operators(1, size - 1)),
    lambda size: job(operator=operators(size - 3, 3)),
    lambda size: WholePhonebooks(phonebook_ids=[1, 2], size=size),
]


@pytest.mark.parametrize("create", TARGETS_OF_SIZE)
def test_a_send_to_more_than_a_million_numbers_is_rejected(create: Callable[[int], Any]) -> None:
    assert MAX_NUMBERS == 1_000_000
    assert len(encode(create(1_000_000))) == 2
    argument = "selections[1]" if isinstance(create(9), WholePhonebooks) else "targets[1]"
    message = "too many numbers: 1,000,001 of at most 1,000,000 per send; split it into several sends"
    assert_rejected(argument, message, lambda: encode(create(1_000_001)))
    assert len(encode(create(1_000_001), check=False)) == 2


@pytest.mark.parametrize("create", TARGETS_OF_SIZE[:3])
def test_other_recipients_count_towards_the_maximum(create: Callable[[int], Any]) -> None:
    assert len(encode(create(999_999), others=1)) == 2
    assert_rejected("targets[1]", "1,000,001 of at most", lambda: encode(create(1_000_000), others=1))
