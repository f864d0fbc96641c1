# Generated from ippanel_edge/_async/sections/tickets.py by tests/codegen/generate_sync.py: edit that, not this.
"""Tickets: questions to the support, and what is answered."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.pagination import Items
from ippanel_edge._sync.runner import Caller
from ippanel_edge.api import tickets
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.tickets import Ticket, TicketFilters, TicketReply, TicketSummary
from ippanel_edge.values.checks import identity
from ippanel_edge.values.files import FileInput


@attrs.frozen(repr=False, eq=False)
class Tickets:
    """Questions to the support, and what is answered."""

    _call: Caller
    _defaults: Defaults

    def create(
        self,
        subject: str,
        category_id: int,
        description: str,
        *,
        sms_notification: bool = False,
        file: FileInput | None = None,
    ) -> int:
        """Ask the support.

        Args:
            subject: what it is about, in a few words.
            category_id: the category, as the panel has it.
            description: the question.
            sms_notification: whether to be texted when it is answered.
            file: zip, jpg, jpeg or png, at most 10 MB: a path, a binary file object or (name, bytes).

        Returns:
            The ticket's id.

        Raises:
            ConfigurationError: an argument is empty, or the file is missing or over its limits.
            ValidationFailed: there is no such category.

        Source: ticket/create-ticket.md.
        """
        return (
            self._call(
                endpoints.TICKETS_CREATE,
                form=tickets.question(subject, category_id, description, sms_notification=sms_notification),
                files=tickets.attachment(self._defaults, file),
            )
        ).ticket_id

    def list(self, *, page: int = 1, per_page: int = 10, filters: TicketFilters | None = None) -> Page[TicketSummary]:
        """List tickets.

        Args:
            page: from 1.
            per_page: rows a page, at most 1,000.
            filters: which tickets; all where unset.

        Raises:
            ConfigurationError: the page or a filter is out of its limits.

        Source: ticket/list-ticket.md.
        """
        return self._call(
            endpoints.TICKETS_LIST,
            query=tickets.listing(self._defaults, page=page, per_page=per_page, filters=filters),
        )

    def iter_list(self, *, filters: TicketFilters | None = None, per_page: int = 100) -> Iterator[TicketSummary]:
        """Walk all tickets, page by page.

        Args:
            filters: which tickets; all where unset.
            per_page: rows a page, at most 1,000.

        Source: ticket/list-ticket.md.
        """
        return Items(lambda page: self.list(page=page, per_page=per_page, filters=filters))

    def get(self, ticket_id: int) -> Ticket:
        """Give one ticket with its answers.

        Args:
            ticket_id: from `create` or `list`.

        Raises:
            NotFound: there is no such ticket.

        Source: ticket/ticket-id.md.
        """
        return self._call(endpoints.TICKETS_GET, query={"ticket_id": identity(ticket_id, argument="ticket_id")})

    def reply(self, ticket_id: int, description: str, *, file: FileInput | None = None) -> TicketReply:
        """Add to a ticket.

        Args:
            ticket_id: from `create` or `list`.
            description: what to say.
            file: zip, jpg, jpeg or png, at most 10 MB: a path, a binary file object or (name, bytes).

        Raises:
            ConfigurationError: an argument is empty, or the file is missing or over its limits.
            NotFound: there is no such ticket.

        Source: ticket/reply-ticket.md.
        """
        return self._call(
            endpoints.TICKETS_REPLY,
            form=tickets.answer(ticket_id, description),
            files=tickets.attachment(self._defaults, file),
        )
