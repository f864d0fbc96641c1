"""The expected results satisfy the guarantees of the SDK, and match the documented retry rules."""

from __future__ import annotations

import itertools
from typing import Final

import pytest

from ippanel_edge.endpoints import ONCE, READ, WRITE, Repeat
from ippanel_edge.errors import ConnectionFailed, Outcome, OutcomeUnknown, RateLimited
from tests.faults.catalogue import ALL, BY_NAME
from tests.faults.expectations import ALL_ATTEMPTS, Expectation, Range, expect

EVERY: Final = [
    (fault, repeat, expect(fault, repeat, tls=tls, has_body=has_body, detects_wrong_data=detects_wrong_data))
    for fault, repeat in itertools.product(ALL, Repeat)
    for tls, has_body, detects_wrong_data in itertools.product((False, True), repeat=3)
]


def _expect(name: str, repeat: Repeat) -> Expectation:
    return expect(BY_NAME[name], repeat, detects_wrong_data=True)


def test_a_once_request_is_never_accepted_twice() -> None:
    assert [fault.name for fault, repeat, expected in EVERY if repeat is ONCE and expected.accepted.most > 1] == []


def test_a_request_that_was_not_sent_is_not_accepted() -> None:
    never_sent = [e for _, _, e in EVERY if e.outcomes == frozenset({Outcome.NOT_SENT})]
    assert never_sent
    assert {expected.accepted for expected in never_sent} == {Range(0, 0)}


def test_the_number_of_accepted_requests_does_not_exceed_the_attempts() -> None:
    assert all(expected.accepted.most <= expected.attempts.most for _, _, expected in EVERY)


def test_each_retry_has_an_expected_delay() -> None:
    assert all(len(expected.delays) == expected.attempts.most - 1 for _, _, expected in EVERY)


def test_only_a_call_that_can_fail_has_expected_errors() -> None:
    assert all(bool(expected.errors) != expected.succeeds for _, _, expected in EVERY)


def test_a_refused_connection_is_retried_in_every_class() -> None:
    for repeat in Repeat:
        expected = _expect("refused", repeat)
        assert expected.attempts == Range(ALL_ATTEMPTS, ALL_ATTEMPTS)
        assert expected.errors == (ConnectionFailed,)


def test_a_reset_after_the_request_is_retried_unless_it_could_send_twice() -> None:
    assert _expect("reset-at-request-end", READ).accepted == Range(4, 4)
    assert _expect("reset-at-request-end", WRITE).accepted == Range(4, 4)
    once = _expect("reset-at-request-end", ONCE)
    assert (once.attempts, once.accepted, once.errors) == (Range(1, 1), Range(1, 1), (OutcomeUnknown,))


def test_a_connection_closed_on_reuse_is_retried_unless_it_could_send_twice() -> None:
    assert _expect("close-on-reuse", READ).succeeds
    assert _expect("close-on-reuse", READ).accepted == Range(1, 1)
    assert _expect("close-on-reuse", ONCE).outcomes == {Outcome.UNKNOWN}
    assert _expect("close-on-reuse", ONCE).accepted == Range(0, 0)


@pytest.mark.parametrize("name", ["html-200", "empty-200", "cut-json", "gzip-broken", "ids-are-empty"])
def test_a_request_with_an_unreadable_response_is_retried_once(name: str) -> None:
    assert _expect(name, READ).attempts == Range(2, 2)
    assert _expect(name, ONCE).attempts == Range(1, 1)


def test_a_429_is_retried_after_the_requested_delay_except_for_sends() -> None:
    read = _expect("status-429-retry-after-seconds", READ)
    assert read.attempts == Range(4, 4)
    assert read.delays == (Range(7, 7), Range(7, 7), Range(7, 7))
    assert _expect("status-429-retry-after-seconds", ONCE).attempts == Range(1, 1)
    assert _expect("status-429", ONCE).errors == (RateLimited,)


def test_a_huge_retry_after_fails_immediately() -> None:
    assert _expect("status-503-retry-after-huge", READ).attempts == Range(1, 1)


@pytest.mark.parametrize("form", ["nan", "negative", "past", "text", "zero"])
def test_an_invalid_or_past_retry_after_leaves_the_default_backoff(form: str) -> None:
    assert _expect(f"status-503-retry-after-{form}", READ).delays == (Range(0, 0.5), Range(0, 1), Range(0, 2))


def test_a_once_request_that_the_service_did_not_accept_is_retried_once() -> None:
    for name in ("status-421-page", "status-425-page"):
        assert _expect(name, ONCE).attempts == Range(2, 2)
        assert _expect(name, ONCE).outcomes == {Outcome.REJECTED}


def test_a_once_request_is_not_retried_after_a_408_because_the_outcome_is_unknown() -> None:
    assert _expect("status-408-page", ONCE).attempts == Range(1, 1)
    assert _expect("status-408-page", ONCE).outcomes == {Outcome.UNKNOWN}


def test_the_catalogue_contains_enough_faults() -> None:
    assert sum(fault.fresh + fault.reused for fault in ALL) * 3 * 3 >= 1_500
