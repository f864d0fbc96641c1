# Generated from ippanel_edge/_async/sections/tickets.py by tests/codegen/generate_sync.py: edit that, not this.
"""The section `tickets`: support tickets and their replies."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.pagination import Items
from ippanel_edge._sync.runner import Run
from ippanel_edge.api import tickets
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.tickets import Ticket, TicketFilters, TicketReply, TicketSummary
from ippanel_edge.values.checks import check_type, ids, texts
from ippanel_edge.values.files import FileInput
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Tickets:
    """Support tickets and their replies."""

    _run: Run
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
        """Create a ticket.

        Args:
            subject: the subject.
            category_id: the id of the category in the panel.
            description: the question.
            sms_notification: whether to receive an SMS when the ticket is answered.
            file: a path, a binary file object or (name, bytes). Limits are documented for replies only.

        Returns:
            The id of the ticket.

        Raises:
            InvalidArgument: an argument is empty, or the file is missing or empty.
            ValidationFailed: the category does not exist.

        Source: ticket/create-ticket.md.
        """
        return (
            self._run(
                call(
                    endpoints.TICKETS_CREATE,
                    form={
                        **texts(subject=subject, description=description),
                        **ids(category_id=category_id),
                        "sms_notification": int(check_type(sms_notification, bool, argument="sms_notification")),
                    },
                    files=tickets.attachment(file),
                )
            )
        ).ticket_id

    def list(self, *, page: int = 1, per_page: int = 10, filters: TicketFilters | None = None) -> Page[TicketSummary]:
        """List tickets.

        Args:
            page: the page, from 1.
            per_page: rows per page, at most 1,000.
            filters: the tickets to select; all if omitted.

        Raises:
            InvalidArgument: the page or a filter is out of range.

        Source: ticket/list-ticket.md.
        """
        return self._run(
            call(
                endpoints.TICKETS_LIST,
                query=tickets.listing(self._defaults, page, per_page, filters),
            )
        )

    def iter_list(self, *, filters: TicketFilters | None = None, per_page: int = 100) -> Iterator[TicketSummary]:
        """Iterate over all tickets, fetching pages lazily.

        Args:
            filters: the tickets to select; all if omitted.
            per_page: rows per page, at most 1,000.

        Source: ticket/list-ticket.md.
        """
        return Items(lambda page: self.list(page=page, per_page=per_page, filters=filters))

    def get(self, ticket_id: int) -> Ticket:
        """Return one ticket with its replies.

        Args:
            ticket_id: from `create` or `list`.

        Raises:
            NotFound: the ticket does not exist.

        Source: ticket/ticket-id.md.
        """
        return self._run(call(endpoints.TICKETS_GET, query=ids(ticket_id=ticket_id)))

    def reply(self, ticket_id: int, description: str, *, file: FileInput | None = None) -> TicketReply:
        """Reply to a ticket.

        Args:
            ticket_id: from `create` or `list`.
            description: the reply.
            file: zip, jpg, jpeg or png, at most 10 MB, as a path, a binary file object or (name, bytes).

        Raises:
            InvalidArgument: an argument is empty, or the file is missing or exceeds its limits.
            NotFound: the ticket does not exist.

        Source: ticket/reply-ticket.md.
        """
        return self._run(
            call(
                endpoints.TICKETS_REPLY,
                form={**ids(ticket_id=ticket_id), **texts(description=description)},
                files=tickets.reply_attachment(self._defaults, file),
            )
        )
