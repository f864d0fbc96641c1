"""Read a pattern, count the parts and the price of its message, and send it.

Usage: python pattern_and_price.py [RECIPIENT]

`welcome` is the code of a pattern with the variables `name` (a str) and `points` (an int).
"""

from __future__ import annotations

import asyncio
import sys

from ippanel_edge import AsyncEdgeClient, PatternStatus, sms_parts


async def main(recipient: str) -> None:
    values = {"name": "Sara", "points": 120}
    async with AsyncEdgeClient() as client:
        pattern = await client.patterns.get("welcome")
        if pattern.pattern_status is not PatternStatus.ACTIVE or pattern.pattern_message is None:
            raise SystemExit("the pattern is not active")
        message = pattern.pattern_message
        for name, value in values.items():
            message = message.replace(f"%{name}%", str(value))
        parts = sms_parts(message)
        print(parts.encoding, parts.units, "units", parts.parts, "part")
        price = await client.send.calculate_price(message)
        print("price", price.mci_price, "Rials (MCI),", price.other_price, "Rials (other operators)")
        result = await client.send.pattern("welcome", recipient, values)
        print("sent as message", result.id)


if __name__ == "__main__":
    asyncio.run(main(*(sys.argv[1:] or ["09123456789"])))
