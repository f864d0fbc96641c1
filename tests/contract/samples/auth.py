"""Samples of the auth endpoints."""

from __future__ import annotations

from ippanel_edge import endpoints
from ippanel_edge.models.auth import LoginStep, ResetToken, TokenOwner
from tests.contract.sample import Sample, ok

STEP = "b0c7d4e1a2f34b5c8d9e0f1a2b3c4d5e"
FINAL = "f5e4d3c2b1a098877665544332211000"

SAMPLES = [
    *(
        Sample(
            name=method,
            endpoint=endpoints.AUTH_LOGIN,
            call=lambda client: client.auth.login("zahra", "Sib-o-Anar-7"),
            json={"username": "zahra", "password": "Sib-o-Anar-7"},
            answer=ok({"method": method, "token": STEP}),
            returns=LoginStep(method=method, token=STEP),
        )
        for method in ("login", "sms", "ga")
    ),
    Sample(
        endpoint=endpoints.AUTH_SEND_SMS_OTP,
        call=lambda client: client.auth.send_sms_otp(STEP),
        json={"token": STEP},
        answer=ok({"method": "sms", "token": STEP}),
        returns=LoginStep(method="sms", token=STEP),
    ),
    Sample(
        endpoint=endpoints.AUTH_CONFIRM_OTP,
        call=lambda client: client.auth.confirm_otp(STEP, "048213"),
        json={"token": STEP, "otp": "048213"},
        answer=ok({"token": FINAL, "method": "login"}),
        returns=LoginStep(method="login", token=FINAL),
    ),
    Sample(
        endpoint=endpoints.AUTH_FORGOT_PASSWORD,
        call=lambda client: client.auth.forgot_password("zahra", "۰۹۱۲ ۳۳۳ ۴۴ ۲۲"),
        json={"username": "zahra", "mobile": "+989123334422"},
        answer=ok({"token": STEP}),
        returns=ResetToken(token=STEP),
    ),
    *(
        Sample(
            name=name,
            endpoint=endpoints.AUTH_CHANGE_PASSWORD,
            call=lambda client: client.auth.change_password(STEP, "90021", "Golab-4-shab"),
            json={"token": STEP, "otp": "90021", "password": "Golab-4-shab"},
            answer=ok(data),
            returns=None,
        )
        for name, data in (("null", None), ("token", {"token": STEP}))
    ),
    Sample(
        endpoint=endpoints.AUTH_LOGOUT,
        call=lambda client: client.auth.logout(),
        answer=ok(None),
        returns=None,
    ),
    Sample(
        endpoint=endpoints.AUTH_CHECK_TOKEN,
        call=lambda client: client.auth.check_token(),
        answer=ok(
            {
                "user_name": "zahra",
                "user_id": "7301",
                "document_block": False,
                "is_reseller": "yes",
                "send_block": 0,
                "name": "زهرا",
            }
        ),
        returns=TokenOwner(
            user_name="zahra", user_id=7301, document_block=False, is_reseller=True, send_block=False, name="زهرا"
        ),
    ),
    Sample(
        name="with missing fields",
        endpoint=endpoints.AUTH_CHECK_TOKEN,
        call=lambda client: client.auth.check_token(),
        answer=ok({"user_name": "omid", "name": None}),
        returns=TokenOwner(user_name="omid"),
    ),
]
