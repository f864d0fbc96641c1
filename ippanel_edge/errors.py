"""The errors of this SDK: one tree; each error states the outcome of its request. No I/O and no httpx."""

from __future__ import annotations

import copy
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Outcome(StrEnum):
    """The outcome of a request that failed."""

    NOT_SENT = "not_sent"
    """Nothing left this machine. The request was not executed, so a retry is safe."""
    REJECTED = "rejected"
    """The service rejected the request, so it was not executed."""
    UNKNOWN = "unknown"
    """The request may have been executed. Check (reports, list) before retrying."""


_MEANING: Final = {
    Outcome.NOT_SENT: "nothing was sent",
    Outcome.REJECTED: "rejected by the service, not executed",
    Outcome.UNKNOWN: "it may have been executed; check before retrying",
}


class EdgeError(Exception):
    """Base class of all errors raised by this SDK.

    Attributes:
        outcome: whether the request was sent, was rejected, or may have been executed.
        attempts: the number of requests started for the call; 0 if none was started.
        endpoint: the name of the call, such as ``send.webservice``; empty if there is none.
        timed_out: whether a timeout or the deadline ended the call.
        reads_only: whether the call only reads, so that a retry is always safe.
    """

    outcome: Outcome = Outcome.UNKNOWN

    def __init__(
        self,
        message: str = "",
        *,
        outcome: Outcome | None = None,
        attempts: int = 0,
        endpoint: str = "",
        timed_out: bool = False,
        reads_only: bool = False,
    ) -> None:
        super().__init__(message)
        if outcome is not None:
            self.outcome = outcome
        self.attempts = attempts
        self.endpoint = endpoint
        self.timed_out = timed_out
        self.reads_only = reads_only

    def __str__(self) -> str:
        """Return the call, the problem and the outcome."""
        where = f"{self.endpoint}: " if self.endpoint else ""
        meaning = _MEANING[self.outcome]
        if self.reads_only and self.outcome is Outcome.UNKNOWN:
            meaning = "no valid response; the call only reads, so a retry is safe"
        return f"{where}{self._problem()} ({meaning}{self._count()})"

    def _problem(self) -> str:
        return str(self.args[0]) if self.args else ""

    def _count(self) -> str:
        return f"; {self.attempts} attempts" if self.attempts > 1 else ""


class ConfigurationError(EdgeError, ValueError):
    """A missing or invalid setting, or an invalid argument (InvalidArgument). Nothing was sent.

    The message names the setting or argument, its place and the remedy.

    Attributes:
        argument: the argument's name and place, such as ``recipients[3]``.
    """

    outcome = Outcome.NOT_SENT

    def __init__(self, message: str = "", *, argument: str = "", endpoint: str = "") -> None:
        super().__init__(message, endpoint=endpoint)
        self.argument = argument

    def __str__(self) -> str:
        """Return the argument's name and the problem."""
        where = f"{self.endpoint}: " if self.endpoint else ""
        name = f"{self.argument}: " if self.argument else ""
        return f"{where}{name}{self._problem()}"


class InvalidArgument(ConfigurationError):
    """An invalid argument of a call, such as a phone number, a text, a time or a file. Nothing was sent."""


class ConnectionFailed(EdgeError):
    """No connection, so nothing was sent: refused, unresolved, untrusted, pool exhausted, or out of time.

    Attributes:
        retryable: whether a retry may succeed. False, for example, if the certificate is not trusted.
    """

    outcome = Outcome.NOT_SENT

    def __init__(
        self,
        message: str = "",
        *,
        retryable: bool = True,
        attempts: int = 0,
        endpoint: str = "",
        timed_out: bool = False,
    ) -> None:
        super().__init__(message, attempts=attempts, endpoint=endpoint, timed_out=timed_out)
        self.retryable = retryable


class OutcomeUnknown(EdgeError):
    """The connection broke or timed out after sending began, so the service may have executed the request.

    Attributes:
        message_outbox_ids: the ids of a message that the service accepted, if its response arrived although the call
            failed, for example at its deadline; usually empty.
    """

    outcome = Outcome.UNKNOWN
    message_outbox_ids: tuple[int, ...] = ()


class ApiError(EdgeError):
    """The service answered with an error.

    Attributes:
        status_code: the HTTP status.
        message: the API's own message, usually in Persian; empty if the response was not the API's.
        message_code: the API's code, such as ``400-2``.
        errors: the API's field errors: field (such as ``variable.0.name``) to its messages.
        enveloped: whether the response had the API's envelope (a proxy's error page has not).
        retry_after: seconds to wait according to the Retry-After header, or None.
        allow: the allowed methods that a 405 lists, in upper case.
        excerpt: the first characters of a response that is not the API's.
    """

    outcome = Outcome.REJECTED

    def __init__(
        self,
        message: str = "",
        *,
        status_code: int = 0,
        message_code: str = "",
        errors: Mapping[str, Sequence[str]] | None = None,
        enveloped: bool = True,
        retry_after: float | None = None,
        allow: Sequence[str] = (),
        excerpt: str = "",
        outcome: Outcome | None = None,
        attempts: int = 0,
        endpoint: str = "",
    ) -> None:
        super().__init__(message, outcome=outcome, attempts=attempts, endpoint=endpoint)
        self.status_code = status_code
        self.message = message
        self.message_code = message_code
        self.errors: Mapping[str, Sequence[str]] = MappingProxyType(
            {field: tuple(texts) for field, texts in (errors or {}).items()}
        )
        self.enveloped = enveloped
        self.retry_after = retry_after
        self.allow: tuple[str, ...] = tuple(allow)
        self.excerpt = excerpt

    def _problem(self) -> str:
        code = f" [{self.message_code}]" if self.message_code else ""
        text = f"HTTP {self.status_code}{code}: {self.message or 'no message'}"
        fields = "; ".join(f"{field}: {', '.join(texts)}" for field, texts in self.errors.items())
        if fields:
            text += f" — {fields}"
        if self.excerpt:
            text += f" — the response begins {self.excerpt!r}"
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the errors as a dict: a mapping proxy cannot be pickled."""
        state = {**self.__dict__, "errors": dict(self.errors)}
        return type(self), self.args, state

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        """Restore the read-only view of the field errors."""
        self.__dict__.update(state or {})
        self.errors = MappingProxyType(dict(self.errors))


class AuthenticationError(ApiError):
    """401: the key or token is missing, wrong or expired.

    Attributes:
        advice: how to continue, if the client knows.
    """

    advice: str = ""

    def _problem(self) -> str:
        return f"{super()._problem()} — {self.advice}" if self.advice else super()._problem()


class PermissionDenied(ApiError):
    """403: the key or token is valid, but it does not allow this call."""


class NotFound(ApiError):
    """404: the message, contact, pattern or other object does not exist."""


class Conflict(ApiError):
    """409: the object exists already."""


class ValidationFailed(ApiError):
    """400, 422: the service rejected the arguments; `errors` names the fields."""


class RateLimited(ApiError):
    """429: too many requests. For a send, see DuplicateMessage.

    Attributes:
        retry_after: seconds to wait according to the service, or None.
    """


class DuplicateMessage(RateLimited):
    """429 for a send: the same text was sent to the same number from the same line less than 40 seconds ago.

    It is never retried automatically: a retry after 40 seconds would send the message twice.
    """


class ServerError(ApiError):
    """5xx: the service, or a proxy in front of it, failed."""

    outcome = Outcome.UNKNOWN


class DecodeError(EdgeError):
    """The response is not what the API documents: HTML from a proxy, truncated JSON, wrong types.

    Attributes:
        status_code: the HTTP status of the response.
        where: the row and field, such as ``data[3].cost``, if the response was JSON.
    """

    outcome = Outcome.UNKNOWN

    def __init__(
        self,
        message: str = "",
        *,
        status_code: int = 0,
        where: str = "",
        outcome: Outcome | None = None,
        attempts: int = 0,
        endpoint: str = "",
    ) -> None:
        super().__init__(message, outcome=outcome, attempts=attempts, endpoint=endpoint)
        self.status_code = status_code
        self.where = where

    def _problem(self) -> str:
        place = f"{self.where}: " if self.where else ""
        status = f"HTTP {self.status_code}, " if self.status_code else ""
        return f"{status}{place}{super()._problem()}"


E = TypeVar("E", bound=EdgeError)


def evolve(error: E, **changes: object) -> E:
    """Return a copy of an error with other attributes: an error is never changed after it was built.

    Args:
        error: the error. Its cause is kept; its traceback and context are not, as their frames may hold secrets.
        changes: attributes of its class by name, or ``args``.

    Raises:
        TypeError: the error has no such attribute.
    """
    unknown = [name for name in changes if not hasattr(error, name)]
    if unknown:
        raise TypeError(f"{type(error).__name__} has no attribute {unknown[0]!r}")
    changed = copy.copy(error)
    for name, value in changes.items():
        setattr(changed, name, value)
    changed.__cause__ = error.__cause__
    return changed
