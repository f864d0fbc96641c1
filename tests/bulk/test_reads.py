"""Reads with an adaptive concurrency: it grows with each success and halves at a 429. Each item is read once."""

from __future__ import annotations

import anyio
import pytest

from ippanel_edge import RateLimited, ServerError
from ippanel_edge.bulk.reads import Reads, Window, together

pytestmark = pytest.mark.anyio


def test_a_window_grows_slowly_and_halves() -> None:
    window = Window(start=4.0, maximum=6.0)
    for _ in range(4):
        window.succeeded()
    assert 4.8 < window.size < 5.0, "by about one after as many reads as it has"
    for _ in range(40):
        window.succeeded()
    assert window.size == 6.0
    window.limited()
    assert window.size == 3.0
    for _ in range(9):
        window.limited()
    assert window.size == 1.0


async def test_a_window_limits_the_reads_in_progress() -> None:
    window = Window(start=2.0, maximum=2.0)
    active = most = 0

    async def read() -> None:
        nonlocal active, most
        await window.acquire()
        active += 1
        most = max(most, active)
        await anyio.lowlevel.checkpoint()
        active -= 1
        window.release()

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(read)
    assert (most, active) == (2, 0)


async def test_a_429_is_waited_out_and_halves_the_window() -> None:
    pauses: list[float] = []
    answers: list[RateLimited | str] = [RateLimited(retry_after=7.0), RateLimited(), "done"]

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def read() -> str:
        answer = answers.pop(0)
        if isinstance(answer, RateLimited):
            raise answer
        return answer

    reads = Reads(sleep=sleep)
    start = reads.window.size
    assert await reads.read(read) == "done"
    assert pauses == [7.0, 1.0]
    assert reads.window.size == start / 4 + 1 / (start / 4)


async def test_each_item_is_read_once() -> None:
    seen: list[int] = []
    limited = {3, 50}

    async def sleep(_: float) -> None:
        await anyio.lowlevel.checkpoint()

    async def read(item: int) -> None:
        await anyio.lowlevel.checkpoint()
        if item in limited:
            limited.remove(item)
            raise RateLimited
        seen.append(item)

    await Reads(sleep=sleep).each(range(200), read)
    assert sorted(seen) == list(range(200))


async def test_an_error_ends_all_reads_and_is_raised_as_it_is() -> None:
    cancelled = 0

    async def read(item: int) -> None:
        nonlocal cancelled
        if item == 2:
            raise ServerError("broken", status_code=500)
        try:
            await anyio.sleep_forever()
        except BaseException:
            cancelled += 1
            raise

    with pytest.raises(ServerError, match="HTTP 500"):
        await Reads().each(range(9), read)
    assert cancelled >= 2, "those that began before"


async def test_a_cancellation_of_tasks_is_no_error() -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await together(anyio.sleep_forever, 3)
    assert scope.cancelled_caught
