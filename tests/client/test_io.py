"""The hand-written primitives, on three sides: deadlines, slots and locks keep the same promises."""

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


def test_both_sides_have_what_the_code_uses() -> None:
    wanted = {
        "DeadlinePassed",
        "Guard",
        "Local",
        "Lock",
        "SlotTimeout",
        "Slots",
        "deadline",
        "finish",
        "make_transport",
        "monotonic",
        "outcome",
        "remaining",
        "shielded",
        "sleep",
    }
    assert wanted <= names(ippanel_edge._async._io)
    assert wanted <= names(ippanel_edge._sync._io)


# Deadlines.


async def test_what_outlives_its_deadline_is_interrupted(io: Any) -> None:
    started = time.monotonic()
    with pytest.raises(io.DeadlinePassed), io.deadline(0.02):
        await result(io.sleep(LONG))
    assert time.monotonic() - started < LONG / 10


async def test_what_is_done_in_time_is_left_alone(io: Any) -> None:
    with io.deadline(LONG):
        await result(io.sleep(0))


async def test_without_a_deadline_there_is_no_end(io: Any) -> None:
    assert io.remaining() is None
    with io.deadline(None):
        assert io.remaining() is None


@pytest.mark.parametrize(("outer", "inner"), [(5.0, LONG), (LONG, 5.0), (5.0, None)])
async def test_of_nested_deadlines_the_earlier_wins(io: Any, outer: float, inner: float | None) -> None:
    with io.deadline(outer):
        with io.deadline(inner):
            assert 4 < io.remaining() <= 5
        assert outer - 1 < io.remaining() <= outer
    assert io.remaining() is None


async def test_an_inner_deadline_ends_the_inner_part_only(io: Any) -> None:
    with io.deadline(LONG):
        with pytest.raises(io.DeadlinePassed), io.deadline(0.01):
            await result(io.sleep(LONG))
        await result(io.sleep(0))


async def test_a_passed_deadline_shows_without_waiting(io: Any) -> None:
    with io.deadline(0.0):
        assert io.remaining() == 0


async def test_a_shield_keeps_the_outer_deadline_off(io: Any) -> None:
    with contextlib.suppress(io.DeadlinePassed), io.deadline(0.0), io.deadline(LONG, shield=True):
        await result(io.sleep(0.001))
        assert io.remaining() > LONG / 2


async def test_a_shield_has_an_end_of_its_own(io: Any) -> None:
    with pytest.raises(io.DeadlinePassed), io.deadline(LONG), io.deadline(0.01, shield=True):
        await result(io.sleep(LONG))


async def test_an_error_inside_passes_through_a_deadline(io: Any) -> None:
    with pytest.raises(LookupError), io.deadline(LONG):
        raise LookupError


async def test_a_passed_deadline_is_not_taken_for_a_sockets_timeout(io: Any) -> None:
    assert not issubclass(io.DeadlinePassed, OSError)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_the_callers_own_cancel_scope_counts_and_stays_its_own() -> None:
    io = ippanel_edge._async._io
    with anyio.move_on_after(0.02) as scope, io.deadline(LONG):
        left = io.remaining()
        assert left is not None
        assert left <= 0.02
        await io.sleep(LONG)
    assert scope.cancelled_caught


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_what_is_shielded_is_done_though_cancelled() -> None:
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
async def test_slots_go_to_the_task_that_waits_longest() -> None:
    slots = ippanel_edge._async._io.Slots(1)
    await slots.acquire()
    served: list[int] = []

    async def wait(number: int) -> None:
        await slots.acquire(LONG)
        served.append(number)
        slots.release()

    async with anyio.create_task_group() as tasks:
        for number in range(5):
            tasks.start_soon(wait, number)
            await anyio.wait_all_tasks_blocked()
        assert slots.has_waiters
        slots.release()
    assert served == [0, 1, 2, 3, 4]
    assert not slots.has_waiters


def test_slots_go_to_the_thread_that_waits_longest() -> None:
    slots = ippanel_edge._sync._io.Slots(1)
    slots.acquire()
    served: list[int] = []

    def wait(number: int) -> None:
        slots.acquire(LONG)
        served.append(number)
        slots.release()

    with ThreadPoolExecutor(5) as threads:
        for number in range(5):
            threads.submit(wait, number)
            while len(slots._waiters) <= number:  # in line before the next one comes
                time.sleep(0)
        assert slots.has_waiters
        slots.release()
    assert served == [0, 1, 2, 3, 4]
    assert not slots.has_waiters


async def test_no_slot_in_time_is_an_error_of_its_own(io: Any) -> None:
    slots = io.Slots(1)
    await result(slots.acquire())
    for within in (0, 0.01):
        with pytest.raises(io.SlotTimeout):
            await result(slots.acquire(within))
    slots.release()
    await result(slots.acquire(0))


@pytest.mark.parametrize("within", [None, LONG])
async def test_waiting_for_a_slot_ends_with_the_deadline(io: Any, within: float | None) -> None:
    slots = io.Slots(1)
    await result(slots.acquire())
    with pytest.raises(io.DeadlinePassed), io.deadline(0.01):
        await result(slots.acquire(within))
    slots.release()
    await result(slots.acquire(0))


async def test_the_earlier_of_slot_timeout_and_deadline_is_told(io: Any) -> None:
    slots = io.Slots(0)
    with pytest.raises(io.SlotTimeout), io.deadline(LONG):
        await result(slots.acquire(0.01))


def test_no_slot_is_lost_among_impatient_threads() -> None:
    slots = ippanel_edge._sync._io.Slots(3)
    inside: list[int] = []
    most = 0

    def go_in(number: int) -> None:
        nonlocal most
        for _ in range(50):
            try:
                slots.acquire(0.0001 * (number % 3))
            except ippanel_edge._sync._io.SlotTimeout:
                continue
            inside.append(number)
            most = max(most, len(inside))
            inside.pop()
            slots.release()

    with ThreadPoolExecutor(12) as threads:
        list(threads.map(go_in, range(12)))
    assert most <= 3
    for _ in range(3):
        slots.acquire(0)
    with pytest.raises(TimeoutError):
        slots.acquire(0)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_a_cancelled_wait_takes_no_slot() -> None:
    slots = ippanel_edge._async._io.Slots(1)
    await slots.acquire()

    async def go_in_and_out() -> None:
        await slots.acquire()
        slots.release()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(go_in_and_out)
        await anyio.wait_all_tasks_blocked()
        slots.release()  # handed over to one who is cancelled as it takes it
        tasks.cancel_scope.cancel()
    await slots.acquire(0.0)


async def test_waiting_for_a_lock_ends_with_the_deadline(side: str, io: Any) -> None:
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

        async def wait_too() -> None:
            try:
                with io.deadline(0.01):
                    async with lock:
                        pass
            except io.DeadlinePassed as error:
                caught.append(error)

        async with lock, anyio.create_task_group() as tasks:
            tasks.start_soon(wait_too)
        assert caught
        async with lock:
            pass


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")  # it warns of threads, which is what is tested
def test_a_child_does_not_inherit_a_locked_lock() -> None:
    lock = ippanel_edge._sync._io.Lock()
    held, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            held.set()
            leave.wait(LONG)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(LONG)
    child = os.fork()
    if child == 0:
        failed = True
        with contextlib.suppress(BaseException), ippanel_edge._sync._io.deadline(2.0), lock:
            failed = False
        os._exit(failed)
    leave.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_value_is_one_for_all_threads_of_a_process() -> None:
    start = threading.Barrier(8)
    local = ippanel_edge._sync._io.Local(object)

    def look(_: int) -> object:
        start.wait(LONG)
        return local.get()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(look, range(8)))) == 1
    assert local.owns(local.get())
    gone = local.get()
    local.drop()
    assert not local.owns(gone)


# The sync side's own: what a caller's function gives, and the sockets under a deadline.


def test_a_function_to_be_awaited_is_refused_where_nothing_awaits() -> None:
    async def code() -> str:
        raise AssertionError

    given: Any = code()
    with pytest.raises(TypeError):
        ippanel_edge._sync._io.outcome(given)
    assert ippanel_edge._sync._io.outcome("123") == "123"


class Unreachable(httpcore.NetworkBackend):
    """Every address takes all the time it is given."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any) -> Any:
        assert port == 443
        self.asked.append(host)
        time.sleep(min(timeout or 0.0, 0.02))
        raise httpcore.ConnectTimeout


def test_all_addresses_of_a_host_share_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    io = ippanel_edge._sync._io
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"192.0.2.{n}", 443)) for n in range(9)]

    def look_up(*_: object, **__: object) -> list[Any]:
        return found

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    slow = Unreachable()
    with pytest.raises(httpcore.ConnectTimeout), io.deadline(LONG):
        io._CappedBackend(slow).connect_tcp("edge.example.test", 443, 0.001)
    assert slow.asked == [f"192.0.2.{n}" for n in range(9)]
    slow.asked.clear()
    with pytest.raises(io.DeadlinePassed), io.deadline(0.02):
        io._CappedBackend(slow).connect_tcp("edge.example.test", 443, LONG)
    assert len(slow.asked) == 1


def test_an_unknown_host_is_a_connection_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    io = ippanel_edge._sync._io

    def unknown(*_: object, **__: object) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(httpcore.ConnectError), io.deadline(LONG):
        io._CappedBackend(Unreachable()).connect_tcp("nowhere.example.test", 443)
