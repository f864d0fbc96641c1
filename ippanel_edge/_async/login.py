"""Logging in by itself: one token for any number of concurrent calls, renewed before it dies and after a 401."""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Final, TypeVar

import attrs

from ippanel_edge._async import _io
from ippanel_edge.config import Credentials, StoredToken
from ippanel_edge.errors import ConfigurationError, ConnectionFailed, EdgeError, Outcome, OutcomeUnknown
from ippanel_edge.models.auth import LoginStep
from ippanel_edge.values.secrets import Secret

T = TypeVar("T")

TOKEN_LIFE: Final = 10 * 3600.0
"""Seconds that a token lives. Source: auth/login.md."""
RENEW_BEFORE: Final = 600.0
"""Seconds before a token's end from which it is renewed."""

_LOG = logging.getLogger("ippanel_edge")


@attrs.frozen
class Token:
    """A login token.

    Attributes:
        secret: the token itself.
        created: Unix seconds of its login.
        method: how the login went.
        renew_from: Unix seconds from which another is to take its place.
        generation: the how-manieth of this client it is.
    """

    secret: Secret
    created: float
    method: str
    renew_from: float
    generation: int

    @property
    def is_due(self) -> bool:
        """Whether another is to take its place."""
        return time.time() >= self.renew_from

    @property
    def ends(self) -> float:
        """Unix seconds at which it dies."""
        return self.created + TOKEN_LIFE


class AsyncLogin:
    """The token of one set of credentials, shared by a client and its copies."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        login: Callable[[str, str], Awaitable[LoginStep]],
        confirm: Callable[[str, str], Awaitable[LoginStep]],
    ) -> None:
        self._credentials = credentials
        self._login = login
        self._confirm = confirm
        self._lock = _io.Lock()
        self._token: Token | None = None
        self._failures = 0
        self._failure: Exception = ConfigurationError()

    async def token(self) -> Token:
        """Give a token that lives, logging in where there is none.

        Raises:
            ConfigurationError: the login asks for a code and there is no way to give one.
            EdgeError: the login failed; the call that wanted the token was not made.
        """
        token = self._token
        if token is not None and not token.is_due:
            return token
        seen = self._failures
        return await self._alone(lambda: self._living(seen))

    async def renew(self, refused: Token) -> Token | None:
        """Give another token after a 401, or None where that would text a code by itself.

        Args:
            refused: the token that the service refused; where another call has renewed it since, that one is given.

        Raises:
            EdgeError: the login failed.
        """
        seen = self._failures
        return await self._alone(lambda: self._another(refused, seen))

    async def _alone(self, step: Callable[[], Awaitable[T]]) -> T:
        """Run a step while no other runs."""
        if _inside.get() is self:
            raise ConfigurationError(
                "calls back for a token while it is logging in: use another client there", argument="credentials"
            )
        async with self._lock:
            mark = _inside.set(self)
            try:
                return await step()
            finally:
                _inside.reset(mark)

    async def _living(self, seen: int) -> Token:
        token = self._token
        if token is not None and not token.is_due:
            return token
        self._fail_alike(seen)
        stored = await self._stored()
        if stored is not None and (token is None or stored.created > token.created):
            self._token = token = stored
        if token is None:
            return await self._log_in()
        return await self._renewed(token) if token.is_due else token

    async def _another(self, refused: Token, seen: int) -> Token | None:
        token = self._token
        if token is not None and token.generation != refused.generation:
            return token
        self._fail_alike(seen)
        stored = await self._stored()
        if stored is not None and stored.secret != refused.secret and stored.created >= refused.created:
            self._token = stored
            return stored
        return await self._log_in() if self._may_log_in_again(refused.method) else None

    def _fail_alike(self, seen: int) -> None:
        """Fail as the login did that failed while this call waited its turn: a hundred calls make one login, not more.

        Args:
            seen: how many logins had failed when it began to wait.
        """
        if self._failures != seen:
            raise copy.copy(self._failure) if isinstance(self._failure, EdgeError) else self._failure

    async def _renewed(self, token: Token) -> Token:
        """Log in before the token dies; where that fails, it is used to its end."""
        try:
            return await self._log_in()
        except EdgeError as error:
            if time.time() >= token.ends:
                raise
            _LOG.warning("a login before the token's end failed (%s): it is used to its end", type(error).__name__)
        self._token = kept = attrs.evolve(token, renew_from=token.ends)
        return kept

    def _may_log_in_again(self, method: str) -> bool:
        """Whether a further login texts nobody: the first needed no code, or codes are made here."""
        return method == "login" or (method == "ga" and self._credentials.totp_secret is not None)

    def _made(self, secret: str, created: float, method: str) -> Token:
        renews = self._may_log_in_again(method)
        return Token(
            secret=Secret(secret),
            created=created,
            method=method,
            renew_from=created + TOKEN_LIFE - RENEW_BEFORE if renews else float("inf"),
            generation=1 if self._token is None else self._token.generation + 1,
        )

    async def _stored(self) -> Token | None:
        """Ask for the token that another worker saved, and take it where it lives."""
        if self._credentials.load is None:
            return None
        stored = await _io.outcome(self._credentials.load())
        if stored is None or time.time() >= stored.created + TOKEN_LIFE:
            return None
        return self._made(stored.token, stored.created, stored.method)

    async def _log_in(self) -> Token:
        began = time.time()
        try:
            method, secret = await self._steps()
        except _io.DeadlinePassed:
            raise
        except Exception as error:
            self._failure = _spared(error)
            self._failures += 1
            if self._failure is error:
                raise
        else:
            self._token = token = self._made(secret, began, method)
            if self._credentials.save is not None:
                # Kept before it is saved: where saving fails, the login is not lost with it.
                await _io.outcome(self._credentials.save(StoredToken(secret, created=began, method=method)))
            return token
        raise self._failure

    async def _steps(self) -> tuple[str, Secret]:
        """Log in, with a code where one is wanted. Returns how it went, and the final token."""
        first = await self._login(self._credentials.username, self._credentials.password)
        if first.is_complete:
            return first.method, Secret(first.token)
        step = await self._confirm(first.token, Secret(await self._code(first)))
        if not step.is_complete:
            raise ConfigurationError(
                f"the service asks for another step ({step.method}) after the code", argument="credentials"
            )
        return first.method, Secret(step.token)

    async def _code(self, step: LoginStep) -> str:
        if step.method == "ga" and self._credentials.totp_secret is not None:
            return _totp(self._credentials.totp_secret)
        if self._credentials.otp is None:
            raise ConfigurationError(
                f"the login asks for a code (method {step.method}): give otp=, a function that returns it",
                argument="credentials",
            )
        return await _io.outcome(self._credentials.otp(step))


_inside: ContextVar[AsyncLogin | None] = ContextVar("ippanel_edge_login", default=None)
"""The login that is going on around the code that runs: one of your callbacks, say."""


def _spared(error: Exception) -> Exception:
    """Say of a failed login what became of the call that waited for it: whatever the login came to, it was not made."""
    if isinstance(error, OutcomeUnknown):
        failed = ConnectionFailed(f"the login before the call failed: {error.args[0]}", endpoint=error.endpoint)
        failed.passing = False
        failed.timed_out = error.timed_out
        return failed
    if isinstance(error, EdgeError) and error.outcome is Outcome.UNKNOWN:
        error.outcome = Outcome.NOT_SENT
    return error


def _totp(secret: str) -> str:
    try:
        from pyotp.totp import TOTP  # noqa: PLC0415 - an extra, loaded on first use
    except ImportError:
        raise ConfigurationError("needs pyotp: pip install 'ippanel-edge[totp]'", argument="totp_secret") from None
    try:
        return TOTP(secret.replace(" ", "")).now()
    except ValueError:
        pass
    # Raised outside of the except block: pyotp's exception holds frames whose locals show the secret.
    raise ConfigurationError("is not base32, as Google Authenticator has it", argument="totp_secret")
