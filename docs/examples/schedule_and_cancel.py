"""Schedule a message for tomorrow at 10:00 in Tehran, and cancel it.

Usage: python schedule_and_cancel.py [RECIPIENT]
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ippanel_edge import AsyncEdgeClient, MessageState


async def main(recipient: str) -> None:
    tomorrow = datetime.now(ZoneInfo("Asia/Tehran")) + timedelta(days=1)
    send_time = tomorrow.replace(hour=10, minute=0, second=0, microsecond=0)
    async with AsyncEdgeClient() as client:
        result = await client.send.webservice(recipient, "See you at noon.", send_time=send_time)
        await client.send.cancel(result.id)  # until 5 minutes before the send time
        message = await client.reports.by_id(result.id)
        print("cancelled" if message.state_id is MessageState.CANCELLED else message.state_id)


if __name__ == "__main__":
    asyncio.run(main(*(sys.argv[1:] or ["09123456789"])))
