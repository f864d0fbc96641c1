"""The counts of the banks' second version and of trades: what is out of its limits is refused, and nothing is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ippanel_edge import ConfigurationError, EdgeClient


def refuse(_: httpx.Request) -> httpx.Response:
    raise AssertionError("something was sent")


@pytest.fixture
def client() -> EdgeClient:
    return EdgeClient("key", http_client=httpx.Client(transport=httpx.MockTransport(refuse)))


REFUSED: list[tuple[str, Callable[[Any], object]]] = [
    ("province_id", lambda c: c.geolocation.counties(0)),
    ("county_id", lambda c: c.geolocation.cities("9")),
    ("province_id", lambda c: c.geolocation.count(province_id=-1)),
    ("county_id", lambda c: c.geolocation.count(province_id=1, county_id=0)),
    ("city_id", lambda c: c.geolocation.count(province_id=1, city_id=True)),
    ("from_age", lambda c: c.geolocation.count(province_id=1, from_age=1299)),
    ("to_age", lambda c: c.geolocation.count(province_id=1, to_age=1411)),
    ("from_age", lambda c: c.geolocation.count(province_id=1, from_age=1390, to_age=1380)),
    ("gender", lambda c: c.geolocation.count(province_id=1, gender=3)),
    ("pre", lambda c: c.geolocation.count(province_id=1, pre="9")),
    ("pre", lambda c: c.geolocation.count(province_id=1, pre="0912345")),
    ("main_category_id", lambda c: c.jobs.sub_categories(0)),
    ("main_category_id", lambda c: c.jobs.count(0)),
    ("sub_category_id", lambda c: c.jobs.count(1, sub_category_id=0)),
    ("operator_id", lambda c: c.jobs.count(1, operator_id=3)),
    ("start", lambda c: c.jobs.count(1, start=-1)),
    ("size", lambda c: c.jobs.count(1, size=-5)),
]


@pytest.mark.parametrize(("argument", "ask"), REFUSED)
def test_a_value_out_of_its_limits_is_named_and_nothing_is_sent(
    client: EdgeClient, argument: str, ask: Callable[[Any], object]
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        ask(client)
    assert caught.value.argument == argument


def test_limits_may_be_turned_off_but_not_shapes() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(200, json={"data": {}, "meta": {"status": True}})

    client = EdgeClient("key", validate=False, http_client=httpx.Client(transport=httpx.MockTransport(answer)))
    client.geolocation.count(province_id=1, from_age=1200, gender=9, pre="9")
    client.jobs.count(1, operator_id=4)
    assert [url.partition("?")[2] for url in asked] == [
        "province_id=1&from_age=1200&gender=9&pre=9",
        "main_category_id=1&operator_id=4",
    ]
    with pytest.raises(ConfigurationError):
        client.jobs.count(0)
