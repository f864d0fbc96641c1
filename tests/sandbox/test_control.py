"""The control address of the sandbox: each route, each error, and the stream of events."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from ippanel_edge.sandbox import Sandbox
from tests.sandbox.caller import Caller, accepted

ONE, TWO = "+989121234567", "+989351234567"


class Control:
    """Requests of the control address of one sandbox in memory."""

    def __init__(self, call: Caller) -> None:
        self._call = call

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Send a request with a JSON body and without a key."""
        if body is not None:
            options["content"] = json.dumps(body)
        return self._call(method, path, base="/sandbox", key=None, **options)

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a GET."""
        response = self("GET", path, params=query)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/json"
        return response.json()

    def error(self, status: int, method: str, path: str, body: Any = None, **options: Any) -> str:
        """Return the message of a rejected request."""
        response = self(method, path, body, **options)
        assert response.status_code == status, response.text
        assert list(response.json()) == ["error"]
        message: str = response.json()["error"]
        return message


@pytest.fixture
def ask(call: Caller) -> Control:
    return Control(call)


class TestState:
    def test_the_state_has_the_time_the_credit_counts_lines_the_key_and_settings(
        self, ask: Control, call: Caller, sandbox: Sandbox
    ) -> None:
        accepted(call.webservice(ONE))
        sandbox.state.receive(ONE, sandbox.from_number, "hi")
        sandbox.fail("send")
        state = ask.get("/state")
        assert state["now"] == "2030-01-15T09:30:00Z"
        assert state["credit"] == 100_000_000 - 2890
        assert state["counts"] == {"outbox": 1, "inbox": 1, "notices": 0, "faults": 1}
        assert state["lines"][0] == {"number": sandbox.from_number, "alias": "خدماتی", "service": True}
        assert state["api_key"] == sandbox.api_key
        assert state["settings"] == {
            "review": False,
            "strict": True,
            "sample_files": True,
            "delivery_seconds": 2.0,
            "review_seconds": 60.0,
            "pattern_review_seconds": 60.0,
            "review_above": 10_000,
        }

    def test_settings_and_the_credit_can_be_changed(self, ask: Control, call: Caller, sandbox: Sandbox) -> None:
        changes = {"review": True, "delivery_seconds": 0.5, "review_seconds": None, "review_above": 5}
        response = ask("PATCH", "/state", {**changes, "credit": 1000})
        assert response.json()["credit"] == 1000
        assert {name: response.json()["settings"][name] for name in changes} == changes
        assert (sandbox.state.delivery_seconds, sandbox.state.review_seconds) == (0.5, None)
        assert call.credit() == 1000
        assert call.webservice(ONE).json()["meta"]["status"] is False  # the credit is too low

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({"reviews": True}, "got the unknown field 'reviews'"),
            ({"review": 1}, "review: expected true or false, got 1"),
            ({"delivery_seconds": -1}, "delivery_seconds: expected a number from 0 to 315360000, got -1"),
            ({"delivery_seconds": None}, "delivery_seconds: expected a number from 0 to 315360000, got None"),
            ({"delivery_seconds": True}, "delivery_seconds: expected a number"),
            ({"delivery_seconds": 1e300}, "delivery_seconds: expected a number from 0 to 315360000, got 1e+300"),
            ({"delivery_seconds": 1e15}, "delivery_seconds: expected a number from 0 to 315360000"),
            ({"review_seconds": 1e9}, "review_seconds: expected a number from 0 to 315360000 or null"),
            ({"review_seconds": "5"}, "review_seconds: expected a number from 0 to 315360000 or null, got '5'"),
            ({"review_above": 1.5}, "review_above: expected an integer of at least 0, got 1.5"),
            ({"credit": "much"}, "credit: expected a number"),
        ],
    )
    def test_a_wrong_setting_is_an_error_and_changes_nothing(
        self, ask: Control, sandbox: Sandbox, body: dict[str, Any], message: str
    ) -> None:
        assert message in ask.error(422, "PATCH", "/state", {"strict": False, **body})
        assert sandbox.state.strict

    def test_a_reset_deletes_messages_and_faults(self, ask: Control, call: Caller, sandbox: Sandbox) -> None:
        (first,) = accepted(call.webservice(ONE))
        sandbox.state.receive(ONE, sandbox.from_number, "hi")
        sandbox.fail("send")
        response = ask("POST", "/reset")
        assert response.json()["counts"] == {"outbox": 0, "inbox": 0, "notices": 0, "faults": 0}
        assert ask.get("/messages") == []
        assert accepted(call.webservice(ONE)) == [first + 1]


class TestPhones:
    def test_phones_are_listed_by_their_newest_message(self, ask: Control, call: Caller, sandbox: Sandbox) -> None:
        accepted(call.webservice(ONE, TWO, message="first"))
        accepted(call.webservice(ONE, message="second"))
        sandbox.state.receive(TWO, sandbox.from_number, "reply")
        sandbox.state.notify(TWO, "code: 1234")
        phones = ask.get("/phones")
        assert [(phone["number"], phone["messages"], phone["unread"]) for phone in phones] == [
            (TWO, 3, 1),
            (ONE, 2, 2),
        ]
        assert [phone["last"]["text"] for phone in phones] == ["code: 1234", "second"]
        assert ask.get("/phones", limit=1) == phones[:1]

    def test_messages_are_listed_newest_first_also_at_the_same_time(
        self, ask: Control, call: Caller, sandbox: Sandbox
    ) -> None:
        (first,) = accepted(call.webservice(ONE, TWO, message="سلام"))
        inbound = sandbox.state.receive(ONE, "9000 9000", "لغو")
        (second,) = accepted(call.send("votp", from_number=None, message="0451", params={"recipients": [ONE]}))
        rows = ask.get("/messages")
        assert [row["id"] for row in rows] == [
            f"out-{second}-0",
            f"in-{inbound.inbox_id}",
            f"out-{first}-0",
            f"out-{first}-1",
        ]
        assert rows[0] | {"id": "", "outbox_id": 0} == {
            "id": "",
            "direction": "out",
            "number": ONE,
            "line": "+98votp",
            "text": "0451",
            "time": "2030-01-15T09:30:00Z",
            "parts": 1,
            "encoding": "GSM-7",
            "status": "sending",
            "outbox_id": 0,
            "sending_type": "votp",
            "otp": "0451",
            "cost": 1050.0,
        }
        assert rows[1] == {
            "id": f"in-{inbound.inbox_id}",
            "direction": "in",
            "number": ONE,
            "line": "+9890009000",
            "text": "لغو",
            "time": "2030-01-15T09:30:00Z",
            "parts": 1,
            "encoding": "UCS-2",
            "status": "delivered",
            "outbox_id": None,
            "sending_type": None,
            "otp": None,
            "cost": 0.0,
        }
        sandbox.clock.advance(4)
        assert {row["status"] for row in ask.get("/messages")} == {"delivered"}

    def test_messages_can_be_selected_and_paged(self, ask: Control, call: Caller) -> None:
        ids = [accepted(call.webservice(ONE, TWO, message=f"text {number}"))[0] for number in range(5)]
        assert [row["text"] for row in ask.get("/messages", number="0935 123 4567", limit=2)] == ["text 4", "text 3"]
        assert [row["id"] for row in ask.get("/messages", search="t 2")] == [f"out-{ids[2]}-0", f"out-{ids[2]}-1"]
        older = ask.get("/messages", after=f"out-{ids[1]}-0")
        assert [row["id"] for row in older] == [f"out-{ids[1]}-1", f"out-{ids[0]}-0", f"out-{ids[0]}-1"]
        assert ask.get("/messages", after=older[-1]["id"]) == []

    def test_a_code_of_the_service_has_its_own_id(self, ask: Control, sandbox: Sandbox) -> None:
        sandbox.state.notify(ONE, "کد ورود: ۴۸۲۹۱۳")
        sandbox.state.notify(ONE, "hello")
        newest, oldest = ask.get("/messages")
        assert (newest["line"], newest["otp"], oldest["otp"]) == (None, None, "482913")
        assert [row["id"] for row in ask.get("/messages", after=newest["id"])] == [oldest["id"]]

    def test_the_outbox_is_a_table(self, ask: Control, call: Caller, sandbox: Sandbox) -> None:
        (first,) = accepted(call.webservice(ONE, TWO))
        (second,) = accepted(call.webservice(ONE, message="later", send_time="2030-01-15 12:00:00"))
        rows = ask.get("/outbox")
        assert rows[1] == {
            "id": first,
            "line": sandbox.from_number,
            "type": "webservice",
            "text": "salam",
            "recipients": 2,
            "state": "sending",
            "cost": 2890.0 + 3120.0,
            "time": "2030-01-15T09:30:00Z",
            "send_at": "2030-01-15T09:30:00Z",
        }
        assert (rows[0]["id"], rows[0]["state"], rows[0]["send_at"]) == (second, "queued", "2030-01-15T12:00:00Z")
        assert [row["id"] for row in ask.get("/outbox", limit=1)] == [second]
        assert [row["id"] for row in ask.get("/outbox", after=second)] == [first]

    @pytest.mark.parametrize(
        ("path", "query", "status", "message"),
        [
            ("/messages", "number=12", 422, "number: expected a mobile number, got '12'"),
            ("/messages", "limit=0", 422, "limit: expected an integer from 1 to 1000, got 0"),
            ("/messages", "limit=1001", 422, "limit: expected an integer from 1 to 1000, got 1001"),
            ("/messages", "limit=x", 422, "limit: expected an integer"),
            ("/messages", "limit=-1", 422, "limit: expected an integer"),
            ("/messages", f"limit={'9' * 99}", 422, "limit: expected an integer"),
            ("/messages", "after=out-1-0", 404, "after: expected the id of a message, got 'out-1-0'"),
            ("/messages", "offset=1", 422, "got the unknown field 'offset'"),
            ("/messages", "limit=1&limit=2", 422, "limit: expected one value, got 2 values"),
            ("/messages", "search=", 422, "search: expected a non-empty string"),
            ("/outbox", "after=x", 422, "after: expected an integer"),
            ("/phones", "number=1", 422, "expected limit, got the unknown field 'number'"),
            ("/state", "x=1", 422, "expected no fields"),
            ("/faults", "x=1", 422, "expected no fields"),
            ("/events", "x=1", 422, "expected no fields"),
        ],
    )
    def test_a_wrong_query_is_an_error(self, ask: Control, path: str, query: str, status: int, message: str) -> None:
        assert message in ask.error(status, "GET", f"{path}?{query}")


class TestInbound:
    def test_a_message_from_a_phone_arrives_in_the_inbox_of_its_line(self, ask: Control, call: Caller) -> None:
        response = ask("POST", "/inbound", {"from": "۰۹۱۲ ۱۲۳ ۴۵۶۷", "line": "9000-9000", "text": "سلام"})
        assert response.status_code == 201
        (row,) = call("POST", "/api/report/messages-inbox", json={}).json()["data"]
        assert row["messages_inbox_id"] == response.json()["id"]
        assert (row["from"], row["number"], row["message"]) == (ONE, "+9890009000", "سلام")

    def test_the_default_line_is_the_main_one(self, ask: Control, sandbox: Sandbox) -> None:
        ask("POST", "/inbound", {"from": ONE, "text": "hi"})
        assert sandbox.state.inbox[0].line == sandbox.from_number

    @pytest.mark.parametrize(
        ("body", "status", "message"),
        [
            ({"from": ONE, "text": "hi", "line": "1000"}, 404, "line: expected one of +983000100200, +9890009000"),
            ({"from": "021", "text": "hi"}, 422, "from: expected a mobile number, got '021'"),
            ({"from": ONE}, 422, "text: expected a non-empty string, got nothing; add it"),
            ({"from": ONE, "text": ""}, 422, "text: expected a non-empty string, got ''"),
            ({"from": ONE, "text": 5}, 422, "text: expected a non-empty string, got 5"),
            ({"text": "hi"}, 422, "from: expected a non-empty string, got nothing"),
            ({"from": ONE, "text": "hi", "to": "x"}, 422, "expected from, text, line, got the unknown field 'to'"),
        ],
    )
    def test_a_wrong_message_is_an_error(
        self, ask: Control, sandbox: Sandbox, body: dict[str, Any], status: int, message: str
    ) -> None:
        assert message in ask.error(status, "POST", "/inbound", body)
        assert sandbox.state.inbox == []

    @pytest.mark.parametrize("content", [b"[]", b"{", b'{"from": "\xff"}', b'{"text": "\\ud800"}', b'{"a":1,"a":1}'])
    def test_a_body_other_than_a_json_object_is_an_error(self, ask: Control, content: bytes) -> None:
        assert "expected a JSON object in UTF-8" in ask.error(400, "POST", "/inbound", content=content)


class TestClock:
    def test_the_clock_is_advanced_by_seconds_or_to_a_time(self, ask: Control, sandbox: Sandbox) -> None:
        assert ask("POST", "/clock", {"advance": 90.5}).json() == {"now": "2030-01-15T09:31:30.500000Z"}
        assert ask("POST", "/clock", {"set": "2030-01-15T14:00:00+03:30"}).json() == {"now": "2030-01-15T10:30:00Z"}
        assert sandbox.clock.now().hour == 10

    @pytest.mark.parametrize(
        ("body", "status", "message"),
        [
            ({}, 422, "expected either advance or set"),
            ({"advance": 1, "set": "2031-01-01T00:00:00Z"}, 422, "expected either advance or set"),
            ({"advance": -1}, 422, "advance: expected a number of at least 0, got -1"),
            ({"advance": 10**15}, 422, "before the year 3000"),
            ({"advance": 10**12}, 422, "before the year 3000"),
            ({"set": "3000-01-01T00:00:01Z"}, 422, "before the year 3000"),
            ({"advance": 1, "x": 1}, 422, "got the unknown field 'x'"),
            ({"set": "2031-01-01T00:00:00Z", "x": 1}, 422, "got the unknown field 'x'"),
            ({"set": "2031-01-01T00:00:00"}, 422, "set: expected an ISO 8601 time with a zone"),
            ({"set": "tomorrow"}, 422, "set: expected an ISO 8601 time with a zone"),
            ({"set": 5}, 422, "set: expected an ISO 8601 time with a zone"),
            ({"set": "2029-01-01T00:00:00Z"}, 409, "set: expected a time not before 2030-01-15T09:30:00Z"),
        ],
    )
    def test_a_wrong_time_is_an_error(
        self, ask: Control, sandbox: Sandbox, body: dict[str, Any], status: int, message: str
    ) -> None:
        before = sandbox.clock.now()
        assert message in ask.error(status, "POST", "/clock", body)
        assert sandbox.clock.now() == before


class TestReview:
    def test_a_message_is_approved_or_rejected(self, ask: Control, call: Caller, sandbox: Sandbox) -> None:
        sandbox.state.review, sandbox.state.review_seconds = True, None
        first, second = (accepted(call.webservice(number))[0] for number in (ONE, TWO))
        assert ask("POST", "/review", {"outbox_id": first, "action": "approve"}).json()["state"] == "sending"
        body = {"outbox_id": second, "action": "reject", "comment": "advertising"}
        assert ask("POST", "/review", body).json()["state"] == "rejected"
        assert call.report(second)["reject_comment"] == "advertising"

    @pytest.mark.parametrize(
        ("body", "status", "message"),
        [
            ({"outbox_id": 7, "action": "approve"}, 404, "outbox_id: expected the id of a message, got 7"),
            ({"outbox_id": 1001, "action": "approve"}, 409, "expected a message in review, got 1001, which is sending"),
            ({"outbox_id": 1001, "action": "delete"}, 422, "action: expected one of approve, reject, got 'delete'"),
            ({"outbox_id": "1001", "action": "approve"}, 422, "outbox_id: expected an integer"),
            ({"outbox_id": 1001}, 422, "action: expected one of approve, reject, got nothing"),
            ({"outbox_id": 1001, "action": "reject", "comment": ""}, 422, "comment: expected a non-empty string"),
        ],
    )
    def test_a_wrong_review_is_an_error(
        self, ask: Control, call: Caller, body: dict[str, Any], status: int, message: str
    ) -> None:
        assert accepted(call.webservice(ONE)) == [1001]
        assert message in ask.error(status, "POST", "/review", body)


class TestFaults:
    def test_a_fault_is_added_listed_used_and_cleared(self, ask: Control, call: Caller) -> None:
        body = {"call": "send", "times": 2, "fault": "STATUS", "status": 503, "headers": {"Retry-After": "7"}}
        response = ask("POST", "/faults", body)
        assert response.status_code == 201
        assert response.json() == {
            "id": 1,
            "fault": "STATUS",
            "call": "send",
            "path": None,
            "sending_type": None,
            "times": 2,
            "used": 0,
            "status": 503,
            "delay": 0.0,
            "executed": False,
            "cut": None,
        }
        ask("POST", "/faults", {"path": "/api/payment/credit/mine"})
        assert [(fault["id"], fault["used"]) for fault in ask.get("/faults")] == [(1, 0), (2, 0)]
        rejected = call.webservice(ONE)
        assert (rejected.status_code, rejected.headers["retry-after"]) == (503, "7")
        assert [(fault["id"], fault["times"], fault["used"]) for fault in ask.get("/faults")] == [(1, 1, 1), (2, 1, 0)]
        assert ask("DELETE", "/faults").json() == {"removed": 2}
        assert ask.get("/faults") == []
        assert call.webservice(ONE).status_code == 200

    def test_a_fault_of_every_kind_can_be_added(self, ask: Control) -> None:
        for body in (
            {"fault": "STATUS", "body": {"data": 1}, "executed": True},
            {"fault": "DELAY", "delay": 0.5},
            {"fault": "STALL", "call": "send.webservice"},
            {"fault": "RESET_BEFORE_ACCEPT"},
            {"fault": "RESET_AFTER_ACCEPT"},
            {"fault": "CUT", "cut": 20},
            {"fault": "GARBAGE"},
            {"fault": "HTML_502", "body": "<p>gateway</p>"},
        ):
            assert ask("POST", "/faults", body).json()["fault"] == body["fault"]

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({"fault": "CRASH"}, "fault: expected one of STATUS, DELAY, STALL"),
            ({"fault": 5}, "fault: expected one of STATUS"),
            ({"call": "sned"}, "call: expected the name of a call"),
            ({"path": "/api/sned"}, "no endpoint has the path '/api/sned'"),
            ({"times": 0}, "times: expected an integer of at least 1, got 0"),
            ({"status": "503"}, "status: expected an integer"),
            ({"status": 99}, "status: expected an HTTP status"),
            ({"headers": {"X": 1}}, "headers: expected an object of strings"),
            ({"headers": []}, "headers: expected an object of strings"),
            ({"fault": "DELAY"}, "delay: expected the seconds of DELAY"),
            ({"with_": "STALL"}, "got the unknown field 'with_'"),
            ({"fault": "STALL", "cut": 1}, "cut: not used by STALL"),
        ],
    )
    def test_a_wrong_fault_is_an_error(
        self, ask: Control, sandbox: Sandbox, body: dict[str, Any], message: str
    ) -> None:
        assert message in ask.error(422, "POST", "/faults", body)
        assert sandbox.faults.pending == []


class TestAccess:
    def test_an_unknown_route_and_method_are_errors(self, ask: Control) -> None:
        message = ask.error(404, "GET", "/nothing")
        assert "expected one of GET /sandbox/state, PATCH /sandbox/state" in message
        assert "got GET /sandbox/nothing" in message
        assert "got DELETE /sandbox/state" in ask.error(405, "DELETE", "/state")
        assert "got GET /sandbox/state/" in ask.error(404, "GET", "/state/")

    @pytest.mark.parametrize(
        ("origin", "status"),
        [
            ("http://sandbox", 200),
            ("https://sandbox", 200),
            ("http://evil.example", 403),
            ("http://sandbox:81", 403),
            ("http://sandbox.evil.example", 403),
            ("null", 403),
        ],
    )
    def test_a_page_of_another_origin_is_refused(self, ask: Control, origin: str, status: int) -> None:
        assert ask("GET", "/state", headers={"Origin": origin}).status_code == status
        assert ask("POST", "/clock", {"advance": 1}, headers={"Origin": origin}).status_code == status

    def test_another_host_is_refused(self) -> None:
        with Sandbox() as sandbox:
            response = httpx.get(
                f"{sandbox.base_url.removesuffix('/v1')}/sandbox/state",
                headers={"Host": "evil.example"},
                trust_env=False,
            )
        assert response.status_code == 421

    def test_junk_is_never_a_server_error(self, ask: Control) -> None:
        junk: list[Any] = [None, True, -1, 2**70, 1.5, "", "\0", "x" * 5000, [], [[]], {}, {"a": {"b": []}}]
        fields = ("from", "text", "line", "advance", "set", "outbox_id", "action", "fault", "call", "times", "headers")
        for path in ("/inbound", "/clock", "/review", "/faults", "/reset"):
            for field in (*fields, "status", "body", "delay", "cut", "executed"):
                for value in junk:
                    assert ask("POST", path, {field: value}).status_code < 500, (path, field, value)
