"""Models of tickets: questions to the support, with their answers. A list's row and a single ticket differ."""

from __future__ import annotations

from datetime import datetime

import attrs

from ippanel_edge.models.states import TicketState


@attrs.frozen(kw_only=True)
class CreatedTicket:
    """What creating a ticket answers. Source: ticket/create-ticket.md.

    Attributes:
        ticket_id: the new ticket's id.
    """

    ticket_id: int


@attrs.frozen(kw_only=True)
class TicketUser:
    """Who asks.

    Attributes:
        user_id: the user's id.
        uname: the user's name.
    """

    user_id: int | None = None
    uname: str | None = None


@attrs.frozen(kw_only=True)
class TicketCategory:
    """What a ticket is about: its id and name."""

    id: int | None = None
    name: str | None = None


@attrs.frozen(kw_only=True)
class TicketSubCategory:
    """What a ticket is about, more closely: its id and title."""

    id: int | None = None
    title: str | None = None


@attrs.frozen(kw_only=True)
class TicketStateName:
    """A ticket's state with the service's own word for it, such as ``replied``."""

    id: TicketState | int | None = None
    name: str | None = None


@attrs.frozen(kw_only=True)
class TicketForward:
    """Who handed a ticket on to whom.

    Attributes:
        id: of the forwarding.
        from_: the user it came from (the API's ``from``).
        to: the user it went to.
        ticket_id: the ticket.
        seen: whether it was read there.
        created_at: when (UTC).
        updated_at: when it last changed (UTC).
        deleted_at: when it was taken back (UTC).
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
class TicketSummary:
    """A ticket as the list shows it. Source: ticket/list-ticket.md.

    Attributes:
        ticket_id: what the other calls take; `id` is the same.
        user_id: who asks.
        parent_id: the user above the one who asks.
        importance: such as ``normal`` or ``acute``.
        state_id: the state; a number that this SDK does not know stays a plain int.
        desc: the question.
        admin_seen: whether the support has read it.
        user_seen: whether you have read the latest answer.
        sms_notification: whether an answer is texted to you.
        interaction_count: answers, yours included.
        longest_interaction: the longest wait for one, in the service's unit.
        rate: how the support was rated.
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
class TicketInteraction:
    """One answer within a ticket, the support's or your own. Source: ticket/ticket-id.md.

    Attributes:
        id: what `TicketReply.interaction_id` names.
        description: what it says.
        agent_id: the user who wrote it.
        agent_username: that user's name.
        created_at: when (UTC).
        attachment: the address of its file.
        private: whether it is kept from whoever asks.
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
class Ticket:
    """A single ticket with all its answers. Source: ticket/ticket-id.md.

    Attributes:
        ticket_id: its id; `id` is the same.
        user_id: who asks.
        parent_id: the user above the one who asks.
        importance: such as ``normal`` or ``acute``.
        category: what it is about, by name.
        state: the service's own word for the state, such as ``replied``.
        state_id: the state; a number that this SDK does not know stays a plain int.
        description: the question.
        user_seen: whether you have read the latest answer.
        sms_notification: whether an answer is texted to you.
        created_at: when (UTC).
        attachment: the address of the question's file.
        interactions: the answers, the support's and your own.
        rate: how the support was rated.
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
class RepliedTicket:
    """The ticket that a reply went to: its id, who asks, and the user above."""

    id: int | None = None
    user_id: int | None = None
    parent_id: int | None = None


@attrs.frozen(kw_only=True)
class TicketReply:
    """What a reply answers. Source: ticket/reply-ticket.md.

    Attributes:
        interaction_id: the reply's id, which `Ticket.interactions` shows.
        ticket: the ticket it went to.
    """

    interaction_id: int | None = None
    ticket: RepliedTicket | None = None


@attrs.frozen(kw_only=True)
class TicketFilters:
    """Which tickets are wanted; unset fields are left out. Source: ticket/list-ticket.md.

    Attributes:
        username: the user who asks.
        ticket_id: one ticket.
        category_id: what it is about.
        sub_category_id: what it is about, more closely.
        state_id: the state.
    """

    username: str | None = None
    ticket_id: int | None = None
    category_id: int | None = None
    sub_category_id: int | None = None
    state_id: TicketState | int | None = None
