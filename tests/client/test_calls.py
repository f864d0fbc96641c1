"""A call's way on all three sides: authorised, repeated where allowed, in turn, through your middleware."""

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
    """Answers requests one after another, and keeps them."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def good(data: object = None) -> httpx.Response:
    return httpx.Response(200, json=ok(CREDIT if data is None else data))


def sent(*ids: int) -> httpx.Response:
    return good({"message_outbox_ids": list(ids)})


async def test_the_key_goes_as_it_is_and_the_headers_are_ours(make_client: MakeClient) -> None:
    script = Script(good())
    client = make_client(script, api_key=KEY)
    assert (await result(client.payment.credit())).credit == 5.0
    headers = script.requests[0].headers
    assert headers["authorization"] == KEY
    assert headers["accept-encoding"] == "gzip"
    assert headers["user-agent"].startswith("ippanel-edge/")
    assert "cookie" not in headers


async def test_a_token_goes_the_same_way(make_client: MakeClient) -> None:
    script = Script(good())
    await result(make_client(script, token="a-login-token").payment.credit())
    assert script.requests[0].headers["authorization"] == "a-login-token"


async def test_the_environment_gives_what_the_caller_leaves_out(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IPPANEL_API_KEY", "env-key")
    monkeypatch.setenv("IPPANEL_FROM_NUMBER", "۳۰۰۰۷۷۷")
    monkeypatch.setenv("IPPANEL_BASE_URL", "https://panel.example.test/v1/api/")
    script = Script(sent(1))
    client = make_client(script, api_key=None, from_number=None, base_url=None)
    await result(client.send.webservice("09121112233", "hello"))
    request = script.requests[0]
    assert str(request.url) == "https://panel.example.test/v1/api/send"
    assert request.headers["authorization"] == "env-key"
    assert json.loads(request.content)["from_number"] == "+983000777"


async def test_without_any_key_nothing_is_sent(make_client: MakeClient) -> None:
    script = Script(good())
    with pytest.raises(ConfigurationError, match="api_key: missing credentials"):
        await result(make_client(script, api_key=None).payment.credit())
    assert script.requests == []


async def test_a_read_is_repeated_until_it_succeeds(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.Response(502, text="<html>"), httpx.ReadTimeout("late"), good())
    assert (await result(make_client(script).payment.credit())).credit == 5.0
    assert len(script.requests) == 3
    assert [0 <= wait <= 1 for wait in clock.waits] == [True, True]


async def test_a_read_that_keeps_failing_says_how_often_it_was_tried(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.Response(500))
    with pytest.raises(ServerError) as caught:
        await result(make_client(script).payment.credit())
    assert (caught.value.attempts, len(script.requests), len(clock.waits)) == (4, 4, 3)
    assert "the call only reads, so a retry is safe; 4 attempts" in str(caught.value)


@pytest.mark.parametrize(
    "trouble",
    [
        lambda: httpx.Response(500),
        lambda: httpx.Response(429),
        lambda: httpx.ReadTimeout("x"),
        lambda: httpx.Response(200, text="<html>"),
        lambda: good({}),
    ],
)
async def test_a_send_is_never_repeated_by_guess(
    make_client: MakeClient, clock: FakeClock, trouble: Callable[[], httpx.Response | Exception]
) -> None:
    script = Script(trouble())
    with pytest.raises(EdgeError) as caught:
        await result(make_client(script).send.webservice("09121112233", "hello"))
    assert (caught.value.attempts, len(script.requests), clock.waits) == (1, 1, [])
    refused = isinstance(caught.value, RateLimited)
    assert caught.value.outcome is (Outcome.REJECTED if refused else Outcome.UNKNOWN)


async def test_a_send_that_never_left_is_repeated(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.ConnectError("refused"), httpx.PoolTimeout("full"), sent(7))
    assert (await result(make_client(script).send.webservice("09121112233", "hello"))).id == 7
    assert len(clock.waits) == 2


async def test_retries_can_be_turned_off(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.ConnectError("refused"))
    client = make_client(script, retry=RetryPolicy(retries=0))
    with pytest.raises(ConnectionFailed) as caught:
        await result(client.payment.credit())
    assert (caught.value.outcome, caught.value.attempts, clock.waits) == (Outcome.NOT_SENT, 1, [])


async def test_a_repeat_that_never_left_does_not_hide_that_an_earlier_attempt_may_have_arrived(
    make_client: MakeClient, clock: FakeClock
) -> None:
    script = Script(httpx.ReadTimeout("late"), httpx.ConnectError("refused"))
    with pytest.raises(OutcomeUnknown, match="an earlier attempt may have been executed"):
        await result(make_client(script).send.cancel(5))
    assert len(clock.waits) == 3


async def test_an_outage_uses_the_budget_up_and_then_fails_at_once(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.Response(500))
    client = make_client(script, retry=RetryPolicy(budget=10))
    for attempts in (3, 1, 1):
        with pytest.raises(ServerError) as caught:
            await result(client.payment.credit())
        assert caught.value.attempts == attempts
    assert len(clock.waits) == 2


async def test_retry_after_is_waited_for(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.Response(503, headers={"Retry-After": "11"}), good())
    await result(make_client(script).payment.credit())
    assert clock.waits == [11.0]


async def test_a_401_of_a_key_is_final(make_client: MakeClient, clock: FakeClock) -> None:
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


async def test_cookies_are_not_kept(make_client: MakeClient) -> None:
    script = Script(httpx.Response(200, json=ok(CREDIT), headers={"Set-Cookie": "session=1"}))
    client = make_client(script)
    await result(client.payment.credit())
    await result(client.payment.credit())
    assert "cookie" not in script.requests[1].headers


async def test_requests_take_their_turn_at_the_rate_limit(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(good())
    client = make_client(script, rate_limit=RateLimit(2.0, burst=2))
    for _ in range(5):
        await result(client.payment.credit())
    assert clock.waits == pytest.approx([0.5, 0.5, 0.5])


async def test_repeats_take_their_turn_too(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.Response(500), good())
    client = make_client(script, rate_limit=RateLimit(0.01), retry=RetryPolicy(backoff=0))
    await result(client.payment.credit())
    assert clock.waits == [0.0, 100.0]


async def test_an_answer_that_is_too_large_is_not_read_on(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    monkeypatch.setattr(f"ippanel_edge.{'_sync' if side == 'sync' else '_async'}.exchange.MAX_ANSWER_BYTES", 1000)

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=Endless())

    with pytest.raises(DecodeError, match="larger than 1,000 bytes"):
        await result(make_client(answer, retry=RetryPolicy(retries=0)).payment.credit())


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


async def test_your_middleware_is_around_each_attempt_the_first_outermost(
    make_client: MakeClient, clock: FakeClock, side: str
) -> None:
    seen: list[str] = []

    def note(name: str) -> Any:
        def before(call: Call[Any]) -> Call[Any]:
            seen.append(f"{name} {call.endpoint.name}")
            return attrs.evolve(call, headers={**call.headers, f"X-{name}": "1"})

        async def asynchronous(call: Call[Any], proceed: Any) -> Any:
            return await proceed(before(call))

        def synchronous(call: Call[Any], proceed: Any) -> Any:
            return proceed(before(call))

        return synchronous if side == "sync" else asynchronous

    script = Script(httpx.Response(500), good())
    await result(make_client(script, middleware=[note("A"), note("B")]).payment.credit())
    assert seen == ["A payment.credit", "B payment.credit"] * 2
    assert {"x-a", "x-b", "authorization"} <= script.requests[1].headers.keys()
    assert len(clock.waits) == 1


async def test_any_address_can_be_called_and_its_reply_looked_into(make_client: MakeClient) -> None:
    script = Script(httpx.Response(200, json=ok([1], extra=2), headers={"X-Trace": "t-1"}))
    client = make_client(script)
    reply = await result(client.request("post", "/api/new/thing", query={"a": True, "b": None}, json={"x": "ی"}))
    assert reply.data == [1]
    assert (reply.meta.status, reply.meta.message_code, reply.meta.raw["extra"]) == (True, "200-1", 2)
    assert (reply.response.status_code, reply.response.headers["x-trace"]) == (200, "t-1")
    assert reply.response.json()["data"] == [1]
    request = script.requests[0]
    assert (request.method, str(request.url)) == ("POST", "https://edge.example.test/v1/api/new/thing?a=true")
    assert request.content == '{"x":"ی"}'.encode()


async def test_an_unnamed_address_is_repeated_only_where_its_caller_says_so(
    make_client: MakeClient, clock: FakeClock
) -> None:
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
async def test_an_address_that_would_take_the_key_elsewhere_is_refused(make_client: MakeClient, path: str) -> None:
    script = Script(good())
    with pytest.raises(ConfigurationError, match="path"):
        await result(make_client(script).request("GET", path))
    assert script.requests == []


async def test_a_method_that_http_does_not_know_is_refused(make_client: MakeClient) -> None:
    with pytest.raises(ConfigurationError, match="method"):
        await result(make_client(Script(good())).request("FETCH", "/api/x"))


async def test_a_copy_has_its_own_settings_and_the_same_connections(make_client: MakeClient) -> None:
    script = Script(sent(1))
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


async def test_a_copy_keeps_what_it_does_not_change(make_client: MakeClient, clock: FakeClock) -> None:
    script = Script(httpx.Response(500))
    copy = make_client(script, api_key=KEY, retry=RetryPolicy(retries=1)).with_options(deadline=60.0)
    with pytest.raises(ServerError) as caught:
        await result(copy.payment.credit())
    assert caught.value.attempts == 2
    assert script.requests[0].headers["authorization"] == KEY
    assert len(clock.waits) == 1


@pytest.mark.parametrize("name", ["limits", "http_client", "proxy", "verify", "nonsense"])
async def test_the_pool_cannot_be_changed_in_a_copy(make_client: MakeClient, name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        make_client(Script(good())).with_options(**{name: None})


async def test_closing_a_copy_closes_nothing_and_closing_the_client_ends_both(
    make_client: MakeClient, side: str
) -> None:
    client = make_client(Script(good()))
    copy = client.with_options(deadline=5.0)
    close = "close" if side == "sync" else "aclose"
    await result(getattr(copy, close)())
    assert (await result(client.payment.credit())).credit == 5.0
    await result(getattr(client, close)())
    for closed in (client, copy):
        with pytest.raises(ConfigurationError, match="the client is closed"):
            await result(closed.payment.credit())


async def test_a_client_handed_in_is_left_as_it_was() -> None:
    theirs = httpx.AsyncClient(
        transport=httpx.MockTransport(Script(good())),
        auth=("user", "password"),
        cookies={"theirs": "1"},
        headers={"X-Theirs": "1"},
        follow_redirects=True,
    )
    before = (dict(theirs.headers), dict(theirs.cookies), theirs.timeout, theirs.follow_redirects)
    async with AsyncEdgeClient(KEY, http_client=theirs, base_url="https://edge.example.test/v1") as client:
        await client.payment.credit()
    assert not theirs.is_closed
    assert (dict(theirs.headers), dict(theirs.cookies), theirs.timeout, theirs.follow_redirects) == before
    await theirs.aclose()


def test_a_sync_client_handed_in_is_left_as_it_was() -> None:
    script = Script(good())
    with httpx.Client(transport=httpx.MockTransport(script), auth=("user", "password"), cookies={"a": "1"}) as theirs:
        with EdgeClient(KEY, http_client=theirs, base_url="https://edge.example.test/v1") as client:
            client.payment.credit()
        assert not theirs.is_closed
    assert script.requests[0].headers["authorization"] == KEY
    assert "cookie" not in script.requests[0].headers


async def test_nothing_shows_the_key(make_client: MakeClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = make_client(Script(httpx.Response(401, text="no")), api_key=KEY)
    with pytest.raises(AuthenticationError) as caught:
        await result(client.payment.credit())
    shown = f"{client!r} {client} {caught.value!r} {caught.value} {vars(caught.value)} {caplog.text}"
    assert KEY not in shown


@pytest.mark.parametrize(
    "answer",
    [
        lambda: httpx.Response(502, text=f"<html>You sent Authorization: {KEY}</html>"),
        lambda: httpx.Response(200, text=f"<html>{KEY}"),
        lambda: httpx.Response(
            401,
            json={"data": None, "meta": {"status": False, "message": f"{KEY}؟", "errors": {"key": [f"not {KEY}"]}}},
        ),
    ],
)
async def test_an_answer_that_quotes_the_key_does_not_bring_it_into_the_error(
    make_client: MakeClient, answer: Callable[[], httpx.Response]
) -> None:
    client = make_client(Script(answer()), api_key=KEY, retry=RetryPolicy(retries=0))
    with pytest.raises(EdgeError) as caught:
        await result(client.payment.credit())
    assert KEY not in f"{caught.value} {caught.value!r} {vars(caught.value)}"
    assert "***" in str(caught.value)
    assert caught.value.outcome in set(Outcome)


SETTINGS: list[tuple[dict[str, Any], str]] = [
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


@pytest.mark.parametrize(("options", "said"), SETTINGS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_wrong_setting_is_named(options: dict[str, Any], said: str) -> None:
    settings: dict[str, Any] = {"api_key": None if "token" in options else "k", **options}
    for kind in (AsyncEdgeClient, EdgeClient):
        with pytest.raises(ConfigurationError) as caught:
            kind(**settings)
        assert said in str(caught.value)
        assert "pw" not in str(caught.value)


@pytest.mark.parametrize("base_url", ["http://127.0.0.1:8080/v1", "http://localhost/v1", "http://[::1]:9/v1/"])
def test_plain_http_is_for_this_machine_alone(base_url: str) -> None:
    assert "/v1" in repr(EdgeClient("k", base_url=base_url))
