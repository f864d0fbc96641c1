"""The sandbox as a target: hostile text, foreign host names and pages, clients that disconnect, mistakes of a test."""

from __future__ import annotations

import json
import logging
import socket
from typing import Any

import httpx
import pytest

from ippanel_edge.sandbox import Sandbox
from tests.sandbox.caller import Caller

LISTINGS = ("/v1/api/drafts/groups", "/v1/api/numbers", "/v1/api/patterns", "/v1/api/phonebooks/list")


def headers(sandbox: Sandbox) -> dict[str, str]:
    return {"Authorization": sandbox.api_key, "Content-Type": "application/json"}


@pytest.mark.parametrize("text", ['"\\ud800"', '"a\\udfffb"', '{"\\ud800": 1}', '[["\\udc00"]]'])
def test_a_lone_surrogate_is_refused(text: str) -> None:
    with Sandbox() as sandbox, httpx.Client(headers=headers(sandbox)) as client:
        answer = client.post(f"{sandbox.base_url}/api/phonebooks", content=f'{{"title": {text}}}')
        assert answer.status_code == 400
        assert answer.json()["meta"]["status"] is False
        emoji = client.post(f"{sandbox.base_url}/api/phonebooks", content='{"title": "\\ud83d\\ude00"}')
        assert emoji.status_code != 400, "a pair of surrogates is a character"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "127.0.0.1.nip.io", "[", ""]
)
def test_another_host_name_is_refused(host: str) -> None:
    with Sandbox(allow_hosts=["Sandbox"]) as sandbox:
        url = f"{sandbox.base_url}/api/payment/credit/mine"
        answer = httpx.get(url, headers={"Host": host, "Authorization": sandbox.api_key})
        assert answer.status_code == 421
        assert "--allow-host" in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8010", "LOCALHOST", "[::1]:9", "sandbox", "sandbox:8010"])
def test_a_name_of_this_machine_or_an_allowed_one_is_answered(host: str) -> None:
    with Sandbox(allow_hosts=["Sandbox"]) as sandbox:
        url = f"{sandbox.base_url}/api/payment/credit/mine"
        assert httpx.get(url, headers={"Host": host, "Authorization": sandbox.api_key}).status_code == 200


PATHS = ("/v1/api/send/webservice", "/v1/api/send", "/sandbox/state", "/sandbox/reset", "/", "/assets/app.js", "/none")


@pytest.mark.parametrize(
    "sent",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://sandbox"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_a_request_of_another_web_page_is_refused_at_every_path(call: Caller, sent: dict[str, str]) -> None:
    for path in PATHS:
        for method in ("GET", "POST"):
            answer = call(method, path, base="", headers=sent)
            assert answer.status_code == 403, (method, path)
            assert "expected a request of a program or of the sandbox's own page" in answer.json()["error"]


def test_an_image_on_another_web_page_sends_nothing(call: Caller, sandbox: Sandbox) -> None:
    query = {"from": sandbox.from_number, "to": "+989121234567", "message": "hi", "apikey": sandbox.api_key}
    image = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
    answer = call("GET", "/api/send/webservice", params=query, key=None, headers=image)
    assert (answer.status_code, len(sandbox.state.outbox)) == (403, 0)
    assert "Sec-Fetch-Site: cross-site" in answer.json()["error"]
    assert call("GET", "/api/send/webservice", params=query, key=None).status_code == 200
    assert len(sandbox.state.outbox) == 1


@pytest.mark.parametrize(
    "sent", [{}, {"Origin": "http://sandbox", "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]
)
def test_a_program_the_own_page_and_an_entered_address_are_answered(call: Caller, sent: dict[str, str]) -> None:
    for path in ("/v1/api/payment/credit/mine", "/sandbox/state", "/", "/assets/app.js"):
        assert call("GET", path, base="", headers=sent).status_code == 200, path


def test_a_link_on_another_site_opens_the_page_and_nothing_else(call: Caller) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert call("GET", "/?phone=%2B989121234567", base="", headers=link).status_code == 200
    assert call("POST", "/", base="", headers=link).status_code == 403
    assert call("GET", "/sandbox/state", base="", headers=link).status_code == 403
    assert call("GET", "/v1/api/send/webservice", base="", headers=link).status_code == 403


def test_a_client_that_disconnects_during_an_upload_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), Sandbox() as sandbox:
        address = httpx.URL(sandbox.base_url)
        with socket.create_connection((address.host, address.port or 80)) as connection:
            connection.sendall(b"POST /v1/api/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nhalf")
        assert httpx.get(f"{sandbox.base_url}/api/payment/credit/mine", headers=headers(sandbox)).status_code == 200
    assert caplog.messages == []


JUNK: list[Any] = [None, True, -1, 2**70, 1.5, "", "\0", "x" * 5000, [], [[]], {}, {"a": {"b": []}}]


def test_junk_is_never_a_server_error() -> None:
    with Sandbox() as sandbox, httpx.Client(headers=headers(sandbox), base_url=sandbox.base_url) as client:
        for path in ("/api/phonebooks", "/api/send", "/api/drafts", "/api/patterns", "/api/report/messages-outbox"):
            for value in JUNK:
                for body in (value, {"title": value, "message": value, "sending_type": "webservice", "params": value}):
                    answer = client.post(path, content=json.dumps(body))
                    assert answer.status_code < 500, (path, value)
        for path in LISTINGS:
            assert client.get(path.removeprefix("/v1")).status_code < 500


def test_a_fault_for_an_unknown_path_is_an_error() -> None:
    sandbox = Sandbox()
    with pytest.raises(ValueError, match="no endpoint has the path '/api/sned'"):
        sandbox.faults.add(503, path="/api/sned")
    sandbox.faults.add(503, path="/api/send")
    sandbox.faults.add(503, path="/api/user/tariff")  # one of two documented paths


def test_a_message_to_an_unknown_line_is_an_error() -> None:
    sandbox = Sandbox()
    with pytest.raises(ValueError, match="no line has the number '3000999999'"):
        sandbox.state.receive("+989121111111", "3000999999", "hello")
    assert sandbox.state.receive("+989121111111", sandbox.from_number, "hello").text == "hello"
