"""Cancels a call at one of its suspensions, by a cancel scope of anyio or by `task.cancel()` of asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, Literal, TypeAlias, TypeVar, cast

import anyio

T = TypeVar("T")

How: TypeAlias = Literal["scope", "task", "task when done"]
"""By a scope; by the task; or by the task as that for which the call waits is done."""

MAX_STEPS = 300


class Cancelled(Generic[T]):
    """Runs a call and cancels it at one of its suspensions.

    Args:
        call: the call.
        at: the number of the suspension, from 1.
        how: how it is cancelled.
        scope: the scope around it.

    Attributes:
        steps: the number of its suspensions so far.
    """

    def __init__(self, call: Coroutine[Any, Any, T], at: int, how: How, scope: anyio.CancelScope) -> None:
        self.steps = 0
        self._call = call
        self._at = at
        self._how = how
        self._scope = scope

    def __await__(self) -> Generator[Any, Any, T]:
        inner = self._call.__await__()
        failure: BaseException | None = None
        value: Any = None
        while True:
            try:
                awaited = inner.send(value) if failure is None else inner.throw(failure)
            except StopIteration as end:
                return cast("T", end.value)
            self.steps += 1
            if self.steps == self._at:
                self._cancel(awaited)
            failure = value = None
            try:
                value = yield awaited
            except BaseException as error:  # noqa: BLE001 - the call receives it
                failure = error

    def _cancel(self, awaited: Any) -> None:
        if self._how == "scope":
            self._scope.cancel()
            return
        task = cast("asyncio.Task[Any]", asyncio.current_task())

        def cancel(_: object) -> None:
            task.cancel()

        if self._how == "task when done" and awaited is not None:
            awaited.add_done_callback(cancel)
        else:
            task.cancel()


async def cancelled_at(step: int, how: How, call: Coroutine[Any, Any, object]) -> bool:
    """Run a call, and cancel it at a suspension; return whether it had so many.

    It must not end with another exception than that of its cancellation.
    """
    scope = anyio.CancelScope()
    run = Cancelled(call, step, how, scope)
    if how == "scope":
        with scope:
            await run
        return run.steps >= step

    async def work() -> None:
        await run

    task = asyncio.ensure_future(work())
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()
    return run.steps >= step
