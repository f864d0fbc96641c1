"""Primitives of the async side: time, locks, deadlines and a transport. `_sync/_io.py` has the same names.

These two files are written by hand; everything else in `_sync` is generated. The primitives run on asyncio and trio and
know nothing of HTTP or the API.
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
"""A lock for state changes that do not block: a no-op on the async side."""

monotonic: Final = time.monotonic
"""Return the seconds of a monotonic clock. It needs no running event loop."""

sleep: Final = anyio.sleep
"""Sleep for some seconds. The deadline interrupts it; its with block then raises DeadlinePassed."""

_STEP: Final = 0.5
"""Seconds after which `pause` checks again whether to stop."""

_ends: Final[ContextVar[float | None]] = ContextVar("ippanel_edge_deadline", default=None)


class DeadlinePassed(Exception):  # noqa: N818 - internal; the public errors are in errors.py
    """A `deadline` expired. It is not a TimeoutError, which one socket operation may raise."""

    def __init__(self) -> None:
        super().__init__("the deadline expired")


class SlotTimeout(TimeoutError):  # noqa: N818 - internal; the public errors are in errors.py
    """No slot became free within the timeout of `Slots.acquire`."""


@contextmanager
def deadline(seconds: float | None, *, shield: bool = False) -> Generator[None]:
    """Limit the total time of the with block. If deadlines are nested, the earliest applies.

    Args:
        seconds: from now; None for no limit.
        shield: whether to defer outer deadlines and cancellations until the block ends. (This does not defer
            asyncio's own `task.cancel()`.)

    Raises:
        DeadlinePassed: the deadline expired and interrupted the block.
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
    """Return the seconds left, at least 0, or None if there is no deadline. The caller's cancel scopes count.

    A scope that is cancelled already does not count: the next await raises the cancellation.
    """
    ends: float | None = anyio.current_effective_deadline()
    if ends == -math.inf:
        ends = _ends.get()
    return None if ends is None or ends == math.inf else max(ends - anyio.current_time(), 0.0)


async def pause(seconds: float, *, stopped: Callable[[], bool]) -> None:
    """Sleep for some seconds, but return soon after `stopped` returns True. The deadline interrupts it."""
    ends = monotonic() + seconds
    while not stopped() and (left := ends - monotonic()) > 0:
        await sleep(min(left, _STEP))


def shielded() -> AbstractContextManager[object]:
    """Shield cleanup from cancellation."""
    return anyio.CancelScope(shield=True)


async def finish(
    run: Callable[[], Awaitable[T]], *, began: Callable[[], bool], grace: float, abandoned: Callable[[T | None], None]
) -> T:
    """Run a function. If it is cancelled after it began, let it finish for up to `grace` seconds within the deadline.

    It runs in its own task, so that asyncio's `task.cancel()`, which ignores shields, is deferred too.

    Args:
        run: the function.
        began: returns whether it began, so that an interruption would leave its outcome unknown.
        grace: seconds.
        abandoned: receives the result after a cancellation, or None if there is none.
    """
    await anyio.lowlevel.checkpoint_if_cancelled()  # do not start if already cancelled
    results: list[T] = []
    failures: list[Exception] = []
    done = anyio.Event()
    # Without any deadline in force here, `_ends` was inherited by a task outside of its with block.
    ends = None if anyio.current_effective_deadline() == math.inf else _ends.get()
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
    """Return the result of a user's function; await it if necessary."""
    if inspect.isawaitable(value):
        return await value
    return value


class Slots:
    """A semaphore: a limited number of holders; the others wait, first come, first served."""

    def __init__(self, total: int) -> None:
        self._slots = anyio.Semaphore(total)

    async def acquire(self, within: float | None = None) -> None:
        """Take a slot; wait if none is free.

        Args:
            within: the maximum of seconds to wait; None for no limit.

        Raises:
            SlotTimeout: none became free in that time.
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
        """Release a slot to the longest waiter."""
        self._slots.release()

    @property
    def has_waiters(self) -> bool:
        """Whether there are waiters."""
        return self._slots.statistics().tasks_waiting > 0


class Local(Generic[T]):
    """A value for each event loop: sockets and waiting tasks cannot move to another loop.

    It holds one value only: two loops that run at the same time replace each other's value.
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
        """Whether the value is still in use."""
        return self._owned is not None and self._owned[1] is value

    def drop(self) -> None:
        """Drop the value: the next `get` creates another."""
        self._owned = None


def interrupt(network: object) -> None:
    """Interrupt operations on a socket in other threads: a no-op on the async side, where closing it is enough."""


def make_transport(
    verify: ssl.SSLContext, proxy: httpx.Proxy | None, keepalive_expiry: float
) -> httpx.AsyncHTTPTransport:
    """Create an httpx transport with one connection. The cancel scope of a `deadline` limits its operations."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=keepalive_expiry)
    return httpx.AsyncHTTPTransport(verify=verify, trust_env=False, limits=limits, proxy=proxy)
