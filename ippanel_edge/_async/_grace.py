"""The time that a send has to finish after a cancellation. `_sync/_grace.py` has the same names.

These two files are written by hand.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
import anyio.lowlevel
import attrs

from ippanel_edge._async import _io

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


@attrs.frozen
class Grace(Generic[T]):
    """The time that a function has to finish after a cancellation.

    Attributes:
        began: returns whether it began, so that an interruption would leave its outcome unknown.
        seconds: how long it may go on then, within the deadline.
        abandoned: receives its result after a cancellation, or None if there is none.
    """

    began: Callable[[], bool]
    seconds: float
    abandoned: Callable[[T | None], None]

    def left(self) -> float:
        """Return how many seconds it may go on from now."""
        ends = _io.ends()
        return self.seconds if ends is None else min(self.seconds, ends - anyio.current_time())


async def finish(run: Callable[[], Coroutine[Any, Any, T]], grace: Grace[T]) -> T:
    """Run a function. If it is cancelled after it began, let it finish within the grace time.

    It runs in its own task, so that asyncio's `task.cancel()`, which ignores shields, is deferred too.
    """
    await anyio.lowlevel.checkpoint_if_cancelled()  # do not start if already cancelled
    # Without any deadline in force here, `_ends` was inherited by a task outside of its with block.
    ends = None if anyio.current_effective_deadline() == math.inf else _io.ends()
    if not _io.on_asyncio():
        return await _finish_in_scope(run, grace, ends)
    guard = anyio.CancelScope(deadline=math.inf if ends is None else ends)

    async def work() -> T:
        with guard:
            return await run()
        raise _io.DeadlinePassed

    return await _settled(asyncio.get_running_loop().create_task(work()), grace, guard.cancel)


async def _settled(work: asyncio.Future[T], grace: Grace[T], cancel: Callable[[], object]) -> T:
    """Wait for a future of asyncio. After a cancellation, let it finish within the grace time, or cancel it.

    Args:
        work: a task, or a future that does not depend on the calling task.
        grace: the time that it has then.
        cancel: ends `work`.
    """
    try:
        await _ended(work)
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True):
            if grace.began():
                await _ended_despite(work, grace.left())
            if not work.done():
                cancel()
                await _ended_despite(work, None)
        failed = work.cancelled() or work.exception() is not None
        if grace.began():
            grace.abandoned(None if failed else work.result())
        raise
    return work.result()


async def _ended(work: asyncio.Future[Any], limit: float | None = None) -> None:
    """Wait until a future is done, for at most `limit` seconds, without cancelling it."""
    if work.done():
        return
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()

    def wake(_: object = None) -> None:
        if not waiter.done():
            waiter.set_result(None)

    timer = None if limit is None else loop.call_later(limit, wake)
    work.add_done_callback(wake)
    try:
        await waiter
    finally:
        work.remove_done_callback(wake)
        if timer is not None:
            timer.cancel()


async def _ended_despite(work: asyncio.Future[Any], limit: float | None) -> None:
    """Wait likewise, whatever asyncio cancels meanwhile: the first cancellation is raised at the end."""
    loop = asyncio.get_running_loop()
    ends = None if limit is None else loop.time() + limit
    while not work.done() and (ends is None or loop.time() < ends):
        with suppress(asyncio.CancelledError):
            await _ended(work, None if ends is None else ends - loop.time())


async def _finish_in_scope(run: Callable[[], Coroutine[Any, Any, T]], grace: Grace[T], ends: float | None) -> T:
    results: list[T] = []
    failures: list[Exception] = []
    done = anyio.Event()
    guard = anyio.CancelScope(deadline=math.inf if ends is None else ends, shield=True)

    async def work() -> None:
        with guard:
            try:
                results.append(await run())
            except Exception as error:  # noqa: BLE001 - raised again below
                failures.append(error)
        done.set()

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            try:
                await done.wait()
            except anyio.get_cancelled_exc_class():
                if grace.began():
                    guard.deadline = min(guard.deadline, anyio.current_time() + grace.seconds)
                else:
                    guard.cancel()
                raise
    except anyio.get_cancelled_exc_class():
        if grace.began():
            grace.abandoned(results[0] if results else None)
        raise
    if failures:
        raise failures[0]
    if not results:
        raise _io.DeadlinePassed
    return results[0]
