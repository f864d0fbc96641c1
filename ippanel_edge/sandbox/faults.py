"""Fault injection: planned error responses, and reserved numbers that always fail in a defined way.

Broken connections are out of scope, because an ASGI app cannot produce them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import attrs

from ippanel_edge.sandbox.records import DeliveryOutcome
from ippanel_edge.sandbox.replies import (
    Rejection,
    duplicate_message,
    insufficient_credit,
    invalid,
    invalid_message,
    server_error,
)


class SendFailure(StrEnum):
    """The response to a send that contains a reserved number."""

    INVALID = "invalid"
    """422, nothing accepted."""
    FAILURE = "failure"
    """500, nothing accepted."""
    DUPLICATE = "duplicate"
    """429, nothing accepted."""
    ACCEPTED_FAILURE = "accepted_failure"
    """500, although the send was accepted."""
    NO_CREDIT = "no_credit"
    """200 with status false, nothing accepted."""


LATE_NUMBER: Final = "+989990000001"
FAILED_NUMBER: Final = "+989990000002"
BLACKLISTED_NUMBER: Final = "+989990000003"
INVALID_NUMBER: Final = "+989990000004"
FAILURE_NUMBER: Final = "+989990000005"
DUPLICATE_NUMBER: Final = "+989990000006"
ACCEPTED_FAILURE_NUMBER: Final = "+989990000007"
NO_CREDIT_NUMBER: Final = "+989990000008"

RESERVED_OUTCOMES: Final[Mapping[str, DeliveryOutcome]] = MappingProxyType(
    {
        LATE_NUMBER: DeliveryOutcome.LATE,
        FAILED_NUMBER: DeliveryOutcome.NOT_DELIVERED,
        BLACKLISTED_NUMBER: DeliveryOutcome.BLACKLISTED,
    }
)
"""Reserved numbers to which sends are accepted, with their delivery outcomes."""

RESERVED_FAILURES: Final[Mapping[str, SendFailure]] = MappingProxyType(
    {
        INVALID_NUMBER: SendFailure.INVALID,
        FAILURE_NUMBER: SendFailure.FAILURE,
        DUPLICATE_NUMBER: SendFailure.DUPLICATE,
        ACCEPTED_FAILURE_NUMBER: SendFailure.ACCEPTED_FAILURE,
        NO_CREDIT_NUMBER: SendFailure.NO_CREDIT,
    }
)
"""Reserved numbers that make the whole send fail."""


def find_send_failure(numbers: Iterable[str]) -> SendFailure | None:
    """Return the failure of the first number that is reserved for one; None if there is none."""
    return next((RESERVED_FAILURES[number] for number in numbers if number in RESERVED_FAILURES), None)


def failure_rejection(send_failure: SendFailure) -> Rejection:
    """Return the rejection that reports a failure."""
    match send_failure:
        case SendFailure.INVALID:
            return invalid({"recipients": [invalid_message("گیرندگان")]})
        case SendFailure.DUPLICATE:
            return duplicate_message()
        case SendFailure.NO_CREDIT:
            return insufficient_credit()
        case SendFailure.FAILURE | SendFailure.ACCEPTED_FAILURE:
            return server_error()


@attrs.define
class Fault:
    """An error to inject into the next matching requests.

    Attributes:
        times: the number of requests to affect.
        path: affect only this path, without /v1, such as "/api/send"; None: any path.
        sending_type: affect only sends of this type; None: any request.
        status: the HTTP status to return; None keeps the original response and applies only `headers`, `delay` and
            `cut`.
        body: the body to return: an object (serialised as JSON), or str or bytes (sent unchanged as HTML); None:
            the envelope of the API.
        headers: additional response headers.
        delay: real seconds to wait before the response.
        executed: execute the request and discard only its response.
        cut: truncate the body to this many bytes.
    """

    times: int = 1
    path: str | None = None
    sending_type: str | None = None
    status: int | None = 500
    body: object = None
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    delay: float = 0.0
    executed: bool = False
    cut: int | None = None

    def matches(self, path: str, sending_type: str | None) -> bool:
        """Whether the fault applies to a request."""
        return (
            self.times > 0
            and (self.path is None or self.path == path)
            and (self.sending_type is None or self.sending_type == sending_type)
        )


class Faults:
    """The pending faults, oldest first.

    Args:
        paths: the paths of the endpoints; a fault for another path is an error. None accepts any path.
    """

    def __init__(self, paths: Collection[str] | None = None) -> None:
        self._paths = paths
        self._pending: list[Fault] = []

    def add(
        self,
        status: int | None = 500,
        *,
        times: int = 1,
        path: str | None = None,
        sending_type: str | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        delay: float = 0.0,
        executed: bool = False,
        cut: int | None = None,
    ) -> Fault:
        """Add a fault for the next matching requests; the arguments are the attributes of `Fault`.

        Raises:
            ValueError: no endpoint has the path.
        """
        if path is not None and self._paths is not None and path not in self._paths:
            raise ValueError(f"no endpoint has the path {path!r}; expected one such as '/api/send'")
        fault = Fault(times, path, sending_type, status, body, headers or {}, delay, executed, cut)
        self._pending.append(fault)
        return fault

    def take(self, path: str, sending_type: str | None) -> Fault | None:
        """Return the oldest matching fault and decrement its `times`; None if no fault matches."""
        for fault in self._pending:
            if fault.matches(path, sending_type):
                fault.times -= 1
                if not fault.times:
                    self._pending.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Remove all pending faults."""
        self._pending.clear()
