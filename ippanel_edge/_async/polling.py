"""Watching: a message until it is delivered, and the inbox for what comes in. Looks again and again; sends nothing."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from typing import Final, Protocol, Self

import attrs

from ippanel_edge._async import _io
from ippanel_edge.errors import ApiError, ConfigurationError, ConnectionFailed, EdgeError, RateLimited, ServerError
from ippanel_edge.models.common import Page
from ippanel_edge.models.reports import InboxMessage, OutboxMessage, RecipientReport
from ippanel_edge.models.states import MessageState

LONGEST_PAUSE: Final = 60.0
"""Seconds that a follower waits at the most between looks while the service cannot be reached."""
_ROWS: Final = 100
_MISPLACED: Final = frozenset({408, 421, 425})
"""Statuses that speak of the connection, not of what was asked."""


class AsyncInbox(Protocol):
    """`reports.inbox`, as a follower uses it."""

    def __call__(
        self, *, page: int = 1, per_page: int = 10, from_id: int | None = None
    ) -> Awaitable[Page[InboxMessage]]:
        """List texts that came in, the newest first."""
        ...


class AsyncDelivery(Protocol):
    """What watching a delivery needs of `reports`."""

    def by_id(self, message_outbox_id: int) -> Awaitable[OutboxMessage]:
        """Give one message."""
        ...

    def iter_recipients(self, message_outbox_id: int, *, per_page: int = 100) -> AsyncIterator[RecipientReport]:
        """Walk all recipients of a message."""
        ...


async def watch_delivery(
    reports: AsyncDelivery, message_outbox_id: int, *, seconds: float, every: float
) -> list[RecipientReport]:
    """Look at a message's recipients until all are final, the message has failed, or the time is up.

    Raises:
        ConfigurationError: a time that is not above 0.
    """
    _above_zero(seconds, "timeout")
    _above_zero(every, "every")
    ends = _io.monotonic() + seconds
    while True:
        message = await reports.by_id(message_outbox_id)
        rows = [row async for row in reports.iter_recipients(message_outbox_id, per_page=1000)]
        failed = isinstance(message.state_id, MessageState) and message.state_id.is_failure
        left = ends - _io.monotonic()
        if failed or left <= 0 or (rows and all(row.is_final for row in rows)):
            return rows
        await _io.sleep(min(every, left))


class AsyncInboxFollower(AsyncIterator[InboxMessage]):
    """The texts that come in, each once, the oldest first; never at an end."""

    def __init__(self, inbox: AsyncInbox, *, from_id: int | None, every: float) -> None:
        _above_zero(every, "every")
        self._inbox = inbox
        self._after = from_id
        self._every = every
        self._pause = every
        self._waiting: deque[InboxMessage] = deque()
        self._looked = False

    def __aiter__(self) -> Self:
        """Go on from where it stands."""
        return self

    async def __anext__(self) -> InboxMessage:
        """Give the next text, waiting for it."""
        while not self._waiting:
            if self._looked:
                await _io.sleep(self._pause)
            self._looked = True
            try:
                await self._look()
            except EdgeError as error:
                if not _may_pass(error):
                    raise
                wanted = error.retry_after or 0.0 if isinstance(error, ApiError) else 0.0
                self._pause = min(max(self._pause * 2, wanted), max(LONGEST_PAUSE, self._every))
            else:
                self._pause = self._every
        message = self._waiting.popleft()
        self._after = message.messages_inbox_id
        return message

    async def _look(self) -> None:
        """Fetch all that came after the last text; a text that arrives meanwhile may show on two pages."""
        if self._after is None:
            newest = await self._inbox(per_page=1)
            self._after = max((row.messages_inbox_id or 0 for row in newest), default=0)
            return
        found: dict[int, InboxMessage] = {}
        number = 0
        goes_on = True
        while goes_on:
            number += 1
            page = await self._inbox(page=number, per_page=_ROWS, from_id=self._after)
            new = {row.messages_inbox_id: row for row in page if (row.messages_inbox_id or 0) > self._after}
            found.update((row_id, row) for row_id, row in new.items() if row_id is not None)
            # A page of old texts alone is the end too: the newest come first.
            goes_on = bool(new) and attrs.evolve(page, current_page=number).has_next
        self._waiting.extend(found[row_id] for row_id in sorted(found))


def _may_pass(error: EdgeError) -> bool:
    """Whether waiting may help: not where the service, or this SDK, refuses the question itself."""
    if isinstance(error, ApiError):
        return isinstance(error, ServerError | RateLimited) or error.status_code in _MISPLACED
    if isinstance(error, ConnectionFailed):
        return error.passing
    return not isinstance(error, ConfigurationError)


def _above_zero(seconds: object, argument: str) -> None:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds < math.inf:
        raise ConfigurationError(f"must be a number of seconds above 0, not {seconds!r}", argument=argument)
