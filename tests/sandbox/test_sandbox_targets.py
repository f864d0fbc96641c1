"""Sends to banks, job categories and phonebooks in the sandbox: recipients of a target, and invalid targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ippanel_edge.sandbox.defaults import BANK_NUMBER
from ippanel_edge.sandbox.population import people
from ippanel_edge.sandbox.records import ContactOption, Phonebook
from tests.sandbox.caller import Caller, accepted, errors

if TYPE_CHECKING:
    import httpx

    from ippanel_edge.sandbox import Sandbox

ONE, TWO, THREE = "+989121234567", "+989351234567", "+989211234567"


class TestTargets:
    def named(self, **size: int) -> dict[str, Any]:
        return {name: {"start": 0, "size": size.get(name, 0)} for name in ("mci", "irancell", "other")}

    def postal(self, **changes: Any) -> dict[str, Any]:
        target = {"bank": "all", "postal_code": 111, "gender": 0, "age_from": 1300, "age_to": 1410}
        return {**target, **self.named(mci=3, other=1), **changes}

    def test_a_postal_code_reaches_the_slice_of_each_operator(self, call: Caller) -> None:
        response = call.send("postal_code", message="x", params=[self.postal()], other_recipients=[ONE])
        (outbox_id,) = accepted(response)
        people_in_area = [person for person in people() if person.postal_code.startswith("111")]
        mci = [person.number for person in people_in_area if person.operator == 1][:3]
        other = [person.number for person in people_in_area if person.operator == 13][:1]
        assert list(call.statuses(outbox_id)) == [*mci, *other, ONE]

    @pytest.mark.parametrize(
        ("changes", "wrong"),
        [
            ({"postal_code": 1}, "postal_code"),
            ({"postal_code": 9999999}, "postal_code"),
            ({"postal_code": "111"}, "postal_code"),
            ({"bank": "black"}, "bank"),
            ({"gender": 3}, "gender"),
            ({"gender": True}, "gender"),
            ({"age_from": 1299}, "age_from"),
            ({"age_to": 1411}, "age_to"),
            ({"age_from": 1400, "age_to": 1399}, "age_to"),
            ({"mci": {"start": -1, "size": 1}}, "mci.start"),
            ({"mci": {"start": 0, "size": "1"}}, "mci.size"),
            ({"mci": None}, "mci"),
        ],
    )
    def test_an_invalid_target_is_named(self, call: Caller, changes: dict[str, Any], wrong: str) -> None:
        response = call.send("postal_code", message="x", params=[self.postal(**changes)])
        assert f"params.0.{wrong}" in errors(response)

    def test_an_unknown_postal_code_is_rejected(self, call: Caller) -> None:
        response = call.send("postal_code", message="x", params=[self.postal(postal_code=999)])
        assert errors(response) == {"postal_code": ["کد پستی نامعتبر است"]}

    def test_without_slices_all_numbers_are_reached(self, call: Caller) -> None:
        everybody = {"bank": "all", "gender": 0, "age_from": 1300, "age_to": 1410}
        target = {"postal_code": 111, **everybody}
        (outbox_id,) = accepted(call.send("postal_code", message="x", params=[target]))
        expected = [person.number for person in people() if person.postal_code.startswith("111")]
        assert call.report(outbox_id)["rcpts_count"] == str(len(expected))
        response = call.send("country", message="y", params=[{"province_id": 11, **everybody}])
        assert call.report(accepted(response)[0])["rcpts_count"] == "900"

    def test_an_operator_left_out_beside_another_one_gets_nothing(self, call: Caller) -> None:
        target = self.country(gender=0, mci={"start": 10, "size": 100})
        del target["irancell"], target["other"]
        (outbox_id,) = accepted(call.send("country", message="x", params=[target]))
        assert call.report(outbox_id)["rcpts_count"] == "100"

    def test_white_excludes_blacklisted_numbers(self, call: Caller) -> None:
        params = [
            self.postal(**self.named(mci=1000, irancell=1000, other=1000), bank=bank) for bank in ("all", "white")
        ]
        everybody, white = (
            call.report(accepted(call.send("postal_code", message=str(index), params=[target]))[0])["rcpts_count"]
            for index, target in enumerate(params)
        )
        assert int(everybody) > int(white) > 0

    def country(self, **changes: Any) -> dict[str, Any]:
        target = {"bank": "all", "province_id": 11, "gender": 1, "age_from": 1330, "age_to": 1400}
        return {**target, **self.named(mci=1000), **changes}

    def test_a_country_target_can_be_a_province_a_county_or_a_city(self, call: Caller) -> None:
        counts: list[int] = []
        for place in ({}, {"county_id": 111}, {"county_id": 111, "city_id": 1111}, {"county_id": 111, "pre": 912}):
            target = self.country(**place)
            (outbox_id,) = accepted(call.send("country", message=f"x{place}", params=[target], from_number=BANK_NUMBER))
            counts.append(int(call.report(outbox_id)["rcpts_count"]))
        province, county, city, prefix = counts
        assert province > county > city > 0
        assert county > prefix > 0

    @pytest.mark.parametrize("missing", ["bank", "gender", "age_from", "age_to"])
    def test_a_field_that_selects_people_is_required(self, call: Caller, missing: str) -> None:
        for sending_type, target in (("postal_code", self.postal()), ("country", self.country())):
            del target[missing]
            response = call.send(sending_type, message="x", params=[target])
            assert list(errors(response)) == [f"params.0.{missing}"]

    @pytest.mark.parametrize("prefix", ["9", "9121234", "9121234567", "9x"])
    def test_a_prefix_has_2_to_6_digits(self, call: Caller, prefix: str) -> None:
        response = call.send("geolocation", message="x", params=[{"province_id": 11, "pre": prefix}])
        assert list(errors(response)) == ["params.0.pre"]
        params = {"province_id": "11", "pre": prefix}
        assert list(errors(call("GET", "/v2/api/send/banks/counts", base="", params=params))) == ["pre"]
        for accepted_prefix in ("91", "912000"):
            target = {"province_id": 11, "pre": accepted_prefix}
            assert accepted(call.send("geolocation", message=accepted_prefix, params=[target]))

    @pytest.mark.parametrize(
        ("changes", "wrong"),
        [
            ({"city_id": 1111}, "county_id"),
            ({"pre": 9}, "pre"),
            ({"pre": "912"}, "pre"),
        ],
    )
    def test_an_invalid_place_is_named(self, call: Caller, changes: dict[str, Any], wrong: str) -> None:
        assert list(errors(call.send("country", message="x", params=[self.country(**changes)]))) == [
            f"params.0.{wrong}"
        ]

    @pytest.mark.parametrize(
        ("changes", "wrong"),
        [
            ({"province_id": 99}, "province_id"),
            ({"county_id": 121}, "county_id"),
            ({"county_id": 111, "city_id": 1211}, "city_id"),
        ],
    )
    def test_an_unknown_region_is_rejected(self, call: Caller, changes: dict[str, Any], wrong: str) -> None:
        found = errors(call.send("country", message="x", params=[self.country(**changes)]))
        assert found[wrong] == ["منطقه انتخابی نامعتبر است"]

    def test_all_fields_of_a_geolocation_target_are_optional(self, call: Caller) -> None:
        target = {
            "province_id": 12,
            "county_id": 121,
            "city_id": 1211,
            "pre": "93",
            "gender": 2,
            "from_age": 1340,
            "to_age": 1390,
            "operator": [{"id": 2, "start": 1, "size": 4}],
        }
        (outbox_id,) = accepted(call.send("geolocation", message="x", params=[target], other_recipients=[ONE]))
        assert call.report(outbox_id)["rcpts_count"] == "5"
        (outbox_id,) = accepted(call.send("geolocation", message="x", params=[{"operator": [{"id": 13, "size": 2}]}]))
        assert call.report(outbox_id)["rcpts_count"] == "2"

    def test_a_job_target_is_a_job_category(self, call: Caller) -> None:
        target = {"main_category_id": 1, "sub_category_id": 10, "operator": [{"id": 1, "start": 0, "size": 7}]}
        (outbox_id,) = accepted(call.send("job", message="x", params=[target]))
        assert call.report(outbox_id)["rcpts_count"] == "7"
        wrong = {"main_category_id": 1, "sub_category_id": 20, "operator": [{"id": 3}]}
        found = errors(call.send("job", message="x", params=[wrong]))
        assert set(found) == {"params.0.sub_category_id", "params.0.operator.0.id"}

    def test_a_target_without_people_is_accepted_and_has_no_recipients(self, call: Caller) -> None:
        target = {"main_category_id": 1, "operator": [{"id": 1, "start": 0, "size": 0}]}
        (outbox_id,) = accepted(call.send("job", message="x", params=[target]))
        report = call.report(outbox_id)
        assert (report["state_id"], report["cost"], report["rcpts_count"]) == (4, 0.0, "0")


class TestPhonebooks:
    @pytest.fixture(autouse=True)
    def _phonebooks(self, sandbox: Sandbox) -> None:
        state = sandbox.state
        owner = state.api_keys[sandbox.api_key]
        state.contact_options[5] = ContactOption(5, owner, "debt", "int", state.now)
        for phonebook_id, numbers in ((1, [ONE, TWO]), (2, [THREE])):
            state.phonebooks[phonebook_id] = Phonebook(phonebook_id, owner, "b", state.now, state.now, option_ids=[5])
            for number in numbers:
                state.add_contact(phonebook_id, number).options = {5: number[-1:]} if number != TWO else {}

    def phonebook(self, call: Caller, *params: dict[str, Any]) -> httpx.Response:
        return call.send("phonebook", message="x", params=list(params))

    def test_whole_phonebooks_with_and_without_a_slice(self, call: Caller, sandbox: Sandbox) -> None:
        (outbox_id,) = accepted(self.phonebook(call, {"type": "all", "phonebook_ids": ["1", 2]}))
        assert set(call.statuses(outbox_id)) == {ONE, TWO, THREE}
        sandbox.clock.advance(60)
        entry = {"type": "all", "phonebook_ids": ["1", "2"], "start": "1", "size": "1"}
        (outbox_id,) = accepted(self.phonebook(call, entry))
        assert set(call.statuses(outbox_id)) == {TWO}

    def test_selected_contacts_of_a_phonebook(self, call: Caller, sandbox: Sandbox) -> None:
        second = sandbox.state.contacts_of(1)[1].contact_id
        entry = {"type": "detail", "phonebook_id": "1", "number_ids": [str(second)]}
        (outbox_id,) = accepted(self.phonebook(call, entry))
        assert set(call.statuses(outbox_id)) == {TWO}

    @pytest.mark.parametrize(
        ("entry", "wrong"),
        [
            ({"type": "some"}, "type"),
            ({"type": "all", "phonebook_ids": ["x"]}, "phonebook_ids.0"),
            ({"type": "all", "phonebook_ids": []}, "phonebook_ids"),
            ({"type": "detail", "phonebook_id": "1", "number_ids": ["1"]}, "number_ids.0"),
        ],
    )
    def test_an_invalid_entry_is_named(self, call: Caller, entry: dict[str, Any], wrong: str) -> None:
        assert f"params.0.{wrong}" in errors(self.phonebook(call, entry))

    @pytest.mark.parametrize(
        ("sending_type", "entry"),
        [
            ("phonebook", {"type": "all", "phonebook_ids": ["1", "7"]}),
            ("phonebook", {"type": "detail", "phonebook_id": "7", "number_ids": ["1"]}),
            ("keyword_phonebook", {"phonebook_id": 7}),
        ],
    )
    def test_an_unknown_phonebook_is_404(self, call: Caller, sending_type: str, entry: dict[str, Any]) -> None:
        response = call.send(sending_type, message="x", params=[entry])
        meta = response.json()["meta"]
        expected = (404, "404-1", "دفترچه تلفن یافت نشد")
        assert (response.status_code, meta["message_code"], meta["message"]) == expected

    def test_a_phonebook_send_has_at_most_100_entries_a_keyword_send_any_number(self, call: Caller) -> None:
        entry = {"type": "all", "phonebook_ids": ["1"]}
        assert list(errors(self.phonebook(call, *[entry] * 101))) == ["params"]
        response = call.send("keyword_phonebook", message="x", params=[{"phonebook_id": 1}] * 101)
        assert len(accepted(response)) == 1

    def test_placeholders_are_replaced_by_the_options_of_each_contact(self, call: Caller) -> None:
        response = call.send("keyword_phonebook", message="debt {ex_5}.", params=[{"phonebook_id": 1}])
        (outbox_id,) = accepted(response)
        rows = call("GET", "/api/report/recipients", params={"bulk_id": outbox_id}).json()["data"]
        assert [row["message"] for row in rows] == ["debt 7.", "debt ."]

    def test_an_option_missing_from_the_phonebook_is_rejected(self, call: Caller) -> None:
        response = call.send("keyword_phonebook", message="{ex_6}", params=[{"phonebook_id": 1}])
        assert list(errors(response)) == ["message"]
