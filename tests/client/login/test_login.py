"""Logging in by itself, on all three sides: how it goes, and what a login that fails says."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import httpx
import pytest
from pyotp.totp import TOTP

from ippanel_edge import (
    ConfigurationError,
    ConnectionFailed,
    Outcome,
    ServerError,
    ValidationFailed,
)
from ippanel_edge.models.auth import LoginStep
from tests.client.conftest import MakeClient
from tests.client.login.service import (
    OTP,
    PASSWORD,
    START,
    TOTP_SECRET,
    WRONG_PASSWORD,
    Service,
    credentials,
    credit,
    failure_of,
    give_code,
    give_wrong_code,
    told,
)
from tests.client.sides import result

pytestmark = pytest.mark.anyio


async def test_the_first_call_logs_in_and_the_next_ones_use_its_token(
    make_client: MakeClient, service: Service
) -> None:
    client = make_client(service, credentials=credentials())
    assert service.logins == []
    assert [await credit(client) for _ in range(3)] == [7.0, 7.0, 7.0]
    assert service.logins == [{"username": "zahra", "password": PASSWORD}]
    assert service.tokens == ["canary-token-1"] * 3


@pytest.mark.usefixtures("clock")
async def test_google_authenticators_code_is_made_here(make_client: MakeClient, service: Service) -> None:
    service.method = "ga"
    service.otp = lambda: TOTP(TOTP_SECRET).at(START)
    spaced = f"{TOTP_SECRET[:4]} {TOTP_SECRET[4:]}"
    assert await credit(make_client(service, credentials=credentials(totp_secret=spaced))) == 7.0
    assert len(service.confirmed) == 1
    assert service.tokens == ["canary-token-1"]


@pytest.mark.parametrize("method", ["sms", "ga"])
async def test_a_code_is_asked_of_your_function(make_client: MakeClient, service: Service, method: str) -> None:
    service.method = method
    steps: list[LoginStep] = []

    def otp(step: LoginStep) -> str:
        steps.append(step)
        return OTP

    assert await credit(make_client(service, credentials=credentials(otp=otp))) == 7.0
    assert steps == [LoginStep(method=method, token="step-1")]
    assert service.confirmed == [{"token": "step-1", "otp": OTP}]
    assert service.tokens == ["canary-token-1"]


async def test_your_function_may_be_async_where_the_client_is(
    make_client: MakeClient, service: Service, side: str
) -> None:
    service.method = "sms"

    async def otp(_: LoginStep) -> str:
        await anyio.lowlevel.checkpoint()
        return OTP

    client = make_client(service, credentials=credentials(otp=otp))
    if side != "sync":
        assert await credit(client) == 7.0
        return
    error = await failure_of(client, TypeError)
    assert "await" in str(error)
    assert service.confirmed == []


@pytest.mark.parametrize("method", ["sms", "ga"])
async def test_without_a_way_to_a_code_the_error_says_how_to_give_one(
    make_client: MakeClient, service: Service, method: str
) -> None:
    service.method = method
    error = await failure_of(make_client(service, credentials=credentials()), ConfigurationError)
    problem = f"the login requires a code (method {method}); pass otp=, a function that returns it"
    assert str(error) == f"payment.credit: credentials: {problem}"
    assert service.tokens == []


async def test_a_code_after_which_the_service_wants_more_is_an_error(make_client: MakeClient, service: Service) -> None:
    service.method, service.after_code = "sms", "ga"
    error = await failure_of(make_client(service, credentials=credentials(otp=give_code)), ConfigurationError)
    assert "another step (ga)" in str(error)


async def test_a_totp_secret_that_is_none_is_refused_and_not_shown(make_client: MakeClient, service: Service) -> None:
    service.method = "ga"
    client = make_client(service, credentials=credentials(totp_secret="canary-1-8-9!"))
    error = await failure_of(client, ConfigurationError)
    assert str(error) == "payment.credit: totp_secret: expected base32, as shown by Google Authenticator"
    assert error.__context__ is None
    assert "canary-1-8-9" not in told(error)


async def test_a_refused_login_is_its_own_error(make_client: MakeClient, service: Service) -> None:
    service.failure = httpx.Response(422, json=WRONG_PASSWORD)
    error = await failure_of(make_client(service, credentials=credentials()), ValidationFailed)
    assert (error.endpoint, error.status_code, error.message_code) == ("auth.login", 422, "422-1")
    assert dict(error.errors) == {"username": ("نام کاربری یا رمز نادرست است",)}
    assert error.outcome is Outcome.REJECTED
    assert service.tokens == []


async def test_a_refused_code_is_its_own_error(make_client: MakeClient, service: Service) -> None:
    service.method = "sms"
    error = await failure_of(make_client(service, credentials=credentials(otp=give_wrong_code)), ValidationFailed)
    assert (error.endpoint, dict(error.errors)) == ("auth.confirm_otp", {"otp": ("نادرست",)})


async def test_a_broken_login_says_that_the_call_was_not_made(make_client: MakeClient, service: Service) -> None:
    service.failure = httpx.Response(502, text="<html>Bad Gateway</html>")
    client = make_client(service, credentials=credentials())
    with pytest.raises(ServerError) as caught:
        await result(client.send.webservice("09121234567", "سلام"))
    assert (caught.value.endpoint, caught.value.outcome) == ("auth.login", Outcome.NOT_SENT)
    assert len(service.logins) == 1


async def test_a_login_without_an_answer_says_that_the_call_was_not_made(
    make_client: MakeClient, service: Service
) -> None:
    service.failure = httpx.ReadTimeout("no answer")
    client = make_client(service, credentials=credentials())
    with pytest.raises(ConnectionFailed) as caught:
        await result(client.send.webservice("09121234567", "سلام"))
    error = caught.value
    assert (error.endpoint, error.outcome, error.timed_out) == ("auth.login", Outcome.NOT_SENT, True)
    assert "the login before the call failed: ReadTimeout" in str(error)
    assert len(service.logins) == 1
