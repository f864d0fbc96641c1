# Generated from ippanel_edge/_async/delivery.py by tests/codegen/generate_sync.py: edit that, not this.
"""Polling of the delivery status of one or more messages. Sends nothing.

A poll makes a bounded number of requests, however many messages there are. It reads the messages first: up to three one
by one, more of them from the outbox, which lists 1,000 per request, and those that it does not list one by one. Then it
reads the recipients of the messages whose recipients may have changed. What exceeds the bounds waits for the next poll,
and what was read longest ago is read first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final, Protocol

import attrs

from ippanel_edge._sync import _io
from ippanel_edge._sync.faults import Faults, is_transient
from ippanel_edge.errors import EdgeError, NotFound, OutcomeUnknown
from ippanel_edge.models.common import Page
from ippanel_edge.models.reports import DeliveryReport, OutboxFilters, OutboxMessage, RecipientReport, WaitReason
from ippanel_edge.models.states import MessageState
from ippanel_edge.values.checks import check_seconds

_NAME: Final = "reports.wait_delivered"
_ROWS: Final = 1000
"""Rows per page."""
_SINGLE: Final = 3
"""The maximum number of messages that are read one by one rather than from the outbox."""
_MAX_PAGES: Final = 10
"""The maximum number of pages of the outbox per poll."""
_MAX_SINGLE: Final = 25
"""The maximum number of messages per poll that are read one by one because the outbox did not list them."""
_MAX_RECIPIENT_PAGES: Final = 50
"""The number of pages of recipients after which a poll reads no further message's recipients."""
_GRACE: Final = 5.0
"""Seconds that a poll may take at least, even if less time is left: the last poll is made when the time is over."""
_NOT_STARTED: Final = frozenset({MessageState.CREATING, MessageState.REVIEW})
"""States in which no recipient has a status yet."""


class Reports(Protocol):
    """The methods of `reports` that polling a delivery needs."""

    def outbox(self, *, page: int = 1, limit: int = 10, filters: OutboxFilters | None = None) -> Page[OutboxMessage]:
        """List sent messages, newest first."""
        ...

    def by_id(self, message_outbox_id: int) -> OutboxMessage:
        """Return one message."""
        ...

    def iter_recipients(self, message_outbox_id: int, *, per_page: int = 100) -> Iterator[RecipientReport]:
        """Iterate over all recipients of a message."""
        ...


@attrs.define
class _Watched:
    """A message that is polled.

    Attributes:
        message_id: its id.
        message: the message at the last poll that read it.
        seen_in: the number of that poll.
        tried_in: the number of the poll that last requested it by its id.
        rows: its recipients when they were read last.
        rows_in: the number of the poll that last requested them.
        rows_of: the state and the counts of the message at that time.
        reason: the reason to stop waiting for it; None while it is open.
    """

    message_id: int
    message: OutboxMessage | None = None
    seen_in: int = 0
    tried_in: int = 0
    rows: tuple[RecipientReport, ...] = ()
    rows_in: int = 0
    rows_of: tuple[object, ...] | None = None
    reason: WaitReason | None = None

    @property
    def figures(self) -> tuple[object, ...] | None:
        """The state and the counts of the message, None if it was not read yet."""
        found = self.message
        return None if found is None else (found.state_id, found.rcpts_count, found.exit_count)

    @property
    def needs_rows(self) -> bool:
        """Whether the recipients may have changed since they were read."""
        if self.message is None:
            return False
        return self.figures != self.rows_of or self.message.state_id not in _NOT_STARTED

    def read(self, rows: Iterable[RecipientReport]) -> None:
        """Store the recipients, and decide whether to stop waiting."""
        self.rows, self.rows_of = tuple(rows), self.figures
        state = self.message.state_id if self.message is not None else None
        if state is MessageState.CANCELLED:
            self.reason = WaitReason.CANCELLED
        elif isinstance(state, MessageState) and state.is_failure:
            self.reason = WaitReason.FAILED
        elif self.rows and all(row.is_final for row in self.rows):
            self.reason = WaitReason.ALL_FINAL

    def final_reason(self, *, unreachable: bool) -> WaitReason:
        """Return the reason to stop waiting when the time is over."""
        if self.reason is not None:
            return self.reason
        if unreachable:
            return WaitReason.UNREACHABLE
        is_in_review = self.message is not None and self.message.state_id is MessageState.REVIEW
        return WaitReason.IN_REVIEW if is_in_review else WaitReason.TIMED_OUT


class DeliveryPolls:
    """The polls of `wait_delivered`."""

    def __init__(self, reports: Reports, message_ids: Sequence[int]) -> None:
        self._reports = reports
        self._watched = {message_id: _Watched(message_id) for message_id in message_ids}
        self._poll = 0

    @property
    def open(self) -> list[_Watched]:
        """The messages that are still waited for."""
        return [each for each in self._watched.values() if each.reason is None]

    @property
    def has_read(self) -> bool:
        """Whether any message was read."""
        return any(each.message is not None for each in self._watched.values())

    def run(self) -> None:
        """Make one poll. A transient error while it reads the messages does not keep it from reading recipients.

        Raises:
            EdgeError: the first transient error, or an error that is not transient.
        """
        self._poll += 1
        failure: EdgeError | None = None
        for step in (self._read_messages, self._read_recipients):
            try:
                step()
            except EdgeError as error:
                if not is_transient(error):
                    raise
                failure = failure or error
        if failure is not None:
            raise failure

    def _read_messages(self) -> None:
        if len(self.open) > _SINGLE:
            self._read_outbox()
        unseen = [each for each in self.open if each.seen_in < self._poll]
        for each in sorted(unseen, key=lambda each: each.tried_in)[:_MAX_SINGLE]:
            each.tried_in = self._poll  # also if it fails: then the next poll begins with the others
            self._see(each, self._by_id(each.message_id))

    def _read_recipients(self) -> None:
        pages = 0
        for each in sorted(self.open, key=lambda each: each.rows_in):
            if pages >= _MAX_RECIPIENT_PAGES:
                break
            if each.needs_rows:
                each.rows_in = self._poll
                rows = [row for row in self._reports.iter_recipients(each.message_id, per_page=_ROWS)]
                each.read(rows)
                pages += max(1, -(-len(rows) // _ROWS))

    def report(self, *, unreachable: bool) -> DeliveryReport:
        """Return the result."""
        watched = self._watched.values()
        return DeliveryReport(
            reasons={each.message_id: each.final_reason(unreachable=unreachable) for each in watched},
            messages={each.message_id: each.message for each in watched if each.message is not None},
            recipients={each.message_id: each.rows for each in watched},
        )

    def _see(self, watched: _Watched, message: OutboxMessage) -> None:
        watched.message, watched.seen_in = message, self._poll

    def _read_outbox(self) -> None:
        """Read the open messages from the outbox."""
        pending = {each.message_id: each for each in self.open}
        filters = _window(pending.values())
        for number in range(1, min(_MAX_PAGES, 1 + len(pending) // _ROWS) + 1):
            page = self._reports.outbox(page=number, limit=_ROWS, filters=filters)
            for message in page:
                found = pending.pop(message.messages_outbox_id or 0, None)
                if found is not None:
                    self._see(found, message)
            if not pending or not attrs.evolve(page, current_page=number).has_next:
                break

    def _by_id(self, message_id: int) -> OutboxMessage:
        try:
            return self._reports.by_id(message_id)
        except NotFound as error:
            error.add_note(f"message_outbox_id: {message_id}")
            raise


def _window(messages: Iterable[_Watched]) -> OutboxFilters | None:
    """Return filters for the time in which the messages were created; None if it is not known of each."""
    times = [each.message.time for each in messages if each.message is not None and each.message.time is not None]
    if len(times) < len(list(messages)):
        return None
    return OutboxFilters(create_from_date=min(times), create_to_date=max(times) + timedelta(seconds=1))


def poll_delivery(
    reports: Reports,
    message_ids: Sequence[int],
    *,
    seconds: float,
    every: float,
    on_fault: Callable[[EdgeError, float], object] | None,
    is_closed: Callable[[], bool],
) -> DeliveryReport:
    """Poll messages until each has failed or has only final recipients, or until the time is over.

    Raises:
        InvalidArgument: a time is not above 0, or `on_fault` is not callable.
        EdgeError: the service rejects a request, or no poll succeeded before the time was over.
    """
    check_seconds(seconds, argument="timeout")
    faults = Faults(_NAME, every=every, on_fault=on_fault)
    ends = _io.monotonic() + seconds
    polls = DeliveryPolls(reports, message_ids)
    while True:
        failure: EdgeError | None = None
        poll_ends = max(ends, _io.monotonic() + _GRACE)
        try:
            with _io.deadline(poll_ends - _io.monotonic()):
                polls.run()
        except _io.DeadlinePassed:
            failure = OutcomeUnknown("the timeout expired", timed_out=True, reads_only=True, endpoint=_NAME)
        except EdgeError as error:
            failure = error
        left = ends - _io.monotonic()
        was_late = failure is not None and failure.timed_out and _io.monotonic() >= poll_ends
        if failure is None:
            faults.succeeded()
        elif not was_late:
            faults.failed(failure)
        if failure is not None and left <= 0 and not polls.has_read:
            raise failure
        if left <= 0 or was_late or not polls.open:
            return polls.report(unreachable=failure is not None and not was_late)
        _io.pause(min(faults.pause, left), stopped=is_closed)
