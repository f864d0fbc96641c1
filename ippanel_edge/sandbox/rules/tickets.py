"""The rules of the tickets section: asking the support, looking, adding. What the support does is in `World`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ippanel_edge.sandbox.records import Ticket, TicketReply
from ippanel_edge.sandbox.replies import Answer, label, not_found, not_valid_text, ok, page
from ippanel_edge.sandbox.routes import Call, serves
from ippanel_edge.sandbox.store import TICKET_FOR_SUPPORT

if TYPE_CHECKING:
    from datetime import datetime

    from ippanel_edge.sandbox.records import TicketCategory

KINDS: Final = ("zip", "jpg", "jpeg", "png")
MOST_BYTES: Final = 10 * 1024 * 1024
_STATES: Final = {1: "waiting", 2: "pending", 3: "replied", 4: "closed", 5: "forwarded"}
_FILES: Final = "https://storage.example.com"


@serves("tickets.create", "POST", "/api/ticket")
def create(call: Call) -> Answer:
    """Make a ticket, which waits for the support; a sub-category brings its category along."""
    body = call.body
    subject = body.text("subject")
    category_id = body.integer("category_id", spelled=True)
    category = call.world.ticket_categories.get(category_id)
    if category_id and category is None:
        body.fail("category_id", not_valid_text(label("category_id")))
    description = body.text("description")
    sms_notification = body.choice_or_none("sms_notification", ("0", "1")) == "1"
    attachment = _attachment(call)
    call.check()
    ticket = Ticket(
        call.world.next_id("ticket"),
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
    call.world.tickets[ticket.ticket_id] = ticket
    return ok({"ticket_id": ticket.ticket_id})


@serves("tickets.list", "GET", "/api/ticket")
def listing(call: Call) -> Answer:
    """List the caller's and its sub-users' tickets, the newest first."""
    query = call.query
    number, size = query.paging()
    username = query.text_or_none("username")
    wanted = {name: query.integer_or_none(name) for name in ("ticket_id", "category_id", "sub_category_id", "state_id")}
    if wanted["state_id"] is not None and wanted["state_id"] not in _STATES:
        query.fail("state_id", not_valid_text(label("state_id")))
    call.check()
    rows = [
        ticket
        for ticket in reversed(_visible(call))
        if (username is None or call.world.users[ticket.user_id].username == username)
        and all(value is None or getattr(ticket, name) == value for name, value in wanted.items())
    ]
    return page(rows, lambda ticket: _row(call, ticket), number=number, size=size, path=call.path)


@serves("tickets.get", "GET", "/api/ticket/show")
def get(call: Call) -> Answer:
    """Show one ticket with its answers; from then on they count as read."""
    ticket_id = call.query.integer("ticket_id")
    call.check()
    ticket = _find(call, ticket_id)
    ticket.user_seen = True
    category = call.world.ticket_categories.get(ticket.category_id)
    return ok(
        {
            **_common(call, ticket),
            "category": category.name if category else None,
            "state": _STATES[ticket.state_id],
            "sub_state_id": None,
            "description": ticket.description,
            "created_at": _plain_time(ticket.created_at),
            "attachment": _address(call, ticket, ticket.attachment),
            "interactions": [_interaction(call, ticket, reply) for reply in ticket.replies],
            "manager_comment": "",
        }
    )


@serves("tickets.reply", "POST", "/api/ticket/interaction")
def reply(call: Call) -> Answer:
    """Add to a ticket; it waits for the support again, also where it was closed."""
    body = call.body
    ticket_id = body.integer("ticket_id", spelled=True)
    description = body.text("description")
    attachment = _attachment(call)
    call.check()
    ticket = _find(call, ticket_id)
    user = call.user
    added = TicketReply(
        call.world.next_id("ticket_reply"), user.user_id, user.username, description, call.now, attachment
    )
    ticket.replies.append(added)
    ticket.state_id, ticket.admin_seen, ticket.updated_at = TICKET_FOR_SUPPORT, False, call.now
    owner = call.world.users[ticket.user_id]
    return ok(
        {
            "interaction_id": added.reply_id,
            "ticket": {"id": ticket.ticket_id, "user_id": owner.user_id, "parent_id": owner.parent_id or 0},
        }
    )


def _attachment(call: Call) -> str | None:
    """Read the optional file: zip, jpg, jpeg or png, at most 10 MB. Its name is all that is kept."""
    upload = call.body.upload_or_none("file")
    if upload is None:
        return None
    if upload.name.rpartition(".")[2].lower() not in KINDS:
        call.body.fail("file", f"گزینه {label('file')} باید از نوع {'، '.join(KINDS)} باشد")
    if len(upload.content) > MOST_BYTES:
        call.body.fail("file", f"حجم {label('file')} نباید بیشتر از 10 مگابایت باشد")
    return upload.name


def _visible(call: Call) -> list[Ticket]:
    family = {user.user_id for user in call.world.family(call.user)}
    return [ticket for ticket in call.world.tickets.values() if ticket.user_id in family]


def _find(call: Call, ticket_id: int) -> Ticket:
    """Find a ticket of the caller's or of a sub-user's.

    Raises:
        Refusal: 404 if there is none.
    """
    for ticket in _visible(call):
        if ticket.ticket_id == ticket_id:
            return ticket
    raise not_found("تیکت مورد نظر یافت نشد")


def _common(call: Call, ticket: Ticket) -> dict[str, Any]:
    """Show what the list's rows and the single ticket have in common."""
    return {
        "id": ticket.ticket_id,
        "ticket_id": ticket.ticket_id,
        "user_id": ticket.user_id,
        "parent_id": call.world.users[ticket.user_id].parent_id or 0,
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
    """Show a ticket as the list does: category, state and user are objects there, times ISO."""
    categories = call.world.ticket_categories
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
        "user": {"user_id": ticket.user_id, "uname": call.world.users[ticket.user_id].username},
        "category": _named(categories.get(ticket.category_id), "name"),
        "sub_category": _named(categories.get(ticket.sub_category_id or 0), "title"),
        "state": {"id": ticket.state_id, "name": _STATES[ticket.state_id]},
    }


def _named(category: TicketCategory | None, name: str) -> dict[str, Any] | None:
    return None if category is None else {"id": category.category_id, name: category.name}


def _interaction(call: Call, ticket: Ticket, reply: TicketReply) -> dict[str, Any]:
    return {
        "id": reply.reply_id,
        "description": reply.description,
        "agent_id": reply.user_id,
        "agent_username": reply.username,
        "created_at": _plain_time(reply.created_at),
        "attachment": _address(call, ticket, reply.attachment),
        "partner_title": reply.username,
        "private": 0,
        "username": reply.username,
    }


def _address(call: Call, ticket: Ticket, name: str | None) -> str | None:
    return name and f"{_FILES}/{call.world.users[ticket.user_id].username}/ticket/{name}"


def _plain_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def _iso_time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"
