"""The few primitives that the code in here stands on: time, locks, deadlines, one transport. Its twin is in `_sync`.

This file and `_sync/_io.py` are written by hand, name for name; everything else in `_sync` is generated. They run on
asyncio and on trio. No HTTP, and no rule of the API, is in here.
"""

from __future__ import annotations

import inspect
import math
import time
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Generic, TypeVar

import anyio
import anyio.lowlevel
import httpx

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Generator
    from contextlib import AbstractContextManager

T = TypeVar("T")

Lock = anyio.Lock
"""A lock for `async with`, first come, first served. Waiting for it ends with the deadline."""

Guard = nullcontext
"""What a thread needs around a change of shared state that awaits nothing: here nothing, so `with Guard():` is free."""

monotonic: Final = time.monotonic
"""Seconds of a clock that never goes back. It needs no running event loop."""

sleep: Final = anyio.sleep
"""Wait for so many seconds. The deadline cuts it short: then its `with` raises DeadlinePassed."""

_ends: Final[ContextVar[float | None]] = ContextVar("ippanel_edge_deadline", default=None)


class DeadlinePassed(Exception):  # noqa: N818 - it says what happened; the public errors are elsewhere
    """The time given to a `deadline` is over. Not a TimeoutError: one socket operation's timeout is another matter."""

    def __init__(self) -> None:
        super().__init__("the time given to this call is over")


class SlotTimeout(TimeoutError):  # noqa: N818 - it says what happened; the public errors are elsewhere
    """No slot came free in the time given to `Slots.acquire`."""


@contextmanager
def deadline(seconds: float | None, *, shield: bool = False) -> Generator[None]:
    """Give everything inside so many seconds altogether. Of nested deadlines the earlier one wins.

    Args:
        seconds: how long from now; None for as long as it takes.
        shield: whether what is inside is spared the deadlines and the cancellations from outside, which come
            after it. (The `task.cancel()` of asyncio itself is not held up by it.)

    Raises:
        DeadlinePassed: what was inside was interrupted because its time was over.
    """
    ends = None if seconds is None else anyio.current_time() + seconds
    outer = None if shield else _ends.get()
    token = _ends.set(min((end for end in (ends, outer) if end is not None), default=None))
    try:
        with anyio.CancelScope(deadline=math.inf if ends is None else ends, shield=shield) as scope:
            yield
    finally:
        _ends.reset(token)
    if scope.cancelled_caught:
        raise DeadlinePassed


def remaining() -> float | None:
    """Return the seconds left, at least 0, or None where there is no end. The caller's own cancel scopes count.

    Where one of those is cancelled there is no time to speak of: the next thing awaited says so.
    """
    ends: float | None = anyio.current_effective_deadline()
    if ends == -math.inf:
        ends = _ends.get()
    return None if ends is None or ends == math.inf else max(ends - anyio.current_time(), 0.0)


def shielded() -> AbstractContextManager[object]:
    """Spare what is inside the cancellations from outside: for closing, which takes no time worth naming."""
    return anyio.CancelScope(shield=True)


async def finish(
    run: Callable[[], Awaitable[T]], *, began: Callable[[], bool], grace: float, abandoned: Callable[[T | None], None]
) -> T:
    """Run something to its end, though cancelled: once begun it gets `grace` seconds more, not past the deadline.

    It runs in a task of its own, so that `task.cancel()` of asyncio, which passes any shield, is held up too.

    Args:
        run: what to do.
        began: whether it has begun, so that breaking it off would leave open what became of it.
        grace: seconds.
        abandoned: receives the result that nobody waits for any more, None where there is none.
    """
    await anyio.lowlevel.checkpoint_if_cancelled()  # what is cancelled already must not begin
    results: list[T] = []
    failures: list[Exception] = []
    done = anyio.Event()
    ends = _ends.get()
    guard = anyio.CancelScope(deadline=math.inf if ends is None else ends, shield=True)

    async def work() -> None:
        with guard:
            try:
                results.append(await run())
            except Exception as error:  # noqa: BLE001 - handed on to the caller below
                failures.append(error)
        done.set()

    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(work)
            try:
                await done.wait()
            except anyio.get_cancelled_exc_class():
                if began():
                    guard.deadline = min(guard.deadline, anyio.current_time() + grace)
                else:
                    guard.cancel()
                raise
    except anyio.get_cancelled_exc_class():
        if began():
            abandoned(results[0] if results else None)
        raise
    if failures:
        raise failures[0]
    if not results:
        raise DeadlinePassed
    return results[0]


async def outcome(value: T | Awaitable[T]) -> T:
    """Return what a caller's function gave, waiting for it where it is awaitable."""
    if inspect.isawaitable(value):
        return await value
    return value


class Slots:
    """So many may go in at once; the others wait in line, first come, first served."""

    def __init__(self, total: int) -> None:
        self._slots = anyio.Semaphore(total)

    async def acquire(self, within: float | None = None) -> None:
        """Take a slot, waiting for it where none is free.

        Args:
            within: how many seconds to wait; None for as long as it takes.

        Raises:
            SlotTimeout: none came free in that time.
        """
        try:
            self._slots.acquire_nowait()
        except anyio.WouldBlock:
            try:
                with anyio.fail_after(within):
                    await self._slots.acquire()
            except TimeoutError:
                raise SlotTimeout from None

    def release(self) -> None:
        """Give a slot back, to the one who waits longest."""
        self._slots.release()

    @property
    def has_waiters(self) -> bool:
        """Whether anybody waits for a slot."""
        return self._slots.statistics().tasks_waiting > 0


class Local(Generic[T]):
    """A value that belongs to the running event loop, made anew in another one: sockets and waiting tasks cannot move.

    It holds one value: two loops that run at once take it from each other, and so gain nothing from it.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._owned: tuple[object, T] | None = None

    def get(self) -> T:
        """Return the value of this event loop."""
        here = anyio.lowlevel.current_token()
        owned = self._owned
        if owned is None or owned[0] != here:
            self._owned = owned = (here, self._make())
        return owned[1]

    def owns(self, value: T) -> bool:
        """Whether the value is still the one in use."""
        return self._owned is not None and self._owned[1] is value

    def drop(self) -> None:
        """Let go of the value: the next `get` makes another."""
        self._owned = None


def make_transport(
    verify: ssl.SSLContext, proxy: httpx.Proxy | None, keepalive_expiry: float
) -> httpx.AsyncHTTPTransport:
    """Make an httpx transport of a single connection. The cancel scope of a `deadline` bounds all that it does."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=keepalive_expiry)
    return httpx.AsyncHTTPTransport(verify=verify, trust_env=False, limits=limits, proxy=proxy)
