"""The rules of the geolocation section (version 2 of the banks), served beside /v1 and with more filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ippanel_edge.sandbox.population import CITIES, COUNTIES, PROVINCES, PersonFilter, find_people
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.banks import places_in
from ippanel_edge.sandbox.rules.places import operator_counts, places_reply, read_birth_years, read_place, read_prefix

if TYPE_CHECKING:
    from ippanel_edge.sandbox.replies import Reply


@serves("geolocation.provinces", "GET", "/v2/api/send/banks/provinces")
def provinces(call: Call) -> Reply:
    """List the provinces."""
    call.check()
    return places_reply(PROVINCES)


@serves("geolocation.counties", "GET", "/v2/api/send/banks/counties")
def counties(call: Call) -> Reply:
    """List the counties of a province."""
    return places_in(call, "province_id", PROVINCES, COUNTIES)


@serves("geolocation.cities", "GET", "/v2/api/send/banks/cities")
def cities(call: Call) -> Reply:
    """List the cities of a county."""
    return places_in(call, "county_id", COUNTIES, CITIES)


@serves("geolocation.count", "GET", "/v2/api/send/banks/counts")
def count(call: Call) -> Reply:
    """Count the people of a province, county or city."""
    query = call.query
    province_id, county_id, city_id = read_place(query, nested=False)
    year_from, year_to = read_birth_years(query, "from_age", "to_age")
    gender = query.integer_or_none("gender", minimum=1, maximum=2)
    prefix = read_prefix(query)
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
