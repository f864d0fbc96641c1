# Generated from ippanel_edge/_async/login.py by tests/codegen/generate_sync.py: edit that, not this.
"""Automatic login: one token for any number of concurrent calls, renewed before it expires and after a 401."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final, TypeVar

import attrs

from ippanel_edge import models
from ippanel_edge._sync import _io
from ippanel_edge.config import Credentials, StoredToken
from ippanel_edge.errors import ConfigurationError, ConnectionFailed, EdgeError, Outcome, OutcomeUnknown, evolve
from ippanel_edge.values.secrets import Secret

T = TypeVar("T")

TOKEN_LIFETIME: Final = 10 * 3600.0
"""Seconds until a token expires. Source: auth/login.md."""
RENEW_BEFORE: Final = 600.0
"""Seconds before expiry from which a token is renewed."""

_LOG = logging.getLogger("ippanel_edge")


@attrs.frozen
class Token:
    """A login token.

    Attributes:
        secret: the token itself.
        created: Unix seconds of its login.
        method: the login method.
        renew_from: Unix seconds from which it is renewed.
        generation: a counter, incremented at each login.
    """

    secret: Secret
    created: float
    method: str
    renew_from: float
    generation: int

    @property
    def is_due(self) -> bool:
        """Whether it is time to renew the token."""
        return time.time() >= self.renew_from

    @property
    def expires(self) -> float:
        """Unix seconds at which the token expires."""
        return self.created + TOKEN_LIFETIME


class Login:
    """The token of one set of credentials, shared by a client and its copies."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        login: Callable[[str, str], models.LoginStep],
        confirm: Callable[[str, str], models.LoginStep],
    ) -> None:
        self._credentials = credentials
        self._login = login
        self._confirm = confirm
        self._lock = _io.Lock()
        self._token: Token | None = None
        self._failures = 0
        self._failure: Exception = ConfigurationError()

    @property
    def is_ready(self) -> bool:
        """Whether `token` returns without a login and without waiting for one."""
        return self._token is not None and not self._token.is_due

    def token(self) -> Token:
        """Return a valid token; log in if there is none.

        Raises:
            ConfigurationError: the login requires a code and no source of codes is configured.
            EdgeError: the login failed; the call that needed the token was not sent.
        """
        token = self._token
        if token is not None and not token.is_due:
            return token
        seen = self._failures
        return self._exclusively(lambda: self._valid(seen))

    def renew(self, rejected: Token) -> Token | None:
        """Return a new token after a 401, or None if logging in would send an SMS.

        Args:
            rejected: the token that the service rejected. If another call has renewed it since, that token is
                returned.

        Raises:
            EdgeError: the login failed.
        """
        seen = self._failures
        return self._exclusively(lambda: self._another(rejected, seen))

    def _exclusively(self, step: Callable[[], T]) -> T:
        """Run a step exclusively."""
        if _inside.get() is self:
            raise ConfigurationError(
                "a callback used the client during its own login; use another client in callbacks",
                argument="credentials",
            )
        with self._lock:
            mark = _inside.set(self)
            try:
                return step()
            finally:
                _inside.reset(mark)

    def _valid(self, seen: int) -> Token:
        token = self._token
        if token is not None and not token.is_due:
            return token
        self._raise_failure_since(seen)
        stored = self._stored()
        if stored is not None and (token is None or stored.created > token.created):
            self._token = token = stored
        if token is None:
            return self._log_in()
        return self._renewed(token) if token.is_due else token

    def _another(self, rejected: Token, seen: int) -> Token | None:
        token = self._token
        if token is not None and token.generation != rejected.generation:
            return token
        self._raise_failure_since(seen)
        stored = self._stored()
        if stored is not None and stored.secret != rejected.secret and stored.created >= rejected.created:
            self._token = stored
            return stored
        return self._log_in() if self._may_log_in_again(rejected.method) else None

    def _raise_failure_since(self, seen: int) -> None:
        """Raise the error of a login that failed while this call waited, so that a hundred calls make one login.

        Args:
            seen: the number of failed logins when the call began to wait.
        """
        if self._failures != seen:
            raise copy.copy(self._failure) if isinstance(self._failure, EdgeError) else self._failure

    def _renewed(self, token: Token) -> Token:
        """Log in before the token expires. If that fails, keep using the token until then."""
        try:
            return self._log_in()
        except EdgeError as error:
            if time.time() >= token.expires:
                raise
            _LOG.warning("renewing the login token failed (%s); it is used until it expires", type(error).__name__)
        self._token = kept = attrs.evolve(token, renew_from=token.expires)
        return kept

    def _may_log_in_again(self, method: str) -> bool:
        """Whether logging in again sends no SMS: no code was required, or codes are generated here."""
        return method == "login" or (method == "ga" and self._credentials.totp_secret is not None)

    def _new_token(self, secret: str, created: float, method: str) -> Token:
        renews = self._may_log_in_again(method)
        return Token(
            secret=Secret(secret),
            created=created,
            method=method,
            renew_from=created + TOKEN_LIFETIME - RENEW_BEFORE if renews else float("inf"),
            generation=1 if self._token is None else self._token.generation + 1,
        )

    def _stored(self) -> Token | None:
        """Load the token that another worker saved. Return None if it has expired."""
        if self._credentials.load is None:
            return None
        stored = _io.outcome(self._credentials.load())
        if stored is None or time.time() >= stored.created + TOKEN_LIFETIME:
            return None
        return self._new_token(stored.token, stored.created, stored.method)

    def _log_in(self) -> Token:
        began = time.time()
        try:
            method, secret = self._steps()
        except _io.DeadlinePassed:
            raise
        except Exception as error:
            self._failure = _as_unsent(error)
            self._failures += 1
            if self._failure is error:
                raise
        else:
            self._token = token = self._new_token(secret, began, method)
            if self._credentials.save is not None:
                # Set before it is saved, so that the login is kept if saving fails.
                _io.outcome(self._credentials.save(StoredToken(secret, created=began, method=method)))
            return token
        raise self._failure

    def _steps(self) -> tuple[str, Secret]:
        """Log in, with a code if one is required. Return the method and the final token."""
        first = self._login(self._credentials.username, self._credentials.password)
        if first.is_complete:
            return first.method, Secret(first.token)
        step = self._confirm(first.token, Secret(self._code(first)))
        if not step.is_complete:
            raise ConfigurationError(
                f"the service requires another step ({step.method}) after the code; this is not supported",
                argument="credentials",
            )
        return first.method, Secret(step.token)

    def _code(self, step: models.LoginStep) -> str:
        if step.method == "ga" and self._credentials.totp_secret is not None:
            return _totp(self._credentials.totp_secret)
        if self._credentials.otp is None:
            raise ConfigurationError(
                f"the login requires a code (method {step.method}); pass otp=, a function that returns it",
                argument="credentials",
            )
        return _io.outcome(self._credentials.otp(step))


_inside: ContextVar[Login | None] = ContextVar("ippanel_edge_login", default=None)
"""The login in progress in this context, for example around a callback."""


def _as_unsent(error: Exception) -> Exception:
    """Return a failed login's error for the call that waited for it: whatever the outcome, the call was not sent."""
    if isinstance(error, OutcomeUnknown):
        return ConnectionFailed(
            f"the login before the call failed: {error.args[0]}",
            retryable=False,
            attempts=error.attempts,
            endpoint=error.endpoint,
            timed_out=error.timed_out,
        )
    if isinstance(error, EdgeError) and error.outcome is Outcome.UNKNOWN:
        return evolve(error, outcome=Outcome.NOT_SENT)
    return error


def _totp(secret: str) -> str:
    try:
        from pyotp.totp import TOTP  # noqa: PLC0415 - an extra, loaded on first use
    except ImportError:
        raise ConfigurationError(
            "requires pyotp; run pip install 'ippanel-edge[totp]'", argument="totp_secret"
        ) from None
    try:
        return TOTP(secret.replace(" ", "")).now()
    except ValueError:
        pass
    # Raised outside of the except block: the frames of pyotp's exception hold the secret.
    raise ConfigurationError("expected base32, as shown by Google Authenticator", argument="totp_secret")
