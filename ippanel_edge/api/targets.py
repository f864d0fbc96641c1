"""The targets of a send: which numbers of which bank or phonebook, checked against their limits and serialised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ippanel_edge.api.places import OPERATORS, inner_place, prefix, years
from ippanel_edge.errors import InvalidArgument
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
from ippanel_edge.values.checks import (
    check_choice,
    check_id,
    check_ids,
    check_items,
    check_range,
    check_text,
    optional_ids,
)
from ippanel_edge.wire import codec

MAX_NUMBERS: Final = 1_000_000
"""The maximum of numbers in one send to a bank, to phonebooks or to a file."""
MAX_SELECTIONS: Final = 100


def postal_codes(targets: Iterable[PostalCodeTarget], *, others: int = 0, check: bool) -> list[dict[str, Any]]:
    """Serialise targets of postal codes.

    Args:
        targets: the numbers of each postal code.
        others: how many other numbers the send has.
        check: False turns off the checks of documented limits, but not those of type and shape.

    Raises:
        InvalidArgument: a target is invalid, or there are more than 1,000,000 numbers; the target is named.
    """
    listed = check_items(targets, PostalCodeTarget, argument="targets")
    for index, target in enumerate(listed):
        place = f"targets[{index}]"
        check_range(target.postal_code, 10, 99999, argument=f"{place}.postal_code", check=check)
        _check_bank(target, place, check=check)
    _check_total(map(_bank_size, listed), others=others, argument="targets", check=check)
    return [_serialised(target) for target in listed]


def countries(targets: Iterable[CountryTarget], *, others: int = 0, check: bool) -> list[dict[str, Any]]:
    """Serialise targets of places, v1: a province; province and county; or all three. As `postal_codes`."""
    listed = check_items(targets, CountryTarget, argument="targets")
    for index, target in enumerate(listed):
        place = f"targets[{index}]"
        check_id(target.province_id, argument=f"{place}.province_id")
        inner_place(target.county_id, target.city_id, within=f"{place}.")
        check_range(target.pre, 10, 999999, argument=f"{place}.pre", check=check)
        _check_bank(target, place, check=check)
    _check_total(map(_bank_size, listed), others=others, argument="targets", check=check)
    return [_serialised(target) for target in listed]


def geolocations(targets: Iterable[GeolocationTarget], *, others: int = 0, check: bool) -> list[dict[str, Any]]:
    """Serialise targets of places, v2; a target without any place or filter is rejected. As `postal_codes`."""
    listed = check_items(targets, GeolocationTarget, argument="targets")
    serialised = [_serialised(target) for target in listed]
    for index, target in enumerate(listed):
        place = f"targets[{index}]"
        for name in ("province_id", "county_id", "city_id"):
            optional_ids(**{f"{place}.{name}": getattr(target, name)})
        prefix(target.pre, argument=f"{place}.pre")
        check_choice(target.gender, (1, 2), argument=f"{place}.gender", check=check)
        years(check=check, **{f"{place}.from_age": target.from_age, f"{place}.to_age": target.to_age})
        _check_operators(target, place, check=check)
        if not serialised[index]:
            raise InvalidArgument("selects the whole country; set at least one field, e.g. province_id", argument=place)
    _check_total(map(_operators_size, listed), others=others, argument="targets", check=check)
    return serialised


def jobs(targets: Iterable[JobTarget], *, others: int = 0, check: bool) -> list[dict[str, Any]]:
    """Serialise targets of job categories. As `postal_codes`."""
    listed = check_items(targets, JobTarget, argument="targets")
    for index, target in enumerate(listed):
        place = f"targets[{index}]"
        check_id(target.main_category_id, argument=f"{place}.main_category_id")
        optional_ids(**{f"{place}.sub_category_id": target.sub_category_id})
        _check_operators(target, place, check=check)
    _check_total(map(_operators_size, listed), others=others, argument="targets", check=check)
    return [_serialised(target) for target in listed]


def phonebooks(
    selections: Iterable[WholePhonebooks | PhonebookNumbers], *, others: int = 0, check: bool
) -> list[dict[str, Any]]:
    """Serialise selections of phonebooks, whole or in part. The API's examples write all their numbers as strings.

    Raises:
        InvalidArgument: a selection is invalid, there are more than 100, or they have more than 1,000,000 numbers.
    """
    kinds = (WholePhonebooks, PhonebookNumbers)
    limit = MAX_SELECTIONS + 1 if check else None
    listed: list[WholePhonebooks | PhonebookNumbers] = check_items(
        selections, kinds, argument="selections", limit=limit
    )
    if check and len(listed) > MAX_SELECTIONS:
        raise InvalidArgument(
            f"too many selections: at most {MAX_SELECTIONS} per send; name several phonebooks in one selection",
            argument=f"selections[{MAX_SELECTIONS}]",
        )
    serialised = [_phonebook(selection, f"selections[{index}]") for index, selection in enumerate(listed)]
    _check_total((size for _, size in serialised), others=others, argument="selections", check=check)
    return [params for params, _ in serialised]


def _check_total(sizes: Iterable[int], *, others: int, argument: str, check: bool) -> None:
    """Check that a send has at most 1,000,000 numbers; the entry that exceeds the limit is named."""
    total = others
    for index, size in enumerate(sizes):
        total += size
        if check and total > MAX_NUMBERS:
            problem = f"too many numbers: {total:,} of at most {MAX_NUMBERS:,} per send; split it into several sends"
            raise InvalidArgument(problem, argument=f"{argument}[{index}]")


def _phonebook(selection: WholePhonebooks | PhonebookNumbers, place: str) -> tuple[dict[str, Any], int]:
    """Serialise a selection. Return it with the count of numbers that is known of it."""
    if isinstance(selection, PhonebookNumbers):
        numbers = [str(each) for each in check_ids(selection.number_ids, argument=f"{place}.number_ids")]
        phonebook_id = str(check_id(selection.phonebook_id, argument=f"{place}.phonebook_id"))
        return {"phonebook_id": phonebook_id, "type": "detail", "number_ids": numbers}, len(numbers)
    phonebook_ids = check_ids(selection.phonebook_ids, argument=f"{place}.phonebook_ids")
    params: dict[str, Any] = {"phonebook_ids": [str(each) for each in phonebook_ids], "type": "all"}
    start = check_range(selection.start, 0, None, argument=f"{place}.start")
    size = check_range(selection.size, 0, None, argument=f"{place}.size")
    params.update({name: str(value) for name, value in (("start", start), ("size", size)) if value is not None})
    return params, size or 0


def _check_bank(target: PostalCodeTarget | CountryTarget, place: str, *, check: bool) -> None:
    years(check=check, **{f"{place}.age_from": target.age_from, f"{place}.age_to": target.age_to})
    check_choice(target.gender, (0, 1, 2), argument=f"{place}.gender", check=check)
    bank = check_text(target.bank, argument=f"{place}.bank")
    check_choice(bank, ("all", "white"), argument=f"{place}.bank", check=check)
    _check_slices(target, place)


def _check_slices(target: PostalCodeTarget | CountryTarget, place: str) -> None:
    """Check that a target names the numbers of every operator, or says that it means everyone.

    The API documents contradict each other about an operator that is left out, and one of them means all its numbers.
    So this is never left to a default, also if the checks of limits are off.
    """
    slices = {name: getattr(target, name) for name in ("mci", "irancell", "other")}
    named = {name: part for name, part in slices.items() if part is not None}
    for name, part in named.items():
        _check_slice(part, f"{place}.{name}", minimum=0)
    if _means_everyone(target, named=bool(named), place=place):
        return
    if not named:
        remedy = "pass mci=, irancell= and other=, or everyone=True for all numbers of the place"
        raise InvalidArgument(f"names no numbers; {remedy}", argument=place)
    for name in slices:
        if name not in named:
            problem = "is required, because left out it may mean all numbers of this operator; for none pass Slice()"
            raise InvalidArgument(problem, argument=f"{place}.{name}")
    if not any(part.size for part in named.values()):
        raise InvalidArgument("selects nobody; set the size of at least one of mci, irancell and other", argument=place)


def _check_operators(target: GeolocationTarget | JobTarget, place: str, *, check: bool) -> None:
    for index, each in enumerate(target.operator):
        where = f"{place}.operator[{index}]"
        check_choice(each.id, OPERATORS, argument=f"{where}.id", check=check)
        _check_slice(each, where, minimum=1)
    if not _means_everyone(target, named=bool(target.operator), place=place) and not target.operator:
        raise InvalidArgument("names no numbers; pass operator=, or everyone=True for all numbers", argument=place)


def _means_everyone(
    target: PostalCodeTarget | CountryTarget | GeolocationTarget | JobTarget, *, named: bool, place: str
) -> bool:
    if target.everyone and named:
        raise InvalidArgument("expected either everyone=True or ranges of numbers, got both", argument=place)
    return target.everyone


def _check_slice(part: Slice | OperatorSlice, place: str, *, minimum: int) -> None:
    check_range(part.start, 0, None, argument=f"{place}.start")
    check_range(part.size, minimum, None, argument=f"{place}.size")
    if part.start and not part.size:
        raise InvalidArgument("is required with start: how many numbers to use", argument=f"{place}.size")


def _bank_size(target: PostalCodeTarget | CountryTarget) -> int:
    return sum(part.size for part in (target.mci, target.irancell, target.other) if part is not None)


def _operators_size(target: GeolocationTarget | JobTarget) -> int:
    return sum(each.size for each in target.operator)


def _serialised(target: PostalCodeTarget | CountryTarget | GeolocationTarget | JobTarget) -> dict[str, Any]:
    """Serialise a target. What selects all numbers is omitted: `everyone` itself, and an empty list of operators."""
    fields = codec.encode(target)
    return {name: value for name, value in fields.items() if name != "everyone" and (name != "operator" or value)}
