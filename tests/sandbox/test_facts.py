"""Documented limits and rules that hold for several endpoints: the review queue, sizes of files and lists, expiry."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.rules import sheets
from tests.sandbox.caller import Caller, accepted, errors
from tests.sandbox.documented import REQUESTS, Documented, prepare
from tests.sandbox.test_conformance import Replay
from tests.workbooks import saved

ONE = "+989121234567"
SENDS = [
    request
    for request in REQUESTS
    if request.name.startswith("send.") and request.name not in {"send.cancel", "send.calculate_price"}
]


@pytest.mark.parametrize("request_", SENDS, ids=str)
def test_every_send_except_a_pattern_waits_for_a_review_if_reviews_are_on(
    sandbox: Sandbox, call: Caller, request_: Documented
) -> None:
    replay = Replay(call, prepare(sandbox))
    sandbox.state.review, sandbox.state.review_seconds = True, None
    ids = accepted(replay(request_))
    expected = {2} if request_.name == "send.pattern" else {1}
    assert {call.report(each)["state_id"] for each in ids} == expected
    if request_.name != "send.pattern":
        sandbox.clock.advance(86_400)
        assert {call.report(each)["state_id"] for each in ids} == {1}
        for each in ids:
            sandbox.state.approve(each)
        assert {call.report(each)["state_id"] for each in ids} == {2}


def test_a_peer_to_peer_file_has_at_most_10000_rows_and_each_row_has_its_own_id(call: Caller, sandbox: Sandbox) -> None:
    next(iter(sandbox.state.users.values())).credit = 1e12
    rows = [f"+98912{number:07d},salam {number}" for number in range(10_001)]
    most = "\n".join(["recipient,message", *rows[:-1]]).encode()
    assert len(set(accepted(call.upload("peer_to_peer_file", "a.csv", most)))) == 10_000
    many = "\n".join(["recipient,message", *rows]).encode()
    assert list(errors(call.upload("peer_to_peer_file", "a.csv", many))) == ["files"]


@pytest.mark.parametrize(("sending_type", "rows"), [("file", ["phone_number"]), ("keyword", [])])
def test_a_file_has_at_most_a_million_rows(
    monkeypatch: pytest.MonkeyPatch, call: Caller, sending_type: str, rows: list[str]
) -> None:
    assert sheets.MAX_ROWS == 1_000_000
    monkeypatch.setattr(sheets, "MAX_ROWS", 3)  # a file of a million rows takes seconds
    numbers = [f"+98912000000{number}" for number in range(4)]
    for count, expected in ((3, 200), (4, 422)):
        if sending_type == "file":
            name, content = "a.csv", "\n".join([*rows, *numbers[:count]]).encode()
        else:
            name, content = "a.xlsx", saved(*([number, "x"] for number in numbers[:count]))
        assert call.upload(sending_type, name, content, message=f"salam {count}").status_code == expected


def test_all_recipients_of_a_send_are_at_most_a_million(monkeypatch: pytest.MonkeyPatch, call: Caller) -> None:
    monkeypatch.setattr("ippanel_edge.sandbox.rules.send.MAX_ROWS", 3)
    numbers = [f"+98912000000{number}" for number in range(4)]
    assert accepted(call.webservice(*numbers[:3]))
    assert list(errors(call.webservice(*numbers, message="another"))) == ["params"]


def test_a_phonebook_send_has_at_most_100_entries(sandbox: Sandbox, call: Caller) -> None:
    prepare(sandbox)
    entry = {"type": "all", "phonebook_ids": ["51"]}
    assert accepted(call.send("phonebook", message="salam", params=[entry] * 100))
    assert list(errors(call.send("phonebook", message="another", params=[entry] * 101))) == ["params"]


def test_an_api_key_does_not_expire(sandbox: Sandbox, call: Caller) -> None:
    sandbox.clock.advance(timedelta(days=3650).total_seconds())
    assert call("GET", "/api/payment/credit/mine").status_code == 200


def test_a_pattern_can_be_scheduled_and_cancelled(sandbox: Sandbox, call: Caller) -> None:
    later = f"{sandbox.clock.now() + timedelta(minutes=10):%Y-%m-%d %H:%M:%S}"
    (outbox_id,) = accepted(call.send("pattern", code="otp", params={"code": "1"}, recipients=[ONE], send_time=later))
    assert call.report(outbox_id)["state_id"] == 5
    assert call("POST", "/api/send/cancel", json={"message_outbox_id": outbox_id}).status_code == 200
    assert call.report(outbox_id)["state_id"] == 7
