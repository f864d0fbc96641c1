"""The clock of the sandbox, which tests can advance; all other modules of the sandbox read the time from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


END: Final = datetime(3000, 1, 1, tzinfo=UTC)
"""The last time of a clock: those of later steps of a delivery can still be represented."""
_LONGEST_WAIT: Final = 10.0**10
"""The maximum of seconds of one wait: 300 years."""


class SandboxClock:
    """The current time of a sandbox: the system time plus an offset, or a frozen time.

    Args:
        start: the initial time, a timezone-aware datetime; the system time by default.
        frozen: whether only `advance` changes the time.
        factor: how many times sooner deliveries, reviews and scheduled sends happen. The time of day and lifetimes of
            tokens and one-time passwords do not depend on it: a `send_time` that a program computes from the system
            clock would otherwise soon be in the past of the sandbox, and a code would expire before anybody types it.

    Attributes:
        factor: as above.
        listeners: functions to call after each change by `advance`.

    Raises:
        ValueError: `start` is naive, or `factor` is not positive and finite.
    """

    def __init__(self, start: datetime | None = None, *, frozen: bool = False, factor: float = 1.0) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError(
                "start: expected a timezone-aware datetime, got a naive one; use e.g. datetime(2030, 1, 1, tzinfo=UTC)"
            )
        if not (factor > 0 and isfinite(factor)):
            raise ValueError(f"factor: expected a positive number, got {factor}; use e.g. 60")
        self.factor: float = factor
        real = datetime.now(UTC)
        initial = real if start is None else start.astimezone(UTC)
        self._frozen_at: datetime | None = initial if frozen else None
        self._offset = initial - real
        self.listeners: list[Callable[[], None]] = []

    def now(self) -> datetime:
        """Return the current time as a timezone-aware UTC datetime."""
        return datetime.now(UTC) + self._offset if self._frozen_at is None else self._frozen_at

    def wait(self, seconds: float) -> timedelta:
        """Return how long a wait of `seconds` takes: a delivery step, a review, or the time until a scheduled send."""
        return timedelta(seconds=min(seconds / self.factor, _LONGEST_WAIT))

    def position(self) -> dict[str, str | float]:
        """Return what `restore` needs to continue: the time of a frozen clock, or the offset of a running one."""
        if self._frozen_at is not None:
            return {"time": self._frozen_at.isoformat(), "factor": self.factor}
        return {"offset": self._offset.total_seconds(), "factor": self.factor}

    def restore(self, position: Mapping[str, str | float]) -> None:
        """Continue where the clock of this `position` was, with its factor; whether this clock is frozen stays."""
        moment = (
            datetime.fromisoformat(str(position["time"]))
            if "time" in position
            else datetime.now(UTC) + timedelta(seconds=float(position["offset"]))
        )
        if self._frozen_at is None:
            self._offset = moment - datetime.now(UTC)
        else:
            self._frozen_at = moment
        self.factor = float(position.get("factor", self.factor))

    def advance(self, seconds: float) -> None:
        """Advance the clock.

        Args:
            seconds: the number of seconds; must not be negative.

        Raises:
            ValueError: `seconds` is negative, or leads beyond `END`.
        """
        if seconds < 0:
            raise ValueError(f"seconds: expected a non-negative number, got {seconds}")
        if not seconds <= (END - self.now()).total_seconds():
            raise ValueError(f"seconds: expected a step to a time before the year {END.year}, got {seconds}")
        step = timedelta(seconds=seconds)
        if self._frozen_at is None:
            self._offset += step
        else:
            self._frozen_at += step
        for listener in list(self.listeners):
            listener()
