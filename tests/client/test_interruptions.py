"""Calls that end early by a deadline, a cancellation or closing are NOT_SENT only if nothing was sent."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import anyio
import httpx
import pytest

from ippanel_edge import (
    AsyncEdgeClient,
    AuthenticationError,
    Call,
    ConfigurationError,
    ConnectionFailed,
    Credentials,
    EdgeClient,
    EdgeError,
    Outcome,
    OutcomeUnknown,
    RateLimit,
    RetryPolicy,
    ValidationFailed,
)
from ippanel_edge._async import _io as async_io
from ippanel_edge._async import exchange as async_exchange
from ippanel_edge._sync import _io as sync_io
from ippanel_edge._sync.exchange import Trace
from ippanel_edge.endpoints import PAYMENT_CREDIT, SEND_WEBSERVICE
from ippanel_edge.wire.attempts import Attempts
from ippanel_edge.wire.call import call
from tests.client.conftest import FakeClock, MakeClient
from tests.client.loopback import Loopback, ReceivedRequest, http_response
from tests.client.sides import result

BASE = "https://edge.example.test/v1"
LINE = "+983000111222"
SENT = {"data": {"message_outbox_ids": [7]}, "meta": {"status": True}}
SENT_RESPONSE = http_response('{"data": {"message_outbox_ids": [7]}, "meta": {"status": true}}')
CREDIT = {"data": {"credit": 5}, "meta": {"status": True}}
TIMEOUT = 5.0

pytestmark = pytest.mark.anyio


class StallingTransport(httpx.AsyncBaseTransport):
    """A transport without httpcore's trace events, like an adapter of another library: it accepts and stalls."""

    def __init__(self, release: Callable[[], anyio.Event] | None = None) -> None:
        self.accepted = anyio.Event()
        self.release = release

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.accepted.set()
        if self.release is None:
            await anyio.sleep_forever()
        else:
            await self.release().wait()
        return httpx.Response(200, json=SENT)


def untraced_client(transport: httpx.AsyncBaseTransport, **options: Any) -> AsyncEdgeClient:
    http = httpx.AsyncClient(transport=transport)
    return AsyncEdgeClient("key-0001", http_client=http, base_url=BASE, from_number=LINE, **options)


def open_client(side: str, server: Loopback, **options: Any) -> Any:
    make = EdgeClient if side == "sync" else AsyncEdgeClient
    return make("key-0001", base_url=f"{server.url}/v1", from_number=LINE, **options)


async def close(client: Any) -> None:
    await result(getattr(client, "close" if isinstance(client, EdgeClient) else "aclose")())


# The `repeat` argument of request().


@pytest.mark.parametrize("repeat", ["once", "read", None, True, False, "never", 0])
async def test_repeat_must_be_a_member_of_repeat(make_client: MakeClient, repeat: Any) -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(500)

    with pytest.raises(ConfigurationError) as caught:
        await result(make_client(handler).request("POST", "/api/send", json={}, repeat=repeat))
    assert (caught.value.argument, requests) == ("repeat", [])
    assert "expected a Repeat" in str(caught.value)


# Without trace events, only UNKNOWN is safe.


@pytest.mark.parametrize("side", ["asyncio", "trio"])
async def test_a_deadline_over_a_transport_without_trace_events_is_unknown(side: str) -> None:
    transport = StallingTransport()
    client = untraced_client(transport, deadline=0.2)
    with pytest.raises(OutcomeUnknown) as caught:
        await client.send.webservice("09121234567", "سلام")
    assert transport.accepted.is_set(), side
    assert (caught.value.outcome, caught.value.timed_out) == (Outcome.UNKNOWN, True)


@pytest.mark.parametrize("side", ["asyncio", "trio"])
async def test_a_cancelled_send_over_a_transport_without_trace_events_is_logged_with_its_ids(
    side: str, caplog: pytest.LogCaptureFixture
) -> None:
    released = anyio.Event()
    transport = StallingTransport(lambda: released)
    client = untraced_client(transport)
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.send.webservice, "09121234567", "سلام")
            await transport.accepted.wait()
            scope.cancel()
            released.set()
    assert scope.cancelled_caught, side
    (record,) = [record for record in caplog.records if record.name == "ippanel_edge"]
    fields = vars(record)
    assert (fields["endpoint"], fields["status_code"], fields["message_outbox_ids"]) == ("send.webservice", 200, (7,))
    assert "it was cancelled after sending began" in record.message
    assert "message_outbox_ids 7" in record.message


@pytest.mark.parametrize("side", ["asyncio", "trio"])
async def test_a_deadline_is_not_logged_as_a_cancellation(
    side: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(async_exchange, "CANCEL_GRACE", 0.02)
    client = untraced_client(StallingTransport(), deadline=0.2)
    with caplog.at_level(logging.WARNING), pytest.raises(OutcomeUnknown):
        await client.send.webservice("09121234567", "سلام")
    assert not [record for record in caplog.records if "was cancelled" in record.message], side


# Attempts made by a middleware count too.


@pytest.mark.parametrize("first", ["timeout", "success"])
async def test_a_retry_by_a_middleware_does_not_hide_an_attempt_with_an_unknown_outcome(
    make_client: MakeClient, side: str, first: str
) -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if len(requests) > 1:
            return httpx.Response(400, json={"meta": {"status": False, "message": "no"}})
        if first == "timeout":
            raise httpx.ReadTimeout("late", request=request)
        return httpx.Response(200, json=SENT)

    async def twice(call: Call[Any], proceed: Any) -> Any:
        with contextlib.suppress(EdgeError):
            await proceed(call)
        return await proceed(call)

    def twice_sync(call: Call[Any], proceed: Any) -> Any:
        with contextlib.suppress(EdgeError):
            proceed(call)
        return proceed(call)

    client = make_client(handler, middleware=[twice_sync if side == "sync" else twice])
    with pytest.raises(ValidationFailed) as caught:
        await result(client.send.webservice("09121234567", "سلام"))
    assert (caught.value.outcome, caught.value.attempts, len(requests)) == (Outcome.UNKNOWN, 2, 2)


# Little time before the deadline.


def test_a_send_is_not_started_if_too_little_time_remains() -> None:
    attempts = Attempts(call(SEND_WEBSERVICE, json={}))
    began: dict[str, Any] = {"request": httpx.Request("POST", BASE)}
    with pytest.raises(ConnectionFailed, match="deadline exceeded before sending"):
        Trace(attempts, ends=time.monotonic() + 0.05)("http11.send_request_headers.started", began)
    assert not attempts.may_have_left
    for ends in (None, time.monotonic() + TIMEOUT):
        Trace(attempts, ends)("http11.send_request_headers.started", began)
        assert attempts.may_have_left


def test_a_read_is_started_even_if_little_time_remains() -> None:
    attempts = Attempts(call(PAYMENT_CREDIT))
    trace = Trace(attempts, ends=time.monotonic())
    trace("http11.send_request_headers.started", {"request": httpx.Request("GET", BASE)})
    assert attempts.headers_began


async def test_a_send_that_waits_too_long_for_a_connection_is_not_sent(
    side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[str] = []
    first_arrived, first_may_end = threading.Event(), threading.Event()

    def handler(request: ReceivedRequest) -> None:
        requests.append(request.target)
        first_arrived.set()
        first_may_end.wait(TIMEOUT)
        request.send(SENT_RESPONSE)

    exchange = f"ippanel_edge.{'_sync' if side == 'sync' else '_async'}.exchange"
    with Loopback(handler) as server:
        client = open_client(side, server, limits=httpx.Limits(max_connections=1))
        late = client.with_options(deadline=30.0, retry=RetryPolicy(retries=0))
        failures: list[BaseException] = []

        def end_first() -> None:
            monkeypatch.setattr(f"{exchange}.remaining", Mock(return_value=0.05))  # when it is free
            first_may_end.set()

        async def second() -> None:
            try:
                await late.send.webservice("09121234567", "دوم")
            except EdgeError as error:
                failures.append(error)

        if side == "sync":
            send_first = threading.Thread(target=client.send.webservice, args=("09121234567", "یکم"))
            send_first.start()
            first_arrived.wait(TIMEOUT)
            waiting = threading.Thread(target=lambda: failures.append(raised_by(late)))
            waiting.start()
            wait_until(lambda: client._shared.transport.pool.here.slots.has_waiters)
            end_first()
            waiting.join(TIMEOUT)
            send_first.join(TIMEOUT)
        else:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.send.webservice, "09121234567", "یکم")
                await anyio.to_thread.run_sync(first_arrived.wait, TIMEOUT)
                tasks.start_soon(second)
                await anyio.wait_all_tasks_blocked()
                end_first()
        monkeypatch.undo()
        await close(client)
    (error,) = failures
    assert isinstance(error, ConnectionFailed)
    assert (error.outcome, error.timed_out, len(requests)) == (Outcome.NOT_SENT, True, 1)


def raised_by(client: Any) -> BaseException:
    try:
        client.send.webservice("09121234567", "دوم")
    except EdgeError as error:
        return error
    return AssertionError("the send succeeded")


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


# Closing.


async def test_closing_rejects_waiting_calls_and_ends_those_in_progress(side: str) -> None:
    requests: list[str] = []
    arrived, finished = threading.Event(), threading.Event()

    def handler(request: ReceivedRequest) -> None:
        requests.append(request.target)
        arrived.set()
        finished.wait(TIMEOUT)

    outcomes: list[Outcome] = []
    with Loopback(handler) as server:
        client = open_client(
            side, server, limits=httpx.Limits(max_connections=1), timeout=60, retry=RetryPolicy(retries=0)
        )

        async def send() -> None:
            with pytest.raises(EdgeError) as caught:
                await client.send.webservice("09121234567", "سلام")
            outcomes.append(caught.value.outcome)

        def send_sync() -> None:
            with pytest.raises(EdgeError) as caught:
                client.send.webservice("09121234567", "سلام")
            outcomes.append(caught.value.outcome)

        began = time.monotonic()
        if side == "sync":
            threads = [threading.Thread(target=send_sync) for _ in range(4)]
            threads[0].start()
            arrived.wait(TIMEOUT)
            for thread in threads[1:]:
                thread.start()
            slots = client._shared.transport.pool.here.slots
            wait_until(lambda: len(slots._waiters) == 3)
            client.close()
            for thread in threads:
                thread.join(TIMEOUT)
        else:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(send)
                await anyio.to_thread.run_sync(arrived.wait, TIMEOUT)
                for _ in range(3):
                    tasks.start_soon(send)
                await anyio.wait_all_tasks_blocked()
                await client.aclose()
        assert time.monotonic() - began < TIMEOUT, "the read timeout is 60 s"
        finished.set()
    assert sorted(outcomes) == [Outcome.NOT_SENT] * 3 + [Outcome.UNKNOWN]
    assert len(requests) == 1


async def test_closing_during_the_delay_before_a_retry_ends_the_call(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(500)

    client = make_client(handler)
    http = client._shared.http

    async def closing(_: float) -> None:
        await http.aclose()

    def closing_sync(_: float) -> None:
        http.close()

    monkeypatch.setattr(async_io, "sleep", closing)
    monkeypatch.setattr(sync_io, "sleep", closing_sync)
    with pytest.raises(OutcomeUnknown, match="the client is closed") as caught:
        await result(client.payment.credit())
    assert (caught.value.outcome, len(requests)) == (Outcome.UNKNOWN, 1)


async def test_a_closed_http_client_of_the_caller_raises_an_error_of_the_sdk(
    make_client: MakeClient, side: str
) -> None:
    client = make_client(lambda _: httpx.Response(200, json=CREDIT))
    http = client._shared.http
    await result(http.close() if side == "sync" else http.aclose())
    with pytest.raises(ConnectionFailed, match="the client is closed") as caught:
        await result(client.payment.credit())
    assert (caught.value.outcome, caught.value.retryable) == (Outcome.NOT_SENT, False)


# Tasks started by a middleware, and copies.


@pytest.mark.parametrize("side", ["asyncio"])  # asyncio tasks inherit context variables, but not cancel scopes
async def test_a_task_started_in_a_middleware_does_not_inherit_the_deadline(side: str) -> None:
    results: list[object] = []
    started: list[asyncio.Task[Any]] = []

    async def spawning(call: Call[Any], proceed: Any) -> Any:
        if not started:
            started.append(asyncio.create_task(later()))
        return await proceed(call)

    async def later() -> None:
        await asyncio.sleep(0.3)  # beyond the deadline of the call that started it
        results.append(await plain.send.webservice("09121234567", "سلام"))

    plain = untraced_client(httpx.MockTransport(lambda _: httpx.Response(200, json=SENT)))
    client = plain.with_options(deadline=0.2, middleware=[spawning])
    await client.send.webservice("09121234568", "سلام")
    await started[0]
    assert [getattr(item, "id", None) for item in results] == [7], side


async def test_a_copy_with_another_retry_budget_does_not_share_the_budget(
    make_client: MakeClient, clock: FakeClock
) -> None:
    requests: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(500)

    client = make_client(handler)
    without_retries = client.with_options(retry=RetryPolicy(budget=0))
    with pytest.raises(EdgeError) as caught:
        await result(without_retries.payment.credit())
    assert (caught.value.attempts, len(requests), clock.waits) == (1, 1, [])
    assert client.with_options(retry=RetryPolicy(retries=1))._budget is client._budget


# The rate limit.


@pytest.mark.parametrize("side", ["asyncio", "trio"])
async def test_a_cancelled_call_releases_its_place_at_the_rate_limit(side: str) -> None:
    client = untraced_client(httpx.MockTransport(lambda _: httpx.Response(200, json=CREDIT)), rate_limit=RateLimit(20))
    await client.payment.credit()
    async with anyio.create_task_group() as tasks:
        for _ in range(600):
            tasks.start_soon(client.payment.credit)
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    began = time.monotonic()
    with anyio.fail_after(TIMEOUT):  # 30 s if the places were not released
        await client.payment.credit()
    assert time.monotonic() - began < TIMEOUT, side


# Errors after a success, and closing without proof.


@pytest.mark.parametrize("kind", [ConnectionFailed, AuthenticationError, ValidationFailed])
async def test_an_error_of_a_middleware_after_a_successful_send_does_not_send_again(
    make_client: MakeClient, side: str, kind: type[EdgeError]
) -> None:
    sends: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("login"):
            data = {"method": "login", "token": "token-0001"}
            return httpx.Response(200, json={"data": data, "meta": {"status": True}})
        sends.append(request)
        return httpx.Response(200, json=SENT)

    async def failing(call: Call[Any], proceed: Any) -> Any:
        reply = await proceed(call)
        if call.endpoint.name == "send.webservice":
            raise kind("of another service")
        return reply

    def failing_sync(call: Call[Any], proceed: Any) -> Any:
        reply = proceed(call)
        if call.endpoint.name == "send.webservice":
            raise kind("of another service")
        return reply

    client = make_client(
        answer, credentials=Credentials("user", "secret"), middleware=[failing_sync if side == "sync" else failing]
    )
    with pytest.raises(EdgeError) as caught:
        await result(client.send.webservice("09121234567", "سلام"))
    assert (len(sends), caught.value.outcome) == (1, Outcome.UNKNOWN)


@pytest.mark.parametrize("side", ["asyncio", "trio"])
async def test_a_send_whose_client_was_closed_over_a_transport_without_trace_events_is_unknown(side: str) -> None:
    class Closing(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await client._shared.http.aclose()
            raise RuntimeError(f"closed after {request.method} was accepted")

    client = untraced_client(Closing())
    with pytest.raises(OutcomeUnknown, match="the client was closed") as caught:
        await client.send.webservice("09121234567", "سلام")
    assert caught.value.outcome is Outcome.UNKNOWN, side
