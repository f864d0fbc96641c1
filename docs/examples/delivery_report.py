"""Send a message, wait until every recipient has a final status, and print the report.

Usage: python delivery_report.py RECIPIENT...
"""

from __future__ import annotations

import asyncio
import sys

from ippanel_edge import AsyncEdgeClient, DeliveryStatus, MessageState


async def main(recipients: list[str]) -> None:
    async with AsyncEdgeClient() as client:
        result = await client.send.webservice(recipients, "Your order is on its way.")
        report = await client.reports.wait_delivered(result, timeout=60, every=0.5)
        for row in report:
            status = row.message_status
            name = status.name if isinstance(status, DeliveryStatus) else str(status)  # a new number stays an int
            print(row.recipient, name, "" if row.is_final else "(not final)")
        # wait_delivered also returns if the message failed or the time is over: the reason tells them apart.
        message = report.messages[result.id]
        state = message.state_id
        print("reason", report.reason.name, "state", state.name if isinstance(state, MessageState) else state)
        print("cost", message.cost, "Rials")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:] or ["09123456789"]))
