"""Faults on demand: answers that a rule would not give, and numbers that always fail in a chosen way.

Broken connections are not in here: they need a socket, not an app.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import attrs

from ippanel_edge.sandbox.records import Fate
from ippanel_edge.sandbox.replies import Refusal, failure, invalid, no_credit, not_valid_text, repeated


class Trouble(StrEnum):
    """What a send to a reserved number answers."""

    INVALID = "invalid"
    """422, nothing accepted."""
    FAILURE = "failure"
    """500, nothing accepted."""
    REPEATED = "repeated"
    """429, nothing accepted."""
    ACCEPTED_FAILURE = "accepted_failure"
    """500, and yet the send was accepted."""
    NO_CREDIT = "no_credit"
    """200 with status false, nothing accepted."""


LATE_NUMBER: Final = "+989990000001"
FAILED_NUMBER: Final = "+989990000002"
BLACKLISTED_NUMBER: Final = "+989990000003"
INVALID_NUMBER: Final = "+989990000004"
FAILURE_NUMBER: Final = "+989990000005"
REPEATED_NUMBER: Final = "+989990000006"
ACCEPTED_FAILURE_NUMBER: Final = "+989990000007"
NO_CREDIT_NUMBER: Final = "+989990000008"

RESERVED_FATES: Final[Mapping[str, Fate]] = MappingProxyType(
    {LATE_NUMBER: Fate.LATE, FAILED_NUMBER: Fate.FAILED, BLACKLISTED_NUMBER: Fate.BLACKLISTED}
)
"""Reserved numbers whose texts are accepted, and what becomes of them."""

RESERVED_TROUBLES: Final[Mapping[str, Trouble]] = MappingProxyType(
    {
        INVALID_NUMBER: Trouble.INVALID,
        FAILURE_NUMBER: Trouble.FAILURE,
        REPEATED_NUMBER: Trouble.REPEATED,
        ACCEPTED_FAILURE_NUMBER: Trouble.ACCEPTED_FAILURE,
        NO_CREDIT_NUMBER: Trouble.NO_CREDIT,
    }
)
"""Reserved numbers that make a send fail whatever else is in it."""


def trouble_among(numbers: Iterable[str]) -> Trouble | None:
    """Return the trouble of the first number that is reserved for one."""
    return next((RESERVED_TROUBLES[number] for number in numbers if number in RESERVED_TROUBLES), None)


def answer_to(trouble: Trouble) -> Refusal:
    """Build what a send in this trouble answers."""
    match trouble:
        case Trouble.INVALID:
            return invalid({"recipients": [not_valid_text("گیرندگان")]})
        case Trouble.REPEATED:
            return repeated()
        case Trouble.NO_CREDIT:
            return no_credit()
        case Trouble.FAILURE | Trouble.ACCEPTED_FAILURE:
            return failure()


@attrs.define
class Fault:
    """What happens to the next requests that match.

    Attributes:
        times: to how many of them.
        path: only to this path, without /v1, such as "/api/send"; None: to any.
        sending_type: only to sends of this type.
        status: the status to answer; None keeps the true answer, so that only `delay` and `cut` show.
        body: what to answer: an object (becomes JSON), text or bytes (sent as they are, as HTML).
        headers: more headers.
        delay: seconds before the answer, of real time.
        carried_out: the rule runs, and only its answer is lost.
        cut: send only so many bytes of the body.
    """

    times: int = 1
    path: str | None = None
    sending_type: str | None = None
    status: int | None = 500
    body: object = None
    headers: Mapping[str, str] = attrs.field(factory=dict[str, str])
    delay: float = 0.0
    carried_out: bool = False
    cut: int | None = None

    def matches(self, path: str, sending_type: str | None) -> bool:
        """Whether the fault is meant for such a request."""
        return (
            self.times > 0
            and (self.path is None or self.path == path)
            and (self.sending_type is None or self.sending_type == sending_type)
        )


class Faults:
    """The faults that are still to come, the oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

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
        carried_out: bool = False,
        cut: int | None = None,
    ) -> Fault:
        """Plan a fault; its arguments are `Fault`'s. Without a body the answer is the API's envelope."""
        fault = Fault(times, path, sending_type, status, body, headers or {}, delay, carried_out, cut)
        self._waiting.append(fault)
        return fault

    def take(self, path: str, sending_type: str | None) -> Fault | None:
        """Use up one of the oldest fault that matches."""
        for fault in self._waiting:
            if fault.matches(path, sending_type):
                fault.times -= 1
                if not fault.times:
                    self._waiting.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        """Forget all that are still to come."""
        self._waiting.clear()
