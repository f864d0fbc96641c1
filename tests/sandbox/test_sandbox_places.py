"""Geolocation and jobs with the client: a count equals the number of recipients of the same send."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ippanel_edge import EdgeClient, RetryPolicy, ValidationFailed
from ippanel_edge.models.send import GeolocationTarget, JobTarget, OperatorSlice
from ippanel_edge.sandbox import Sandbox
from tests.sandbox.caller import Caller


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[EdgeClient]:
    with (
        sandbox,
        EdgeClient(
            sandbox.api_key,
            base_url=sandbox.base_url,
            from_number=sandbox.from_number,
            retry=RetryPolicy(retries=0),
        ) as client,
    ):
        yield client


def test_the_count_of_a_city_equals_the_recipients_of_its_send(client: EdgeClient) -> None:
    (province,) = (place for place in client.geolocation.provinces() if place.name == "گیلان")
    assert province.id is not None
    (county,) = client.geolocation.counties(province.id)
    assert county.id is not None
    city = client.geolocation.cities(county.id)[0]
    count = client.geolocation.count(
        province_id=province.id, county_id=county.id, city_id=city.id, from_age=1340, to_age=1380, gender=2, pre="912"
    )
    assert count.mci_count
    assert (count.irancell_count, count.other_count) == (0, 0)
    target = GeolocationTarget(
        province_id=province.id,
        county_id=county.id,
        city_id=city.id,
        from_age=1340,
        to_age=1380,
        gender=2,
        pre="912",
        everyone=True,
    )
    sent = client.send.geolocation([target], "salam")
    assert client.reports.by_id(sent.id).rcpts_count == count.total


def test_a_city_can_be_counted_without_its_county_as_documented(client: EdgeClient, call: Caller) -> None:
    alone = client.geolocation.count(province_id=13, city_id=1311)
    assert alone.total == 300
    response = call("GET", "/v2/api/send/banks/counts", base="", params={"province_id": 13, "city_id": 1311})
    assert response.status_code == 200


def test_the_count_of_a_job_equals_the_recipients_of_its_send(client: EdgeClient) -> None:
    main = client.jobs.categories()[0]
    assert main.id is not None
    category = client.jobs.sub_categories(main.id)[1]
    assert category.id is not None
    assert (category.main_id, category.main_name) == (main.id, main.name)
    count = client.jobs.count(main.id, sub_category_id=category.id, operator_id=2, start=3, size=4)
    assert (count.irancell_count, count.total) == (4, 4)
    operators = [OperatorSlice(id=2, start=3, size=4)]
    sent = client.send.job([JobTarget(main_category_id=main.id, sub_category_id=category.id, operator=operators)], "x")
    assert client.reports.by_id(sent.id).rcpts_count == 4


def test_an_unknown_place_or_category_is_named(client: EdgeClient) -> None:
    with pytest.raises(ValidationFailed) as caught:
        client.geolocation.counties(999)
    assert list(caught.value.errors) == ["province_id"]
    with pytest.raises(ValidationFailed) as caught:
        client.jobs.count(999)
    assert list(caught.value.errors) == ["main_category_id"]
