"""Scheduled sends in the sandbox: cancellation, and the charge at their send time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from ippanel_edge.sandbox.defaults import SUB_USER_API_KEY
from tests.sandbox.caller import Caller, accepted

if TYPE_CHECKING:
    import httpx

    from ippanel_edge.sandbox import Sandbox

ONE, TWO = "+989121234567", "+989351234567"


class TestCancel:
    def cancel(self, call: Caller, outbox_id: object) -> httpx.Response:
        return call("POST", "/api/send/cancel", json={"message_outbox_id": outbox_id})

    def assert_not_cancellable(self, response: httpx.Response) -> None:
        meta = response.json()["meta"]
        expected = (404, "404-1", "پیام یافت نشد یا قابل لغو نیست")
        assert (response.status_code, meta["message_code"], meta["message"]) == expected

    def test_a_cancelled_send_is_never_charged(self, call: Caller, sandbox: Sandbox) -> None:
        before = call.credit()
        (outbox_id,) = accepted(call.webservice(ONE, send_time="2030-01-15 10:30:00"))
        for _ in range(2):
            assert self.cancel(call, outbox_id).json()["meta"]["status"] is True
        assert call.report(outbox_id)["state_id"] == 7
        sandbox.clock.advance(3601)
        assert call.report(outbox_id)["state_id"] == 7
        assert call.credit() == before

    def test_cancel_is_rejected_within_the_last_5_minutes(self, call: Caller, sandbox: Sandbox) -> None:
        first, second = (accepted(call.webservice(to, send_time="2030-01-15 10:30:00"))[0] for to in (ONE, TWO))
        sandbox.clock.advance(55 * 60)
        assert self.cancel(call, first).status_code == 200
        sandbox.clock.advance(1)
        self.assert_not_cancellable(self.cancel(call, second))
        assert call.report(second)["state_id"] == 5

    def test_cancel_is_rejected_for_an_unscheduled_send(self, call: Caller) -> None:
        (outbox_id,) = accepted(call.webservice(ONE))
        self.assert_not_cancellable(self.cancel(call, outbox_id))

    def test_an_unknown_id_is_404_and_a_str_is_422(self, call: Caller) -> None:
        self.assert_not_cancellable(self.cancel(call, 77))
        assert self.cancel(call, "77").status_code == 422

    def test_a_message_of_another_account_is_404(self, call: Caller) -> None:
        (outbox_id,) = accepted(call.webservice(ONE, send_time="2030-01-15 10:30:00"))
        response = call("POST", "/api/send/cancel", key=SUB_USER_API_KEY, json={"message_outbox_id": outbox_id})
        assert response.status_code == 404


class TestScheduledCharge:
    TIME = "2030-01-15 10:30:00"

    def test_a_scheduled_send_is_charged_at_its_send_time_by_the_tariff_of_then(
        self, call: Caller, sandbox: Sandbox
    ) -> None:
        before = call.credit()
        (outbox_id,) = accepted(call.webservice(ONE, send_time=self.TIME))
        estimate = call.report(outbox_id)["cost"]
        sandbox.clock.advance(3599)
        assert call.credit() == before
        for tariff_id, tariff in sandbox.state.tariffs.items():
            sandbox.state.tariffs[tariff_id] = attrs.evolve(tariff, english_mci=2 * tariff.english_mci)
        sandbox.clock.advance(1)
        assert call.credit() == before - 2 * estimate
        assert call.report(outbox_id)["cost"] == 2 * estimate
        sandbox.clock.advance(60)
        assert call.credit() == before - 2 * estimate, "charged once"

    def test_without_credit_at_its_send_time_a_message_is_not_sent(self, call: Caller, sandbox: Sandbox) -> None:
        user = sandbox.state.users[sandbox.state.api_keys[sandbox.api_key]]
        later, sooner = (
            accepted(call.webservice(number, send_time=time))[0]
            for number, time in ((ONE, "2030-01-15 10:40:00"), (TWO, self.TIME))
        )
        user.credit = call.report(sooner)["cost"]
        sandbox.clock.advance(2 * 3600)
        assert (call.report(sooner)["state_id"], call.report(later)["state_id"]) == (6, 8)
        assert call.report(later)["state"] == "no_credit"
        assert call.statuses(later) == {ONE: "0"}
        assert call.credit() == 0

    def test_a_rejected_scheduled_send_refunds_nothing(self, call: Caller, sandbox: Sandbox) -> None:
        before = call.credit()
        sandbox.state.review = True
        (outbox_id,) = accepted(call.webservice(ONE, send_time=self.TIME))
        sandbox.state.reject(outbox_id)
        assert (call.report(outbox_id)["state_id"], call.credit()) == (3, before)

    def test_exit_count_is_0_until_the_messages_leave(self, call: Caller, sandbox: Sandbox) -> None:
        def listed(**filters: int) -> list[tuple[str, str]]:
            rows = call("POST", "/api/report/new_list", json={"filters": filters}).json()["data"]
            return [(row["rcpts_count"], row["exit_count"]) for row in rows]

        accepted(call.webservice(ONE, TWO, send_time=self.TIME))
        assert listed(to_exit_count=0) == [("2", "0")]
        assert listed(from_exit_count=1) == []
        sandbox.clock.advance(3600)
        assert listed(from_exit_count=2) == [("2", "2")]
