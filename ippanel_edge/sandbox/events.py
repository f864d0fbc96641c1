"""The event feed of the sandbox: a bounded history of events, with sync and async subscribers."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, Self
from weakref import WeakSet

import anyio
import attrs
import sniffio

HISTORY: Final = 4096
"""The number of events that are kept, for new and for slow subscribers."""
TICK: Final = 0.2
"""Real seconds between two polls for changes that only the passing of time causes, while somebody waits for events."""


@attrs.frozen
class Event:
    """One event of a sandbox.

    Attributes:
        id: the position in the feed, from 1.
        kind: "message" (to a phone), "status" (of such a message), "inbound" (from a phone), "clock", "fault" (one was
            used), "request" (of the API), or "reset" (events are missing, or records were deleted; read the state).
        data: the content, as JSON can represent it.
    """

    id: int
    kind: str
    data: Mapping[str, Any]


class EventFeed:
    """A feed of events that any thread may publish to.

    Args:
        history: the number of events that are kept. A subscriber that is further behind gets a "reset".

    Attributes:
        run: a random str that tells the ids of this feed from those of another one.
        poll: a function that publishes the changes that time has caused; waiting subscribers call it every 0.2 s.
    """

    def __init__(self, history: int = HISTORY) -> None:
        self.run: Final = secrets.token_hex(4)
        self.poll: Callable[[], None] | None = None
        self._history = history
        self._events: dict[int, Event] = {}
        self._last_id = 0
        self._polled_at = 0.0
        self._published = threading.Condition()
        self._subscriptions: WeakSet[Subscription] = WeakSet()

    @property
    def last_id(self) -> int:
        """The id of the newest event; 0 if there is none."""
        return self._last_id

    def publish(self, kind: str, data: Mapping[str, Any]) -> None:
        """Add an event and wake the subscribers that wait for one; it never blocks."""
        with self._published:
            self._last_id += 1
            self._events[self._last_id] = Event(self._last_id, kind, data)
            self._events.pop(self._last_id - self._history, None)
            self._wake()

    def subscribe(self, after: int | None = None) -> Subscription:
        """Return an iterator, sync and async, over the events from now on.

        Args:
            after: begin after the event with this id; if the history does not reach back to it, begin with a "reset".
        """
        with self._published:
            subscription = Subscription(self, self._last_id if after is None else after)
            self._subscriptions.add(subscription)
        return subscription

    def _read(self, cursor: int, limit: int) -> list[Event]:
        """Return at most `limit` events after a cursor; a "reset" alone if some of them are missing."""
        with self._published:
            missing = self._last_id - cursor
            if missing == 0:
                return []
            if missing < 0 or missing > len(self._events):
                return [Event(self._last_id, "reset", {"reason": "events are missing"})]
            return [self._events[cursor + step] for step in range(1, min(missing, limit) + 1)]

    def _wake(self) -> None:
        """Wake the waiting subscribers; the caller holds the lock."""
        self._published.notify_all()
        if len(self._subscriptions):  # iterating over a WeakSet is slow even if it is empty
            for subscription in self._subscriptions:
                subscription._wake()  # noqa: SLF001 - the two classes are one unit

    def _poll(self) -> None:
        """Call `poll`, at most once in each tick however many subscribers wait."""
        now = time.monotonic()
        if self.poll is not None and now - self._polled_at >= TICK / 2:
            self._polled_at = now
            self.poll()


class Subscription:
    """The events of a feed from some point on: iterate over it with `for` or `async for`; `close` ends the iteration.

    It has no queue of its own. A subscriber that is too slow for the history gets an event of the kind "reset", and
    continues with the newest event. It may be used by one thread or task at a time; `close` may be called by any.
    """

    def __init__(self, feed: EventFeed, cursor: int) -> None:
        self._feed = feed
        self._cursor = cursor
        self._closed = False
        self._waker: Callable[[], object] | None = None

    def close(self) -> None:
        """End the iteration; events that were not read are dropped."""
        with self._feed._published:  # noqa: SLF001 - the two classes are one unit
            self._closed = True
            self._feed._wake()  # noqa: SLF001

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def take(self, limit: int = HISTORY) -> list[Event]:
        """Return the events that are available now, at most `limit`."""
        self._feed._poll()  # noqa: SLF001
        return self._advance(limit)

    def wait(self, timeout: float | None = None, *, limit: int = HISTORY) -> list[Event]:
        """Wait for events and return them.

        Args:
            timeout: the maximum wait in real seconds; None: unlimited.
            limit: the maximum number of events.

        Returns:
            At least one event; none if the time is up or the subscription is closed.
        """
        end = None if timeout is None else time.monotonic() + timeout
        published = self._feed._published  # noqa: SLF001
        while not self._closed:
            if events := self.take(limit):
                return events
            remaining = TICK if end is None else min(TICK, end - time.monotonic())
            if remaining <= 0:
                break
            with published:
                published.wait_for(self._has_news, remaining)
        return []

    async def wait_async(self, timeout: float | None = None, *, limit: int = HISTORY) -> list[Event]:  # noqa: ASYNC109 - it returns what there is
        """Wait for events like `wait`, without blocking the event loop (asyncio or trio)."""
        end = None if timeout is None else time.monotonic() + timeout
        while not self._closed:
            if events := self.take(limit):
                return events
            remaining = TICK if end is None else min(TICK, end - time.monotonic())
            if remaining <= 0:
                break
            await self._sleep(remaining)
        return []

    async def _sleep(self, seconds: float) -> None:
        """Wait until an event is published, the subscription is closed, or the time is up."""
        woken = anyio.Event()
        run_in_loop = _loop_caller()
        with self._feed._published:  # noqa: SLF001
            if self._has_news():
                return
            self._waker = lambda: run_in_loop(woken.set)
        with anyio.move_on_after(seconds):
            await woken.wait()

    def _has_news(self) -> bool:
        return self._closed or self._cursor != self._feed.last_id

    def _wake(self) -> None:
        """Wake the task that waits; the caller holds the lock of the feed."""
        waker, self._waker = self._waker, None
        if waker is not None:
            try:
                waker()
            except RuntimeError:  # the event loop ended while the task waited: there is nobody to wake
                self._closed = True

    def _advance(self, limit: int) -> list[Event]:
        if self._closed:
            return []
        events = self._feed._read(self._cursor, limit)  # noqa: SLF001
        if events:
            self._cursor = events[-1].id
        return events

    def __iter__(self) -> Self:
        """Return itself."""
        return self

    def __next__(self) -> Event:
        """Wait for the next event; the iteration ends when the subscription is closed."""
        for event in self.wait(limit=1):
            return event
        raise StopIteration

    def __aiter__(self) -> Self:
        """Return itself."""
        return self

    async def __anext__(self) -> Event:
        """Wait for the next event; the iteration ends when the subscription is closed."""
        for event in await self.wait_async(limit=1):
            return event
        raise StopAsyncIteration

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the subscription."""
        self.close()


def _loop_caller() -> Callable[[Callable[[], object]], object]:
    """Return a function that calls another one in the running event loop; any thread may call it."""
    if sniffio.current_async_library() == "trio":
        import trio  # noqa: PLC0415 - only programs that use trio have it

        return trio.lowlevel.current_trio_token().run_sync_soon
    return asyncio.get_running_loop().call_soon_threadsafe
