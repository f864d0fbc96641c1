"""The rules of the second version of the banks: the same places, counted by more, beside /v1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ippanel_edge.sandbox.population import CITIES, COUNTIES, PROVINCES, Wanted, find
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.banks import within
from ippanel_edge.sandbox.rules.places import check_prefix, counts, read_place, read_years, shown

if TYPE_CHECKING:
    from ippanel_edge.sandbox.replies import Answer


@serves("geolocation.provinces", "GET", "/v2/api/send/banks/provinces")
def provinces(call: Call) -> Answer:
    """List the provinces."""
    call.check()
    return shown(PROVINCES)


@serves("geolocation.counties", "GET", "/v2/api/send/banks/counties")
def counties(call: Call) -> Answer:
    """List the counties of a province."""
    return within(call, "province_id", PROVINCES, COUNTIES)


@serves("geolocation.cities", "GET", "/v2/api/send/banks/cities")
def cities(call: Call) -> Answer:
    """List the cities of a county."""
    return within(call, "county_id", COUNTIES, CITIES)


@serves("geolocation.count", "GET", "/v2/api/send/banks/counts")
def count(call: Call) -> Answer:
    """Count the people of a province, county or city."""
    query = call.query
    province_id, county_id, city_id = read_place(query, nested=False)
    year_from, year_to = read_years(query, "from_age", "to_age")
    gender = query.integer_or_none("gender", least=1, most=2)
    prefix = query.text_or_none("pre")
    check_prefix(query, "pre", prefix)
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
