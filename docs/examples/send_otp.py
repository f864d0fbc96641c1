"""Send a one-time password with a pattern, asynchronously.

Usage: python send_otp.py [RECIPIENT]

The client reads IPPANEL_API_KEY and IPPANEL_FROM_NUMBER. `otp` is the code of a pattern with the variable `code`.
"""

from __future__ import annotations

import asyncio
import secrets
import sys

from ippanel_edge import AsyncEdgeClient, RateLimited


async def main(recipient: str) -> None:
    code = f"{secrets.randbelow(100_000):05}"
    async with AsyncEdgeClient(deadline=10.0) as client:
        try:
            result = await client.send.pattern("otp", recipient, {"code": code})
        except RateLimited:
            print("this message was sent to this number less than 40 seconds ago")
        else:
            print("sent as message", result.id)


if __name__ == "__main__":
    asyncio.run(main(*(sys.argv[1:] or ["09123456789"])))
