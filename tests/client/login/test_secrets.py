"""What a login knows is in no error, no log, no repr and no pickle."""

from __future__ import annotations

import logging
import pickle

import attrs
import httpx
import pytest

from ippanel_edge import (
    Credentials,
    StoredToken,
)
from ippanel_edge.config import OtpCallback
from ippanel_edge.models.auth import LoginStep
from tests.client.conftest import MakeClient
from tests.client.login.service import (
    PASSWORD,
    REFUSED,
    SECRETS,
    TOTP_SECRET,
    WRONG_PASSWORD,
    Service,
    credentials,
    failure_of,
    give_code,
    give_wrong_code,
    told,
)
from tests.contract.sample import ok

pytestmark = pytest.mark.anyio


async def test_no_error_and_no_log_of_a_login_shows_a_secret(
    make_client: MakeClient, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong: list[tuple[str, httpx.Response | Exception | None, OtpCallback]] = [
        ("login", httpx.Response(422, json=WRONG_PASSWORD), give_code),
        ("login", httpx.Response(500, json=REFUSED), give_code),
        ("login", httpx.ReadError("broken"), give_code),
        ("login", httpx.Response(200, content=b'{"data": {"method": "login", "token": "canary-token-cut'), give_code),
        ("login", httpx.Response(200, json={"data": {"method": "login", "token": "canary-token-bare"}}), give_code),
        ("login", httpx.Response(200, json=ok({"method": "login", "token": ["canary-token-listed"]})), give_code),
        ("sms", None, give_wrong_code),
        ("login", None, give_code),
    ]
    shown = ""
    for method, failure, otp in wrong:
        service.method, service.failure, service.deaf = method, failure, True
        client = make_client(service, credentials=credentials(otp=otp))
        shown += told(await failure_of(client)) + repr(client) + repr(client.__dict__) + repr(client._login.__dict__)
    assert len(service.logins) == len(wrong) + 1
    assert "auth.login" in shown
    for secret in SECRETS:
        assert secret not in shown, secret
        assert secret not in caplog.text, secret


@pytest.mark.parametrize(
    "holder",
    [
        Credentials("zahra", PASSWORD, totp_secret=TOTP_SECRET),
        StoredToken("canary-token-9", created=0.0),
        LoginStep(method="sms", token="step-1"),
    ],
    ids=lambda holder: type(holder).__name__,
)
def test_what_holds_a_secret_does_not_show_it(holder: Credentials | StoredToken | LoginStep) -> None:
    shown = f"{holder!r} {holder} {attrs.asdict(holder)!r}"
    for secret in SECRETS:
        assert secret not in shown
    with pytest.raises(TypeError, match="a Secret cannot be pickled"):
        pickle.dumps(holder)
