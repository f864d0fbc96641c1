"""The few primitives that the code in here stands on: time, locks, deadlines, one transport. Its twin is in `_async`.

This file and `_async/_io.py` are written by hand, name for name; everything else in `_sync` is generated. They run
in threads, and after a fork. No HTTP, and no rule of the API, is in here.
"""

from __future__ import annotations

import inspect
import os
import socket
import threading
import time
from collections import deque
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import httpcore
import httpx

from ippanel_edge.wire import inspection

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Generator, Iterable

T = TypeVar("T")

Guard = threading.Lock
"""What a thread needs around a change of shared state that waits for nothing."""

monotonic: Final = time.monotonic
"""Seconds of a clock that never goes back."""

_PIECE: Final = 16 * 1024
"""Bytes written at a time under a deadline: so few that a socket ready for writing takes them at once."""

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

    All that waits in here keeps to it: `sleep`, `Lock`, `Slots`, and each operation of a transport's socket. Looking
    up a host's address does not: the system offers no way to end it.

    Args:
        seconds: how long from now; None for as long as it takes.
        shield: whether what is inside is spared the deadlines from outside, which come after it.

    Raises:
        DeadlinePassed: what was inside was interrupted because its time was over.
    """
    ends = None if seconds is None else monotonic() + seconds
    outer = None if shield else _ends.get()
    token = _ends.set(min((end for end in (ends, outer) if end is not None), default=None))
    try:
        yield
    finally:
        _ends.reset(token)


def remaining() -> float | None:
    """Return the seconds left, at least 0, or None where there is no end."""
    ends = _ends.get()
    return None if ends is None else max(ends - monotonic(), 0.0)


def sleep(seconds: float) -> None:
    """Wait for so many seconds. The deadline cuts it short.

    Raises:
        DeadlinePassed: the deadline came first.
    """
    left = remaining()
    if left is not None and left <= seconds:
        time.sleep(left)
        raise DeadlinePassed
    time.sleep(seconds)


def shielded() -> AbstractContextManager[object]:
    """Mark what is for closing, and takes no time worth naming. Nothing cancels a thread, so here it does nothing."""
    return nullcontext()


def finish(
    run: Callable[[], T], *, began: Callable[[], bool], grace: float, abandoned: Callable[[T | None], None]
) -> T:
    """Run something to its end. Nothing but Ctrl-C breaks into a thread, and that is not held up.

    Args:
        run: what to do.
        began: whether it has begun, so that breaking it off would leave open what became of it.
        grace: seconds for which the twin holds up a cancellation.
        abandoned: told, with None, that nobody waits for the result any more.
    """
    del grace
    try:
        return run()
    except KeyboardInterrupt:
        if began():
            abandoned(None)
        raise


def outcome(value: T | Awaitable[T]) -> T:
    """Return what a caller's function gave.

    Raises:
        TypeError: it has to be awaited, which nothing in here does.
    """
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise TypeError("the client that does not await was given a function that has to be awaited")
    return value


class Local(Generic[T]):
    """A value that belongs to this process, made anew in a child: it must not use its parent's sockets and locks."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._owned: dict[int, T] = {}

    def get(self) -> T:
        """Return the value of this process, the same in every thread."""
        here = os.getpid()
        if here not in self._owned:
            self._owned.setdefault(here, self._make())
            for parent in self._owned.keys() - {here}:
                self._owned.pop(parent, None)  # closes the child's copies of its sockets and no connection
        return self._owned[here]

    def owns(self, value: T) -> bool:
        """Whether the value is still the one in use."""
        return self._owned.get(os.getpid()) is value

    def drop(self) -> None:
        """Let go of the value: the next `get` makes another."""
        self._owned = {}


class Lock:
    """A lock for `with`. Waiting for it ends with the deadline, and a child does not inherit it locked."""

    def __init__(self) -> None:
        self._lock = Local(threading.Lock)
        self._held: list[threading.Lock] = []  # changed by the holder only, so it has one entry at the most

    def __enter__(self) -> None:
        lock = self._lock.get()
        if not lock.acquire(timeout=_waiting_time(None)):
            raise DeadlinePassed
        self._held[:] = [lock]

    def __exit__(self, *_: object) -> None:
        self._held.pop().release()


class Slots:
    """So many may go in at once; the others wait in line, first come, first served."""

    def __init__(self, total: int) -> None:
        self._guard = threading.Lock()
        self._free = total  # more than 0 only while nobody waits: a slot given back goes straight to the next
        self._line: deque[threading.Lock] = deque()

    def acquire(self, within: float | None = None) -> None:
        """Take a slot, waiting for it where none is free.

        Args:
            within: how many seconds to wait; None for as long as it takes.

        Raises:
            SlotTimeout: none came free in that time.
            DeadlinePassed: the deadline came first.
        """
        with self._guard:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()  # released by whoever hands a slot over
            self._line.append(turn)
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
        """Give a slot back, to the one who waits longest."""
        with self._guard:
            if self._line:
                self._line.popleft().release()
            else:
                self._free += 1

    @property
    def has_waiters(self) -> bool:
        """Whether anybody waits for a slot."""
        return bool(self._line)

    def _leave(self, turn: threading.Lock) -> bool:
        """Leave the line. Returns False where a slot was handed over in the meantime."""
        with self._guard:
            if turn not in self._line:
                return False
            self._line.remove(turn)
            return True


def _waiting_time(within: float | None) -> float:
    """Return for how long to wait for a lock: `within`, at most to the deadline, and -1 where there is no end."""
    limits = [limit for limit in (within, remaining()) if limit is not None]
    return min(*limits, threading.TIMEOUT_MAX) if limits else -1


def make_transport(verify: ssl.SSLContext, proxy: httpx.Proxy | None, keepalive_expiry: float) -> httpx.HTTPTransport:
    """Make an httpx transport of a single connection. A `deadline` bounds each operation of its socket."""
    limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=keepalive_expiry)
    return _CappedTransport(verify=verify, trust_env=False, limits=limits, proxy=proxy)


class _CappedTransport(httpx.HTTPTransport):
    """An httpx transport that keeps to the deadline. What handles a request stays httpx's, for tests patch that."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - httpx's own, passed on
        super().__init__(**settings)
        # httpcore takes its backend as an argument, but httpx has no argument to pass one on. Setting it here avoids
        # repeating how httpx builds its pools and proxies.
        pool = getattr(self, "_pool", None)
        backend: httpcore.NetworkBackend | None = getattr(pool, "_network_backend", None)
        if pool is None or backend is None:
            inspection.warn_unknown("a deadline does not interrupt a socket operation, only the next one")
            return
        pool._network_backend = _CappedBackend(backend)  # noqa: SLF001 - see above


class _CappedBackend(httpcore.NetworkBackend):
    """Opens connections that keep to the deadline: a timeout counts for one operation, and a reply has many."""

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
        try:  # the system's own way through them would give each address the whole time
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        return [str(place[0]) for *_, place in found]


class _CappedStream(httpcore.NetworkStream):
    """A connection whose every operation ends with the deadline."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _capped(timeout) as limit:
            return self._stream.read(max_bytes, limit)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        piece = _PIECE if remaining() is not None else max(len(buffer), 1)
        for start in range(0, len(buffer), piece):
            with _capped(timeout) as limit:
                self._stream.write(buffer[start : start + piece], limit)

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
    """Shorten a timeout to what is left of the deadline, and tell the two apart where it comes to an end."""
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
