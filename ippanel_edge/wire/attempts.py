"""The record of one call's attempts: how many there were, and whether one of them may have been executed. No I/O."""

from __future__ import annotations

from typing import Any, TypeVar

import attrs

from ippanel_edge.endpoints import READ, WRITE
from ippanel_edge.errors import ConnectionFailed, EdgeError, Outcome, OutcomeUnknown, evolve
from ippanel_edge.wire.call import Call

E = TypeVar("E", bound=EdgeError)


@attrs.define
class Attempts:
    """The attempts of one call. The exchange records each of them, also those that a middleware adds.

    Attributes:
        call: the call.
        count: the number of requests started.
        headers_began: whether the headers of the current request began to leave this machine.
        untraced: whether a transport that has not emitted a trace event has the current request. It may have left.
        executed: whether an attempt succeeded. A middleware may still raise an error after it.
        unknown: whether an attempt failed with the outcome UNKNOWN.
    """

    call: Call[Any]
    count: int = 0
    headers_began: bool = False
    untraced: bool = False
    executed: bool = False
    unknown: bool = False

    def begin(self) -> None:
        """Record that another request is started."""
        self.count += 1
        self.headers_began = False
        self.untraced = False

    def succeeded(self) -> None:
        """Record that the current attempt was executed."""
        self.executed = True

    @property
    def may_be_executed(self) -> bool:
        """Whether an attempt was or may have been executed."""
        return self.executed or self.unknown

    @property
    def is_done(self) -> bool:
        """Whether the call must not be attempted again, because it was executed and is not idempotent."""
        return self.executed and self.call.repeat not in (READ, WRITE)

    @property
    def may_have_left(self) -> bool:
        """Whether the current request may have left this machine: NOT_SENT needs proof."""
        return self.headers_began or self.untraced

    def failed(self, error: EdgeError) -> None:
        """Record the outcome of a failed attempt."""
        self.untraced = self.untraced and error.outcome is Outcome.UNKNOWN
        self.unknown = self.unknown or error.outcome is Outcome.UNKNOWN

    def out_of_time(self, seconds: float | None) -> EdgeError:
        """Return the error of a call whose deadline expired; None is a deadline that the call inherited."""
        expired = "the deadline expired" if seconds is None else f"the deadline of {seconds:g} s expired"
        if self.may_have_left or self.may_be_executed:
            return OutcomeUnknown(f"{expired} before a response arrived", timed_out=True)
        return ConnectionFailed(f"{expired} before anything was sent", timed_out=True)

    def final(self, error: EdgeError) -> EdgeError:
        """Return the error that the call ends with. Its outcome is UNKNOWN if any attempt may have been executed."""
        if not self.may_be_executed or error.outcome is Outcome.UNKNOWN:
            return error
        if isinstance(error, ConnectionFailed):
            unknown = OutcomeUnknown(
                f"{error.args[0]}; an earlier attempt may have been executed", timed_out=error.timed_out
            )
            unknown.__cause__ = error
            return unknown
        return evolve(error, outcome=Outcome.UNKNOWN)

    def labelled(self, error: E) -> E:
        """Return the error with the call's name and the number of attempts. An error of another call keeps its own."""
        if error.endpoint:
            return error
        name = self.call.endpoint.name
        return evolve(error, endpoint=name, attempts=self.count, reads_only=self.call.repeat is READ)
