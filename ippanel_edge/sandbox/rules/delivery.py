"""The states of messages and recipients, computed from the clock on each read, without background tasks."""

from __future__ import annotations

from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ippanel_edge.sandbox.records import DeliveryOutcome, DeliveryStatus, MessageState, OutboxMessage, Recipient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ippanel_edge.sandbox.state import SandboxState

_STEPS: Final[Mapping[DeliveryOutcome, tuple[int, int]]] = MappingProxyType(
    {DeliveryOutcome.LATE: (1, 10), DeliveryOutcome.SLOW_OPERATOR: (10, 11)}
)
"""The numbers of steps until the operator has received a message and until its outcome is final; else 1 and 2."""


def message_state(message: OutboxMessage, state: SandboxState) -> MessageState:
    """Return the state of a message: in review, queued until its send time, sending for one step, then sent."""
    if message.final_state is not None:
        return message.final_state
    start = sending_start(message, state)
    if start is None:
        return MessageState.REVIEW
    if state.now < start:
        return MessageState.QUEUED
    if state.now < start + state.clock.wait(state.delivery_seconds):
        return MessageState.SENDING
    return MessageState.SENT


def delivery_status(recipient: Recipient, message: OutboxMessage, state: SandboxState) -> DeliveryStatus:
    """Return the status of one recipient: at the operator; received after one step; the final outcome after two."""
    start = None if message.final_state is not None else sending_start(message, state)
    steps = _STEPS.get(recipient.outcome, (1, 2))
    if start is None or state.now < start + steps[0] * state.clock.wait(state.delivery_seconds):
        return DeliveryStatus.HANDED_OVER
    if recipient.outcome is DeliveryOutcome.BLACKLISTED:
        return DeliveryStatus.BLACKLISTED
    is_final = state.now >= start + steps[1] * state.clock.wait(state.delivery_seconds)
    if not is_final or recipient.outcome is DeliveryOutcome.NEVER_FINAL:
        return DeliveryStatus.RECEIVED
    return (
        DeliveryStatus.NOT_DELIVERED if recipient.outcome is DeliveryOutcome.NOT_DELIVERED else DeliveryStatus.DELIVERED
    )


def sending_start(message: OutboxMessage, state: SandboxState) -> datetime | None:
    """Return the time when sending starts; None while the message is in review."""
    reviewed = message.reviewed_at
    if reviewed is None and state.review_seconds is not None:
        reviewed = message.created_at + state.clock.wait(state.review_seconds)
    if reviewed is None or (message.reviewed_at is None and state.now < reviewed):
        return None
    if not message.scheduled:
        return max(message.send_at, reviewed)
    wait = state.clock.wait((message.send_at - message.created_at).total_seconds())
    return max(message.created_at + wait, reviewed)
