"""The sandbox's clock, which tests can turn. Nothing in the sandbox reads the time anywhere else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SandboxClock:
    """Tells the sandbox the time: the real one plus what it was advanced by, or a frozen one.

    Args:
        start: what the clock shows at first, an aware datetime. Without it, the real time.
        frozen: stand still; only `advance` moves it.

    Raises:
        ValueError: `start` is naive.
    """

    def __init__(self, start: datetime | None = None, *, frozen: bool = False) -> None:
        if start is not None and start.tzinfo is None:
            raise ValueError("start must be an aware datetime, such as datetime(2030, 1, 1, tzinfo=UTC)")
        real = datetime.now(UTC)
        shown = real if start is None else start.astimezone(UTC)
        self._standing: datetime | None = shown if frozen else None
        self._offset = shown - real

    def now(self) -> datetime:
        """Return the time as an aware UTC datetime."""
        return datetime.now(UTC) + self._offset if self._standing is None else self._standing

    def advance(self, seconds: float) -> None:
        """Turn the clock forward.

        Args:
            seconds: how far; not negative.

        Raises:
            ValueError: `seconds` is negative.
        """
        if seconds < 0:
            raise ValueError(f"seconds must not be negative, not {seconds}")
        step = timedelta(seconds=seconds)
        if self._standing is None:
            self._offset += step
        else:
            self._standing += step
