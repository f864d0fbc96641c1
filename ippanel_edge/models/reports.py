"""Models of reports: the outbox, its recipients and statistics, and the inbox."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import chain
from typing import overload

import attrs

from ippanel_edge.models.common import Model
from ippanel_edge.models.fields import as_text, checked, moment, sender
from ippanel_edge.models.states import DeliveryStatus, MessageState


@attrs.frozen(kw_only=True)
class OutboxMessage(Model):
    """A message in the outbox. Sources: report/outbox-report.md, report/outbox-report-id.md.

    Attributes:
        messages_outbox_id: the id that a send returns in `message_outbox_ids` and other calls take as `bulk_id`.
        number: the sender line, E.164 or alphanumeric (+98BANK).
        state_id: the state; an unknown number stays a plain int.
        state: the state as the service names it, such as ``finish``.
        status: the state as a Persian label.
        type: the sending method, such as ``pattern_transactional``.
        time: the creation time (UTC).
        time_send: the past or scheduled time of sending (UTC).
        rcpts_count: the number of recipients.
        exit_count: the number of messages that left the service.
        part: the number of parts (SMS segments) of the message.
        cost: the cost; of a scheduled message, the service determines it at the send time.
        valid: the result of the review, such as ``approve``.
        reject_comment: the reason for a rejection in the review.
    """

    messages_outbox_id: int | None = None
    number: str | None = None
    state_id: MessageState | int | None = None
    state: str | None = None
    status: str | None = None
    type: str | None = None
    message: str | None = None
    time: datetime | None = None
    time_send: datetime | None = None
    rcpts_count: int | None = None
    exit_count: int | None = None
    part: int | None = None
    cost: float | None = None
    username: str | None = None
    number_color: str | None = None
    number_id: int | None = None
    partner_id: int | None = None
    in_delivery_line: bool | None = None
    valid: str | None = None
    summary: str | None = None
    user_ip: str | None = None
    user_id: int | None = None
    files_path: str | None = None
    parent_id: int | None = None
    reject_comment: str | None = None
    return_: float | None = attrs.field(default=None, metadata={"name": "return"})


@attrs.frozen(kw_only=True)
class RecipientReport(Model):
    """The delivery report of one recipient. Source: report/bulk-recipient.md.

    Attributes:
        recipient: the recipient's number in E.164.
        message: the message text for this recipient.
        is_readable: whether the message text can be shown.
        msg_parts: the number of parts (SMS segments) of the message.
        message_status: the delivery status; an unknown number stays a plain int.
    """

    recipient: str | None = None
    message: str | None = None
    is_readable: bool | None = None
    msg_parts: int | None = None
    message_status: DeliveryStatus | int | None = None

    @property
    def is_final(self) -> bool:
        """Whether the status is final: delivered, not delivered, or blacklisted."""
        return isinstance(self.message_status, DeliveryStatus) and self.message_status.is_final


class WaitReason(StrEnum):
    """The reason why `reports.wait_delivered` stopped waiting (`DeliveryReport.reason`)."""

    ALL_FINAL = "all_final"
    """Every recipient has a final status."""
    CANCELLED = "cancelled"
    """The message was cancelled before it was sent."""
    FAILED = "failed"
    """The message was not sent: rejected in the review, no valid recipient, no credit, or an error of the service."""
    IN_REVIEW = "in_review"
    """The time is over, and the message is pending human review."""
    TIMED_OUT = "timed_out"
    """The time is over, and the status of a recipient can still change."""
    UNREACHABLE = "unreachable"
    """The time is over, and the last poll failed, so the status is that of an earlier poll."""

    @property
    def is_complete(self) -> bool:
        """Whether nothing can change any more, so that there is no reason to wait again."""
        return self in {WaitReason.ALL_FINAL, WaitReason.CANCELLED, WaitReason.FAILED}


def _all_rows(report: DeliveryReport) -> tuple[RecipientReport, ...]:
    return tuple(chain.from_iterable(report.recipients.values()))


@attrs.frozen(kw_only=True)
class DeliveryReport(Model, Sequence[RecipientReport]):
    """The result of `reports.wait_delivered`: the recipients of all messages, as a sequence, and why it returned.

    Attributes:
        reasons: the reason to stop waiting for each message, by message id, in the order of the argument.
        messages: the message with its state, by id; without those that were not read before the time was over.
        recipients: the recipients of each message at the last poll, by message id.
    """

    reasons: Mapping[int, WaitReason]
    messages: Mapping[int, OutboxMessage]
    recipients: Mapping[int, tuple[RecipientReport, ...]]
    _rows: tuple[RecipientReport, ...] = attrs.field(
        init=False, repr=False, eq=False, default=attrs.Factory(_all_rows, takes_self=True)
    )

    @property
    def reason(self) -> WaitReason:
        """The reason for all messages: of several reasons, the one that is last in `WaitReason`."""
        return max(self.reasons.values(), key=list(WaitReason).index)

    @property
    def is_complete(self) -> bool:
        """Whether nothing can change any more: each message has failed, or all its recipients are final."""
        return self.reason.is_complete

    def __iter__(self) -> Iterator[RecipientReport]:
        """Iterate over the recipients of all messages."""
        return iter(self._rows)

    def __len__(self) -> int:
        """Return the number of recipients of all messages."""
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> RecipientReport: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RecipientReport, ...]: ...
    def __getitem__(self, index: int | slice) -> RecipientReport | tuple[RecipientReport, ...]:
        """Return a recipient by its index, or several by a slice."""
        return self._rows[index]


@attrs.frozen(kw_only=True)
class Languages(Model):
    """Message counts by language: Persian (`fa`) and Latin (`en`) messages."""

    fa: int | None = None
    en: int | None = None


@attrs.frozen(kw_only=True)
class BulkStats(Model):
    """Delivery statistics of a send by status and operator (``mci``, ``irancell`` …). Source: report/bulk-stats.md."""

    operators_blacklist: Mapping[str, Languages] = attrs.field(factory=dict[str, Languages])
    operators_failed: Mapping[str, Languages] = attrs.field(factory=dict[str, Languages])
    operators_pending: Mapping[str, Languages] = attrs.field(factory=dict[str, Languages])
    operators_sent: Mapping[str, Languages] = attrs.field(factory=dict[str, Languages])
    operators_delivered: Mapping[str, Languages] = attrs.field(factory=dict[str, Languages])


@attrs.frozen(kw_only=True)
class InboxMessage(Model):
    """A message received on one of your lines. Source: report/inbox-report.md.

    Attributes:
        messages_inbox_id: the message's id; pass it as `from_id` to get only later messages.
        from_: the sender's number in E.164 (the API's ``from``).
        number: the line that received the message.
        time: the time of receipt (UTC).
        seen: whether the message was read in the panel.
    """

    messages_inbox_id: int | None = None
    from_: str | None = attrs.field(default=None, metadata={"name": "from"})
    number: str | None = None
    message: str | None = None
    type: str | None = None
    time: datetime | None = None
    seen: bool | None = None


@attrs.frozen(kw_only=True, field_transformer=checked)
class OutboxFilters(Model):
    """Filters of the outbox; unset fields are omitted. Source: report/outbox-report.md.

    Attributes:
        username: the name of the user who sent the message; ``*`` matches any characters.
        number: the sender line, in any common format; stored as ``+98…``.
        messages_outbox_id: the id of a single message.
        create_from_date: only messages created at this time or later.
        create_to_date: only messages created at this time or earlier.
        send_from_date: only messages sent at this time or later.
        send_to_date: only messages sent at this time or earlier.
        from_exit_count: the minimum number of messages that were sent.
        to_exit_count: the maximum number of messages that were sent.
        message: the message text or a substring of it.
        state_id: the state.
    """

    username: str | None = None
    number: str | None = sender()
    messages_outbox_id: int | None = as_text()
    create_from_date: datetime | None = moment()
    create_to_date: datetime | None = moment()
    send_from_date: datetime | None = moment()
    send_to_date: datetime | None = moment()
    from_exit_count: int | None = None
    to_exit_count: int | None = None
    message: str | None = None
    state_id: MessageState | int | None = as_text()
