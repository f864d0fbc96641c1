"""Patterns in the sandbox: review, sending, update, deletion, and rejection of invalid requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ippanel_edge import EdgeClient, NotFound, RetryPolicy, ValidationFailed
from ippanel_edge.models.patterns import NewPattern, PatternFilters, PatternVariable
from ippanel_edge.models.states import PatternStatus, VariableType
from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.defaults import SUB_USER_API_KEY
from tests.sandbox.caller import Caller

PATTERNS = "/api/patterns"
ONE = "09121234567"
ORDER = NewPattern(
    description="ثبت سفارش",
    message="%name% عزیز، سفارش %order% ثبت شد.",
    variable=[
        PatternVariable(name="name", type=VariableType.STRING),
        PatternVariable(name="order", type=VariableType.INTEGER, len=6),
    ],
)
BODY: dict[str, Any] = {
    "description": "x",
    "message": "salam %a%",
    "is_share": False,
    "variable": [{"name": "a", "type": "string"}],
}


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 422, response.text
    found: dict[str, list[str]] = response.json()["meta"]["errors"]
    return found


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


def create_pattern(client: EdgeClient, pattern: NewPattern = ORDER) -> str:
    code = client.patterns.create(pattern).pattern_code
    assert code
    return code


class TestClient:
    def test_a_new_pattern_is_pending_until_the_review_time_has_passed(
        self, client: EdgeClient, sandbox: Sandbox
    ) -> None:
        sandbox.state.pattern_review_seconds = 300
        pattern = client.patterns.create(ORDER)
        assert pattern.pattern_status is PatternStatus.PENDING
        assert pattern.updated_at == datetime(2030, 1, 15, 9, 30, tzinfo=UTC)
        assert [(each.name, each.type, each.len) for each in pattern.variable] == [
            ("name", VariableType.STRING, 40),
            ("order", VariableType.INTEGER, 6),
        ]
        code = pattern.pattern_code
        assert code
        with pytest.raises(ValidationFailed, match="پترن فعال نیست"):
            client.send.pattern(code, ONE, {"name": "سارا", "order": 512})
        sandbox.clock.advance(300)
        found = client.patterns.get(code)
        assert (found.pattern_status, found.pattern_status_fa) == (PatternStatus.ACTIVE, "فعال")
        sent = client.send.pattern(code, ONE, {"name": "سارا", "order": 512})
        assert client.reports.by_id(sent.id).message == "سارا عزیز، سفارش 512 ثبت شد."

    @pytest.mark.parametrize("value", ["5a", "-5", "\u06f5", "1234567", ""])
    def test_an_integer_variable_accepts_digits_up_to_its_length(
        self, client: EdgeClient, sandbox: Sandbox, value: str
    ) -> None:
        code = create_pattern(client)
        sandbox.state.approve_pattern(code)
        with pytest.raises(ValidationFailed) as caught:
            client.send.pattern(code, ONE, {"name": "سارا", "order": value})
        assert list(caught.value.errors) == ["params.order"]
        assert client.send.pattern(code, ONE, {"name": "سارا", "order": "123456"}).id

    def test_a_pattern_stays_pending_without_automatic_review_and_can_be_rejected(
        self, client: EdgeClient, sandbox: Sandbox
    ) -> None:
        sandbox.state.pattern_review_seconds = None
        code = create_pattern(client)
        sandbox.clock.advance(1_000_000)
        assert client.patterns.get(code).pattern_status is PatternStatus.PENDING
        sandbox.state.reject_pattern(code, "نام مجموعه را بنویسید")
        found = client.patterns.get(code)
        assert (found.pattern_status, found.admin_comment) == (PatternStatus.INACTIVE, "نام مجموعه را بنویسید")

    def test_an_updated_pattern_is_reviewed_again(self, client: EdgeClient, sandbox: Sandbox) -> None:
        code = create_pattern(client)
        sandbox.state.approve_pattern(code)
        changed = client.patterns.update(code, NewPattern(description="x", message="سلام", variable=[], title="t"))
        assert (changed.pattern_status, changed.pattern_message, changed.title) == ("pending", "سلام", "t")
        sandbox.clock.advance(60)
        sent = client.send.pattern(code, ONE, {})
        assert client.reports.by_id(sent.id).message == "سلام"

    def test_a_pattern_can_be_resubmitted_from_its_response(self, client: EdgeClient) -> None:
        found = client.patterns.get(create_pattern(client))
        again = NewPattern(
            description=found.pattern_description or "",
            message=found.pattern_message or "",
            variable=found.variable,
        )
        assert client.patterns.update(found.pattern_code or "", again).variable == found.variable

    def test_a_deleted_pattern_is_not_found(self, client: EdgeClient) -> None:
        code = create_pattern(client)
        client.patterns.delete(code)
        for method in (client.patterns.get, client.patterns.delete):
            with pytest.raises(NotFound, match="پترن مورد نظر یافت نشد"):
                method(code)

    def test_the_list_is_newest_first_filtered_and_paginated(self, client: EdgeClient) -> None:
        plain = create_pattern(client, NewPattern(description="x", message="سلام", variable=[], title="خوشامد"))
        shared = create_pattern(client, NewPattern(description="x", message="سلام", variable=[], is_share=True))

        def found(**filters: Any) -> list[str | None]:
            return [each.pattern_code for each in client.patterns.iter_list(filters=PatternFilters(**filters))]

        assert [each.pattern_code for each in client.patterns.iter_list(per_page=2)][:2] == [shared, plain]
        assert found(is_share=True) == [shared]
        assert found(title="خوش") == [plain]
        assert found(code=plain) == [plain]
        assert found(state=PatternStatus.PENDING) == [shared, plain, "pending"]
        assert found(state="active", is_share=False) == ["welcome", "otp"]
        assert found(type="systemic") == []

    def test_a_sub_user_can_send_but_not_change_a_shared_pattern(self, client: EdgeClient, sandbox: Sandbox) -> None:
        shared = create_pattern(client, NewPattern(description="x", message="سلام", variable=[], is_share=True))
        sandbox.state.approve_pattern(shared)
        with EdgeClient(SUB_USER_API_KEY, base_url=sandbox.base_url, from_number="+983000100300") as sub_user:
            assert [each.pattern_code for each in sub_user.patterns.list()] == [shared]
            assert sub_user.send.pattern(shared, ONE, {}).id
            with pytest.raises(NotFound):
                sub_user.patterns.delete(shared)
            with pytest.raises(NotFound):
                sub_user.patterns.update(shared, ORDER)
            with pytest.raises(NotFound):
                sub_user.patterns.get("otp")


class TestRawHttp:
    def test_missing_fields_have_the_documented_names(self, call: Caller) -> None:
        found = errors(call("POST", f"{PATTERNS}/normal", json={"is_share": False, "variable": [{}]}))
        names = ("message", "description", "variable.0.name", "variable.0.type")
        assert found == {name: [f"تکمیل گزینه {name} الزامی است"] for name in names}

    def test_missing_fields_are_named_with_their_path(self, call: Caller) -> None:
        assert set(errors(call("POST", f"{PATTERNS}/normal", json={"variable": [{}]}))) == {
            "description",
            "message",
            "is_share",
            "variable.0.name",
            "variable.0.type",
        }
        assert set(errors(call("POST", f"{PATTERNS}/normal", json={**BODY, "variable": None}))) == {
            "variable",
            "message",
        }

    @pytest.mark.parametrize(
        ("changes", "wrong"),
        [
            ({"message": "salam"}, "variable.0.name"),
            ({"message": "%a% %b%"}, "message"),
            ({"variable": []}, "message"),
            ({"variable": [{"name": "a", "type": "number"}]}, "variable.0.type"),
            ({"variable": [{"name": "a", "type": "string", "len": 0}]}, "variable.0.len"),
            ({"variable": [{"name": "a", "type": "string"}] * 2}, "variable.1.name"),
            ({"title": None}, "title"),
            ({"website": ""}, "website"),
            ({"is_share": "false"}, "is_share"),
            ({"delimiter": "#"}, "delimiter"),
        ],
    )
    def test_inconsistent_and_unknown_fields_are_rejected(
        self, call: Caller, changes: dict[str, Any], wrong: str
    ) -> None:
        assert list(errors(call("POST", f"{PATTERNS}/normal", json={**BODY, **changes}))) == [wrong]

    def test_update_accepts_post_and_put(self, call: Caller) -> None:
        for method in ("POST", "PUT"):
            response = call(method, f"{PATTERNS}/normal/otp", json=BODY)
            assert response.json()["data"]["pattern_status"] == "pending"
        assert call("PATCH", f"{PATTERNS}/normal/otp", json=BODY).headers["allow"] == "DELETE, POST, PUT"

    def test_a_page_has_at_most_100_rows(self, call: Caller) -> None:
        assert list(errors(call("GET", PATTERNS, params={"per_page": 101}))) == ["per_page"]

    @pytest.mark.parametrize(
        "name", ["filter[name]", "filter[state]", "filter[is_share]", "filter[type]", "filter[code]"]
    )
    def test_an_unknown_or_invalid_filter_is_rejected(self, call: Caller, name: str) -> None:
        value = "" if name == "filter[code]" else "x"
        wrong = name.replace("[", ".").rstrip("]")
        assert list(errors(call("GET", PATTERNS, params={name: value}))) == [wrong]

    def test_pattern_codes_are_unique(self, call: Caller) -> None:
        codes = {call("POST", f"{PATTERNS}/normal", json=BODY).json()["data"]["pattern_code"] for _ in range(2)}
        assert len(codes) == 2
