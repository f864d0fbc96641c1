"""A call that is cancelled at any point leaks no connection, logs a started send, and raises the cancellation.

The async side is cancelled by `task.cancel()` of asyncio, or by an anyio cancel scope on asyncio and on trio; the sync
side by Ctrl-C.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import threading
import time
import types
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import anyio
import httpx
import pytest

from ippanel_edge import ConnectionFailed, Credentials, EdgeError, OutcomeUnknown, RateLimit, RetryPolicy
from ippanel_edge._async import exchange as async_exchange
from ippanel_edge._sync import exchange as sync_exchange
from ippanel_edge.endpoints import ONCE, READ, Repeat
from tests.client.pools import is_fast
from tests.faults import responses
from tests.faults.catalogue import BY_NAME
from tests.faults.leaks import LogRecorder, recorded_logs
from tests.faults.matrix import call, open_client

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from tests.faults.server import Cell, FaultServer

METHODS: Final = ("task", "scope", "trio")
STALLS: Final = (
    "backlog-full",
    "tls-stall",
    "proxy-stall",
    "stall-at-accept",
    "stall-at-headers",
    "stall-at-request-end",
    "stall-during-upload",
    "mid-headers-stall",
    "mid-response-stall",
)
NEVER_SENT: Final = frozenset({"backlog-full", "tls-stall", "proxy-stall"})
ONE_CONNECTION: Final = httpx.Limits(max_connections=1)
"""A pool of one connection: if it leaks, the next call cannot get one."""
SHORT_GRACE: Final = 0.1
MAX_SECONDS: Final = 10.0
"""Far less than the timeout of a call, and far more than a busy machine needs."""
MAX_STEPS: Final = 400
TOKEN: Final = "a-token-of-the-login"


@pytest.fixture(params=METHODS)
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[READ, ONCE], ids=["read", "once"])
def repeat(request: pytest.FixtureRequest) -> Repeat:
    kind: Repeat = request.param
    return kind


class Cancellable:
    """A call that can be cancelled by one of the methods."""

    def __init__(self, method: str) -> None:
        self._method = method
        self._task: asyncio.Task[Any] | None = None
        self._scope: anyio.CancelScope | None = None

    async def run(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Run the call; return whether the cancellation was raised."""
        if self._method != "task":
            with anyio.CancelScope() as self._scope:
                await work
            return self._scope.cancelled_caught
        self._task = asyncio.create_task(work)
        try:
            await self._task
        except asyncio.CancelledError:
            return True
        return False

    def cancel(self) -> None:
        if self._scope is not None:
            self._scope.cancel()
        if self._task is not None:
            self._task.cancel()


def run(method: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    anyio.run(work, backend="trio" if method == "trio" else "asyncio")


@types.coroutine
def counting_suspensions(work: Coroutine[Any, Any, Any], step: Callable[[], None]) -> Generator[Any, Any, Any]:
    """Run a coroutine, and call `step` before each suspension."""
    resume: Callable[[], Any] = functools.partial(work.send, None)
    while True:
        try:
            awaited = resume()
        except StopIteration as end:
            return end.value
        step()
        try:
            value = yield awaited
        except BaseException as error:  # noqa: BLE001 - every exception is passed to the coroutine
            resume = functools.partial(work.throw, error)
        else:
            resume = functools.partial(work.send, value)


def abandoned_sends(logs: LogRecorder) -> list[str]:
    """Return the records in which the package reports cancelled sends."""
    return [
        record for record in logs.records if record.startswith("ippanel_edge: ") and "was cancelled after" in record
    ]


async def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition that the thread of the server sets."""
    end = time.monotonic() + MAX_SECONDS
    while not condition():
        assert time.monotonic() < end
        await anyio.sleep(0.002)


# Cancelling a stalled call.


@pytest.mark.parametrize("name", STALLS)
def test_a_stalled_call_is_cancelled(
    fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch, method: str, name: str, repeat: Repeat
) -> None:
    monkeypatch.setattr(async_exchange, "CANCEL_GRACE", SHORT_GRACE)
    fault = BY_NAME[name]
    cancelled: list[bool] = []

    async def work() -> None:
        cancellable = Cancellable(method)

        async def cancel_it() -> None:
            if name != "backlog-full":
                await wait_until(lambda: cell.stalls)
            await anyio.sleep(0.05)  # until the client waits, too
            cancellable.cancel()

        client = open_client(method, cell, timeout=60, limits=ONE_CONNECTION)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cancel_it)
            cancelled.append(await cancellable.run(call(client, repeat, large=fault.large_body)))
        await assert_pool_is_free(client)
        await client.aclose()

    with fault_server.arm(fault) as cell, recorded_logs() as logs:
        began = time.monotonic()
        run(method, work)
        taken = time.monotonic() - began
        counts = cell.settle()
    assert cancelled == [True]
    assert taken < MAX_SECONDS
    assert counts.open == 0
    sends = [request for request in cell.accepted if repeat is ONCE and request.path.endswith("/send")]
    assert len(sends) == (
        repeat is ONCE and name in {"stall-at-request-end", "mid-headers-stall", "mid-response-stall"}
    )
    reported = repeat is ONCE and name not in NEVER_SENT
    assert len(abandoned_sends(logs)) == reported
    if reported:
        assert "it may have been executed" in abandoned_sends(logs)[0]


async def assert_pool_is_free(client: Any) -> None:
    """Assert that the only connection of the pool is available: the next call fails at the server, not at the pool."""
    probe = client.with_options(
        timeout=httpx.Timeout(0.05, pool=MAX_SECONDS),
        retry=RetryPolicy(retries=0),
        rate_limit=None,
        deadline=MAX_SECONDS,
    )
    with pytest.raises((ConnectionFailed, OutcomeUnknown)) as caught:
        await probe.payment.credit()
    assert "PoolTimeout" not in str(caught.value)
    assert "deadline" not in str(caught.value)


# Cancelling a successful call at every step: login, rate limit, pool, connect, handshake, each write and read.


def login_data(path: str, number: int) -> object:
    return {"method": "login", "token": TOKEN} if path.endswith("/auth/login") else responses.good_data(path, number)


def client_with_login(method: str, cell: Cell) -> Any:
    return open_client(
        method,
        cell,
        limits=ONE_CONNECTION,
        credentials=Credentials("user", "password"),
        rate_limit=RateLimit(500, burst=1),
    )


def sends_of(cell: Cell) -> int:
    return sum(request.path == "/v1/api/send" for request in cell.accepted)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_call_can_be_cancelled_at_every_await(
    fault_server: FaultServer,
    method: str,
    repeat: Repeat,
    tls: bool,  # noqa: FBT001 - a test parameter
) -> None:
    completed = cancelled = False

    async def cancelled_at(at: int, cell: Cell) -> bool:
        cancellable, steps = Cancellable(method), 0

        nonlocal cancelled

        def step() -> None:
            nonlocal steps
            steps += 1
            if steps == at:
                cancellable.cancel()

        async def work() -> None:
            await counting_suspensions(call(client, repeat), step)

        client = client_with_login(method, cell)
        cancelled = await cancellable.run(work())
        assert cancelled or steps < at or sends_of(cell) == (repeat is ONCE)
        with anyio.fail_after(MAX_SECONDS):
            await client.payment.credit()
        await client.aclose()
        return steps < at

    at = 0
    for at in range(1, MAX_STEPS):
        with fault_server.arm(BY_NAME["gzip-good"], tls=tls, data=login_data) as cell:
            with recorded_logs() as logs:

                async def work(at: int = at, cell: Cell = cell) -> None:
                    nonlocal completed
                    completed = await cancelled_at(at, cell)

                run(method, work)
            assert cell.settle().open == 0
            assert sends_of(cell) <= (repeat is ONCE)
            reports = [record for record in abandoned_sends(logs) if "send.webservice" in record]
            assert len(reports) <= 1
            if sends_of(cell) and cancelled:
                assert "the service answered HTTP 200" in reports[0]
        if completed:
            break
    assert completed
    assert at >= (3 if repeat is ONCE else 5)  # the task of a send is awaited once


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_call_can_be_cancelled_at_every_connection_event(
    fault_server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    repeat: Repeat,
    tls: bool,  # noqa: FBT001 - a test parameter
) -> None:
    trace = async_exchange.AsyncTrace.__call__
    count = Counter[str]()
    cancellable = Cancellable(method)

    async def counting(self: async_exchange.AsyncTrace, event: str, info: Any) -> None:
        await trace(self, event, info)
        count["events"] += 1
        if count["events"] == count["at"]:
            cancellable.cancel()

    async def work(cell: Cell) -> None:
        nonlocal cancellable
        cancellable, client = Cancellable(method), client_with_login(method, cell)
        await cancellable.run(call(client, repeat))
        count["made"], count["at"] = count["events"], 0
        with anyio.fail_after(MAX_SECONDS):
            await client.payment.credit()
        await client.aclose()

    monkeypatch.setattr(async_exchange.AsyncTrace, "__call__", counting)
    at = 0
    for at in range(1, MAX_STEPS):
        count.update(at=at - count["at"], events=-count["events"])
        with fault_server.arm(BY_NAME["gzip-good"], tls=tls, data=login_data) as cell:
            with recorded_logs() as logs:
                run(method, functools.partial(work, cell))
            assert cell.settle().open == 0
            assert sends_of(cell) <= (repeat is ONCE)
            assert len([record for record in abandoned_sends(logs) if "send.webservice" in record]) <= 1
        if count["made"] < at:
            break
    assert (3 if is_fast() else 10) < count["made"] < at  # the fast transport has fewer events


# Ctrl-C on the sync side.


IGNORE_UNCLOSED_SOCKETS: Final = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""Python does not close a socket if Ctrl-C interrupts connecting or the handshake; it is closed when it is freed."""


class CtrlC:
    """Sends SIGINT to the main thread when the call is stalled."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._thread = threading.Thread(target=self._send_sigint)

    def _send_sigint(self) -> None:
        end = time.monotonic() + MAX_SECONDS
        while not self._cell.stalls and self._cell.fault.name != "backlog-full" and time.monotonic() < end:
            time.sleep(0.002)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()


@pytest.mark.skipif(os.name == "nt", reason="on Windows, a process cannot send a Ctrl-C event to itself only")
@pytest.mark.usefixtures("ctrl_c")
@IGNORE_UNCLOSED_SOCKETS
@pytest.mark.parametrize("name", STALLS)
def test_ctrl_c_interrupts_a_stalled_call(fault_server: FaultServer, name: str, repeat: Repeat) -> None:
    fault = BY_NAME[name]
    with fault_server.arm(fault) as cell, recorded_logs() as logs:
        client = open_client("sync", cell, timeout=60, limits=ONE_CONNECTION)
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt), CtrlC(cell):
            call(client, repeat, large=fault.large_body)
        assert time.monotonic() - began < MAX_SECONDS
        probe = client.with_options(timeout=httpx.Timeout(0.05, pool=MAX_SECONDS), retry=RetryPolicy(retries=0))
        with pytest.raises(EdgeError) as caught:
            probe.payment.credit()
        assert "PoolTimeout" not in str(caught.value)
        client.close()
        counts = cell.settle()
    assert counts.open == 0
    reported = repeat is ONCE and name not in NEVER_SENT
    assert len(abandoned_sends(logs)) == reported


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_ctrl_c_at_any_connection_event_leaks_no_connection(
    fault_server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
    repeat: Repeat,
    tls: bool,  # noqa: FBT001 - a test parameter
) -> None:
    trace = sync_exchange.Trace.__call__
    count = Counter[str]()

    def counting(self: sync_exchange.Trace, event: str, info: Any) -> None:
        trace(self, event, info)
        count["events"] += 1
        if count["events"] == count["at"]:
            raise KeyboardInterrupt

    monkeypatch.setattr(sync_exchange.Trace, "__call__", counting)
    at = 0
    for at in range(1, MAX_STEPS):
        count.update(at=at - count["at"], events=-count["events"])
        with fault_server.arm(BY_NAME["gzip-good"], tls=tls, data=login_data) as cell, recorded_logs() as logs:
            client = client_with_login("sync", cell)
            with contextlib.suppress(KeyboardInterrupt):
                call(client, repeat)
            count["made"], count["at"] = count["events"], 0
            client.with_options(deadline=MAX_SECONDS).payment.credit()
            client.close()
            assert cell.settle().open == 0
            assert sends_of(cell) <= (repeat is ONCE)
            assert len([record for record in abandoned_sends(logs) if "send.webservice" in record]) <= 1
        if count["made"] < at:
            break
    assert (3 if is_fast() else 10) < count["made"] < at  # the fast transport has fewer events
