"""The questions to the number banks: places, birth years, prefixes, operators, checked against their limits."""

from __future__ import annotations

import re
from typing import Any, Final

from ippanel_edge.config import Defaults
from ippanel_edge.errors import ConfigurationError
from ippanel_edge.values.checks import between, identity, identity_if_given, one_of

FIRST_YEAR: Final = 1300
LAST_YEAR: Final = 1410
SHORTEST_PREFIX: Final = 2
LONGEST_PREFIX: Final = 6
OPERATORS: Final = (1, 2, 13)
"""MCI, Irancell and the others."""


def bank_choice(
    defaults: Defaults,
    *,
    province_id: int,
    county_id: int | None,
    city_id: int | None,
    birth_year_from: int | None,
    birth_year_to: int | None,
    gender_id: int | None,
    number_prefix: str | None,
) -> dict[str, Any]:
    """Make the query of a count in the first version's bank."""
    check = defaults.validate
    years(birth_year_from, birth_year_to, ("birth_year_from", "birth_year_to"), check=check)
    return {
        "province_id": identity(province_id, argument="province_id"),
        **inner_place(county_id, city_id),
        "birth_year_from": birth_year_from,
        "birth_year_to": birth_year_to,
        "gender_id": one_of(gender_id, (1, 2, 3), argument="gender_id", check=check),
        "number_prefix": prefix(number_prefix, argument="number_prefix", check=check),
    }


def geolocation_choice(
    defaults: Defaults,
    *,
    province_id: int,
    county_id: int | None,
    city_id: int | None,
    from_age: int | None,
    to_age: int | None,
    gender: int | None,
    pre: str | None,
) -> dict[str, Any]:
    """Make the query of a count in the second version's bank."""
    check = defaults.validate
    years(from_age, to_age, ("from_age", "to_age"), check=check)
    return {
        "province_id": identity(province_id, argument="province_id"),
        "county_id": identity_if_given(county_id, argument="county_id"),
        "city_id": identity_if_given(city_id, argument="city_id"),
        "from_age": from_age,
        "to_age": to_age,
        "gender": one_of(gender, (1, 2), argument="gender", check=check),
        "pre": prefix(pre, argument="pre", check=check),
    }


def job_choice(
    defaults: Defaults,
    *,
    main_category_id: int,
    sub_category_id: int | None,
    operator_id: int | None,
    start: int | None,
    size: int | None,
) -> dict[str, Any]:
    """Make the query of a count by trade."""
    return {
        "main_category_id": identity(main_category_id, argument="main_category_id"),
        "sub_category_id": identity_if_given(sub_category_id, argument="sub_category_id"),
        "operator_id": one_of(operator_id, OPERATORS, argument="operator_id", check=defaults.validate),
        "start": between(start, 0, None, argument="start"),
        "size": between(size, 0, None, argument="size"),
    }


def inner_place(county_id: int | None, city_id: int | None, *, within: str = "") -> dict[str, int | None]:
    """Accept a county, a county and a city, or neither.

    Args:
        county_id: the county.
        city_id: the city.
        within: what their names begin with in an error, such as ``targets[2].``.

    Raises:
        ConfigurationError: not ids, or a city without its county.
    """
    identity_if_given(county_id, argument=f"{within}county_id")
    identity_if_given(city_id, argument=f"{within}city_id")
    if city_id is not None and county_id is None:
        raise ConfigurationError("is needed beside city_id", argument=f"{within}county_id")
    return {"county_id": county_id, "city_id": city_id}


def years(first: int | None, last: int | None, names: tuple[str, str], *, check: bool) -> None:
    """Accept a range of Jalali birth years, 1300 to 1410; either end may be open."""
    between(first, FIRST_YEAR, LAST_YEAR, argument=names[0], check=check)
    between(last, FIRST_YEAR, LAST_YEAR, argument=names[1], check=check)
    if check and first is not None and last is not None and first > last:
        raise ConfigurationError(f"must not be after {names[1]} ({last}), but is {first}", argument=names[0])


def prefix(value: object, *, argument: str, check: bool) -> str | None:
    """Accept what numbers begin with: 2 to 6 digits; None stays None.

    Raises:
        ConfigurationError: anything but digits, or too few or too many of them.
    """
    if value is None:
        return None
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]+", value):
        raise ConfigurationError("must be a text of digits, such as '912'", argument=argument)
    if check and not SHORTEST_PREFIX <= len(value) <= LONGEST_PREFIX:
        problem = f"must be {SHORTEST_PREFIX} to {LONGEST_PREFIX} digits, such as '912', not {len(value)}"
        raise ConfigurationError(problem, argument=argument)
    return value
