# Generated from ippanel_edge/_async/sections/auth.py by tests/codegen/generate_sync.py: edit that, not this.
"""Auth: logging in by hand. With `Credentials` the client does it by itself."""

from __future__ import annotations

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.runner import Caller, sparing
from ippanel_edge.config import Defaults
from ippanel_edge.models.auth import LoginStep, ResetToken, TokenOwner
from ippanel_edge.values import phones
from ippanel_edge.values.checks import text
from ippanel_edge.values.secrets import Secret


@attrs.frozen(repr=False, eq=False)
class Auth:
    """Logins, their codes, passwords and tokens. A token goes to the client as ``token=``."""

    _call: Caller
    _defaults: Defaults

    @sparing
    def login(self, username: str, password: str) -> LoginStep:
        """Begin to log in.

        Args:
            username: the panel's user name.
            password: its password.

        Returns:
            The step: complete, or waiting for a code (`confirm_otp`).

        Raises:
            ValidationFailed: the user name or the password is wrong.

        Source: auth/login.md.
        """
        return self._call(
            endpoints.AUTH_LOGIN,
            json={
                "username": text(username, argument="username"),
                "password": Secret(text(password, argument="password")),
            },
        )

    @sparing
    def send_sms_otp(self, token: str) -> LoginStep:
        """Have a code texted for a login, also where it asked for Google Authenticator.

        Args:
            token: of the login's step.

        Source: auth/sms-otp.md.
        """
        return self._call(endpoints.AUTH_SEND_SMS_OTP, json={"token": Secret(text(token, argument="token"))})

    @sparing
    def confirm_otp(self, token: str, otp: str) -> LoginStep:
        """Give a login its code.

        Args:
            token: of the login's step; it lives 6 minutes.
            otp: the code; a texted one lives 2 minutes.

        Raises:
            ValidationFailed: the code is wrong or too old.

        Source: auth/confirm-otp.md.
        """
        return self._call(
            endpoints.AUTH_CONFIRM_OTP,
            json={"token": Secret(text(token, argument="token")), "otp": Secret(text(otp, argument="otp"))},
        )

    def forgot_password(self, username: str, mobile: str) -> ResetToken:
        """Have a code texted that lets a forgotten password be changed.

        Args:
            username: the panel's user name.
            mobile: the user's mobile number, in any spelling.

        Returns:
            The token that belongs to the code; it lives 2 minutes.

        Raises:
            ValidationFailed: there is no such user.

        Source: auth/forgot-password.md.
        """
        return self._call(
            endpoints.AUTH_FORGOT_PASSWORD,
            json={
                "username": text(username, argument="username"),
                "mobile": phones.recipient(mobile, argument="mobile"),
            },
        )

    @sparing
    def change_password(self, token: str, otp: str, password: str) -> None:
        """Change a forgotten password.

        Args:
            token: from `forgot_password`; it lives 2 minutes.
            otp: the texted code; it lives 2 minutes too.
            password: the new password.

        Raises:
            AuthenticationError: the token or the code is wrong or too old.
            ValidationFailed: the password is not good enough.

        Source: auth/forgot-password.md; seed: Authentication / Forgot Password.
        """
        return self._call(
            endpoints.AUTH_CHANGE_PASSWORD,
            json={
                "token": Secret(text(token, argument="token")),
                "otp": Secret(text(otp, argument="otp")),
                "password": Secret(text(password, argument="password")),
            },
        )

    def logout(self) -> None:
        """End the token that this client calls with.

        Raises:
            AuthenticationError: the client calls with an API key, or the token is dead already.

        Source: auth/logout.md.
        """
        return self._call(endpoints.AUTH_LOGOUT)

    def check_token(self) -> TokenOwner:
        """Say whose the token or API key is that this client calls with.

        Raises:
            AuthenticationError: it is nobody's, or dead.

        Source: auth/check-token.md.
        """
        return self._call(endpoints.AUTH_CHECK_TOKEN)
