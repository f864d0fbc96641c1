"""The rules of the banks section: provinces, counties, cities, genders, and counts of people."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ippanel_edge.sandbox.population import CITIES, COUNTIES, GENDERS, PROVINCES, PersonFilter, Place, find_people
from ippanel_edge.sandbox.replies import Reply, invalid_message, label
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.places import operator_counts, places_reply, read_birth_years, read_place

if TYPE_CHECKING:
    from collections.abc import Sequence

_DIGITS = re.compile(r"[0-9]+")


@serves("banks.provinces", "GET", "/api/send/banks/provinces")
def provinces(call: Call) -> Reply:
    """List the provinces."""
    call.check()
    return places_reply(PROVINCES)


@serves("banks.counties", "GET", "/api/send/banks/counties")
def counties(call: Call) -> Reply:
    """List the counties of a province."""
    return places_in(call, "province_id", PROVINCES, COUNTIES)


@serves("banks.cities", "GET", "/api/send/banks/cities")
def cities(call: Call) -> Reply:
    """List the cities of a county."""
    return places_in(call, "county_id", COUNTIES, CITIES)


@serves("banks.genders", "GET", "/api/send/banks/genders")
def genders(call: Call) -> Reply:
    """List the genders; the documented response has no `meta`."""
    call.check()
    return Reply(200, {"data": [{"id": gender.id, "name": gender.name} for gender in GENDERS]})


@serves("banks.count", "GET", "/api/send/banks/counts")
def count(call: Call) -> Reply:
    """Count the people of a city; province, county and city are all required."""
    query = call.query
    province_id, county_id, city_id = read_place(query, county=True, city=True)
    year_from, year_to = read_birth_years(query, "birth_year_from", "birth_year_to")
    gender = query.integer_or_none("gender_id", minimum=1, maximum=3)
    prefix = query.string_or_none("number_prefix")
    if prefix is not None and not _DIGITS.fullmatch(prefix):
        query.add_error("number_prefix", invalid_message(label("number_prefix")))
    call.check()
    return operator_counts(
        find_people(
            PersonFilter(
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


def places_in(call: Call, name: str, parents: Sequence[Place], places: Sequence[Place]) -> Reply:
    """List the places within the parent that the query field `name` selects."""
    parent_id = call.query.integer(name)
    if parent_id and not any(parent.id == parent_id for parent in parents):
        call.query.add_error(name, invalid_message(label(name)))
    call.check()
    return places_reply(place for place in places if place.parent_id == parent_id)
