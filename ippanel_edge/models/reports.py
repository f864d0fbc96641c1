"""Models of the reports: the outbox, its recipients and figures, and the inbox."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import attrs

from ippanel_edge.models.fields import as_text, moment, sender
from ippanel_edge.models.states import DeliveryStatus, MessageState


@attrs.frozen(kw_only=True)
class OutboxMessage:
    """A message as the outbox reports it. Sources: report/outbox-report.md, report/outbox-report-id.md.

    Attributes:
        messages_outbox_id: the id that a send answers as `message_outbox_ids` and other calls take as `bulk_id`.
        number: the sender line, E.164 or alphanumeric (+98BANK).
        state_id: the state; a number that this SDK does not know stays a plain int.
        state: the same as the service's own word, such as ``finish``.
        status: the same for people, in Persian.
        type: how it was sent, such as ``pattern_transactional``.
        time: when it was created (UTC).
        time_send: when it was or will be sent (UTC).
        rcpts_count: recipients.
        exit_count: messages that left.
        part: parts of the text.
        cost: Rials.
        valid: the review's word, such as ``approve``.
        reject_comment: why the review rejected it.
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
class RecipientReport:
    """A message at one recipient. Source: report/bulk-recipient.md.

    Attributes:
        recipient: E.164.
        message: the text that this recipient gets.
        is_readable: whether the text may be shown.
        msg_parts: parts of the text.
        message_status: what became of it; a number that this SDK does not know stays a plain int.
    """

    recipient: str | None = None
    message: str | None = None
    is_readable: bool | None = None
    msg_parts: int | None = None
    message_status: DeliveryStatus | int | None = None

    @property
    def is_final(self) -> bool:
        """Whether nothing more is expected: delivered, not delivered, or blacklisted."""
        return isinstance(self.message_status, DeliveryStatus) and self.message_status.is_final


@attrs.frozen(kw_only=True)
class Languages:
    """A figure by the text's language: Persian (`fa`) and Latin (`en`) messages."""

    fa: int | None = None
    en: int | None = None


@attrs.frozen(kw_only=True)
class BulkStats:
    """How many messages of a send are where, by operator (``mci``, ``irancell`` …). Source: report/bulk-stats.md."""

    operators_blacklist: Mapping[str, Languages] = attrs.field(factory=dict[str, Languages])
    operators_failed: Mapping[str, Languages] = attrs.field(factory=dict[str, Languages])
    operators_pending: Mapping[str, Languages] = attrs.field(factory=dict[str, Languages])
    operators_sent: Mapping[str, Languages] = attrs.field(factory=dict[str, Languages])
    operators_delivered: Mapping[str, Languages] = attrs.field(factory=dict[str, Languages])


@attrs.frozen(kw_only=True)
class InboxMessage:
    """A text that came in on one of your lines. Source: report/inbox-report.md.

    Attributes:
        messages_inbox_id: its id; `from_id` of the inbox calls means "after this one".
        from_: who sent it, E.164 (the API's ``from``).
        number: your line that received it.
        time: when (UTC).
        seen: whether it was read in the panel.
    """

    messages_inbox_id: int | None = None
    from_: str | None = attrs.field(default=None, metadata={"name": "from"})
    number: str | None = None
    message: str | None = None
    type: str | None = None
    time: datetime | None = None
    seen: bool | None = None


@attrs.frozen(kw_only=True)
class OutboxFilters:
    """Which messages of the outbox are wanted; unset fields are left out. Source: report/outbox-report.md.

    Attributes:
        username: the user who sent; ``*`` stands for anything.
        number: the sender line.
        messages_outbox_id: one message.
        create_from_date: created at this moment or later.
        create_to_date: created at this moment or earlier.
        send_from_date: sent at this moment or later.
        send_to_date: sent at this moment or earlier.
        from_exit_count: at least so many messages left.
        to_exit_count: at most so many messages left.
        message: the text, or a part of it.
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
