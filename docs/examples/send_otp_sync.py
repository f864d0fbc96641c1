"""Send a one-time password with a pattern, with the synchronous client.

Usage: python send_otp_sync.py [RECIPIENT]

The client reads IPPANEL_API_KEY and IPPANEL_FROM_NUMBER. `otp` is the code of a pattern with the variable `code`.
"""

from __future__ import annotations

import secrets
import sys

from ippanel_edge import EdgeClient


def main(recipient: str) -> None:
    code = f"{secrets.randbelow(100_000):05}"
    with EdgeClient(deadline=10.0) as client:
        result = client.send.pattern("otp", recipient, {"code": code})
        print("sent as message", result.id)


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["09123456789"]))
