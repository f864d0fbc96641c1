"""Decides whether and when a failed request is retried. Pure: no waiting, no sending.

It implements the table in docs/en/reliability.md. The first rule: a request that would send, bill or create twice is
retried only if the first attempt provably was not executed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import attrs

from ippanel_edge.config import RetryPolicy
from ippanel_edge.endpoints import READ, WRITE, Endpoint, Repeat
from ippanel_edge.errors import ApiError, ConnectionFailed, DecodeError, EdgeError, Outcome, OutcomeUnknown

_TRANSIENT: Final = frozenset({500, 502, 504, *range(520, 525)})
_NOT_PROCESSED: Final = frozenset({408, 421, 425})
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
    """Return the seconds to wait before the next attempt, or None to give up.

    Args:
        policy: the retry settings.
        repeat: whether an identical second request is idempotent. Anything but READ and WRITE is treated as ONCE.
        failures: the errors of this call so far, at least one; the last one is decided on.
        draw: returns a random number between two bounds, such as `random.uniform`.
        remaining: seconds left of the call's deadline.
    """
    if len(failures) > policy.retries:
        return None
    error = failures[-1]
    wait = draw(0.0, min(policy.max_backoff, policy.backoff * 2.0 ** min(len(failures) - 1, 30)))
    delay = _wait(policy, failures, error, wait, once=repeat not in (READ, WRITE))
    if delay is None or (remaining is not None and delay >= remaining):
        return None
    return delay


def _wait(
    policy: RetryPolicy, failures: Sequence[EdgeError], error: EdgeError, jitter: float, *, once: bool
) -> float | None:
    if isinstance(error, ConnectionFailed):
        return jitter if error.retryable else None
    if isinstance(error, OutcomeUnknown):
        return None if once else jitter
    if isinstance(error, DecodeError):
        first = sum(isinstance(failure, DecodeError) for failure in failures) == 1
        return jitter if first and not once else None
    if isinstance(error, ApiError):
        return _wait_on_status(policy, failures, error, jitter, once=once)
    return None


def _wait_on_status(
    policy: RetryPolicy, failures: Sequence[EdgeError], error: ApiError, jitter: float, *, once: bool
) -> float | None:
    status = error.status_code
    if status in (429, 503):
        if once and not (status == 503 and policy.repeat_refused_sends and error.retry_after is not None):
            return None
        wait = max(error.retry_after or 0.0, jitter)
        return wait if wait <= policy.max_retry_after else None
    if status in _NOT_PROCESSED and not error.enveloped:
        if not once:
            return jitter
        first = sum(isinstance(failure, ApiError) for failure in failures) == 1
        return jitter if error.outcome is Outcome.REJECTED and first else None
    if status in _TRANSIENT:
        return None if once else jitter
    return None


def other_method(endpoint: Endpoint[Any], method: str, error: EdgeError) -> str | None:
    """Return the method to try after a 405, for endpoints whose method the documents disagree about, or None."""
    if not isinstance(error, ApiError) or error.status_code != 405 or endpoint.alternate is None:
        return None
    other = endpoint.alternate if method == endpoint.method else endpoint.method
    return other if not error.allow or other in error.allow else None


@attrs.define(eq=False, repr=False)
class RetryBudget:
    """Tokens that retries cost, shared by a client and its copies: it prevents a retry storm during an outage.

    A race between threads may miscount by a token or two; the count never leaves its bounds.
    """

    capacity: int
    tokens: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start with a full budget."""
        self.tokens = self.capacity

    def take(self, error: EdgeError) -> bool:
        """Pay for a retry. Return False if too few tokens are left. A retry of a request that was not sent is free."""
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
