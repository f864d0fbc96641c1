"""The targets of a send: which numbers of which bank or phonebook, checked against their limits and written as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from ippanel_edge.api.places import OPERATORS, inner_place, prefix, years
from ippanel_edge.errors import ConfigurationError
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
    between,
    identities,
    identity,
    identity_if_given,
    instance,
    items,
    one_of,
    text,
    whole,
)
from ippanel_edge.wire import codec

MOST_NUMBERS: Final = 1_000_000
"""Numbers of one send to a bank, to phonebooks or to those of a file."""
MOST_PHONEBOOK_PARAMS: Final = 100


def postal_codes(targets: Iterable[PostalCodeTarget], *, others: int, check: bool) -> list[dict[str, Any]]:
    """Write postal codes.

    Args:
        targets: which numbers of which postal codes.
        others: how many numbers the send has besides.
        check: whether to check the documented limits, beside the shape.

    Raises:
        ConfigurationError: a target is wrong, or there are more than 1,000,000 numbers; the target is named.
    """
    listed = items(targets, PostalCodeTarget, argument="targets")
    for index, target in enumerate(listed):
        place = f"targets[{index}]"
        code = whole(target.postal_code, argument=f"{place}.postal_code")
        between(code, 10, 99999, argument=f"{place}.postal_code", check=check)
        _check_bank(target, place, check=check)
    refuse_too_many(map(_bank_size, listed), others=others, argument="targets", check=check)
    written: list[dict[str, Any]] = codec.encode(listed)
    return written


def countries(targets: Iterable[CountryTarget], *, others: int, check: bool) -> list[dict[str, Any]]:
    """Write places, first version: a province; province and county; or all three. As `postal_codes`."""
    listed = items(targets, CountryTarget, argument="targets")
    for index, target in enumerate(listed):
        place = f"targets[{index}]"
        identity(target.province_id, argument=f"{place}.province_id")
        inner_place(target.county_id, target.city_id, within=f"{place}.")
        between(target.pre, 10, 999999, argument=f"{place}.pre", check=check)
        _check_bank(target, place, check=check)
    refuse_too_many(map(_bank_size, listed), others=others, argument="targets", check=check)
    written: list[dict[str, Any]] = codec.encode(listed)
    return written


def geolocations(targets: Iterable[GeolocationTarget], *, others: int, check: bool) -> list[dict[str, Any]]:
    """Write places, second version; a target that chooses nothing is refused. As `postal_codes`."""
    listed = items(targets, GeolocationTarget, argument="targets")
    for index, target in enumerate(listed):
        place = f"targets[{index}]"
        identity_if_given(target.province_id, argument=f"{place}.province_id")
        identity_if_given(target.county_id, argument=f"{place}.county_id")
        identity_if_given(target.city_id, argument=f"{place}.city_id")
        prefix(target.pre, argument=f"{place}.pre", check=check)
        one_of(target.gender, (0, 1, 2), argument=f"{place}.gender", check=check)
        years(target.from_age, target.to_age, (f"{place}.from_age", f"{place}.to_age"), check=check)
        _check_operators(target.operator, place, check=check)
    refuse_too_many(map(_operators_size, listed), others=others, argument="targets", check=check)
    written = [_with_operators(target) for target in listed]
    for index, params in enumerate(written):
        if not params:
            raise ConfigurationError(
                "chooses nothing, which may mean everybody: set province_id, say", argument=f"targets[{index}]"
            )
    return written


def jobs(targets: Iterable[JobTarget], *, check: bool) -> list[dict[str, Any]]:
    """Write trades. As `postal_codes`."""
    listed = items(targets, JobTarget, argument="targets")
    for index, target in enumerate(listed):
        place = f"targets[{index}]"
        identity(target.main_category_id, argument=f"{place}.main_category_id")
        identity_if_given(target.sub_category_id, argument=f"{place}.sub_category_id")
        _check_operators(target.operator, place, check=check)
    refuse_too_many(map(_operators_size, listed), others=0, argument="targets", check=check)
    return [_with_operators(target) for target in listed]


def phonebooks(selections: Iterable[WholePhonebooks | PhonebookNumbers], *, check: bool) -> list[dict[str, Any]]:
    """Write phonebooks, whole or in part. The API's examples write every number of them as text.

    Raises:
        ConfigurationError: a selection is wrong, there are more than 100, or they name more than 1,000,000 numbers.
    """
    kinds = (WholePhonebooks, PhonebookNumbers)
    listed: list[WholePhonebooks | PhonebookNumbers] = items(selections, kinds, argument="selections")
    if check and len(listed) > MOST_PHONEBOOK_PARAMS:
        raise ConfigurationError(
            f"the first over the limit of {MOST_PHONEBOOK_PARAMS} entries: name several phonebooks in one entry",
            argument=f"selections[{MOST_PHONEBOOK_PARAMS}]",
        )
    written: list[dict[str, Any]] = []
    sizes: list[int] = []
    for index, selection in enumerate(listed):
        params, size = _phonebook(selection, f"selections[{index}]")
        written.append(params)
        sizes.append(size)
    refuse_too_many(sizes, others=0, argument="selections", check=check)
    return written


def refuse_too_many(sizes: Iterable[int], *, others: int, argument: str, check: bool) -> None:
    """Refuse more numbers than one send takes.

    Raises:
        ConfigurationError: more than 1,000,000; the first entry that goes over the limit is named.
    """
    total = others
    for index, size in enumerate(sizes):
        total += size
        if check and total > MOST_NUMBERS:
            problem = f"brings the send to {total:,} numbers, over the limit of {MOST_NUMBERS:,}: make several of it"
            raise ConfigurationError(problem, argument=f"{argument}[{index}]")


def _phonebook(selection: WholePhonebooks | PhonebookNumbers, place: str) -> tuple[dict[str, Any], int]:
    """Write a selection, and say how many numbers it is known to have."""
    if isinstance(selection, PhonebookNumbers):
        numbers = [str(each) for each in identities(selection.number_ids, argument=f"{place}.number_ids")]
        phonebook_id = str(identity(selection.phonebook_id, argument=f"{place}.phonebook_id"))
        return {"phonebook_id": phonebook_id, "type": "detail", "number_ids": numbers}, len(numbers)
    params: dict[str, Any] = {
        "phonebook_ids": [str(each) for each in identities(selection.phonebook_ids, argument=f"{place}.phonebook_ids")],
        "type": "all",
    }
    start = between(selection.start, 0, None, argument=f"{place}.start")
    size = between(selection.size, 0, None, argument=f"{place}.size")
    params.update({name: str(value) for name, value in (("start", start), ("size", size)) if value is not None})
    return params, size or 0


def _check_bank(target: PostalCodeTarget | CountryTarget, place: str, *, check: bool) -> None:
    first = whole(target.age_from, argument=f"{place}.age_from")
    last = whole(target.age_to, argument=f"{place}.age_to")
    years(first, last, (f"{place}.age_from", f"{place}.age_to"), check=check)
    one_of(whole(target.gender, argument=f"{place}.gender"), (0, 1, 2), argument=f"{place}.gender", check=check)
    one_of(text(target.bank, argument=f"{place}.bank"), ("all", "white"), argument=f"{place}.bank", check=check)
    for name in ("mci", "irancell", "other"):
        _check_range(instance(getattr(target, name), Slice, argument=f"{place}.{name}"), f"{place}.{name}")


def _check_operators(operators: object, place: str, *, check: bool) -> None:
    # A generator would be used up by the check, and the send would then go to all operators.
    instance(operators, (list, tuple), argument=f"{place}.operator")
    for index, each in enumerate(items(operators, OperatorSlice, argument=f"{place}.operator", least=0)):
        where = f"{place}.operator[{index}]"
        one_of(whole(each.id, argument=f"{where}.id"), OPERATORS, argument=f"{where}.id", check=check)
        _check_range(each, where)


def _check_range(part: Slice | OperatorSlice, place: str) -> None:
    between(whole(part.start, argument=f"{place}.start"), 0, None, argument=f"{place}.start")
    between(whole(part.size, argument=f"{place}.size"), 0, None, argument=f"{place}.size")


def _bank_size(target: PostalCodeTarget | CountryTarget) -> int:
    return target.mci.size + target.irancell.size + target.other.size


def _operators_size(target: GeolocationTarget | JobTarget) -> int:
    return sum(each.size for each in target.operator)


def _with_operators(target: GeolocationTarget | JobTarget) -> dict[str, Any]:
    """Write a target; without operators, the name is left out too."""
    return {name: value for name, value in codec.encode(target).items() if name != "operator" or value}
