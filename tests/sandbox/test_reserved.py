"""The reserved numbers and texts: the table in the docs is the table in the code, and each does what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox import reserved as names
from ippanel_edge.sandbox.defaults import FROM_NUMBER, PROMOTIONAL_NUMBER
from ippanel_edge.sandbox.records import DeliveryOutcome
from ippanel_edge.sandbox.reserved import RESERVED, Reserved, SendFailure
from tests.sandbox.caller import Caller, accepted

DOCS = Path(__file__).parents[2] / "docs" / "en" / "sandbox.md"
OTHER = "+989121234567"

# For each delivery outcome: the message_status after 0, 1, 2, 10, 11 and 1,000 steps.
PROGRESS = {
    DeliveryOutcome.DELIVERED: "012222",
    DeliveryOutcome.LATE: "011222",
    DeliveryOutcome.NOT_DELIVERED: "013333",
    DeliveryOutcome.BLACKLISTED: "044444",
    DeliveryOutcome.NEVER_FINAL: "011111",
    DeliveryOutcome.SLOW_OPERATOR: "000122",
}
STEPS = (0, 1, 2, 10, 11, 1000)
# For each failure: the status, the status in `meta` (None: not JSON), and how many messages are in the outbox.
ANSWERS: dict[SendFailure, tuple[int, bool | None, int]] = {
    SendFailure.INVALID: (422, False, 0),
    SendFailure.NO_CREDIT: (200, False, 0),
    SendFailure.DUPLICATE: (429, False, 0),
    SendFailure.FAILURE: (500, False, 0),
    SendFailure.ACCEPTED_FAILURE: (500, False, 1),
    SendFailure.HTML: (502, None, 0),
    SendFailure.REVIEW_REFUSED: (200, True, 1),
}
DELIVERIES = [each for each in RESERVED if isinstance(each.result, DeliveryOutcome)]
FAILURES = [each for each in RESERVED if isinstance(each.result, SendFailure)]


@pytest.fixture(params=["number", "text"])
def by(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def arguments(by: str, each: Reserved) -> tuple[str, str]:
    """Return the number and the text of a send that uses a reserved number or a reserved text."""
    return (each.number, "salam") if by == "number" else (OTHER, f"salam {each.text}, tamam")


def test_the_table_in_the_docs_is_the_table_in_the_code() -> None:
    rows = re.findall(
        r"^\| `(\+989990[0-9]+)` \| `([^`]+)` \| (.+) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert rows == [(each.number, each.text, each.description) for each in RESERVED]


def test_every_result_has_one_number_and_each_number_has_a_name() -> None:
    assert {each.result for each in RESERVED} == {*DeliveryOutcome, *SendFailure}
    named = {value for name, value in vars(names).items() if re.fullmatch("[A-Z][A-Z_]*_NUMBER", name)}
    assert named == {each.number for each in RESERVED}
    assert len(named) == len(RESERVED)


@pytest.mark.parametrize("each", DELIVERIES, ids=lambda each: each.result)
@pytest.mark.parametrize("line", [FROM_NUMBER, PROMOTIONAL_NUMBER])
def test_a_reserved_delivery_progresses_as_the_table_says(
    sandbox: Sandbox, call: Caller, by: str, each: Reserved, line: str
) -> None:
    number, message = arguments(by, each)
    (outbox_id,) = accepted(call.webservice(number, message=message, from_number=line))
    seen, passed = "", 0
    for steps in STEPS:
        sandbox.clock.advance((steps - passed) * sandbox.state.delivery_seconds)
        passed = steps
        seen += call.statuses(outbox_id)[number]
    assert isinstance(each.result, DeliveryOutcome)
    assert seen == PROGRESS[each.result]


@pytest.mark.parametrize("each", FAILURES, ids=lambda each: each.result)
def test_a_reserved_failure_is_answered_as_the_table_says(
    sandbox: Sandbox, call: Caller, by: str, each: Reserved
) -> None:
    number, message = arguments(by, each)
    credit = call.credit()
    response = call.webservice(number, message=message)
    assert isinstance(each.result, SendFailure)
    status, meta_status, count = ANSWERS[each.result]
    assert response.status_code == status
    if meta_status is None:
        assert response.headers["content-type"].startswith("text/html")
        assert response.text.startswith("<html>")
    else:
        assert response.json()["meta"]["status"] is meta_status
    assert len(sandbox.state.outbox) == count
    if each.result is not SendFailure.ACCEPTED_FAILURE:
        assert call.credit() == credit


def test_a_refused_review_is_state_3_with_a_comment_but_patterns_are_not_reviewed(call: Caller) -> None:
    (refused,) = accepted(call.webservice(names.REVIEW_REFUSED_NUMBER))
    report = call.report(refused)
    assert (report["state_id"], report["valid"]) == (3, "reject")
    assert report["reject_comment"]
    recipients = [names.REVIEW_REFUSED_NUMBER]
    (pattern,) = accepted(call.send("pattern", code="otp", params={"code": "1"}, recipients=recipients))
    assert call.report(pattern)["state_id"] == 2


def test_a_refused_review_of_more_messages_than_are_kept_is_accepted(sandbox: Sandbox, call: Caller) -> None:
    sandbox.state.max_messages = 2
    params = [{"recipients": [names.REVIEW_REFUSED_NUMBER], "message": text} for text in ("a", "b", "c")]
    ids = accepted(call.send("peer_to_peer", params=params))
    assert [call.report(outbox_id)["state_id"] for outbox_id in ids[1:]] == [3, 3]
    assert ids[0] not in sandbox.state.outbox


def test_a_failure_of_one_recipient_decides_on_the_whole_send(sandbox: Sandbox, call: Caller) -> None:
    assert call.webservice(OTHER, names.FAILED_NUMBER, names.DUPLICATE_NUMBER).status_code == 429
    assert not sandbox.state.outbox


def test_a_word_that_is_not_reserved_changes_nothing(call: Caller) -> None:
    (outbox_id,) = accepted(call.webservice(OTHER, message="see sandbox:docs"))
    assert call.report(outbox_id)["state_id"] == 2
