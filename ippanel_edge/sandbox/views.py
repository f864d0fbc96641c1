"""The records of the sandbox as JSON, for the control address and the events: messages, phones and the outbox."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import attrs

from ippanel_edge.sandbox.otp import find_otp
from ippanel_edge.sandbox.records import (
    DeliveryStatus,
    InboxMessage,
    MessageState,
    Notice,
    OutboxMessage,
    Recipient,
    Tariff,
)
from ippanel_edge.sandbox.rules.billing import VOICE_TARIFF, message_price
from ippanel_edge.sandbox.rules.delivery import delivery_status, message_state, sending_start
from ippanel_edge.sandbox.rules.segments import count_segments, delivered_text

if TYPE_CHECKING:
    from datetime import datetime

    from ippanel_edge.sandbox.state import SandboxState

Row = dict[str, Any]

STATE_NAMES: Final = {
    MessageState.CREATING: "creating",
    MessageState.REVIEW: "review",
    MessageState.SENDING: "sending",
    MessageState.REJECTED: "rejected",
    MessageState.NO_RECIPIENTS: "no_recipients",
    MessageState.QUEUED: "queued",
    MessageState.SENT: "sent",
    MessageState.CANCELLED: "cancelled",
    MessageState.NO_CREDIT: "no_credit",
    MessageState.ERROR: "error",
}
STATUS_NAMES: Final = {
    DeliveryStatus.HANDED_OVER: "sending",
    DeliveryStatus.RECEIVED: "received",
    DeliveryStatus.DELIVERED: "delivered",
    DeliveryStatus.NOT_DELIVERED: "not_delivered",
    DeliveryStatus.BLACKLISTED: "blacklisted",
}
FINAL_STATUSES: Final = frozenset(
    {"delivered", "not_delivered", "blacklisted", "rejected", "no_recipients", "cancelled", "no_credit", "error"}
)


def status_of(recipient: Recipient, message: OutboxMessage, state: SandboxState) -> str:
    """Return the status of a message to one phone: the state of the message until it is sent, then of the delivery."""
    of_message = message_state(message, state)
    if of_message in {MessageState.SENDING, MessageState.SENT}:
        return STATUS_NAMES[delivery_status(recipient, message, state)]
    return STATE_NAMES[of_message]


def outgoing_row(message: OutboxMessage, index: int, state: SandboxState, *, status: str | None = None) -> Row:
    """Return the message to the recipient at `index` of an outbox message."""
    recipient = message.recipients[index]
    start = sending_start(message, state)
    tariff = _tariff(message, state)
    return {
        "id": f"out-{message.outbox_id}-{index}",
        "direction": "out",
        "number": recipient.number,
        "line": message.line,
        "text": recipient.text,
        "time": iso(message.send_at if start is None else start),
        "parts": recipient.parts,
        "encoding": _encoding(is_persian=recipient.is_persian),
        "status": status_of(recipient, message, state) if status is None else status,
        "outbox_id": message.outbox_id,
        "sending_type": message.sending_type,
        "otp": find_otp(recipient.text, message.sending_type),
        "cost": message_price(tariff, recipient.number, recipient.parts, is_persian=recipient.is_persian),
    }


def incoming_row(message: InboxMessage) -> Row:
    """Return a message from a phone."""
    row = _plain_row(f"in-{message.inbox_id}", message.sender, message.text, message.received_at)
    return row | {"direction": "in", "line": message.line}


def notice_row(notice: Notice) -> Row:
    """Return a message of the service itself, such as the code of a login; its line is null."""
    row = _plain_row(f"notice-{notice.sequence}", notice.number, notice.text, notice.sent_at)
    return row | {"otp": find_otp(notice.text)}


def _plain_row(row_id: str, number: str, text: str, moment: datetime) -> Row:
    count = count_segments(text)
    return {
        "id": row_id,
        "direction": "out",
        "number": number,
        "line": None,
        "text": text,
        "time": iso(moment),
        "parts": count.parts,
        "encoding": _encoding(is_persian=count.is_persian),
        "status": "delivered",
        "outbox_id": None,
        "sending_type": None,
        "otp": None,
        "cost": 0.0,
    }


def _encoding(*, is_persian: bool) -> str:
    return "UCS-2" if is_persian else "GSM-7"


def _tariff(message: OutboxMessage, state: SandboxState) -> Tariff:
    line = state.lines.get(message.line_id)
    return state.tariffs[VOICE_TARIFF if line is None else line.tariff_id]


@attrs.frozen
class PhoneMessage:
    """A message to or from a phone, before it is serialised.

    Attributes:
        number: the number of the phone.
        text: the text.
        incoming: whether the phone sent it.
        record: the record that contains it.
        index: the index of the recipient, if it is an outbox message.
    """

    number: str
    text: str
    incoming: bool
    record: OutboxMessage | InboxMessage | Notice
    index: int = 0

    @property
    def key(self) -> str:
        """The id of the message."""
        match self.record:
            case OutboxMessage():
                return f"out-{self.record.outbox_id}-{self.index}"
            case InboxMessage():
                return f"in-{self.record.inbox_id}"
            case Notice():
                return f"notice-{self.record.sequence}"

    def shown_text(self, state: SandboxState) -> str:
        """Return the text as the phone shows it, with the opt-out suffix of a promotional line."""
        line = state.lines.get(self.record.line_id) if isinstance(self.record, OutboxMessage) else None
        return self.text if line is None else delivered_text(self.text, is_service=line.is_service)

    def row(self, state: SandboxState) -> Row:
        """Return the message as JSON."""
        match self.record:
            case OutboxMessage():
                return outgoing_row(self.record, self.index, state)
            case InboxMessage():
                return incoming_row(self.record)
            case Notice():
                return notice_row(self.record)


def phone_messages(state: SandboxState) -> Iterator[PhoneMessage]:
    """Yield the messages to and from phones, newest first; the recipients of one message in their order."""
    newest_first: list[Iterator[OutboxMessage | InboxMessage | Notice]] = [
        reversed(state.outbox.values()),
        reversed(state.inbox),
        reversed(state.notices),
    ]
    records = merge(*newest_first, key=lambda record: -record.sequence)
    for record in records:
        match record:
            case OutboxMessage():
                for index, recipient in enumerate(record.recipients):
                    yield PhoneMessage(recipient.number, recipient.text, False, record, index)
            case InboxMessage():
                yield PhoneMessage(record.sender, record.text, True, record)
            case Notice():
                yield PhoneMessage(record.number, record.text, False, record)


def phone_rows(state: SandboxState, limit: int = 1000) -> list[Row]:
    """Return at most `limit` phones, the one with the newest message first.

    `unread` is the number of messages to the phone since its last reply.
    """
    counts: dict[str, int] = {}
    unread: dict[str, int] = {}
    last: dict[str, PhoneMessage] = {}
    has_replied: set[str] = set()
    for message in phone_messages(state):
        last.setdefault(message.number, message)
        counts[message.number] = counts.get(message.number, 0) + 1
        if message.incoming:
            has_replied.add(message.number)
        elif message.number not in has_replied:
            unread[message.number] = unread.get(message.number, 0) + 1
    return [
        {
            "number": number,
            "messages": counts[number],
            "unread": unread.get(number, 0),
            "last": message.row(state),
        }
        for number, message in islice(last.items(), limit)
    ]


def outbox_row(message: OutboxMessage, state: SandboxState) -> Row:
    """Return one message of the outbox table."""
    return {
        "id": message.outbox_id,
        "line": message.line,
        "type": message.sending_type,
        "text": message.text,
        "recipients": len(message.recipients),
        "state": STATE_NAMES[message_state(message, state)],
        "cost": message.cost,
        "time": iso(message.created_at),
        "send_at": iso(message.send_at),
    }


def iso(moment: datetime) -> str:
    """Return a UTC time as ISO 8601 with "Z"."""
    return moment.isoformat().replace("+00:00", "Z")
