"""Tickets in the sandbox: creation, replies, closing, attachments, and rejection of invalid requests."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ippanel_edge import EdgeClient, NotFound, RetryPolicy, ValidationFailed
from ippanel_edge.models.states import TicketState
from ippanel_edge.models.tickets import TicketCategory, TicketFilters, TicketSubCategory
from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.defaults import MOBILE, SUB_USER_API_KEY
from tests.sandbox.caller import Caller, form_parts

TICKET = "/api/ticket"
FIELDS = {"subject": "قطعی", "category_id": "10", "description": "از صبح"}


def errors(response: Any) -> dict[str, list[str]]:
    assert response.status_code == 422, response.text
    found: dict[str, list[str]] = response.json()["meta"]["errors"]
    return found


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[EdgeClient]:
    with sandbox, EdgeClient(sandbox.api_key, base_url=sandbox.base_url, retry=RetryPolicy(retries=0)) as client:
        yield client


class TestClient:
    def test_a_ticket_is_answered_and_replied_to(self, client: EdgeClient, sandbox: Sandbox) -> None:
        ticket_id = client.tickets.create("قطعی", 20, "از صبح", sms_notification=True, file=("a.png", b"\x89PNG"))
        asked = client.tickets.get(ticket_id)
        assert asked.state_id is TicketState.WAITING_FOR_SUPPORT
        assert (asked.category, asked.category_id, asked.sub_category_id) == ("فنی", 10, 20)
        assert asked.created_at == datetime(2030, 1, 15, 9, 30, tzinfo=UTC)
        assert asked.attachment is not None
        assert asked.attachment.endswith("a.png")
        assert asked.interactions == ()

        sandbox.clock.advance(60)
        sandbox.state.answer_ticket(ticket_id, "درست شد", attachment="fix.zip")
        (row,) = client.tickets.list().items
        assert (row.state_id, row.user_seen, row.interaction_count) == (TicketState.ANSWERED, False, 1)
        assert [(notice.number, str(ticket_id) in notice.text) for notice in sandbox.state.notices] == [(MOBILE, True)]
        answered = client.tickets.get(ticket_id)
        assert [each.description for each in answered.interactions] == ["درست شد"]
        assert answered.interactions[0].created_at == datetime(2030, 1, 15, 9, 31, tzinfo=UTC)

        reply = client.tickets.reply(ticket_id, "هنوز نه", file=("log.zip", b"PK"))
        again = client.tickets.get(ticket_id)
        assert again.state_id is TicketState.WAITING_FOR_SUPPORT
        assert again.interactions[-1].id == reply.interaction_id
        assert again.interactions[-1].agent_username == "sandbox"
        assert reply.ticket is not None
        assert reply.ticket.id == ticket_id

    def test_getting_a_ticket_marks_it_as_read(self, client: EdgeClient, sandbox: Sandbox) -> None:
        ticket_id = client.tickets.create("x", 10, "x")
        sandbox.state.answer_ticket(ticket_id, "y")
        assert client.tickets.list().items[0].user_seen is False
        client.tickets.get(ticket_id)
        assert client.tickets.list().items[0].user_seen is True

    def test_a_reply_reopens_a_closed_ticket(self, client: EdgeClient, sandbox: Sandbox) -> None:
        ticket_id = client.tickets.create("x", 10, "x")
        sandbox.state.close_ticket(ticket_id)
        assert client.tickets.get(ticket_id).state_id is TicketState.CLOSED
        client.tickets.reply(ticket_id, "again")
        assert client.tickets.get(ticket_id).state_id is TicketState.WAITING_FOR_SUPPORT

    def test_the_list_has_categories_as_objects(self, client: EdgeClient) -> None:
        client.tickets.create("x", 20, "x")
        (row,) = client.tickets.list()
        assert row.category == TicketCategory(id=10, name="فنی")
        assert row.sub_category == TicketSubCategory(id=20, title="وب سرویس")
        assert row.user is not None
        assert row.user.uname == "sandbox"

    def test_the_list_is_filtered_and_paginated(self, client: EdgeClient, sandbox: Sandbox) -> None:
        ids = [client.tickets.create(f"x{number}", 10 + number % 2, "x") for number in range(5)]
        sandbox.state.answer_ticket(ids[0], "y")
        assert [row.ticket_id for row in client.tickets.iter_list(per_page=2)] == ids[::-1]

        def found(**filters: Any) -> list[int | None]:
            return [row.ticket_id for row in client.tickets.list(filters=TicketFilters(**filters))]

        assert found(state_id=TicketState.ANSWERED) == [ids[0]]
        assert found(category_id=11) == [ids[3], ids[1]]
        assert found(ticket_id=ids[2]) == [ids[2]]
        assert found(username="nobody") == []
        assert found(sub_category_id=20) == []

    def test_a_reseller_sees_the_tickets_of_its_sub_users_but_not_vice_versa(
        self, client: EdgeClient, sandbox: Sandbox
    ) -> None:
        own = client.tickets.create("x", 10, "x")
        sandbox.state.users[sandbox.state.api_keys[SUB_USER_API_KEY]].is_reseller = True
        with EdgeClient(SUB_USER_API_KEY, base_url=sandbox.base_url) as sub_user:
            other = sub_user.tickets.create("y", 10, "y")
            assert [row.ticket_id for row in sub_user.tickets.list()] == [other]
            with pytest.raises(NotFound, match="تیکت مورد نظر یافت نشد"):
                sub_user.tickets.get(own)
            with pytest.raises(NotFound):
                sub_user.tickets.reply(own, "x")
        assert client.tickets.get(other).subject == "y"

    def test_an_unknown_category_is_named(self, client: EdgeClient) -> None:
        with pytest.raises(ValidationFailed) as caught:
            client.tickets.create("x", 999, "x")
        assert dict(caught.value.errors) == {"category_id": ("گزینه انتخاب شده category id صحیح نمی باشد",)}


class TestRawHttp:
    def test_missing_fields_are_named(self, call: Caller) -> None:
        response = call("POST", TICKET, files=form_parts({"subject": " "}))
        assert set(errors(response)) == {"subject", "category_id", "description"}
        assert set(errors(call("POST", f"{TICKET}/interaction"))) == {"ticket_id", "description"}
        assert errors(call("GET", f"{TICKET}/show")) == {"ticket_id": ["تکمیل گزینه ticket id الزامی است"]}

    @pytest.mark.parametrize("value", ["true", "yes", "2"])
    def test_sms_notification_must_be_0_or_1(self, call: Caller, value: str) -> None:
        response = call("POST", TICKET, files=form_parts({**FIELDS, "sms_notification": value}))
        assert list(errors(response)) == ["sms_notification"]

    def test_the_documented_limits_of_files_apply_to_new_tickets_and_replies(self, call: Caller) -> None:
        whole = bytes(10 * 1024 * 1024)
        created = call("POST", TICKET, data=FIELDS, files={"file": ("a.zip", whole)})
        reply = {"ticket_id": created.json()["data"]["ticket_id"], "description": "x"}
        for path, fields in ((TICKET, FIELDS), (f"{TICKET}/interaction", reply)):
            response = call("POST", path, data=fields, files={"file": ("a.exe", b"x")})
            assert "از نوع zip، jpg، jpeg، png" in errors(response)["file"][0]
            response = call("POST", path, data=fields, files={"file": ("a.zip", whole + b"0")})
            assert "بیشتر از 10 مگابایت" in errors(response)["file"][0]
            assert call("POST", path, data=fields, files={"file": ("a.ZIP", b"PK")}).status_code == 200
        assert len(call.sandbox.state.tickets) == 2

    def test_a_file_field_that_is_a_str_is_rejected(self, call: Caller) -> None:
        assert list(errors(call("POST", TICKET, files=form_parts({**FIELDS, "file": "a.zip"})))) == ["file"]

    def test_an_unknown_state_is_rejected(self, call: Caller) -> None:
        assert list(errors(call("GET", TICKET, params={"state_id": 6}))) == ["state_id"]

    def test_a_ticket_without_sms_notification_sends_no_sms(self, call: Caller, sandbox: Sandbox) -> None:
        ticket_id = call("POST", TICKET, files=form_parts(FIELDS)).json()["data"]["ticket_id"]
        sandbox.state.answer_ticket(ticket_id, "y")
        assert sandbox.state.notices == []
