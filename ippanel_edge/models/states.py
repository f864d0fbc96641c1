"""The states that the service names by number or by word, with their meaning."""

from __future__ import annotations

from enum import IntEnum, StrEnum


class MessageState(IntEnum):
    """What became of a message as a whole (`OutboxMessage.state_id`)."""

    CREATING = 0
    """Being created."""
    REVIEW = 1
    """Waiting for human review."""
    SENDING = 2
    REJECTED = 3
    """Rejected by review."""
    NO_VALID_RECIPIENTS = 4
    QUEUED = 5
    """In the send queue."""
    SENT = 6
    CANCELLED = 7
    NO_CREDIT = 8
    SYSTEM_ERROR = 9

    @property
    def is_final(self) -> bool:
        """Whether the service is done with the message: nothing more will be sent of it."""
        return self in _FINAL

    @property
    def is_failure(self) -> bool:
        """Whether the message ended without being sent."""
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
    """What became of a message at one recipient (`RecipientReport.message_status`)."""

    HANDED_OVER = 0
    """Handed to the operator."""
    RECEIVED = 1
    """Received by the operator."""
    DELIVERED = 2
    """Delivered to the phone."""
    NOT_DELIVERED = 3
    BLACKLISTED = 4
    """The recipient is on the blacklist of promotional texts."""

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected of it."""
        return self >= DeliveryStatus.DELIVERED


class TicketState(IntEnum):
    """Where a ticket stands (`TicketSummary.state_id`, `Ticket.state_id`)."""

    WAITING_FOR_ANSWER = 1
    WAITING_FOR_SUPPORT = 2
    ANSWERED = 3
    CLOSED = 4
    FORWARDED = 5


class PatternStatus(StrEnum):
    """Whether a pattern may be sent (`Pattern.pattern_status`)."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    """Rejected by review, or switched off."""
    PENDING = "pending"
    """Waiting for human review."""


class VariableType(StrEnum):
    """What values a pattern's variable takes (`PatternVariable.type`)."""

    STRING = "string"
    INTEGER = "integer"
    """Digits only."""
