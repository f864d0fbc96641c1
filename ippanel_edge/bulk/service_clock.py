"""How far the service's clock is ahead of this machine's, as the Date headers of its replies show. It sends nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import attrs

from ippanel_edge.hooks import AsyncProceed
from ippanel_edge.wire.call import Call
from ippanel_edge.wire.reply import Reply

SECOND: Final = timedelta(seconds=1)
"""The resolution of the service's times: a Date header and the time of a message have no fractions."""
_NONE: Final = timedelta(0)


@attrs.define
class ServiceClock:
    """The difference between two clocks, which each reply narrows down.

    Attributes:
        least: the service's clock is at least so far ahead; None without a reply that has the time.
        most: it is at most so far ahead.
    """

    least: timedelta | None = None
    most: timedelta | None = None

    async def observe(self, call: Call[Any], proceed: AsyncProceed) -> Reply[Any]:
        """Take the Date header of a reply into account: a middleware around each attempt."""
        asked = datetime.now(UTC)
        reply = await proceed(call)
        response = reply.response
        if response is not None:
            self.add(response.headers.get("date"), asked, datetime.now(UTC))
        return reply

    def add(self, date: str | None, asked: datetime, answered: datetime) -> None:
        """Take a Date header into account, if it is valid.

        Args:
            date: the header. The reply was created in the second that begins at this time.
            asked: when the request was made, by the clock of this machine.
            answered: when its reply was received, by the same clock.
        """
        try:
            shown = parsedate_to_datetime(date or "")
            if shown.tzinfo is None:  # "-0000": in UTC
                shown = shown.replace(tzinfo=UTC)
            least, most = shown - answered, shown + SECOND - asked
        except (TypeError, ValueError, IndexError, OverflowError):
            return
        self.least = least if self.least is None else max(self.least, least)
        self.most = most if self.most is None else min(self.most, most)

    @property
    def ahead(self) -> timedelta:
        """How far the service's clock is ahead, by the lowest estimate; 0 if the replies do not contradict that."""
        if self.least is None or self.most is None or self.least <= _NONE <= self.most:
            return _NONE
        return self.least
