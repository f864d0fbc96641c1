"""Reports in the sandbox: delivery over time, review, filters, pagination, statistics and the inbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ippanel_edge.sandbox.defaults import BLACKLISTED, PROMOTIONAL_NUMBER, SUB_USER_API_KEY
from ippanel_edge.sandbox.reserved import BLACKLISTED_NUMBER, FAILED_NUMBER, LATE_NUMBER
from tests.sandbox.caller import Caller, accepted

if TYPE_CHECKING:
    from ippanel_edge.sandbox import Sandbox

ONE, TWO, THREE = "+989121234567", "+989351234567", "+989211234567"


class TestDelivery:
    def test_a_message_is_sending_then_sent_then_delivered(self, call: Caller, sandbox: Sandbox) -> None:
        (outbox_id,) = accepted(call.webservice(ONE))
        seen: list[tuple[int, str]] = []
        for _ in range(3):
            seen.append((call.report(outbox_id)["state_id"], call.statuses(outbox_id)[ONE]))
            sandbox.clock.advance(sandbox.state.delivery_seconds)
        assert seen == [(2, "0"), (6, "1"), (6, "2")]

    def test_reserved_numbers_have_their_defined_outcomes(self, call: Caller, sandbox: Sandbox) -> None:
        (outbox_id,) = accepted(call.webservice(ONE, LATE_NUMBER, FAILED_NUMBER, BLACKLISTED_NUMBER))
        sandbox.clock.advance(4)
        assert list(call.statuses(outbox_id).values()) == ["2", "1", "3", "4"]
        sandbox.clock.advance(16)
        assert list(call.statuses(outbox_id).values()) == ["2", "2", "3", "4"]

    def test_a_service_line_delivers_to_blacklisted_numbers_and_a_promotional_line_does_not(
        self, call: Caller, sandbox: Sandbox
    ) -> None:
        (service,) = accepted(call.webservice(BLACKLISTED))
        (promotional,) = accepted(call.webservice(BLACKLISTED, from_number=PROMOTIONAL_NUMBER))
        sandbox.clock.advance(4)
        assert call.statuses(service)[BLACKLISTED] == "2"
        assert call.statuses(promotional)[BLACKLISTED] == "4"

    def test_a_change_of_the_step_affects_messages_that_are_not_being_sent_yet(
        self, call: Caller, sandbox: Sandbox
    ) -> None:
        (first,) = accepted(call.webservice(ONE))
        (later,) = accepted(call.webservice(TWO, send_time="2030-01-15 10:30:00"))
        sandbox.clock.advance(4)
        sandbox.state.delivery_seconds = 3600
        assert (call.report(first)["state_id"], call.statuses(first)[ONE]) == (6, "2")
        sandbox.clock.advance(3600)
        assert (call.report(later)["state_id"], call.statuses(later)[TWO]) == (2, "0")
        sandbox.state.delivery_seconds = 0
        assert (call.report(later)["state_id"], call.statuses(later)[TWO]) == (2, "0")
        sandbox.clock.advance(7200)
        assert (call.report(later)["state_id"], call.statuses(later)[TWO]) == (6, "2")

    def test_a_scheduled_message_is_queued_until_its_send_time(self, call: Caller, sandbox: Sandbox) -> None:
        (outbox_id,) = accepted(call.webservice(ONE, send_time="2030-01-15 10:30:00"))
        sandbox.clock.advance(3599)
        assert (call.report(outbox_id)["state_id"], call.statuses(outbox_id)[ONE]) == (5, "0")
        sandbox.clock.advance(1)
        assert call.report(outbox_id)["state_id"] == 2
        assert call.report(outbox_id)["time_send"] == str(int(sandbox.clock.now().timestamp()))


class TestReview:
    def test_a_voice_call_requires_review_too(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.state.review, sandbox.state.review_seconds = True, None
        response = call.send("votp", from_number=None, message="123", params={"recipients": [ONE]})
        assert call.report(accepted(response)[0])["state_id"] == 1

    def test_every_send_except_a_pattern_requires_review(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.state.review = True
        sandbox.state.review_seconds = None
        (message,) = accepted(call.webservice(ONE))
        (pattern,) = accepted(call.send("pattern", code="otp", recipients=[ONE], params={"code": "1"}))
        assert (call.report(message)["state_id"], call.report(pattern)["state_id"]) == (1, 2)
        sandbox.clock.advance(86_400)
        assert call.report(message)["state_id"] == 1
        sandbox.state.approve(message)
        assert call.report(message)["state_id"] == 2

    def test_a_send_to_many_recipients_is_approved_automatically(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.state.review_above = 2
        (outbox_id,) = accepted(call.webservice(ONE, TWO, THREE))
        assert call.report(outbox_id)["state_id"] == 1
        sandbox.clock.advance(62)
        assert call.report(outbox_id)["state_id"] == 6

    def test_an_approval_is_not_undone_by_a_change_of_the_settings(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.state.review = True
        (sent,) = accepted(call.webservice(ONE))
        (later,) = accepted(call.webservice(TWO, send_time="2030-01-15 10:30:00"))
        sandbox.clock.advance(62)
        sandbox.state.review_seconds = None
        (waiting,) = accepted(call.webservice(THREE))
        assert [call.report(message)["state_id"] for message in (sent, later, waiting)] == [6, 5, 1]

    def test_only_a_message_in_review_can_be_rejected(self, call: Caller, sandbox: Sandbox) -> None:
        (outbox_id,) = accepted(call.webservice(ONE))
        credit = call.credit()
        with pytest.raises(ValueError, match=rf"message {outbox_id} is not in review: its state is sending"):
            sandbox.state.reject(outbox_id)
        assert (call.report(outbox_id)["state_id"], call.credit()) == (2, credit)

    def test_a_rejected_message_is_refunded_and_has_the_comment(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.state.review = True
        before = call.credit()
        (outbox_id,) = accepted(call.webservice(ONE))
        sandbox.state.reject(outbox_id, "advertising")
        report = call.report(outbox_id)
        assert (report["state_id"], report["reject_comment"]) == (3, "advertising")
        assert call.credit() == before


class TestOutbox:
    def outbox(self, call: Caller, key: str = "", **fields: Any) -> dict[str, Any]:
        response = call("POST", "/api/report/new_list", key=key, json=fields)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def found(self, call: Caller, **filters: Any) -> list[str]:
        return [row["messages_outbox_id"] for row in self.outbox(call, filters=filters)["data"]]

    def test_the_outbox_is_newest_first_and_paginated_by_limit(self, call: Caller) -> None:
        sent = [accepted(call.webservice(ONE, message=f"m{number}"))[0] for number in range(5)]
        second = self.outbox(call, page=2, limit=2)
        assert [row["messages_outbox_id"] for row in second["data"]] == [str(sent[2]), str(sent[1])]
        meta = second["meta"]
        assert {name: meta[name] for name in ("current_page", "from", "last_page", "per_page", "to", "total")} == {
            "current_page": 2,
            "from": 3,
            "last_page": 3,
            "per_page": 2,
            "to": 4,
            "total": 5,
        }
        assert meta["path"] == "/api/report/new_list"
        beyond = self.outbox(call, page=9)
        assert (beyond["data"], beyond["meta"]["from"]) == ([], None)

    def test_a_row_has_counts_as_str_and_the_cost_as_float(self, call: Caller, sandbox: Sandbox) -> None:
        accepted(call.webservice(ONE, TWO))
        (row,) = self.outbox(call)["data"]
        assert row["rcpts_count"] == "2"
        assert row["time"] == row["time_send"] == str(int(sandbox.clock.now().timestamp()))
        assert (row["cost"], row["part"], row["state_id"], row["username"]) == (2890.0 + 3120.0, None, 2, "sandbox")

    def test_each_filter_is_applied(self, call: Caller, sandbox: Sandbox) -> None:
        first = str(accepted(call.webservice(ONE, message="first text"))[0])
        sandbox.clock.advance(100)
        began = int(sandbox.clock.now().timestamp())
        second = str(accepted(call.webservice(ONE, TWO, message="second", from_number=PROMOTIONAL_NUMBER))[0])
        later = str(accepted(call.webservice(THREE, message="later", send_time="2030-01-16 00:00:00"))[0])
        assert self.found(call, username="sand*") == [later, second, first]
        assert self.found(call, username="other") == []
        assert self.found(call, username="sandbo?") == self.found(call, username="[s]andbox") == []
        assert self.found(call, number=PROMOTIONAL_NUMBER) == [second]
        assert self.found(call, messages_outbox_id=first) == [first]
        assert self.found(call, create_from_date=str(began)) == [later, second]
        assert self.found(call, create_to_date=began - 1) == [first]
        assert self.found(call, send_from_date=str(began + 1)) == [later]
        assert self.found(call, send_to_date=str(began)) == [second, first]
        assert self.found(call, from_exit_count=2) == [second]
        assert self.found(call, to_exit_count=1) == [later, first]
        assert self.found(call, message="text") == [first]
        assert self.found(call, state_id="5") == [later]

    def test_an_invalid_state_id_is_rejected(self, call: Caller) -> None:
        response = call("POST", "/api/report/new_list", json={"filters": {"state_id": "10"}})
        assert response.status_code == 422
        assert response.json()["meta"]["message_code"] == "400-31"

    def test_a_reseller_sees_its_sub_users_but_a_sub_user_does_not_see_the_reseller(self, call: Caller) -> None:
        (outbox_id,) = accepted(call.webservice(ONE, key=SUB_USER_API_KEY, from_number="+983000100300"))
        accepted(call.webservice(ONE))
        assert self.outbox(call)["meta"]["total"] == 2
        assert self.found(call, username="sub-user") == [str(outbox_id)]
        assert self.outbox(call, key=SUB_USER_API_KEY)["meta"]["total"] == 1


class TestOneMessage:
    @pytest.mark.parametrize("path", ["by_bulk", "recipients", "bulk_stats"])
    def test_an_unknown_id_is_404_and_a_missing_or_invalid_id_is_422(self, call: Caller, path: str) -> None:
        name = "messages_outbox_id" if path == "by_bulk" else "bulk_id"
        assert call("GET", f"/api/report/{path}", params={name: "7"}).status_code == 404
        response = call("GET", f"/api/report/{path}")
        assert list(response.json()["meta"]["errors"]) == [name]
        assert call("GET", f"/api/report/{path}", params={name: "x"}).status_code == 422

    def test_recipients_are_paginated(self, call: Caller) -> None:
        numbers = [f"+98912000000{index}" for index in range(5)]
        (outbox_id,) = accepted(call.webservice(*numbers))
        page = call("GET", "/api/report/recipients", params={"bulk_id": outbox_id, "page": 3, "per_page": 2}).json()
        assert page["data"] == [
            {
                "recipient": numbers[4],
                "message": "salam",
                "is_readable": True,
                "msg_parts": "1",
                "message_status": "0",
            }
        ]
        assert (page["meta"]["total"], page["meta"]["last_page"], page["meta"]["to"]) == (5, 3, 5)

    @pytest.mark.parametrize("params", [{"page": 0}, {"per_page": 1001}, {"per_page": "x"}])
    def test_an_invalid_page_is_rejected(self, call: Caller, params: dict[str, Any]) -> None:
        (outbox_id,) = accepted(call.webservice(ONE))
        response = call("GET", "/api/report/recipients", params={"bulk_id": outbox_id, **params})
        assert list(response.json()["meta"]["errors"]) == list(params)

    def test_stats_count_by_status_operator_and_language(self, call: Caller, sandbox: Sandbox) -> None:
        params = [{"recipients": [ONE, TWO, FAILED_NUMBER], "message": "سلام"}]
        (outbox_id,) = accepted(call.send("peer_to_peer", params=params))

        def stats() -> dict[str, Any]:
            found: dict[str, Any] = call("GET", "/api/report/bulk_stats", params={"bulk_id": outbox_id}).json()["data"]
            return found

        assert stats()["operators_pending"] == {
            "mci": {"en": 0, "fa": "2"},
            "irancell": {"en": 0, "fa": "1"},
            "other": {"en": 0, "fa": 0},
        }
        sandbox.clock.advance(4)
        assert stats()["operators_delivered"]["irancell"] == {"en": 0, "fa": "1"}
        assert stats()["operators_failed"]["mci"] == {"en": 0, "fa": "1"}
        assert stats()["operators_pending"]["mci"] == {"en": 0, "fa": 0}


class TestInbox:
    def inbox(self, call: Caller, key: str = "", **fields: Any) -> dict[str, Any]:
        found: dict[str, Any] = call("POST", "/api/report/messages-inbox", key=key, json=fields).json()
        return found

    def test_the_inbox_is_newest_first_and_from_id_selects_later_messages(self, call: Caller, sandbox: Sandbox) -> None:
        first, second, third = (sandbox.state.receive(ONE, sandbox.from_number, text).inbox_id for text in "abc")
        assert [row["messages_inbox_id"] for row in self.inbox(call)["data"]] == [third, second, first]
        after = self.inbox(call, filters={"from_id": first})
        assert [row["messages_inbox_id"] for row in after["data"]] == [third, second]
        assert self.inbox(call, from_id=first)["data"] == after["data"], "as the table of parameters has it"
        assert after["data"][1] == {
            "messages_inbox_id": second,
            "from": ONE,
            "number": sandbox.from_number,
            "message": "b",
            "type": "normal",
            "time": int(sandbox.clock.now().timestamp()),
            "seen": "0",
        }
        assert self.inbox(call, page=2, per_page=2)["data"][0]["messages_inbox_id"] == first

    def test_each_user_reads_only_its_own_lines(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.state.receive(ONE, sandbox.from_number, "for the main account")
        sandbox.state.receive(ONE, "+983000100300", "for the sub-user")
        (mine,) = self.inbox(call)["data"]
        (theirs,) = self.inbox(call, key=SUB_USER_API_KEY)["data"]
        assert (mine["message"], theirs["message"]) == ("for the main account", "for the sub-user")


def test_credit_has_the_time_of_the_request(call: Caller) -> None:
    data = call("GET", "/api/payment/credit/mine").json()["data"]
    assert data == {
        "credit": 100_000_000.0,
        "yesterday_credit": 100_000_000.0,
        "gift": 0.0,
        "gift_expires_at": None,
        "updated_at": "2030-01-15 09:30:00",
    }
