"""One async client in several event loops: one after the other, at the same time in threads, of asyncio and of trio."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
import trio

from ippanel_edge import AsyncEdgeClient, ConnectionFailed, Credentials, EdgeError, OutcomeUnknown, RateLimit
from ippanel_edge._async import _io
from tests.client.loopback import TIMEOUT, Loopback, ReceivedRequest, http_response
from tests.contract.sample import ok

KEY = "event-loops-key"
PASSWORD = "event-loops-password"
CALLS = 20

Run = Callable[[Callable[[], Awaitable[Any]]], Any]
LOOPS: dict[str, Run] = {"asyncio": partial(anyio.run, backend="asyncio"), "trio": trio.run}


def answer(request: ReceivedRequest) -> None:
    """Respond to a login with a token, and to everything else with a credit."""
    data = {"method": "login", "token": "token-of-a-test"} if "login" in request.target else {"credit": 5}
    request.send(http_response(json.dumps(ok(data))))


def make_client(server: Loopback, **options: Any) -> AsyncEdgeClient:
    if "credentials" not in options:
        options["api_key"] = KEY
    return AsyncEdgeClient(base_url=f"{server.url}/v1", **options)


async def call(client: AsyncEdgeClient, count: int = CALLS) -> None:
    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(client.payment.credit)


def run_in_threads(*functions: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(len(functions)) as threads:
        return [future.result(TIMEOUT) for future in [threads.submit(function) for function in functions]]


# One after the other. Each unclosed socket would be a ResourceWarning, which is an error here.


@pytest.mark.parametrize("loop", LOOPS)
def test_the_connections_of_an_event_loop_are_closed_when_it_ends(loop: str) -> None:
    with Loopback(answer) as server:
        client = make_client(server)
        for count in range(1, 12):
            LOOPS[loop](partial(call, client, 2))
            assert server.wait_for_open(0)
            assert server.connections <= 2 * count
        gc.collect()


def test_a_client_works_in_asyncio_then_in_trio_then_in_asyncio() -> None:
    with Loopback(answer) as server:
        client = make_client(server, rate_limit=RateLimit(1000), credentials=Credentials("user", PASSWORD))
        for loop in ("asyncio", "trio", "asyncio"):
            LOOPS[loop](partial(call, client))
        LOOPS["trio"](client.aclose)
        assert server.wait_for_open(0)


def test_an_event_loop_that_was_not_shut_down_is_forgotten() -> None:
    with Loopback(answer) as server:
        local: _io.Local[object] = _io.Local(object)
        abandoned = asyncio.new_event_loop()

        async def value() -> object:
            return local.get()

        first = abandoned.run_until_complete(value())
        abandoned.close()
        assert asyncio.run(value()) is not first
        assert not local._owned
        assert server.connections == 0


# At the same time, in threads.


@pytest.mark.parametrize(
    "options", [{}, {"rate_limit": RateLimit(2000)}, {"login": True}], ids=["key", "limit", "login"]
)
@pytest.mark.parametrize("loops", [("asyncio", "asyncio"), ("asyncio", "trio"), ("trio", "trio")], ids="-".join)
def test_a_client_works_in_two_event_loops_at_once(options: dict[str, Any], loops: tuple[str, str]) -> None:
    logins: list[str] = []
    both_wait = threading.Barrier(2)

    def handler(request: ReceivedRequest) -> None:
        if "login" in request.target:
            logins.append(request.target)
        answer(request)

    settings = {"credentials": Credentials("user", PASSWORD)} if "login" in options else options
    with Loopback(handler) as server:
        client = make_client(server, **settings)

        async def many_calls() -> None:
            await anyio.to_thread.run_sync(both_wait.wait, TIMEOUT)
            for _ in range(5):
                await call(client)

        run_in_threads(*(partial(LOOPS[loop], many_calls) for loop in loops))
        assert server.connections <= 2 * CALLS + 2  # each loop reuses its own
        assert len(logins) == (1 if "login" in options else 0)
        assert server.wait_for_open(0)


@pytest.mark.parametrize("loops", [("asyncio", "asyncio"), ("trio", "asyncio"), ("asyncio", "trio")], ids="-".join)
def test_closing_in_one_event_loop_ends_the_calls_of_another(loops: tuple[str, str]) -> None:
    arrived = threading.Event()

    def handler(request: ReceivedRequest) -> None:
        arrived.set()
        request.sock.recv(1)  # until the client closes the connection

    with Loopback(handler) as server:
        client = make_client(server, retry=0, limits=httpx.Limits(max_connections=1))

        async def send_two() -> list[type[EdgeError]]:
            failures: list[type[EdgeError]] = []

            async def send(number: str) -> None:
                with pytest.raises(EdgeError) as raised:
                    await client.send.webservice(number, "text", from_number="+983000505")
                failures.append(type(raised.value))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(send, "09121110000")
                tasks.start_soon(send, "09121110001")
            return failures

        async def close() -> None:
            assert await anyio.to_thread.run_sync(arrived.wait, TIMEOUT)
            await client.aclose()

        ends, _ = run_in_threads(partial(LOOPS[loops[0]], send_two), partial(LOOPS[loops[1]], close))
        assert sorted(ends, key=str) == sorted([ConnectionFailed, OutcomeUnknown], key=str)
        assert server.wait_for_open(0)


# The lock that event loops share.


@pytest.mark.parametrize("loops", [("asyncio", "asyncio"), ("asyncio", "trio"), ("trio", "trio")], ids="-".join)
def test_one_task_at_a_time_holds_a_lock(loops: tuple[str, str]) -> None:
    lock = _io.Lock()
    holders: list[int] = []
    most: list[int] = []

    async def hold(number: int) -> None:
        async with lock:
            holders.append(number)
            await anyio.lowlevel.checkpoint()
            most.append(len(holders))
            holders.remove(number)

    async def many() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(200):
                tasks.start_soon(hold, number)

    run_in_threads(*(partial(LOOPS[loop], many) for loop in loops))
    assert most == [1] * 400


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_lock_passes_over_waiters_that_were_cancelled_or_whose_loop_ended() -> None:
    lock = _io.Lock()
    waiting = threading.Event()

    async def give_up() -> None:
        with anyio.move_on_after(0):
            async with lock:
                pytest.fail("the lock is held")

    async def wait_in_another_loop() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_take, lock)
            await anyio.wait_all_tasks_blocked()
            waiting.set()
            tasks.cancel_scope.cancel()

    async with lock:
        await give_up()
        await anyio.to_thread.run_sync(partial(LOOPS["asyncio"], wait_in_another_loop))
        assert waiting.is_set()
    with anyio.fail_after(TIMEOUT):
        async with lock:
            assert not lock._waiters


async def _take(lock: Any) -> None:
    async with lock:
        pytest.fail("the lock is held")
