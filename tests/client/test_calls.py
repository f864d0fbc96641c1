"""Calls of the asyncio, trio and sync clients: authorisation, retries, rate limit, middleware, copies and settings."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import attrs
import httpx
import pytest

from ippanel_edge import (
    AsyncEdgeClient,
    AuthenticationError,
    Call,
    ConfigurationError,
    ConnectionFailed,
    DecodeError,
    EdgeClient,
    EdgeError,
    Outcome,
    OutcomeUnknown,
    RateLimit,
    RateLimited,
    Repeat,
    RetryPolicy,
    ServerError,
)
from tests.client.conftest import FakeClock, MakeClient
from tests.client.sides import result
from tests.contract.sample import ok

pytestmark = pytest.mark.anyio

CREDIT = {"credit": 5.0}
KEY = "canary-key-93117"


class Script:
    """Returns one response per request, the last one repeatedly, and records the requests."""

    def __init__(self, *responses: httpx.Response | Exception) -> None:
        self.responses = list(responses)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        response = self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]
        if isinstance(response, Exception):
            raise response
        return response


def success(data: object = None) -> httpx.Response:
    return httpx.Response(200, json=ok(CREDIT if data is None else data))


def send_success(*ids: int) -> httpx.Response:
    return success({"message_outbox_ids": list(ids)})


async def test_the_api_key_is_sent_unchanged_with_the_headers_of_the_client(make_client: MakeClient) -> None:
    script = Script(success())
    client = make_client(script, api_key=KEY)
    assert (await result(client.payment.credit())).credit == 5.0
    headers = script.requests[0].headers
    assert headers["authorization"] == KEY
    assert headers["accept-encoding"] == "gzip"
    assert headers["user-agent"].startswith("ippanel-edge/")
    assert "cookie" not in headers


async def test_a_token_is_sent_in_the_same_header(make_client: MakeClient) -> None:
    script = Script(success())
    await result(make_client(script, token="a-login-token").payment.credit())
    assert script.requests[0].headers["authorization"] == "a-login-token"


async def test_missing_settings_are_read_from_the_environment(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPPANEL_API_KEY", "env-key")
    monkeypatch.setenv("IPPANEL_FROM_NUMBER", "۳۰۰۰۷۷۷")
    monkeypatch.setenv("IPPANEL_BASE_URL", "https://panel.example.test/v1/api/")
    script = Script(send_success(1))
    client = make_client(script, api_key=None, from_number=None, base_url=None)
    await result(client.send.webservice("09121112233", "hello"))
    request = script.requests[0]
    assert str(request.url) == "https://panel.example.test/v1/api/send"
    assert request.headers["authorization"] == "env-key"
    assert json.loads(request.content)["from_number"] == "+983000777"


async def test_nothing_is_sent_without_credentials(make_client: MakeClient) -> None:
    script = Script(success())
    with pytest.raises(ConfigurationError, match="api_key: missing credentials"):
        await result(make_client(script, api_key=None).payment.credit())
    assert script.requests == []


async def test_a_read_is_retried_until_it_succeeds(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.Response(502, text="<html>"), httpx.ReadTimeout("late"), success())
    assert (await result(make_client(script).payment.credit())).credit == 5.0
    assert len(script.requests) == 3
    assert [0 <= wait <= 1 for wait in clock.waits] == [True, True]


async def test_the_error_of_a_read_has_its_number_of_attempts(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.Response(500))
    with pytest.raises(ServerError) as caught:
        await result(make_client(script).payment.credit())
    assert (caught.value.attempts, len(script.requests), len(clock.waits)) == (4, 4, 3)
    assert "the call only reads, so a retry is safe; 4 attempts" in str(caught.value)


@pytest.mark.parametrize(
    "failure",
    [
        lambda: httpx.Response(500),
        lambda: httpx.Response(429),
        lambda: httpx.ReadTimeout("x"),
        lambda: httpx.Response(200, text="<html>"),
        lambda: success({}),
    ],
)
async def test_a_send_is_not_retried_unless_it_was_provably_not_sent(
    make_client: MakeClient, clock: FakeClock, failure: Callable[[], httpx.Response | Exception]
) -> None:
    script = Script(failure())
    with pytest.raises(EdgeError) as caught:
        await result(make_client(script).send.webservice("09121112233", "hello"))
    assert (caught.value.attempts, len(script.requests), clock.waits) == (1, 1, [])
    rejected = isinstance(caught.value, RateLimited)
    assert caught.value.outcome is (Outcome.REJECTED if rejected else Outcome.UNKNOWN)


async def test_a_send_that_was_not_sent_is_retried(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.ConnectError("connection refused"), httpx.PoolTimeout("full"), send_success(7))
    assert (await result(make_client(script).send.webservice("09121112233", "hello"))).id == 7
    assert len(clock.waits) == 2


async def test_retries_can_be_turned_off(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.ConnectError("connection refused"))
    client = make_client(script, retry=RetryPolicy(retries=0))
    with pytest.raises(ConnectionFailed) as caught:
        await result(client.payment.credit())
    assert (caught.value.outcome, caught.value.attempts, clock.waits) == (Outcome.NOT_SENT, 1, [])


async def test_a_retry_that_was_not_sent_does_not_hide_an_earlier_attempt_with_an_unknown_outcome(
    make_client: MakeClient, clock: FakeClock
) -> None:
    script = Script(httpx.ReadTimeout("late"), httpx.ConnectError("connection refused"))
    with pytest.raises(OutcomeUnknown, match="an earlier attempt may have been executed"):
        await result(make_client(script).send.cancel(5))
    assert len(clock.waits) == 3


async def test_calls_fail_without_retries_once_the_retry_budget_is_used_up(
    make_client: MakeClient, clock: FakeClock
) -> None:
    script = Script(httpx.Response(500))
    client = make_client(script, retry=RetryPolicy(budget=10))
    for attempts in (3, 1, 1):
        with pytest.raises(ServerError) as caught:
            await result(client.payment.credit())
        assert caught.value.attempts == attempts
    assert len(clock.waits) == 2


async def test_retry_after_is_honoured(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.Response(503, headers={"Retry-After": "11"}), success())
    await result(make_client(script).payment.credit())
    assert clock.waits == [11.0]


async def test_a_401_of_an_api_key_is_not_retried(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.Response(401, json={"data": None, "meta": {"status": False, "message": "نامعتبر"}}))
    with pytest.raises(AuthenticationError, match="نامعتبر"):
        await result(make_client(script).payment.credit())
    assert len(script.requests) == 1
    assert clock.waits == []


async def test_a_redirect_is_never_followed(make_client: MakeClient) -> None:
    script = Script(httpx.Response(307, headers={"Location": "https://elsewhere.example.test/"}))
    with pytest.raises(EdgeError, match="HTTP 307") as caught:
        await result(make_client(script).send.webservice("09121112233", "hello"))
    assert caught.value.outcome is Outcome.UNKNOWN
    assert len(script.requests) == 1


async def test_cookies_are_not_stored(make_client: MakeClient) -> None:
    script = Script(httpx.Response(200, json=ok(CREDIT), headers={"Set-Cookie": "session=1"}))
    client = make_client(script)
    await result(client.payment.credit())
    await result(client.payment.credit())
    assert "cookie" not in script.requests[1].headers


async def test_requests_are_delayed_by_the_rate_limit(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(success())
    client = make_client(script, rate_limit=RateLimit(2.0, burst=2))
    for _ in range(5):
        await result(client.payment.credit())
    assert clock.waits == pytest.approx([0.5, 0.5, 0.5])


async def test_retries_are_delayed_by_the_rate_limit(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.Response(500), success())
    client = make_client(script, rate_limit=RateLimit(0.01), retry=RetryPolicy(backoff=0))
    await result(client.payment.credit())
    assert clock.waits == [0.0, 100.0]


async def test_a_response_that_is_too_large_is_not_read_to_the_end(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    monkeypatch.setattr(f"ippanel_edge.{'_sync' if side == 'sync' else '_async'}.exchange.MAX_ANSWER_BYTES", 1000)

    def response(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Endless())

    with pytest.raises(DecodeError, match="larger than 1,000 bytes"):
        await result(make_client(response, retry=RetryPolicy(retries=0)).payment.credit())


class Endless(httpx.AsyncByteStream, httpx.SyncByteStream):
    """A body that ends only when it is closed."""

    is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        while not self.is_closed:
            yield b"x" * 100

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self.is_closed:
            yield b"x" * 100

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


async def test_middleware_wraps_each_attempt_and_the_first_one_is_outermost(
    make_client: MakeClient, clock: FakeClock, side: str
) -> None:
    calls: list[str] = []

    def recording(name: str) -> Any:
        def before(call: Call[Any]) -> Call[Any]:
            calls.append(f"{name} {call.endpoint.name}")
            return attrs.evolve(call, headers={**call.headers, f"X-{name}": "1"})

        async def middleware_async(call: Call[Any], proceed: Any) -> Any:
            return await proceed(before(call))

        def middleware(call: Call[Any], proceed: Any) -> Any:
            return proceed(before(call))

        return middleware if side == "sync" else middleware_async

    script = Script(httpx.Response(500), success())
    await result(make_client(script, middleware=[recording("A"), recording("B")]).payment.credit())
    assert calls == ["A payment.credit", "B payment.credit"] * 2
    assert {"x-a", "x-b", "authorization"} <= script.requests[1].headers.keys()
    assert len(clock.waits) == 1


async def test_request_calls_any_endpoint_and_returns_the_response(make_client: MakeClient) -> None:
    script = Script(httpx.Response(200, json=ok([1], extra=2), headers={"X-Trace": "t-1", "X-Request-Id": "req-7"}))
    client = make_client(script)
    reply = await result(client.request("post", "/api/new/thing", query={"a": True, "b": None}, json={"x": "ی"}))
    assert reply.data == [1]
    assert (reply.meta.status, reply.meta.message_code, reply.meta.raw["extra"]) == (True, "200-1", 2)
    assert (reply.response.status_code, reply.response.headers["x-trace"]) == (200, "t-1")
    assert reply.response.json()["data"] == [1]
    assert reply.request_id == "req-7"
    request = script.requests[0]
    assert (request.method, str(request.url)) == ("POST", "https://edge.example.test/v1/api/new/thing?a=true")
    assert request.content == '{"x":"ی"}'.encode()


async def test_request_retries_only_if_repeat_allows_it(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.Response(500))
    client = make_client(script)
    for repeat, attempts in ((Repeat.ONCE, 1), (Repeat.READ, 4)):
        with pytest.raises(ServerError) as caught:
            await result(client.request("GET", "/api/x", repeat=repeat))
        assert caught.value.attempts == attempts
    assert len(clock.waits) == 3


@pytest.mark.parametrize(
    "path",
    [
        "https://elsewhere.example.test/x", "//elsewhere.example.test/x", "api/send", "/api/../../x", "/api/%2e%2E/x",
        "/./x", "/api\\x", "/api/x#y", "/api/x\n", "/api/x?y=1", "",
    ],
)  # fmt: skip
async def test_a_path_that_could_send_the_key_to_another_host_is_rejected(make_client: MakeClient, path: str) -> None:
    script = Script(success())
    with pytest.raises(ConfigurationError, match="path"):
        await result(make_client(script).request("GET", path))
    assert script.requests == []


async def test_an_unknown_http_method_is_rejected(make_client: MakeClient) -> None:
    with pytest.raises(ConfigurationError, match="method"):
        await result(make_client(Script(success())).request("FETCH", "/api/x"))


async def test_a_copy_has_its_own_settings_and_shares_the_connection_pool(make_client: MakeClient) -> None:
    script = Script(send_success(1))
    client = make_client(script, api_key=KEY)
    copy = client.with_options(api_key="other-key", from_number="3000888", base_url="https://b.example.test/v1")
    assert type(copy) is type(client)
    await result(copy.send.webservice("09121112233", "hello"))
    await result(client.send.webservice("09121112233", "hello"))
    first, second = script.requests
    assert (first.headers["authorization"], first.url.host) == ("other-key", "b.example.test")
    assert (second.headers["authorization"], second.url.host) == (KEY, "edge.example.test")
    assert json.loads(first.content)["from_number"] == "+983000888"
    assert json.loads(second.content)["from_number"] == "+983000111222"


async def test_a_copy_inherits_settings_that_are_not_changed(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.Response(500))
    copy = make_client(script, api_key=KEY, retry=RetryPolicy(retries=1)).with_options(deadline=60.0)
    with pytest.raises(ServerError) as caught:
        await result(copy.payment.credit())
    assert caught.value.attempts == 2
    assert script.requests[0].headers["authorization"] == KEY
    assert len(clock.waits) == 1


@pytest.mark.parametrize("name", ["limits", "http_client", "proxy", "verify", "nonsense"])
async def test_options_of_the_pool_cannot_be_changed_in_a_copy(make_client: MakeClient, name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        make_client(Script(success())).with_options(**{name: None})


async def test_closing_a_copy_has_no_effect_and_closing_the_client_closes_both(
    make_client: MakeClient, side: str
) -> None:
    client = make_client(Script(success()))
    copy = client.with_options(deadline=5.0)
    close = "close" if side == "sync" else "aclose"
    await result(getattr(copy, close)())
    assert (await result(client.payment.credit())).credit == 5.0
    await result(getattr(client, close)())
    for closed in (client, copy):
        with pytest.raises(ConfigurationError, match="the client is closed"):
            await result(closed.payment.credit())


async def test_a_custom_http_client_is_not_changed_or_closed() -> None:
    http_client = httpx.AsyncClient(
        transport=httpx.MockTransport(Script(success())),
        auth=("user", "password"),
        cookies={"custom": "1"},
        headers={"X-Custom": "1"},
        follow_redirects=True,
    )
    before = (dict(http_client.headers), dict(http_client.cookies), http_client.timeout, http_client.follow_redirects)
    async with AsyncEdgeClient(KEY, http_client=http_client, base_url="https://edge.example.test/v1") as client:
        await client.payment.credit()
    assert not http_client.is_closed
    assert (
        dict(http_client.headers),
        dict(http_client.cookies),
        http_client.timeout,
        http_client.follow_redirects,
    ) == before
    await http_client.aclose()


def test_a_custom_sync_http_client_is_not_changed_or_closed() -> None:
    script = Script(success())
    with httpx.Client(
        transport=httpx.MockTransport(script), auth=("user", "password"), cookies={"a": "1"}
    ) as http_client:
        with EdgeClient(KEY, http_client=http_client, base_url="https://edge.example.test/v1") as client:
            client.payment.credit()
        assert not http_client.is_closed
    assert script.requests[0].headers["authorization"] == KEY
    assert "cookie" not in script.requests[0].headers


async def test_reprs_errors_and_logs_do_not_show_the_key(
    make_client: MakeClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = make_client(Script(httpx.Response(401, text="no")), api_key=KEY)
    with pytest.raises(AuthenticationError) as caught:
        await result(client.payment.credit())
    output = f"{client!r} {client} {caught.value!r} {caught.value} {vars(caught.value)} {caplog.text}"
    assert KEY not in output


@pytest.mark.parametrize(
    "response",
    [
        lambda: httpx.Response(502, text=f"<html>You sent Authorization: {KEY}</html>"),
        lambda: httpx.Response(200, text=f"<html>{KEY}"),
        lambda: httpx.Response(
            401,
            json={"data": None, "meta": {"status": False, "message": f"{KEY}؟", "errors": {"key": [f"not {KEY}"]}}},
        ),
    ],
)
async def test_a_key_in_a_response_is_redacted_in_the_error(
    make_client: MakeClient, response: Callable[[], httpx.Response]
) -> None:
    client = make_client(Script(response()), api_key=KEY, retry=RetryPolicy(retries=0))
    with pytest.raises(EdgeError) as caught:
        await result(client.payment.credit())
    assert KEY not in f"{caught.value} {caught.value!r} {vars(caught.value)}"
    assert "***" in str(caught.value)
    assert caught.value.outcome in set(Outcome)


INVALID_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"api_key": "a", "token": "b"}, "api_key: must not be combined with token"),
    ({"api_key": "with space"}, "api_key: expected visible ASCII"),
    ({"token": "new\nline"}, "token: expected visible ASCII"),
    ({"api_key": ""}, "api_key: must not be empty"),
    ({"api_key": "کلید"}, "api_key: expected visible ASCII"),
    ({"api_key": "Bearer"}, "'Bearer' prefix"),
    ({"timeout": 0}, "timeout: expected a number of seconds above 0"),
    ({"deadline": -1}, "deadline: expected a number of seconds above 0"),
    ({"deadline": float("nan")}, "deadline: expected a number of seconds above 0"),
    ({"from_number": "not a line!"}, "from_number"),
    ({"base_url": "http://edge.example.test/v1"}, "base_url: must use https"),
    ({"base_url": "https://user:pw@edge.example.test/v1"}, "base_url: must not contain a user name"),
    ({"base_url": "https://edge.example.test/v1?x=1"}, "base_url: must not contain a query"),
    ({"base_url": "https://edge.example.test/v1#x"}, "base_url: must not contain a query"),
    ({"base_url": "https://edge.example.test/../v1"}, "base_url: must not contain '.' or '..'"),
    ({"base_url": "ftp://edge.example.test"}, "base_url: expected a URL such as"),
    ({"base_url": "edge.example.test"}, "base_url: expected a URL such as"),
    ({"base_url": "https://[::1"}, "base_url: expected a URL such as"),
    ({"base_url": "https://edge.example.test:99999"}, "base_url: expected a URL such as"),
]


@pytest.mark.parametrize(
    ("options", "message"), INVALID_SETTINGS, ids=lambda value: value if isinstance(value, str) else ""
)
def test_an_invalid_setting_is_named(options: dict[str, Any], message: str) -> None:
    settings: dict[str, Any] = {"api_key": None if "token" in options else "k", **options}
    for kind in (AsyncEdgeClient, EdgeClient):
        with pytest.raises(ConfigurationError) as caught:
            kind(**settings)
        assert message in str(caught.value)
        assert "pw" not in str(caught.value)


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8080/v1", "http://localhost/v1", "http://[::1]:9/v1/"])
def test_plain_http_is_accepted_for_the_local_host_only(base_url: str) -> None:
    assert "/v1" in repr(EdgeClient("k", base_url=base_url))
