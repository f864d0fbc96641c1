"""The events of outgoing messages: their acceptance, and each change of their delivery status as time passes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

import attrs

from ippanel_edge.sandbox.events import EventFeed
from ippanel_edge.sandbox.records import DeliveryOutcome, OutboxMessage, Recipient
from ippanel_edge.sandbox.rules.billing import charge_due_messages
from ippanel_edge.sandbox.rules.delivery import next_change
from ippanel_edge.sandbox.timed import TimedItems
from ippanel_edge.sandbox.views import FINAL_STATUSES, outgoing_row, status_of

if TYPE_CHECKING:
    from ippanel_edge.sandbox.state import SandboxState

MAX_RECIPIENTS: Final = 20_000
"""The number of recipients without a final status that are watched; the oldest are given up beyond it."""

Statuses = Mapping[DeliveryOutcome, str]


@attrs.define
class _Watched:
    """A message without a final status, one recipient for each delivery outcome, and the published statuses.

    The statuses were computed after `checked_at`.
    """

    message: OutboxMessage
    examples: Mapping[DeliveryOutcome, Recipient]
    statuses: Statuses
    checked_at: datetime

    @property
    def is_final(self) -> bool:
        """Whether no status will change."""
        return all(status in FINAL_STATUSES for status in self.statuses.values())


class Progress:
    """Publishes the status changes of messages; they are computed from the clock, so somebody must call `update`.

    The caller of each method holds the lock of the state.
    """

    def __init__(self, feed: EventFeed) -> None:
        self._feed = feed
        self._watched: TimedItems[_Watched] = TimedItems(_next_change)
        self._recipients = 0

    def add(self, message: OutboxMessage, state: SandboxState) -> None:
        """Publish an accepted message, one event for each recipient, and watch it."""
        watched = _watch(message, state)
        for index, recipient in enumerate(message.recipients):
            self._feed.publish(
                "message", outgoing_row(message, index, state, status=watched.statuses[recipient.outcome])
            )
        if message.recipients:
            self._add(watched, state)
        while self._recipients > MAX_RECIPIENTS and len(self._watched) > 1:
            oldest = next(iter(self._watched))
            if not self._check(oldest, state):  # its further changes are not published
                self._feed.publish("reset", {"reason": "too many messages without a final status"})
            self._remove(oldest)

    def watch_existing(self, state: SandboxState) -> None:
        """Watch the newest messages of a state that was filled before, without publishing them."""
        self.clear()
        found: list[_Watched] = []
        recipients = 0
        for message in reversed(state.outbox.values()):
            recipients += len(message.recipients)
            if recipients > MAX_RECIPIENTS:
                break
            found.append(_watch(message, state))
        for watched in reversed(found):
            if not watched.is_final:
                self._add(watched, state)

    def update(self, state: SandboxState) -> None:
        """Publish the status changes since the last call."""
        charge_due_messages(state)
        for watched in self._watched.take_due(state):
            self._renew(watched, state)

    def update_message(self, message: OutboxMessage, state: SandboxState) -> None:
        """Publish the status changes of one message, which was approved, rejected or cancelled."""
        watched = self._watched.get(message.outbox_id)
        if watched is not None:
            self._renew(watched, state)

    def remove(self, outbox_id: int) -> None:
        """Stop watching a message, which was deleted, if it is watched."""
        watched = self._watched.get(outbox_id)
        if watched is not None:
            self._remove(watched)

    def clear(self) -> None:
        """Stop watching all messages."""
        self._watched.clear()
        self._recipients = 0

    def _check(self, watched: _Watched, state: SandboxState) -> bool:
        """Publish the changes of one message; return whether its statuses are final."""
        message = watched.message
        watched.checked_at = state.now
        statuses = _statuses(message, watched.examples, state)
        if statuses != watched.statuses:
            for index, recipient in enumerate(message.recipients):
                status = statuses[recipient.outcome]
                if status != watched.statuses[recipient.outcome]:
                    self._feed.publish("status", outgoing_row(message, index, state, status=status))
            watched.statuses = statuses
        return watched.is_final

    def _renew(self, watched: _Watched, state: SandboxState) -> None:
        """Publish the changes of one message, and watch it until the next one."""
        if self._check(watched, state):
            self._remove(watched)
        else:
            self._watched.set(watched.message.outbox_id, watched, state)

    def _add(self, watched: _Watched, state: SandboxState) -> None:
        self._watched.set(watched.message.outbox_id, watched, state)
        self._recipients += len(watched.message.recipients)

    def _remove(self, watched: _Watched) -> None:
        self._watched.remove(watched.message.outbox_id)
        self._recipients -= len(watched.message.recipients)


def _watch(message: OutboxMessage, state: SandboxState) -> _Watched:
    examples = {recipient.outcome: recipient for recipient in message.recipients}
    checked_at = state.now
    return _Watched(message, examples, _statuses(message, examples, state), checked_at)


def _next_change(watched: _Watched, state: SandboxState) -> datetime | None:
    return next_change(watched.message, watched.examples, state, after=watched.checked_at)


def _statuses(message: OutboxMessage, examples: Mapping[DeliveryOutcome, Recipient], state: SandboxState) -> Statuses:
    """Return the status for each delivery outcome: the recipients with the same outcome have the same status."""
    return {outcome: status_of(recipient, message, state) for outcome, recipient in examples.items()}
