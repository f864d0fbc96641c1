"""Cancelled anywhere: the pool is clean after, a send that began is told of, and the cancellation goes through.

Three ways on the async side: asyncio's own `task.cancel()`, an anyio cancel scope on asyncio, and one on trio. On the
sync side it is Ctrl-C.
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
from tests.faults import answers
from tests.faults.catalogue import BY_NAME
from tests.faults.leaks import Eavesdropper, eavesdropping
from tests.faults.matrix import call, open_client

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator

    from tests.faults.server import Cell, FaultServer

WAYS: Final = ("task", "scope", "trio")
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
NEVER_LEFT: Final = frozenset({"backlog-full", "tls-stall", "proxy-stall"})
ALONE: Final = httpx.Limits(max_connections=1)
"""A pool of one connection: one that is lost on the way is missed by the next call."""
GRACE: Final = 0.1
SOON: Final = 10.0
"""Seconds: far less than a call would wait of itself, and far more than a busy machine takes."""
MOST_STEPS: Final = 400
TOKEN: Final = "a-token-of-the-login"


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[READ, ONCE], ids=["read", "once"])
def repeat(request: pytest.FixtureRequest) -> Repeat:
    kind: Repeat = request.param
    return kind


class Cancellable:
    """A call that can be cancelled in one of the ways."""

    def __init__(self, way: str) -> None:
        self._way = way
        self._task: asyncio.Task[Any] | None = None
        self._scope: anyio.CancelScope | None = None

    async def run(self, work: Coroutine[Any, Any, Any]) -> bool:
        """Run it; whether a cancellation came through."""
        if self._way != "task":
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


def run(way: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    anyio.run(work, backend="trio" if way == "trio" else "asyncio")


@types.coroutine
def stepping(work: Coroutine[Any, Any, Any], step: Callable[[], None]) -> Generator[Any, Any, Any]:
    """Run a coroutine, and call `step` each time that it waits for something, before it does."""
    go: Callable[[], Any] = functools.partial(work.send, None)
    while True:
        try:
            trap = go()
        except StopIteration as end:
            return end.value
        step()
        try:
            given = yield trap
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the coroutine's
            go = functools.partial(work.throw, error)
        else:
            go = functools.partial(work.send, given)


def told(ear: Eavesdropper) -> list[str]:
    """What the package's own logger said of abandoned sends."""
    return [said for said in ear.heard if said.startswith("ippanel_edge: ") and "was cancelled after" in said]


async def until(true: Callable[[], bool]) -> None:
    """Wait for what the server's thread says."""
    ends = time.monotonic() + SOON
    while not true():
        assert time.monotonic() < ends
        await anyio.sleep(0.002)


# Cancelled while the server keeps it waiting.


@pytest.mark.parametrize("name", STALLS)
def test_a_call_that_a_server_keeps_waiting_is_cancelled(
    fault_server: FaultServer, monkeypatch: pytest.MonkeyPatch, way: str, name: str, repeat: Repeat
) -> None:
    monkeypatch.setattr(async_exchange, "CANCEL_GRACE", GRACE)
    fault = BY_NAME[name]
    went_through: list[bool] = []

    async def work() -> None:
        cancellable = Cancellable(way)

        async def cancel_it() -> None:
            if name != "backlog-full":
                await until(lambda: cell.stalls)
            await anyio.sleep(0.05)  # for what happens on this side before it too is kept waiting
            cancellable.cancel()

        client = open_client(way, cell, timeout=60, limits=ALONE)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(cancel_it)
            went_through.append(await cancellable.run(call(client, repeat, large=fault.large_body)))
        await is_free(client)
        await client.aclose()

    with fault_server.arm(fault) as cell, eavesdropping() as ear:
        began = time.monotonic()
        run(way, work)
        taken = time.monotonic() - began
        tally = cell.settle()
    assert went_through == [True]
    assert taken < SOON
    assert tally.open == 0
    sends = [request for request in cell.accepted if repeat is ONCE and request.path.endswith("/send")]
    assert len(sends) == (
        repeat is ONCE and name in {"stall-at-request-end", "mid-headers-stall", "mid-response-stall"}
    )
    left = repeat is ONCE and name not in NEVER_LEFT
    assert len(told(ear)) == left
    if left:
        assert "it may have been executed" in told(ear)[0]


async def is_free(client: Any) -> None:
    """Whether the pool's only connection may be had: the next call fails on the server, not on the pool."""
    probe = client.with_options(
        timeout=httpx.Timeout(0.05, pool=SOON), retry=RetryPolicy(retries=0), rate_limit=None, deadline=SOON
    )
    with pytest.raises((ConnectionFailed, OutcomeUnknown)) as caught:
        await probe.payment.credit()
    assert "PoolTimeout" not in str(caught.value)
    assert "deadline" not in str(caught.value)


# Cancelled at every step of a call that goes well: log-in, turn, pool, connecting, handshake, each write and read.


def login_data(path: str, number: int) -> object:
    return {"method": "login", "token": TOKEN} if path.endswith("/auth/login") else answers.good_data(path, number)


def full_client(way: str, cell: Cell) -> Any:
    return open_client(
        way, cell, limits=ALONE, credentials=Credentials("user", "password"), rate_limit=RateLimit(500, burst=1)
    )


def sends_of(cell: Cell) -> int:
    return sum(request.path == "/v1/api/send" for request in cell.accepted)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_call_is_cancelled_at_every_await(fault_server: FaultServer, way: str, repeat: Repeat, tls: bool) -> None:  # noqa: FBT001 - a parameter of the test
    ended = went_through = False

    async def cancelled_at(at: int, cell: Cell) -> bool:
        cancellable, steps = Cancellable(way), 0

        nonlocal went_through

        def step() -> None:
            nonlocal steps
            steps += 1
            if steps == at:
                cancellable.cancel()

        async def work() -> None:
            await stepping(call(client, repeat), step)

        client = full_client(way, cell)
        went_through = await cancellable.run(work())
        assert went_through or steps < at or sends_of(cell) == (repeat is ONCE)
        with anyio.fail_after(SOON):
            await client.payment.credit()
        await client.aclose()
        return steps < at

    at = 0
    for at in range(1, MOST_STEPS):
        with fault_server.arm(BY_NAME["gzip-good"], tls=tls, data=login_data) as cell:
            with eavesdropping() as ear:

                async def work(at: int = at, cell: Cell = cell) -> None:
                    nonlocal ended
                    ended = await cancelled_at(at, cell)

                run(way, work)
            assert cell.settle().open == 0
            assert sends_of(cell) <= (repeat is ONCE)
            lost = [said for said in told(ear) if "send.webservice" in said]
            assert len(lost) <= 1
            if sends_of(cell) and went_through:
                assert "the service answered HTTP 200" in lost[0]
        if ended:
            break
    assert ended
    assert at > 5


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_call_is_cancelled_at_every_event_of_its_connection(
    fault_server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    repeat: Repeat,
    tls: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    trace = async_exchange.AsyncTrace.__call__
    count = Counter[str]()
    cancellable = Cancellable(way)

    async def counting(self: async_exchange.AsyncTrace, event: str, info: Any) -> None:
        await trace(self, event, info)
        count["events"] += 1
        if count["events"] == count["at"]:
            cancellable.cancel()

    async def work(cell: Cell) -> None:
        nonlocal cancellable
        cancellable, client = Cancellable(way), full_client(way, cell)
        await cancellable.run(call(client, repeat))
        count["made"], count["at"] = count["events"], 0
        with anyio.fail_after(SOON):
            await client.payment.credit()
        await client.aclose()

    monkeypatch.setattr(async_exchange.AsyncTrace, "__call__", counting)
    at = 0
    for at in range(1, MOST_STEPS):
        count.update(at=at - count["at"], events=-count["events"])
        with fault_server.arm(BY_NAME["gzip-good"], tls=tls, data=login_data) as cell:
            with eavesdropping() as ear:
                run(way, functools.partial(work, cell))
            assert cell.settle().open == 0
            assert sends_of(cell) <= (repeat is ONCE)
            assert len([said for said in told(ear) if "send.webservice" in said]) <= 1
        if count["made"] < at:
            break
    assert 10 < count["made"] < at


# Ctrl-C on the sync side.


UNCLOSED: Final = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""Python itself lets go of a socket that Ctrl-C interrupts in connecting or shaking hands: it closes as it is freed."""


class Interrupted:
    """Presses Ctrl-C, for the main thread, when the server has the call where it wants it."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self._thread = threading.Thread(target=self._press)

    def _press(self) -> None:
        ends = time.monotonic() + SOON
        while not self._cell.stalls and self._cell.fault.name != "backlog-full" and time.monotonic() < ends:
            time.sleep(0.002)
        time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal to send to oneself that is a Ctrl-C")
@pytest.mark.usefixtures("ctrl_c")
@UNCLOSED
@pytest.mark.parametrize("name", STALLS)
def test_ctrl_c_ends_a_call_that_a_server_keeps_waiting(fault_server: FaultServer, name: str, repeat: Repeat) -> None:
    fault = BY_NAME[name]
    with fault_server.arm(fault) as cell, eavesdropping() as ear:
        client = open_client("sync", cell, timeout=60, limits=ALONE)
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt), Interrupted(cell):
            call(client, repeat, large=fault.large_body)
        assert time.monotonic() - began < SOON
        probe = client.with_options(timeout=httpx.Timeout(0.05, pool=SOON), retry=RetryPolicy(retries=0))
        with pytest.raises(EdgeError) as caught:
            probe.payment.credit()
        assert "PoolTimeout" not in str(caught.value)
        client.close()
        tally = cell.settle()
    assert tally.open == 0
    left = repeat is ONCE and name not in NEVER_LEFT
    assert len(told(ear)) == left


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_ctrl_c_at_every_event_of_a_connection_loses_nothing(
    fault_server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
    repeat: Repeat,
    tls: bool,  # noqa: FBT001 - a parameter of the test
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
    for at in range(1, MOST_STEPS):
        count.update(at=at - count["at"], events=-count["events"])
        with fault_server.arm(BY_NAME["gzip-good"], tls=tls, data=login_data) as cell, eavesdropping() as ear:
            client = full_client("sync", cell)
            with contextlib.suppress(KeyboardInterrupt):
                call(client, repeat)
            count["made"], count["at"] = count["events"], 0
            client.with_options(deadline=SOON).payment.credit()
            client.close()
            assert cell.settle().open == 0
            assert sends_of(cell) <= (repeat is ONCE)
            assert len([said for said in told(ear) if "send.webservice" in said]) <= 1
        if count["made"] < at:
            break
    assert 10 < count["made"] < at
