"""The errors of this SDK: one tree; each error states the outcome of its request. No I/O and no httpx."""

from __future__ import annotations

import copy
import re
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


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


_SECRET_HEADER: Final = re.compile(r"(?i)cookie|auth|token|secret|session|password|api-?key")
_REQUEST_ID_HEADERS: Final = ("x-request-id", "request-id", "x-correlation-id", "ar-request-id", "x-sid", "cf-ray")
"""In order of preference: the service's own, then those of the CDNs ArvanCloud and Cloudflare."""
_REQUEST_ID: Final = re.compile(r"[\x21-\x7e]{1,100}")


def request_id_of(headers: Mapping[str, str]) -> str | None:
    """Return the id of a request from the headers (with lower-case names) of its response, or None."""
    found = (headers.get(name, "").strip() for name in _REQUEST_ID_HEADERS)
    return next((value for value in found if _REQUEST_ID.fullmatch(value)), None)


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
        notes = [_MEANING[self.outcome]]
        if self.reads_only and self.outcome is Outcome.UNKNOWN:
            notes = ["no valid response; the call only reads, so a retry is safe"]
        if self.attempts > 1:
            notes.append(f"{self.attempts} attempts")
        return f"{where}{self._problem()} ({'; '.join([*notes, *self._notes()])})"

    def _problem(self) -> str:
        return str(self.args[0]) if self.args else ""

    def _notes(self) -> Sequence[str]:
        """Return what else belongs into the parentheses."""
        return ()


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
        advice: how to continue, if the client knows.
        headers: the headers of the response, with lower-case names, without cookies and credentials.
        request_id: the id by which the service or its CDN can find the request, or None.
    """

    outcome = Outcome.REJECTED
    advice: str = ""

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
        headers: Mapping[str, str] | None = None,
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
        self.headers: Mapping[str, str] = MappingProxyType(
            {name.lower(): value for name, value in (headers or {}).items() if not _SECRET_HEADER.search(name)}
        )

    @property
    def request_id(self) -> str | None:
        """The id by which the service or its CDN can find the request, or None."""
        return request_id_of(self.headers)

    def __str__(self) -> str:
        """Return the call, the status and the outcome; then the API's own words, each on its own line.

        They are usually Persian, and a terminal reorders a line that mixes the directions.
        """
        return "\n".join([super().__str__(), *self._quotes()])

    def _problem(self) -> str:
        code = f" [{self.message_code}]" if self.message_code else ""
        return f"HTTP {self.status_code}{code}"

    def _notes(self) -> Sequence[str]:
        request = () if self.request_id is None else (f"request id {self.request_id}",)
        return (*request, self.advice) if self.advice else request

    def _quotes(self) -> Iterator[str]:
        """Yield the message, the field errors and the excerpt, one line each. No text is repeated."""
        fields: dict[str, list[str]] = {}
        for field, texts in self.errors.items():
            for text in texts:
                fields.setdefault(_one_line(text), []).append(_one_line(field))
        message = _one_line(self.message)
        if message and message not in fields:
            yield message
        for text, names in fields.items():
            yield f"{', '.join(names)}: {text}"
        if self.excerpt:
            yield f"the response begins {self.excerpt!r}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the mappings as dicts: a mapping proxy cannot be pickled."""
        state = {**self.__dict__, "errors": dict(self.errors), "headers": dict(self.headers)}
        return type(self), self.args, state

    def __setstate__(self, state: dict[str, Any] | None) -> None:
        """Restore the read-only views of the field errors and the headers."""
        self.__dict__.update(state or {})
        self.errors = MappingProxyType(dict(self.errors))
        self.headers = MappingProxyType(dict(self.headers))


def _one_line(text: str) -> str:
    return " ".join(text.split())


class AuthenticationError(ApiError):
    """401: the key or token is missing, wrong or expired; `advice` states what to do."""


class PermissionDenied(ApiError):
    """403: the key or token is valid, but it does not allow this call."""


class NotFound(ApiError):
    """404: the message, contact, pattern or other object does not exist."""


class Conflict(ApiError):
    """409: the object exists already."""


class ValidationFailed(ApiError):
    """400, 422: the service rejected the arguments; `errors` names the fields."""


class InsufficientCredit(ApiError):
    """The account has not enough credit for the call.

    No document describes how the service says so. The class stands for HTTP 402, and for a rejection (`status: false`
    with a 2xx, or a 400 or 422) whose message speaks of missing credit. It is not a ValidationFailed, whatever the
    status: the arguments are valid, and the same call succeeds after the account is charged.
    """


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
