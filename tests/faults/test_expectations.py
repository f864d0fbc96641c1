"""The expectations keep the promise themselves, and say of some cells what the table says in words."""

from __future__ import annotations

import itertools
from typing import Final

import pytest

from ippanel_edge.endpoints import ONCE, READ, WRITE, Repeat
from ippanel_edge.errors import ConnectionFailed, Outcome, OutcomeUnknown, RateLimited
from tests.faults.catalogue import ALL, BY_NAME
from tests.faults.expectations import ALL_ATTEMPTS, Expectation, Range, expect

EVERY: Final = [
    (fault, repeat, expect(fault, repeat, tls=tls, has_body=has_body, answers_data=answers_data))
    for fault, repeat in itertools.product(ALL, Repeat)
    for tls, has_body, answers_data in itertools.product((False, True), repeat=3)
]


def _expect(name: str, repeat: Repeat) -> Expectation:
    return expect(BY_NAME[name], repeat, answers_data=True)


def test_once_is_never_accepted_twice() -> None:
    assert [fault.name for fault, repeat, expected in EVERY if repeat is ONCE and expected.accepted.most > 1] == []


def test_what_was_certainly_not_sent_was_not_accepted() -> None:
    never_left = [e for _, _, e in EVERY if e.outcomes == frozenset({Outcome.NOT_SENT})]
    assert never_left
    assert {expected.accepted for expected in never_left} == {Range(0, 0)}


def test_no_more_is_accepted_than_attempted() -> None:
    assert all(expected.accepted.most <= expected.attempts.most for _, _, expected in EVERY)


def test_every_repeat_has_its_wait() -> None:
    assert all(len(expected.waits) == expected.attempts.most - 1 for _, _, expected in EVERY)


def test_an_outcome_comes_with_an_error_and_success_with_none() -> None:
    assert all(bool(expected.errors) != expected.succeeds for _, _, expected in EVERY)


def test_a_refused_connection_is_tried_again_by_every_class() -> None:
    for repeat in Repeat:
        expected = _expect("refused", repeat)
        assert expected.attempts == Range(ALL_ATTEMPTS, ALL_ATTEMPTS)
        assert expected.errors == (ConnectionFailed,)


def test_a_reset_after_the_whole_request_is_repeated_unless_it_may_bill_twice() -> None:
    assert _expect("reset-at-request-end", READ).accepted == Range(4, 4)
    assert _expect("reset-at-request-end", WRITE).accepted == Range(4, 4)
    once = _expect("reset-at-request-end", ONCE)
    assert (once.attempts, once.accepted, once.errors) == (Range(1, 1), Range(1, 1), (OutcomeUnknown,))


def test_a_keep_alive_race_is_healed_by_one_repeat() -> None:
    assert _expect("close-on-reuse", READ).succeeds
    assert _expect("close-on-reuse", READ).accepted == Range(1, 1)
    assert _expect("close-on-reuse", ONCE).outcomes == {Outcome.UNKNOWN}
    assert _expect("close-on-reuse", ONCE).accepted == Range(0, 0)


@pytest.mark.parametrize("name", ["html-200", "empty-200", "cut-json", "gzip-broken", "ids-are-empty"])
def test_an_unreadable_answer_is_asked_for_once_more(name: str) -> None:
    assert _expect(name, READ).attempts == Range(2, 2)
    assert _expect(name, ONCE).attempts == Range(1, 1)


def test_a_429_is_waited_out_but_for_a_send() -> None:
    read = _expect("status-429-retry-after-seconds", READ)
    assert read.attempts == Range(4, 4)
    assert read.waits == (Range(7, 7), Range(7, 7), Range(7, 7))
    assert _expect("status-429-retry-after-seconds", ONCE).attempts == Range(1, 1)
    assert _expect("status-429", ONCE).errors == (RateLimited,)


def test_a_huge_retry_after_fails_at_once() -> None:
    assert _expect("status-503-retry-after-huge", READ).attempts == Range(1, 1)


@pytest.mark.parametrize("way", ["nan", "negative", "past", "text", "zero"])
def test_a_retry_after_that_says_nothing_leaves_the_jitter(way: str) -> None:
    assert _expect(f"status-503-retry-after-{way}", READ).waits == (Range(0, 0.5), Range(0, 1), Range(0, 2))


def test_a_request_that_the_service_never_took_is_made_once_more_even_when_it_bills() -> None:
    for name in ("status-421-page", "status-425-page"):
        assert _expect(name, ONCE).attempts == Range(2, 2)
        assert _expect(name, ONCE).outcomes == {Outcome.REJECTED}


def test_a_408_leaves_it_open_so_what_bills_is_not_repeated() -> None:
    assert _expect("status-408-page", ONCE).attempts == Range(1, 1)
    assert _expect("status-408-page", ONCE).outcomes == {Outcome.UNKNOWN}


def test_the_catalogue_gives_the_matrix_its_cells() -> None:
    assert sum(fault.fresh + fault.reused for fault in ALL) * 3 * 3 >= 1_500
