"""Whether a failed request is made again, and when: a pure decision. Nothing in here waits or sends.

The table that this carries out stands in docs/reliability.md. Its one rule above all others: what would text, bill or
create twice is repeated only where it is proven that the first attempt was not carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from ippanel_edge.config import RetryPolicy
from ippanel_edge.endpoints import ONCE, Endpoint, Repeat
from ippanel_edge.errors import ApiError, ConnectionFailed, DecodeError, EdgeError, Outcome, OutcomeUnknown

_PASSING: Final = frozenset({500, 502, 504, *range(520, 525)})
_MISPLACED: Final = frozenset({408, 421, 425})
_RETRY_COST: Final = 5
_TIMEOUT_COST: Final = 10
_SUCCESS: Final = 1


def next_delay(
    policy: RetryPolicy,
    repeat: Repeat,
    failures: Sequence[EdgeError],
    *,
    draw: Callable[[float, float], float],
    remaining: float | None = None,
) -> float | None:
    """Decide on the last of a call's failures: the seconds to wait before the next attempt, or None to give up.

    Args:
        policy: how often and how fast.
        repeat: what a second, equal request does.
        failures: the errors of this call so far, at least one.
        draw: a random number between two bounds, such as `random.uniform`.
        remaining: seconds left of the call's deadline.
    """
    if len(failures) > policy.retries:
        return None
    error = failures[-1]
    wait = draw(0.0, min(policy.max_backoff, policy.backoff * 2.0 ** min(len(failures) - 1, 30)))
    delay = _wait(policy, repeat, failures, error, wait)
    if delay is None or (remaining is not None and delay >= remaining):
        return None
    return delay


def _wait(
    policy: RetryPolicy, repeat: Repeat, failures: Sequence[EdgeError], error: EdgeError, jitter: float
) -> float | None:
    if isinstance(error, ConnectionFailed):
        return jitter if error.passing else None
    if isinstance(error, OutcomeUnknown):
        return None if repeat is ONCE else jitter
    if isinstance(error, DecodeError):
        first = sum(isinstance(failure, DecodeError) for failure in failures) == 1
        return jitter if repeat is not ONCE and first else None
    if isinstance(error, ApiError):
        return _wait_on_status(policy, repeat, failures, error, jitter)
    return None


def _wait_on_status(
    policy: RetryPolicy, repeat: Repeat, failures: Sequence[EdgeError], error: ApiError, jitter: float
) -> float | None:
    status = error.status_code
    if status in (429, 503):
        if repeat is ONCE and not (status == 503 and policy.repeat_refused_sends and error.retry_after is not None):
            return None
        wait = max(error.retry_after or 0.0, jitter)
        return wait if wait <= policy.max_retry_after else None
    if status in _MISPLACED and not error.enveloped:
        if repeat is not ONCE:
            return jitter
        first = sum(isinstance(failure, ApiError) for failure in failures) == 1
        return jitter if error.outcome is Outcome.REJECTED and first else None
    if status in _PASSING:
        return None if repeat is ONCE else jitter
    return None


def other_method(endpoint: Endpoint[Any], method: str, error: EdgeError) -> str | None:
    """Name the method to try after a 405, where the documents disagree about it; None where there is no other."""
    if not isinstance(error, ApiError) or error.status_code != 405 or endpoint.alternate is None:
        return None
    other = endpoint.alternate if method == endpoint.method else endpoint.method
    return other if not error.allow or other in error.allow else None


def overall(failures: Sequence[EdgeError]) -> EdgeError:
    """Give the error that a call ends with: the last one, saying UNKNOWN if any attempt may have been carried out."""
    last = failures[-1]
    if any(failure.outcome is Outcome.UNKNOWN for failure in failures) and last.outcome is not Outcome.UNKNOWN:
        if isinstance(last, ConnectionFailed):
            error = OutcomeUnknown(f"{last.args[0]}; an earlier attempt may have arrived")
            error.__cause__ = last
            return error
        last.outcome = Outcome.UNKNOWN
    return last


@attrs.define
class RetryBudget:
    """Tokens that repeats cost, shared by a client and its copies, so that an outage is not answered with a storm.

    A race between threads may blur the count by a token or two; it never leaves its bounds.
    """

    capacity: int
    tokens: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Begin with a full budget."""
        self.tokens = self.capacity

    def take(self, error: EdgeError) -> bool:
        """Pay for a repeat; False where there is not enough left. A repeat of what never left is free."""
        if error.outcome is Outcome.NOT_SENT:
            return True
        cost = _TIMEOUT_COST if error.timed_out else _RETRY_COST
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True

    def give(self) -> None:
        """Credit a success."""
        self.tokens = min(self.capacity, self.tokens + _SUCCESS)
