"""Errors say what to do: after a 401 by how the call was authorised, after a failed connection by its cause."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any, Final

import httpx
import pytest

from ippanel_edge import AuthenticationError, ConnectionFailed
from tests.client.conftest import MakeClient
from tests.client.sides import result

pytestmark = pytest.mark.anyio

KEY: Final = "check api_key= or IPPANEL_API_KEY"
TOKEN: Final = "the token is wrong or older than 10 hours; log in again"


def unauthorised(_: httpx.Request) -> httpx.Response:
    return httpx.Response(401, json={"meta": {"status": False, "message": "نامعتبر"}})


CALLS: Final[dict[str, tuple[dict[str, Any], Callable[[Any], Any], str]]] = {
    "key": ({"api_key": "key-0001"}, lambda client: client.payment.credit(), KEY),
    "token": ({"token": "token-0001"}, lambda client: client.payment.credit(), TOKEN),
    "copy with a token": ({}, lambda client: client.with_options(token="token-0001").payment.credit(), TOKEN),
    "copy with a key": ({"token": "t-1"}, lambda client: client.with_options(api_key="k-1").payment.credit(), KEY),
    "copy of a token": ({"token": "t-1"}, lambda client: client.with_options(retry=0).payment.credit(), TOKEN),
    "URL send": ({}, lambda client: client.send.url("09121234567", "x"), "check username= and password="),
}


@pytest.mark.parametrize("name", CALLS)
async def test_a_401_says_what_to_check(make_client: MakeClient, name: str) -> None:
    options, call, advice = CALLS[name]
    with pytest.raises(AuthenticationError) as caught:
        await result(call(make_client(unauthorised, **options)))
    assert caught.value.advice.startswith(advice)
    first, *others = str(caught.value).splitlines()
    assert advice in first
    assert others == ["نامعتبر"]


async def test_a_401_of_a_login_method_has_no_advice_on_the_key(make_client: MakeClient) -> None:
    with pytest.raises(AuthenticationError) as caught:
        await result(make_client(unauthorised).auth.change_password("token-0001", "4711", "Aa1!aaaa"))
    assert caught.value.advice == ""


async def test_a_failed_connection_names_the_host(make_client: MakeClient) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno 111] Connection refused")

    with pytest.raises(ConnectionFailed, match=r"ConnectError: edge\.example\.test: .Errno 111. Connection refused"):
        await result(make_client(refuse, retry=0).payment.credit())


async def test_an_untrusted_certificate_names_the_host_and_the_setting(make_client: MakeClient) -> None:
    def reject(_: httpx.Request) -> httpx.Response:
        untrusted = httpx.ConnectError("certificate verify failed")
        raise untrusted from ssl.SSLCertVerificationError("self-signed")

    with pytest.raises(ConnectionFailed) as caught:
        await result(make_client(reject).payment.credit())
    assert caught.value.retryable is False
    assert "edge.example.test: certificate verify failed; to trust a company's CA, pass verify=" in str(caught.value)
