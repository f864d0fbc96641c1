"""Errors do not contain the secrets of their call, even if the response quotes them or a frame holds them."""

from __future__ import annotations

import json
import pickle
import traceback
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

import httpx
import pytest

from ippanel_edge import AsyncEdgeClient, EdgeClient, EdgeError
from ippanel_edge.values.secrets import Secret
from tests.client.conftest import MakeClient
from tests.client.sides import result

pytestmark = pytest.mark.anyio

CANARY = "canary/+7f&3<1"
KEY = "client-test-key"

CALLS: dict[str, Callable[[Any], Any]] = {
    "password": lambda client: client.auth.login("user", CANARY),
    "token": lambda client: client.auth.send_sms_otp(CANARY),
    "code": lambda client: client.auth.confirm_otp("token-0001", CANARY),
    "new password": lambda client: client.auth.change_password("token-0001", "4711", CANARY),
    "pattern value": lambda client: client.send.pattern("otp", "09121234567", {"code": CANARY}),
    "password of the URL send": lambda client: client.send.url("09121234567", "x", username="u", password=CANARY),
    "secret in the query": lambda client: client.request("GET", "/api/x", query={"password": Secret(CANARY)}),
    "secret of a request": lambda client: client.request("POST", "/api/x", json={"a": [{"b": Secret(CANARY)}]}),
}


def echo_as_page(request: httpx.Request) -> httpx.Response:
    """Return an error page of a proxy that quotes the whole request."""
    return httpx.Response(502, text=f"<html>{request.method} {request.url} {request.content.decode()}</html>")


def decoded(request: httpx.Request) -> str:
    """Return the decoded query and body."""
    body = request.content.decode()
    if "form" in request.headers.get("content-type", ""):
        body = unquote_plus(body)
    return f"{unquote_plus(str(request.url))} {body}"


def echo_decoded(request: httpx.Request) -> httpx.Response:
    """Return a page that quotes the decoded request."""
    return httpx.Response(502, text=f"<p>{decoded(request)}</p>")


def echo_as_error(request: httpx.Request) -> httpx.Response:
    """Return an error of the API that quotes the request in its message and in the field errors."""
    quoted = decoded(request)
    return httpx.Response(422, json={"meta": {"status": False, "message": quoted, "errors": {quoted: [quoted]}}})


@pytest.mark.parametrize("handler", [echo_as_page, echo_decoded, echo_as_error])
@pytest.mark.parametrize("name", CALLS)
async def test_an_error_does_not_quote_the_secrets_of_its_call(
    make_client: MakeClient, name: str, handler: Callable[[httpx.Request], httpx.Response]
) -> None:
    with pytest.raises(EdgeError) as caught:
        await result(CALLS[name](make_client(handler)))
    error = caught.value
    output = f"{error} {error!r} {vars(error)} {pickle.loads(pickle.dumps(error))}"  # noqa: S301 - pickled here
    for form in (CANARY, "canary", json.dumps(CANARY)):
        assert form not in output
    assert "***" in output


@pytest.mark.parametrize("handler", [echo_as_page, echo_as_error])
async def test_an_error_does_not_quote_the_key(
    make_client: MakeClient, handler: Callable[[httpx.Request], httpx.Response]
) -> None:
    def with_key(request: httpx.Request) -> httpx.Response:
        quoted = httpx.Request("POST", request.url, content=request.headers["Authorization"])
        return handler(quoted)

    with pytest.raises(EdgeError) as caught:
        await result(make_client(with_key).payment.credit())
    assert KEY not in f"{caught.value} {vars(caught.value)}"


async def test_a_short_secret_is_not_masked_in_the_error(make_client: MakeClient) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(422, json={"meta": {"status": False, "message": "400 of 4", "message_code": "400-2"}})

    with pytest.raises(EdgeError, match=r"HTTP 422 \[400-2\] [^\n]*\n400 of 4"):
        await result(make_client(handler).send.pattern("otp", "09121234567", {"count": "4"}))


@pytest.mark.parametrize(
    "quote",
    ["code=4711", '{"code":4711}', "%7B%22code%22%3A4711%7D", "%204711", "[4711, 5]", "\\u06f44711", "x4711y"],
)
@pytest.mark.parametrize("code", [4711, -4711])
async def test_a_code_that_is_an_int_is_masked_in_the_error(make_client: MakeClient, code: int, quote: str) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        meta = {"status": False, "message": quote, "errors": {quote: [quote]}}
        return httpx.Response(422, json={"meta": meta}, headers={"X-Echo": quote})

    with pytest.raises(EdgeError) as caught:
        await result(make_client(handler).send.pattern("otp", "09121234567", {"code": code, "n": 7}))
    output = f"{caught.value} {vars(caught.value)}"
    assert "4711" not in output
    assert "***" in output


async def test_a_code_that_is_an_int_is_not_masked_inside_a_longer_number(make_client: MakeClient) -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(422, json={"meta": {"status": False, "message": "id 94711 and 47110, part 711"}})

    with pytest.raises(EdgeError, match="id 94711 and 47110, part 711"):
        await result(make_client(handler).send.pattern("otp", "09121234567", {"code": 4711, "n": 711}))


INVALID_CALLS: dict[str, Callable[[Any], Any]] = {
    "too few arguments": lambda client: client.auth.confirm_otp(CANARY),
    "too many arguments": lambda client: client.auth.login("user", CANARY, "more"),
    "unknown argument": lambda client: client.send.votp("09121234567", CANARY, no_such_argument=1),
    "unexpected exception": lambda client: client.auth.login(Exploding(), CANARY),
    "request with an unknown argument": lambda client: client.request("POST", "/api/x", jsn={"password": CANARY}),
    "request with a wrong body": lambda client: client.request("POST", "/api/x", json={"password": CANARY, "x": {1}}),
}


class Exploding(str):
    """A str whose methods raise."""

    __slots__ = ()

    def strip(self, *_: object) -> str:
        raise ZeroDivisionError("exploded")

    def __iter__(self) -> Any:
        return iter(())


@pytest.mark.parametrize("name", INVALID_CALLS)
@pytest.mark.parametrize("make", [EdgeClient, AsyncEdgeClient])
async def test_the_frames_of_an_exception_do_not_hold_the_arguments(make: Any, name: str) -> None:
    client = make(KEY, base_url="https://edge.example.test/v1", from_number="+983000111222")
    with pytest.raises((TypeError, ZeroDivisionError, EdgeError)) as caught:
        await result(INVALID_CALLS[name](client))
    summary = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in summary.stack if "ippanel_edge" in frame.filename]
    assert "canary" not in str([frame.locals for frame in ours])
    assert caught.value.__cause__ is caught.value.__context__ is None
    if isinstance(caught.value, ZeroDivisionError):
        assert "in strip" in caught.value.__notes__[0], "the note contains the original traceback"
