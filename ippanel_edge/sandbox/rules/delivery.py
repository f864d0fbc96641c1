"""The states of messages and recipients, computed from the clock on each read, without background tasks."""

from __future__ import annotations

from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ippanel_edge.sandbox.records import DeliveryOutcome, DeliveryStatus, MessageState, OutboxMessage, Recipient

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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
    if state.now < start + _steps(1, message, state):
        return MessageState.SENDING
    return MessageState.SENT


def delivery_status(recipient: Recipient, message: OutboxMessage, state: SandboxState) -> DeliveryStatus:
    """Return the status of one recipient: at the operator; received after one step; the final outcome after two."""
    start = None if message.final_state is not None else sending_start(message, state)
    steps = _STEPS.get(recipient.outcome, (1, 2))
    if start is None or state.now < start + _steps(steps[0], message, state):
        return DeliveryStatus.HANDED_OVER
    if recipient.outcome is DeliveryOutcome.BLACKLISTED:
        return DeliveryStatus.BLACKLISTED
    is_final = state.now >= start + _steps(steps[1], message, state)
    if not is_final or recipient.outcome is DeliveryOutcome.NEVER_FINAL:
        return DeliveryStatus.RECEIVED
    return (
        DeliveryStatus.NOT_DELIVERED if recipient.outcome is DeliveryOutcome.NOT_DELIVERED else DeliveryStatus.DELIVERED
    )


def sending_start(message: OutboxMessage, state: SandboxState) -> datetime | None:
    """Return the time when sending starts; None while the message is in review."""
    if message.started_at is None and _approved_at(message, state) is None:
        return None
    return planned_start(message, state)


def planned_start(message: OutboxMessage, state: SandboxState) -> datetime | None:
    """Return the time when sending starts, also while the message is in review; None if time does not approve it."""
    if message.started_at is not None:
        return message.started_at
    approved = _planned_approval(message, state)
    if approved is None:
        return None
    if not message.scheduled:
        return max(message.send_at, approved)
    wait = state.clock.wait((message.send_at - message.created_at).total_seconds())
    return max(message.created_at + wait, approved)


def next_change(
    message: OutboxMessage, outcomes: Iterable[DeliveryOutcome], state: SandboxState, *, after: datetime
) -> datetime | None:
    """Return the first time after `after` when the state or the delivery status of an outcome may change, if any."""
    start = None if message.final_state is not None else planned_start(message, state)
    if start is None:
        return None
    times = [_planned_approval(message, state) or start, start]
    times += [start + _steps(count, message, state) for each in outcomes for count in _STEPS.get(each, (1, 2))]
    return min((time for time in times if time > after), default=None)


def keep_progress(message: OutboxMessage, state: SandboxState) -> None:
    """Record the approval and the start of a message that have happened, so that no change of the settings undoes them.

    A message whose sending has started keeps the duration of its steps too.
    """
    if message.started_at is not None or message.final_state is not None:
        return
    message.reviewed_at = _approved_at(message, state)
    start = sending_start(message, state)
    if start is not None and state.now >= start:
        message.started_at, message.step_seconds = start, state.clock.wait(state.delivery_seconds).total_seconds()


def _approved_at(message: OutboxMessage, state: SandboxState) -> datetime | None:
    """Return the time of the approval; None while the message is in review."""
    approved = _planned_approval(message, state)
    is_approved = message.reviewed_at is not None or (approved is not None and state.now >= approved)
    return approved if is_approved else None


def _planned_approval(message: OutboxMessage, state: SandboxState) -> datetime | None:
    """Return the time of the approval, even if it is to come; None if only `approve` approves the message."""
    if message.reviewed_at is not None or state.review_seconds is None:
        return message.reviewed_at
    return message.created_at + state.clock.wait(state.review_seconds)


def _steps(count: int, message: OutboxMessage, state: SandboxState) -> timedelta:
    """Return the duration of delivery steps of a message."""
    seconds = message.step_seconds
    return count * (state.clock.wait(state.delivery_seconds) if seconds is None else timedelta(seconds=seconds))
