"""Reading places, trades and the people who are wanted there, as the banks, the targets and the counts name them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from ippanel_edge.sandbox.population import (
    CITIES,
    COUNTIES,
    IRANCELL,
    MCI,
    OPERATORS,
    OTHER,
    PROVINCES,
    SUB_TRADES,
    TRADES,
    Person,
    Place,
    Wanted,
)
from ippanel_edge.sandbox.replies import Answer, label, not_valid_text, ok, required_text

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields

FIRST_YEAR: Final = 1300
LAST_YEAR: Final = 1410
_PREFIX = re.compile(r"[0-9]{2,6}")

Slices = Mapping[int, tuple[int, int | None]]
"""For each operator: from which of its numbers on, and how many (None: all)."""


def read_place(
    fields: Fields, *, province: bool = True, county: bool = False, city: bool = False, nested: bool = True
) -> tuple[int | None, int | None, int | None]:
    """Read province_id, county_id and city_id; True makes one required. Each must lie in the one before it.

    `nested` wants the county beside a city, as all but the count of the second version do.
    """
    province_id = _member(fields, "province_id", PROVINCES, None, required=province)
    county_id = _member(fields, "county_id", COUNTIES, province_id, required=county)
    city_id = _member(fields, "city_id", CITIES, county_id, required=city)
    if nested and city_id and not county_id:
        fields.fail("county_id", required_text(label("county_id")))
    if county_id and not province_id:
        fields.fail("province_id", required_text(label("province_id")))
    return province_id, county_id, city_id


def _member(fields: Fields, name: str, places: Sequence[Place], within: int | None, *, required: bool) -> int | None:
    wanted = fields.integer(name) if required else fields.integer_or_none(name)
    if wanted and not any(place.id == wanted and place.parent_id in {0, within or place.parent_id} for place in places):
        fields.fail(name, not_valid_text(label(name)))
    return wanted


def read_years(fields: Fields, first: str, last: str, *, required: bool = False) -> tuple[int | None, int | None]:
    """Read two Jalali birth years, 1300 to 1410, the first not after the last."""
    read = fields.integer if required else fields.integer_or_none
    start = read(first, least=FIRST_YEAR, most=LAST_YEAR)
    end = read(last, least=FIRST_YEAR, most=LAST_YEAR)
    if start and end and start > end:
        fields.fail(last, not_valid_text(label(last)))
    return start, end


def check_prefix(fields: Fields, name: str, prefix: str | None) -> None:
    """Refuse a prefix that is not 2 to 6 digits."""
    if prefix is not None and not _PREFIX.fullmatch(prefix):
        fields.fail(name, not_valid_text(label(name)))


def read_trade(fields: Fields) -> Wanted:
    """Read main_category_id and, optionally, a sub_category_id within it."""
    main = fields.integer("main_category_id")
    sub = fields.integer_or_none("sub_category_id")
    if main and not any(trade.id == main for trade in TRADES):
        fields.fail("main_category_id", not_valid_text(label("main_category_id")))
    if sub and not any(trade.id == sub and trade.main_id == main for trade in SUB_TRADES):
        fields.fail("sub_category_id", not_valid_text(label("sub_category_id")))
    return Wanted(main_trade_id=main, trade_id=sub)


def read_named_slices(fields: Fields) -> Slices:
    """Read start and size at mci, irancell and other: all required."""
    slices: dict[int, tuple[int, int | None]] = {}
    for operator, name in OPERATORS.items():
        part = fields.object(name)
        slices[operator] = (part.integer("start", least=0), part.integer("size", least=0))
    return slices


def read_operator_slices(fields: Fields) -> Slices | None:
    """Read `operator`, a list of id, start and size; None where it is left out, which means everybody."""
    parts = fields.objects("operator", required=False)
    if not parts:
        return None
    slices: dict[int, tuple[int, int | None]] = {}
    for part in parts:
        operator = part.integer("id")
        if operator not in (MCI, IRANCELL, OTHER):
            part.fail("id", not_valid_text(label("id")))
        slices[operator] = (part.integer_or_none("start", least=0) or 0, part.integer_or_none("size", least=0))
    return slices


def pick(found: Sequence[Person], slices: Slices | None) -> list[Person]:
    """Take each operator's slice of the people found."""
    if slices is None:
        return list(found)
    picked: list[Person] = []
    for operator, (start, size) in slices.items():
        of_operator = [person for person in found if person.operator == operator]
        picked += of_operator[start:] if size is None else of_operator[start : start + size]
    return picked


def counts(found: Iterable[Person]) -> Answer:
    """Answer how many people there are with each operator."""
    numbers = {f"{name}_count": 0 for name in OPERATORS.values()}
    for person in found:
        numbers[f"{OPERATORS[person.operator]}_count"] += 1
    return ok(numbers, message="count")


def shown(places: Iterable[Place]) -> Answer:
    """Answer places as the API lists them."""
    return ok([{"id": place.id, "name": place.name} for place in places])
