"""Polling of the inbox for new messages. Sends nothing."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Protocol, Self

import attrs

from ippanel_edge._async import _io
from ippanel_edge._async.faults import AsyncFaults
from ippanel_edge.errors import ApiError, EdgeError
from ippanel_edge.models.common import Page
from ippanel_edge.models.reports import InboxMessage

_ROWS: Final = 100


class AsyncInbox(Protocol):
    """The signature of `reports.inbox`."""

    def __call__(
        self, *, page: int = 1, per_page: int = 10, from_id: int | None = None
    ) -> Awaitable[Page[InboxMessage]]:
        """List received messages, newest first."""
        ...


class AsyncInboxFollower(AsyncIterator[InboxMessage]):
    """Received messages, each exactly once, oldest first. It ends when the client is closed."""

    def __init__(
        self,
        inbox: AsyncInbox,
        *,
        from_id: int | None,
        every: float,
        on_fault: Callable[[EdgeError, float], object] | None,
        is_closed: Callable[[], bool],
    ) -> None:
        self._inbox = inbox
        self._after = from_id
        self._faults = AsyncFaults("reports.follow_inbox", every=every, on_fault=on_fault)
        self._is_closed = is_closed
        self._waiting: deque[InboxMessage] = deque()
        self._started = False

    def __aiter__(self) -> Self:
        """Return the iterator itself."""
        return self

    async def __anext__(self) -> InboxMessage:
        """Return the next message; wait for it if necessary."""
        while not self._waiting:
            if self._started:
                await _io.pause(self._faults.pause, stopped=self._is_closed)
                if self._is_closed():
                    raise StopAsyncIteration
            self._started = True
            was_open = not self._is_closed()
            try:
                await self._poll()
            except EdgeError as error:
                if was_open and self._is_closed() and not isinstance(error, ApiError):
                    raise StopAsyncIteration from None  # closing the client interrupted the request
                await self._faults.failed(error)
            else:
                self._faults.succeeded()
        message = self._waiting.popleft()
        self._after = message.messages_inbox_id
        return message

    async def _poll(self) -> None:
        """Fetch all messages after the last one; a message that arrives meanwhile may be on two pages."""
        if self._after is None:
            newest = await self._inbox(per_page=1)
            self._after = max((row.messages_inbox_id or 0 for row in newest), default=0)
            return
        found: dict[int, InboxMessage] = {}
        number = 0
        has_more = True
        while has_more:
            number += 1
            page = await self._inbox(page=number, per_page=_ROWS, from_id=self._after)
            new = {row.messages_inbox_id: row for row in page if (row.messages_inbox_id or 0) > self._after}
            found.update((row_id, row) for row_id, row in new.items() if row_id is not None)
            # A page with only old messages is the end too: the newest are first.
            has_more = bool(new) and attrs.evolve(page, current_page=number).has_next
        self._waiting.extend(found[row_id] for row_id in sorted(found))
