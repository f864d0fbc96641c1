"""The clock of the sandbox, which tests can advance; all other modules of the sandbox read the time from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class SandboxClock:
    """The current time of a sandbox: the system time plus an offset, or a frozen time.

    Args:
        start: the initial time, a timezone-aware datetime; the system time by default.
        frozen: whether only `advance` changes the time.

    Attributes:
        listeners: functions to call after each change by `advance`.

    Raises:
        ValueError: `start` is naive.
    """

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError(
                "start: expected a timezone-aware datetime, got a naive one; use e.g. datetime(2030, 1, 1, tzinfo=UTC)"
            )
        real = datetime.now(UTC)
        initial = real if start is None else start.astimezone(UTC)
        self._frozen_at: datetime | None = initial if frozen else None
        self._offset = initial - real
        self.listeners: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """Return the current time as a timezone-aware UTC datetime."""
        return datetime.now(UTC) + self._offset if self._frozen_at is None else self._frozen_at

    def advance(self, seconds: float) -> None:
        """Advance the clock.

        Args:
            seconds: the number of seconds; must not be negative.

        Raises:
            ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError(f"seconds: expected a non-negative number, got {seconds}")
        step = timedelta(seconds=seconds)
        if self._frozen_at is None:
            self._offset += step
        else:
            self._frozen_at += step
        for listener in list(self.listeners):
            listener()
