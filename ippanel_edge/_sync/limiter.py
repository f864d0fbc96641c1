# Generated from ippanel_edge/_async/limiter.py by tests/codegen/generate_sync.py: edit that, not this.
"""The rate limit: a token bucket that is independent of the event loop, for asyncio, trio and threads."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable

from ippanel_edge._sync import _io
from ippanel_edge.config import RateLimit
from ippanel_edge.errors import ConnectionFailed


class Limiter:
    """Limits the rate of requests, first come, first served (GCRA: the bucket is one number).

    A turn that is not used, because its request was cancelled, goes to the next request.
    """

    def __init__(self, limit: RateLimit) -> None:
        self._gap = 1.0 / limit.per_second
        self._slack = self._gap * (limit.burst - 1)
        self._next = 0.0
        self._unused: list[float] = []
        self._lock = threading.Lock()  # never held while waiting, so it serves several event loops too

    def wait(self, delayed: Callable[[float], None]) -> None:
        """Wait for this request's turn.

        Args:
            delayed: receives the seconds to wait, if there are any.

        Raises:
            ConnectionFailed: the turn is after the call's deadline; it is not used.
        """
        now = _io.monotonic()
        with self._lock:
            turn = self._reserve(now)
        delay = turn - self._slack - now
        remaining = _io.remaining()
        if remaining is not None and delay >= remaining:
            self._give_back(turn)
            raise ConnectionFailed(
                f"the rate limit requires a wait of {delay:.3g} s, longer than the deadline",
                retryable=False,
                timed_out=True,
            )
        if delay > 0:
            try:
                delayed(delay)
                _io.sleep(delay)
            except BaseException:
                self._give_back(turn)
                raise

    def _reserve(self, now: float) -> float:
        while self._unused:
            turn = heapq.heappop(self._unused)
            if turn >= now:
                return turn
        turn = max(self._next, now)
        self._next = turn + self._gap
        return turn

    def _give_back(self, turn: float) -> None:
        with self._lock:
            heapq.heappush(self._unused, turn)
