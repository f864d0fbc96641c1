"""The rules of the reports: the outbox, one message, its recipients and numbers, and the inbox."""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import attrs

from ippanel_edge.sandbox.population import OPERATORS, operator_of
from ippanel_edge.sandbox.records import InboxMessage, OutboxMessage, Recipient, State, Status
from ippanel_edge.sandbox.replies import Answer, not_found, ok, page, refusal
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.rules.delivery import state_of, status_of

if TYPE_CHECKING:
    from datetime import datetime

    from ippanel_edge.sandbox.bodies import Fields

_STATES: Final = {
    State.CREATING: ("creating", "در حال ایجاد"),
    State.REVIEW: ("pending", "در انتظار تایید"),
    State.SENDING: ("sending", "در حال ارسال"),
    State.REJECTED: ("reject", "رد شده"),
    State.NO_RECIPIENTS: ("no_recipient", "بدون گیرنده معتبر"),
    State.QUEUED: ("queue", "در صف ارسال"),
    State.SENT: ("finish", "پایان یافته"),
    State.CANCELLED: ("cancel", "لغو شده"),
    State.NO_CREDIT: ("no_credit", "عدم اعتبار"),
    State.ERROR: ("error", "خطای سیستمی"),
}
_TYPES: Final = {"votp": "sendvoice"}
_GROUPS: Final = {
    "operators_blacklist": {Status.BLACKLISTED},
    "operators_failed": {Status.FAILED},
    "operators_pending": {Status.HANDED_OVER},
    "operators_sent": {Status.RECEIVED},
    "operators_delivered": {Status.DELIVERED},
}


@serves("reports.outbox", "POST", "/api/report/new_list")
def outbox(call: Call) -> Answer:
    """List the caller's and its sub-users' messages, the newest first, by `page` and `limit`."""
    number, size = call.body.paging(size="limit")
    fields = call.body.object_or_none("filters")
    wanted = _read_filters(fields) if fields else _Wanted()
    call.check()
    if wanted.state_id is not None and wanted.state_id not in set(State):
        raise refusal(422, "invalid state", code="400-31")
    rows = [message for message in _visible(call) if wanted.fits(call, message)]
    return page(rows[::-1], lambda message: _row(call, message), number=number, size=size, path=call.path)


@attrs.frozen
class _Wanted:
    """The filters of the outbox report; None: any."""

    username: str | None = None
    number: str | None = None
    outbox_id: int | None = None
    created: tuple[int | None, int | None] = (None, None)
    sent: tuple[int | None, int | None] = (None, None)
    exit_count: tuple[int | None, int | None] = (None, None)
    text: str | None = None
    state_id: int | None = None

    def fits(self, call: Call, message: OutboxMessage) -> bool:
        """Whether a message is one of the wanted."""
        return (
            (self.username is None or fnmatchcase(call.world.users[message.user_id].username, self.username))
            and (self.number is None or message.line == self.number)
            and (self.outbox_id is None or message.outbox_id == self.outbox_id)
            and _is_within(_seconds(message.created_at), self.created)
            and _is_within(_seconds(message.send_at), self.sent)
            and _is_within(len(message.recipients), self.exit_count)
            and (self.text is None or self.text in message.text)
            and (self.state_id is None or state_of(message, call.world) == self.state_id)
        )


def _read_filters(fields: Fields) -> _Wanted:
    return _Wanted(
        username=fields.text_or_none("username"),
        number=fields.text_or_none("number"),
        outbox_id=fields.integer_or_none("messages_outbox_id", spelled=True),
        created=_read_bounds(fields, "create_from_date", "create_to_date"),
        sent=_read_bounds(fields, "send_from_date", "send_to_date"),
        exit_count=_read_bounds(fields, "from_exit_count", "to_exit_count"),
        text=fields.text_or_none("message"),
        state_id=fields.integer_or_none("state_id", spelled=True),
    )


def _read_bounds(fields: Fields, first: str, last: str) -> tuple[int | None, int | None]:
    return (
        fields.integer_or_none(first, least=0, spelled=True),
        fields.integer_or_none(last, least=0, spelled=True),
    )


def _is_within(value: int, bounds: tuple[int | None, int | None]) -> bool:
    first, last = bounds
    return (first is None or value >= first) and (last is None or value <= last)


@serves("reports.by_id", "GET", "/api/report/by_bulk")
def by_id(call: Call) -> Answer:
    """Show one message, with more than the list shows."""
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
            "parent_id": str(call.world.users[message.user_id].parent_id or 0),
        }
    )


@serves("reports.recipients", "GET", "/api/report/recipients")
def recipients(call: Call) -> Answer:
    """List a message's recipients, each with its own text and status."""
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
            "message_status": str(int(status_of(recipient, message, call.world))),
        }

    return page(message.recipients, show, number=number, size=size, path=call.path)


@serves("reports.stats", "GET", "/api/report/bulk_stats")
def stats(call: Call) -> Answer:
    """Count a message's recipients by status, operator and language; a count comes as text, nothing as the number 0."""
    outbox_id = call.query.integer("bulk_id")
    call.check()
    message = _find(call, outbox_id)
    found = Counter(
        (status_of(recipient, message, call.world), OPERATORS[operator_of(recipient.number)], recipient.is_persian)
        for recipient in message.recipients
    )

    def counted(statuses: set[Status], operator: str, *, is_persian: bool) -> int | str:
        number = sum(found[status, operator, is_persian] for status in statuses)
        return str(number) if number else 0

    return ok(
        {
            group: {
                operator: {
                    "en": counted(statuses, operator, is_persian=False),
                    "fa": counted(statuses, operator, is_persian=True),
                }
                for operator in OPERATORS.values()
            }
            for group, statuses in _GROUPS.items()
        }
    )


@serves("reports.inbox", "POST", "/api/report/messages-inbox")
def inbox(call: Call) -> Answer:
    """List the texts that came in, the newest first; with from_id those after it."""
    number, size = call.body.paging()
    filters = call.body.object_or_none("filters")
    after = filters.integer_or_none("from_id", least=0) if filters else None
    call.check()
    lines = call.world.lines_read_by(call.user)
    rows = [
        message
        for message in reversed(call.world.inbox)
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


def _visible(call: Call) -> list[OutboxMessage]:
    family = {user.user_id for user in call.world.family(call.user)}
    return [message for message in call.world.outbox.values() if message.user_id in family]


def _find(call: Call, outbox_id: int) -> OutboxMessage:
    """Find a message of the caller's or of a sub-user's.

    Raises:
        Refusal: 404 if there is none.
    """
    message = call.world.outbox.get(outbox_id)
    if message is None or message.user_id not in {user.user_id for user in call.world.family(call.user)}:
        raise not_found("پیام مورد نظر یافت نشد")
    return message


def _row(call: Call, message: OutboxMessage) -> dict[str, Any]:
    """Show a message as the lists do: counts, ids and times as text, the cost as a float, much of it null."""
    state = state_of(message, call.world)
    name, status = _STATES[state]
    return {
        "username": call.world.users[message.user_id].username,
        "number_color": message.color,
        "number": message.line,
        "number_id": str(message.line_id),
        "messages_outbox_id": str(message.outbox_id),
        "state": name,
        "type": _TYPES.get(message.sending_type, message.sending_type),
        "time_send": str(_seconds(message.send_at)),
        "time": str(_seconds(message.created_at)),
        "rcpts_count": str(len(message.recipients)),
        "exit_count": str(len(message.recipients)),
        "status": status,
        "partner_id": None,
        "in_delivery_line": 0,
        "valid": {State.REVIEW: None, State.REJECTED: "reject"}.get(state, "approve"),
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
