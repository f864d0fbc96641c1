"""The rules of the reports section: the outbox, one message, its recipients and statistics, and the inbox."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import attrs

from ippanel_edge.sandbox.population import OPERATORS, operator_of
from ippanel_edge.sandbox.records import DeliveryStatus, InboxMessage, MessageState, OutboxMessage, Recipient
from ippanel_edge.sandbox.replies import Reply, not_found, ok, page, rejection
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.delivery import delivery_status, message_state

if TYPE_CHECKING:
    from datetime import datetime

    from ippanel_edge.sandbox.bodies import Fields

_STATES: Final = {
    MessageState.CREATING: ("creating", "در حال ایجاد"),
    MessageState.REVIEW: ("pending", "در انتظار تایید"),
    MessageState.SENDING: ("sending", "در حال ارسال"),
    MessageState.REJECTED: ("reject", "رد شده"),
    MessageState.NO_RECIPIENTS: ("no_recipient", "بدون گیرنده معتبر"),
    MessageState.QUEUED: ("queue", "در صف ارسال"),
    MessageState.SENT: ("finish", "پایان یافته"),
    MessageState.CANCELLED: ("cancel", "لغو شده"),
    MessageState.NO_CREDIT: ("no_credit", "عدم اعتبار"),
    MessageState.ERROR: ("error", "خطای سیستمی"),
}
_TYPES: Final = {"votp": "sendvoice"}
_STATS_GROUPS: Final = {
    "operators_blacklist": {DeliveryStatus.BLACKLISTED},
    "operators_failed": {DeliveryStatus.NOT_DELIVERED},
    "operators_pending": {DeliveryStatus.HANDED_OVER},
    "operators_sent": {DeliveryStatus.RECEIVED},
    "operators_delivered": {DeliveryStatus.DELIVERED},
}


@serves("reports.outbox", "POST", "/api/report/new_list")
def outbox(call: Call) -> Reply:
    """List the messages of the caller and its sub-users, newest first, paginated by `page` and `limit`."""
    number, size = call.body.paging(size_field="limit")
    fields = call.body.object_or_none("filters")
    filters = _read_filters(fields) if fields else _OutboxFilter()
    call.check()
    if filters.state_id is not None and filters.state_id not in set(MessageState):
        raise rejection(422, "invalid state", code="400-31")
    rows = [message for message in _visible_messages(call) if filters.matches(call, message)]
    return page(rows[::-1], lambda message: _row(call, message), number=number, size=size, path=call.path)


@attrs.frozen
class _OutboxFilter:
    """The filters of the outbox; None matches any value."""

    username: str | None = None
    number: str | None = None
    outbox_id: int | None = None
    created: tuple[int | None, int | None] = (None, None)
    sent: tuple[int | None, int | None] = (None, None)
    exit_count: tuple[int | None, int | None] = (None, None)
    text: str | None = None
    state_id: int | None = None

    def matches(self, call: Call, message: OutboxMessage) -> bool:
        """Whether a message matches all filters."""
        return (
            (self.username is None or _matches(call.state.users[message.user_id].username, self.username))
            and (self.number is None or message.line == self.number)
            and (self.outbox_id is None or message.outbox_id == self.outbox_id)
            and _is_within(_seconds(message.created_at), self.created)
            and _is_within(_seconds(message.send_at), self.sent)
            and _is_within(_exit_count(call, message), self.exit_count)
            and (self.text is None or self.text in message.text)
            and (self.state_id is None or message_state(message, call.state) == self.state_id)
        )


def _read_filters(fields: Fields) -> _OutboxFilter:
    return _OutboxFilter(
        username=fields.string_or_none("username"),
        number=fields.string_or_none("number"),
        outbox_id=fields.integer_or_none("messages_outbox_id", allow_string=True),
        created=_read_bounds(fields, "create_from_date", "create_to_date"),
        sent=_read_bounds(fields, "send_from_date", "send_to_date"),
        exit_count=_read_bounds(fields, "from_exit_count", "to_exit_count"),
        text=fields.string_or_none("message"),
        state_id=fields.integer_or_none("state_id", allow_string=True),
    )


def _read_bounds(fields: Fields, first: str, last: str) -> tuple[int | None, int | None]:
    return (
        fields.integer_or_none(first, minimum=0, allow_string=True),
        fields.integer_or_none(last, minimum=0, allow_string=True),
    )


def _matches(text: str, pattern: str) -> bool:
    """Whether a text matches a pattern in which `*` is the only wildcard."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def _exit_count(call: Call, message: OutboxMessage) -> int:
    """Return how many of the messages left: none before sending starts."""
    has_left = message_state(message, call.state) in {MessageState.SENDING, MessageState.SENT}
    return len(message.recipients) if has_left else 0


def _is_within(value: int, bounds: tuple[int | None, int | None]) -> bool:
    first, last = bounds
    return (first is None or value >= first) and (last is None or value <= last)


@serves("reports.by_id", "GET", "/api/report/by_bulk")
def by_id(call: Call) -> Reply:
    """Return one message, with more fields than the list."""
    outbox_id = call.query.integer("messages_outbox_id")
    call.check()
    message = _find(call, outbox_id)
    return ok(
        {
            **_row(call, message),
            "return": 0,
            "part": str(max((recipient.parts for recipient in message.recipients), default=0)),
            "summary": message.text[:50],
            "user_ip": message.client_ip,
            "user_id": str(message.user_id),
            "reject_comment": message.reject_comment,
            "parent_id": str(call.state.users[message.user_id].parent_id or 0),
        }
    )


@serves("reports.recipients", "GET", "/api/report/recipients")
def recipients(call: Call) -> Reply:
    """List the recipients of a message, each with its own text and status."""
    outbox_id = call.query.integer("bulk_id")
    number, size = call.query.paging()
    call.check()
    message = _find(call, outbox_id)

    def show(recipient: Recipient) -> dict[str, Any]:
        return {
            "recipient": recipient.number,
            "message": recipient.text,
            "is_readable": True,
            "msg_parts": str(recipient.parts),
            "message_status": str(int(delivery_status(recipient, message, call.state))),
        }

    return page(message.recipients, show, number=number, size=size, path=call.path)


@serves("reports.stats", "GET", "/api/report/bulk_stats")
def stats(call: Call) -> Reply:
    """Count recipients by status, operator and language; as documented, a count is a str, but zero is the int 0."""
    outbox_id = call.query.integer("bulk_id")
    call.check()
    message = _find(call, outbox_id)
    totals = Counter(
        (
            delivery_status(recipient, message, call.state),
            OPERATORS[operator_of(recipient.number)],
            recipient.is_persian,
        )
        for recipient in message.recipients
    )

    def count(statuses: set[DeliveryStatus], operator: str, *, is_persian: bool) -> int | str:
        number = sum(totals[status, operator, is_persian] for status in statuses)
        return str(number) if number else 0

    return ok(
        {
            group: {
                operator: {
                    "en": count(statuses, operator, is_persian=False),
                    "fa": count(statuses, operator, is_persian=True),
                }
                for operator in OPERATORS.values()
            }
            for group, statuses in _STATS_GROUPS.items()
        }
    )


@serves("reports.inbox", "POST", "/api/report/messages-inbox")
def inbox(call: Call) -> Reply:
    """List incoming messages, newest first; `from_id`, in `filters` or beside it, selects those with greater ids."""
    number, size = call.body.paging()
    filters = call.body.object_or_none("filters")
    after = call.body.integer_or_none("from_id", minimum=0)
    if filters and filters.has("from_id"):
        after = filters.integer_or_none("from_id", minimum=0)
    call.check()
    lines = call.state.readable_lines(call.user)
    rows = [
        message
        for message in reversed(call.state.inbox)
        if message.line in lines and (after is None or message.inbox_id > after)
    ]
    return page(rows, _inbox_row, number=number, size=size, path=call.path)


def _inbox_row(message: InboxMessage) -> dict[str, Any]:
    return {
        "messages_inbox_id": message.inbox_id,
        "from": message.sender,
        "number": message.line,
        "message": message.text,
        "type": "normal",
        "time": _seconds(message.received_at),
        "seen": "1" if message.seen else "0",
    }


def _visible_messages(call: Call) -> list[OutboxMessage]:
    user_ids = {user.user_id for user in call.state.with_sub_users(call.user)}
    return [message for message in call.state.outbox.values() if message.user_id in user_ids]


def _find(call: Call, outbox_id: int) -> OutboxMessage:
    """Return a message of the caller or of one of its sub-users.

    Raises:
        Rejection: 404 if there is none.
    """
    message = call.state.outbox.get(outbox_id)
    if message is None or message.user_id not in {user.user_id for user in call.state.with_sub_users(call.user)}:
        raise not_found("پیام مورد نظر یافت نشد")
    return message


def _row(call: Call, message: OutboxMessage) -> dict[str, Any]:
    """Serialise a message as documented: counts, ids and times as str, the cost as float, many fields as null."""
    state = message_state(message, call.state)
    name, status = _STATES[state]
    return {
        "username": call.state.users[message.user_id].username,
        "number_color": message.color,
        "number": message.line,
        "number_id": str(message.line_id),
        "messages_outbox_id": str(message.outbox_id),
        "state": name,
        "type": _TYPES.get(message.sending_type, message.sending_type),
        "time_send": str(_seconds(message.send_at)),
        "time": str(_seconds(message.created_at)),
        "rcpts_count": str(len(message.recipients)),
        "exit_count": str(_exit_count(call, message)),
        "status": status,
        "partner_id": None,
        "in_delivery_line": 0,
        "valid": {MessageState.REVIEW: None, MessageState.REJECTED: "reject"}.get(state, "approve"),
        "message": message.text,
        "part": None,
        "cost": message.cost,
        "summary": None,
        "user_ip": None,
        "user_id": None,
        "files_path": None,
        "parent_id": None,
        "state_id": int(state),
    }


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
