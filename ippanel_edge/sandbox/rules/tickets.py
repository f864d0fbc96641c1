"""The rules of the tickets section; the actions of the support are methods of `SandboxState`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ippanel_edge.sandbox.bodies import MULTIPART
from ippanel_edge.sandbox.records import Ticket, TicketReply
from ippanel_edge.sandbox.replies import Reply, invalid_message, label, not_found, ok, page
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.state import TICKET_WAITING_FOR_SUPPORT

if TYPE_CHECKING:
    from datetime import datetime

    from ippanel_edge.sandbox.records import TicketCategory

FILE_EXTENSIONS: Final = ("zip", "jpg", "jpeg", "png")
MAX_FILE_BYTES: Final = 10 * 1024 * 1024
_STATES: Final = {1: "waiting", 2: "pending", 3: "replied", 4: "closed", 5: "forwarded"}
_FILES: Final = "https://storage.example.com"


@serves("tickets.create", "POST", "/api/ticket", content_types=(MULTIPART,), resellers_only=True)
def create(call: Call) -> Reply:
    """Create a ticket, which waits for the support; the category of a sub-category is set as well."""
    body = call.body
    subject = body.string("subject")
    category_id = body.integer("category_id", allow_string=True)
    category = call.state.ticket_categories.get(category_id)
    if category_id and category is None:
        body.add_error("category_id", invalid_message(label("category_id")))
    description = body.string("description")
    sms_notification = body.choice_or_none("sms_notification", ("0", "1")) == "1"
    attachment = _attachment(call)
    call.check()
    ticket = Ticket(
        call.state.next_id("ticket"),
        call.user.user_id,
        subject,
        category.parent_id or category_id if category else category_id,
        description,
        call.now,
        call.now,
        sub_category_id=category_id if category and category.parent_id else None,
        sms_notification=sms_notification,
        attachment=attachment,
    )
    call.state.tickets[ticket.ticket_id] = ticket
    return ok({"ticket_id": ticket.ticket_id})


@serves("tickets.list", "GET", "/api/ticket", resellers_only=True)
def listing(call: Call) -> Reply:
    """List the tickets of the caller and its sub-users, newest first."""
    query = call.query
    number, size = query.paging()
    username = query.string_or_none("username")
    filters = {
        name: query.integer_or_none(name) for name in ("ticket_id", "category_id", "sub_category_id", "state_id")
    }
    if filters["state_id"] is not None and filters["state_id"] not in _STATES:
        query.add_error("state_id", invalid_message(label("state_id")))
    call.check()
    rows = [
        ticket
        for ticket in reversed(_visible_tickets(call))
        if (username is None or call.state.users[ticket.user_id].username == username)
        and all(value is None or getattr(ticket, name) == value for name, value in filters.items())
    ]
    return page(rows, lambda ticket: _row(call, ticket), number=number, size=size, path=call.path)


@serves("tickets.get", "GET", "/api/ticket/show", resellers_only=True)
def get(call: Call) -> Reply:
    """Return one ticket with its replies, and mark it as read."""
    ticket_id = call.query.integer("ticket_id")
    call.check()
    ticket = _find(call, ticket_id)
    ticket.user_seen = True
    category = call.state.ticket_categories.get(ticket.category_id)
    return ok(
        {
            **_common(call, ticket),
            "category": category.name if category else None,
            "state": _STATES[ticket.state_id],
            "sub_state_id": None,
            "description": ticket.description,
            "created_at": _plain_time(ticket.created_at),
            "attachment": _file_url(call, ticket, ticket.attachment),
            "interactions": [_interaction(call, ticket, reply) for reply in ticket.replies],
            "manager_comment": "",
        }
    )


@serves("tickets.reply", "POST", "/api/ticket/interaction", content_types=(MULTIPART,), resellers_only=True)
def reply(call: Call) -> Reply:
    """Add a reply to a ticket, which then waits for the support, even if it was closed."""
    body = call.body
    ticket_id = body.integer("ticket_id", allow_string=True)
    description = body.string("description")
    attachment = _attachment(call)
    call.check()
    ticket = _find(call, ticket_id)
    user = call.user
    added = TicketReply(
        call.state.next_id("ticket_reply"), user.user_id, user.username, description, call.now, attachment
    )
    ticket.replies = [*ticket.replies, added]
    ticket.state_id, ticket.admin_seen, ticket.updated_at = TICKET_WAITING_FOR_SUPPORT, False, call.now
    owner = call.state.users[ticket.user_id]
    return ok(
        {
            "interaction_id": added.reply_id,
            "ticket": {"id": ticket.ticket_id, "user_id": owner.user_id, "parent_id": owner.parent_id or 0},
        }
    )


def _attachment(call: Call) -> str | None:
    """Return the name of the optional file (zip, jpg, jpeg or png; at most 10 MB), which is not stored."""
    upload = call.body.upload_or_none("file")
    if upload is None:
        return None
    if upload.name.rpartition(".")[2].lower() not in FILE_EXTENSIONS:
        call.body.add_error("file", f"گزینه {label('file')} باید از نوع {'، '.join(FILE_EXTENSIONS)} باشد")
    if len(upload.content) > MAX_FILE_BYTES:
        call.body.add_error("file", f"حجم {label('file')} نباید بیشتر از 10 مگابایت باشد")
    return upload.name


def _visible_tickets(call: Call) -> list[Ticket]:
    user_ids = {user.user_id for user in call.state.with_sub_users(call.user)}
    return [ticket for ticket in call.state.tickets.values() if ticket.user_id in user_ids]


def _find(call: Call, ticket_id: int) -> Ticket:
    """Return a ticket of the caller or of one of its sub-users.

    Raises:
        Rejection: 404 if there is none.
    """
    for ticket in _visible_tickets(call):
        if ticket.ticket_id == ticket_id:
            return ticket
    raise not_found("تیکت مورد نظر یافت نشد")


def _common(call: Call, ticket: Ticket) -> dict[str, Any]:
    """Return the fields common to the list and to a single ticket."""
    return {
        "id": ticket.ticket_id,
        "ticket_id": ticket.ticket_id,
        "user_id": ticket.user_id,
        "parent_id": call.state.users[ticket.user_id].parent_id or 0,
        "importance": ticket.importance,
        "subject": ticket.subject,
        "category_id": ticket.category_id,
        "sub_category_id": ticket.sub_category_id,
        "state_id": ticket.state_id,
        "close_desc": None,
        "user_seen": int(ticket.user_seen),
        "sms_notification": int(ticket.sms_notification),
        "forward": None,
        "jira_id": None,
        "rate": 0,
    }


def _row(call: Call, ticket: Ticket) -> dict[str, Any]:
    """Serialise a ticket for the list, where category, state and user are objects and times are ISO 8601."""
    categories = call.state.ticket_categories
    return {
        **_common(call, ticket),
        "desc": ticket.description,
        "manager_comment": None,
        "admin_seen": int(ticket.admin_seen),
        "interaction_count": len(ticket.replies),
        "longest_interaction": 0,
        "min_rate": None,
        "deleted_at": None,
        "created_at": _iso_time(ticket.created_at),
        "updated_at": _iso_time(ticket.updated_at),
        "rate_comment": None,
        "user": {"user_id": ticket.user_id, "uname": call.state.users[ticket.user_id].username},
        "category": _category(categories.get(ticket.category_id), "name"),
        "sub_category": _category(categories.get(ticket.sub_category_id or 0), "title"),
        "state": {"id": ticket.state_id, "name": _STATES[ticket.state_id]},
    }


def _category(category: TicketCategory | None, name: str) -> dict[str, Any] | None:
    return None if category is None else {"id": category.category_id, name: category.name}


def _interaction(call: Call, ticket: Ticket, reply: TicketReply) -> dict[str, Any]:
    return {
        "id": reply.reply_id,
        "description": reply.description,
        "agent_id": reply.user_id,
        "agent_username": reply.username,
        "created_at": _plain_time(reply.created_at),
        "attachment": _file_url(call, ticket, reply.attachment),
        "partner_title": reply.username,
        "private": 0,
        "username": reply.username,
    }


def _file_url(call: Call, ticket: Ticket, name: str | None) -> str | None:
    return name and f"{_FILES}/{call.state.users[ticket.user_id].username}/ticket/{name}"


def _plain_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _iso_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
