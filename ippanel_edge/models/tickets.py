"""Models of support tickets and their replies. The items of a list and a single ticket have different fields."""

from __future__ import annotations

from datetime import datetime

import attrs

from ippanel_edge.models.common import Model
from ippanel_edge.models.fields import checked
from ippanel_edge.models.states import TicketState


@attrs.frozen(kw_only=True)
class CreatedTicket(Model):
    """The result of creating a ticket. Source: ticket/create-ticket.md.

    Attributes:
        ticket_id: the new ticket's id.
    """

    ticket_id: int


@attrs.frozen(kw_only=True)
class TicketUser(Model):
    """The user who created a ticket.

    Attributes:
        user_id: the user's id.
        uname: the user name.
    """

    user_id: int | None = None
    uname: str | None = None


@attrs.frozen(kw_only=True)
class TicketCategory(Model):
    """The category of a ticket."""

    id: int | None = None
    name: str | None = None


@attrs.frozen(kw_only=True)
class TicketSubCategory(Model):
    """The sub-category of a ticket."""

    id: int | None = None
    title: str | None = None


@attrs.frozen(kw_only=True)
class TicketStateName(Model):
    """The state of a ticket and its name in the service, such as ``replied``."""

    id: TicketState | int | None = None
    name: str | None = None


@attrs.frozen(kw_only=True)
class TicketForward(Model):
    """A forward of a ticket to another user.

    Attributes:
        id: the id of the forward.
        from_: the id of the user who forwarded the ticket (the API's ``from``).
        to: the id of the user who received the ticket.
        ticket_id: the ticket's id.
        seen: whether that user has read the ticket.
        created_at: the time of the forward (UTC).
        updated_at: the time of the last change (UTC).
        deleted_at: the time at which the forward was deleted (UTC).
    """

    id: int | None = None
    from_: int | None = attrs.field(default=None, metadata={"name": "from"})
    to: int | None = None
    ticket_id: int | None = None
    seen: bool | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    deleted_at: datetime | None = None


@attrs.frozen(kw_only=True)
class TicketSummary(Model):
    """A ticket in a list. Source: ticket/list-ticket.md.

    Attributes:
        ticket_id: the ticket's id, which other calls take; equal to `id`.
        user_id: the id of the user who created the ticket.
        parent_id: the id of that user's parent.
        importance: the priority, such as ``normal`` or ``acute``.
        state_id: the state; an unknown number stays a plain int.
        desc: the text of the ticket.
        admin_seen: whether the support team has read the ticket.
        user_seen: whether you have read the latest reply.
        sms_notification: whether you are notified of a reply by SMS.
        interaction_count: the number of replies, including yours.
        longest_interaction: the longest time before a reply; the unit is not documented.
        rate: the rating of the support.
    """

    id: int | None = None
    ticket_id: int | None = None
    user_id: int | None = None
    parent_id: int | None = None
    category_id: int | None = None
    sub_category_id: int | None = None
    importance: str | None = None
    state_id: TicketState | int | None = None
    subject: str | None = None
    desc: str | None = None
    manager_comment: str | None = None
    close_desc: str | None = None
    admin_seen: bool | None = None
    user_seen: bool | None = None
    sms_notification: bool | None = None
    interaction_count: int | None = None
    longest_interaction: int | None = None
    min_rate: float | None = None
    deleted_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    jira_id: int | None = None
    rate: float | None = None
    rate_comment: str | None = None
    user: TicketUser | None = None
    category: TicketCategory | None = None
    sub_category: TicketSubCategory | None = None
    state: TicketStateName | None = None
    forward: TicketForward | None = None


@attrs.frozen(kw_only=True)
class TicketInteraction(Model):
    """A reply in a ticket, by the support team or by you. Source: ticket/ticket-id.md.

    Attributes:
        id: the reply's id, equal to `TicketReply.interaction_id`.
        description: the text of the reply.
        agent_id: the id of the author.
        agent_username: the user name of the author.
        created_at: the time of the reply (UTC).
        attachment: the URL of the attached file.
        private: whether the reply is hidden from the user who created the ticket.
    """

    id: int | None = None
    description: str | None = None
    agent_id: int | None = None
    agent_username: str | None = None
    created_at: datetime | None = None
    attachment: str | None = None
    partner_title: str | None = None
    private: bool | None = None
    username: str | None = None


@attrs.frozen(kw_only=True)
class Ticket(Model):
    """A single ticket with all its replies. Source: ticket/ticket-id.md.

    Attributes:
        ticket_id: the ticket's id; equal to `id`.
        user_id: the id of the user who created the ticket.
        parent_id: the id of that user's parent.
        importance: the priority, such as ``normal`` or ``acute``.
        category: the name of the category.
        state: the state as the service names it, such as ``replied``.
        state_id: the state; an unknown number stays a plain int.
        description: the text of the ticket.
        user_seen: whether you have read the latest reply.
        sms_notification: whether you are notified of a reply by SMS.
        created_at: the creation time (UTC).
        attachment: the URL of the file attached to the ticket.
        interactions: the replies, by the support team and by you.
        rate: the rating of the support.
    """

    id: int | None = None
    ticket_id: int | None = None
    user_id: int | None = None
    parent_id: int | None = None
    importance: str | None = None
    subject: str | None = None
    category: str | None = None
    category_id: int | None = None
    sub_category_id: int | None = None
    state: str | None = None
    state_id: TicketState | int | None = None
    sub_state_id: int | None = None
    description: str | None = None
    close_desc: str | None = None
    user_seen: bool | None = None
    sms_notification: bool | None = None
    created_at: datetime | None = None
    attachment: str | None = None
    interactions: tuple[TicketInteraction, ...] = ()
    forward: TicketForward | None = None
    manager_comment: str | None = None
    jira_id: int | None = None
    rate: float | None = None


@attrs.frozen(kw_only=True)
class RepliedTicket(Model):
    """The ticket that a reply belongs to: its id, the user who created it, and that user's parent."""

    id: int | None = None
    user_id: int | None = None
    parent_id: int | None = None


@attrs.frozen(kw_only=True)
class TicketReply(Model):
    """The result of replying to a ticket. Source: ticket/reply-ticket.md.

    Attributes:
        interaction_id: the reply's id, as in `Ticket.interactions`.
        ticket: the ticket that the reply belongs to.
    """

    interaction_id: int | None = None
    ticket: RepliedTicket | None = None


@attrs.frozen(kw_only=True, field_transformer=checked)
class TicketFilters(Model):
    """Filters of the list of tickets; unset fields are omitted. Source: ticket/list-ticket.md.

    Attributes:
        username: the name of the user who created the ticket.
        ticket_id: the id of a single ticket.
        category_id: the id of the category.
        sub_category_id: the id of the sub-category.
        state_id: the state.
    """

    username: str | None = None
    ticket_id: int | None = None
    category_id: int | None = None
    sub_category_id: int | None = None
    state_id: TicketState | int | None = None
