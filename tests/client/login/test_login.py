"""Automatic logins with the asyncio, trio and sync clients: their requests, one-time passwords and errors."""

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
    describe,
    raised_by,
    return_code,
    return_wrong_code,
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
async def test_a_google_authenticator_code_is_generated_from_the_secret(
    make_client: MakeClient, service: Service
) -> None:
    service.method = "ga"
    service.otp = lambda: TOTP(TOTP_SECRET).at(START)
    spaced = f"{TOTP_SECRET[:4]} {TOTP_SECRET[4:]}"
    assert await credit(make_client(service, credentials=credentials(totp_secret=spaced))) == 7.0
    assert len(service.confirmations) == 1
    assert service.tokens == ["canary-token-1"]


@pytest.mark.parametrize("method", ["sms", "ga"])
async def test_a_code_is_requested_from_the_otp_callback(
    make_client: MakeClient, service: Service, method: str
) -> None:
    service.method = method
    steps: list[LoginStep] = []

    def otp(step: LoginStep) -> str:
        steps.append(step)
        return OTP

    assert await credit(make_client(service, credentials=credentials(otp=otp))) == 7.0
    assert steps == [LoginStep(method=method, token="step-1")]
    assert service.confirmations == [{"token": "step-1", "otp": OTP}]
    assert service.tokens == ["canary-token-1"]


async def test_the_otp_callback_may_be_async_if_the_client_is(
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
    error = await raised_by(client, TypeError)
    assert "await" in str(error)
    assert service.confirmations == []


@pytest.mark.parametrize("method", ["sms", "ga"])
async def test_an_error_without_an_otp_callback_names_the_remedy(
    make_client: MakeClient, service: Service, method: str
) -> None:
    service.method = method
    error = await raised_by(make_client(service, credentials=credentials()), ConfigurationError)
    problem = f"the login requires a code (method {method}); pass otp=, a function that returns it"
    assert str(error) == f"payment.credit: credentials: {problem}"
    assert service.tokens == []


async def test_another_login_step_after_a_code_is_an_error(make_client: MakeClient, service: Service) -> None:
    service.method, service.final_method = "sms", "ga"
    error = await raised_by(make_client(service, credentials=credentials(otp=return_code)), ConfigurationError)
    assert "another step (ga)" in str(error)


async def test_an_invalid_totp_secret_is_rejected_and_not_shown(make_client: MakeClient, service: Service) -> None:
    service.method = "ga"
    client = make_client(service, credentials=credentials(totp_secret="canary-1-8-9!"))
    error = await raised_by(client, ConfigurationError)
    assert str(error) == "payment.credit: totp_secret: expected base32, as shown by Google Authenticator"
    assert error.__context__ is None
    assert "canary-1-8-9" not in describe(error)


async def test_a_rejected_login_raises_the_error_of_the_login(make_client: MakeClient, service: Service) -> None:
    service.failure = httpx.Response(422, json=WRONG_PASSWORD)
    error = await raised_by(make_client(service, credentials=credentials()), ValidationFailed)
    assert (error.endpoint, error.status_code, error.message_code) == ("auth.login", 422, "422-1")
    assert dict(error.errors) == {"username": ("نام کاربری یا رمز نادرست است",)}
    assert error.outcome is Outcome.REJECTED
    assert service.tokens == []


async def test_a_rejected_code_raises_the_error_of_its_confirmation(make_client: MakeClient, service: Service) -> None:
    service.method = "sms"
    error = await raised_by(make_client(service, credentials=credentials(otp=return_wrong_code)), ValidationFailed)
    assert (error.endpoint, dict(error.errors)) == ("auth.confirm_otp", {"otp": ("نادرست",)})


async def test_a_failed_login_means_that_the_call_was_not_sent(make_client: MakeClient, service: Service) -> None:
    service.failure = httpx.Response(502, text="<html>Bad Gateway</html>")
    client = make_client(service, credentials=credentials())
    with pytest.raises(ServerError) as caught:
        await result(client.send.webservice("09121234567", "سلام"))
    assert (caught.value.endpoint, caught.value.outcome) == ("auth.login", Outcome.NOT_SENT)
    assert len(service.logins) == 1


async def test_a_login_without_a_response_means_that_the_call_was_not_sent(
    make_client: MakeClient, service: Service
) -> None:
    service.failure = httpx.ReadTimeout("no response")
    client = make_client(service, credentials=credentials())
    with pytest.raises(ConnectionFailed) as caught:
        await result(client.send.webservice("09121234567", "سلام"))
    error = caught.value
    assert (error.endpoint, error.outcome, error.timed_out) == ("auth.login", Outcome.NOT_SENT, True)
    assert "the login before the call failed: ReadTimeout" in str(error)
    assert len(service.logins) == 1
