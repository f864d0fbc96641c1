"""Reads of reports with an adaptive concurrency: it grows slowly, and halves when the service answers 429 (AIMD)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, Final, TypeVar, cast

import anyio

from ippanel_edge.errors import RateLimited

T = TypeVar("T")

_START: Final = 4.0
_MAXIMUM: Final = 32.0
_PAUSE: Final = 1.0
"""Seconds to wait after a 429 without Retry-After."""


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
    """Runs reads, and repeats those that are answered with 429."""

    def __init__(self, *, sleep: Callable[[float], Awaitable[None]] = anyio.sleep) -> None:
        self.window: Window = Window()
        self._sleep = sleep

    async def read(self, function: Callable[[], Awaitable[T]]) -> T:
        """Run a read in the window. It is repeated until the service answers it with something other than 429."""
        while True:
            await self.window.acquire()
            try:
                result = await function()
            except RateLimited as error:
                self.window.limited()
                pause = error.retry_after or _PAUSE
            else:
                self.window.succeeded()
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
