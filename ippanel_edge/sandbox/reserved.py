"""Reserved numbers and texts: a send to one of the numbers, or with one of the texts, always has the same result.

`RESERVED` is the table of them all; docs/en/sandbox.md shows it, and a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import attrs

from ippanel_edge.sandbox.records import DeliveryOutcome
from ippanel_edge.sandbox.replies import (
    Rejection,
    Reply,
    duplicate_message,
    insufficient_credit,
    invalid,
    invalid_message,
    server_error,
)


class SendFailure(StrEnum):
    """What happens to a whole send that contains a reserved number or text."""

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
    HTML = "html"
    """502 with HTML instead of JSON, as a CDN in front of the service sends it; nothing accepted."""
    REVIEW_REFUSED = "review_refused"
    """Accepted, then rejected by the review."""


@attrs.frozen
class Reserved:
    """A reserved number with the text that does the same, and the result of a send to it."""

    number: str
    result: DeliveryOutcome | SendFailure
    description: str

    @property
    def text(self) -> str:
        """The word that has the same effect wherever it stands in the text of a message."""
        return f"sandbox:{self.result.value.replace('_', '-')}"


DELIVERED_NUMBER: Final = "+989990000000"
LATE_NUMBER: Final = "+989990000001"
FAILED_NUMBER: Final = "+989990000002"
BLACKLISTED_NUMBER: Final = "+989990000003"
INVALID_NUMBER: Final = "+989990000004"
FAILURE_NUMBER: Final = "+989990000005"
DUPLICATE_NUMBER: Final = "+989990000006"
ACCEPTED_FAILURE_NUMBER: Final = "+989990000007"
NO_CREDIT_NUMBER: Final = "+989990000008"
NEVER_FINAL_NUMBER: Final = "+989990000009"
SLOW_OPERATOR_NUMBER: Final = "+989990000010"
HTML_NUMBER: Final = "+989990000011"
REVIEW_REFUSED_NUMBER: Final = "+989990000012"

RESERVED: Final = (
    Reserved(DELIVERED_NUMBER, DeliveryOutcome.DELIVERED, "delivered after two steps"),
    Reserved(LATE_NUMBER, DeliveryOutcome.LATE, "delivered late, after ten steps"),
    Reserved(FAILED_NUMBER, DeliveryOutcome.NOT_DELIVERED, "not delivered: status 3"),
    Reserved(BLACKLISTED_NUMBER, DeliveryOutcome.BLACKLISTED, "blacklisted: status 4, on every line"),
    Reserved(NEVER_FINAL_NUMBER, DeliveryOutcome.NEVER_FINAL, "never final: status 1 for ever"),
    Reserved(
        SLOW_OPERATOR_NUMBER,
        DeliveryOutcome.SLOW_OPERATOR,
        "the operator is slow: status 0 for ten steps, then 1, and delivered one step later",
    ),
    Reserved(INVALID_NUMBER, SendFailure.INVALID, "the send returns 422; nothing is accepted"),
    Reserved(
        NO_CREDIT_NUMBER,
        SendFailure.NO_CREDIT,
        "the send returns 200 with `status: false` (no credit); nothing is accepted",
    ),
    Reserved(DUPLICATE_NUMBER, SendFailure.DUPLICATE, "the send returns 429; nothing is accepted"),
    Reserved(FAILURE_NUMBER, SendFailure.FAILURE, "the send returns 500; nothing is accepted"),
    Reserved(ACCEPTED_FAILURE_NUMBER, SendFailure.ACCEPTED_FAILURE, "the send returns 500, although it was accepted"),
    Reserved(HTML_NUMBER, SendFailure.HTML, "the send returns 502 with HTML, as a CDN does; nothing is accepted"),
    Reserved(
        REVIEW_REFUSED_NUMBER,
        SendFailure.REVIEW_REFUSED,
        "accepted, then rejected by the review: state 3, and the cost is refunded; `pattern` sends are not reviewed",
    ),
)

_BY_NUMBER: Final[Mapping[str, Reserved]] = MappingProxyType({each.number: each for each in RESERVED})
_BY_TEXT: Final[Mapping[str, Reserved]] = MappingProxyType({each.text: each for each in RESERVED})
_WORD: Final = re.compile(r"sandbox:[a-z-]+")
_HTML: Final = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


def _reserved_by(number: str, text: str) -> Reserved | None:
    """Return what a number or, if it is none of the reserved ones, a text is reserved for."""
    reserved = _BY_NUMBER.get(number)
    if reserved is None and "sandbox:" in text:
        return next((_BY_TEXT[word] for word in _WORD.findall(text) if word in _BY_TEXT), None)
    return reserved


def find_send_failure(recipients: Iterable[tuple[str, str]]) -> SendFailure | None:
    """Return the failure of the first (number, text) pair that is reserved for one; None if there is none."""
    for number, text in recipients:
        reserved = _reserved_by(number, text)
        if reserved is not None and isinstance(reserved.result, SendFailure):
            return reserved.result
    return None


def find_outcome(number: str, text: str) -> DeliveryOutcome | None:
    """Return the delivery outcome that a number or text is reserved for; None if there is none."""
    reserved = _reserved_by(number, text)
    return reserved.result if reserved is not None and isinstance(reserved.result, DeliveryOutcome) else None


def failure_rejection(send_failure: SendFailure) -> Rejection | None:
    """Return the rejection that reports a failure; None for a send that is answered like any other."""
    match send_failure:
        case SendFailure.INVALID:
            return invalid({"recipients": [invalid_message("گیرندگان")]})
        case SendFailure.DUPLICATE:
            return duplicate_message()
        case SendFailure.NO_CREDIT:
            return insufficient_credit()
        case SendFailure.FAILURE | SendFailure.ACCEPTED_FAILURE:
            return server_error()
        case SendFailure.HTML:
            return Rejection(Reply(502, _HTML))
        case SendFailure.REVIEW_REFUSED:
            return None
