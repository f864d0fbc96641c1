"""Send a message and handle each outcome; look an unknown outcome up in the outbox before sending again.

Usage: python handle_outcomes.py RECIPIENT...

The last four reserved numbers of the sandbox show every outcome, for example +989990000007.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from ippanel_edge import AsyncEdgeClient, ConnectionFailed, EdgeError, Outcome, normalize_phone
from ippanel_edge.models import OutboxFilters

LOOKUPS = 3
"""Lookups in the outbox: the service may still be processing the request at the first one."""
LOOKUP_EVERY = 0.5
"""Seconds between two lookups. Use more against the service, for example 10."""


async def find_sent(client: AsyncEdgeClient, recipient: str, message: str, since: datetime) -> int | None:
    """Return the id of the message if the outbox contains it, else None."""
    filters = OutboxFilters(message=message, create_from_date=since)
    async for sent in client.reports.iter_outbox(filters=filters):
        if sent.message != message or sent.messages_outbox_id is None:
            continue
        async for row in client.reports.iter_recipients(sent.messages_outbox_id):
            if row.recipient == recipient:
                return sent.messages_outbox_id
    return None


async def send(client: AsyncEdgeClient, recipient: str, message: str) -> str:
    """Send one message and return what happened, in words."""
    since = datetime.now(UTC) - timedelta(minutes=1)  # the clocks of two machines differ
    try:
        result = await client.send.webservice(recipient, message)
    except EdgeError as error:
        if error.outcome is Outcome.NOT_SENT:
            may_retry = isinstance(error, ConnectionFailed) and error.retryable
            return "not sent: send it again later" if may_retry else f"not sent: {error}"
        if error.outcome is Outcome.REJECTED:
            return f"rejected: {type(error).__name__}"
    else:
        return f"sent as message {result.id}"
    for _ in range(LOOKUPS):
        await asyncio.sleep(LOOKUP_EVERY)
        found = await find_sent(client, recipient, message, since)
        if found is not None:
            return f"unknown, but the outbox has it: message {found}"
    return "unknown, and the outbox does not have it: a person decides"


async def main(recipients: list[str]) -> None:
    async with AsyncEdgeClient(deadline=20.0) as client:
        for recipient in recipients:
            number = normalize_phone(recipient)
            print(number, await send(client, number, "Your order is on its way."))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or ["09123456789"]))
