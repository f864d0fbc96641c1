"""The I/O primitives of the async and sync code behave alike: deadlines, slots and locks."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType
from typing import Any

import anyio
import httpcore
import pytest

import ippanel_edge._async._io
import ippanel_edge._sync._io
from tests.client.sides import result

pytestmark = pytest.mark.anyio

LONG = 30.0


@pytest.fixture
def io(side: str) -> Any:
    return ippanel_edge._sync._io if side == "sync" else ippanel_edge._async._io


def names(module: ModuleType) -> set[str]:
    own = {name for name, value in vars(module).items() if getattr(value, "__module__", module.__name__)}
    return {name for name in own if not name.startswith("_") and not isinstance(getattr(module, name), ModuleType)}


def test_both_modules_define_the_names_that_the_code_uses() -> None:
    expected = {
        "DeadlinePassed",
        "Guard",
        "Local",
        "Lock",
        "SlotTimeout",
        "Slots",
        "deadline",
        "make_transport",
        "monotonic",
        "outcome",
        "pause",
        "remaining",
        "shielded",
        "sleep",
    }
    assert expected <= names(ippanel_edge._async._io)
    assert expected <= names(ippanel_edge._sync._io)


# Pauses.


class Sleeper:
    """A clock that sleep() advances."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, io: Any, side: str) -> None:
        self.now = 50.0
        self.slept: list[float] = []
        monkeypatch.setattr(io, "monotonic", lambda: self.now)
        monkeypatch.setattr(io, "sleep", self.sleep if side == "sync" else self.async_sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def async_sleep(self, seconds: float) -> None:
        self.sleep(seconds)


async def test_a_pause_takes_its_time(io: Any, side: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = Sleeper(monkeypatch, io, side)
    await result(io.pause(5.25, stopped=lambda: False))
    assert sleeper.now == 55.25
    await result(io.pause(0, stopped=lambda: False))
    assert sleeper.now == 55.25


async def test_a_pause_ends_soon_after_it_is_stopped(io: Any, side: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sleeper = Sleeper(monkeypatch, io, side)
    await result(io.pause(3600, stopped=lambda: sleeper.now > 51))
    assert sleeper.now == 51.5
    await result(io.pause(3600, stopped=lambda: True))
    assert sleeper.now == 51.5


# Deadlines.


async def test_work_beyond_its_deadline_is_interrupted(io: Any) -> None:
    started = time.monotonic()
    with pytest.raises(io.DeadlinePassed), io.deadline(0.02):
        await result(io.sleep(LONG))
    assert time.monotonic() - started < LONG / 10


async def test_work_within_its_deadline_is_not_interrupted(io: Any) -> None:
    with io.deadline(LONG):
        await result(io.sleep(0))


async def test_without_a_deadline_the_remaining_time_is_none(io: Any) -> None:
    assert io.remaining() is None
    with io.deadline(None):
        assert io.remaining() is None


@pytest.mark.parametrize(("outer", "inner"), [(5.0, LONG), (LONG, 5.0), (5.0, None)])
async def test_the_earlier_of_nested_deadlines_applies(io: Any, outer: float, inner: float | None) -> None:
    with io.deadline(outer):
        with io.deadline(inner):
            assert 4 < io.remaining() <= 5
        assert outer - 1 < io.remaining() <= outer
    assert io.remaining() is None


async def test_an_inner_deadline_interrupts_only_the_inner_block(io: Any) -> None:
    with io.deadline(LONG):
        with pytest.raises(io.DeadlinePassed), io.deadline(0.01):
            await result(io.sleep(LONG))
        await result(io.sleep(0))


async def test_the_remaining_time_of_a_passed_deadline_is_0(io: Any) -> None:
    with io.deadline(0.0):
        assert io.remaining() == 0


async def test_a_shield_ignores_the_outer_deadline(io: Any) -> None:
    with contextlib.suppress(io.DeadlinePassed), io.deadline(0.0), io.deadline(LONG, shield=True):
        await result(io.sleep(0.001))
        assert io.remaining() > LONG / 2


async def test_a_shield_has_its_own_deadline(io: Any) -> None:
    with pytest.raises(io.DeadlinePassed), io.deadline(LONG), io.deadline(0.01, shield=True):
        await result(io.sleep(LONG))


async def test_a_deadline_propagates_other_errors(io: Any) -> None:
    with pytest.raises(LookupError), io.deadline(LONG):
        raise LookupError


async def test_a_passed_deadline_is_not_an_oserror(io: Any) -> None:
    assert not issubclass(io.DeadlinePassed, OSError)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_cancel_scope_of_the_caller_limits_the_remaining_time_and_catches_its_own_cancellation() -> None:
    io = ippanel_edge._async._io
    with anyio.move_on_after(0.02) as scope, io.deadline(LONG):
        left = io.remaining()
        assert left is not None
        assert left <= 0.02
        await io.sleep(LONG)
    assert scope.cancelled_caught


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_shielded_work_completes_despite_a_cancellation() -> None:
    io = ippanel_edge._async._io
    done = False
    with anyio.CancelScope() as scope:
        scope.cancel()
        with io.shielded():
            await io.sleep(0)
            done = True
    assert done


# Slots and locks.


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_released_slot_goes_to_the_task_that_has_waited_longest() -> None:
    slots = ippanel_edge._async._io.Slots(1)
    await slots.acquire()
    order: list[int] = []

    async def wait(number: int) -> None:
        await slots.acquire(LONG)
        order.append(number)
        slots.release()

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(wait, number)
            await anyio.wait_all_tasks_blocked()
        assert slots.has_waiters
        slots.release()
    assert order == [0, 1, 2, 3, 4]
    assert not slots.has_waiters


def test_a_released_slot_goes_to_the_thread_that_has_waited_longest() -> None:
    slots = ippanel_edge._sync._io.Slots(1)
    slots.acquire()
    order: list[int] = []

    def wait(number: int) -> None:
        slots.acquire(LONG)
        order.append(number)
        slots.release()

    with ThreadPoolExecutor(5) as threads:
        for number in range(5):
            threads.submit(wait, number)
            while len(slots._waiters) <= number:  # queued before the next thread starts
                time.sleep(0)
        assert slots.has_waiters
        slots.release()
    assert order == [0, 1, 2, 3, 4]
    assert not slots.has_waiters


async def test_waiting_too_long_for_a_slot_raises_slot_timeout(io: Any) -> None:
    slots = io.Slots(1)
    await result(slots.acquire())
    for timeout in (0, 0.01):
        with pytest.raises(io.SlotTimeout):
            await result(slots.acquire(timeout))
    slots.release()
    await result(slots.acquire(0))


@pytest.mark.parametrize("slot_timeout", [None, LONG])
async def test_waiting_for_a_slot_ends_at_the_deadline(io: Any, slot_timeout: float | None) -> None:
    slots = io.Slots(1)
    await result(slots.acquire())
    with pytest.raises(io.DeadlinePassed), io.deadline(0.01):
        await result(slots.acquire(slot_timeout))
    slots.release()
    await result(slots.acquire(0))


async def test_slot_timeout_is_raised_if_it_is_earlier_than_the_deadline(io: Any) -> None:
    slots = io.Slots(0)
    with pytest.raises(io.SlotTimeout), io.deadline(LONG):
        await result(slots.acquire(0.01))


def test_no_slot_is_lost_if_threads_time_out() -> None:
    slots = ippanel_edge._sync._io.Slots(3)
    holders: list[int] = []
    maximum = 0

    def use_slot(number: int) -> None:
        nonlocal maximum
        for _ in range(50):
            try:
                slots.acquire(0.0001 * (number % 3))
            except ippanel_edge._sync._io.SlotTimeout:
                continue
            holders.append(number)
            maximum = max(maximum, len(holders))
            holders.pop()
            slots.release()

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(use_slot, range(12)))
    assert maximum <= 3
    for _ in range(3):
        slots.acquire(0)
    with pytest.raises(TimeoutError):
        slots.acquire(0)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_cancelled_wait_does_not_lose_a_slot() -> None:
    slots = ippanel_edge._async._io.Slots(1)
    await slots.acquire()

    async def acquire_and_release() -> None:
        await slots.acquire()
        slots.release()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(acquire_and_release)
        await anyio.wait_all_tasks_blocked()
        slots.release()  # granted to a task that is cancelled at the same moment
        tasks.cancel_scope.cancel()
    await slots.acquire(0.0)


async def test_waiting_for_a_lock_ends_at_the_deadline(side: str, io: Any) -> None:
    lock = io.Lock()
    if side == "sync":
        with lock, ThreadPoolExecutor(1) as threads:

            def wait() -> None:
                with io.deadline(0.01), lock:
                    pass

            assert isinstance(threads.submit(wait).exception(), io.DeadlinePassed)
        with lock:
            pass
    else:
        caught: list[Exception] = []

        async def wait_async() -> None:
            try:
                with io.deadline(0.01):
                    async with lock:
                        pass
            except io.DeadlinePassed as error:
                caught.append(error)

        async with lock, anyio.create_task_group() as tasks:
            tasks.start_soon(wait_async)
        assert caught
        async with lock:
            pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="os.fork is not available")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # the warning is about threads, which this tests
def test_a_forked_child_does_not_inherit_a_locked_lock() -> None:
    lock = ippanel_edge._sync._io.Lock()
    acquired, release = threading.Event(), threading.Event()

    def hold_lock() -> None:
        with lock:
            acquired.set()
            release.wait(LONG)

    thread = threading.Thread(target=hold_lock)
    thread.start()
    assert acquired.wait(LONG)
    child = os.fork()
    if child == 0:
        failed = True
        with contextlib.suppress(BaseException), ippanel_edge._sync._io.deadline(2.0), lock:
            failed = False
        os._exit(failed)
    release.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_local_value_is_shared_by_all_threads_of_a_process() -> None:
    start = threading.Barrier(8)
    closed: list[object] = []
    local = ippanel_edge._sync._io.Local(object, closed.append)

    def get_value(_: int) -> object:
        start.wait(LONG)
        return local.get()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(get_value, range(8)))) == 1
    assert local.owns(local.get())
    value = local.get()
    local.close()
    local.close()
    assert closed == [value]
    assert not local.owns(value)


# Sync code only: results of a caller's function, and connecting under a deadline.


def test_a_coroutine_is_rejected_by_sync_code() -> None:
    async def code() -> str:
        raise AssertionError

    coroutine: Any = code()
    with pytest.raises(TypeError):
        ippanel_edge._sync._io.outcome(coroutine)
    assert ippanel_edge._sync._io.outcome("123") == "123"


class Unreachable(httpcore.NetworkBackend):
    """A network backend whose connections time out."""

    def __init__(self) -> None:
        self.hosts: list[str] = []

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any) -> Any:
        assert port == 443
        self.hosts.append(host)
        time.sleep(min(timeout or 0.0, 0.02))
        raise httpcore.ConnectTimeout


def test_all_addresses_of_a_host_share_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    io = ippanel_edge._sync._io
    addresses = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{n}", 443)) for n in range(9)]

    def look_up(*_: object, **__: object) -> list[Any]:
        return addresses

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    backend = Unreachable()
    with pytest.raises(httpcore.ConnectTimeout), io.deadline(LONG):
        io._CappedBackend(backend).connect_tcp("edge.example.test", 443, 0.001)
    assert backend.hosts == [f"192.0.2.{n}" for n in range(9)]
    backend.hosts.clear()
    with pytest.raises(io.DeadlinePassed), io.deadline(0.02):
        io._CappedBackend(backend).connect_tcp("edge.example.test", 443, LONG)
    assert len(backend.hosts) == 1


def test_an_unknown_host_raises_connect_error(monkeypatch: pytest.MonkeyPatch) -> None:
    io = ippanel_edge._sync._io

    def unknown(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(httpcore.ConnectError), io.deadline(LONG):
        io._CappedBackend(Unreachable()).connect_tcp("nowhere.example.test", 443)
