"""Parsing of places, job categories, birth years and operator slices, shared by the banks, jobs and send rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ippanel_edge.sandbox.population import (
    CITIES,
    COUNTIES,
    IRANCELL,
    JOB_CATEGORIES,
    JOB_SUB_CATEGORIES,
    MCI,
    OPERATORS,
    OTHER,
    PROVINCES,
    Person,
    PersonFilter,
    Place,
)
from ippanel_edge.sandbox.replies import Reply, invalid_message, label, ok, required_message

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields

MIN_BIRTH_YEAR: Final = 1300
MAX_BIRTH_YEAR: Final = 1410
_PREFIX = re.compile(r"[0-9]{2,6}")

Slices = Mapping[int, tuple[int, int | None]]
"""For each operator: the offset of its first number and the number of numbers (None: all)."""


def read_place(
    fields: Fields,
    *,
    province: bool = True,
    county: bool = False,
    city: bool = False,
    nested: bool = True,
    report: Callable[[str], None] | None = None,
) -> tuple[int | None, int | None, int | None]:
    """Return province_id, county_id and city_id; each place must be within its parent, if that is given.

    `province`, `county` and `city` make a field required. `nested` requires the county of a city, as all endpoints
    except the count of version 2 do. `report` records the error of a place that does not exist, instead of the default.
    """

    def unknown(name: str) -> None:
        fields.add_error(name, invalid_message(label(name)))

    report = report or unknown
    province_id = _read_place_id(fields, "province_id", PROVINCES, None, report, required=province)
    county_id = _read_place_id(fields, "county_id", COUNTIES, province_id, report, required=county)
    city_id = _read_place_id(fields, "city_id", CITIES, county_id, report, required=city)
    if nested and city_id and not county_id:
        fields.add_error("county_id", required_message(label("county_id")))
    if county_id and not province_id:
        fields.add_error("province_id", required_message(label("province_id")))
    return province_id, county_id, city_id


def _read_place_id(
    fields: Fields,
    name: str,
    places: Sequence[Place],
    parent_id: int | None,
    report: Callable[[str], None],
    *,
    required: bool,
) -> int | None:
    place_id = fields.integer(name) if required else fields.integer_or_none(name)
    if place_id and not any(
        place.id == place_id and place.parent_id in {0, parent_id or place.parent_id} for place in places
    ):
        report(name)
    return place_id


def read_birth_years(fields: Fields, first: str, last: str, *, required: bool = False) -> tuple[int | None, int | None]:
    """Return two Jalali birth years between 1300 and 1410; the first must not be after the last."""
    read_year = fields.integer if required else fields.integer_or_none
    start = read_year(first, minimum=MIN_BIRTH_YEAR, maximum=MAX_BIRTH_YEAR)
    end = read_year(last, minimum=MIN_BIRTH_YEAR, maximum=MAX_BIRTH_YEAR)
    if start and end and start > end:
        fields.add_error(last, invalid_message(label(last)))
    return start, end


def read_prefix(fields: Fields) -> str | None:
    """Return the prefix of numbers `pre`, a str of 2 to 6 digits; None if it is missing."""
    prefix = fields.string_or_none("pre")
    if prefix is not None and not _PREFIX.fullmatch(prefix):
        fields.add_error("pre", invalid_message(label("pre")))
    return prefix


def read_job_filter(fields: Fields) -> PersonFilter:
    """Return the criteria of main_category_id and, optionally, of a sub_category_id within it."""
    main = fields.integer("main_category_id")
    sub = fields.integer_or_none("sub_category_id")
    if main and not any(category.id == main for category in JOB_CATEGORIES):
        fields.add_error("main_category_id", invalid_message(label("main_category_id")))
    if sub and not any(category.id == sub and category.main_id == main for category in JOB_SUB_CATEGORIES):
        fields.add_error("sub_category_id", invalid_message(label("sub_category_id")))
    return PersonFilter(main_category_id=main, sub_category_id=sub)


def read_named_slices(fields: Fields) -> Slices | None:
    """Return the slices of the fields mci, irancell and other, each with `start` and `size` (0 by default).

    None, which selects everybody, if none of the three is given. An operator that is left out beside another one gets
    nothing.
    """
    slices: dict[int, tuple[int, int | None]] = {}
    for operator, name in OPERATORS.items():
        entry = fields.object_or_none(name)
        if entry is not None:
            start, size = (entry.integer_or_none(bound, minimum=0) or 0 for bound in ("start", "size"))
            slices[operator] = (start, size)
    return slices or None


def read_operator_slices(fields: Fields) -> Slices | None:
    """Return the slices of `operator`, a list of {id, start, size}; None, which selects everybody, if it is missing."""
    entries = fields.objects("operator", required=False)
    if not entries:
        return None
    slices: dict[int, tuple[int, int | None]] = {}
    for entry in entries:
        operator = entry.integer("id")
        if operator not in (MCI, IRANCELL, OTHER):
            entry.add_error("id", invalid_message(label("id")))
        slices[operator] = (entry.integer_or_none("start", minimum=0) or 0, entry.integer_or_none("size", minimum=0))
    return slices


def select_slices(people: Sequence[Person], slices: Slices | None) -> list[Person]:
    """Return the people in the slice of each operator."""
    if slices is None:
        return list(people)
    selected: list[Person] = []
    for operator, (start, size) in slices.items():
        of_operator = [person for person in people if person.operator == operator]
        selected += of_operator[start:] if size is None else of_operator[start : start + size]
    return selected


def operator_counts(people: Iterable[Person]) -> Reply:
    """Return a reply with the number of people of each operator."""
    numbers = {f"{name}_count": 0 for name in OPERATORS.values()}
    for person in people:
        numbers[f"{OPERATORS[person.operator]}_count"] += 1
    return ok(numbers, message="count")


def places_reply(places: Iterable[Place]) -> Reply:
    """Return a reply with a list of places."""
    return ok([{"id": place.id, "name": place.name} for place in places])
