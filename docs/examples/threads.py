"""Send from several threads with one client.

Usage: python threads.py RECIPIENT...
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from ippanel_edge import EdgeClient, EdgeError


def main(recipients: list[str]) -> None:
    with EdgeClient(deadline=20.0) as client, ThreadPoolExecutor(max_workers=8) as pool:

        def send(recipient: str) -> str:
            try:
                return f"{recipient} sent as message {client.send.webservice(recipient, 'Hello').id}"
            except EdgeError as error:
                return f"{recipient} {error.outcome}"

        for line in pool.map(send, recipients):
            print(line)


if __name__ == "__main__":
    main(sys.argv[1:] or ["09123456789", "09351234567"])
