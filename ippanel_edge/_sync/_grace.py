"""What is recorded when a send is interrupted. `_async/_grace.py` has the same names.

These two files are written by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import attrs

T = TypeVar("T")


@attrs.frozen
class Grace(Generic[T]):
    """What is recorded when a function is interrupted.

    Attributes:
        began: returns whether it began, so that an interruption would leave its outcome unknown.
        seconds: not used; on the async side, how long it may go on after a cancellation.
        abandoned: called with None after an interruption.
    """

    began: Callable[[], bool]
    seconds: float
    abandoned: Callable[[T | None], None]


def finish(run: Callable[[], T], grace: Grace[T]) -> T:
    """Run a function. Only KeyboardInterrupt can interrupt it, and it is not deferred."""
    try:
        return run()
    except KeyboardInterrupt:
        if grace.began():
            grace.abandoned(None)
        raise
