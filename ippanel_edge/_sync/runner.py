# Generated from ippanel_edge/_async/runner.py by tests/codegen/generate_sync.py: edit that, not this.
"""What a section needs from its client: the function that runs a call, and a guard for secret arguments."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from traceback import format_tb
from typing import ParamSpec, Protocol, TypeVar

from ippanel_edge.errors import EdgeError
from ippanel_edge.values.redaction import without_frames
from ippanel_edge.wire.call import Call

T = TypeVar("T")
P = ParamSpec("P")


class Run(Protocol):
    """Runs a call."""

    def __call__(self, call: Call[T]) -> T:
        """Run a call and return the decoded data of the reply."""
        ...


def hide_arguments(method: Callable[P, T]) -> Callable[P, T]:
    """Keep the arguments of a method out of the tracebacks of its errors: for a password, token or code.

    A traceback may be displayed with the local variables of its frames. So each exception is raised again without its
    frames, also a cancellation, KeyboardInterrupt and the TypeError of a missing argument. An unexpected exception
    gets a note with its traceback as text, which has no local variables.
    """

    @wraps(method)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - it is raised again
            if isinstance(error, Exception) and not isinstance(error, EdgeError):
                error.add_note("".join(["Traceback of the original exception:\n", *format_tb(error.__traceback__)]))
            failure = error
        del args, kwargs
        raise without_frames(failure)

    return guarded
