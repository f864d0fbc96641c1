"""The rules of the auth section: logins with and without a second step, forgotten passwords, and tokens."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, Final

from ippanel_edge.sandbox.records import Token, TokenKind, User
from ippanel_edge.sandbox.replies import Answer, Refusal, invalid, ok, unauthorized
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.identity import PASSWORD_TEXT, is_password, read_mobile

SESSION_SECONDS: Final = 36_000
LOGIN_STEP_SECONDS: Final = 360
OTP_SECONDS: Final = 120
RESET_SECONDS: Final = 120
_OTP_DIGITS: Final = 6

_WRONG_LOGIN: Final = "نام کاربری یا رمز عبور اشتباه است"
_WRONG_OTP: Final = "کد وارد شده صحیح نمی باشد یا منقضی شده است"
_UNKNOWN_USER: Final = "کاربری با این مشخصات یافت نشد"


@serves("auth.login", "POST", "/api/acl/auth/login", auth="none")
def login(call: Call) -> Answer:
    """Check the password; the token is final for a user without a second step, else one for that step."""
    username, password = call.body.text("username"), call.body.text("password")
    call.check()
    user = call.world.user_named(username)
    if user is None or user.password != password or not _may_log_in(call, user):
        raise _wrong_login()
    if user.two_factor == "login":
        return _begin_session(call, user)
    token = call.world.issue_token(user, TokenKind.LOGIN_STEP, LOGIN_STEP_SECONDS)
    if user.two_factor == "sms":
        _text_otp(call, token)
    return ok({"method": user.two_factor, "token": token.value})


@serves("auth.send_sms_otp", "POST", "/api/acl/auth/send_sms_otp", auth="none")
def send_sms_otp(call: Call) -> Answer:
    """Text a code for a login's second step, whatever it asked for."""
    value = call.body.text("token")
    call.check()
    token = _living(call, value, TokenKind.LOGIN_STEP)
    _text_otp(call, token)
    return ok({"method": "sms", "token": token.value})


@serves("auth.confirm_otp", "POST", "/api/acl/auth/confirm_otp", auth="none")
def confirm_otp(call: Call) -> Answer:
    """Take the code of a login's second step; the token of the step is used up."""
    value, otp = call.body.text("token"), call.body.text("otp")
    call.check()
    token = _living(call, value, TokenKind.LOGIN_STEP)
    user = call.world.users[token.user_id]
    if not _is_otp(call, token, otp) and not (user.two_factor == "ga" and otp == user.ga_code):
        raise invalid({"otp": [_WRONG_OTP]})
    del call.world.tokens[token.value]
    return _begin_session(call, user)


@serves("auth.forgot_password", "POST", "/api/acl/auth/forgot_password", auth="none")
def forgot_password(call: Call) -> Answer:
    """Text a code with which the password can be changed."""
    username = call.body.text("username")
    mobile = read_mobile(call.body, "mobile")
    call.check()
    user = call.world.user_named(username)
    if user is None or user.mobile != mobile:
        raise invalid({"username": [_UNKNOWN_USER]})
    token = call.world.issue_token(user, TokenKind.PASSWORD_RESET, RESET_SECONDS)
    _text_otp(call, token)
    return ok({"token": token.value})


@serves("auth.change_password", "POST", "/api/acl/auth/change_password_by_token", auth="none")
def change_password(call: Call) -> Answer:
    """Take a texted code for a new password."""
    value, otp, password = (call.body.text(name) for name in ("token", "otp", "password"))
    if password and not is_password(password):
        call.body.fail("password", PASSWORD_TEXT)
    call.check()
    token = _living(call, value, TokenKind.PASSWORD_RESET)
    if not _is_otp(call, token, otp):
        raise unauthorized()
    del call.world.tokens[token.value]
    call.world.users[token.user_id].password = password
    return ok()


@serves("auth.logout", "GET", "/api/acl/auth/logout", also=("POST",), auth="token")
def logout(call: Call) -> Answer:
    """Kill the token that the call came with."""
    call.check()
    del call.world.tokens[call.credential]
    return ok()


@serves("auth.check_token", "GET", "/api/acl/auth/check_token", also=("POST",))
def check_token(call: Call) -> Answer:
    """Say whose the token or key is."""
    call.check()
    user = call.user
    return ok(
        {
            "user_name": user.username,
            "user_id": user.user_id,
            "document_block": user.document_block,
            "is_reseller": user.is_reseller,
            "send_block": user.send_block,
            "name": user.name,
        }
    )


def _may_log_in(call: Call, user: User) -> bool:
    return user.status == "active" and (user.expire_at is None or user.expire_at > call.now)


def _wrong_login() -> Refusal:
    """422 as the login alone has it: the field errors beside meta, and no data."""
    body: dict[str, Any] = {
        "errors": {"username": [_WRONG_LOGIN]},
        "meta": {
            "status": False,
            "message": "درخواست معتبر نیست",
            "message_parameters": [],
            "message_code": "422-1",
        },
    }
    return Refusal(Answer(422, body))


def _begin_session(call: Call, user: User) -> Answer:
    user.last_login = call.now
    token = call.world.issue_token(user, TokenKind.SESSION, SESSION_SECONDS)
    return ok({"token": token.value, "method": "login"})


def _living(call: Call, value: str, kind: TokenKind) -> Token:
    """Find a token of a kind that has not died.

    Raises:
        Refusal: 401 where there is none.
    """
    token = call.world.tokens.get(value)
    if token is None or token.kind is not kind or token.expires_at <= call.now:
        raise unauthorized()
    return token


def _text_otp(call: Call, token: Token) -> None:
    """Text a new code to the token's user; the one before is void."""
    number = call.world.next_id("otp")
    digest = int(hashlib.sha256(f"otp-{number}".encode()).hexdigest(), 16)
    token.otp = f"{digest % 10**_OTP_DIGITS:0{_OTP_DIGITS}}"
    token.otp_expires_at = call.now + timedelta(seconds=OTP_SECONDS)
    call.world.notify(call.world.users[token.user_id].mobile, f"کد تایید شما: {token.otp}")


def _is_otp(call: Call, token: Token, otp: str) -> bool:
    return token.otp == otp and token.otp_expires_at is not None and token.otp_expires_at > call.now
