"""The rules of the auth section: logins with and without a second factor, password resets, and tokens."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any, Final

from ippanel_edge.sandbox.records import Token, TokenKind, User
from ippanel_edge.sandbox.replies import Rejection, Reply, ok, unauthorized
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.identity import PASSWORD_MESSAGE, is_password, read_mobile
from ippanel_edge.sandbox.rules.totp import is_valid_totp

SESSION_SECONDS: Final = 36_000
LOGIN_STEP_SECONDS: Final = 360
OTP_SECONDS: Final = 120
"""Documented for the code of a password reset only; the code of a login has the same lifetime."""
RESET_SECONDS: Final = 120
_OTP_DIGITS: Final = 6

_WRONG_LOGIN: Final = "نام کاربری یا رمز عبور اشتباه است"


@serves("auth.login", "POST", "/api/acl/auth/login", auth="none")
def login(call: Call) -> Reply:
    """Check the password and return a session token, or a login step token for a user with a second factor."""
    username, password = call.body.string("username"), call.body.string("password")
    call.check()
    user = call.state.find_user(username)
    if user is None or user.password != password or not may_log_in(call, user):
        raise _login_rejection()
    if user.two_factor == "login":
        return _start_session(call, user)
    token = call.state.issue_token(user, TokenKind.LOGIN_STEP, LOGIN_STEP_SECONDS)
    if user.two_factor == "sms":
        _send_otp(call, token)
    return ok({"method": user.two_factor, "token": token.value})


@serves("auth.send_sms_otp", "POST", "/api/acl/auth/send_sms_otp", auth="none")
def send_sms_otp(call: Call) -> Reply:
    """Send an SMS code for the second step of a login, whatever the second factor of the user."""
    value = call.body.string("token")
    call.check()
    token = _find_token(call, value, TokenKind.LOGIN_STEP)
    _send_otp(call, token)
    return ok({"method": "sms", "token": token.value})


@serves("auth.confirm_otp", "POST", "/api/acl/auth/confirm_otp", auth="none")
def confirm_otp(call: Call) -> Reply:
    """Check the code of the second step of a login, revoke the step token and return a session token."""
    value, otp = call.body.string("token"), call.body.string("otp")
    call.check()
    token = _find_token(call, value, TokenKind.LOGIN_STEP)
    user = call.state.users[token.user_id]
    by_app = user.two_factor == "ga" and is_valid_totp(user.ga_secret, otp, call.now)
    if not by_app and not _is_valid_otp(call, token, otp):
        raise unauthorized()
    del call.state.tokens[token.value]
    return _start_session(call, user)


@serves("auth.forgot_password", "POST", "/api/acl/auth/forgot_password", auth="none")
def forgot_password(call: Call) -> Reply:
    """Send an SMS code that permits a change of the password; 401 if no user has this name and mobile number."""
    username = call.body.string("username")
    mobile = read_mobile(call.body, "mobile")
    call.check()
    user = call.state.find_user(username)
    if user is None or user.mobile != mobile:
        raise unauthorized()
    token = call.state.issue_token(user, TokenKind.PASSWORD_RESET, RESET_SECONDS)
    _send_otp(call, token)
    return ok({"token": token.value})


@serves("auth.change_password", "POST", "/api/acl/auth/change_password_by_token", auth="none")
def change_password(call: Call) -> Reply:
    """Check an SMS code and set a new password."""
    value, otp, password = (call.body.string(name) for name in ("token", "otp", "password"))
    if password and not is_password(password):
        call.body.add_error("password", PASSWORD_MESSAGE)
    call.check()
    token = _find_token(call, value, TokenKind.PASSWORD_RESET)
    if not _is_valid_otp(call, token, otp):
        raise unauthorized()
    del call.state.tokens[token.value]
    call.state.users[token.user_id].password = password
    return ok()


@serves("auth.logout", "GET", "/api/acl/auth/logout", other_methods=("POST",), auth="token")
def logout(call: Call) -> Reply:
    """Revoke the token of the request."""
    call.check()
    del call.state.tokens[call.credential]
    return ok()


@serves("auth.check_token", "GET", "/api/acl/auth/check_token", other_methods=("POST",))
def check_token(call: Call) -> Reply:
    """Return the owner of the token or API key."""
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


def may_log_in(call: Call, user: User) -> bool:
    """Whether the account of a user is active and has not expired."""
    return user.status == "active" and (user.expire_at is None or user.expire_at > call.now)


def _login_rejection() -> Rejection:
    """Return the 422 of a failed login, which has `errors` beside `meta` and no `data`, unlike all other replies."""
    body: dict[str, Any] = {
        "errors": {"username": [_WRONG_LOGIN]},
        "meta": {
            "status": False,
            "message": "درخواست معتبر نیست",
            "message_parameters": [],
            "message_code": "422-1",
        },
    }
    return Rejection(Reply(422, body))


def _start_session(call: Call, user: User) -> Reply:
    user.last_login = call.now
    token = call.state.issue_token(user, TokenKind.SESSION, SESSION_SECONDS)
    return ok({"token": token.value, "method": "login"})


def _find_token(call: Call, value: str, kind: TokenKind) -> Token:
    """Return the token with this value and kind.

    Raises:
        Rejection: 401 if it does not exist or has expired.
    """
    token = call.state.tokens.get(value)
    if token is None or token.kind is not kind or token.expires_at <= call.now:
        raise unauthorized()
    return token


def _send_otp(call: Call, token: Token) -> None:
    """Send a new SMS code to the user of the token; it replaces the previous code."""
    number = call.state.next_id("otp")
    digest = int(hashlib.sha256(f"otp-{number}".encode()).hexdigest(), 16)
    token.otp = f"{digest % 10**_OTP_DIGITS:0{_OTP_DIGITS}}"
    token.otp_expires_at = call.now + timedelta(seconds=OTP_SECONDS)
    call.state.notify(call.state.users[token.user_id].mobile, f"کد تایید شما: {token.otp}")


def _is_valid_otp(call: Call, token: Token, otp: str) -> bool:
    return token.otp == otp and token.otp_expires_at is not None and token.otp_expires_at > call.now
