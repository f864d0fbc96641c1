"""Checks of the fields that select numbers of a bank: places, birth years, prefixes, operators."""

from __future__ import annotations

import re
from typing import Final

from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values.checks import ids, optional_ids, ranges

FIRST_YEAR: Final = 1300
LAST_YEAR: Final = 1410
OPERATORS: Final = (1, 2, 13)
"""MCI, Irancell and others."""


def inner_place(county_id: int | None, city_id: int | None, *, within: str = "") -> dict[str, int]:
    """Return the fields of a county, a county and a city, or neither.

    Args:
        county_id: the county.
        city_id: the city.
        within: a prefix of their names in an error, such as ``targets[2].``.

    Raises:
        InvalidArgument: a value is not an id, or there is a city without a county.
    """
    fields = optional_ids(**{f"{within}county_id": county_id, f"{within}city_id": city_id})
    if city_id is not None and county_id is None:
        raise InvalidArgument("is required with city_id", argument=f"{within}county_id")
    return {name.removeprefix(within): value for name, value in fields.items()}


def city(province_id: int, county_id: int | None, city_id: int | None, *, check: bool) -> dict[str, int]:
    """Return the fields of a city: the province, the county and the city, which the count of numbers requires.

    Raises:
        InvalidArgument: a value is not an id or, with `check`, is missing.
    """
    fields = {**ids(province_id=province_id), **inner_place(county_id, city_id)}
    missing = [name for name in ("county_id", "city_id") if name not in fields]
    if check and missing:
        raise InvalidArgument("is required: the API counts the numbers of a city only", argument=missing[0])
    return fields


def years(*, check: bool, **ends: int | None) -> dict[str, int]:
    """Return the fields of a range of Jalali birth years, 1300 to 1410; either end may be open.

    Args:
        check: False turns off the checks of the limits.
        ends: the first and the last year, in this order, under the names that the endpoint uses.

    Raises:
        InvalidArgument: a year is not an int or is out of range, or the first is after the last.
    """
    fields = ranges(FIRST_YEAR, LAST_YEAR, check=check, **ends)
    (first_name, first), (last_name, last) = ends.items()
    if check and first is not None and last is not None and first > last:
        raise InvalidArgument(f"must not be after {last_name} ({last}), but is {first}", argument=first_name)
    return fields


def prefix(value: object, *, argument: str) -> str | None:
    """Return the prefix of numbers, of any length; None stays None.

    Raises:
        InvalidArgument: the value is empty or has other characters than digits.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]+", value):
        raise InvalidArgument("expected a str of digits, such as '912'", argument=argument)
    return value
