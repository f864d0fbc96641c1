# Generated from ippanel_edge/_async/runner.py by tests/codegen/generate_sync.py: edit that, not this.
"""What a section needs of its client: the one function that carries a call out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import ParamSpec, Protocol, TypeVar

from ippanel_edge.endpoints import Endpoint
from ippanel_edge.errors import EdgeError
from ippanel_edge.values.files import Upload

T = TypeVar("T")
P = ParamSpec("P")


def sparing(method: Callable[P, T]) -> Callable[P, T]:
    """Keep a method's arguments out of the tracebacks of its errors, for one that takes a password, token or code.

    A traceback may be shown with the locals of its frames. So the error is raised anew, and begins here; so is a
    cancellation, and Ctrl-C.
    """

    @wraps(method)
    def spared(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except BaseException as error:
            if isinstance(error, Exception) and not isinstance(error, EdgeError):
                raise  # nothing that is expected: where it comes from is worth more
            failure = error
        del args, kwargs
        failure.__cause__ = failure.__context__ = None
        raise failure.with_traceback(None)

    return spared


class Caller(Protocol):
    """Carries out a call of an endpoint and gives what it returns."""

    def __call__(
        self,
        endpoint: Endpoint[T],
        *,
        path: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
        json: object = None,
        form: Mapping[str, object] | None = None,
        files: Sequence[tuple[str, Upload]] = (),
    ) -> T:
        """Carry it out; what is None in the arguments is left out of the request."""
        ...
