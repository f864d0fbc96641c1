# Generated from ippanel_edge/_async/sections/reports.py by tests/codegen/generate_sync.py: edit that, not this.
"""The section `reports`: the outbox, delivery status, statistics, and the inbox."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import attrs

from ippanel_edge import endpoints
from ippanel_edge._sync.delivery import poll_delivery
from ippanel_edge._sync.pagination import Items
from ippanel_edge._sync.polling import InboxFollower
from ippanel_edge._sync.runner import Run
from ippanel_edge.api.fields import nested_filters
from ippanel_edge.api.messages import message_id, message_ids
from ippanel_edge.config import Defaults
from ippanel_edge.errors import EdgeError
from ippanel_edge.models.common import Page
from ippanel_edge.models.reports import (
    BulkStats,
    DeliveryReport,
    InboxMessage,
    OutboxFilters,
    OutboxMessage,
    RecipientReport,
)
from ippanel_edge.models.send_result import SendResult
from ippanel_edge.values.checks import paging, ranges
from ippanel_edge.wire.call import call


@attrs.frozen(repr=False, eq=False)
class Reports:
    """Sent messages, their delivery status and statistics, and received messages."""

    _run: Run
    _defaults: Defaults
    _is_closed: Callable[[], bool]

    def outbox(self, *, page: int = 1, limit: int = 10, filters: OutboxFilters | None = None) -> Page[OutboxMessage]:
        """List sent messages, newest first.

        Args:
            page: the page, from 1.
            limit: rows per page, at most 1,000.
            filters: the messages to select; all if omitted.

        Source: report/outbox-report.md.
        """
        return self._run(
            call(
                endpoints.REPORTS_OUTBOX,
                json={
                    **paging(page, limit=limit, check=self._defaults.validate),
                    **nested_filters(filters, OutboxFilters),
                },
            )
        )

    def iter_outbox(self, *, filters: OutboxFilters | None = None, limit: int = 100) -> Iterator[OutboxMessage]:
        """Iterate over all sent messages, newest first, fetching pages lazily.

        Args:
            filters: the messages to select; all if omitted.
            limit: rows per page, at most 1,000.

        Source: report/outbox-report.md.
        """
        return Items(lambda page: self.outbox(page=page, limit=limit, filters=filters))

    def by_id(self, message_outbox_id: int | SendResult) -> OutboxMessage:
        """Return one message.

        Args:
            message_outbox_id: the id, or the SendResult of one message.

        Raises:
            NotFound: the message does not exist.

        Source: report/outbox-report-id.md.
        """
        return self._run(
            call(
                endpoints.REPORTS_BY_ID,
                query={"messages_outbox_id": message_id(message_outbox_id)},
            )
        )

    def recipients(
        self, message_outbox_id: int | SendResult, *, page: int = 1, per_page: int = 10
    ) -> Page[RecipientReport]:
        """List the delivery status of a message for each recipient.

        Args:
            message_outbox_id: the id, or the SendResult of one message.
            page: the page, from 1.
            per_page: rows per page, at most 1,000.

        Source: report/bulk-recipient.md.
        """
        return self._run(
            call(
                endpoints.REPORTS_RECIPIENTS,
                query={
                    **paging(page, per_page=per_page, check=self._defaults.validate),
                    "bulk_id": message_id(message_outbox_id),
                },
            )
        )

    def iter_recipients(self, message_outbox_id: int | SendResult, *, per_page: int = 100) -> Iterator[RecipientReport]:
        """Iterate over all recipients of a message, fetching pages lazily.

        Args:
            message_outbox_id: the id, or the SendResult of one message.
            per_page: rows per page, at most 1,000.

        Source: report/bulk-recipient.md.
        """
        return Items(lambda page: self.recipients(message_outbox_id, page=page, per_page=per_page))

    def stats(self, message_outbox_id: int | SendResult) -> BulkStats:
        """Return delivery statistics of a send by status, operator and language.

        Args:
            message_outbox_id: the id, or the SendResult of one message.

        Source: report/bulk-stats.md.
        """
        return self._run(call(endpoints.REPORTS_STATS, query={"bulk_id": message_id(message_outbox_id)}))

    def inbox(self, *, page: int = 1, per_page: int = 10, from_id: int | None = None) -> Page[InboxMessage]:
        """List received messages, newest first.

        Args:
            page: the page, from 1.
            per_page: rows per page, at most 1,000.
            from_id: select messages after this id.

        Source: report/inbox-report.md.
        """
        return self._run(
            call(
                endpoints.REPORTS_INBOX,
                json={
                    **paging(page, per_page=per_page, check=self._defaults.validate),
                    **({} if from_id is None else {"filters": ranges(0, from_id=from_id)}),
                },
            )
        )

    def iter_inbox(self, *, from_id: int | None = None, per_page: int = 100) -> Iterator[InboxMessage]:
        """Iterate over all received messages, newest first, fetching pages lazily.

        Args:
            from_id: select messages after this id.
            per_page: rows per page, at most 1,000.

        Source: report/inbox-report.md.
        """
        return Items(lambda page: self.inbox(page=page, per_page=per_page, from_id=from_id))

    def follow_inbox(
        self,
        *,
        from_id: int | None = None,
        every: float = 5.0,
        on_fault: Callable[[EdgeError, float], object] | None = None,
    ) -> Iterator[InboxMessage]:
        """Yield received messages, each exactly once, oldest first, until the client is closed or you break out.

        Transient errors (no connection, timeout, 5xx, 429) are logged and retried with exponential backoff, at most
        60 s.

        Args:
            from_id: start after this id; by default, yield the messages that arrive from now on.
            every: seconds between polls.
            on_fault: called after each transient error, with the error and the seconds until the next poll. An
                exception that it raises ends the iteration.

        Raises:
            ApiError: the service rejects the request permanently, for example because the key is wrong.

        Source: report/inbox-report.md.
        """
        return InboxFollower(self.inbox, from_id=from_id, every=every, on_fault=on_fault, is_closed=self._is_closed)

    def wait_delivered(
        self,
        message_outbox_id: int | SendResult | Iterable[int | SendResult],
        *,
        timeout: float = 120,  # noqa: ASYNC109 - a timeout here is not an error: the current status is returned
        every: float = 2.0,
        on_fault: Callable[[EdgeError, float], object] | None = None,
    ) -> DeliveryReport:
        """Wait until every recipient has a final delivery status, or until `timeout` seconds have passed.

        It stops waiting for a message that failed as a whole: rejected in the review, cancelled, no credit. It does
        not stop for a message that is pending review.

        Many messages are polled together, with a bounded number of requests per poll: the outbox lists 1,000 messages
        per request, and at most about 50 pages of recipients are read. Each message takes at least one request for its
        recipients, so thousands of messages take many polls; use a long timeout.

        Transient errors (no connection, timeout, 5xx, 429) are logged and retried with exponential backoff, at most
        60 s.

        Args:
            message_outbox_id: an id, a SendResult (all its messages), or an iterable of them.
            timeout: the maximum of seconds to wait. The last poll may take up to 5 seconds longer.
            every: seconds between polls.
            on_fault: called after each transient error, with the error and the seconds until the next poll. An
                exception that it raises ends the wait.

        Returns:
            The recipients at the last poll, as a sequence, with the reason for returning and the state of each
            message. `is_final` of a recipient says whether its status can still change.

        Raises:
            NotFound: a message does not exist.
            EdgeError: the service rejects a request, or no poll succeeded before the time was over.

        Source: report/bulk-recipient.md.
        """
        return poll_delivery(
            self,
            message_ids(message_outbox_id),
            seconds=timeout,
            every=every,
            on_fault=on_fault,
            is_closed=self._is_closed,
        )
