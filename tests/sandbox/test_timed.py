"""The messages that change as time passes: none that is due is missed, and the others cost no work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ippanel_edge.sandbox import Sandbox, SandboxClock, progress
from ippanel_edge.sandbox.records import MessageState
from ippanel_edge.sandbox.reserved import LATE_NUMBER, NEVER_FINAL_NUMBER, SLOW_OPERATOR_NUMBER
from ippanel_edge.sandbox.rules import billing
from ippanel_edge.sandbox.rules.delivery import message_state, sending_start
from ippanel_edge.sandbox.views import status_of
from tests.sandbox.caller import Caller, accepted
from tests.sandbox.conftest import START

if TYPE_CHECKING:
    from collections.abc import Callable

    from ippanel_edge.sandbox.state import SandboxState

ONE = "+989121234567"
TIMES = ("2030-01-15 09:36:00", "2030-01-15 09:40:00")
STEPS = st.one_of(
    st.tuples(st.just("send"), st.sampled_from([ONE, LATE_NUMBER, NEVER_FINAL_NUMBER])),
    st.tuples(st.just("schedule"), st.sampled_from(TIMES)),
    st.tuples(st.just("advance"), st.sampled_from([0.5, 1, 2, 30, 60, 300])),
    st.tuples(st.just("review"), st.booleans()),
    st.tuples(st.just("review_seconds"), st.sampled_from([None, 0, 60, 600])),
    st.tuples(st.just("delivery_seconds"), st.sampled_from([0, 2, 30])),
    st.tuples(st.just("factor"), st.sampled_from([0.5, 1, 60])),
    st.tuples(st.sampled_from(["approve", "cancel", "reject"]), st.integers(0, 9)),
    st.tuples(st.just("poll"), st.none()),
)


def index_of(value: object) -> int:
    return value if isinstance(value, int) else 0


def run(sandbox: Sandbox, number: int, kind: str, value: Any) -> None:
    """Carry out one step."""
    state, call = sandbox.state, Caller(sandbox)
    messages = list(state.outbox.values())
    at = index_of(value)
    match kind:
        case "send":
            call.webservice(value, message=f"text {number}")
        case "schedule":
            call.webservice(ONE, message=f"text {number}", send_time=value)
        case "advance":
            sandbox.clock.advance(value)
        case "factor":
            state.keep_progress()
            sandbox.clock.factor = value
        case "approve" if at < len(messages):
            state.approve(messages[at].outbox_id)
        case "reject" if at < len(messages) and message_state(messages[at], state) is MessageState.REVIEW:
            state.reject(messages[at].outbox_id)
        case "cancel" if at < len(messages):
            call("POST", "/api/send/cancel", json={"message_outbox_id": messages[at].outbox_id})
        case "poll":
            state.publish_status_changes()
        case "review" | "review_seconds" | "delivery_seconds":
            setattr(state, kind, value)
        case _:
            pass


def statuses(state: SandboxState) -> dict[str, str]:
    return {
        f"out-{message.outbox_id}-{index}": status_of(recipient, message, state)
        for message in state.outbox.values()
        for index, recipient in enumerate(message.recipients)
    }


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, min_size=10, max_size=30))
def test_each_message_is_charged_and_published_when_it_is_due_whatever_changes(steps: list[tuple[str, Any]]) -> None:
    sandbox = Sandbox(SandboxClock(START, frozen=True))
    events = sandbox.events.subscribe()
    published: dict[str, str] = {}
    for number, (kind, value) in enumerate(steps):
        run(sandbox, number, kind, value)
        if number % 2:  # two steps can come between two polls
            continue
        sandbox.state.publish_status_changes()
        published |= {event.data["id"]: event.data["status"] for event in events.take() if "id" in event.data}
        assert published == statuses(sandbox.state)
        for message in sandbox.state.outbox.values():
            start = sending_start(message, sandbox.state)
            is_due = message.final_state is None and start is not None and start <= sandbox.state.now
            assert message.charged or not is_due


def test_an_approval_brings_the_charge_forward(sandbox: Sandbox, call: Caller) -> None:
    sandbox.state.review, sandbox.state.review_seconds = True, 3600
    (outbox_id,) = accepted(call.webservice(ONE, send_time=TIMES[0]))
    before = call.credit()
    sandbox.state.approve(outbox_id)
    sandbox.clock.advance(6 * 60)
    assert call.credit() < before


def test_a_setting_that_is_changed_and_changed_back_between_two_polls_has_its_effect(
    sandbox: Sandbox, call: Caller
) -> None:
    sandbox.state.review, sandbox.state.review_seconds = True, 3600
    (outbox_id,) = accepted(call.webservice(ONE, send_time=TIMES[0]))
    before = call.credit()
    events = sandbox.events.subscribe()
    sandbox.state.review_seconds = 0
    sandbox.state.review_seconds = 3600
    sandbox.state.publish_status_changes()
    assert [(event.data["outbox_id"], event.data["status"]) for event in events.take()] == [(outbox_id, "queued")]
    sandbox.clock.advance(6 * 60)
    assert call.credit() < before


def test_each_step_of_a_late_and_of_a_slow_delivery_is_published(sandbox: Sandbox, call: Caller) -> None:
    accepted(call.webservice(LATE_NUMBER, SLOW_OPERATOR_NUMBER))
    events = sandbox.events.subscribe()
    found: list[tuple[int, str, str]] = []
    for step in range(1, 13):
        sandbox.clock.advance(sandbox.state.delivery_seconds)
        rows = [event.data for event in events.take() if event.kind == "status"]
        found += [(step, row["number"], row["status"]) for row in rows]
    assert found == [
        (1, LATE_NUMBER, "received"),
        (10, LATE_NUMBER, "delivered"),
        (10, SLOW_OPERATOR_NUMBER, "received"),
        (11, SLOW_OPERATOR_NUMBER, "delivered"),
    ]


def counted(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> list[None]:
    """Return a list that grows with each call of a function of a module."""
    calls: list[None] = []
    function: Callable[..., Any] = getattr(module, name)

    def count(*arguments: Any) -> Any:
        calls.append(None)
        return function(*arguments)

    monkeypatch.setattr(module, name, count)
    return calls


def scheduled(call: Caller, count: int, time: str) -> list[int]:
    rows = "".join(f"09121{number:06d},text\n" for number in range(count))
    content = f"recipient,message\n{rows}".encode()
    return accepted(call.upload("peer_to_peer_file", "a.csv", content, send_time=time))


def test_a_request_looks_only_at_the_scheduled_messages_that_are_due(
    sandbox: Sandbox, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduled(call, 500, TIMES[1])
    accepted(call.webservice(ONE, send_time=TIMES[0]))
    before = call.credit()
    looks = counted(monkeypatch, billing, "sending_start")
    assert call.credit() == before
    assert len(looks) == 0
    sandbox.clock.advance(6 * 60)
    assert call.credit() < before
    assert len(looks) == 1
    sandbox.clock.advance(4 * 60)
    call.credit()
    assert len(looks) == 501


def test_a_poll_looks_only_at_the_messages_whose_status_changes(
    sandbox: Sandbox, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        accepted(call.webservice(f"+98912{number:07d}"))
    sandbox.clock.advance(1)
    accepted(call.webservice(ONE))
    looks = counted(monkeypatch, progress, "status_of")
    for _ in range(10):
        sandbox.state.publish_status_changes()
    assert len(looks) == 0
    sandbox.clock.advance(1)
    assert len(looks) == 50
    sandbox.clock.advance(1)
    assert len(looks) == 51


def test_a_cancelled_message_is_forgotten_at_once(sandbox: Sandbox, call: Caller) -> None:
    for outbox_id in scheduled(call, 3, TIMES[1]):
        call("POST", "/api/send/cancel", json={"message_outbox_id": outbox_id})
    assert len(sandbox.state.uncharged) == len(sandbox.state.progress._watched) == 0


def test_messages_that_nobody_polls_need_bounded_memory(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "MAX_RECIPIENTS", 10)
    call = Caller(sandbox)
    for number in range(300):
        accepted(call.webservice(f"+98912{number:07d}"))
    watched = sandbox.state.progress._watched
    assert len(watched) == 10
    assert len(watched._heap) < 100
