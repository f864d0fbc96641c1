"""Banks, geolocation and jobs in the sandbox: places, job categories and counts of people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.caller import Caller

BANKS = [("/v1", "/api/send/banks"), ("", "/v2/api/send/banks"), ("/v1", "/v2/api/send/banks")]


def names(call: Caller, path: str, base: str = "/v1", **params: Any) -> list[str]:
    return [row["name"] for row in call("GET", path, base=base, params=params).json()["data"]]


@pytest.mark.parametrize(("base", "path"), BANKS)
class TestPlaces:
    def test_places_are_listed_by_parent(self, call: Caller, base: str, path: str) -> None:
        assert names(call, f"{path}/provinces", base) == ["تهران", "اصفهان", "گیلان"]
        assert names(call, f"{path}/counties", base, province_id=12) == ["کاشان", "نجف آباد"]
        assert names(call, f"{path}/cities", base, county_id=121) == ["کاشان", "قمصر"]

    def test_an_unknown_place_is_rejected_with_the_message_of_the_service(
        self, call: Caller, base: str, path: str
    ) -> None:
        response = call("GET", f"{path}/counties", base=base, params={"province_id": 7})
        assert response.status_code == 422
        assert response.json()["meta"]["errors"] == {"province_id": ["گزینه انتخاب شده province id صحیح نمی باشد"]}
        response = call("GET", f"{path}/cities", base=base)
        assert list(response.json()["meta"]["errors"]) == ["county_id"]


def test_genders_have_no_meta(call: Caller) -> None:
    answer = call("GET", "/api/send/banks/genders").json()
    assert list(answer) == ["data"]
    assert len(answer["data"]) == 3


KASHAN: dict[str, Any] = {"province_id": 12, "county_id": 121, "city_id": 1211}


class TestCounts:
    def count(self, call: Caller, path: str, base: str = "/v1", **params: Any) -> int:
        response = call("GET", path, base=base, params=params)
        assert response.status_code == 200, response.text
        data = response.json()["data"]
        assert response.json()["meta"]["message"] == "count"
        assert set(data) == {"mci_count", "irancell_count", "other_count"}
        return sum(data.values())

    def test_version_1_requires_province_county_and_city(self, call: Caller) -> None:
        path = "/api/send/banks/counts"
        assert self.count(call, path, **KASHAN) == 300
        assert set(call("GET", path, params={"province_id": 12}).json()["meta"]["errors"]) == {"county_id", "city_id"}

    def test_version_1_filters_by_gender_birth_years_and_prefix(self, call: Caller) -> None:
        path = "/api/send/banks/counts"
        men, women = (self.count(call, path, **KASHAN, gender_id=gender) for gender in (1, 2))
        assert men + women == 300
        assert 0 < self.count(call, path, **KASHAN, birth_year_from=1350, birth_year_to=1360) < 300
        assert 0 < self.count(call, path, **KASHAN, number_prefix="912") < 300
        assert self.count(call, path, **KASHAN, number_prefix="9") == 300

    def test_version_2_accepts_a_province_alone(self, call: Caller) -> None:
        path = "/v2/api/send/banks/counts"
        assert self.count(call, path, "", province_id=12) == 900
        assert self.count(call, path, "", province_id=12, county_id=121) == 600
        some = self.count(call, path, "", **KASHAN, from_age=1340, to_age=1380, gender=1, pre="912")
        assert 0 < some < 300

    @pytest.mark.parametrize("params", [{"pre": "9x"}, {"gender": 3}, {"from_age": 1299}, {"county_id": 111}])
    def test_an_invalid_filter_is_named(self, call: Caller, params: dict[str, Any]) -> None:
        response = call("GET", "/v2/api/send/banks/counts", base="", params={"province_id": 12, **params})
        assert list(response.json()["meta"]["errors"]) == list(params)


class TestJobs:
    def test_sub_categories_have_the_main_id_as_a_str(self, call: Caller) -> None:
        assert [row["id"] for row in call("GET", "/api/send/jobs/categories").json()["data"]] == [1, 2, 3]
        rows = call("GET", "/api/send/jobs/sub-categories", params={"main_category_id": 1}).json()["data"]
        assert rows[0] == {"id": 10, "name": "نانوایی", "main_id": "1", "main_name": "خوراک"}

    def test_an_unknown_category_is_rejected(self, call: Caller) -> None:
        response = call("GET", "/api/send/jobs/sub-categories", params={"main_category_id": 9})
        assert response.json()["meta"]["message"] == "گزینه انتخاب شده شناسه دسته بندی اصلی صحیح نمی باشد"

    def test_counts_are_limited_by_operator_and_slice(self, call: Caller) -> None:
        def count(**params: Any) -> dict[str, int]:
            found: dict[str, int] = call("GET", "/api/send/jobs/number-count", params=params).json()["data"]
            return found

        everybody = count(main_category_id=1)
        assert min(everybody.values()) > 10
        assert count(main_category_id=1, operator_id=2) == {**everybody, "mci_count": 0, "other_count": 0}
        assert count(main_category_id=1, sub_category_id=10, operator_id=1, start=0, size=5)["mci_count"] == 5
        response = call("GET", "/api/send/jobs/number-count", params={"main_category_id": 1, "operator_id": 5})
        assert list(response.json()["meta"]["errors"]) == ["operator_id"]
