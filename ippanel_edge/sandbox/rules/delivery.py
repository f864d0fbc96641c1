"""The states of messages and recipients, computed from the clock on each read, without background tasks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from ippanel_edge.sandbox.records import DeliveryOutcome, DeliveryStatus, MessageState, OutboxMessage, Recipient

if TYPE_CHECKING:
    from ippanel_edge.sandbox.state import SandboxState

LATE_STEPS: Final = 10
"""The number of steps until the delivery to the reserved late number; other deliveries take two."""


def message_state(message: OutboxMessage, state: SandboxState) -> MessageState:
    """Return the state of a message: in review, queued until its send time, sending for one step, then sent."""
    if message.final_state is not None:
        return message.final_state
    start = sending_start(message, state)
    if start is None:
        return MessageState.REVIEW
    if state.now < start:
        return MessageState.QUEUED
    if state.now < start + timedelta(seconds=state.delivery_seconds):
        return MessageState.SENDING
    return MessageState.SENT


def delivery_status(recipient: Recipient, message: OutboxMessage, state: SandboxState) -> DeliveryStatus:
    """Return the status of one recipient: at the operator; received after one step; the final outcome after two."""
    start = None if message.final_state is not None else sending_start(message, state)
    if start is None or state.now < start + timedelta(seconds=state.delivery_seconds):
        return DeliveryStatus.HANDED_OVER
    if recipient.outcome is DeliveryOutcome.BLACKLISTED:
        return DeliveryStatus.BLACKLISTED
    steps = LATE_STEPS if recipient.outcome is DeliveryOutcome.LATE else 2
    if state.now < start + timedelta(seconds=steps * state.delivery_seconds):
        return DeliveryStatus.RECEIVED
    return (
        DeliveryStatus.NOT_DELIVERED if recipient.outcome is DeliveryOutcome.NOT_DELIVERED else DeliveryStatus.DELIVERED
    )


def sending_start(message: OutboxMessage, state: SandboxState) -> datetime | None:
    """Return the time when sending starts; None while the message is in review."""
    reviewed = message.reviewed_at
    if reviewed is None and state.review_seconds is not None:
        reviewed = message.created_at + timedelta(seconds=state.review_seconds)
    if reviewed is None or (message.reviewed_at is None and state.now < reviewed):
        return None
    return max(message.send_at, reviewed)
