"""wait_delivered(): why it returned, many messages with few requests, transient errors, and the timeout."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx
import pytest

from ippanel_edge import (
    ApiError,
    ConfigurationError,
    DeliveryReport,
    EdgeError,
    InvalidArgument,
    MessageState,
    NotFound,
    OutcomeUnknown,
    ServerError,
    WaitReason,
)
from ippanel_edge._async import delivery
from ippanel_edge.models import RecipientReport, SendResult
from ippanel_edge.sandbox import Sandbox, SandboxClock
from tests.client.conftest import FakeClock, MakeClient
from tests.client.memory import in_memory
from tests.client.reports_service import page_envelope
from tests.client.sides import result
from tests.client.test_inbox_faults import attributes, close, of_polling
from tests.client.test_polling import NO_RETRIES, rejected
from tests.contract.sample import ok

pytestmark = pytest.mark.anyio

SENT, REVIEW = MessageState.SENT, MessageState.REVIEW
CREATED = 1_750_000_000


class Outbox:
    """A service with messages, whose states and recipients a test changes before each request.

    Attributes:
        states: the state of each message.
        statuses: the statuses of the recipients of each message; one that is handed over if missing.
        hidden: the ids that the list of the outbox leaves out.
        before: called before each request, with the name of the call and the id, if it has one. It may return a
            response or raise an exception.
        requests: the requests, by the name of the call.
        bodies: the bodies of the requests for the list.
    """

    def __init__(self, states: dict[int, Any], statuses: dict[int, list[Any]] | None = None) -> None:
        self.states = states
        self.statuses = statuses or {}
        self.hidden: set[int] = set()
        self.before: Callable[[str, int], httpx.Response | None] = lambda _, __: None
        self.requests: list[tuple[str, int]] = []
        self.bodies: list[dict[str, Any]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        params = request.url.params
        name = request.url.path.rsplit("/", 1)[1]
        message_id = int(params.get("messages_outbox_id") or params.get("bulk_id") or 0)
        self.requests.append((name, message_id))
        canned = self.before(name, message_id)
        if canned is not None:
            return canned
        if name == "by_bulk":
            return httpx.Response(200, json=ok(self.row(message_id)))
        if name == "recipients":
            rows = [{"message_status": status} for status in self.statuses.get(message_id, [0])]
            return httpx.Response(200, json=page_envelope(rows, int(params["page"]), int(params["per_page"])))
        body = json.loads(request.read())
        self.bodies.append(body)
        rows = [self.row(each) for each in sorted(self.states, reverse=True) if each not in self.hidden]
        return httpx.Response(200, json=page_envelope(rows, body["page"], body["limit"]))

    def row(self, message_id: int) -> dict[str, Any]:
        """Return a message as the service does."""
        return {
            "messages_outbox_id": str(message_id),
            "state_id": self.states[message_id],
            "time": CREATED + message_id,
        }

    def count(self) -> Counter[str]:
        """Return the number of requests by the name of the call."""
        return Counter(name for name, _ in self.requests)


async def wait(service: Any, make_client: MakeClient, ids: Any, **options: Any) -> DeliveryReport:
    found: DeliveryReport = await result(make_client(service, retry=NO_RETRIES).reports.wait_delivered(ids, **options))
    return found


# The reason.


@pytest.mark.parametrize(
    ("state", "statuses", "reason", "waited"),
    [
        (SENT, [2, 3, 4], WaitReason.ALL_FINAL, 0),
        (MessageState.CANCELLED, [0], WaitReason.CANCELLED, 0),
        (MessageState.REJECTED, [0], WaitReason.FAILED, 0),
        (MessageState.NO_VALID_RECIPIENTS, [], WaitReason.FAILED, 0),
        (MessageState.NO_CREDIT, [0], WaitReason.FAILED, 0),
        (MessageState.SYSTEM_ERROR, [0], WaitReason.FAILED, 0),
        (REVIEW, [0], WaitReason.IN_REVIEW, 120),
        (SENT, [2, 1], WaitReason.TIMED_OUT, 120),
        (MessageState.QUEUED, [0], WaitReason.TIMED_OUT, 120),
        (77, [0], WaitReason.TIMED_OUT, 120),
    ],
)
async def test_the_report_states_why_the_wait_ended(
    state: int, statuses: list[int], reason: WaitReason, waited: int, make_client: MakeClient, clock: FakeClock
) -> None:
    report = await wait(Outbox({9: state}, {9: statuses}), make_client, 9)
    assert report.reason is reason
    assert report.reasons == {9: reason}
    assert report.is_complete is (waited == 0)
    assert report.messages[9].state_id == state
    assert [row.message_status for row in report] == statuses
    assert sum(clock.waits) == waited


async def test_the_recipients_of_a_message_in_review_are_read_once_until_its_state_changes(
    make_client: MakeClient, clock: FakeClock
) -> None:
    service = Outbox({9: REVIEW})

    def before(name: str, _: int) -> None:
        if name == "by_bulk" and len(clock.waits) == 10:
            service.states[9], service.statuses[9] = SENT, [2]

    service.before = before
    report = await wait(service, make_client, 9)
    assert report.reason is WaitReason.ALL_FINAL
    assert service.count() == {"by_bulk": 11, "recipients": 2}


def test_a_report_is_a_sequence_of_the_recipients_of_all_messages() -> None:
    one, two, three = (RecipientReport(recipient=f"+98912000000{number}") for number in range(3))
    report = DeliveryReport(
        reasons={5: WaitReason.FAILED, 6: WaitReason.ALL_FINAL}, messages={}, recipients={5: (one, two), 6: (three,)}
    )
    assert (list(report), len(report), report[2], report[-1], report[:2]) == (
        [one, two, three],
        3,
        three,
        three,
        (one, two),
    )
    assert two in report
    assert report == DeliveryReport(reasons=report.reasons, messages={}, recipients=report.recipients)
    written = json.loads(json.dumps(report.to_dict()))
    assert written["reasons"] == {"5": "failed", "6": "all_final"}
    assert list(written) == ["reasons", "messages", "recipients"]


@pytest.mark.parametrize("last", range(1, len(WaitReason)))
def test_the_reason_for_several_messages_is_the_last_in_the_order_of_the_class(last: int) -> None:
    reasons = list(WaitReason)
    report = DeliveryReport(reasons={1: reasons[last], 2: reasons[0]}, messages={}, recipients={})
    assert report.reason is reasons[last]


# Many messages.


async def test_many_messages_take_one_request_per_poll_and_one_per_open_message(
    make_client: MakeClient, clock: FakeClock
) -> None:
    service = Outbox(dict.fromkeys(range(1, 11), SENT), {each: [2] for each in range(1, 9)} | {9: [0], 10: [0]})

    def before(_: str, __: int) -> None:
        if len(clock.waits) == 1:
            service.statuses[9] = [3]
        if len(clock.waits) == 2:
            service.statuses[10] = [2]

    service.before = before
    report = await wait(service, make_client, list(range(1, 11)))
    assert report.reason is WaitReason.ALL_FINAL
    assert len(report) == 10
    # The first poll reads all, the second reads the two that are open, and the third reads one by its id.
    assert service.count() == {"new_list": 1, "recipients": 10 + 2 + 1, "by_bulk": 2 + 1}
    assert clock.waits == [2.0, 2.0]


@pytest.mark.usefixtures("clock")
async def test_later_polls_request_only_the_time_in_which_the_messages_were_created(make_client: MakeClient) -> None:
    service = Outbox(dict.fromkeys(range(1, 6), SENT))
    await wait(service, make_client, range(1, 6), timeout=2)
    assert service.bodies == [
        {"page": 1, "limit": 1000},
        {
            "page": 1,
            "limit": 1000,
            "filters": {"create_from_date": str(CREATED + 1), "create_to_date": str(CREATED + 6)},
        },
    ]


@pytest.mark.usefixtures("clock")
async def test_messages_that_the_outbox_does_not_list_are_read_by_id_25_per_poll(make_client: MakeClient) -> None:
    ids = range(1, 61)
    service = Outbox(dict.fromkeys(ids, SENT), {each: [2] for each in ids})
    service.hidden = set(ids)
    per_poll: list[int] = []

    def before(name: str, _: int) -> None:
        if name == "new_list":
            per_poll.append(0)
        per_poll[-1] += name == "by_bulk"

    service.before = before
    report = await wait(service, make_client, ids)
    assert report.reason is WaitReason.ALL_FINAL
    assert per_poll == [25, 25, 10]


async def test_a_poll_reads_about_50_pages_of_recipients(make_client: MakeClient, clock: FakeClock) -> None:
    ids = range(1, 121)
    service = Outbox(dict.fromkeys(ids, SENT), {each: [2] for each in ids})
    report = await wait(service, make_client, ids)
    assert report.reason is WaitReason.ALL_FINAL
    assert list(report.reasons) == list(ids)
    assert service.count()["recipients"] == 120
    assert clock.waits == [2.0, 2.0]


async def test_a_second_page_of_the_outbox_is_read_for_more_than_1000_messages(
    make_client: MakeClient, clock: FakeClock
) -> None:
    ids = range(1, 1502)
    service = Outbox(dict.fromkeys(ids, MessageState.CANCELLED))
    report = await wait(service, make_client, ids, timeout=1000)
    assert report.reason is WaitReason.CANCELLED
    assert [body["page"] for body in service.bodies[:3]] == [1, 2, 1]
    assert service.count()["by_bulk"] <= 3
    assert len(clock.waits) == 30


async def test_send_results_and_ids_can_be_mixed_and_each_message_is_polled_once(
    make_client: MakeClient, clock: FakeClock
) -> None:
    service = Outbox({5: SENT, 6: SENT, 7: SENT}, {5: [2], 6: [2, 2], 7: [2]})
    several = SendResult(message_outbox_ids=(7, 5))
    report = await wait(service, make_client, iter([6, several, 5, SendResult(message_outbox_ids=(6,))]))
    assert list(report.reasons) == [6, 7, 5]
    assert list((await wait(service, make_client, several)).reasons) == [7, 5]
    assert service.count()["by_bulk"] == 3 + 2
    assert clock.waits == []


@pytest.mark.parametrize(
    ("invalid", "message"),
    [
        ([], "message_outbox_id: must not be empty"),
        ([5, "6"], r"message_outbox_id\[1\]: expected an int, got str"),
        (0, "message_outbox_id: expected an id"),
        ("5", "message_outbox_id: expected a list of ids or SendResults, or one of them, got str"),
        (None, "message_outbox_id: expected a list of ids or SendResults, or one of them, got NoneType"),
    ],
)
async def test_any_other_argument_is_rejected(invalid: Any, message: str, make_client: MakeClient) -> None:
    service = Outbox({})
    with pytest.raises(InvalidArgument, match=f"^{message}"):
        await wait(service, make_client, invalid)
    assert service.requests == []


async def test_the_error_for_a_message_that_does_not_exist_names_its_id(
    make_client: MakeClient, clock: FakeClock
) -> None:
    service = Outbox({5: SENT}, {5: [2]})
    service.before = lambda _, message_id: rejected(404) if message_id == 6 else None
    with pytest.raises(NotFound) as caught:
        await wait(service, make_client, [5, 6])
    assert caught.value.__notes__ == ["message_outbox_id: 6"]
    assert clock.waits == []


# Transient errors.


async def test_a_transient_error_does_not_end_the_wait(
    make_client: MakeClient, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "ippanel_edge")
    service = Outbox({9: SENT})
    seen: list[tuple[type[EdgeError], float]] = []

    def before(_: str, __: int) -> httpx.Response | None:
        if len(clock.waits) == 1:
            return httpx.Response(502, content=b"<html>bad gateway")
        if len(clock.waits) == 2:
            raise httpx.ReadError("reset")
        service.statuses[9] = [2] if clock.waits else [0]
        return None

    def on_fault(error: EdgeError, pause: float) -> None:
        seen.append((type(error), pause))

    service.before = before
    report = await wait(service, make_client, 9, on_fault=on_fault)
    assert report.reason is WaitReason.ALL_FINAL
    assert clock.waits == [2.0, 4.0, 8.0]
    assert seen == [(ServerError, 4.0), (OutcomeUnknown, 8.0)]
    name = "reports.wait_delivered"
    assert [attributes(record) for record in of_polling(caplog)] == [
        (name, "ServerError", 502, 1, 4.0),
        (name, "OutcomeUnknown", None, 2, 8.0),
        (name, None, None, 2, 2.0),
    ]


async def test_if_the_last_poll_fails_the_report_has_the_earlier_status(
    make_client: MakeClient, clock: FakeClock
) -> None:
    service = Outbox({9: SENT}, {9: [1]})
    service.before = lambda _, __: rejected(503) if clock.waits else None
    report = await wait(service, make_client, 9, timeout=30)
    assert report.reason is WaitReason.UNREACHABLE
    assert not report.is_complete
    assert [row.message_status for row in report] == [1]
    assert sum(clock.waits) == 30.0


async def test_if_no_poll_succeeds_the_last_error_is_raised_when_the_time_is_over(
    make_client: MakeClient, clock: FakeClock
) -> None:
    service = Outbox({9: SENT})
    service.before = lambda _, __: rejected(502)
    with pytest.raises(ServerError):
        await wait(service, make_client, 9, timeout=30)
    assert sum(clock.waits) == 30.0


async def test_an_error_that_is_not_transient_ends_the_wait(make_client: MakeClient, clock: FakeClock) -> None:
    service = Outbox({9: SENT})
    service.before = lambda _, __: rejected(401) if clock.waits else None
    with pytest.raises(ApiError) as caught:
        await wait(service, make_client, 9)
    assert caught.value.status_code == 401
    assert clock.waits == [2.0]


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("call", ["recipients", "by_bulk"])
async def test_a_message_that_always_fails_does_not_hold_up_the_others(call: str, make_client: MakeClient) -> None:
    ids = list(range(1, 5))
    service = Outbox(dict.fromkeys(ids, SENT), {each: [2] for each in ids})
    service.hidden = set(ids)
    service.before = lambda name, message_id: rejected(500) if (name, message_id) == (call, 1) else None
    report = await wait(service, make_client, ids)
    assert report.reasons == {1: WaitReason.UNREACHABLE} | dict.fromkeys(ids[1:], WaitReason.ALL_FINAL)


# The timeout.


async def test_a_response_that_is_late_ends_the_wait_with_the_earlier_status(
    make_client: MakeClient, clock: FakeClock
) -> None:
    service = Outbox({9: SENT}, {9: [1]})

    def before(_: str, __: int) -> None:
        if clock.waits:
            clock.now += 1000
            raise httpx.ReadTimeout("late")

    service.before = before
    report = await wait(service, make_client, 9, timeout=30)
    assert report.reason is WaitReason.TIMED_OUT
    assert [row.message_status for row in report] == [1]
    assert clock.waits == [2.0]


@pytest.mark.parametrize("side", ["asyncio", "trio"], indirect=True)
async def test_a_request_without_a_response_does_not_outlast_the_timeout(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_GRACE", 0.01)

    async def service(_: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError

    handler: Any = service
    with anyio.fail_after(10), pytest.raises(OutcomeUnknown, match=r"^reports\.wait_delivered: the timeout expired"):
        await wait(handler, make_client, 9, timeout=0.01)


@pytest.mark.usefixtures("clock")
async def test_closing_the_client_ends_the_wait_with_an_error(make_client: MakeClient) -> None:
    client = make_client(Outbox({9: SENT}), retry=NO_RETRIES)
    await close(client)
    with pytest.raises(ConfigurationError, match="the client is closed"):
        await result(client.reports.wait_delivered(9))


# The sandbox.


async def test_messages_in_the_sandbox_are_awaited_until_each_is_final(
    make_client: MakeClient, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox = Sandbox(SandboxClock(datetime(2030, 1, 15, 9, 30, tzinfo=UTC), frozen=True))
    record = clock.sleep_now

    def advance(seconds: float) -> None:
        record(seconds)
        sandbox.clock.advance(seconds)

    monkeypatch.setattr(clock, "sleep_now", advance)
    client = make_client(
        in_memory(sandbox), api_key=sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number
    )
    numbers = [f"0912345{number:04}" for number in range(6)]
    sent = await result(client.send.peer_to_peer([(number, f"hello {number}") for number in numbers]))
    report = await result(client.reports.wait_delivered(sent, timeout=300))
    assert report.reason is WaitReason.ALL_FINAL
    assert list(report.reasons) == list(sent.message_outbox_ids)
    assert {message.state_id for message in report.messages.values()} == {MessageState.SENT}
    assert clock.waits != []

    sandbox.state.review, sandbox.state.review_seconds = True, None
    held = await result(client.send.webservice(numbers, "in review"))
    report = await result(client.reports.wait_delivered(held, timeout=30))
    assert (report.reason, len(report), report.is_complete) == (WaitReason.IN_REVIEW, 6, False)
    sandbox.state.reject(held.id, "no")
    report = await result(client.reports.wait_delivered([held, *sent.message_outbox_ids], timeout=30))
    assert report.reason is WaitReason.FAILED
    assert report.reasons[sent.message_outbox_ids[0]] is WaitReason.ALL_FINAL
