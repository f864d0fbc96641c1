"""The client logs in again before its token expires and after a 401, but only if that sends no SMS."""

from __future__ import annotations

import io
import pickle
import time
from datetime import timedelta

import httpx
import pytest
from pyotp.totp import TOTP

from ippanel_edge import (
    AuthenticationError,
    Outcome,
    ServerError,
    StoredToken,
)
from tests.client.conftest import MakeClient
from tests.client.login.service import (
    HOUR,
    REJECTED,
    START,
    TOTP_SECRET,
    FrozenClock,
    Service,
    credentials,
    credit,
    raised_by,
    return_code,
)
from tests.client.sides import result

pytestmark = pytest.mark.anyio


async def test_a_token_is_renewed_ten_minutes_before_it_expires(
    make_client: MakeClient, service: Service, clock: FrozenClock
) -> None:
    client = make_client(service, credentials=credentials())
    await credit(client)
    clock.move_to(START + timedelta(hours=10, minutes=-10, seconds=-1))
    await credit(client)
    assert len(service.logins) == 1
    clock.shift(1)
    await credit(client)
    await credit(client)
    assert service.tokens == ["canary-token-1"] * 2 + ["canary-token-2"] * 2


async def test_a_token_is_used_until_it_expires_if_its_renewal_fails(
    make_client: MakeClient,
    service: Service,
    clock: FrozenClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = make_client(service, credentials=credentials())
    await credit(client)
    service.failure = httpx.Response(500, json=REJECTED)
    clock.move_to(START + timedelta(hours=10, minutes=-10))
    assert [await credit(client) for _ in range(2)] == [7.0, 7.0]
    assert len(service.logins) == 2
    assert "renewing the login token failed (ServerError)" in caplog.text
    clock.move_to(START + timedelta(hours=10))
    await raised_by(client, ServerError)
    service.failure = None
    assert await credit(client) == 7.0
    assert service.tokens[-1] == "canary-token-4"


@pytest.mark.parametrize("method", ["sms", "ga"])
async def test_a_login_with_an_otp_callback_is_not_renewed_and_the_401_names_the_remedy(
    make_client: MakeClient, service: Service, clock: FrozenClock, method: str
) -> None:
    service.method = method
    client = make_client(service, credentials=credentials(otp=return_code))
    await credit(client)
    clock.move_to(START + timedelta(hours=9, minutes=55))
    await credit(client)
    clock.move_to(START + timedelta(hours=11))
    service.valid_tokens.clear()
    for _ in range(2):
        error = await raised_by(client, AuthenticationError)
        assert error.outcome is Outcome.REJECTED
        assert "the login token has expired; logging in again would send an SMS code" in str(error)
        assert "with_options(credentials=…)" in str(error)
        assert pickle.loads(pickle.dumps(error)).advice == error.advice  # noqa: S301 - pickled here
    assert len(service.logins) == 1
    await credit(client.with_options(credentials=credentials(otp=return_code)))
    assert len(service.logins) == 2


@pytest.mark.parametrize("method", ["login", "ga"])
async def test_a_401_causes_one_more_login_if_that_sends_no_sms(
    make_client: MakeClient, service: Service, clock: FrozenClock, method: str
) -> None:
    service.method = method
    service.otp = lambda: TOTP(TOTP_SECRET).now()
    client = make_client(service, credentials=credentials(totp_secret=TOTP_SECRET))
    await credit(client)
    clock.shift(HOUR)
    service.valid_tokens.clear()
    assert await credit(client) == 7.0
    assert service.tokens == ["canary-token-1", "canary-token-1", "canary-token-2"]


async def test_a_401_after_the_new_login_is_raised(make_client: MakeClient, service: Service) -> None:
    client = make_client(service, credentials=credentials())
    service.rejects_all = True
    error = await raised_by(client, AuthenticationError)
    assert (error.status_code, error.outcome) == (401, Outcome.REJECTED)
    assert "the service rejected the token of a new login" in error.advice
    assert len(service.logins) == 2
    assert len(service.tokens) == 2


async def test_a_send_is_retried_after_a_401_because_it_was_rejected(make_client: MakeClient, service: Service) -> None:
    client = make_client(service, credentials=credentials())
    await credit(client)
    service.valid_tokens.clear()
    sent = await result(client.send.webservice("09121234567", "سلام"))
    assert sent.message_outbox_ids == (1,)
    assert service.tokens[-2:] == ["canary-token-1", "canary-token-2"]


class Unseekable(io.BytesIO):
    """A file that does not support seek()."""

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation


async def test_an_unseekable_file_is_not_resent_truncated_after_a_401(
    make_client: MakeClient, service: Service
) -> None:
    saved = StoredToken("revoked-token", created=time.time())
    client = make_client(service, credentials=credentials(load=lambda: saved))
    with pytest.raises(AuthenticationError, match="the file was read when the token was rejected") as caught:
        await result(client.send.file(("numbers.csv", Unseekable(b"phone_number\n09121234567\n")), "سلام"))
    assert caught.value.outcome is Outcome.REJECTED
    assert service.tokens == ["revoked-token"]
    assert await credit(client) == 7.0
