# Generated from ippanel_edge/_async/login.py by tests/tools/generate_sync.py: edit that, not this.
"""Logging in by itself: one token for any number of concurrent calls, renewed before it dies and after a 401."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import attrs

from ippanel_edge._sync import _io
from ippanel_edge.config import Credentials, Secret, StoredToken
from ippanel_edge.errors import ConfigurationError
from ippanel_edge.models.auth import LoginStep

TOKEN_LIFE: Final = 10 * 3600.0
"""Seconds that a token lives. Source: auth/login.md."""
RENEW_BEFORE: Final = 600.0
"""Seconds before a token's end from which it is renewed."""


@attrs.frozen
class Token:
    """A login token, and which of this client's logins it is."""

    secret: Secret
    created: float
    method: str
    generation: int


class Login:
    """The token of one set of credentials, shared by a client and its copies."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        login: Callable[[str, str], LoginStep],
        confirm: Callable[[str, str], LoginStep],
    ) -> None:
        self._credentials = credentials
        self._login = login
        self._confirm = confirm
        self._lock = _io.Lock()
        self._token: Token | None = None
        self._asked_store = False

    def token(self) -> Token:
        """Give a token that lives, logging in where there is none.

        Raises:
            ConfigurationError: the login asks for a code and there is no way to give one.
            ApiError: the service refused the login.
        """
        token = self._token
        if token is not None and not self._is_due(token):
            return token
        with self._lock:
            token = self._token
            if token is None and not self._asked_store:
                token = self._stored()
                self._asked_store = True
            if token is None or (self._is_due(token) and self._may_login_again(token)):
                token = self._log_in()
            self._token = token
            return token

    def renew(self, refused: Token) -> Token | None:
        """Give another token after a 401, or None where that would text a code by itself.

        Args:
            refused: the token that the service refused; where another call has renewed it since, that one is given.
        """
        with self._lock:
            token = self._token
            if token is not None and token.generation != refused.generation:
                return token
            stored = self._stored()
            if stored is not None and stored.secret != refused.secret:
                self._token = stored
                return stored
            if not self._may_login_again(refused):
                return None
            self._token = self._log_in()
            return self._token

    def _is_due(self, token: Token) -> bool:
        return time.time() >= token.created + TOKEN_LIFE - RENEW_BEFORE

    def _may_login_again(self, token: Token) -> bool:
        """Whether a further login texts nobody: the first needed no code, or codes are made here."""
        return token.method == "login" or (token.method == "ga" and self._credentials.totp_secret is not None)

    def _next_generation(self) -> int:
        return 1 if self._token is None else self._token.generation + 1

    def _stored(self) -> Token | None:
        if self._credentials.load is None:
            return None
        stored = _io.outcome(self._credentials.load())
        if stored is None or time.time() >= stored.created + TOKEN_LIFE:
            return None
        return Token(Secret(stored.token), stored.created, stored.method, self._next_generation())

    def _log_in(self) -> Token:
        began = time.time()
        first = self._login(self._credentials.username, self._credentials.password)
        step = first
        if not first.is_complete:
            step = self._confirm(first.token, self._code(first))
        if not step.is_complete:
            raise ConfigurationError(
                f"the service asks for another step ({step.method}) after the code", argument="credentials"
            )
        token = Token(Secret(step.token), began, first.method, self._next_generation())
        if self._credentials.save is not None:
            _io.outcome(self._credentials.save(StoredToken(token.secret, created=token.created, method=token.method)))
        return token

    def _code(self, step: LoginStep) -> str:
        if step.method == "ga" and self._credentials.totp_secret is not None:
            return _totp(self._credentials.totp_secret)
        if self._credentials.otp is None:
            raise ConfigurationError(
                f"the login asks for a code (method {step.method}): give otp=, a function that returns it",
                argument="credentials",
            )
        return _io.outcome(self._credentials.otp(step))


def _totp(secret: str) -> str:
    try:
        from pyotp.totp import TOTP  # noqa: PLC0415 - an extra, loaded on first use
    except ImportError:
        raise ConfigurationError("needs pyotp: pip install 'ippanel-edge[totp]'", argument="totp_secret") from None
    return TOTP(secret).now()
