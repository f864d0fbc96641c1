"""Primitives of the sync side: time, locks, deadlines and a transport. `_async/_io.py` has the same names.

These two files are written by hand; everything else in `_sync` is generated. The primitives work in threads and after a
fork, and know nothing of HTTP or the API.
"""

from __future__ import annotations

import inspect
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import httpcore
import httpx

from ippanel_edge.wire import inspection

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Generator, Iterable, Iterator

T = TypeVar("T")

Guard = threading.Lock
"""A lock for state changes that do not block."""

monotonic: Final = time.monotonic
"""Return the seconds of a monotonic clock."""

_CHUNK: Final = 16 * 1024
"""Bytes per write under a deadline: few enough that a writable socket accepts them without blocking."""

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

    It limits `sleep`, `Lock`, `Slots`, and each operation of a transport's socket. It does not limit DNS look-ups: the
    system cannot interrupt them.

    Args:
        seconds: from now; None for no limit.
        shield: whether to ignore outer deadlines until the block ends.

    Raises:
        DeadlinePassed: the deadline expired and interrupted the block.
    """
    ends = None if seconds is None else monotonic() + seconds
    outer = None if shield else _ends.get()
    token = _ends.set(min((end for end in (ends, outer) if end is not None), default=None))
    try:
        yield
    finally:
        _ends.reset(token)


def remaining() -> float | None:
    """Return the seconds left, at least 0, or None if there is no deadline."""
    ends = _ends.get()
    return None if ends is None else max(ends - monotonic(), 0.0)


def sleep(seconds: float) -> None:
    """Sleep for some seconds. The deadline interrupts it.

    Raises:
        DeadlinePassed: the deadline expired first.
    """
    left = remaining()
    if left is not None and left <= seconds:
        time.sleep(left)
        raise DeadlinePassed
    time.sleep(seconds)


def check_cancelled() -> None:
    """Do nothing: threads cannot be cancelled."""


def pause(seconds: float, *, stopped: Callable[[], bool]) -> None:
    """Sleep for some seconds, but return soon after `stopped` returns True. The deadline interrupts it."""
    ends = monotonic() + seconds
    while not stopped() and (left := ends - monotonic()) > 0:
        sleep(min(left, _STEP))


def shielded() -> AbstractContextManager[object]:
    """Shield cleanup from cancellation: a no-op here, because threads cannot be cancelled."""
    return nullcontext()


def on_asyncio() -> bool:
    """Return True: the fast transport needs no event loop here."""
    return True


def run_blocking(function: Callable[[], T]) -> T:
    """Run a function that may block, in this thread. The deadline does not interrupt it."""
    return function()


def parts(stream: httpx.SyncByteStream) -> Iterator[bytes]:
    """Iterate over the content of a request."""
    return iter(stream)


def outcome(value: T | Awaitable[T]) -> T:
    """Return the result of a user's function.

    Raises:
        TypeError: the result must be awaited.
    """
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise TypeError("expected a sync function, got one that needs await; use AsyncEdgeClient for it")
    return value


class Local(Generic[T]):
    """A value for each process: a child must not use the sockets and locks of its parent.

    Args:
        make: creates a value.
        close: closes a value; None if there is nothing to close.
    """

    def __init__(self, make: Callable[[], T], close: Callable[[T], None] | None = None) -> None:
        self._make = make
        self._close = close
        self._owned: dict[int, T] = {}

    def get(self) -> T:
        """Return the value of this process, shared by all threads."""
        here = os.getpid()
        if here not in self._owned:
            self._owned.setdefault(here, self._make())
            for parent in self._owned.keys() - {here}:
                self._owned.pop(parent, None)  # closes the child's copies of the sockets, not the connections
        return self._owned[here]

    def owns(self, value: T) -> bool:
        """Whether the value is still in use."""
        return self._owned.get(os.getpid()) is value

    def close(self) -> None:
        """Close the value of this process; the next `get` creates another."""
        owned, self._owned = self._owned.get(os.getpid()), {}
        if owned is not None and self._close is not None:
            self._close(owned)


class Lock:
    """A lock. The deadline limits waiting for it, and a child process does not inherit it locked."""

    def __init__(self) -> None:
        self._lock = Local(threading.Lock)
        self._held: list[threading.Lock] = []  # changed by the holder only, so it has at most one entry

    def __enter__(self) -> None:
        lock = self._lock.get()
        if not lock.acquire(timeout=_waiting_time(None)):
            raise DeadlinePassed
        self._held[:] = [lock]

    def __exit__(self, *_: object) -> None:
        self._held.pop().release()


class Slots:
    """A semaphore: a limited number of holders; the others wait, first come, first served."""

    def __init__(self, total: int) -> None:
        self._guard = threading.Lock()
        self._free = total  # above 0 only without waiters: a released slot goes to the next waiter directly
        self._waiters: deque[threading.Lock] = deque()

    def acquire_now(self) -> bool:
        """Take a slot if one is free; return whether it was."""
        with self._guard:
            if not self._free:
                return False
            self._free -= 1
            return True

    def acquire(self, within: float | None = None) -> None:
        """Take a slot; wait if none is free.

        Args:
            within: the maximum of seconds to wait; None for no limit.

        Raises:
            SlotTimeout: none became free in that time.
            DeadlinePassed: the deadline expired first.
        """
        with self._guard:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()  # released when a slot is passed on
            self._waiters.append(turn)
        left = remaining()
        try:
            if turn.acquire(timeout=_waiting_time(within)):
                return
        except BaseException:
            if not self._leave(turn):
                self.release()
            raise
        if self._leave(turn):
            raise DeadlinePassed if left is not None and (within is None or left <= within) else SlotTimeout

    def release(self) -> None:
        """Release a slot to the longest waiter."""
        with self._guard:
            if self._waiters:
                self._waiters.popleft().release()
            else:
                self._free += 1

    @property
    def has_waiters(self) -> bool:
        """Whether there are waiters."""
        return bool(self._waiters)

    def _leave(self, turn: threading.Lock) -> bool:
        """Stop waiting. Return False if a slot was passed on meanwhile."""
        with self._guard:
            if turn not in self._waiters:
                return False
            self._waiters.remove(turn)
            return True


def _waiting_time(within: float | None) -> float:
    """Return how long to wait for a lock: `within` or until the deadline, or -1 without a limit."""
    limits = [limit for limit in (within, remaining()) if limit is not None]
    return min(*limits, threading.TIMEOUT_MAX) if limits else -1


def interrupt(network: Any) -> None:  # noqa: ANN401 - httpcore's network stream
    """Interrupt operations on a socket in other threads: closing it would not wake them."""
    connection = network.get_extra_info("socket")
    if isinstance(connection, socket.socket):
        with suppress(OSError):  # it is not connected any more
            socket.socket.shutdown(connection, socket.SHUT_RDWR)  # of the TCP connection, also below TLS


def make_transport(verify: ssl.SSLContext, proxy: httpx.Proxy | None, keepalive_expiry: float) -> httpx.HTTPTransport:
    """Create an httpx transport with one connection. A `deadline` limits each operation of its socket."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=keepalive_expiry)
    return _CappedTransport(verify=verify, trust_env=False, limits=limits, proxy=proxy)


class _CappedTransport(httpx.HTTPTransport):
    """An httpx transport that observes the deadline. `handle_request` stays httpx's own, because mocks patch it."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - the arguments of httpx's class
        super().__init__(**settings)
        # httpx cannot pass a network backend to httpcore. Setting it here avoids copying how httpx builds its pools.
        pool = getattr(self, "_pool", None)
        backend: httpcore.NetworkBackend | None = getattr(pool, "_network_backend", None)
        if pool is None or backend is None:
            inspection.warn_unknown("a deadline does not interrupt a socket operation, only the next one")
            return
        pool._network_backend = _CappedBackend(backend)  # noqa: SLF001 - see above


class _CappedBackend(httpcore.NetworkBackend):
    """Opens connections that observe the deadline: a timeout applies to one operation, and a response takes many."""

    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        options = None if socket_options is None else list(socket_options)
        failed: Exception | None = None
        for address in self._addresses(host, port):
            try:
                with _capped(timeout) as limit:
                    return _CappedStream(self._backend.connect_tcp(address, port, limit, local_address, options))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed or httpcore.ConnectError("the host has no address")

    def _addresses(self, host: str, port: int) -> list[str]:
        if remaining() is None:
            return [host]
        try:  # the system would give each address the whole time
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return [str(place[0]) for *_, place in found]


class _CappedStream(httpcore.NetworkStream):
    """A connection whose operations observe the deadline."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _capped(timeout) as limit:
            return self._stream.read(max_bytes, limit)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        size = _CHUNK if remaining() is not None else max(len(buffer), 1)
        for start in range(0, len(buffer), size):
            with _capped(timeout) as limit:
                self._stream.write(buffer[start : start + size], limit)

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        with _capped(timeout) as limit:
            return _CappedStream(self._stream.start_tls(ssl_context, server_hostname, limit))

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - httpcore's signature
        return self._stream.get_extra_info(info)


@contextmanager
def _capped(timeout: float | None) -> Generator[float | None]:
    """Limit a timeout to the rest of the deadline; raise DeadlinePassed if the deadline ended it."""
    left = remaining()
    if left is None or (timeout is not None and timeout < left):
        yield timeout
        return
    if left == 0:
        raise DeadlinePassed
    try:
        yield left
    except httpcore.TimeoutException:
        raise DeadlinePassed from None
