"""Reports: what became of messages, and what came in."""

from __future__ import annotations

from collections.abc import AsyncIterator

import attrs

from ippanel_edge import endpoints
from ippanel_edge._async.pagination import AsyncItems
from ippanel_edge._async.polling import AsyncInboxFollower, watch_delivery
from ippanel_edge._async.runner import AsyncCaller
from ippanel_edge.config import Defaults
from ippanel_edge.models.common import Page
from ippanel_edge.models.reports import BulkStats, InboxMessage, OutboxFilters, OutboxMessage, RecipientReport
from ippanel_edge.values.checks import between, identity, paging
from ippanel_edge.wire import codec


@attrs.frozen(repr=False, eq=False)
class Reports:
    """The outbox, the recipients of a message, its figures, and the inbox."""

    _call: AsyncCaller
    _defaults: Defaults

    async def outbox(
        self, *, page: int = 1, limit: int = 10, filters: OutboxFilters | None = None
    ) -> Page[OutboxMessage]:
        """List messages, the newest first.

        Args:
            page: from 1.
            limit: rows a page, at most 1,000.
            filters: which messages; all where unset.

        Source: report/outbox-report.md.
        """
        return await self._call(
            endpoints.REPORTS_OUTBOX,
            json={
                **paging(page, limit, size_name="limit", check=self._defaults.validate),
                **codec.under("filters", filters),
            },
        )

    def iter_outbox(self, *, filters: OutboxFilters | None = None, limit: int = 100) -> AsyncIterator[OutboxMessage]:
        """Walk all messages, page by page, the newest first.

        Args:
            filters: which messages; all where unset.
            limit: rows a page, at most 1,000.

        Source: report/outbox-report.md.
        """
        return AsyncItems(lambda page: self.outbox(page=page, limit=limit, filters=filters))

    async def by_id(self, message_outbox_id: int) -> OutboxMessage:
        """Give one message.

        Args:
            message_outbox_id: from its SendResult.

        Raises:
            NotFound: there is no such message.

        Source: report/outbox-report-id.md.
        """
        return await self._call(
            endpoints.REPORTS_BY_ID,
            query={"messages_outbox_id": identity(message_outbox_id, argument="message_outbox_id")},
        )

    async def recipients(self, message_outbox_id: int, *, page: int = 1, per_page: int = 10) -> Page[RecipientReport]:
        """List what became of a message at each recipient.

        Args:
            message_outbox_id: from its SendResult.
            page: from 1.
            per_page: rows a page, at most 1,000.

        Source: report/bulk-recipient.md.
        """
        return await self._call(
            endpoints.REPORTS_RECIPIENTS,
            query={
                **paging(page, per_page, check=self._defaults.validate),
                "bulk_id": identity(message_outbox_id, argument="message_outbox_id"),
            },
        )

    def iter_recipients(self, message_outbox_id: int, *, per_page: int = 100) -> AsyncIterator[RecipientReport]:
        """Walk all recipients of a message, page by page.

        Args:
            message_outbox_id: from its SendResult.
            per_page: rows a page, at most 1,000.

        Source: report/bulk-recipient.md.
        """
        return AsyncItems(lambda page: self.recipients(message_outbox_id, page=page, per_page=per_page))

    async def stats(self, message_outbox_id: int) -> BulkStats:
        """Count the messages of a send by what became of them, by operator and by language.

        Args:
            message_outbox_id: from its SendResult.

        Source: report/bulk-stats.md.
        """
        return await self._call(
            endpoints.REPORTS_STATS, query={"bulk_id": identity(message_outbox_id, argument="message_outbox_id")}
        )

    async def inbox(self, *, page: int = 1, per_page: int = 10, from_id: int | None = None) -> Page[InboxMessage]:
        """List texts that came in, the newest first.

        Args:
            page: from 1.
            per_page: rows a page, at most 1,000.
            from_id: only those after this id.

        Source: report/inbox-report.md.
        """
        return await self._call(
            endpoints.REPORTS_INBOX,
            json={
                **paging(page, per_page, check=self._defaults.validate),
                **({} if from_id is None else {"filters": {"from_id": between(from_id, 0, None, argument="from_id")}}),
            },
        )

    def iter_inbox(self, *, from_id: int | None = None, per_page: int = 100) -> AsyncIterator[InboxMessage]:
        """Walk all texts that came in, page by page, the newest first.

        Args:
            from_id: only those after this id.
            per_page: rows a page, at most 1,000.

        Source: report/inbox-report.md.
        """
        return AsyncItems(lambda page: self.inbox(page=page, per_page=per_page, from_id=from_id))

    def follow_inbox(self, *, from_id: int | None = None, every: float = 5.0) -> AsyncIterator[InboxMessage]:
        """Wait for texts and give each once, the oldest first. It never ends; leave it when you like.

        A fault that may pass (no connection, a time-out, 5xx, 429) is waited out, ever longer up to a minute.

        Args:
            from_id: begin after this id; left out, with what comes from now on.
            every: seconds between looks.

        Raises:
            ApiError: the service refuses, so that waiting does not help: a wrong key, say.

        Source: report/inbox-report.md.
        """
        return AsyncInboxFollower(self.inbox, from_id=from_id, every=every)

    async def wait_delivered(
        self,
        message_outbox_id: int,
        *,
        timeout: float = 120,  # noqa: ASYNC109 - when it is over, what is known is given
        every: float = 2.0,
    ) -> list[RecipientReport]:
        """Wait until a message is delivered, not delivered or blacklisted at each recipient, or until the time is up.

        Args:
            message_outbox_id: from its SendResult.
            timeout: seconds to wait at the most.
            every: seconds between looks.

        Returns:
            The recipients as they stood at the last look; `is_final` says of each whether more is to come. It
            returns at once where the message as a whole has failed: rejected by review, cancelled, no credit.

        Source: report/bulk-recipient.md.
        """
        return await watch_delivery(self, message_outbox_id, seconds=timeout, every=every)
