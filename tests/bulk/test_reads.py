"""Reads with an adaptive concurrency: it grows with each success and halves at a 429. Each item is read once."""

from __future__ import annotations

import anyio
import pytest

from ippanel_edge import EdgeError, RateLimited, ServerError
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


class Service:
    """Answers reads in turn, with a clock that runs while they wait.

    Attributes:
        answers: the answers; the last one is repeated.
        takes: the seconds that each read takes.
        pauses: the pauses before retries.
    """

    def __init__(self, *answers: EdgeError | str, takes: float = 0.0) -> None:
        self.answers = list(answers)
        self.takes = takes
        self.pauses: list[float] = []
        self._time = 0.0

    async def read(self) -> str:
        self._time += self.takes
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, EdgeError):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._time += seconds

    def reads(self) -> Reads:
        return Reads(sleep=self.sleep, clock=lambda: self._time)


def limited(retry_after: float | None = None) -> RateLimited:
    return RateLimited(status_code=429, retry_after=retry_after)


async def test_a_429_is_waited_out_and_halves_the_window() -> None:
    service = Service(limited(7.0), limited(), "done")
    reads = service.reads()
    start = reads.window.size
    assert await reads.read(service.read) == "done"
    assert service.pauses == [7.0, 2.0]
    assert reads.window.size == start / 4 + 1 / (start / 4)


@pytest.mark.parametrize(
    ("retry_after", "takes", "pauses"),
    [
        (None, 0.0, [1.0, 2.0, 4.0]),
        (20.0, 0.0, [20.0, 20.0, 20.0]),
        (50.0, 0.0, [50.0, 50.0]),
        (3600.0, 0.0, []),
        (None, 60.0, [1.0]),
    ],
)
async def test_a_read_that_is_always_answered_with_429_fails(
    retry_after: float | None, takes: float, pauses: list[float]
) -> None:
    service = Service(limited(retry_after), takes=takes)
    with pytest.raises(RateLimited):
        await service.reads().read(service.read)
    assert service.pauses == pauses


async def test_a_read_is_retried_as_long_as_others_succeed() -> None:
    service, other = Service(*[limited()] * 9, "done"), Service("done")

    async def sleep(seconds: float) -> None:
        await service.sleep(seconds)
        await reads.read(other.read)

    reads = Reads(sleep=sleep, clock=lambda: 0.0)
    assert await reads.read(service.read) == "done"
    assert service.pauses == [1.0] * 9


async def test_each_item_is_read_once() -> None:
    seen: list[int] = []
    rejected = {3, 50}

    async def sleep(_: float) -> None:
        await anyio.lowlevel.checkpoint()

    async def read(item: int) -> None:
        await anyio.lowlevel.checkpoint()
        if item in rejected:
            rejected.remove(item)
            raise limited()
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
