"""The event feed of the sandbox: what is published, and what subscribers of each kind receive."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import anyio
import pytest

from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.events import EventFeed
from ippanel_edge.sandbox.progress import MAX_RECIPIENTS
from ippanel_edge.sandbox.reserved import BLACKLISTED_NUMBER, FAILED_NUMBER
from tests.sandbox.caller import Caller, accepted

if TYPE_CHECKING:
    from ippanel_edge.sandbox.events import Event, Subscription

ONE, TWO = "+989121234567", "+989121234568"


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


def of_kind(subscription: Subscription, kind: str) -> list[Any]:
    return [event.data for event in subscription.take() if event.kind == kind]


class TestFeed:
    def test_a_subscriber_receives_the_events_after_its_subscription_in_order(self) -> None:
        feed = EventFeed()
        feed.publish("request", {"n": 0})
        subscription = feed.subscribe()
        for number in range(1, 4):
            feed.publish("request", {"n": number})
        assert [event.data["n"] for event in subscription.take(2)] == [1, 2]
        assert [(event.id, event.kind, event.data["n"]) for event in subscription.take()] == [(4, "request", 3)]
        assert subscription.take() == []

    def test_a_subscriber_can_resume_within_the_history(self) -> None:
        feed = EventFeed(history=3)
        for number in range(1, 6):
            feed.publish("request", {"n": number})
        assert [event.data["n"] for event in feed.subscribe(2).take()] == [3, 4, 5]
        assert feed.subscribe(5).take() == []
        assert EventFeed().subscribe(0).take() == []

    @pytest.mark.parametrize("after", [-1, 0, 1, 6, 10**6])
    def test_a_position_outside_of_the_history_is_a_reset(self, after: int) -> None:
        feed = EventFeed(history=3)
        for number in range(1, 6):
            feed.publish("request", {"n": number})
        subscription = feed.subscribe(after)
        assert [(event.kind, event.id) for event in subscription.take()] == [("reset", 5)]
        feed.publish("request", {"n": 6})
        assert [event.data["n"] for event in subscription.take()] == [6]

    def test_a_slow_subscriber_is_told_that_events_are_missing_and_the_history_stays_bounded(self) -> None:
        feed = EventFeed(history=10)
        slow, quick = feed.subscribe(), feed.subscribe()
        received = 0
        for number in range(100):
            feed.publish("request", {"n": number})
            received += len(quick.take())
        assert received == 100
        assert kinds(slow.take()) == ["reset"]
        assert len(feed._events) == 10

    def test_a_blocking_iterator_receives_events_of_another_thread_until_it_is_closed(self) -> None:
        feed = EventFeed()
        received: list[int] = []
        three = threading.Event()

        def iterate(subscription: Subscription) -> None:
            for event in subscription:
                received.append(event.id)
                if event.id == 3:
                    three.set()

        with feed.subscribe() as subscription:
            thread = threading.Thread(target=iterate, args=(subscription,))
            thread.start()
            for number in range(3):
                feed.publish("request", {"n": number})
            assert three.wait(10)
        thread.join(10)
        assert received == [1, 2, 3]
        assert not thread.is_alive()
        assert subscription.take() == []

    def test_a_wait_ends_without_events_when_its_time_is_up(self) -> None:
        assert EventFeed().subscribe().wait(0.001) == []
        assert EventFeed().subscribe().wait(0) == []

    @pytest.mark.parametrize("backend", ["asyncio", "trio"])
    def test_an_async_iterator_receives_events_of_another_thread_until_it_is_closed(self, backend: str) -> None:
        async def run() -> list[int]:
            feed = EventFeed()
            received: list[int] = []

            async def iterate(subscription: Subscription) -> None:
                async for event in subscription:
                    received.append(event.id)
                    if event.id == 50:
                        subscription.close()

            def publish() -> None:
                for number in range(50):
                    feed.publish("request", {"n": number})

            with anyio.fail_after(10):
                async with anyio.create_task_group() as group:
                    group.start_soon(iterate, feed.subscribe())
                    await anyio.wait_all_tasks_blocked()
                    group.start_soon(anyio.to_thread.run_sync, publish)
                assert await feed.subscribe().wait_async(0.001) == []
            return received

        assert anyio.run(run, backend=backend) == list(range(1, 51))

    def test_an_event_is_published_although_the_loop_of_a_subscriber_ended_while_it_waited(self) -> None:
        feed = EventFeed()
        subscription = feed.subscribe()

        def ended_loop() -> None:
            raise RuntimeError("Event loop is closed")

        subscription._waker = ended_loop
        feed.publish("request", {})
        assert feed.last_id == 1
        assert subscription.closed

    def test_a_dropped_subscription_is_not_kept(self) -> None:
        feed = EventFeed()
        for _ in range(100):
            feed.subscribe()
        assert len(feed._subscriptions) < 10

    def test_many_waiting_subscribers_poll_once_in_a_tick(self) -> None:
        feed = EventFeed()
        polls: list[None] = []
        feed.poll = lambda: polls.append(None)
        for _ in range(100):
            feed.subscribe().take()
        assert 1 <= len(polls) < 50


class TestWhatIsPublished:
    def test_a_send_is_one_message_for_each_recipient_and_one_request(self, sandbox: Sandbox, call: Caller) -> None:
        events = sandbox.events.subscribe()
        (outbox_id,) = accepted(call.webservice(ONE, TWO, message="کد ورود: ۱۲۳۴۵"))
        first, second, request = events.take()
        assert (first.kind, second.kind, request.kind) == ("message", "message", "request")
        assert first.data == {
            "id": f"out-{outbox_id}-0",
            "direction": "out",
            "number": ONE,
            "line": sandbox.from_number,
            "text": "کد ورود: ۱۲۳۴۵",
            "time": "2030-01-15T09:30:00Z",
            "parts": 1,
            "encoding": "UCS-2",
            "status": "sending",
            "outbox_id": outbox_id,
            "sending_type": "webservice",
            "otp": "12345",
            "cost": 1210.5,
        }
        assert (second.data["id"], second.data["number"]) == (f"out-{outbox_id}-1", TWO)
        assert request.data == {
            "time": "2030-01-15T09:30:00Z",
            "method": "POST",
            "path": "/v1/api/send",
            "call": "send.webservice",
            "status": 200,
            "error": None,
            "fault": None,
        }

    def test_a_rejected_request_and_an_unknown_path_are_requests_without_a_message(
        self, sandbox: Sandbox, call: Caller
    ) -> None:
        events = sandbox.events.subscribe()
        call.send("nonsense")
        call("GET", "/api/nothing", params={"apikey": "secret"})
        call("GET", "/api/payment/credit/mine", key="wrong")
        assert [(event.kind, event.data["status"], event.data["call"]) for event in events.take()] == [
            ("request", 422, None),
            ("request", 404, None),
            ("request", 401, "payment.credit"),
        ]

    def test_each_change_of_status_is_published_once_as_the_clock_advances(
        self, sandbox: Sandbox, call: Caller
    ) -> None:
        accepted(call.webservice(ONE, FAILED_NUMBER, BLACKLISTED_NUMBER))
        events = sandbox.events.subscribe()
        sandbox.clock.advance(1)
        assert kinds(events.take()) == ["clock"]
        sandbox.clock.advance(1)
        assert [(row["number"], row["status"]) for row in of_kind(events, "status")] == [
            (ONE, "received"),
            (FAILED_NUMBER, "received"),
            (BLACKLISTED_NUMBER, "blacklisted"),
        ]
        sandbox.clock.advance(2)
        assert [(row["number"], row["status"]) for row in of_kind(events, "status")] == [
            (ONE, "delivered"),
            (FAILED_NUMBER, "not_delivered"),
        ]
        sandbox.clock.advance(100)
        assert of_kind(events, "status") == []

    def test_the_statuses_of_a_running_clock_are_published_while_somebody_waits(self) -> None:
        sandbox = Sandbox()
        sandbox.state.delivery_seconds = 0.05
        events = sandbox.events.subscribe()
        accepted(Caller(sandbox).webservice(ONE))
        statuses: list[str] = []
        while statuses[-1:] != ["delivered"]:
            received = events.wait(10)
            assert received, statuses
            statuses += [event.data["status"] for event in received if event.kind == "status"]
        assert statuses in (["received", "delivered"], ["delivered"])

    def test_review_approval_rejection_and_cancellation_change_the_status_at_once(
        self, sandbox: Sandbox, call: Caller
    ) -> None:
        sandbox.state.review, sandbox.state.review_seconds = True, None
        first, second = (accepted(call.webservice(number))[0] for number in (ONE, TWO))
        sandbox.state.review = False
        third = accepted(call.webservice(ONE, message="later", send_time="2030-01-15 12:00:00"))[0]
        events = sandbox.events.subscribe()
        sandbox.state.approve(first)
        sandbox.state.reject(second, "no")
        call("POST", "/api/send/cancel", json={"message_outbox_id": third})
        assert [(row["outbox_id"], row["status"]) for row in of_kind(events, "status")] == [
            (first, "sending"),
            (second, "rejected"),
            (third, "cancelled"),
        ]

    def test_a_scheduled_message_without_credit_is_not_published_as_sending(
        self, sandbox: Sandbox, call: Caller
    ) -> None:
        accepted(call.webservice(ONE, send_time="2030-01-15 12:00:00"))
        events = sandbox.events.subscribe()
        sandbox.state.main_user.credit = 0
        sandbox.clock.advance(3 * 3600)
        assert [row["status"] for row in of_kind(events, "status")] == ["no_credit"]

    def test_incoming_messages_and_codes_of_the_service_are_published(self, sandbox: Sandbox) -> None:
        events = sandbox.events.subscribe()
        message = sandbox.state.receive("0912 123 4567", "3000100200", "سلام")
        sandbox.state.notify(ONE, "code: 482913")
        inbound, notice = events.take()
        assert (inbound.kind, inbound.data["id"], inbound.data["direction"]) == (
            "inbound",
            f"in-{message.inbox_id}",
            "in",
        )
        assert (inbound.data["number"], inbound.data["line"]) == (ONE, sandbox.from_number)
        assert (notice.kind, notice.data["line"], notice.data["otp"]) == ("message", None, "482913")

    def test_a_reset_deletes_the_messages_and_continues_the_ids(self, sandbox: Sandbox, call: Caller) -> None:
        (before,) = accepted(call.webservice(ONE))
        sandbox.state.receive(ONE, sandbox.from_number, "hi")
        events = sandbox.events.subscribe()
        sandbox.state.reset()
        assert kinds(events.take()) == ["reset"]
        assert (sandbox.state.outbox, sandbox.state.inbox) == ({}, [])
        assert (sandbox.state._recipient_count, sandbox.state.progress._recipients) == (0, 0)
        (after,) = accepted(call.webservice(ONE))  # not a duplicate
        assert after > before

    def test_the_statuses_of_messages_of_an_existing_state_are_published(self, sandbox: Sandbox, call: Caller) -> None:
        accepted(call.webservice(TWO, message="old"))
        sandbox.clock.advance(4)
        accepted(call.webservice(ONE))
        restarted = Sandbox(state=sandbox.state)
        events = restarted.events.subscribe()
        restarted.clock.advance(4)
        assert [(row["number"], row["status"]) for row in of_kind(events, "status")] == [(ONE, "delivered")]

    def test_messages_that_are_removed_as_too_old_are_a_reset_and_have_no_further_status(
        self, sandbox: Sandbox, call: Caller
    ) -> None:
        sandbox.state.max_messages = 2
        accepted(call.webservice(ONE, message="1"))
        events = sandbox.events.subscribe()
        for text in ("2", "3"):
            accepted(call.webservice(TWO, message=text))
        assert kinds(events.take()) == ["message", "request", "message", "reset", "request"]
        sandbox.clock.advance(4)
        assert [row["number"] for row in of_kind(events, "status")] == [TWO, TWO]
        assert sandbox.state.progress._recipients == 0

    def test_incoming_messages_and_notices_that_are_removed_as_too_old_are_a_reset(self, sandbox: Sandbox) -> None:
        sandbox.state.max_messages = 1
        events = sandbox.events.subscribe()
        for text in ("1", "2"):
            sandbox.state.receive(ONE, sandbox.from_number, text)
            sandbox.state.notify(ONE, text)
        assert kinds(events.take()) == ["inbound", "message", "inbound", "reset", "message", "reset"]

    def test_a_message_that_alone_has_too_many_recipients_is_kept_without_a_reset(
        self, sandbox: Sandbox, call: Caller
    ) -> None:
        sandbox.state.max_messages = 1
        events = sandbox.events.subscribe()
        accepted(call.webservice(*(f"+98912{number:07d}" for number in range(20))))
        assert "reset" not in kinds(events.take())

    def test_the_watch_on_unfinished_messages_is_bounded(self, sandbox: Sandbox, call: Caller) -> None:
        events = sandbox.events.subscribe()
        numbers = [f"+98912{number:07d}" for number in range(1000)]
        for batch in range(MAX_RECIPIENTS // 1000 + 1):
            accepted(call.webservice(*numbers, message=f"batch {batch}"))
        assert sandbox.state.progress._recipients <= MAX_RECIPIENTS
        assert kinds(events.take()) == ["reset"], "the subscriber was too slow for the history"


@pytest.mark.parametrize(
    ("from_", "number"),
    [
        ("09121234567", ONE),
        ("9121234567", ONE),
        ("+98 912 123 4567", ONE),
        ("0098-912-123-4567", ONE),
        ("989121234567", ONE),
        ("(+98) 0912.123.4567", ONE),
        ("۰۹۱۲ ۱۲۳ ۴۵۶۷", ONE),
        ("٠٩١٢١٢٣٤٥٦٧", ONE),
        ("98912123456", None),
        ("9801212345678", None),
        ("02112345678", None),
        ("", None),
        ("0912123456x", None),
    ],
)
def test_a_phone_number_is_accepted_in_any_common_spelling(sandbox: Sandbox, from_: str, number: str | None) -> None:
    if number is None:
        with pytest.raises(ValueError, match="expected a mobile number"):
            sandbox.state.receive(from_, sandbox.from_number, "hi")
    else:
        assert sandbox.state.receive(from_, sandbox.from_number, "hi").sender == number


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("+983000100200", "+983000100200"),
        ("983000100200", "+983000100200"),
        ("00983000100200", "+983000100200"),
        ("3000 100 200", "+983000100200"),
        ("۳۰۰۰۱۰۰۲۰۰", "+983000100200"),
        ("sandbox", "+98SANDBOX"),
        ("9000-9000", "+9890009000"),
        ("90009", None),
        ("", None),
    ],
)
def test_a_line_is_accepted_in_any_common_spelling(sandbox: Sandbox, text: str, line: str | None) -> None:
    if line is None:
        with pytest.raises(ValueError, match="no line has the number"):
            sandbox.state.receive(ONE, text, "hi")
    else:
        assert sandbox.state.receive(ONE, text, "hi").line == line
