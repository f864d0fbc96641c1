"""The secrets of a login do not appear in errors, logs, reprs or pickles."""

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
    REJECTED,
    SECRETS,
    TOTP_SECRET,
    WRONG_PASSWORD,
    Service,
    credentials,
    describe,
    raised_by,
    return_code,
    return_wrong_code,
)
from tests.contract.sample import ok

pytestmark = pytest.mark.anyio


async def test_errors_and_logs_of_a_login_do_not_show_its_secrets(
    make_client: MakeClient, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    failures: list[tuple[str, httpx.Response | Exception | None, OtpCallback]] = [
        ("login", httpx.Response(422, json=WRONG_PASSWORD), return_code),
        ("login", httpx.Response(500, json=REJECTED), return_code),
        ("login", httpx.ReadError("broken"), return_code),
        (
            "login",
            httpx.Response(200, content=b'{"data": {"method": "login", "token": "canary-token-truncated'),
            return_code,
        ),
        ("login", httpx.Response(200, json={"data": {"method": "login", "token": "canary-token-bare"}}), return_code),
        ("login", httpx.Response(200, json=ok({"method": "login", "token": ["canary-token-in-list"]})), return_code),
        ("sms", None, return_wrong_code),
        ("login", None, return_code),
    ]
    shown = ""
    for method, failure, otp in failures:
        service.method, service.failure, service.rejects_all = method, failure, True
        client = make_client(service, credentials=credentials(otp=otp))
        shown += describe(await raised_by(client)) + repr(client) + repr(client.__dict__) + repr(client._login.__dict__)
    assert len(service.logins) == len(failures) + 1
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
def test_an_object_with_a_secret_does_not_show_it(holder: Credentials | StoredToken | LoginStep) -> None:
    shown = f"{holder!r} {holder} {attrs.asdict(holder)!r}"
    for secret in SECRETS:
        assert secret not in shown
    with pytest.raises(TypeError, match="a Secret cannot be pickled"):
        pickle.dumps(holder)
