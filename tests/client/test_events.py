"""Events of calls: their order and fields, listeners that fail, and what an interrupted send hands to its caller."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable, Generator
from typing import Any, Final

import anyio
import attrs
import httpx
import pytest

from ippanel_edge import (
    AsyncEdgeClient,
    AttemptBegan,
    AttemptEnded,
    Call,
    CallBegan,
    CallEnded,
    ConfigurationError,
    Credentials,
    EdgeClient,
    EdgeError,
    Event,
    Outcome,
    OutcomeUnknown,
    RateLimit,
    Reply,
    RetryPlanned,
    WaitBegan,
)
from ippanel_edge._async import _io as async_io
from ippanel_edge._sync import _io as sync_io
from ippanel_edge.models import PeerMessage, PhonebookNumbers
from tests.client.conftest import FakeClock, MakeClient
from tests.client.loopback import Loopback, ReceivedRequest, http_response
from tests.client.sides import middleware, result
from tests.contract.sample import LINE
from tests.faults.leaks import recorded_logs

pytestmark = pytest.mark.anyio

MOBILE: Final = "09121234567"
SENT: Final = {"data": {"message_outbox_ids": [7]}, "meta": {"status": True}}
CREDIT: Final = {"data": {"credit": 5}, "meta": {"status": True}}
NO: Final = {"data": None, "meta": {"status": False, "message": "no", "message_code": "400-1"}}


def ended(events: list[Event]) -> CallEnded:
    """Return the last event, which is the end of the call."""
    (event,) = [event for event in events if isinstance(event, CallEnded)]
    assert events[-1] is event
    return event


async def test_the_events_of_a_retried_read(make_client: MakeClient, clock: FakeClock) -> None:
    answers = [httpx.Response(503, headers={"Retry-After": "11"}), httpx.Response(200, json=CREDIT)]
    events: list[Event] = []
    client = make_client(lambda _: answers.pop(0), listeners=[events.append])
    await result(client.payment.credit())
    began, first, failed, retry, second, succeeded, end = events
    assert isinstance(began, CallBegan)
    assert (began.endpoint, began.method, began.path) == ("payment.credit", "GET", "/api/payment/credit/mine")
    assert began.recipients is None
    assert (began.at, end.at) == (1000.0, 1011.0)
    assert isinstance(first, AttemptBegan)
    assert isinstance(second, AttemptBegan)
    assert (first.attempt, second.attempt) == (1, 2)
    assert isinstance(failed, AttemptEnded)
    assert (failed.attempt, failed.status_code, failed.outcome) == (1, 503, Outcome.UNKNOWN)
    assert failed.reason == "HTTP 503"
    assert isinstance(retry, RetryPlanned)
    assert (retry.attempt, retry.delay, retry.reason) == (1, 11.0, "HTTP 503")
    assert isinstance(succeeded, AttemptEnded)
    assert (succeeded.status_code, succeeded.outcome, succeeded.reason) == (200, None, "")
    assert isinstance(end, CallEnded)
    assert (end.seconds, end.attempts, end.status_code, end.outcome) == (11.0, 2, 200, None)
    assert (end.error, end.reason, end.message_outbox_ids, end.interrupted) == ("", "", (), False)
    assert {event.call_id for event in events} == {began.call_id}
    assert len(clock.waits) == 1


async def test_calls_have_different_ids(make_client: MakeClient) -> None:
    events: list[Event] = []
    client = make_client(lambda _: httpx.Response(200, json=CREDIT), listeners=[events.append])
    await result(client.payment.credit())
    await result(client.payment.credit())
    assert len({event.call_id for event in events}) == 2


REFUSED: Final = "ConnectError: edge.example.test: refused"
SENDS: Final[list[tuple[Callable[[Any], Any], int | None]]] = [
    (lambda client: client.send.webservice([MOBILE, "09351234567"], "سلام"), 2),
    (
        lambda client: client.send.peer_to_peer(
            [PeerMessage(recipients=[MOBILE, MOBILE], message="a"), PeerMessage(recipients=MOBILE, message="b")]
        ),
        3,
    ),
    (lambda client: client.send.pattern("otp", MOBILE, {"recipients": "11"}), 1),
    (lambda client: client.send.votp(MOBILE, "4821"), 1),
    (lambda client: client.send.url(MOBILE, "سلام"), 1),
    (lambda client: client.send.phonebook([PhonebookNumbers(phonebook_id=5, number_ids=[1])], "سلام"), None),
    (
        lambda client: client.send.file(("a.csv", b"phone_number\n09121234567\n"), "سلام", other_recipients=[MOBILE]),
        None,
    ),
]


@pytest.mark.parametrize("number", range(len(SENDS)))
async def test_a_send_reports_its_ids_and_the_number_of_recipients_that_it_lists(
    make_client: MakeClient, number: int
) -> None:
    send, recipients = SENDS[number]
    events: list[Event] = []
    await result(send(make_client(lambda _: httpx.Response(200, json=SENT), listeners=[events.append])))
    end = ended(events)
    assert (end.message_outbox_ids, end.recipients, end.outcome, end.error) == ((7,), recipients, None, "")
    assert isinstance(events[0], CallBegan)
    assert events[0].recipients == recipients


@pytest.mark.parametrize(
    ("answer", "error", "outcome", "status", "reason"),
    [
        (lambda: httpx.Response(400, json=NO), "ValidationFailed", Outcome.REJECTED, 400, "HTTP 400 [400-1]"),
        (lambda: httpx.Response(500, text="09121234567"), "ServerError", Outcome.UNKNOWN, 500, "HTTP 500"),
        (lambda: httpx.Response(200, text="<html>"), "DecodeError", Outcome.UNKNOWN, 200, "the response is not valid"),
        (lambda: httpx.ReadTimeout("late"), "OutcomeUnknown", Outcome.UNKNOWN, None, "ReadTimeout"),
        (lambda: httpx.ConnectError("refused"), "ConnectionFailed", Outcome.NOT_SENT, None, REFUSED),
    ],
)
async def test_a_failed_send_reports_its_outcome(
    make_client: MakeClient, answer: Callable[[], Any], error: str, outcome: Outcome, status: int | None, reason: str
) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        found: httpx.Response | Exception = answer()
        if isinstance(found, Exception):
            raise found
        return found

    events: list[Event] = []
    with pytest.raises(EdgeError):
        await result(make_client(handler, retry=0, listeners=[events.append]).send.webservice(MOBILE, "سلام"))
    end = ended(events)
    assert (end.error, end.outcome, end.status_code, end.reason) == (error, outcome, status, reason)
    assert (end.attempts, end.message_outbox_ids) == (1, ())
    attempt = events[-2]
    assert isinstance(attempt, AttemptEnded)
    assert (attempt.outcome, attempt.status_code, attempt.reason) == (outcome, status, reason)


async def test_a_call_that_is_not_sent_has_no_attempt(make_client: MakeClient) -> None:
    events: list[Event] = []
    client = make_client(lambda _: httpx.Response(200), api_key=None, listeners=[events.append])
    with pytest.raises(ConfigurationError):
        await result(client.payment.credit())
    assert [type(event) for event in events] == [CallBegan, CallEnded]
    assert (ended(events).error, ended(events).outcome) == ("ConfigurationError", Outcome.NOT_SENT)


async def test_waits_for_the_rate_limit_are_reported(make_client: MakeClient, clock: FakeClock) -> None:
    events: list[Event] = []
    client = make_client(
        lambda _: httpx.Response(200, json=CREDIT), rate_limit=RateLimit(0.1), listeners=[events.append]
    )
    for _ in range(2):
        await result(client.payment.credit())
    (wait,) = [event for event in events if isinstance(event, WaitBegan)]
    assert wait.waits_for == "rate_limit"
    assert [wait.delay, *clock.waits] == pytest.approx([10.0, 10.0])


async def test_waits_for_a_login_are_reported_and_the_login_is_a_call_of_its_own(make_client: MakeClient) -> None:
    tokens = ["token-0001", "token-0002"]

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("login"):
            return httpx.Response(
                200, json={"data": {"method": "login", "token": tokens.pop(0)}, "meta": {"status": True}}
            )
        return httpx.Response(401, json=NO) if tokens else httpx.Response(200, json=CREDIT)

    events: list[Event] = []
    client = make_client(handler, credentials=Credentials("user", "secret"), listeners=[events.append])
    await result(client.payment.credit())
    waits = [event for event in events if isinstance(event, WaitBegan)]
    assert [(event.endpoint, event.waits_for, event.delay) for event in waits] == [
        ("payment.credit", "login", None)
    ] * 2
    calls = [(event.endpoint, event.call_id) for event in events if isinstance(event, CallEnded)]
    assert [name for name, _ in calls] == ["auth.login", "auth.login", "payment.credit"]
    assert len(dict.fromkeys(number for _, number in calls)) == 3
    await result(client.payment.credit())
    assert len([event for event in events if isinstance(event, WaitBegan)]) == 2, "the token is valid: no wait"


async def test_the_other_documented_method_is_reported_as_a_retry(make_client: MakeClient) -> None:
    events: list[Event] = []

    def handler(request: httpx.Request) -> httpx.Response:
        data = {"data": {"user_id": 7}, "meta": {"status": True}}
        return httpx.Response(200, json=data) if request.method == "POST" else httpx.Response(405, json=NO)

    await result(make_client(handler, listeners=[events.append]).auth.check_token())
    (retry,) = [event for event in events if isinstance(event, RetryPlanned)]
    assert (retry.delay, retry.attempt) == (0.0, 1)
    assert ended(events).attempts == 2


async def test_a_path_has_no_parameters(make_client: MakeClient) -> None:
    events: list[Event] = []
    client = make_client(lambda _: httpx.Response(200, json={**SENT, "data": []}), listeners=[events.append])
    await result(client.request("GET", f"/api/numbers/{MOBILE}"))
    assert ended(events).path == ""
    await result(client.patterns.get("secret-code"))
    assert events[-1].path == "/api/patterns/{pattern_code}"


async def test_a_copy_has_its_own_listeners(make_client: MakeClient) -> None:
    first: list[Event] = []
    second: list[Event] = []
    client = make_client(lambda _: httpx.Response(200, json=CREDIT), listeners=[first.append])
    await result(client.with_options(listeners=[second.append]).payment.credit())
    await result(client.with_options(deadline=5.0).payment.credit())
    await result(client.with_options(listeners=()).payment.credit())
    assert (len(first), len(second)) == (4, 4)


async def test_a_listener_cannot_change_an_event(make_client: MakeClient) -> None:
    events: list[Event] = []
    await result(make_client(lambda _: httpx.Response(200, json=CREDIT), listeners=[events.append]).payment.credit())
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        events[-1].endpoint = "other"  # type: ignore[misc]


# Listeners that fail.


@pytest.mark.parametrize("answer", [lambda: httpx.Response(200, json=SENT), lambda: httpx.ReadTimeout("late")])
async def test_an_exception_of_a_listener_is_logged_and_does_not_change_the_call(
    make_client: MakeClient, answer: Callable[[], Any]
) -> None:
    requests: list[httpx.Request] = []
    events: list[Event] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        found: httpx.Response | Exception = answer()
        if isinstance(found, Exception):
            raise found
        return found

    def broken(event: Event) -> None:
        raise RuntimeError(f"of the listener at {type(event).__name__}")

    client = make_client(handler, api_key="canary-key-31", listeners=[broken, events.append])
    with recorded_logs() as logs:
        succeeds = not isinstance(answer(), Exception)
        if succeeds:
            assert (await result(client.send.webservice(MOBILE, "a canary text"))).id == 7
        else:
            with pytest.raises(OutcomeUnknown):
                await result(client.send.webservice(MOBILE, "a canary text"))
    assert [type(event) for event in events] == [CallBegan, AttemptBegan, AttemptEnded, CallEnded]
    assert len(requests) == 1
    problems = [record for record in logs.records if "broken raised RuntimeError" in record]
    assert len(problems) == len(events), "once for each event"
    assert all(
        "'levelno': 40" in record and "in broken" in record and "'exc_info': None" in record for record in problems
    )
    assert "at CallEnded; the call is not affected" in problems[-1]
    assert not logs.containing("canary-key-31", "a canary text", "9121234567")


async def test_a_broken_filter_of_the_log_does_not_change_the_call(
    make_client: MakeClient, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(record: logging.LogRecord) -> bool:
        raise RuntimeError(f"of the filter: {record.levelname}")

    logger = logging.getLogger("ippanel_edge")
    client = make_client(lambda _: httpx.Response(200, json=SENT))
    with recorded_logs():
        logger.addFilter(broken)
        try:
            assert (await result(client.send.webservice(MOBILE, "سلام"))).id == 7
        finally:
            logger.removeFilter(broken)
    assert "of the filter: ERROR" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [AsyncEdgeClient, EdgeClient])
def test_a_listener_that_must_be_awaited_is_rejected(kind: Any) -> None:
    async def listener(event: Event) -> None:
        raise AssertionError(event)

    class Awaited:
        async def __call__(self, event: Event) -> None:
            raise AssertionError(event)

    for value in (listener, Awaited()):
        with pytest.raises(ConfigurationError, match="expected a plain function") as caught:
            kind("key-0001", listeners=[print, value])
        assert caught.value.argument == "listeners[1]"


# What the caller of an interrupted send gets.


SENT_BODY: Final = json.dumps(SENT)


@pytest.mark.parametrize("side", ["asyncio", "trio"])
async def test_a_cancelled_send_whose_response_arrives_reports_its_ids(side: str) -> None:
    arrived, may_answer = threading.Event(), threading.Event()

    def handler(request: ReceivedRequest) -> None:
        arrived.set()
        may_answer.wait(5.0)
        request.send(http_response(SENT_BODY))

    events: list[Event] = []
    notes: list[str] = []
    with Loopback(handler) as server, recorded_logs() as logs:
        client = AsyncEdgeClient("key-0001", base_url=f"{server.url}/v1", from_number=LINE, listeners=[events.append])

        async def send() -> None:
            try:
                await client.send.webservice([MOBILE, "09351234567"], "سلام")
            except anyio.get_cancelled_exc_class() as error:
                notes.extend(error.__notes__)
                raise

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(send)
            await anyio.to_thread.run_sync(arrived.wait, 5.0)
            tasks.cancel_scope.cancel()
            may_answer.set()
        await client.aclose()
    end = ended(events)
    assert (end.message_outbox_ids, end.recipients, end.status_code) == ((7,), 2, 200), side
    assert (end.endpoint, end.outcome, end.interrupted) == ("send.webservice", None, True)
    assert end.error in {"CancelledError", "Cancelled"}
    assert notes == ["send.webservice: the service accepted the message; message_outbox_ids 7"]
    (record,) = [record for record in logs.records if "was cancelled after" in record]
    assert "'recipients': 2" in record
    assert "'message_outbox_ids': (7,)" in record


@pytest.mark.parametrize("side", ["asyncio"])
async def test_the_awaiter_of_a_cancelled_task_gets_the_ids_in_a_note(side: str) -> None:
    released = asyncio.Event()
    accepted = asyncio.Event()

    async def handler(_: httpx.Request) -> httpx.Response:
        accepted.set()
        await released.wait()
        return httpx.Response(200, json=SENT)

    http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    client = AsyncEdgeClient("key-0001", http_client=http, from_number=LINE)
    task = asyncio.create_task(client.send.webservice(MOBILE, "سلام"))
    await accepted.wait()
    task.cancel()
    released.set()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    assert caught.value.__notes__ == ["send.webservice: the service accepted the message; message_outbox_ids 7"], side


@pytest.mark.parametrize("side", ["asyncio", "trio"])
@pytest.mark.parametrize("answer", ["rejected", "none"])
async def test_a_cancelled_send_without_ids_reports_its_outcome(
    side: str, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ippanel_edge._async.exchange.CANCEL_GRACE", 5.0 if answer == "rejected" else 0.0)
    accepted, released = anyio.Event(), anyio.Event()

    async def handler(_: httpx.Request) -> httpx.Response:
        accepted.set()
        await released.wait()
        return httpx.Response(400, json=NO)

    events: list[Event] = []
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    client = AsyncEdgeClient("key-0001", http_client=http, from_number=LINE, listeners=[events.append])
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.send.webservice, MOBILE, "سلام")
        await accepted.wait()
        tasks.cancel_scope.cancel()
        if answer == "rejected":
            released.set()
    expected = (Outcome.REJECTED, 400) if answer == "rejected" else (Outcome.UNKNOWN, None)
    end = ended(events)
    assert (end.outcome, end.status_code) == expected, side
    assert (end.interrupted, end.message_outbox_ids) == (True, ())


@pytest.mark.parametrize("side", ["asyncio", "trio"])
async def test_the_error_of_a_deadline_has_the_ids_if_the_response_arrived(side: str) -> None:
    async def handler(_: httpx.Request) -> httpx.Response:
        with anyio.CancelScope(shield=True):  # the response arrives just after the deadline
            await anyio.sleep(0.2)
        return httpx.Response(200, json=SENT)

    events: list[Event] = []
    http = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    client = AsyncEdgeClient("key-0001", http_client=http, from_number=LINE, deadline=0.15, listeners=[events.append])
    with pytest.raises(OutcomeUnknown, match="the service accepted the message: message_outbox_ids 7") as caught:
        await client.send.webservice(MOBILE, "سلام")
    assert (caught.value.message_outbox_ids, caught.value.timed_out) == ((7,), True), side
    assert ended(events).message_outbox_ids == (7,)


async def test_the_error_of_a_deadline_has_the_ids_if_a_middleware_was_too_slow(
    make_client: MakeClient, side: str
) -> None:
    def body(call: Call[Any]) -> Generator[Call[Any], Reply[Any], Reply[Any]]:
        yield call
        raise (sync_io if side == "sync" else async_io).DeadlinePassed

    client = make_client(lambda _: httpx.Response(200, json=SENT), deadline=30.0, middleware=[middleware(side, body)])
    with pytest.raises(OutcomeUnknown, match="the deadline of 30 s expired, but the service accepted") as caught:
        await result(client.send.webservice(MOBILE, "سلام"))
    assert caught.value.message_outbox_ids == (7,)


@pytest.mark.parametrize("side", ["sync"])
async def test_ctrl_c_after_the_response_has_the_ids_in_a_note(make_client: MakeClient, side: str) -> None:
    def body(call: Call[Any]) -> Generator[Call[Any], Reply[Any], Reply[Any]]:
        yield call
        raise KeyboardInterrupt

    events: list[Event] = []
    client = make_client(
        lambda _: httpx.Response(200, json=SENT), middleware=[middleware(side, body)], listeners=[events.append]
    )
    with pytest.raises(KeyboardInterrupt) as caught:
        client.send.webservice(MOBILE, "سلام")
    assert "message_outbox_ids 7" in caught.value.__notes__[0]
    assert (ended(events).outcome, ended(events).error) == (None, "KeyboardInterrupt")
