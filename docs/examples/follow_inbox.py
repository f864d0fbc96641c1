"""Print the messages that arrive on your lines, each exactly once, also after a restart.

Usage: python follow_inbox.py [COUNT]

It stops after COUNT messages, or never. The id of the last message is stored in last_inbox_id.txt.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.models import InboxMessage

LAST_ID = Path("last_inbox_id.txt")


def last_id() -> int:
    """Return the id of the last message that was handled; 0 stands for the beginning of the inbox."""
    return int(LAST_ID.read_text("utf-8")) if LAST_ID.exists() else 0


def store(message: InboxMessage) -> None:
    """Store the id of a message that was handled."""
    LAST_ID.write_text(str(message.messages_inbox_id), "utf-8")


async def main(count: int | None) -> None:
    seen = 0
    async with AsyncEdgeClient() as client:
        async for message in client.reports.follow_inbox(from_id=last_id(), every=1.0):
            print(message.from_, "to", message.number, message.message)
            store(message)
            seen += 1
            if seen == count:
                break


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else None))
