"""The retry table, row by row: what is repeated, after how long, and what never is."""

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
DISPUTED = Endpoint("x.y", "POST", "/x", WRITE, object, "", alternate="GET")
POLICY = RetryPolicy()


def longest(_: float, high: float) -> float:
    """Draw the upper bound, so that a delay is predictable."""
    return high


def decide(
    repeat: Repeat, *failures: EdgeError, policy: RetryPolicy = POLICY, remaining: float | None = None
) -> float | None:
    return next_delay(policy, repeat, failures, draw=longest, remaining=remaining)


def answered(status: int, **headers: str) -> ApiError:
    return rejection(
        RawAnswer(status_code=status, headers={name.replace("_", "-"): text for name, text in headers.items()}),
        PAYMENT_CREDIT,
    )


def refused(status: int) -> ApiError:
    body = b'{"data":null,"meta":{"status":false,"message":"no","message_code":"400-1"}}'
    return rejection(RawAnswer(status_code=status, content=body), PAYMENT_CREDIT)


@pytest.mark.parametrize("repeat", list(Repeat))
def test_what_never_left_is_repeated_in_every_class(repeat: Repeat) -> None:
    assert decide(repeat, ConnectionFailed("ConnectError")) == 0.5


@pytest.mark.parametrize("repeat", list(Repeat))
def test_a_refused_certificate_is_not_tried_again(repeat: Repeat) -> None:
    error = ConnectionFailed("ConnectError", retryable=False)
    assert decide(repeat, error) is None


@pytest.mark.parametrize("repeat", list(Repeat))
def test_a_bad_argument_is_not_tried_again(repeat: Repeat) -> None:
    assert decide(repeat, ConfigurationError("wrong")) is None


def test_what_may_have_arrived_is_repeated_unless_it_would_text_twice() -> None:
    assert decide(READ, OutcomeUnknown("ReadTimeout")) == 0.5
    assert decide(WRITE, OutcomeUnknown("ReadTimeout")) == 0.5
    assert decide(ONCE, OutcomeUnknown("ReadTimeout")) is None


def test_an_unreadable_answer_is_asked_for_once_more() -> None:
    first, second = DecodeError("HTML"), DecodeError("HTML")
    assert decide(READ, first) == 0.5
    assert decide(READ, first, second) is None
    assert decide(WRITE, OutcomeUnknown("x"), first) == 1.0
    assert decide(ONCE, first) is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 415, 422, 418, 501, 505, 302, 304])
@pytest.mark.parametrize("repeat", list(Repeat))
def test_a_refusal_is_final(repeat: Repeat, status: int) -> None:
    assert decide(repeat, answered(status)) is None


@pytest.mark.parametrize("repeat", list(Repeat))
def test_a_status_false_with_http_200_is_final(repeat: Repeat) -> None:
    assert decide(repeat, ApiError("no credit", status_code=200)) is None


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_out_where_nothing_is_sent_twice(status: int) -> None:
    assert decide(READ, answered(status, retry_after="7")) == 7.0
    assert decide(WRITE, answered(status, retry_after="7")) == 7.0
    assert decide(READ, answered(status)) == 0.5
    assert decide(READ, answered(status, retry_after="0")) == 0.5
    assert decide(READ, answered(status, retry_after="121")) is None
    assert decide(READ, answered(status, retry_after="120")) == 120.0


def test_a_send_answered_with_429_is_never_repeated_for_it_would_text_twice() -> None:
    assert decide(ONCE, answered(429, retry_after="41")) is None
    assert decide(ONCE, answered(429), policy=RetryPolicy(repeat_refused_sends=True)) is None


def test_a_send_answered_with_503_is_repeated_only_on_request_and_with_retry_after() -> None:
    on_request = RetryPolicy(repeat_refused_sends=True)
    assert decide(ONCE, answered(503, retry_after="3")) is None
    assert decide(ONCE, answered(503), policy=on_request) is None
    assert decide(ONCE, answered(503, retry_after="3"), policy=on_request) == 3.0


@pytest.mark.parametrize("status", [500, 502, 504, 520, 521, 522, 523, 524])
def test_a_failing_service_is_asked_again_unless_it_may_have_sent(status: int) -> None:
    assert decide(READ, answered(status)) == 0.5
    assert decide(WRITE, answered(status)) == 0.5
    assert decide(ONCE, answered(status)) is None


@pytest.mark.parametrize("status", [408, 421, 425])
def test_a_misplaced_request_is_repeated_where_a_proxy_says_so(status: int) -> None:
    assert decide(READ, answered(status)) == 0.5
    assert decide(READ, refused(status)) is None
    once = decide(ONCE, answered(status))
    assert once == (None if status == 408 else 0.5)
    assert decide(ONCE, answered(status), answered(status)) is None


def test_the_wait_grows_to_its_bound_and_stays_there() -> None:
    patient = RetryPolicy(retries=9)
    failures = [ConnectionFailed("x") for _ in range(8)]
    waits = [decide(READ, *failures[: count + 1], policy=patient) for count in range(8)]
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0, 8.0]


def test_it_gives_up_after_the_retries_and_with_none_at_once() -> None:
    failures = [ConnectionFailed("x") for _ in range(4)]
    assert decide(READ, *failures[:3]) is not None
    assert decide(READ, *failures) is None
    assert decide(READ, failures[0], policy=RetryPolicy(retries=0)) is None


def test_a_wait_that_reaches_the_deadline_is_not_begun() -> None:
    assert decide(READ, ConnectionFailed("x"), remaining=0.5) is None
    assert decide(READ, ConnectionFailed("x"), remaining=0.6) == 0.5
    assert decide(READ, answered(503, retry_after="30"), remaining=10.0) is None


ERRORS = st.one_of(
    st.builds(ConnectionFailed, st.just("x")),
    st.builds(OutcomeUnknown, st.just("x")),
    st.builds(DecodeError, st.just("x")),
    st.integers(300, 599).map(answered),
    st.integers(300, 599).map(refused),
)


@given(st.lists(ERRORS, min_size=1, max_size=6), st.booleans())
def test_a_request_of_class_once_is_repeated_only_after_proof_that_it_was_not_carried_out(
    failures: list[EdgeError],
    on_request: bool,  # noqa: FBT001 - hypothesis draws it
) -> None:
    policy = RetryPolicy(repeat_refused_sends=on_request)
    if decide(ONCE, *failures, policy=policy) is not None:
        last = failures[-1]
        asked_for = on_request and isinstance(last, ServerError) and last.status_code == 503
        assert last.outcome is not Outcome.UNKNOWN or asked_for


@given(st.sampled_from(list(Repeat)), st.lists(ERRORS, min_size=1, max_size=6), st.floats(0.01, 200))
def test_a_wait_is_never_negative_and_never_past_the_deadline(
    repeat: Repeat, failures: list[EdgeError], left: float
) -> None:
    delay = decide(repeat, *failures, remaining=left)
    assert delay is None or 0 <= delay < left


def test_after_a_405_the_other_documented_method_is_tried() -> None:
    assert other_method(DISPUTED, "POST", answered(405)) == "GET"
    assert other_method(DISPUTED, "GET", answered(405)) == "POST"
    assert other_method(DISPUTED, "POST", answered(405, allow="get, HEAD")) == "GET"
    assert other_method(DISPUTED, "POST", answered(405, allow="PUT")) is None
    assert other_method(AUTH_LOGIN, "POST", answered(405)) is None
    assert other_method(DISPUTED, "POST", answered(404)) is None
    assert other_method(DISPUTED, "POST", ConnectionFailed("x")) is None


def test_a_call_is_unknown_if_any_of_its_attempts_is() -> None:
    unknown, unsent, rejected = OutcomeUnknown("ReadTimeout"), ConnectionFailed("ConnectError"), refused(404)
    error = final(unknown, unsent)
    assert isinstance(error, OutcomeUnknown)
    assert "an earlier attempt may have been executed" in str(error)
    after = final(unknown, rejected)
    assert isinstance(after, ApiError)
    assert (after.outcome, after.status_code, rejected.outcome) == (Outcome.UNKNOWN, 404, Outcome.REJECTED)
    assert final(unsent) is unsent
    assert final(unsent, unsent).outcome is Outcome.NOT_SENT


def final(*failures: EdgeError) -> EdgeError:
    attempts = Attempts(call(PAYMENT_CREDIT))
    for failure in failures:
        attempts.begin()
        attempts.failed(failure)
    return attempts.final(failures[-1])


def test_the_budget_pays_for_repeats_and_successes_pay_back() -> None:
    budget = RetryBudget(20)
    late = OutcomeUnknown("ReadTimeout", timed_out=True)
    assert budget.take(late)
    assert budget.take(OutcomeUnknown("ReadError"))
    assert budget.take(RateLimited("x", status_code=429))
    assert not budget.take(OutcomeUnknown("ReadError"))
    assert budget.take(ConnectionFailed("ConnectError")), "what never left is free"
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
def test_a_status_tells_what_became_of_the_request(status: int, outcome: str) -> None:
    assert outcome_of(status) == outcome
