# Generated from ippanel_edge/_async/auth.py by tests/tools/generate_sync.py: edit that, not this.
"""Auth: logging in by hand. With `Credentials` the client does it by itself."""

from __future__ import annotations

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.caller import Caller
from ippanel_edge.config import Defaults, Secret
from ippanel_edge.models.auth import LoginStep
from ippanel_edge.wire.limits import text


@attrs.frozen(repr=False, eq=False)
class Auth:
    """Logins, their codes, passwords and tokens. A token goes to the client as ``token=``."""

    _call: Caller
    _defaults: Defaults

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

    def send_sms_otp(self, token: str) -> LoginStep:
        """Have a code texted for a login, also where it asked for Google Authenticator.

        Args:
            token: of the login's step.

        Source: auth/sms-otp.md.
        """
        return self._call(endpoints.AUTH_SEND_SMS_OTP, json={"token": Secret(text(token, argument="token"))})

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
