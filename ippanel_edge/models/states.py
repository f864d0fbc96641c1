"""Enums of the states that the service returns as numbers or words."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class MessageState(IntEnum):
    """The state of a message as a whole (`OutboxMessage.state_id`)."""

    CREATING = 0
    """Being created."""
    REVIEW = 1
    """Pending human review."""
    SENDING = 2
    """Being sent."""
    REJECTED = 3
    """Rejected in the review."""
    NO_VALID_RECIPIENTS = 4
    """Not sent: none of the recipients is valid."""
    QUEUED = 5
    """In the queue for sending."""
    SENT = 6
    """Sent. The delivery status of each recipient is separate (`reports.recipients`)."""
    CANCELLED = 7
    """Cancelled before it was sent (`send.cancel`)."""
    NO_CREDIT = 8
    """Not sent: the credit of the account is too low."""
    SYSTEM_ERROR = 9
    """Not sent because of an error of the service."""

    @property
    def is_final(self) -> bool:
        """Whether processing has ended, so that the service sends no further part of the message."""
        return self in _FINAL

    @property
    def is_failure(self) -> bool:
        """Whether processing has ended without the message being sent."""
        return self.is_final and self is not MessageState.SENT


_FINAL = frozenset(
    {
        MessageState.REJECTED,
        MessageState.NO_VALID_RECIPIENTS,
        MessageState.SENT,
        MessageState.CANCELLED,
        MessageState.NO_CREDIT,
        MessageState.SYSTEM_ERROR,
    }
)


class DeliveryStatus(IntEnum):
    """The delivery status of a message for one recipient (`RecipientReport.message_status`)."""

    HANDED_OVER = 0
    """Submitted to the operator."""
    RECEIVED = 1
    """Received by the operator."""
    DELIVERED = 2
    """Delivered to the phone."""
    NOT_DELIVERED = 3
    """Not delivered to the phone."""
    BLACKLISTED = 4
    """The recipient is blacklisted."""

    @property
    def is_final(self) -> bool:
        """Whether no other status is expected: delivered, not delivered or blacklisted."""
        return self >= DeliveryStatus.DELIVERED


class TicketState(IntEnum):
    """The state of a ticket (`TicketSummary.state_id`, `Ticket.state_id`)."""

    WAITING_FOR_ANSWER = 1
    """Waiting for an answer."""
    WAITING_FOR_SUPPORT = 2
    """Waiting for support."""
    ANSWERED = 3
    """Answered."""
    CLOSED = 4
    """Closed."""
    FORWARDED = 5
    """Forwarded."""


class PatternStatus(StrEnum):
    """The status of a pattern, which decides whether it can be sent (`Pattern.pattern_status`)."""

    ACTIVE = "active"
    """Approved; it can be sent."""
    INACTIVE = "inactive"
    """Rejected in the review, or disabled."""
    PENDING = "pending"
    """Pending human review."""


class VariableType(StrEnum):
    """The type of a pattern variable's values (`PatternVariable.type`)."""

    STRING = "string"
    """Text."""
    INTEGER = "integer"
    """Digits only."""
