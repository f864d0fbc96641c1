"""Faults of the sandbox against the clients of the SDK: the outcome that they report, and what was really executed."""

from __future__ import annotations

import logging
import socket
import time
from typing import Any

import anyio
import httpx
import pytest

from ippanel_edge import ApiError, AsyncEdgeClient, EdgeClient, EdgeError, Outcome, RetryPolicy
from ippanel_edge.sandbox import Fault, Sandbox
from ippanel_edge.sandbox.app import names_by_call
from tests.client.memory import in_memory

MOBILE = "+989121234567"
CLIENTS = [(side, transport) for side in ("async", "sync") for transport in ("httpx", "fast")]

EXPECTED: dict[Fault, tuple[str, int]] = {
    Fault.STATUS: ("ServerError", 0),
    Fault.DELAY: ("SendResult", 1),
    Fault.STALL: ("OutcomeUnknown", 0),
    Fault.RESET_BEFORE_ACCEPT: ("OutcomeUnknown", 0),
    Fault.RESET_AFTER_ACCEPT: ("OutcomeUnknown", 1),
    Fault.CUT: ("OutcomeUnknown", 1),
    Fault.GARBAGE: ("OutcomeUnknown", 0),
    Fault.HTML_502: ("ServerError", 0),
}
"""The class of the result of a send, and the number of messages in the outbox."""


def options(fault: Fault) -> dict[str, Any]:
    return {"delay": 0.01} if fault is Fault.DELAY else {}


def settings(sandbox: Sandbox, **changes: Any) -> dict[str, Any]:
    return {"base_url": sandbox.base_url, "from_number": sandbox.from_number, **changes}


def call_api(sandbox: Sandbox, side: str, path: str, *arguments: Any, **changes: Any) -> Any:
    """Call a method such as "send.webservice" with a new client and return its result, or its error."""
    section, method = path.split(".")

    async def run() -> Any:
        async with AsyncEdgeClient(sandbox.api_key, **settings(sandbox, **changes)) as client:
            return await getattr(getattr(client, section), method)(*arguments)

    try:
        if side == "async":
            return anyio.run(run)
        with EdgeClient(sandbox.api_key, **settings(sandbox, **changes)) as client:
            return getattr(getattr(client, section), method)(*arguments)
    except EdgeError as error:
        return error


@pytest.mark.parametrize(("side", "transport"), CLIENTS)
@pytest.mark.parametrize("fault", list(Fault))
def test_the_outcome_of_a_send_is_true(side: str, transport: str, fault: Fault) -> None:
    kind, accepted = EXPECTED[fault]
    with Sandbox() as sandbox:
        sandbox.fail("send", with_=fault, **options(fault))
        timeout = 0.2 if fault is Fault.STALL else 10
        result = call_api(sandbox, side, "send.webservice", [MOBILE], "hello", transport=transport, timeout=timeout)
        assert type(result).__name__ == kind
        if isinstance(result, EdgeError):
            assert result.outcome is Outcome.UNKNOWN
        assert len(sandbox.state.outbox) == accepted
        assert sandbox.faults.pending == []
        again = call_api(sandbox, side, "send.webservice", [MOBILE], "hello again", transport=transport)
        assert again.id in sandbox.state.outbox, "the fault is used once"


@pytest.mark.parametrize("fault", list(Fault))
def test_a_client_in_memory_sees_the_same_outcome(fault: Fault) -> None:
    kind, accepted = EXPECTED[fault]
    sandbox = Sandbox()
    sandbox.fail("send", with_=fault, **options(fault))

    async def run() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=sandbox.app)) as http:
            client = AsyncEdgeClient(sandbox.api_key, **settings(sandbox, http_client=http))
            try:
                return await client.send.webservice([MOBILE], "hello")
            except EdgeError as error:
                return error

    result = anyio.run(run)
    assert type(result).__name__ == kind
    if isinstance(result, EdgeError):
        assert result.outcome is Outcome.UNKNOWN
    assert len(sandbox.state.outbox) == accepted


def test_a_sync_client_in_memory_sees_a_broken_connection() -> None:
    sandbox = Sandbox()
    sandbox.fail("send", with_=Fault.RESET_AFTER_ACCEPT)
    with httpx.Client(transport=httpx.MockTransport(in_memory(sandbox))) as http:
        result = call_api(sandbox, "sync", "send.webservice", [MOBILE], "hello", http_client=http)
    assert (type(result).__name__, result.outcome) == ("OutcomeUnknown", Outcome.UNKNOWN)
    assert len(sandbox.state.outbox) == 1


@pytest.mark.parametrize(("side", "transport"), CLIENTS)
def test_a_rejection_is_rejected_and_a_stopped_server_is_not_sent(side: str, transport: str) -> None:
    sandbox = Sandbox()
    with sandbox:
        sandbox.fail("send", status=403)
        result = call_api(sandbox, side, "send.webservice", [MOBILE], "hello", transport=transport)
        assert isinstance(result, ApiError)
        assert (result.status_code, result.outcome) == (403, Outcome.REJECTED)
        url = sandbox.base_url
    result = call_api(sandbox, side, "send.webservice", [MOBILE], "hello", transport=transport, base_url=url)
    assert result.outcome is Outcome.NOT_SENT
    assert sandbox.state.outbox == {}


@pytest.mark.parametrize(("side", "transport"), CLIENTS)
@pytest.mark.parametrize("fault", [Fault.RESET_BEFORE_ACCEPT, Fault.CUT, Fault.GARBAGE, Fault.HTML_502])
def test_a_query_is_retried_over_a_broken_connection(side: str, transport: str, fault: Fault) -> None:
    with Sandbox() as sandbox:
        sandbox.fail("payment.credit", with_=fault, times=2)
        events = sandbox.events.subscribe()
        retry = RetryPolicy(retries=2, backoff=0.0)
        result = call_api(sandbox, side, "payment.credit", transport=transport, retry=retry)
        assert result.credit == 100_000_000.0
        requests = [event.data for event in events.take() if event.kind == "request"]
        status = 502 if fault is Fault.HTML_502 else None
        assert [(request["status"], request["fault"]) for request in requests] == [(status, fault)] * 2 + [(200, None)]


@pytest.mark.parametrize("fault", [Fault.STALL, Fault.GARBAGE, Fault.STATUS, Fault.HTML_502])
def test_a_fault_can_be_executed(fault: Fault) -> None:
    with Sandbox() as sandbox:
        sandbox.fail("send.webservice", with_=fault, executed=True)
        result = call_api(sandbox, "sync", "send.webservice", [MOBILE], "hello", timeout=0.2)
        assert result.outcome is Outcome.UNKNOWN
        assert len(sandbox.state.outbox) == 1


def test_a_cut_response_can_be_unexecuted() -> None:
    with Sandbox() as sandbox:
        sandbox.fail("send", with_=Fault.CUT, executed=False, cut=0)
        assert call_api(sandbox, "sync", "send.webservice", [MOBILE], "hello").outcome is Outcome.UNKNOWN
        assert sandbox.state.outbox == {}


class TestSelection:
    def test_send_is_every_send_and_nothing_else(self) -> None:
        names = names_by_call()["send"]
        assert {"send.webservice", "send.pattern", "send.url", "send.votp", "send.file"} <= names
        assert not names & {"send.cancel", "send.calculate_price"}

    def test_a_fault_of_a_call_leaves_other_calls_alone(self) -> None:
        with Sandbox() as sandbox:
            sandbox.fail("send.pattern")
            sandbox.fail("reports.outbox", status=503, times=2)
            sandbox.fail("/api/payment/credit/mine", status=418)
            assert call_api(sandbox, "sync", "send.webservice", [MOBILE], "hello").id
            assert call_api(sandbox, "sync", "send.calculate_price", "hello").parts == 1
            assert [(fault.call, fault.used) for fault in sandbox.faults.pending] == [
                ("send.pattern", 0),
                ("reports.outbox", 0),
                (None, 0),
            ]
            assert call_api(sandbox, "sync", "send.pattern", "otp", MOBILE, {"code": "1"}).status_code == 500
            assert call_api(sandbox, "sync", "payment.credit").status_code == 418
            assert call_api(sandbox, "sync", "reports.outbox", retry=0).status_code == 503
            assert [(fault.call, fault.times, fault.used) for fault in sandbox.faults.pending] == [
                ("reports.outbox", 1, 1)
            ]

    def test_a_fault_without_a_call_affects_any_request(self) -> None:
        with Sandbox() as sandbox:
            sandbox.fail(status=418, times=2)
            assert call_api(sandbox, "sync", "payment.credit").status_code == 418
            assert call_api(sandbox, "sync", "drafts.list").status_code == 418
            assert call_api(sandbox, "sync", "payment.credit").credit == 100_000_000.0

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"call": "sned"}, "call: expected the name of a call"),
            ({"call": "/api/sned"}, "no endpoint has the path '/api/sned'"),
            ({"path": "/v1/api/send"}, "no endpoint has the path"),
            ({"call": "send", "path": "/api/send"}, "either call or path"),
            ({"times": 0}, "times: expected at least 1, got 0"),
            ({"status": 99}, "status: expected an HTTP status"),
            ({"status": 204}, "status: expected an HTTP status"),
            ({"with_": Fault.DELAY}, "delay: expected the seconds"),
            ({"delay": -1}, "delay: expected seconds"),
            ({"delay": float("nan")}, "delay: expected seconds"),
            ({"delay": 1e9}, "delay: expected seconds"),
            ({"with_": Fault.CUT, "cut": -1}, "cut: expected a number of bytes"),
            ({"with_": Fault.CUT, "status": 500}, "status: not used by CUT; use it with STATUS"),
            ({"with_": Fault.STALL, "body": ""}, "body: not used by STALL; use it with HTML_502, STATUS"),
            ({"with_": Fault.STALL, "headers": {}}, "headers: not used by STALL"),
            ({"cut": 1}, "cut: not used by STATUS; use it with CUT"),
            ({"with_": Fault.RESET_AFTER_ACCEPT, "executed": False}, "executed: not used by RESET_AFTER_ACCEPT"),
            ({"with_": "CRASH"}, "'CRASH' is not a valid Fault"),
            ({"headers": {"X": "a\r\nY: b"}}, "headers: expected a name and a value"),
            ({"headers": {"X Y": "a"}}, "headers: expected a name and a value"),
            ({"headers": {"Content-Length": "1"}}, "headers: expected no Content-Length"),
        ],
    )
    def test_a_wrong_argument_is_a_value_error(self, arguments: dict[str, Any], message: str) -> None:
        sandbox = Sandbox()
        with pytest.raises(ValueError, match=message):
            sandbox.fail(**arguments)
        assert sandbox.faults.pending == []


REQUEST = b"GET /v1/api/payment/credit/mine HTTP/1.1\r\nHost: localhost\r\nAuthorization: sandbox-key\r\n\r\n"


class TestSockets:
    """What a plain socket sees of each broken connection."""

    def receive(self, sandbox: Sandbox) -> bytes:
        url = httpx.URL(sandbox.base_url)
        with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
            connection.sendall(REQUEST)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
            return received

    @pytest.mark.parametrize("fault", [Fault.RESET_BEFORE_ACCEPT, Fault.RESET_AFTER_ACCEPT])
    def test_a_reset_is_a_tcp_reset(self, fault: Fault) -> None:
        with Sandbox() as sandbox:
            sandbox.fail(with_=fault)
            with pytest.raises(ConnectionResetError):
                self.receive(sandbox)

    def test_a_cut_response_declares_more_than_it_sends(self) -> None:
        with Sandbox() as sandbox:
            sandbox.fail(with_=Fault.CUT, cut=9, headers={"X-Fault": "cut"})
            head, _, body = self.receive(sandbox).partition(b"\r\n\r\n")
        assert body == b'{"data": '
        assert b"x-fault: cut" in head
        assert int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) > 9

    def test_a_response_that_is_cut_beyond_its_end_still_misses_a_byte(self) -> None:
        with Sandbox() as sandbox:
            sandbox.fail(with_=Fault.CUT, cut=10_000)
            head, _, body = self.receive(sandbox).partition(b"\r\n\r\n")
        assert body.endswith(b"}")
        assert int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]) == 10_001

    def test_garbage_is_not_http(self) -> None:
        with Sandbox() as sandbox:
            sandbox.fail(with_=Fault.GARBAGE)
            received = self.receive(sandbox)
        assert received
        assert not received.startswith(b"HTTP/")

    def test_html_502_is_a_page_of_a_proxy(self) -> None:
        with Sandbox() as sandbox:
            sandbox.fail(with_=Fault.HTML_502)
            response = httpx.get(f"{sandbox.base_url}/api/payment/credit/mine", trust_env=False)
        assert response.status_code == 502
        assert response.headers["content-type"].startswith("text/html")
        assert "<h1>502 Bad Gateway</h1>" in response.text

    def test_a_stop_ends_a_stalled_request_and_logs_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING), Sandbox() as sandbox:
            url = httpx.URL(sandbox.base_url)
            events = sandbox.events.subscribe()
            sandbox.fail(with_=Fault.STALL)
            connection = socket.create_connection((url.host, url.port or 80), timeout=10)
            connection.sendall(REQUEST)
            assert events.wait(10)
            began = time.perf_counter()
            sandbox.stop()
            stopped = time.perf_counter() - began
            with connection:
                assert connection.recv(1) == b""
        assert stopped < 0.9  # a request that does not end by that time is aborted after one second
        assert caplog.messages == []

    def test_a_client_that_leaves_ends_its_stalled_request(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING), Sandbox() as sandbox:
            url = httpx.URL(sandbox.base_url)
            events = sandbox.events.subscribe()
            sandbox.fail(with_=Fault.STALL)
            with socket.create_connection((url.host, url.port or 80), timeout=10) as connection:
                connection.sendall(REQUEST)
                assert events.wait(10)
            assert httpx.get(f"{sandbox.base_url}/nothing", trust_env=False).status_code == 404
        assert caplog.messages == []

    def test_broken_connections_log_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.WARNING), Sandbox() as sandbox:
            for fault in (Fault.RESET_BEFORE_ACCEPT, Fault.RESET_AFTER_ACCEPT, Fault.CUT, Fault.GARBAGE):
                sandbox.fail(with_=fault)
                with pytest.raises(httpx.TransportError):
                    httpx.get(f"{sandbox.base_url}/api/payment/credit/mine", trust_env=False)
        assert caplog.messages == []
