"""Primitives of the async side: time, locks, deadlines and a transport. `_sync/_io.py` has the same names.

These two files are written by hand; everything else in `_sync` is generated. The primitives run on asyncio and trio and
know nothing of HTTP or the API.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread
import attrs
import httpx
import sniffio

from ippanel_edge._async._network import Backend

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Coroutine, Generator, Iterator
    from contextlib import AbstractContextManager

T = TypeVar("T")

Guard = nullcontext
"""A lock for state changes that do not block: a no-op on the async side."""

monotonic: Final = time.monotonic
"""Return the seconds of a monotonic clock. It needs no running event loop."""

sleep: Final = anyio.sleep
"""Sleep for some seconds. The deadline interrupts it; its with block then raises DeadlinePassed."""

_CHUNK: Final = 64 * 1024
"""Bytes of a request's content that are read in one go in a worker thread."""
_MAX_THREADS: Final = 40
"""Worker threads of this package. They are not taken from anyio's default limit, which the application may need."""
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


check_cancelled: Final = anyio.lowlevel.checkpoint_if_cancelled
"""Raise the cancellation of a cancel scope that was cancelled already: a send does not begin in it."""


def ends() -> float | None:
    """Return the time of the deadline, of the event loop's clock, without the caller's cancel scopes."""
    return _ends.get()


async def pause(seconds: float, *, stopped: Callable[[], bool]) -> None:
    """Sleep for some seconds, but return soon after `stopped` returns True. The deadline interrupts it."""
    ends = monotonic() + seconds
    while not stopped() and (left := ends - monotonic()) > 0:
        await sleep(min(left, _STEP))


def shielded() -> AbstractContextManager[object]:
    """Shield cleanup from cancellation."""
    return anyio.CancelScope(shield=True)


def _here() -> object:
    """Return what identifies the running event loop. For asyncio, it is faster than anyio's token."""
    return asyncio.get_running_loop() if on_asyncio() else anyio.lowlevel.current_token()


def on_asyncio() -> bool:
    """Return whether the running event loop is asyncio's, which the fast transport needs."""
    return sniffio.thread_local.name in (None, "asyncio")  # trio, also in an asyncio loop, sets its name


async def outcome(value: T | Awaitable[T]) -> T:
    """Return the result of a user's function; await it if necessary."""
    if inspect.isawaitable(value):
        return await value
    return value


class _Turn:
    """An event for one task of asyncio: ten thousand waiting tasks take less memory than with anyio's."""

    __slots__ = ("_is_set", "future")

    def __init__(self) -> None:
        self.future = asyncio.get_running_loop().create_future()
        self._is_set = False

    def set(self) -> None:
        self._is_set = True
        self.wake()

    def is_set(self) -> bool:
        return self._is_set

    def wake(self) -> None:
        """End the wait for the future, whether it is set or not."""
        if not self.future.done():
            self.future.set_result(None)


class Slots:
    """A semaphore: a limited number of holders; the others wait, first come, first served."""

    def __init__(self, total: int) -> None:
        self._free = total  # above 0 only without waiters: a released slot goes to the next waiter directly
        self._waiters: deque[_Turn | anyio.Event] = deque()

    def acquire_now(self) -> bool:
        """Take a slot if one is free; return whether it was."""
        if not self._free:
            return False
        self._free -= 1
        return True

    async def acquire(self, within: float | None = None) -> None:
        """Take a slot; wait if none is free.

        Args:
            within: the maximum of seconds to wait; None for no limit.

        Raises:
            SlotTimeout: none became free in that time.
        """
        if self.acquire_now():
            return
        turn = _Turn() if on_asyncio() else anyio.Event()
        self._waiters.append(turn)
        timer: asyncio.TimerHandle | None = None
        try:
            if isinstance(turn, _Turn):
                if within is not None:
                    timer = turn.future.get_loop().call_later(within, turn.wake)
                await turn.future
            else:
                with anyio.move_on_after(within):
                    await turn.wait()
        except BaseException:
            self._leave(turn)
            raise
        finally:
            if timer is not None:
                timer.cancel()
        if not turn.is_set():
            self._waiters.remove(turn)
            raise SlotTimeout

    def _leave(self, turn: _Turn | anyio.Event) -> None:
        """Stop waiting. A slot that was passed on meanwhile goes to the next waiter."""
        if turn.is_set():
            self.release()
        else:
            self._waiters.remove(turn)

    def release(self) -> None:
        """Release a slot to the longest waiter."""
        if self._waiters:
            self._waiters.popleft().set()
        else:
            self._free += 1

    @property
    def has_waiters(self) -> bool:
        """Whether there are waiters."""
        return bool(self._waiters)


@attrs.frozen(eq=False)
class _Loop:
    """An event loop, which other threads can give work."""

    native: Any
    is_trio: bool

    @classmethod
    def current(cls) -> _Loop:
        token: Any = anyio.lowlevel.current_token()
        return cls(getattr(token, "native_token", token), sniffio.current_async_library() == "trio")

    @property
    def is_closed(self) -> bool:
        """Whether nothing can run in it any more. A trio loop closes its asynchronous generators before it ends."""
        return not self.is_trio and bool(self.native.is_closed())

    def call(self, function: Callable[[], object]) -> bool:
        """Call a function in the loop soon. Return False if the loop has ended."""
        try:
            if self.is_trio:
                self.native.run_sync_soon(function)
            else:
                self.native.call_soon_threadsafe(function)
        except RuntimeError:  # trio's RunFinishedError is one too
            return False
        return True

    def start(self, function: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start an async function in the loop, unless the loop has ended."""
        if self.is_trio:
            import trio  # noqa: PLC0415 - this loop is trio's, so it is loaded

            self.call(lambda: trio.lowlevel.spawn_system_task(function))
        elif not self.is_closed:
            asyncio.run_coroutine_threadsafe(function(), self.native)


class Lock:
    """A lock for `async with`, first come, first served, for any number of event loops.

    Waiting for it ends with the deadline.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()  # never held while waiting
        self._is_held = False
        self._waiters: deque[tuple[_Loop, anyio.Event]] = deque()

    async def __aenter__(self) -> None:
        with self._guard:
            if not self._is_held:
                self._is_held = True
                return
            waiter = (_Loop.current(), anyio.Event())
            self._waiters.append(waiter)
        try:
            await waiter[1].wait()
        except BaseException:
            if not self._leave(waiter):
                self._pass_on()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._pass_on()

    def _pass_on(self) -> None:
        """Give the lock to the longest waiter whose event loop still runs."""
        with self._guard:
            while self._waiters:
                loop, turn = self._waiters.popleft()
                if loop.call(turn.set):
                    return
            self._is_held = False

    def _leave(self, waiter: tuple[_Loop, anyio.Event]) -> bool:
        """Stop waiting. Return False if the lock was given to this waiter meanwhile."""
        with self._guard:
            if waiter not in self._waiters:
                return False
            self._waiters.remove(waiter)
            return True


class Local(Generic[T]):
    """A value for each event loop: sockets and waiting tasks cannot move to another loop.

    A value is closed when its loop ends: `asyncio.run` and `trio.run` close the asynchronous generators that are left,
    and each value has one.

    Args:
        make: creates a value.
        close: closes a value, in its own event loop; None if there is nothing to close.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], Awaitable[None]] | None = None) -> None:
        self._make = make
        self._close = close
        self._owned: dict[object, tuple[_Loop, T, AsyncGenerator[None]]] = {}

    def get(self) -> T:
        """Return the value of this event loop."""
        here = _here()
        owned = self._owned.get(here)
        return self._new(here) if owned is None else owned[1]

    def _new(self, here: object) -> T:
        for token, (loop, *_) in list(self._owned.items()):
            if loop.is_closed:  # without closing its generators
                self._owned.pop(token, None)
        value = self._make()
        end = self._until_the_end(here, value)
        with suppress(StopIteration):
            end.__anext__().send(None)  # to its yield: from now on the event loop knows it
        self._owned[here] = (_Loop.current(), value, end)
        return value

    async def _until_the_end(self, here: object, value: T) -> AsyncGenerator[None]:
        try:
            yield
        finally:
            self._owned.pop(here, None)
            if self._close is not None:
                await self._close(value)

    def owns(self, value: T) -> bool:
        """Whether the value is in use by this event loop."""
        owned = self._owned.get(_here())
        return owned is not None and owned[1] is value

    async def aclose(self) -> None:
        """Close all values. Those of other event loops are closed there, soon."""
        here = _here()
        for token, (loop, _, end) in list(self._owned.items()):
            if token == here:
                await end.aclose()
            else:
                loop.start(partial(_finish, end))


async def _finish(generator: AsyncGenerator[None]) -> None:
    await generator.aclose()


_threads: Final = Local(lambda: anyio.CapacityLimiter(_MAX_THREADS))


async def run_blocking(function: Callable[[], T]) -> T:
    """Run a function that may block in a worker thread. A cancellation does not wait for it: it abandons the thread."""
    return await anyio.to_thread.run_sync(function, abandon_on_cancel=True, limiter=_threads.get())


def parts(stream: httpx.AsyncByteStream) -> AsyncIterator[bytes]:
    """Iterate over the content of a request. Content that httpx reads from files is read in a worker thread."""
    if isinstance(stream, httpx.SyncByteStream) and not isinstance(stream, httpx.ByteStream):
        return _read_in_thread(iter(stream))
    return aiter(stream)


async def _read_in_thread(source: Iterator[bytes]) -> AsyncGenerator[bytes]:
    def read() -> bytes:
        chunk = bytearray()
        for part in source:
            chunk += part
            if len(chunk) >= _CHUNK:
                break
        return bytes(chunk)

    while chunk := await run_blocking(read):
        yield chunk


def interrupt(network: object) -> None:
    """Interrupt operations on a socket in other threads: a no-op on the async side, where closing it is enough."""


def make_transport(
    verify: ssl.SSLContext, proxy: httpx.Proxy | None, keepalive_expiry: float
) -> httpx.AsyncHTTPTransport:
    """Create an httpx transport with one connection. The cancel scope of a `deadline` limits its operations."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=keepalive_expiry)
    transport = httpx.AsyncHTTPTransport(verify=verify, trust_env=False, limits=limits, proxy=proxy)
    # httpx cannot pass a network backend to httpcore. Setting it here avoids copying how httpx builds its pools.
    pool = getattr(transport, "_pool", None)
    if pool is not None and hasattr(pool, "_network_backend") and on_asyncio():
        pool._network_backend = Backend()  # noqa: SLF001 - see above
    return transport
