"""Retry rules: which requests are retried, after which delay, and which are never retried."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import (
    ApiError,
    ConfigurationError,
    ConnectionFailed,
    DecodeError,
    EdgeError,
    Outcome,
    OutcomeUnknown,
    RateLimited,
    Repeat,
    RetryPolicy,
    ServerError,
)
from ippanel_edge.endpoints import AUTH_LOGIN, PAYMENT_CREDIT, Endpoint
from ippanel_edge.wire.attempts import Attempts
from ippanel_edge.wire.call import call
from ippanel_edge.wire.reply import RawAnswer, outcome_of, rejection
from ippanel_edge.wire.retry import RetryBudget, next_delay, other_method

READ, WRITE, ONCE = Repeat.READ, Repeat.WRITE, Repeat.ONCE
TWO_METHODS = Endpoint("x.y", "POST", "/x", WRITE, object, "", alternate="GET")
POLICY = RetryPolicy()


def upper_bound(_: float, high: float) -> float:
    """Return the upper bound instead of a random number, so that delays are predictable."""
    return high


def delay_after(
    repeat: Repeat, *failures: EdgeError, policy: RetryPolicy = POLICY, remaining: float | None = None
) -> float | None:
    return next_delay(policy, repeat, failures, draw=upper_bound, remaining=remaining)


def status_error(status: int, **headers: str) -> ApiError:
    return rejection(
        RawAnswer(status_code=status, headers={name.replace("_", "-"): text for name, text in headers.items()}),
        PAYMENT_CREDIT,
    )


def rejected_by_api(status: int) -> ApiError:
    body = b'{"data":null,"meta":{"status":false,"message":"no","message_code":"400-1"}}'
    return rejection(RawAnswer(status_code=status, content=body), PAYMENT_CREDIT)


@pytest.mark.parametrize("repeat", list(Repeat))
def test_a_failed_connection_is_retried_in_every_class(repeat: Repeat) -> None:
    assert delay_after(repeat, ConnectionFailed("ConnectError")) == 0.5


@pytest.mark.parametrize("repeat", list(Repeat))
def test_a_rejected_certificate_is_not_retried(repeat: Repeat) -> None:
    error = ConnectionFailed("ConnectError", retryable=False)
    assert delay_after(repeat, error) is None


@pytest.mark.parametrize("repeat", list(Repeat))
def test_an_invalid_argument_is_not_retried(repeat: Repeat) -> None:
    assert delay_after(repeat, ConfigurationError("wrong")) is None


def test_a_request_with_an_unknown_outcome_is_retried_unless_it_could_send_twice() -> None:
    assert delay_after(READ, OutcomeUnknown("ReadTimeout")) == 0.5
    assert delay_after(WRITE, OutcomeUnknown("ReadTimeout")) == 0.5
    assert delay_after(ONCE, OutcomeUnknown("ReadTimeout")) is None


def test_an_invalid_response_is_retried_once_unless_the_request_could_send_twice() -> None:
    first, second = DecodeError("HTML"), DecodeError("HTML")
    assert delay_after(READ, first) == 0.5
    assert delay_after(READ, first, second) is None
    assert delay_after(WRITE, OutcomeUnknown("x"), first) == 1.0
    assert delay_after(ONCE, first) is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 415, 422, 418, 501, 505, 302, 304])
@pytest.mark.parametrize("repeat", list(Repeat))
def test_a_rejection_is_not_retried(repeat: Repeat, status: int) -> None:
    assert delay_after(repeat, status_error(status)) is None


@pytest.mark.parametrize("repeat", list(Repeat))
def test_a_rejection_with_http_200_is_not_retried(repeat: Repeat) -> None:
    assert delay_after(repeat, ApiError("no credit", status_code=200)) is None


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_observed_for_requests_that_cannot_send_twice(status: int) -> None:
    assert delay_after(READ, status_error(status, retry_after="7")) == 7.0
    assert delay_after(WRITE, status_error(status, retry_after="7")) == 7.0
    assert delay_after(READ, status_error(status)) == 0.5
    assert delay_after(READ, status_error(status, retry_after="0")) == 0.5
    assert delay_after(READ, status_error(status, retry_after="121")) is None
    assert delay_after(READ, status_error(status, retry_after="120")) == 120.0


def test_a_429_on_a_send_is_not_retried() -> None:
    assert delay_after(ONCE, status_error(429, retry_after="41")) is None
    assert delay_after(ONCE, status_error(429), policy=RetryPolicy(repeat_refused_sends=True)) is None


def test_a_503_on_a_send_is_retried_only_if_enabled_and_with_retry_after() -> None:
    enabled = RetryPolicy(repeat_refused_sends=True)
    assert delay_after(ONCE, status_error(503, retry_after="3")) is None
    assert delay_after(ONCE, status_error(503), policy=enabled) is None
    assert delay_after(ONCE, status_error(503, retry_after="3"), policy=enabled) == 3.0


@pytest.mark.parametrize("status", [500, 502, 504, 520, 521, 522, 523, 524])
def test_a_server_error_is_retried_unless_the_request_could_send_twice(status: int) -> None:
    assert delay_after(READ, status_error(status)) == 0.5
    assert delay_after(WRITE, status_error(status)) == 0.5
    assert delay_after(ONCE, status_error(status)) is None


@pytest.mark.parametrize("status", [408, 421, 425])
def test_a_408_421_or_425_of_a_proxy_is_retried(status: int) -> None:
    # An enveloped error comes from the API itself and is final.
    assert delay_after(READ, status_error(status)) == 0.5
    assert delay_after(READ, rejected_by_api(status)) is None
    once = delay_after(ONCE, status_error(status))
    assert once == (None if status == 408 else 0.5)
    assert delay_after(ONCE, status_error(status), status_error(status)) is None


def test_the_backoff_doubles_up_to_its_maximum() -> None:
    policy = RetryPolicy(retries=9)
    failures = [ConnectionFailed("x") for _ in range(8)]
    delays = [delay_after(READ, *failures[: count + 1], policy=policy) for count in range(8)]
    assert delays == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0]


def test_the_number_of_retries_is_limited_by_the_policy() -> None:
    failures = [ConnectionFailed("x") for _ in range(4)]
    assert delay_after(READ, *failures[:3]) is not None
    assert delay_after(READ, *failures) is None
    assert delay_after(READ, failures[0], policy=RetryPolicy(retries=0)) is None


def test_no_retry_is_made_if_its_delay_reaches_the_deadline() -> None:
    assert delay_after(READ, ConnectionFailed("x"), remaining=0.5) is None
    assert delay_after(READ, ConnectionFailed("x"), remaining=0.6) == 0.5
    assert delay_after(READ, status_error(503, retry_after="30"), remaining=10.0) is None


ERRORS = st.one_of(
    st.builds(ConnectionFailed, st.just("x")),
    st.builds(OutcomeUnknown, st.just("x")),
    st.builds(DecodeError, st.just("x")),
    st.integers(300, 599).map(status_error),
    st.integers(300, 599).map(rejected_by_api),
)


@given(st.lists(ERRORS, min_size=1, max_size=6), st.booleans())
def test_a_once_request_is_retried_only_if_it_was_certainly_not_executed_or_if_enabled(
    failures: list[EdgeError],
    enabled: bool,  # noqa: FBT001 - hypothesis passes it by name
) -> None:
    policy = RetryPolicy(repeat_refused_sends=enabled)
    if delay_after(ONCE, *failures, policy=policy) is not None:
        last = failures[-1]
        allowed = enabled and isinstance(last, ServerError) and last.status_code == 503
        assert last.outcome is not Outcome.UNKNOWN or allowed


@given(st.sampled_from(list(Repeat)), st.lists(ERRORS, min_size=1, max_size=6), st.floats(0.01, 200))
def test_a_delay_is_never_negative_and_never_exceeds_the_deadline(
    repeat: Repeat, failures: list[EdgeError], remaining: float
) -> None:
    delay = delay_after(repeat, *failures, remaining=remaining)
    assert delay is None or 0 <= delay < remaining


def test_the_alternate_documented_method_is_used_after_a_405() -> None:
    assert other_method(TWO_METHODS, "POST", status_error(405)) == "GET"
    assert other_method(TWO_METHODS, "GET", status_error(405)) == "POST"
    assert other_method(TWO_METHODS, "POST", status_error(405, allow="get, HEAD")) == "GET"
    assert other_method(TWO_METHODS, "POST", status_error(405, allow="PUT")) is None
    assert other_method(AUTH_LOGIN, "POST", status_error(405)) is None
    assert other_method(TWO_METHODS, "POST", status_error(404)) is None
    assert other_method(TWO_METHODS, "POST", ConnectionFailed("x")) is None


def test_the_outcome_of_a_call_is_unknown_if_that_of_any_attempt_is() -> None:
    unknown, unsent, rejected = OutcomeUnknown("ReadTimeout"), ConnectionFailed("ConnectError"), rejected_by_api(404)
    error = final_error(unknown, unsent)
    assert isinstance(error, OutcomeUnknown)
    assert "an earlier attempt may have been executed" in str(error)
    rejected_later = final_error(unknown, rejected)
    assert isinstance(rejected_later, ApiError)
    assert (rejected_later.outcome, rejected_later.status_code, rejected.outcome) == (
        Outcome.UNKNOWN,
        404,
        Outcome.REJECTED,
    )
    assert final_error(unsent) is unsent
    assert final_error(unsent, unsent).outcome is Outcome.NOT_SENT


def final_error(*failures: EdgeError) -> EdgeError:
    attempts = Attempts(call(PAYMENT_CREDIT))
    for failure in failures:
        attempts.begin()
        attempts.failed(failure)
    return attempts.final(failures[-1])


def test_retries_consume_the_budget_and_successes_restore_it() -> None:
    budget = RetryBudget(20)
    timed_out_error = OutcomeUnknown("ReadTimeout", timed_out=True)
    assert budget.take(timed_out_error)
    assert budget.take(OutcomeUnknown("ReadError"))
    assert budget.take(RateLimited("x", status_code=429))
    assert not budget.take(OutcomeUnknown("ReadError"))
    assert budget.take(ConnectionFailed("ConnectError")), "retrying a failed connection costs no budget"
    for _ in range(5):
        budget.give()
    assert budget.take(OutcomeUnknown("ReadError"))
    for _ in range(99):
        budget.give()
    assert budget.tokens == 20


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, "rejected"),
        (302, "unknown"),
        (404, "rejected"),
        (408, "unknown"),
        (429, "rejected"),
        (500, "unknown"),
        (503, "unknown"),
    ],
)
def test_each_status_determines_the_outcome(status: int, outcome: str) -> None:
    assert outcome_of(status) == outcome
