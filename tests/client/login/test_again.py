"""Logging in again, on all three sides: before a token's end and after a 401, where that texts nobody."""

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
    REFUSED,
    START,
    TOTP_SECRET,
    Hands,
    Service,
    credentials,
    credit,
    failure_of,
    give_code,
)
from tests.client.sides import result

pytestmark = pytest.mark.anyio


async def test_a_token_is_renewed_ten_minutes_before_its_ten_hours_are_over(
    make_client: MakeClient, service: Service, clock: Hands
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


async def test_where_the_early_login_fails_the_token_is_used_to_its_end(
    make_client: MakeClient,
    service: Service,
    clock: Hands,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client = make_client(service, credentials=credentials())
    await credit(client)
    service.failure = httpx.Response(500, json=REFUSED)
    clock.move_to(START + timedelta(hours=10, minutes=-10))
    assert [await credit(client) for _ in range(2)] == [7.0, 7.0]
    assert len(service.logins) == 2
    assert "renewing the login token failed (ServerError)" in caplog.text
    clock.move_to(START + timedelta(hours=10))
    await failure_of(client, ServerError)
    service.failure = None
    assert await credit(client) == 7.0
    assert service.tokens[-1] == "canary-token-4"


@pytest.mark.parametrize("method", ["sms", "ga"])
async def test_nobody_is_texted_again_by_itself_and_the_401_says_how_to_go_on(
    make_client: MakeClient, service: Service, clock: Hands, method: str
) -> None:
    service.method = method
    client = make_client(service, credentials=credentials(otp=give_code))
    await credit(client)
    clock.move_to(START + timedelta(hours=9, minutes=55))
    await credit(client)
    clock.move_to(START + timedelta(hours=11))
    service.living.clear()
    for _ in range(2):
        error = await failure_of(client, AuthenticationError)
        assert error.outcome is Outcome.REJECTED
        assert "the login token has expired; logging in again would send an SMS code" in str(error)
        assert "with_options(credentials=…)" in str(error)
        assert pickle.loads(pickle.dumps(error)).advice == error.advice  # noqa: S301 - our own
    assert len(service.logins) == 1
    await credit(client.with_options(credentials=credentials(otp=give_code)))
    assert len(service.logins) == 2


@pytest.mark.parametrize("method", ["login", "ga"])
async def test_a_401_makes_one_more_login_where_that_texts_nobody(
    make_client: MakeClient, service: Service, clock: Hands, method: str
) -> None:
    service.method = method
    service.otp = lambda: TOTP(TOTP_SECRET).now()
    client = make_client(service, credentials=credentials(totp_secret=TOTP_SECRET))
    await credit(client)
    clock.shift(HOUR)
    service.living.clear()
    assert await credit(client) == 7.0
    assert service.tokens == ["canary-token-1", "canary-token-1", "canary-token-2"]


async def test_a_401_after_the_new_login_is_the_answer(make_client: MakeClient, service: Service) -> None:
    client = make_client(service, credentials=credentials())
    service.deaf = True
    error = await failure_of(client, AuthenticationError)
    assert (error.status_code, error.outcome, error.advice) == (401, Outcome.REJECTED, "")
    assert len(service.logins) == 2
    assert len(service.tokens) == 2


async def test_a_send_is_made_again_after_a_401_because_it_was_refused(
    make_client: MakeClient, service: Service
) -> None:
    client = make_client(service, credentials=credentials())
    await credit(client)
    service.living.clear()
    sent = await result(client.send.webservice("09121234567", "سلام"))
    assert sent.message_outbox_ids == (1,)
    assert service.tokens[-2:] == ["canary-token-1", "canary-token-2"]


class Stream(io.BytesIO):
    """A file that cannot go back."""

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation


async def test_a_file_that_cannot_go_back_is_not_sent_cut_after_a_401(
    make_client: MakeClient, service: Service
) -> None:
    saved = StoredToken("dead-token", created=time.time())
    client = make_client(service, credentials=credentials(load=lambda: saved))
    with pytest.raises(AuthenticationError, match="the file was read when the token was rejected") as caught:
        await result(client.send.file(("numbers.csv", Stream(b"phone_number\n09121234567\n")), "سلام"))
    assert caught.value.outcome is Outcome.REJECTED
    assert service.tokens == ["dead-token"]
    assert await credit(client) == 7.0
