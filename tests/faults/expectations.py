"""The expected result of each fault: the retry rules of the documentation as a pure function, without I/O.

It assumes the default `RetryPolicy`, an API key (so a 401 is final), no alternate method, and a request with or without
a body. A result is a range if it depends on timing, for example if a connection is reset while it is established.
"""

from __future__ import annotations

from typing import Final

import attrs

from ippanel_edge.config import RetryPolicy
from ippanel_edge.endpoints import Repeat
from ippanel_edge.errors import (
    ApiError,
    AuthenticationError,
    Conflict,
    ConnectionFailed,
    DecodeError,
    EdgeError,
    NotFound,
    Outcome,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    ServerError,
    ValidationFailed,
)
from tests.faults.catalogue import RETRY_DATE_AHEAD, RETRY_SECONDS
from tests.faults.fault import End, EndedBy, Fault, Reads, RetryAfter, Where

POLICY: Final = RetryPolicy()
ALL_ATTEMPTS: Final = POLICY.retries + 1

_ERRORS: Final[dict[int, type[ApiError]]] = {
    400: ValidationFailed,
    401: AuthenticationError,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    422: ValidationFailed,
    429: RateLimited,
}
_JITTERED: Final = frozenset({408, 421, 425, 500, 502, 504, 520, 521, 522, 523, 524})
_NOT_ACCEPTED: Final = frozenset({421, 425})
"""Without the API's envelope, these allow one retry even of a ONCE request: the service did not accept it.

A 408 does not prove that: a server that times out while reading may have read the whole request.
"""
_UNKNOWN: Final = frozenset({408, 500, 502, 503, 504, 520, 521, 522, 523, 524})


@attrs.frozen
class Range:
    """A range from `least` to `most`, both inclusive."""

    least: float
    most: float

    def __contains__(self, number: float) -> bool:
        return self.least <= number <= self.most


@attrs.frozen(kw_only=True)
class Expectation:
    """The expected result of a call.

    Attributes:
        outcomes: the allowed outcomes of the error; None if the call may succeed.
        errors: the allowed classes of the error.
        attempts: the number of requests started, as in the error.
        accepted: the number of requests that the server executed.
        delays: the seconds slept before each retry, in order; with fewer retries, the first ones.
    """

    outcomes: frozenset[Outcome | None]
    errors: tuple[type[EdgeError], ...]
    attempts: Range
    accepted: Range
    delays: tuple[Range, ...]

    @property
    def succeeds(self) -> bool:
        """Whether the call can only succeed."""
        return self.outcomes == frozenset({None})


@attrs.frozen
class _Verdict:
    """One row of the retry rules for one class: the result of the last attempt, and the number of attempts."""

    outcomes: tuple[Outcome | None, ...]
    errors: tuple[type[EdgeError], ...]
    least: int
    most: int


_PLAIN: Final = {
    Reads.FINE: _Verdict((None,), (), 1, 1),
    Reads.NOT_SENT: _Verdict((Outcome.NOT_SENT,), (ConnectionFailed,), ALL_ATTEMPTS, ALL_ATTEMPTS),
    Reads.UNTRUSTED: _Verdict((Outcome.NOT_SENT,), (ConnectionFailed,), 1, 1),
    Reads.REFUSED: _Verdict((Outcome.REJECTED,), (ApiError,), 1, 1),
}
"""The rows that do not depend on the class."""


def expect(
    fault: Fault, repeat: Repeat, *, tls: bool = False, has_body: bool = True, detects_wrong_data: bool
) -> Expectation:
    """Return the expected result of a call.

    New and reused connections have the same result: faults that only a reused connection can have are separate
    faults, and those between requests have no effect on a call.

    Args:
        fault: the fault.
        repeat: the retry class of the endpoint.
        tls: whether the case uses TLS although the fault does not require it.
        has_body: whether the request has a body; without one, it is complete after its headers.
        detects_wrong_data: whether the endpoint's model detects the wrong data.
    """
    verdict = _verdict(fault, repeat, tls=tls, detects_wrong_data=detects_wrong_data)
    attempts = Range(verdict.least, verdict.most)
    return Expectation(
        outcomes=frozenset(verdict.outcomes),
        errors=verdict.errors,
        attempts=attempts,
        accepted=_accepted(fault, verdict, has_body=has_body),
        delays=tuple(_delay(fault, n) for n in range(1, verdict.most)),
    )


def _verdict(fault: Fault, repeat: Repeat, *, tls: bool, detects_wrong_data: bool) -> _Verdict:
    once = repeat is Repeat.ONCE
    reads = fault.reads
    if reads is Reads.WRONG_DATA:
        reads = Reads.UNREADABLE if detects_wrong_data else Reads.FINE
    if fault.where is Where.ACCEPT and not fault.transient:
        return _at_accept(fault, once=once, tls=tls)
    if reads is Reads.BROKEN:
        return _broken(fault, once=once)
    if reads is Reads.STATUS:
        return _status(fault, once=once)
    if reads is Reads.UNREADABLE:
        return _unreadable(once=once)
    return _PLAIN[reads]


def _at_accept(fault: Fault, *, once: bool, tls: bool) -> _Verdict:
    """Return the result if the connection ends on accept: with TLS no request leaves; over HTTP it may begin to."""
    if tls:
        return _PLAIN[Reads.NOT_SENT]
    if fault.end is End.RESET:  # it may arrive while connecting, so attempts differ
        least = 1 if once else ALL_ATTEMPTS
        both = (Outcome.NOT_SENT, Outcome.UNKNOWN)
        return _Verdict(both, (ConnectionFailed, OutcomeUnknown), least, ALL_ATTEMPTS)
    return _broken(fault, once=once)


def _broken(fault: Fault, *, once: bool) -> _Verdict:
    if once:
        errors = (OutcomeUnknown, DecodeError) if fault.ended_by is EndedBy.DEADLINE else (OutcomeUnknown,)
        return _Verdict((Outcome.UNKNOWN,), errors, 1, 1)
    if fault.transient:
        return _Verdict((None,), (), 2, 2)
    if fault.ended_by is EndedBy.DEADLINE:  # the deadline covers all attempts; a flood may reach the size limit first
        return _Verdict((Outcome.UNKNOWN,), (OutcomeUnknown, DecodeError), 1, ALL_ATTEMPTS)
    return _Verdict((Outcome.UNKNOWN,), (OutcomeUnknown,), ALL_ATTEMPTS, ALL_ATTEMPTS)


def _unreadable(*, once: bool) -> _Verdict:
    attempts = 1 if once else 2
    return _Verdict((Outcome.UNKNOWN,), (DecodeError,), attempts, attempts)


def _status(fault: Fault, *, once: bool) -> _Verdict:
    status = fault.status
    error = _ERRORS.get(status, ServerError if status >= 500 else ApiError)
    redirected = 300 <= status < 400
    outcome = Outcome.UNKNOWN if redirected or status in _UNKNOWN else Outcome.REJECTED
    attempts = _status_attempts(fault, once=once)
    if status == 413 and fault.end is End.RESET:  # the reset may discard the response
        most = 1 if once else ALL_ATTEMPTS
        return _Verdict((outcome, Outcome.UNKNOWN), (error, OutcomeUnknown), 1, most)
    return _Verdict((outcome,), (error,), attempts, attempts)


def _status_attempts(fault: Fault, *, once: bool) -> int:
    if once:
        return 2 if fault.status in _NOT_ACCEPTED else 1
    if fault.status in {429, 503}:
        return 1 if fault.retry_after is RetryAfter.HUGE else ALL_ATTEMPTS
    return ALL_ATTEMPTS if fault.status in _JITTERED else 1


def _accepted(fault: Fault, verdict: _Verdict, *, has_body: bool) -> Range:
    if not fault.executes or fault.reads in {Reads.NOT_SENT, Reads.UNTRUSTED}:
        return Range(0, 0)
    if fault.where is Where.ACCEPT:
        accepted = verdict.least - 1 if fault.transient else 0
        return Range(accepted, accepted)
    if fault.where in {Where.HEADERS, Where.MID_BODY} and has_body:
        return Range(0, 0)
    return Range(verdict.least, verdict.most)


def _delay(fault: Fault, retry: int) -> Range:
    jitter = min(POLICY.max_backoff, POLICY.backoff * 2 ** (retry - 1))
    if fault.retry_after is RetryAfter.SECONDS:
        return Range(RETRY_SECONDS, max(RETRY_SECONDS, jitter))
    if fault.retry_after is RetryAfter.DATE:  # full seconds, by the server's clock
        return Range(RETRY_DATE_AHEAD - 2, RETRY_DATE_AHEAD + 1)
    return Range(0, jitter)
