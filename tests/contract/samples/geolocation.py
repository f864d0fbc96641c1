"""Samples of the geolocation endpoints, whose paths start with /v2 instead of /v1."""

from __future__ import annotations

from ippanel_edge import endpoints
from ippanel_edge.models.banks import Place, RecipientsCount
from tests.contract.sample import Sample, ok

SAMPLES = [
    Sample(
        endpoint=endpoints.GEOLOCATION_PROVINCES,
        call=lambda client: client.geolocation.provinces(),
        answer=ok([{"id": 71, "name": "فارس"}, {"id": "72", "name": None}]),
        returns=[Place(id=71, name="فارس"), Place(id=72)],
    ),
    Sample(
        endpoint=endpoints.GEOLOCATION_COUNTIES,
        call=lambda client: client.geolocation.counties(71),
        query={"province_id": "71"},
        answer=ok([{"id": 711, "name": "شیراز"}]),
        returns=[Place(id=711, name="شیراز")],
    ),
    Sample(
        endpoint=endpoints.GEOLOCATION_CITIES,
        call=lambda client: client.geolocation.cities(711),
        query={"county_id": "711"},
        answer=ok([]),
        returns=[],
    ),
    Sample(
        endpoint=endpoints.GEOLOCATION_COUNT,
        call=lambda client: client.geolocation.count(
            province_id=71, county_id=711, city_id=7111, from_age=1350, to_age=1380, gender=2, pre="0917"
        ),
        query={
            "province_id": "71",
            "county_id": "711",
            "city_id": "7111",
            "from_age": "1350",
            "to_age": "1380",
            "gender": "2",
            "pre": "0917",
        },
        answer=ok({"mci_count": 41, "irancell_count": "17", "other_count": None}, message="count"),
        returns=RecipientsCount(mci_count=41, irancell_count=17),
    ),
    Sample(
        name="province only",
        endpoint=endpoints.GEOLOCATION_COUNT,
        call=lambda client: client.geolocation.count(province_id=71),
        query={"province_id": "71"},
        answer=ok({"mci_count": 0, "irancell_count": 0, "other_count": 3}),
        returns=RecipientsCount(mci_count=0, irancell_count=0, other_count=3),
    ),
]
