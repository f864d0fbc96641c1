"""How a message moves with the clock: a pure reading of its times. Nothing is stored, so nothing runs in between."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from ippanel_edge.sandbox.records import Fate, OutboxMessage, Recipient, State, Status

if TYPE_CHECKING:
    from ippanel_edge.sandbox.store import World

LATE_STEPS: Final = 10
"""A late text is delivered after so many steps; any other after two."""


def state_of(message: OutboxMessage, world: World) -> State:
    """Say where a message stands: in review, queued until its time, sending for one step, then sent."""
    if message.settled is not None:
        return message.settled
    begin = _begin(message, world)
    if begin is None:
        return State.REVIEW
    if world.now < begin:
        return State.QUEUED
    if world.now < begin + timedelta(seconds=world.delivery_seconds):
        return State.SENDING
    return State.SENT


def status_of(recipient: Recipient, message: OutboxMessage, world: World) -> Status:
    """Say where one recipient's text stands: handed over, after one step received, after two its fate."""
    begin = None if message.settled is not None else _begin(message, world)
    if begin is None or world.now < begin + timedelta(seconds=world.delivery_seconds):
        return Status.HANDED_OVER
    if recipient.fate is Fate.BLACKLISTED:
        return Status.BLACKLISTED
    steps = LATE_STEPS if recipient.fate is Fate.LATE else 2
    if world.now < begin + timedelta(seconds=steps * world.delivery_seconds):
        return Status.RECEIVED
    return Status.FAILED if recipient.fate is Fate.FAILED else Status.DELIVERED


def _begin(message: OutboxMessage, world: World) -> datetime | None:
    """When sending begins; None while the review holds the message."""
    reviewed = message.reviewed_at
    if reviewed is None and world.review_seconds is not None:
        reviewed = message.created_at + timedelta(seconds=world.review_seconds)
    if reviewed is None or (message.reviewed_at is None and world.now < reviewed):
        return None
    return max(message.send_at, reviewed)
