"""One deadline over everything: whatever a call waits for, it ends within a tenth or 100 ms of its deadline."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import anyio
import httpx
import pytest

from ippanel_edge import (
    ConnectionFailed,
    Credentials,
    DecodeError,
    EdgeError,
    Outcome,
    OutcomeUnknown,
    RateLimit,
    RetryPolicy,
)
from ippanel_edge.endpoints import ONCE, READ, Repeat
from tests.client.sides import result
from tests.faults.catalogue import BY_NAME
from tests.faults.fault import Where
from tests.faults.matrix import SIDES, aside, call, drive, open_client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.faults.fault import Fault
    from tests.faults.server import Cell, FaultServer, Tally

DEADLINE: Final = 0.3
SEVERAL: Final = 1.0
"""A deadline so long that several attempts fit into it on any machine."""
FLOODED: Final = 2.5
"""A deadline so long that a tenth of it is more than the parser takes for one reading of a flood."""
FAR: Final = 5.0
"""A deadline for calls that end at once because of it: no machine is so slow."""
TRIES: Final = 10
"""A busy machine may be late now and then; an SDK that forgets its deadline is so each time."""


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(side: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run a test's work on a side."""
    if side == "sync":
        drive(work())  # type: ignore[arg-type]  # a coroutine function's awaitable is a coroutine
    else:
        anyio.run(work, backend=side)


async def timed(waiting: Any) -> tuple[EdgeError, float]:
    """What a call raised, and after how many seconds."""
    began = time.monotonic()
    with pytest.raises(EdgeError) as caught:
        await result(waiting())
    return caught.value, time.monotonic() - began


def tolerance(deadline: float) -> float:
    """How many seconds a call may be off its deadline."""
    return max(0.1 * deadline, 0.1)


def keeps_its_deadline(
    side: str,
    attempt: Callable[[], Awaitable[tuple[EdgeError, float]]],
    deadline: float = DEADLINE,
    *,
    computing: bool = False,
) -> EdgeError:
    """Check that a call ends when its deadline does. Return what it raised.

    Args:
        side: asyncio, trio or sync.
        attempt: makes the call; returns what it raised, and after how many seconds.
        deadline: the call's deadline in seconds.
        computing: whether the call computes all the time. It may then be as much later as the machine is busy.
    """
    taken: list[float] = []
    for _ in range(TRIES):
        errors: list[EdgeError] = []
        began, computed = time.monotonic(), time.process_time()

        async def work(errors: list[EdgeError] = errors) -> None:
            error, seconds = await attempt()
            errors.append(error)
            taken.append(seconds)

        run(side, work)
        share = (time.process_time() - computed) / (time.monotonic() - began)
        slowness = 1 / min(share, 1) if computing else 1
        if abs(taken[-1] - deadline) <= tolerance(deadline) * slowness:
            return errors[0]
    pytest.fail(f"a deadline of {deadline} s ended the call after {taken} s")


async def close(side: str, client: Any) -> None:
    await result(client.close() if side == "sync" else client.aclose())


async def settled(side: str, cell: Cell) -> Tally:
    """Give what the server counted, leaving the loop free: asyncio closes a socket a turn of its loop later."""
    return await aside(side, cell.settle)


WAITS: Final = {
    "backlog-full": Outcome.NOT_SENT,
    "tls-stall": Outcome.NOT_SENT,
    "proxy-stall": Outcome.NOT_SENT,
    "stall-at-accept": Outcome.UNKNOWN,
    "stall-at-request-end": Outcome.UNKNOWN,
    "stall-during-upload": Outcome.UNKNOWN,
    "mid-response-stall": Outcome.UNKNOWN,
    "slow-headers": Outcome.UNKNOWN,
    "slow-body": Outcome.UNKNOWN,
}
"""What keeps a request waiting while no time-out runs out, and what is known of it when the deadline passes."""


@pytest.mark.parametrize("repeat", [READ, ONCE], ids=["read", "once"])
@pytest.mark.parametrize("name", WAITS)
def test_a_server_that_keeps_a_call_waiting_does_not_move_its_deadline(
    fault_server: FaultServer, side: str, name: str, repeat: Repeat
) -> None:
    fault = BY_NAME[name]

    async def attempt() -> tuple[EdgeError, float]:
        with fault_server.arm(fault) as cell:
            client = open_client(side, cell, timeout=60, deadline=DEADLINE)
            ended = await timed(lambda: call(client, repeat, large=fault.large_body))
            await close(side, client)
            tally = await settled(side, cell)
            assert tally.open == 0
            assert tally.accepted <= (ended[0].outcome is Outcome.UNKNOWN)
            return ended

    error = keeps_its_deadline(side, attempt)
    assert (error.outcome, error.timed_out, error.attempts) == (WAITS[name], True, 1)
    assert f"the deadline of {DEADLINE} s expired" in str(error)


@pytest.mark.parametrize("name", ["flood-of-1xx", "flood-of-body"])
def test_a_flood_does_not_move_the_deadline_of_a_send(fault_server: FaultServer, side: str, name: str) -> None:
    async def attempt() -> tuple[EdgeError, float]:
        with fault_server.arm(BY_NAME[name]) as cell:
            client = open_client(side, cell, timeout=60, deadline=FLOODED)
            ended = await timed(lambda: call(client, ONCE))
            await close(side, client)
            assert ((await settled(side, cell)).accepted, ended[0].outcome) == (1, Outcome.UNKNOWN)
            too_large = isinstance(ended[0], DecodeError) and ended[1] < FLOODED
            return ended[0], FLOODED if too_large else ended[1]

    keeps_its_deadline(side, attempt, FLOODED, computing=True)


def test_a_wait_for_the_pool_ends_with_the_deadline(fault_server: FaultServer, side: str) -> None:
    def hold(holder: Any) -> None:
        with pytest.raises(EdgeError):
            holder.payment.credit()

    async def attempt() -> tuple[EdgeError, float]:
        ended: list[tuple[EdgeError, float]] = []
        with fault_server.arm(BY_NAME["stall-at-request-end"]) as cell:
            pool = httpx.Limits(max_connections=1)
            holder = open_client(side, cell, timeout=6 * DEADLINE, limits=pool, retry=RetryPolicy(retries=0))
            client = holder.with_options(timeout=60, deadline=DEADLINE)
            if side == "sync":
                with ThreadPoolExecutor(1) as threads:
                    threads.submit(hold, holder)
                    await holds(cell, time.sleep)
                    ended.append(await timed(lambda: call(client, ONCE)))
            else:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(holder.payment.credit)
                    await holds(cell, anyio.sleep)
                    ended.append(await timed(lambda: call(client, ONCE)))
                    tasks.cancel_scope.cancel()
            await close(side, holder)
            assert (await settled(side, cell)).accepted == 1
        return ended[0]

    error = keeps_its_deadline(side, attempt)
    assert (type(error), error.outcome, error.timed_out) == (ConnectionFailed, Outcome.NOT_SENT, True)


async def holds(cell: Cell, sleep: Callable[[float], Any]) -> None:
    """Wait until the server has read a request, which it answers never."""
    while not cell.seen:
        await result(sleep(0.001))


def test_a_slow_login_counts_and_what_needed_it_was_not_sent(fault_server: FaultServer, side: str) -> None:
    async def attempt() -> tuple[EdgeError, float]:
        with fault_server.arm(BY_NAME["slow-body"]) as cell:
            client = open_client(side, cell, timeout=60, deadline=DEADLINE, credentials=Credentials("user", "password"))
            ended = await timed(lambda: call(client, ONCE))
            await close(side, client)
            await settled(side, cell)
            assert [request.path for request in cell.accepted] == ["/v1/api/acl/auth/login"]
            return ended

    error = keeps_its_deadline(side, attempt)
    assert (type(error), error.outcome, error.timed_out) == (ConnectionFailed, Outcome.NOT_SENT, True)


@pytest.mark.parametrize("name", ["status-500-page", "status-503-retry-after-seconds"])
def test_a_pause_that_the_deadline_would_cut_is_not_begun(fault_server: FaultServer, side: str, name: str) -> None:
    async def work() -> None:
        with fault_server.arm(BY_NAME[name]) as cell:
            client = open_client(side, cell, deadline=FAR, retry=RetryPolicy(backoff=1e6, max_backoff=1e6))
            error, seconds = await timed(client.payment.credit)
            await close(side, client)
            assert (await settled(side, cell)).accepted == error.attempts == 1
            assert seconds < FAR

    run(side, work)


def test_short_pauses_and_many_attempts_keep_to_it_together(fault_server: FaultServer, side: str) -> None:
    async def attempt() -> tuple[EdgeError, float]:
        with fault_server.arm(BY_NAME["status-500-page"]) as cell:
            policy = RetryPolicy(retries=10_000, backoff=0.02, max_backoff=0.02, budget=10**6)
            client = open_client(side, cell, deadline=SEVERAL, retry=policy)
            error, seconds = await timed(client.payment.credit)
            await close(side, client)
            accepted = (await settled(side, cell)).accepted
            assert accepted > 3
            assert error.attempts - accepted in {0, 1}, "the deadline may have caught the last one on its way"
            return error, seconds

    keeps_its_deadline(side, attempt, SEVERAL)


def test_a_turn_after_the_deadline_is_not_waited_for(fault_server: FaultServer, side: str) -> None:
    async def work() -> None:
        with fault_server.arm(BY_NAME["gzip-good"]) as cell:
            client = open_client(side, cell, deadline=FAR, rate_limit=RateLimit(0.01), retry=RetryPolicy())
            await result(client.payment.credit())
            error, seconds = await timed(lambda: call(client, ONCE))
            await close(side, client)
            assert (error.outcome, error.timed_out, (await settled(side, cell)).accepted) == (Outcome.NOT_SENT, True, 1)
            assert seconds < FAR

    run(side, work)


def test_a_send_is_not_begun_when_too_little_time_is_left(fault_server: FaultServer, side: str) -> None:
    async def work() -> None:
        with fault_server.arm(BY_NAME["gzip-good"]) as cell:
            client = open_client(side, cell, deadline=0.05)
            error, _ = await timed(lambda: call(client, ONCE))
            await close(side, client)
            assert (error.outcome, (await settled(side, cell)).seen) == (Outcome.NOT_SENT, 0)
            assert "deadline exceeded before sending" in str(error)

    run(side, work)


@pytest.mark.parametrize("name", ["close-at-request-end", "html-200", "status-500", "status-502-page"])
def test_a_login_that_fails_leaves_the_send_unsent(fault_server: FaultServer, side: str, name: str) -> None:
    fault: Fault = BY_NAME[name]
    assert fault.where is Where.WHOLE

    async def work() -> None:
        with fault_server.arm(fault) as cell:
            client = open_client(side, cell, credentials=Credentials("user", "password"))
            error, _ = await timed(lambda: call(client, ONCE))
            await close(side, client)
            await settled(side, cell)
            assert [request.path for request in cell.accepted] == ["/v1/api/acl/auth/login"]
            assert error.outcome is Outcome.NOT_SENT
            assert not isinstance(error, OutcomeUnknown)

    run(side, work)
