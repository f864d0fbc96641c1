"""Following the delivery of the sent rows of a campaign to its end. Nothing is sent."""

from __future__ import annotations

from typing import Final

import anyio

from ippanel_edge._async import _io
from ippanel_edge._async.client import AsyncEdgeClient
from ippanel_edge._async.faults import is_transient
from ippanel_edge.bulk.ledger import Ledger
from ippanel_edge.bulk.reads import Reads
from ippanel_edge.bulk.records import FINAL, Tracked
from ippanel_edge.errors import EdgeError
from ippanel_edge.models.reports import RecipientReport
from ippanel_edge.models.states import DeliveryStatus, MessageState
from ippanel_edge.values.checks import check_seconds

_ROWS: Final = 1000
_BATCH: Final = 1000
_FAULTS: Final = 5
"""Rounds in a row with a transient error after which it is raised."""


async def track(ledger: Ledger, client: AsyncEdgeClient, *, seconds: float, every: float) -> Tracked:
    """Read the delivery status of all sent rows until none can change any more, or until the time is over.

    Args:
        ledger: the ledger, which records the statuses.
        client: the client.
        seconds: the maximum time. Reads in progress are then cancelled.
        every: seconds between two rounds.

    Returns:
        What the ledger knows at the end.

    Raises:
        EdgeError: the service rejects a request, or five rounds in a row failed.
    """
    check_seconds(seconds, argument="timeout")
    check_seconds(every, argument="every")
    with anyio.move_on_after(seconds):
        await _rounds(ledger, client, every, until=_io.monotonic() + seconds)
    counts = await ledger.counts()
    done = counts.delivered + counts.not_delivered
    return Tracked(delivered=counts.delivered, not_delivered=counts.not_delivered, open=max(0, counts.sent - done))


async def _rounds(ledger: Ledger, client: AsyncEdgeClient, every: float, *, until: float) -> None:
    """Read in rounds, unless the next one would begin too late."""
    reads = Reads()
    faults = 0
    left = 1
    while True:
        try:
            left = await _round(ledger, client, reads)
            faults = 0
        except EdgeError as error:
            faults += 1
            if not (is_transient(error) or error.timed_out) or faults >= _FAULTS:
                raise
        if not left or _io.monotonic() + every >= until:
            return
        await _io.sleep(every)


async def _round(ledger: Ledger, client: AsyncEdgeClient, reads: Reads) -> int:
    """Read each message with rows without a final status, and return the number of those that have some still."""
    after = open_messages = 0
    while messages := await ledger.undelivered(after=after, limit=_BATCH):
        after = messages[-1][0]

        async def read(message: tuple[int, int]) -> None:
            nonlocal open_messages
            message_id, rows = message
            statuses = await _statuses(client, message_id)
            await ledger.set_delivery(message_id, statuses)
            final = sum(status in FINAL for status in statuses.values())
            open_messages += "" not in statuses and final < rows

        await reads.each(messages, read)
    return open_messages


async def _statuses(client: AsyncEdgeClient, message_id: int) -> dict[str, str]:
    """Return the delivery status by number; that of all others under ``""`` if the message was not sent to them."""
    rows = [row async for row in client.reports.iter_recipients(message_id, per_page=_ROWS)]
    statuses = {row.recipient or "?": _name(row) for row in rows}
    if all(status in FINAL for status in statuses.values()) and statuses:
        return statuses
    state = (await client.reports.by_id(message_id)).state_id
    if not isinstance(state, MessageState) or not state.is_failure:
        return statuses
    final = {recipient: status for recipient, status in statuses.items() if status in FINAL}
    return {**final, "": "cancelled" if state is MessageState.CANCELLED else "failed"}


def _name(row: RecipientReport) -> str:
    status = row.message_status
    return status.name.lower() if isinstance(status, DeliveryStatus) else str(status)
