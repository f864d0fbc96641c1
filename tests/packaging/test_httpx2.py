"""The claims of docs/en/httpx2.md about httpx2 and httpcore2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpcore2
import httpx
import httpx2
import pytest
import respx
from pytest_httpx import HTTPXMock

from ippanel_edge import AsyncEdgeClient, ConfigurationError, EdgeClient, Outcome
from ippanel_edge._async.exchange import judge
from tests.client.loopback import Loopback

HERE = Path(__file__).resolve().parent
KEY = "a-test-key"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - the arguments are constant


@pytest.mark.parametrize(
    ("kind", "client_class", "message"),
    [
        (AsyncEdgeClient, httpx2.AsyncClient, "http_client: expected httpx.AsyncClient, got httpx2.AsyncClient"),
        (EdgeClient, httpx2.Client, "http_client: expected httpx.Client, got httpx2.Client"),
        (AsyncEdgeClient, httpx.Client, "http_client: expected httpx.AsyncClient, got httpx.Client"),
        (EdgeClient, httpx.AsyncClient, "http_client: expected httpx.Client, got httpx.AsyncClient"),
    ],
)
def test_an_http_client_of_another_type_is_rejected_with_its_name(kind: Any, client_class: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        kind(KEY, http_client=client_class())
    assert str(caught.value) == message
    assert caught.value.argument == "http_client"


def test_a_timeout_of_httpx2_is_rejected() -> None:
    wrong: Any = httpx2.Timeout(3.0)
    with pytest.raises((ConfigurationError, TypeError)):
        EdgeClient(KEY, timeout=wrong)


def test_limits_of_httpx2_are_accepted_because_they_have_the_same_fields() -> None:
    limits: Any = httpx2.Limits(max_connections=3)
    with Loopback() as server, EdgeClient(KEY, base_url=f"{server.url}/v1", limits=limits) as client:
        assert "127.0.0.1" in repr(client)


def test_exceptions_of_httpx2_are_not_subclasses_of_exceptions_of_httpx() -> None:
    assert not issubclass(httpx2.TransportError, httpx.HTTPError)
    assert not issubclass(httpx2.ConnectTimeout, httpx.TimeoutException)


def test_respx_does_not_mock_httpx2() -> None:
    with Loopback() as server, respx.mock(assert_all_called=False) as router:
        router.get(f"{server.url}/a").respond(text="mocked")
        assert httpx.get(f"{server.url}/a").text == "mocked"
        assert httpx2.get(f"{server.url}/a").text == "a"


def test_pytest_httpx_does_not_mock_httpx2(httpx_mock: HTTPXMock) -> None:
    with Loopback() as server:
        httpx_mock.add_response(url=f"{server.url}/a", text="mocked")
        assert httpx.get(f"{server.url}/a").text == "mocked"
        assert httpx2.get(f"{server.url}/a").text == "a"


def test_a_mock_transport_of_httpx2_mocks_httpx2() -> None:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, text="mocked"))
    with httpx2.Client(transport=transport) as client:
        assert client.get("https://edge.example.test/a").text == "mocked"


def test_with_httpx_aliased_to_httpx2_both_clients_work_and_reuse_connections() -> None:
    process = run("-I", "-W", "error", str(HERE / "httpx2_alias.py"))
    assert process.returncode == 0, process.stderr
    assert all(": failed with " in line for line in process.stderr.splitlines()), "no other warning is logged"
    results = json.loads(process.stdout)
    assert results["user_agent"].endswith(f" httpx/{httpx2.__version__}")
    for side in ("async", "sync"):
        assert results[side] == {
            "credits": [7, 7, 7],
            "outcomes": ["UNKNOWN", "NOT_SENT"],
            "connections": 2,  # one in the pool of the SDK for three requests, one in the client of the caller
        }


def test_the_alias_is_rejected_after_httpx_is_imported() -> None:
    process = run("-I", "-c", "import httpx, httpx2; httpx2.alias_httpx()")
    assert "RuntimeError: httpx was already imported" in process.stderr


def test_the_cause_of_an_exception_of_httpx2_is_an_exception_of_httpcore2() -> None:
    with Loopback() as closed:
        url = closed.url
    with pytest.raises(httpx2.ConnectError) as caught:
        httpx2.get(url)
    assert type(caught.value.__cause__).__module__ == "httpcore2"


def test_an_exception_of_httpcore2_proves_the_outcome_without_trace_events() -> None:
    error = httpx.PoolTimeout("no connection")
    error.__cause__ = httpcore2.PoolTimeout()
    judged = judge(error, began=False, traced=False)
    assert judged is not None
    assert judged.outcome is Outcome.NOT_SENT
