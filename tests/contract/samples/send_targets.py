"""Samples of the sends to numbers of the service: number banks, jobs and phonebooks."""

from __future__ import annotations

from ippanel_edge import endpoints
from ippanel_edge.models.send import (
    CountryTarget,
    GeolocationTarget,
    JobTarget,
    OperatorSlice,
    PhonebookNumbers,
    PostalCodeTarget,
    Slice,
    WholePhonebooks,
)
from tests.contract.sample import LINE, Sample
from tests.contract.samples.send import LATER, LATER_SENT, ONE, OTHER_LINE, one

EMPTY_SLICE = {"start": 0, "size": 0}

SAMPLES = [
    Sample(
        endpoint=endpoints.SEND_POSTAL_CODE,
        call=lambda client: client.send.postal_code([PostalCodeTarget(postal_code=51, everyone=True)], "افتتاح شد"),
        json={
            "sending_type": "postal_code",
            "from_number": LINE,
            "message": "افتتاح شد",
            "params": [
                {
                    "postal_code": 51,
                    "age_from": 1300,
                    "age_to": 1410,
                    "gender": 0,
                    "bank": "all",
                }
            ],
        },
        answer=one(),
        returns=ONE,
    ),
    Sample(
        name="with all fields",
        endpoint=endpoints.SEND_POSTAL_CODE,
        call=lambda client: client.send.postal_code(
            [
                PostalCodeTarget(
                    postal_code=51357,
                    age_from=1350,
                    age_to=1380,
                    gender=2,
                    bank="white",
                    mci=Slice(start=5, size=40),
                    irancell=Slice(size=30),
                    other=Slice(start=1, size=2),
                )
            ],
            "افتتاح شد",
            other_recipients=["09124445566"],
            from_number=OTHER_LINE,
            send_time=LATER,
        ),
        json={
            "sending_type": "postal_code",
            "from_number": OTHER_LINE,
            "message": "افتتاح شد",
            "send_time": LATER_SENT,
            "params": [
                {
                    "postal_code": 51357,
                    "age_from": 1350,
                    "age_to": 1380,
                    "gender": 2,
                    "bank": "white",
                    "mci": {"start": 5, "size": 40},
                    "irancell": {"start": 0, "size": 30},
                    "other": {"start": 1, "size": 2},
                }
            ],
            "other_recipients": ["+989124445566"],
        },
        answer=one(),
        returns=ONE,
    ),
    Sample(
        endpoint=endpoints.SEND_COUNTRY,
        call=lambda client: client.send.country(
            [CountryTarget(province_id=94, mci=Slice(size=7), irancell=Slice(), other=Slice())], "Snow"
        ),
        json={
            "sending_type": "country",
            "from_number": LINE,
            "message": "Snow",
            "params": [
                {
                    "province_id": 94,
                    "age_from": 1300,
                    "age_to": 1410,
                    "gender": 0,
                    "bank": "all",
                    "mci": {"start": 0, "size": 7},
                    "irancell": EMPTY_SLICE,
                    "other": EMPTY_SLICE,
                }
            ],
        },
        answer=one(),
        returns=ONE,
    ),
    Sample(
        name="a city, with other recipients",
        endpoint=endpoints.SEND_COUNTRY,
        call=lambda client: client.send.country(
            [CountryTarget(province_id=94, county_id=301, city_id=17, pre=914, gender=1, bank="white", everyone=True)],
            "Snow",
            other_recipients=("09124445566", "09351112233"),
            send_time=LATER,
        ),
        json={
            "sending_type": "country",
            "from_number": LINE,
            "message": "Snow",
            "send_time": LATER_SENT,
            "params": [
                {
                    "province_id": 94,
                    "county_id": 301,
                    "city_id": 17,
                    "pre": 914,
                    "age_from": 1300,
                    "age_to": 1410,
                    "gender": 1,
                    "bank": "white",
                }
            ],
            "other_recipients": ["+989124445566", "+989351112233"],
        },
        answer=one(),
        returns=ONE,
    ),
    Sample(
        endpoint=endpoints.SEND_GEOLOCATION,
        call=lambda client: client.send.geolocation([GeolocationTarget(province_id=8, everyone=True)], "Rain"),
        json={
            "sending_type": "geolocation",
            "from_number": LINE,
            "message": "Rain",
            "params": [{"province_id": 8}],
        },
        answer=one(),
        returns=ONE,
    ),
    Sample(
        name="with all fields",
        endpoint=endpoints.SEND_GEOLOCATION,
        call=lambda client: client.send.geolocation(
            [
                GeolocationTarget(
                    province_id=8,
                    county_id=33,
                    city_id=61,
                    pre="914",
                    gender=1,
                    from_age=1340,
                    to_age=1372,
                    operator=[OperatorSlice(id=1, size=25), OperatorSlice(id=13, start=4, size=6)],
                ),
                GeolocationTarget(city_id=62, everyone=True),
            ],
            "Rain",
            other_recipients=iter(["09124445566"]),
            from_number=OTHER_LINE,
            send_time=LATER,
        ),
        json={
            "sending_type": "geolocation",
            "from_number": OTHER_LINE,
            "message": "Rain",
            "send_time": LATER_SENT,
            "params": [
                {
                    "province_id": 8,
                    "county_id": 33,
                    "city_id": 61,
                    "pre": "914",
                    "gender": 1,
                    "from_age": 1340,
                    "to_age": 1372,
                    "operator": [{"id": 1, "start": 0, "size": 25}, {"id": 13, "start": 4, "size": 6}],
                },
                {"city_id": 62},
            ],
            "other_recipients": ["+989124445566"],
        },
        answer=one(),
        returns=ONE,
    ),
    Sample(
        endpoint=endpoints.SEND_JOB,
        call=lambda client: client.send.job(
            [
                JobTarget(main_category_id=4, sub_category_id=12, operator=(OperatorSlice(id=2, start=3, size=9),)),
                JobTarget(main_category_id=5, everyone=True),
            ],
            "نمایشگاه",
        ),
        json={
            "sending_type": "job",
            "from_number": LINE,
            "message": "نمایشگاه",
            "params": [
                {"main_category_id": 4, "sub_category_id": 12, "operator": [{"id": 2, "start": 3, "size": 9}]},
                {"main_category_id": 5},
            ],
        },
        answer=one(),
        returns=ONE,
    ),
    Sample(
        endpoint=endpoints.SEND_KEYWORD_PHONEBOOK,
        call=lambda client: client.send.keyword_phonebook([811, 812], "تولدت مبارک {ex_60411}", send_time=LATER),
        json={
            "sending_type": "keyword_phonebook",
            "from_number": LINE,
            "message": "تولدت مبارک {ex_60411}",
            "send_time": LATER_SENT,
            "params": [{"phonebook_id": 811}, {"phonebook_id": 812}],
        },
        answer=one(),
        returns=ONE,
    ),
    Sample(
        endpoint=endpoints.SEND_PHONEBOOK,
        call=lambda client: client.send.phonebook(
            [
                WholePhonebooks(phonebook_ids=[811, 812], start=10, size=50),
                WholePhonebooks(phonebook_ids=[813]),
                PhonebookNumbers(phonebook_id=814, number_ids=[31, 32]),
            ],
            "جلسه لغو شد",
            send_time=LATER,
        ),
        json={
            "sending_type": "phonebook",
            "from_number": LINE,
            "message": "جلسه لغو شد",
            "send_time": LATER_SENT,
            "params": [
                {"phonebook_ids": ["811", "812"], "type": "all", "start": "10", "size": "50"},
                {"phonebook_ids": ["813"], "type": "all"},
                {"phonebook_id": "814", "type": "detail", "number_ids": ["31", "32"]},
            ],
        },
        answer=one(),
        returns=ONE,
    ),
]
