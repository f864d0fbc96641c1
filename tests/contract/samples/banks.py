"""Samples of the banks endpoints."""

from __future__ import annotations

from ippanel_edge import endpoints
from ippanel_edge.models.banks import Gender, Place, RecipientsCount
from tests.contract.sample import Sample, ok

SAMPLES = [
    Sample(
        endpoint=endpoints.BANKS_PROVINCES,
        call=lambda client: client.banks.provinces(),
        answer=ok([{"id": 71, "name": "لرستان"}, {"id": "72", "name": "ایلام", "code": 9}, {"id": 73.0}]),
        returns=[Place(id=71, name="لرستان"), Place(id=72, name="ایلام"), Place(id=73, name=None)],
    ),
    Sample(
        name="empty list",
        endpoint=endpoints.BANKS_PROVINCES,
        call=lambda client: client.banks.provinces(),
        answer=ok([]),
        returns=[],
    ),
    Sample(
        endpoint=endpoints.BANKS_COUNTIES,
        call=lambda client: client.banks.counties(71),
        query={"province_id": "71"},
        answer=ok([{"id": 501, "name": "خرم‌آباد"}]),
        returns=[Place(id=501, name="خرم‌آباد")],
    ),
    Sample(
        endpoint=endpoints.BANKS_CITIES,
        call=lambda client: client.banks.cities(501),
        query={"county_id": "501"},
        answer=ok([{"id": 22, "name": None}]),
        returns=[Place(id=22, name=None)],
    ),
    Sample(
        name="without meta",
        endpoint=endpoints.BANKS_GENDERS,
        call=lambda client: client.banks.genders(),
        answer={"data": [{"id": 1, "name": "آقا"}, {"id": "2", "name": "خانم"}]},
        returns=[Gender(id=1, name="آقا"), Gender(id=2, name="خانم")],
    ),
    Sample(
        name="with meta",
        endpoint=endpoints.BANKS_GENDERS,
        call=lambda client: client.banks.genders(),
        answer=ok([{"id": 3, "name": "شرکت"}]),
        returns=[Gender(id=3, name="شرکت")],
    ),
    Sample(
        endpoint=endpoints.BANKS_COUNT,
        call=lambda client: client.banks.count(
            province_id=71,
            county_id=501,
            city_id=22,
            birth_year_from=1355,
            birth_year_to=1368,
            gender_id=2,
            number_prefix="916",
        ),
        query={
            "province_id": "71",
            "county_id": "501",
            "city_id": "22",
            "birth_year_from": "1355",
            "birth_year_to": "1368",
            "gender_id": "2",
            "number_prefix": "916",
        },
        answer=ok({"mci_count": 4120, "irancell_count": "371", "other_count": 8.0}),
        returns=RecipientsCount(mci_count=4120, irancell_count=371, other_count=8),
    ),
    Sample(
        name="with missing counts",
        endpoint=endpoints.BANKS_COUNT,
        call=lambda client: client.banks.count(province_id=71, county_id=501, city_id=22),
        query={"province_id": "71", "county_id": "501", "city_id": "22"},
        answer=ok({"mci_count": 0, "irancell_count": None}),
        returns=RecipientsCount(mci_count=0, irancell_count=None, other_count=None),
    ),
]
