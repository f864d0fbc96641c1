"""Reads of reports with an adaptive concurrency: it grows slowly, and halves when the service answers 429 (AIMD)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, TypeVar, cast

import anyio

from ippanel_edge._async import _io
from ippanel_edge.config import RetryPolicy
from ippanel_edge.endpoints import READ
from ippanel_edge.errors import EdgeError, RateLimited
from ippanel_edge.wire.retry import next_delay

T = TypeVar("T")

_START: Final = 4.0
_MAXIMUM: Final = 32.0
_POLICY: Final = RetryPolicy(backoff=1.0)
"""The retries of a read that the service answers with 429: after 1, 2 and 4 seconds, or after Retry-After."""


class Window:
    """The number of reads that may be in progress: additive increase, multiplicative decrease.

    Attributes:
        size: the current size, at least 1.
    """

    def __init__(self, *, start: float = _START, maximum: float = _MAXIMUM) -> None:
        self.size: float = start
        self._maximum = maximum
        self._active = 0
        self._changed = anyio.Event()

    def succeeded(self) -> None:
        """Grow by one after as many successful reads as the window has."""
        self.size = min(self._maximum, self.size + 1.0 / self.size)

    def limited(self) -> None:
        """Halve the window."""
        self.size = max(1.0, self.size / 2.0)

    async def acquire(self) -> None:
        """Wait until fewer reads are in progress than the window has."""
        while self._active >= int(self.size):
            await self._changed.wait()
        self._active += 1

    def release(self) -> None:
        """End a read."""
        self._active -= 1
        changed, self._changed = self._changed, anyio.Event()
        changed.set()


class Reads:
    """Runs reads, and retries those that are answered with 429."""

    def __init__(
        self,
        *,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
        clock: Callable[[], float] = _io.monotonic,
    ) -> None:
        self.window: Window = Window()
        self._sleep = sleep
        self._clock = clock
        self._succeeded = 0

    async def read(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run a read in the window. After a 429 it is retried, while other reads succeed as often as necessary.

        Raises:
            RateLimited: no read succeeds any more: three retries of this one were answered with 429 too, or the next
                one would have to wait until more than 120 seconds after the first attempt.
            EdgeError: the read failed otherwise.
        """
        failures: list[EdgeError] = []
        began, succeeded = self._clock(), self._succeeded
        while True:
            await self.window.acquire()
            try:
                result = await function()
            except RateLimited as error:
                self.window.limited()
                if self._succeeded != succeeded:  # the service answers, but not as many reads at once
                    failures.clear()
                    began, succeeded = self._clock(), self._succeeded
                failures.append(error)
                left = began + _POLICY.max_retry_after - self._clock()
                pause = next_delay(_POLICY, READ, failures, draw=max, remaining=left)  # the longest pause, no jitter
                if pause is None:
                    raise
            else:
                self.window.succeeded()
                self._succeeded += 1
                return result
            finally:
                self.window.release()
            await self._sleep(pause)

    async def each(self, items: Iterable[T], function: Callable[[T], Awaitable[None]]) -> None:
        """Run a read for each item, as many at a time as the window has.

        Raises:
            EdgeError: a read failed; the others are cancelled.
        """
        source = iter(items)

        async def work() -> None:
            for item in source:
                await self.read(lambda item=item: function(item))  # type: ignore[misc]  # bound at once

        await together(work, int(_MAXIMUM))


async def together(work: Callable[[], Coroutine[Any, Any, None]], count: int) -> None:
    """Run a function in several tasks. The first error of one of them ends the others, and is raised as it is."""
    try:
        async with anyio.create_task_group() as tasks:
            for _ in range(count):
                tasks.start_soon(work)
    except ExceptionGroup as group:
        first = _first(group)
    else:
        return
    raise first from first.__cause__


def _first(group: ExceptionGroup[Exception]) -> Exception:
    error = group.exceptions[0]
    if isinstance(error, ExceptionGroup):
        return _first(cast("ExceptionGroup[Exception]", error))
    return error
