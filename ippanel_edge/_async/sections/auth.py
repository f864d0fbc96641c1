"""The section `auth`: manual logins. With `Credentials`, the client logs in automatically."""

from __future__ import annotations

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.runner import AsyncRun, hide_arguments
from ippanel_edge.config import Defaults
from ippanel_edge.models.auth import LoginStep, ResetToken, TokenOwner
from ippanel_edge.values import phones
from ippanel_edge.values.checks import secrets, texts
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Auth:
    """Logins, login codes, passwords and tokens. Pass a final token to the client as ``token=``."""

    _run: AsyncRun
    _defaults: Defaults

    @hide_arguments
    async def login(self, username: str, password: str) -> LoginStep:
        """Start a login.

        Args:
            username: the user name of the panel.
            password: the password.

        Returns:
            The step: complete, or waiting for a one-time password (`confirm_otp`).

        Raises:
            ValidationFailed: the user name or the password is wrong.

        Source: auth/login.md.
        """
        return await self._run(
            call(
                endpoints.AUTH_LOGIN,
                json={
                    **texts(username=username),
                    **secrets(password=password),
                },
            )
        )

    @hide_arguments
    async def send_sms_otp(self, token: str) -> LoginStep:
        """Request an SMS code for a login, also if the login asked for Google Authenticator.

        Args:
            token: the token of the login step.

        Source: auth/sms-otp.md.
        """
        return await self._run(call(endpoints.AUTH_SEND_SMS_OTP, json=secrets(token=token)))

    @hide_arguments
    async def confirm_otp(self, token: str, otp: str) -> LoginStep:
        """Complete a login with its one-time password.

        Args:
            token: the token of the login step; it expires after 6 minutes.
            otp: the code, from an SMS or from Google Authenticator.

        Raises:
            AuthenticationError: the token or the code is wrong or has expired.

        Source: auth/confirm-otp.md.
        """
        return await self._run(
            call(
                endpoints.AUTH_CONFIRM_OTP,
                json=secrets(token=token, otp=otp),
            )
        )

    async def forgot_password(self, username: str, mobile: str) -> ResetToken:
        """Request an SMS code for changing a forgotten password.

        Args:
            username: the user name of the panel.
            mobile: the user's mobile number, in any format.

        Returns:
            The token that belongs to the code; it expires after 2 minutes.

        Raises:
            AuthenticationError: no user has this name and mobile number.

        Source: auth/forgot-password.md.
        """
        return await self._run(
            call(
                endpoints.AUTH_FORGOT_PASSWORD,
                json={
                    **texts(username=username),
                    "mobile": phones.recipient(mobile, argument="mobile"),
                },
            )
        )

    @hide_arguments
    async def change_password(self, token: str, otp: str, password: str) -> None:
        """Change a forgotten password.

        Args:
            token: from `forgot_password`; it expires after 2 minutes.
            otp: the code from the SMS; it expires after 2 minutes.
            password: the new password.

        Raises:
            AuthenticationError: the token or the code is wrong or has expired.
            ValidationFailed: the password is not strong enough.

        Source: auth/forgot-password.md; seed: Authentication / Forgot Password.
        """
        return await self._run(
            call(
                endpoints.AUTH_CHANGE_PASSWORD,
                json=secrets(token=token, otp=otp, password=password),
            )
        )

    async def logout(self) -> None:
        """Revoke the token that this client uses. An API key cannot be revoked in this way.

        Raises:
            AuthenticationError: the token is unknown or has expired.

        Source: auth/logout.md.
        """
        return await self._run(call(endpoints.AUTH_LOGOUT))

    async def check_token(self) -> TokenOwner:
        """Return the owner of the token or API key that this client uses.

        Raises:
            AuthenticationError: the token or key is unknown or has expired.

        Source: auth/check-token.md.
        """
        return await self._run(call(endpoints.AUTH_CHECK_TOKEN))
