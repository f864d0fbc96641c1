"""The core of the sandbox: authentication, request parsing, fault injection, the clock and the HTTP server."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from ippanel_edge.sandbox import Sandbox, SandboxClock
from ippanel_edge.sandbox.app import all_endpoints
from ippanel_edge.sandbox.bodies import parse_pairs
from ippanel_edge.sandbox.records import TokenKind
from ippanel_edge.sandbox.replies import Rejection
from tests.sandbox.caller import Caller, accepted

if TYPE_CHECKING:
    from ippanel_edge.sandbox.records import User

CREDIT = "/api/payment/credit/mine"


def main_user(sandbox: Sandbox) -> User:
    return sandbox.state.users[sandbox.state.api_keys[sandbox.api_key]]


class TestAuthentication:
    @pytest.mark.parametrize("key", [None, "wrong", "Bearer sandbox-key"])
    def test_a_missing_or_wrong_key_is_401(self, call: Caller, key: str | None) -> None:
        response = call("GET", CREDIT, key=key)
        assert response.status_code == 401
        assert response.json()["meta"]["message_code"] == "400-1"
        assert response.json()["meta"]["status"] is False

    def test_a_login_token_is_accepted_until_it_expires(self, call: Caller, sandbox: Sandbox) -> None:
        token = sandbox.state.issue_token(main_user(sandbox), TokenKind.SESSION, 36_000)
        assert call("GET", CREDIT, key=token.value).status_code == 200
        sandbox.clock.advance(36_000)
        assert call("GET", CREDIT, key=token.value).status_code == 401

    def test_the_token_of_an_incomplete_login_is_401(self, call: Caller, sandbox: Sandbox) -> None:
        token = sandbox.state.issue_token(main_user(sandbox), TokenKind.LOGIN_STEP, 360)
        assert call("GET", CREDIT, key=token.value).status_code == 401

    def test_the_key_of_an_inactive_user_is_401(self, call: Caller, sandbox: Sandbox) -> None:
        main_user(sandbox).status = "inactive"
        assert call("GET", CREDIT).status_code == 401


class TestRequestParsing:
    def test_an_unknown_path_is_404_in_the_envelope(self, call: Caller) -> None:
        response = call("GET", "/api/nothing")
        assert response.status_code == 404
        assert response.json()["meta"]["status"] is False

    def test_a_wrong_method_is_405_with_the_allowed_methods(self, call: Caller) -> None:
        response = call("DELETE", "/api/send/webservice")
        assert response.status_code == 405
        assert response.headers["allow"] == "GET, POST"
        assert response.json()["meta"]["status"] is False

    @pytest.mark.parametrize(
        "content",
        ['{"a": 1, "a": 1}', '{"a": NaN}', "[]", "{", '"text"', b'{"a": "\xff"}', "[" * 100_000],
        ids=["duplicate key", "nan", "list", "truncated", "string", "latin-1", "deeply nested"],
    )
    def test_a_body_other_than_a_json_object_is_400(self, call: Caller, content: str | bytes) -> None:
        response = call("POST", "/api/send", content=content, headers={"Content-Type": "application/json"})
        assert response.status_code == 400

    def test_json_without_its_content_type_is_415(self, call: Caller) -> None:
        assert call("POST", "/api/send", content="{}").status_code == 415

    @pytest.mark.parametrize(
        "content",
        [
            b"nonsense",
            b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n',
            b"--x\r\nnonsense\r\n\r\n1\r\n--x--",
        ],
        ids=["not a form", "truncated", "no header"],
    )
    def test_a_malformed_form_is_400(self, call: Caller, content: bytes) -> None:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        response = call("POST", "/api/send", content=content, headers=headers)
        assert response.status_code == 400
        assert response.json()["meta"]["status"] is False

    def test_an_undocumented_field_is_rejected_by_name(self, call: Caller) -> None:
        response = call("POST", "/api/report/new_list", json={"per_page": 10})
        assert response.status_code == 422
        assert list(response.json()["meta"]["errors"]) == ["per_page"]

    def test_an_undocumented_query_field_is_rejected(self, call: Caller) -> None:
        response = call("GET", CREDIT, params={"x": "1"})
        assert list(response.json()["meta"]["errors"]) == ["x"]

    def test_a_null_filter_is_rejected(self, call: Caller) -> None:
        response = call("POST", "/api/report/new_list", json={"filters": {"number": None}})
        assert list(response.json()["meta"]["errors"]) == ["filters.number"]

    def test_undocumented_and_null_fields_are_accepted_unless_strict(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.state.strict = False
        response = call("POST", "/api/report/new_list", json={"per_page": 10, "filters": {"number": None}})
        assert response.status_code == 200

    def test_brackets_in_names_produce_lists_and_dicts(self) -> None:
        assert parse_pairs([("a[]", "1"), ("a[]", "2"), ("f[0]", "3"), ("filter[code]", "4"), ("b", "5")]) == {
            "a": ["1", "2"],
            "f": ["3"],
            "filter": {"code": "4"},
            "b": "5",
        }

    @pytest.mark.parametrize(
        "pairs", [[("a", "1"), ("a", "2")], [("a", "1"), ("a[]", "2")], [("a[]", "1"), ("a[b]", "2")]]
    )
    def test_a_duplicate_name_is_rejected(self, pairs: list[tuple[str, str]]) -> None:
        with pytest.raises(Rejection):
            parse_pairs(pairs)


class TestFaults:
    def test_a_fault_affects_only_the_next_matching_requests(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(503, times=2, path="/api/send", headers={"Retry-After": "7"})
        assert call("GET", CREDIT).status_code == 200
        first, second, third = (call.webservice("+989121234567") for _ in range(3))
        assert [first.status_code, second.status_code] == [503, 503]
        assert first.headers["retry-after"] == "7"
        assert first.json()["meta"]["status"] is False
        assert accepted(third)
        assert len(sandbox.state.outbox) == 1

    def test_a_fault_can_be_limited_to_one_sending_type(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(502, sending_type="votp", body="<html>Bad Gateway</html>")
        assert call.webservice("+989121234567").status_code == 200
        response = call.send("votp", from_number=None, message="123", params={"recipients": ["+989121234567"]})
        assert response.status_code == 502
        assert response.headers["content-type"].startswith("text/html")
        assert response.text == "<html>Bad Gateway</html>"

    def test_a_fault_can_replace_the_response_of_an_executed_send(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(500, executed=True)
        assert call.webservice("+989121234567").status_code == 500
        assert len(sandbox.state.outbox) == 1

    def test_the_original_response_can_be_truncated(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(None, cut=9, headers={"X-Cut": "yes"})
        response = call("GET", CREDIT)
        assert (response.status_code, response.content, response.headers["x-cut"]) == (200, b'{"data": ', "yes")

    def test_a_fault_can_return_any_json_object(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(200, body={"data": 1})
        assert call("GET", CREDIT).json() == {"data": 1}

    def test_the_original_response_can_be_delayed(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(None, delay=0.01)
        began = time.perf_counter()
        assert call("GET", CREDIT).status_code == 200
        assert time.perf_counter() - began >= 0.01

    def test_faults_can_be_cleared(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(times=9)
        sandbox.faults.clear()
        assert call("GET", CREDIT).status_code == 200


class TestClock:
    def test_a_frozen_clock_changes_only_when_advanced(self) -> None:
        start = datetime(2030, 1, 1, tzinfo=UTC)
        clock = SandboxClock(start, frozen=True)
        clock.advance(90)
        assert clock.now() == datetime(2030, 1, 1, 0, 1, 30, tzinfo=UTC)

    def test_the_date_of_a_response_is_that_of_the_clock(self) -> None:
        clock = SandboxClock(datetime(2030, 1, 1, tzinfo=UTC), frozen=True)
        with Sandbox(clock) as sandbox:
            clock.advance(90)
            responses = [httpx.get(f"{sandbox.base_url}{path}") for path in (CREDIT, "/api/nothing")]
            sandbox.faults.add(500, path=CREDIT, headers={"Date": "soon"})
            responses.append(httpx.get(f"{sandbox.base_url}{CREDIT}"))
        dates = [response.headers.get_list("date") for response in responses]
        assert dates == [["Tue, 01 Jan 2030 00:01:30 GMT"], ["Tue, 01 Jan 2030 00:01:30 GMT"], ["soon"]]

    def test_a_running_clock_continues_from_its_start(self) -> None:
        clock = SandboxClock(datetime(2030, 1, 1, tzinfo=UTC))
        clock.advance(3600)
        assert datetime(2030, 1, 1, 1, tzinfo=UTC) <= clock.now() < datetime(2030, 1, 1, 2, tzinfo=UTC)

    def test_a_naive_start_and_a_negative_step_raise_value_error(self) -> None:
        with pytest.raises(ValueError, match="aware"):
            SandboxClock(datetime(2030, 1, 1))  # noqa: DTZ001 - a naive datetime is what the test rejects
        with pytest.raises(ValueError, match="negative"):
            SandboxClock().advance(-1)

    @pytest.mark.parametrize("factor", [0, -1, float("inf"), float("nan")])
    def test_a_factor_that_is_not_positive_and_finite_raises_value_error(self, factor: float) -> None:
        with pytest.raises(ValueError, match="factor: expected a positive number"):
            SandboxClock(factor=factor)

    def test_a_factor_shortens_reviews_schedules_and_deliveries_but_not_the_life_of_a_code(self) -> None:
        sandbox = Sandbox(SandboxClock(datetime(2030, 1, 1, tzinfo=UTC), frozen=True, factor=60))
        call = Caller(sandbox)
        later = "2030-01-01 00:10:00"
        now, scheduled = (
            accepted(call.webservice("+989121234567")),
            accepted(call.webservice("+989121234568", send_time=later)),
        )
        sandbox.state.review = True
        reviewed = accepted(call.webservice("+989121234569"))
        token = sandbox.state.issue_token(main_user(sandbox), TokenKind.SESSION, 120)
        sandbox.clock.advance(9)
        states = [call.report(found[0])["state_id"] for found in (now, scheduled, reviewed)]
        assert states == [6, 5, 6]  # the scheduled one waits for 10 minutes, which take 10 seconds
        sandbox.clock.advance(2)
        assert call.report(scheduled[0])["state_id"] == 6
        assert call("GET", CREDIT, key=token.value).status_code == 200


class TestServer:
    def test_a_started_sandbox_accepts_requests_and_a_stopped_one_releases_its_resources(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        threads = set(threading.enumerate())
        with caplog.at_level(logging.INFO), Sandbox() as sandbox:
            url = sandbox.base_url
            response = httpx.get(f"{url}{CREDIT}", headers={"Authorization": sandbox.api_key}, trust_env=False)
            assert response.json()["data"]["credit"] == 100_000_000.0
        assert not [record for record in caplog.records if record.name.startswith("uvicorn")]
        assert set(threading.enumerate()) <= threads  # others may have ended meanwhile
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}{CREDIT}", trust_env=False)

    def test_a_stop_takes_milliseconds_also_with_an_idle_connection(self) -> None:
        times: list[float] = []
        for _ in range(3):
            sandbox = Sandbox().start()
            with httpx.Client(base_url=sandbox.base_url, trust_env=False) as client:
                client.get(CREDIT)
                began = time.perf_counter()
                sandbox.stop()
                times.append(time.perf_counter() - began)
        assert min(times) < 0.08  # uvicorn itself takes 0.1 to 0.2 s

    def test_a_disconnected_client_does_not_delay_the_stop(self, caplog: pytest.LogCaptureFixture) -> None:
        with Sandbox() as sandbox:
            sandbox.faults.add(None, delay=60)
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(f"{sandbox.base_url}{CREDIT}", trust_env=False, timeout=0.05)
            began = time.perf_counter()
        assert time.perf_counter() - began < 20  # the delay is 60 s
        assert not [record for record in caplog.records if record.name.startswith("uvicorn")]

    async def _status(self) -> int:
        async with Sandbox() as sandbox, httpx.AsyncClient(base_url=sandbox.base_url, trust_env=False) as client:
            response = await client.get(CREDIT, headers={"Authorization": sandbox.api_key})
            return response.status_code

    def test_a_sandbox_is_an_async_context_manager(self) -> None:
        assert asyncio.run(self._status()) == 200

    def test_a_sandbox_can_be_restarted_but_not_started_twice(self) -> None:
        sandbox = Sandbox()
        assert sandbox.base_url == "http://127.0.0.1/v1"
        for _ in range(2):
            with sandbox:
                with pytest.raises(RuntimeError, match="already"):
                    sandbox.start()
                response = httpx.get(f"{sandbox.base_url}{CREDIT}", trust_env=False)
                assert response.status_code == 401
        sandbox.stop()

    def test_a_taken_port_is_an_os_error(self) -> None:
        with Sandbox() as sandbox:
            port = int(sandbox.base_url.rsplit(":", 1)[1].removesuffix("/v1"))
            with pytest.raises(OSError, match="in use"):
                Sandbox(port=port).start()

    def test_clock_and_state_together_raise_value_error(self) -> None:
        with pytest.raises(ValueError, match="expected either clock or state"):
            Sandbox(SandboxClock(), state=Sandbox().state)

    def test_1000_concurrent_sends_finish_within_10_seconds(self) -> None:
        async def send_all(sandbox: Sandbox) -> list[int]:
            limits = httpx.Limits(max_connections=50)
            transport = httpx.ASGITransport(app=sandbox.app)
            async with httpx.AsyncClient(base_url=sandbox.base_url, transport=transport, limits=limits) as client:

                async def send(number: int) -> int:
                    body = {
                        "sending_type": "webservice",
                        "from_number": sandbox.from_number,
                        "message": "salam",
                        "params": {"recipients": [f"+9891{number:08d}"]},
                    }
                    response = await client.post("/api/send", json=body, headers={"Authorization": sandbox.api_key})
                    return accepted(response)[0]

                return await asyncio.gather(*(send(number) for number in range(1000)))

        sandbox = Sandbox()
        began = time.thread_time()  # not affected by other processes
        found = asyncio.run(send_all(sandbox))
        assert len(set(found)) == 1000
        assert time.thread_time() - began < 10  # measured: about 1 s, including the client


def test_endpoint_names_are_unique() -> None:
    names = [endpoint.name for endpoint in all_endpoints()]
    assert len(names) == len(set(names))
