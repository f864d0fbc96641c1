"""Middleware around a whole call: its place in the engine, and that it never makes a send execute twice."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from typing import Any, Final

import anyio
import anyio.lowlevel
import attrs
import httpx
import pytest

from ippanel_edge import (
    AsyncEdgeClient,
    Call,
    ConfigurationError,
    ConnectionFailed,
    Credentials,
    EdgeError,
    Outcome,
    OutcomeUnknown,
    Repeat,
    Reply,
    ServerError,
    ValidationFailed,
)
from ippanel_edge._async import _io as async_io
from ippanel_edge._sync import _io as sync_io
from tests.client.conftest import FakeClock, MakeClient
from tests.client.loopback import Loopback, ReceivedRequest, http_response
from tests.client.sides import middleware, result

pytestmark = pytest.mark.anyio

FRAMING: Final = [("Content-Length", "0"), ("content-length", "abc"), ("Transfer-Encoding", "chunked")]
Steps = Generator[Call[Any], Reply[Any], Reply[Any]]
MOBILE: Final = "09121234567"
SENT: Final = {"data": {"message_outbox_ids": [7]}, "meta": {"status": True}}
CREDIT: Final = {"data": {"credit": 5}, "meta": {"status": True}}
NO: Final = {"data": None, "meta": {"status": False, "message": "no", "message_code": "400-1"}}
LOGIN: Final = {"data": {"method": "login", "token": "token-0001"}, "meta": {"status": True}}


class Service:
    """Answers each path by a function of the number of its requests, and records the paths."""

    def __init__(self, answer: Callable[[int], httpx.Response | Exception]) -> None:
        self.answer = answer
        self.paths: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.rpartition("/")[2]
        self.paths.append(path)
        if path == "login":
            return httpx.Response(200, json=LOGIN)
        answer = self.answer(self.paths.count(path))
        if isinstance(answer, Exception):
            raise answer
        return answer


def sent() -> httpx.Response:
    return httpx.Response(200, json=SENT)


def twice(call: Call[Any]) -> Steps:
    with contextlib.suppress(EdgeError):
        yield call
    return (yield call)


async def test_it_runs_once_around_the_login_and_all_attempts(
    make_client: MakeClient, side: str, clock: FakeClock
) -> None:
    service = Service(lambda number: httpx.Response(500) if number < 3 else httpx.Response(200, json=CREDIT))
    order: list[str] = []

    def recording(name: str) -> Any:
        def body(call: Call[Any]) -> Steps:
            order.append(f"{name} {call.endpoint.name}")
            reply = yield call
            order.append(f"{name} ended")
            return reply

        return middleware(side, body)

    client = make_client(
        service,
        credentials=Credentials("user", "secret"),
        call_middleware=[recording("outer"), recording("inner")],
        middleware=[recording("attempt")],
    )
    assert (await result(client.payment.credit())).credit == 5
    assert order[:2] == ["outer payment.credit", "inner payment.credit"]
    assert order[-2:] == ["inner ended", "outer ended"]
    assert order.count("attempt payment.credit") == 3
    assert order.count("outer auth.login") == 1, "the login is a call of its own"
    assert len(clock.waits) == 2


async def test_its_time_is_not_limited_by_the_deadline_of_the_call(
    make_client: MakeClient, side: str, clock: FakeClock
) -> None:
    remaining: list[float | None] = []
    io = sync_io if side == "sync" else async_io

    def body(call: Call[Any]) -> Steps:
        remaining.append(io.remaining())
        return (yield call)

    client = make_client(
        lambda _: httpx.Response(200, json=CREDIT),
        call_middleware=[middleware(side, body)],
        middleware=[middleware(side, body)],
        deadline=30.0,
    )
    await result(client.payment.credit())
    outside, inside = remaining
    assert (outside, clock.waits) == (None, [])
    assert inside is not None
    assert inside <= 30.0


async def test_it_receives_complete_errors(make_client: MakeClient, side: str) -> None:
    seen: list[EdgeError] = []

    def body(call: Call[Any]) -> Steps:
        try:
            return (yield call)
        except EdgeError as error:
            seen.append(error)
            raise

    client = make_client(lambda _: httpx.Response(400, json=NO), call_middleware=[middleware(side, body)])
    with pytest.raises(ValidationFailed):
        await result(client.send.webservice(MOBILE, "سلام"))
    assert [(error.endpoint, error.attempts) for error in seen] == [("send.webservice", 1)]


@pytest.mark.parametrize("kind", [ConnectionFailed, ValidationFailed, ServerError, ValueError])
async def test_an_exception_after_a_success_sends_nothing_again(
    make_client: MakeClient, side: str, kind: type[Exception], clock: FakeClock
) -> None:
    service = Service(lambda _: sent())

    def body(call: Call[Any]) -> Steps:
        yield call
        raise kind("of the middleware")

    client = make_client(service, call_middleware=[middleware(side, body)])
    with pytest.raises((EdgeError, ValueError)) as caught:
        await result(client.send.webservice(MOBILE, "سلام"))
    assert (service.paths, clock.waits) == (["send"], [])
    if isinstance(caught.value, EdgeError):
        assert caught.value.outcome is Outcome.UNKNOWN
    else:
        assert "message_outbox_ids 7" in caught.value.__notes__[0]


@pytest.mark.parametrize("first", [sent, lambda: httpx.Response(500), lambda: httpx.ReadTimeout("late")])
async def test_a_send_that_was_or_may_have_been_executed_is_not_executed_again(
    make_client: MakeClient, side: str, first: Callable[[], Any]
) -> None:
    service = Service(lambda _: first())
    client = make_client(service, call_middleware=[middleware(side, twice)])
    with pytest.raises(OutcomeUnknown, match="called proceed again") as caught:
        await result(client.send.webservice(MOBILE, "سلام"))
    assert service.paths == ["send"]
    assert (caught.value.endpoint, caught.value.attempts) == ("send.webservice", 1)
    assert caught.value.message_outbox_ids == ((7,) if first is sent else ())


@pytest.mark.parametrize("first", [lambda: httpx.Response(400, json=NO), lambda: httpx.ConnectError("refused")])
async def test_a_send_that_was_not_executed_may_be_executed_again(
    make_client: MakeClient, side: str, first: Callable[[], Any]
) -> None:
    service = Service(lambda number: first() if number == 1 else sent())
    client = make_client(service, call_middleware=[middleware(side, twice)], retry=0)
    assert (await result(client.send.webservice(MOBILE, "سلام"))).id == 7
    assert service.paths == ["send", "send"]


async def test_a_read_may_be_executed_again(make_client: MakeClient, side: str) -> None:
    service = Service(lambda _: httpx.Response(200, json=CREDIT))
    assert (await result(make_client(service, call_middleware=[middleware(side, twice)]).payment.credit())).credit == 5
    assert len(service.paths) == 2


async def test_a_read_that_becomes_a_send_is_not_executed_twice(make_client: MakeClient, side: str) -> None:
    service = Service(lambda _: httpx.Response(200, json=CREDIT))

    def body(call: Call[Any]) -> Steps:
        changed = attrs.evolve(call, endpoint=attrs.evolve(call.endpoint, repeat=Repeat.ONCE))
        yield changed
        return (yield changed)

    with pytest.raises(OutcomeUnknown):
        await result(make_client(service, call_middleware=[middleware(side, body)]).payment.credit())
    assert len(service.paths) == 1


@pytest.mark.parametrize("side", ["asyncio", "trio"])
async def test_a_call_does_not_run_twice_at_the_same_time(make_client: MakeClient, side: str) -> None:
    requests: list[httpx.Request] = []
    refused: list[EdgeError] = []

    async def slow(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        await anyio.lowlevel.checkpoint()
        return httpx.Response(200, json=CREDIT)

    async def hedging(call: Call[Any], proceed: Any) -> Any:
        async def other() -> None:
            try:
                await proceed(call)
            except EdgeError as error:
                refused.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(other)
            tasks.start_soon(other)
        return await proceed(call)

    handler: Any = slow
    assert (await make_client(handler, call_middleware=[hedging]).payment.credit()).credit == 5
    assert [type(error) for error in refused] == [OutcomeUnknown], side
    assert len(requests) == 2


@pytest.mark.parametrize("side", ["asyncio", "trio"])
async def test_a_send_that_the_middleware_interrupted_is_not_executed_again(
    side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ippanel_edge._async.exchange.CANCEL_GRACE", 0.0)
    requests: list[str] = []
    arrived, finished = threading.Event(), threading.Event()

    def handler(request: ReceivedRequest) -> None:
        requests.append(request.target)
        arrived.set()
        finished.wait(5.0)
        request.send(http_response('{"data": {"message_outbox_ids": [7]}, "meta": {"status": true}}'))

    async def impatient(call: Call[Any], proceed: Any) -> Any:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(proceed, call)
            await anyio.to_thread.run_sync(arrived.wait, 5.0)
            tasks.cancel_scope.cancel()
        return await proceed(call)

    with Loopback(handler) as server:
        client = AsyncEdgeClient(
            "key-0001", base_url=f"{server.url}/v1", from_number="+983000111222", call_middleware=[impatient]
        )
        with pytest.raises(OutcomeUnknown, match="called proceed again"):
            await client.send.webservice(MOBILE, "سلام")
        finished.set()
        await client.aclose()
    assert len(requests) == 1, side


async def test_a_copy_has_its_own_call_middleware(make_client: MakeClient, side: str) -> None:
    service = Service(lambda _: httpx.Response(200, json=CREDIT))
    client = make_client(service, call_middleware=[middleware(side, twice)])
    await result(client.with_options(call_middleware=()).payment.credit())
    assert len(service.paths) == 1
    await result(client.with_options(deadline=5.0).payment.credit())
    assert len(service.paths) == 3


# Headers.


@pytest.mark.parametrize("argument", ["middleware", "call_middleware"])
@pytest.mark.parametrize("name", ["authorization", "AUTHORIZATION", "Authorization"])
async def test_one_authorization_header_is_sent_whatever_its_letter_case(
    make_client: MakeClient, side: str, argument: str, name: str
) -> None:
    raw: list[tuple[bytes, bytes]] = []

    def handler(request: httpx.Request) -> httpx.Response:
        raw.extend(request.headers.raw)
        return httpx.Response(200, json=CREDIT)

    def body(call: Call[Any]) -> Steps:
        return (yield attrs.evolve(call, headers={**call.headers, name: "of-the-middleware"}))

    client = make_client(handler, api_key="of-the-client", **{argument: [middleware(side, body)]})
    await result(client.payment.credit())
    values = [value for sent_name, value in raw if sent_name.lower() == b"authorization"]
    assert values == [b"of-the-middleware" if argument == "middleware" else b"of-the-client"]


@pytest.mark.parametrize("header", FRAMING)
async def test_a_middleware_cannot_set_the_framing_of_a_request(
    make_client: MakeClient, side: str, header: tuple[str, str]
) -> None:
    service = Service(lambda _: httpx.Response(200, json=SENT))

    def steps(call: Call[Any]) -> Steps:
        return (yield call.with_header(*header))

    client = make_client(service, middleware=[middleware(side, steps)])
    with pytest.raises(ConfigurationError, match=rf"headers\['{header[0]}'\]: the SDK sets it") as caught:
        await result(client.send.webservice(MOBILE, "hello", from_number="+983000111222"))
    assert caught.value.outcome is Outcome.NOT_SENT
    assert service.paths == []
