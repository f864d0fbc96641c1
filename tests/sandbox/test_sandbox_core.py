"""The sandbox's core: who may call, what is no request, faults on demand, the clock, and the real server."""

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
from ippanel_edge.sandbox.app import served
from ippanel_edge.sandbox.bodies import parse_pairs
from ippanel_edge.sandbox.records import TokenKind
from ippanel_edge.sandbox.replies import Refusal
from tests.sandbox.caller import Caller, accepted

if TYPE_CHECKING:
    from ippanel_edge.sandbox.records import User

CREDIT = "/api/payment/credit/mine"


def main_user(sandbox: Sandbox) -> User:
    return sandbox.world.users[sandbox.world.api_keys[sandbox.api_key]]


class TestWhoMayCall:
    @pytest.mark.parametrize("key", [None, "wrong", "Bearer sandbox-key"])
    def test_a_missing_or_wrong_key_is_401(self, call: Caller, key: str | None) -> None:
        response = call("GET", CREDIT, key=key)
        assert response.status_code == 401
        assert response.json()["meta"]["message_code"] == "400-1"
        assert response.json()["meta"]["status"] is False

    def test_a_login_token_is_as_good_as_a_key_until_it_dies(self, call: Caller, sandbox: Sandbox) -> None:
        token = sandbox.world.issue_token(main_user(sandbox), TokenKind.SESSION, 36_000)
        assert call("GET", CREDIT, key=token.value).status_code == 200
        sandbox.clock.advance(36_000)
        assert call("GET", CREDIT, key=token.value).status_code == 401

    def test_the_token_of_a_half_done_login_opens_nothing(self, call: Caller, sandbox: Sandbox) -> None:
        token = sandbox.world.issue_token(main_user(sandbox), TokenKind.LOGIN_STEP, 360)
        assert call("GET", CREDIT, key=token.value).status_code == 401

    def test_an_inactive_user_may_do_nothing(self, call: Caller, sandbox: Sandbox) -> None:
        main_user(sandbox).status = "inactive"
        assert call("GET", CREDIT).status_code == 401


class TestWhatIsNoRequest:
    def test_an_unknown_address_is_404_in_the_envelope(self, call: Caller) -> None:
        response = call("GET", "/api/nothing")
        assert response.status_code == 404
        assert response.json()["meta"]["status"] is False

    def test_a_wrong_method_is_405_and_says_which_are_allowed(self, call: Caller) -> None:
        response = call("DELETE", "/api/send/webservice")
        assert response.status_code == 405
        assert response.headers["allow"] == "GET, POST"
        assert response.json()["meta"]["status"] is False

    @pytest.mark.parametrize(
        "content",
        ['{"a": 1, "a": 1}', '{"a": NaN}', "[]", "{", '"text"', b'{"a": "\xff"}', "[" * 100_000],
        ids=["doubled", "nan", "list", "cut", "text", "latin-1", "deep"],
    )
    def test_a_body_that_is_no_json_object_is_400(self, call: Caller, content: str | bytes) -> None:
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
        ids=["no form", "cut", "no header"],
    )
    def test_a_broken_form_is_400(self, call: Caller, content: bytes) -> None:
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        response = call("POST", "/api/send", content=content, headers=headers)
        assert response.status_code == 400
        assert response.json()["meta"]["status"] is False

    def test_an_undocumented_field_is_refused_by_name(self, call: Caller) -> None:
        response = call("POST", "/api/report/new_list", json={"per_page": 10})
        assert response.status_code == 422
        assert list(response.json()["meta"]["errors"]) == ["per_page"]

    def test_an_undocumented_query_field_is_refused(self, call: Caller) -> None:
        response = call("GET", CREDIT, params={"x": "1"})
        assert list(response.json()["meta"]["errors"]) == ["x"]

    def test_a_null_filter_is_refused(self, call: Caller) -> None:
        response = call("POST", "/api/report/new_list", json={"filters": {"number": None}})
        assert list(response.json()["meta"]["errors"]) == ["filters.number"]

    def test_a_world_that_is_not_strict_takes_both(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.world.strict = False
        response = call("POST", "/api/report/new_list", json={"per_page": 10, "filters": {"number": None}})
        assert response.status_code == 200

    def test_brackets_in_names_make_lists_and_objects(self) -> None:
        assert parse_pairs([("a[]", "1"), ("a[]", "2"), ("f[0]", "3"), ("filter[code]", "4"), ("b", "5")]) == {
            "a": ["1", "2"],
            "f": ["3"],
            "filter": {"code": "4"},
            "b": "5",
        }

    @pytest.mark.parametrize(
        "pairs", [[("a", "1"), ("a", "2")], [("a", "1"), ("a[]", "2")], [("a[]", "1"), ("a[b]", "2")]]
    )
    def test_a_name_that_comes_twice_is_refused(self, pairs: list[tuple[str, str]]) -> None:
        with pytest.raises(Refusal):
            parse_pairs(pairs)


class TestFaults:
    def test_a_planned_fault_hits_the_next_matching_requests_only(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(503, times=2, path="/api/send", headers={"Retry-After": "7"})
        assert call("GET", CREDIT).status_code == 200
        first, second, third = (call.text("+989121234567") for _ in range(3))
        assert [first.status_code, second.status_code] == [503, 503]
        assert first.headers["retry-after"] == "7"
        assert first.json()["meta"]["status"] is False
        assert accepted(third)
        assert len(sandbox.world.outbox) == 1

    def test_a_fault_may_be_meant_for_one_sending_type(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(502, sending_type="votp", body="<html>Bad Gateway</html>")
        assert call.text("+989121234567").status_code == 200
        response = call.send("votp", from_number=None, message="123", params={"recipients": ["+989121234567"]})
        assert response.status_code == 502
        assert response.headers["content-type"].startswith("text/html")
        assert response.text == "<html>Bad Gateway</html>"

    def test_a_fault_may_come_after_the_send_was_carried_out(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(500, carried_out=True)
        assert call.text("+989121234567").status_code == 500
        assert len(sandbox.world.outbox) == 1

    def test_a_true_answer_may_be_cut(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(None, cut=9, headers={"X-Cut": "yes"})
        response = call("GET", CREDIT)
        assert (response.status_code, response.content, response.headers["x-cut"]) == (200, b'{"data": ', "yes")

    def test_a_fault_may_answer_any_object(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(200, body={"data": 1})
        assert call("GET", CREDIT).json() == {"data": 1}

    def test_a_true_answer_may_come_late(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(None, delay=0.01)
        began = time.perf_counter()
        assert call("GET", CREDIT).status_code == 200
        assert time.perf_counter() - began >= 0.01

    def test_faults_may_be_forgotten(self, call: Caller, sandbox: Sandbox) -> None:
        sandbox.faults.add(times=9)
        sandbox.faults.clear()
        assert call("GET", CREDIT).status_code == 200


class TestClock:
    def test_a_frozen_clock_moves_only_when_advanced(self) -> None:
        start = datetime(2030, 1, 1, tzinfo=UTC)
        clock = SandboxClock(start, frozen=True)
        clock.advance(90)
        assert clock.now() == datetime(2030, 1, 1, 0, 1, 30, tzinfo=UTC)

    def test_a_running_clock_goes_on_from_its_start(self) -> None:
        clock = SandboxClock(datetime(2030, 1, 1, tzinfo=UTC))
        clock.advance(3600)
        assert datetime(2030, 1, 1, 1, tzinfo=UTC) <= clock.now() < datetime(2030, 1, 1, 2, tzinfo=UTC)

    def test_a_naive_start_and_a_step_back_are_refused(self) -> None:
        with pytest.raises(ValueError, match="aware"):
            SandboxClock(datetime(2030, 1, 1))  # noqa: DTZ001 - that is the point
        with pytest.raises(ValueError, match="negative"):
            SandboxClock().advance(-1)


class TestServer:
    def test_a_started_sandbox_is_ready_and_a_stopped_one_leaves_nothing(
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

    def test_a_client_that_gives_up_leaves_nothing_behind(self, caplog: pytest.LogCaptureFixture) -> None:
        with Sandbox() as sandbox:
            sandbox.faults.add(None, delay=60)
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(f"{sandbox.base_url}{CREDIT}", trust_env=False, timeout=0.05)
            began = time.perf_counter()
        assert time.perf_counter() - began < 20  # the delay is 60 s
        assert not [record for record in caplog.records if record.name.startswith("uvicorn")]

    async def _ask(self) -> int:
        async with Sandbox() as sandbox, httpx.AsyncClient(base_url=sandbox.base_url, trust_env=False) as client:
            response = await client.get(CREDIT, headers={"Authorization": sandbox.api_key})
            return response.status_code

    def test_it_is_an_async_context_manager_too(self) -> None:
        assert asyncio.run(self._ask()) == 200

    def test_it_may_be_started_again_but_not_twice(self) -> None:
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

    def test_a_clock_and_a_world_together_are_refused(self) -> None:
        with pytest.raises(ValueError, match="not both"):
            Sandbox(SandboxClock(), world=Sandbox().world)

    def test_a_thousand_small_sends_at_once_are_served_in_a_moment(self) -> None:
        async def flood(sandbox: Sandbox) -> list[int]:
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
                    answer = await client.post("/api/send", json=body, headers={"Authorization": sandbox.api_key})
                    return accepted(answer)[0]

                return await asyncio.gather(*(send(number) for number in range(1000)))

        sandbox = Sandbox()
        began = time.thread_time()  # its own, whatever else the machine does
        found = asyncio.run(flood(sandbox))
        assert len(set(found)) == 1000
        assert time.thread_time() - began < 10  # measured: about one second, the client's share included


def test_every_endpoint_is_served_once_under_one_name() -> None:
    names = [endpoint.name for endpoint in served()]
    assert len(names) == len(set(names))
