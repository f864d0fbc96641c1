"""Transient errors while polling: the pause after each of them, their log records, and the user's callback."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from ippanel_edge._async import _io
from ippanel_edge.errors import (
    ApiError,
    ConfigurationError,
    ConnectionFailed,
    EdgeError,
    InvalidArgument,
    RateLimited,
    ServerError,
)
from ippanel_edge.values.checks import check_seconds

_LOG = logging.getLogger("ippanel_edge")

MAX_PAUSE: Final = 60.0
"""The maximum of seconds between polls while the service cannot be reached."""
_NOT_PROCESSED: Final = frozenset({408, 421, 425})
"""Statuses that concern the connection, not the request."""


class AsyncFaults:
    """The errors of the polls since the last successful one.

    Args:
        name: the name of the call, for the log.
        every: seconds between polls if there are no errors.
        on_fault: called after each transient error, with the error and the seconds until the next poll.

    Attributes:
        pause: seconds until the next poll.

    Raises:
        InvalidArgument: `every` is not above 0, or `on_fault` is not callable.
    """

    def __init__(self, name: str, *, every: float, on_fault: Callable[[EdgeError, float], object] | None) -> None:
        self._every = self.pause = check_seconds(every, argument="every")
        if on_fault is not None and not callable(on_fault):  # pyright: ignore[reportUnnecessaryComparison] - callers without a type checker
            raise InvalidArgument(f"expected a function, got {type(on_fault).__name__}", argument="on_fault")
        self._name = name
        self._on_fault = on_fault
        self._count = 0

    async def failed(self, error: EdgeError) -> None:
        """Record an error of a poll: double the pause, log it and call `on_fault`.

        Raises:
            EdgeError: the error itself, if a retry cannot succeed.
        """
        if not is_transient(error):
            raise error
        requested = error.retry_after or 0.0 if isinstance(error, ApiError) else 0.0
        self.pause = min(max(self.pause * 2, requested), max(MAX_PAUSE, self._every))
        self._count += 1
        status = getattr(error, "status_code", None)
        self._log(
            logging.WARNING if self._count == 1 else logging.INFO,
            f"polling failed ({type(error).__name__}{f', HTTP {status}' if status else ''}); "
            f"the next poll is in {self.pause:g} s",
            error=type(error).__name__,
            status_code=status,
            pause=self.pause,
        )
        if self._on_fault is not None:
            await _io.outcome(self._on_fault(error, self.pause))

    def succeeded(self) -> None:
        """Record a successful poll."""
        if self._count:
            self._log(
                logging.INFO,
                f"polling works again after {self._count} failed poll{'s' if self._count > 1 else ''}",
                error=None,
                status_code=None,
                pause=self._every,
            )
        self._count = 0
        self.pause = self._every

    def _log(self, level: int, message: str, **attributes: object) -> None:
        # The error's own text may quote a message, so it is left to on_fault.
        _LOG.log(
            level, "%s: %s", self._name, message, extra={"endpoint": self._name, "failures": self._count, **attributes}
        )


def is_transient(error: EdgeError) -> bool:
    """Whether a retry may succeed: not if the service or this SDK rejects the request itself."""
    if isinstance(error, ApiError):
        return isinstance(error, ServerError | RateLimited) or error.status_code in _NOT_PROCESSED
    if isinstance(error, ConnectionFailed):
        return error.retryable
    return not isinstance(error, ConfigurationError)
