# Generated from ippanel_edge/_async/limiter.py by tests/codegen/generate_sync.py: edit that, not this.
"""The rate limit: a token bucket that is independent of the event loop, for asyncio, trio and threads."""

from __future__ import annotations

from ippanel_edge._sync import _io
from ippanel_edge.config import RateLimit
from ippanel_edge.errors import ConnectionFailed


class Limiter:
    """Limits the rate of requests, first come, first served (GCRA: the bucket is one number)."""

    def __init__(self, limit: RateLimit) -> None:
        self._gap = 1.0 / limit.per_second
        self._slack = self._gap * (limit.burst - 1)
        self._next = 0.0
        self._lock = _io.Lock()

    def wait(self) -> None:
        """Wait for this request's turn.

        Raises:
            ConnectionFailed: the turn is after the call's deadline; it is not used.
        """
        with self._lock:
            now = _io.monotonic()
            turn = max(self._next, now)
            delay = turn - self._slack - now
            remaining = _io.remaining()
            if remaining is not None and delay >= remaining:
                raise ConnectionFailed(
                    f"the rate limit requires a wait of {delay:.3g} s, longer than the deadline",
                    retryable=False,
                    timed_out=True,
                )
            self._next = turn + self._gap
        if delay > 0:
            _io.sleep(delay)
