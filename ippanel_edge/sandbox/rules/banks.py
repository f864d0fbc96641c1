"""The rules of the number banks: provinces, counties, cities, genders, and how many people live there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ippanel_edge.sandbox.population import CITIES, COUNTIES, GENDERS, PROVINCES, Place, Wanted, find
from ippanel_edge.sandbox.replies import Answer, label, not_valid_text
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.places import check_prefix, counts, read_place, read_years, shown

if TYPE_CHECKING:
    from collections.abc import Sequence


@serves("banks.provinces", "GET", "/api/send/banks/provinces")
def provinces(call: Call) -> Answer:
    """List the provinces."""
    call.check()
    return shown(PROVINCES)


@serves("banks.counties", "GET", "/api/send/banks/counties")
def counties(call: Call) -> Answer:
    """List the counties of a province."""
    return within(call, "province_id", PROVINCES, COUNTIES)


@serves("banks.cities", "GET", "/api/send/banks/cities")
def cities(call: Call) -> Answer:
    """List the cities of a county."""
    return within(call, "county_id", COUNTIES, CITIES)


@serves("banks.genders", "GET", "/api/send/banks/genders")
def genders(call: Call) -> Answer:
    """List the genders, without a meta."""
    call.check()
    return Answer(200, {"data": [{"id": gender.id, "name": gender.name} for gender in GENDERS]})


@serves("banks.count", "GET", "/api/send/banks/counts")
def count(call: Call) -> Answer:
    """Count the people of a city; province, county and city are all required."""
    query = call.query
    province_id, county_id, city_id = read_place(query, county=True, city=True)
    year_from, year_to = read_years(query, "birth_year_from", "birth_year_to")
    gender = query.integer_or_none("gender_id", least=1, most=3)
    prefix = query.text_or_none("number_prefix")
    check_prefix(query, "number_prefix", prefix)
    call.check()
    return counts(
        find(
            Wanted(
                province_id=province_id,
                county_id=county_id,
                city_id=city_id,
                prefix=prefix,
                gender=gender,
                year_from=year_from,
                year_to=year_to,
            )
        )
    )


def within(call: Call, name: str, parents: Sequence[Place], places: Sequence[Place]) -> Answer:
    """List the places that lie in the one that the query names."""
    parent_id = call.query.integer(name)
    if parent_id and not any(parent.id == parent_id for parent in parents):
        call.query.fail(name, not_valid_text(label(name)))
    call.check()
    return shown(place for place in places if place.parent_id == parent_id)
