"""Deadlines: a call ends within 10 % or 100 ms of its deadline, whichever operation it waits for."""

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
from tests.faults.matrix import SIDES, call, in_thread, open_client, run_sync

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from tests.faults.fault import Fault
    from tests.faults.server import Cell, Counts, FaultServer

DEADLINE: Final = 0.3
DEADLINE_FOR_RETRIES: Final = 1.0
"""Seconds: long enough for several attempts on any machine."""
DEADLINE_IN_A_FLOOD: Final = 2.5
"""Seconds: long enough that 10 % of it exceed the time for parsing one read of a flood."""
DISTANT_DEADLINE: Final = 5.0
"""Seconds: longer than any machine needs for a call that fails immediately."""
MAX_TRIES: Final = 10
"""The maximum number of tries, because a busy machine may delay some of them; one that ends in time suffices."""


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def run(side: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine function on a side."""
    if side == "sync":
        run_sync(work())  # type: ignore[arg-type]  # the awaitable is a coroutine
    else:
        anyio.run(work, backend=side)


async def timed(call_method: Any) -> tuple[EdgeError, float]:
    """Return the error that a call raises, and its duration in seconds."""
    began = time.monotonic()
    with pytest.raises(EdgeError) as caught:
        await result(call_method())
    return caught.value, time.monotonic() - began


def tolerance(deadline: float) -> float:
    """Return the allowed difference from a deadline in seconds."""
    return max(0.1 * deadline, 0.1)


def assert_ends_at_the_deadline(
    side: str,
    attempt: Callable[[], Awaitable[tuple[EdgeError, float]]],
    deadline: float = DEADLINE,
    *,
    cpu_bound: bool = False,
) -> EdgeError:
    """Assert that a call ends at its deadline, and return the error that it raises.

    Args:
        side: asyncio, trio or sync.
        attempt: makes the call; returns the error that it raises, and its duration in seconds.
        deadline: the call's deadline in seconds.
        cpu_bound: whether the call uses the CPU all the time. The tolerance then grows with the load of the machine.
    """
    durations: list[float] = []
    for _ in range(MAX_TRIES):
        errors: list[EdgeError] = []
        began, computed = time.monotonic(), time.process_time()

        async def work(errors: list[EdgeError] = errors) -> None:
            error, seconds = await attempt()
            errors.append(error)
            durations.append(seconds)

        run(side, work)
        share = (time.process_time() - computed) / (time.monotonic() - began)
        slowness = 2 / min(share, 1) if cpu_bound else 1
        if abs(durations[-1] - deadline) <= tolerance(deadline) * slowness:
            return errors[0]
    pytest.fail(f"a deadline of {deadline} s ended the call after {durations} s")


async def close(side: str, client: Any) -> None:
    await result(client.close() if side == "sync" else client.aclose())


async def counts_after_closing(side: str, cell: Cell) -> Counts:
    """Return the counts of the server without blocking the event loop, in which asyncio closes sockets with a delay."""
    return await in_thread(side, cell.settle)


STALLED: Final = {
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
"""Faults that delay a request without a timeout, and the outcome when the deadline expires."""


@pytest.mark.parametrize("repeat", [READ, ONCE], ids=["read", "once"])
@pytest.mark.parametrize("name", STALLED)
def test_a_stalled_or_slow_request_ends_at_the_deadline(
    fault_server: FaultServer, side: str, name: str, repeat: Repeat
) -> None:
    fault = BY_NAME[name]

    async def attempt() -> tuple[EdgeError, float]:
        with fault_server.arm(fault) as cell:
            client = open_client(side, cell, timeout=60, deadline=DEADLINE)
            ended = await timed(lambda: call(client, repeat, large=fault.large_body))
            await close(side, client)
            counts = await counts_after_closing(side, cell)
            assert counts.open == 0
            assert counts.accepted <= (ended[0].outcome is Outcome.UNKNOWN)
            return ended

    error = assert_ends_at_the_deadline(side, attempt)
    assert (error.outcome, error.timed_out, error.attempts) == (STALLED[name], True, 1)
    assert f"the deadline of {DEADLINE} s expired" in str(error)


@pytest.mark.parametrize("name", ["flood-of-1xx", "flood-of-body"])
def test_a_send_with_an_endless_response_ends_at_the_deadline(fault_server: FaultServer, side: str, name: str) -> None:
    async def attempt() -> tuple[EdgeError, float]:
        with fault_server.arm(BY_NAME[name]) as cell:
            client = open_client(side, cell, timeout=60, deadline=DEADLINE_IN_A_FLOOD)
            ended = await timed(lambda: call(client, ONCE))
            await close(side, client)
            assert ((await counts_after_closing(side, cell)).accepted, ended[0].outcome) == (1, Outcome.UNKNOWN)
            too_large = isinstance(ended[0], DecodeError) and ended[1] < DEADLINE_IN_A_FLOOD
            return ended[0], DEADLINE_IN_A_FLOOD if too_large else ended[1]

    assert_ends_at_the_deadline(side, attempt, DEADLINE_IN_A_FLOOD, cpu_bound=True)


def test_waiting_for_the_connection_pool_ends_at_the_deadline(fault_server: FaultServer, side: str) -> None:
    def occupy_connection(occupying_client: Any) -> None:
        with pytest.raises(EdgeError):
            occupying_client.payment.credit()

    async def attempt() -> tuple[EdgeError, float]:
        ended: list[tuple[EdgeError, float]] = []
        with fault_server.arm(BY_NAME["stall-at-request-end"]) as cell:
            pool = httpx.Limits(max_connections=1)
            occupying_client = open_client(side, cell, timeout=6 * DEADLINE, limits=pool, retry=RetryPolicy(retries=0))
            client = occupying_client.with_options(timeout=60, deadline=DEADLINE)
            if side == "sync":
                with ThreadPoolExecutor(1) as threads:
                    threads.submit(occupy_connection, occupying_client)
                    await wait_until_seen(cell, time.sleep)
                    ended.append(await timed(lambda: call(client, ONCE)))
            else:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(occupying_client.payment.credit)
                    await wait_until_seen(cell, anyio.sleep)
                    ended.append(await timed(lambda: call(client, ONCE)))
                    tasks.cancel_scope.cancel()
            await close(side, occupying_client)
            assert (await counts_after_closing(side, cell)).accepted == 1
        return ended[0]

    error = assert_ends_at_the_deadline(side, attempt)
    assert (type(error), error.outcome, error.timed_out) == (ConnectionFailed, Outcome.NOT_SENT, True)


async def wait_until_seen(cell: Cell, sleep: Callable[[float], Any]) -> None:
    """Wait until the server has read the request that stalls."""
    while not cell.seen:
        await result(sleep(0.001))


def test_a_slow_login_ends_at_the_deadline_and_its_call_is_not_sent(fault_server: FaultServer, side: str) -> None:
    async def attempt() -> tuple[EdgeError, float]:
        with fault_server.arm(BY_NAME["slow-body"]) as cell:
            client = open_client(side, cell, timeout=60, deadline=DEADLINE, credentials=Credentials("user", "password"))
            ended = await timed(lambda: call(client, ONCE))
            await close(side, client)
            await counts_after_closing(side, cell)
            assert [request.path for request in cell.accepted] == ["/v1/api/acl/auth/login"]
            return ended

    error = assert_ends_at_the_deadline(side, attempt)
    assert (type(error), error.outcome, error.timed_out) == (ConnectionFailed, Outcome.NOT_SENT, True)


@pytest.mark.parametrize("name", ["status-500-page", "status-503-retry-after-seconds"])
def test_a_call_fails_immediately_if_the_retry_delay_exceeds_the_deadline(
    fault_server: FaultServer, side: str, name: str
) -> None:
    async def work() -> None:
        with fault_server.arm(BY_NAME[name]) as cell:
            client = open_client(side, cell, deadline=DISTANT_DEADLINE, retry=RetryPolicy(backoff=1e6, max_backoff=1e6))
            error, seconds = await timed(client.payment.credit)
            await close(side, client)
            assert (await counts_after_closing(side, cell)).accepted == error.attempts == 1
            assert seconds < DISTANT_DEADLINE

    run(side, work)


def test_many_attempts_with_short_delays_end_at_the_deadline(fault_server: FaultServer, side: str) -> None:
    async def attempt() -> tuple[EdgeError, float]:
        with fault_server.arm(BY_NAME["status-500-page"]) as cell:
            policy = RetryPolicy(retries=10_000, backoff=0.02, max_backoff=0.02, budget=10**6)
            client = open_client(side, cell, deadline=DEADLINE_FOR_RETRIES, retry=policy)
            error, seconds = await timed(client.payment.credit)
            await close(side, client)
            accepted = (await counts_after_closing(side, cell)).accepted
            assert accepted > 3
            assert error.attempts - accepted in {0, 1}, "only the last attempt may be cancelled by the deadline"
            return error, seconds

    assert_ends_at_the_deadline(side, attempt, DEADLINE_FOR_RETRIES)


def test_a_call_fails_immediately_if_the_rate_limit_delay_exceeds_the_deadline(
    fault_server: FaultServer, side: str
) -> None:
    async def work() -> None:
        with fault_server.arm(BY_NAME["gzip-good"]) as cell:
            client = open_client(side, cell, deadline=DISTANT_DEADLINE, rate_limit=RateLimit(0.01), retry=RetryPolicy())
            await result(client.payment.credit())
            error, seconds = await timed(lambda: call(client, ONCE))
            await close(side, client)
            assert (error.outcome, error.timed_out, (await counts_after_closing(side, cell)).accepted) == (
                Outcome.NOT_SENT,
                True,
                1,
            )
            assert seconds < DISTANT_DEADLINE

    run(side, work)


def test_a_send_is_not_started_if_too_little_time_remains(fault_server: FaultServer, side: str) -> None:
    async def work() -> None:
        with fault_server.arm(BY_NAME["gzip-good"]) as cell:
            client = open_client(side, cell, deadline=0.05)
            error, _ = await timed(lambda: call(client, ONCE))
            await close(side, client)
            assert (error.outcome, (await counts_after_closing(side, cell)).seen) == (Outcome.NOT_SENT, 0)
            assert "deadline exceeded before sending" in str(error)

    run(side, work)


@pytest.mark.parametrize("name", ["close-at-request-end", "html-200", "status-500", "status-502-page"])
def test_a_send_is_not_sent_if_its_login_fails(fault_server: FaultServer, side: str, name: str) -> None:
    fault: Fault = BY_NAME[name]
    assert fault.where is Where.WHOLE

    async def work() -> None:
        with fault_server.arm(fault) as cell:
            client = open_client(side, cell, credentials=Credentials("user", "password"))
            error, _ = await timed(lambda: call(client, ONCE))
            await close(side, client)
            await counts_after_closing(side, cell)
            assert [request.path for request in cell.accepted] == ["/v1/api/acl/auth/login"]
            assert error.outcome is Outcome.NOT_SENT
            assert not isinstance(error, OutcomeUnknown)

    run(side, work)
