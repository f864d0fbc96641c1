"""Links of the engine that work together, on all three sides: alternate methods, logins after a 401, the rate limit."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest

from ippanel_edge import (
    ApiError,
    ConnectionFailed,
    Credentials,
    EdgeError,
    Outcome,
    OutcomeUnknown,
    RateLimit,
    RetryPolicy,
)
from ippanel_edge.models import UserChanges
from tests.client.conftest import FakeClock, MakeClient
from tests.client.sides import result

pytestmark = pytest.mark.anyio

OK: Final = {"data": {"user_id": 7}, "meta": {"status": True}}
CREDIT: Final = {"data": {"credit": 5}, "meta": {"status": True}}
NO: Final = {"data": None, "meta": {"status": False, "message": "no", "message_code": "400-1"}}


async def test_the_other_documented_method_is_tried_once_and_then_remembered(make_client: MakeClient) -> None:
    methods: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        methods.append(request.method)
        return httpx.Response(200, json=OK) if request.method == "POST" else httpx.Response(405, json=NO)

    client = make_client(answer)
    await result(client.auth.check_token())
    await result(client.auth.check_token())
    assert methods == ["GET", "POST", "POST"]


async def test_if_both_methods_are_rejected_the_call_ends(make_client: MakeClient) -> None:
    methods: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        methods.append(request.method)
        return httpx.Response(405, json=NO)

    with pytest.raises(EdgeError) as caught:
        await result(make_client(answer).auth.check_token())
    assert (methods, caught.value.attempts, caught.value.outcome) == (["GET", "POST"], 2, Outcome.REJECTED)


DISPUTED: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "users.update": (lambda client: client.users.update(7, UserChanges(company="x")), ["POST", "PUT"]),
    "phonebooks.list": (lambda client: client.phonebooks.list(), ["GET", "POST"]),
    "users.documents.upload": (lambda client: client.users.documents.upload(6, [("a.png", b"x")]), ["POST", "GET"]),
    "users.documents.remove": (lambda client: client.users.documents.remove(6), ["POST", "GET"]),
}


@pytest.mark.parametrize("name", DISPUTED)
async def test_each_endpoint_with_two_documented_methods_tries_both(make_client: MakeClient, name: str) -> None:
    call, methods = DISPUTED[name]
    seen: list[tuple[str, bytes]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append((request.method, request.url.query))
        return httpx.Response(405, json=NO)

    with pytest.raises(ApiError) as caught:
        await result(call(make_client(answer)))
    assert [method for method, _ in seen] == methods
    assert len({query for _, query in seen}) == 1, "both requests have the same query"
    assert (caught.value.status_code, caught.value.attempts) == (405, 2)


async def test_a_file_that_was_read_is_not_sent_again_by_the_other_method(make_client: MakeClient) -> None:
    bodies: list[tuple[str, bool]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        bodies.append((request.method, b"content" in request.read()))
        return httpx.Response(200, json=OK) if request.method == "GET" else httpx.Response(405, json=NO)

    class OnceReadable(io.BytesIO):
        name = "a.png"

        def tell(self) -> int:
            raise OSError("a pipe has no position")

    client = make_client(answer)
    with pytest.raises(ApiError, match="the file was read before the 405; call again, which sends a GET") as caught:
        await result(client.users.documents.upload(6, [OnceReadable(b"content")]))
    assert caught.value.outcome is Outcome.REJECTED
    await result(client.users.documents.upload(6, [OnceReadable(b"content")]))
    assert bodies == [("POST", True), ("GET", True)]


async def test_the_url_send_never_falls_back_to_get(make_client: MakeClient) -> None:
    methods: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        methods.append(request.method)
        return httpx.Response(405, headers={"Allow": "GET"}, json=NO)

    with pytest.raises(ApiError, match=r"by GET only.*use send\.webservice") as caught:
        await result(make_client(answer).send.url("09121234567", "x"))
    assert methods == ["POST"]
    assert caught.value.advice.endswith("use send.webservice")


async def test_a_failed_login_after_a_401_does_not_hide_an_attempt_that_may_be_executed(
    make_client: MakeClient, clock: FakeClock
) -> None:
    requests: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        path = request.url.path.rpartition("/")[2]
        requests.append(path)
        if path == "login":
            data = {"method": "login", "token": "token-0001"}
            first = requests.count("login") == 1
            return httpx.Response(200, json={**OK, "data": data}) if first else httpx.Response(400, json=NO)
        if requests.count("update") == 1:
            raise httpx.ReadTimeout("late", request=request)
        return httpx.Response(401, json=NO)

    client = make_client(answer, credentials=Credentials("user", "secret"), retry=RetryPolicy(retries=2))
    with pytest.raises(OutcomeUnknown, match="the login after a 401 failed") as caught:
        await result(client.users.update(7, UserChanges(company="x")))
    assert requests == ["login", "update", "update", "login"]
    assert (caught.value.endpoint, caught.value.attempts, len(clock.waits)) == ("users.update", 2, 1)


async def test_a_turn_after_the_deadline_is_not_used(make_client: MakeClient, clock: FakeClock) -> None:
    client = make_client(lambda _: httpx.Response(200, json=CREDIT), rate_limit=RateLimit(0.1))
    await result(client.payment.credit())
    for _ in range(3):
        with pytest.raises(ConnectionFailed, match="the rate limit requires a wait of") as caught:
            await result(client.with_options(deadline=5.0).payment.credit())
        assert (caught.value.outcome, caught.value.timed_out, caught.value.attempts) == (Outcome.NOT_SENT, True, 0)
    await result(client.payment.credit())
    assert clock.waits == [pytest.approx(10.0, abs=1e-3)], "the rejected calls used no turn"


@pytest.mark.parametrize("side", ["sync"])
async def test_an_interrupted_wait_at_the_rate_limit_gives_back_its_turn(
    make_client: MakeClient, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, side: str
) -> None:
    client = make_client(lambda _: httpx.Response(200, json=CREDIT), rate_limit=RateLimit(0.1))
    client.payment.credit()
    with monkeypatch.context() as patch:

        def interrupt(_: float) -> None:
            raise KeyboardInterrupt

        patch.setattr("ippanel_edge._sync._io.sleep", interrupt)
        with pytest.raises(KeyboardInterrupt):
            client.payment.credit()
    client.payment.credit()
    assert clock.waits == [pytest.approx(10.0, abs=1e-3)], side
