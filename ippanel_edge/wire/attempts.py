"""The record of one call's attempts: how many there were, and whether one of them may have been executed. No I/O."""

from __future__ import annotations

import itertools
import re
from typing import Any, Final, TypeVar

import attrs

from ippanel_edge.endpoints import READ, WRITE
from ippanel_edge.errors import ApiError, ConnectionFailed, DecodeError, EdgeError, Outcome, OutcomeUnknown, evolve
from ippanel_edge.models.send_result import SendResult
from ippanel_edge.wire.call import Call

E = TypeVar("E", bound=EdgeError)

_NUMBERS: Final = itertools.count(1)
_CODE: Final = re.compile(r"[0-9]{1,3}-[0-9]{1,4}")


@attrs.define(eq=False, repr=False)
class Attempts:
    """The attempts of one call. The exchange records each of them, also those that a middleware adds.

    Attributes:
        call: the call.
        count: the number of requests started.
        headers_began: whether the headers of the current request began to leave this machine.
        untraced: whether a transport that has not emitted a trace event has the current request. It may have left.
        executed: whether an attempt succeeded. A middleware may still raise an error after it.
        unknown: whether an attempt failed with the outcome UNKNOWN.
        is_open: whether the current request has no outcome yet.
        interrupted: whether a send was interrupted after its headers began to leave.
        outcome: the outcome of the last request that failed; NOT_SENT before the first request.
        status_code: the HTTP status of the current request; None without a response.
        reason: why the current request failed: text of this package only, never of the response.
        message_outbox_ids: the ids of the messages that the service accepted.
        number: the number of the call in this process.
        began: the time when the call began, of the monotonic clock.
        attempt_began: the time when the current request began.
    """

    call: Call[Any]
    count: int = 0
    headers_began: bool = False
    untraced: bool = False
    executed: bool = False
    unknown: bool = False
    is_open: bool = False
    interrupted: bool = False
    outcome: Outcome = Outcome.NOT_SENT
    status_code: int | None = None
    reason: str = ""
    message_outbox_ids: tuple[int, ...] = ()
    number: int = attrs.field(init=False, factory=lambda: next(_NUMBERS))
    began: float = 0.0
    attempt_began: float = 0.0

    def begin(self) -> None:
        """Record that another request is started."""
        self.count += 1
        self.headers_began = False
        self.untraced = False
        self.is_open = True
        self.status_code = None
        self.reason = ""

    def answered(self, status_code: int) -> None:
        """Record that the current request has a response."""
        self.status_code = status_code

    def succeeded(self, data: object) -> None:
        """Record that the current attempt was executed, with the decoded data of its response."""
        self.executed = True
        self.is_open = False
        if isinstance(data, SendResult):
            self.message_outbox_ids = data.message_outbox_ids

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

    @property
    def is_pending(self) -> bool:
        """Whether the current request ended without an outcome, for example by a cancellation, and may have left."""
        return self.is_open and self.may_have_left

    @property
    def current_outcome(self) -> Outcome | None:
        """The outcome of the current request when it ended, or None if the service executed it."""
        if self.is_open:
            return Outcome.UNKNOWN if self.may_have_left else Outcome.NOT_SENT
        return self.outcome if self.reason else None

    def failed(self, error: EdgeError) -> None:
        """Record the outcome of a failed attempt."""
        self.is_open = False
        self.outcome = error.outcome
        self.untraced = self.untraced and error.outcome is Outcome.UNKNOWN
        self.unknown = self.unknown or error.outcome is Outcome.UNKNOWN

    def explained(self, error: EdgeError) -> None:
        """Record why the current request failed. The text of a response is left out: it may quote the request.

        Args:
            error: an error of the exchange, without secrets.
        """
        if isinstance(error, ApiError | DecodeError) and error.status_code:
            self.status_code = error.status_code
        if isinstance(error, ApiError):
            code = f" [{error.message_code}]" if _CODE.fullmatch(error.message_code) else ""
            self.reason = f"HTTP {error.status_code}{code}"
        elif isinstance(error, DecodeError):
            self.reason = "the response is not valid"
        else:
            self.reason = str(error.args[0])

    def out_of_time(self, seconds: float | None) -> EdgeError:
        """Record that the deadline expired, and return the call's error; None is a deadline that the call inherited."""
        expired = "the deadline expired" if seconds is None else f"the deadline of {seconds:g} s expired"
        self.reason = expired
        self.interrupted = self.interrupted or (self.is_pending and self.call.repeat not in (READ, WRITE))
        if self.message_outbox_ids:
            ids = ", ".join(map(str, self.message_outbox_ids))
            return self._unknown(f"{expired}, but the service accepted the message: message_outbox_ids {ids}")
        if self.may_have_left or self.may_be_executed:
            return self._unknown(f"{expired} before a response arrived")
        return ConnectionFailed(f"{expired} before anything was sent", timed_out=True)

    def _unknown(self, problem: str, *, timed_out: bool = True) -> OutcomeUnknown:
        error = OutcomeUnknown(problem, timed_out=timed_out)
        return evolve(error, message_outbox_ids=self.message_outbox_ids)

    def again(self) -> OutcomeUnknown:
        """Return the error of a middleware that runs a call again that was or may have been executed."""
        return self._unknown(
            "a call middleware called proceed again after an attempt that was or may have been executed, or before "
            "proceed had returned; a call that is not idempotent is executed at most once",
            timed_out=False,
        )

    def final(self, error: EdgeError) -> EdgeError:
        """Return the error that the call ends with. Its outcome is UNKNOWN if any attempt may have been executed."""
        if not self.may_be_executed or error.outcome is Outcome.UNKNOWN:
            return error
        if isinstance(error, ConnectionFailed):
            problem = f"{error.args[0]}; an earlier attempt may have been executed"
            unknown = self._unknown(problem, timed_out=error.timed_out)
            unknown.__cause__ = error
            return unknown
        return evolve(error, outcome=Outcome.UNKNOWN)

    def outcome_of(self, error: BaseException) -> Outcome | None:
        """Return the outcome of a call that raised an exception, or None if the service executed it."""
        if isinstance(error, EdgeError):
            return error.outcome
        if self.executed:
            return None
        if self.unknown or self.is_pending:
            return Outcome.UNKNOWN
        return Outcome.NOT_SENT if self.is_open else self.outcome

    def labelled(self, error: E) -> E:
        """Return the error with the call's name and the number of attempts. An error of another call keeps its own."""
        if error.endpoint:
            return error
        name = self.call.endpoint.name
        return evolve(error, endpoint=name, attempts=self.count, reads_only=self.call.repeat is READ)
