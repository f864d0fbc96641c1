"""The errors of this SDK: one tree, each error saying what became of the request. No I/O and no httpx in here."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Outcome(StrEnum):
    """What became of a request that failed."""

    NOT_SENT = "not_sent"
    """Nothing left this machine: the request was not carried out and may be made again."""
    REJECTED = "rejected"
    """The service answered that it refused: the request was not carried out."""
    UNKNOWN = "unknown"
    """The request may have been carried out. Look it up (reports, list) before making it again."""


_MEANING = {
    Outcome.NOT_SENT: "nothing was sent",
    Outcome.REJECTED: "the service refused it, so it was not carried out",
    Outcome.UNKNOWN: "it may have been carried out: look before you repeat it",
}


class EdgeError(Exception):
    """The root of every error that this SDK raises on purpose.

    Attributes:
        outcome: what became of the request.
        attempts: how many requests were begun for the call, 0 when none was.
        endpoint: the SDK name of the call, such as ``send.webservice``; empty where there is none.
        timed_out: whether a time limit was what ended it.
        reads_only: whether the call changes nothing, so that it may be made again in any case.
    """

    outcome: Outcome = Outcome.UNKNOWN
    timed_out: bool = False
    reads_only: bool = False

    def __init__(
        self, message: str = "", *, outcome: Outcome | None = None, attempts: int = 0, endpoint: str = ""
    ) -> None:
        super().__init__(message)
        if outcome is not None:
            self.outcome = outcome
        self.attempts = attempts
        self.endpoint = endpoint

    def __str__(self) -> str:
        """Say what happened, where, and whether the request may have been carried out."""
        where = f"{self.endpoint}: " if self.endpoint else ""
        meaning = _MEANING[self.outcome]
        if self.reads_only and self.outcome is Outcome.UNKNOWN:
            meaning = "no answer that can be used; it only reads, so it may be asked again"
        return f"{where}{self._what()} ({meaning}{self._tries()})"

    def _what(self) -> str:
        return str(self.args[0]) if self.args else ""

    def _tries(self) -> str:
        return f"; {self.attempts} attempts" if self.attempts > 1 else ""


class ConfigurationError(EdgeError, ValueError):
    """A bad argument or setting, found before anything is sent. The text names it, its place and the remedy.

    Attributes:
        argument: the argument's name and place, such as ``recipients[3]``.
    """

    outcome = Outcome.NOT_SENT

    def __init__(self, message: str = "", *, argument: str = "", endpoint: str = "") -> None:
        super().__init__(message, endpoint=endpoint)
        self.argument = argument

    def __str__(self) -> str:
        """Name the argument and what is wrong with it."""
        where = f"{self.endpoint}: " if self.endpoint else ""
        name = f"{self.argument}: " if self.argument else ""
        return f"{where}{name}{self._what()}"


class ConnectionFailed(EdgeError):
    """No connection, so nothing left this machine: refused, unresolved, untrusted, no room in the pool, out of time.

    Attributes:
        passing: whether another attempt may fare better; not where the certificate is refused, say.
    """

    outcome = Outcome.NOT_SENT
    passing: bool = True


class OutcomeUnknown(EdgeError):
    """The connection broke or timed out after sending began: the service may have carried the request out."""

    outcome = Outcome.UNKNOWN


class ApiError(EdgeError):
    """The service answered with an error.

    Attributes:
        status_code: the HTTP status.
        message: the API's own message, mostly Persian; empty where the answer was not the API's.
        message_code: the API's code, such as ``400-2``.
        errors: the API's field errors: field (such as ``variable.0.name``) to its messages.
        enveloped: whether the answer was in the API's own form (a proxy's error page is not).
        retry_after: seconds after which the service says to come back, None where it says nothing.
        allow: the methods that a 405 says are allowed, in capitals.
        excerpt: the first characters of an answer that is not the API's.
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

    def _what(self) -> str:
        code = f" [{self.message_code}]" if self.message_code else ""
        text = self.message or "no message"
        said = f"HTTP {self.status_code}{code}: {text}"
        fields = "; ".join(f"{field}: {', '.join(texts)}" for field, texts in self.errors.items())
        if fields:
            said += f" — {fields}"
        if self.excerpt:
            said += f" — the answer begins {self.excerpt!r}"
        return said

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the errors as a plain dict: a mapping proxy cannot be pickled."""
        state = {**self.__dict__, "errors": dict(self.errors)}
        return type(self), self.args, state

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        """Restore the read-only view of the field errors."""
        self.__dict__.update(state or {})
        self.errors = MappingProxyType(dict(self.errors))


class AuthenticationError(ApiError):
    """401: the key or token is missing, wrong, or no longer valid.

    Attributes:
        advice: how to go on, where the client knows.
    """

    advice: str = ""

    def _what(self) -> str:
        return f"{super()._what()} — {self.advice}" if self.advice else super()._what()


class PermissionDenied(ApiError):
    """403: the key or token is good, but not for this."""


class NotFound(ApiError):
    """404: no such message, contact or pattern, say."""


class Conflict(ApiError):
    """409: the thing exists already."""


class ValidationFailed(ApiError):
    """400, 422: the service found the arguments wrong; `errors` says which."""


class RateLimited(ApiError):
    """429. On a send it means that the same text went to the same number less than 40 seconds ago.

    Attributes:
        retry_after: seconds to wait, as the service says, or None.
    """


class ServerError(ApiError):
    """5xx: the service, or a proxy before it, failed."""

    outcome = Outcome.UNKNOWN


class DecodeError(EdgeError):
    """The reply is not what the API documents: HTML from a proxy, cut JSON, wrong types.

    Attributes:
        status_code: the HTTP status of the reply.
        where: the row and field, such as ``data[3].cost``, where the reply was JSON.
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

    def _what(self) -> str:
        place = f"{self.where}: " if self.where else ""
        status = f"HTTP {self.status_code}, " if self.status_code else ""
        return f"{status}{place}{self.args[0] if self.args else ''}"
