"""A process that loads and sends one campaign from a file, and measures itself.

    python -m benchmarks.campaign PEER URL CORE

It prints {} when it is ready. Each command {"file", "ledger"} is answered by a round, per row of the file.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Final

import anyio
import attrs

from benchmarks.measure import Round
from benchmarks.peers import KEY, LINE
from benchmarks.process import commands, peak_memory, pin, reply
from benchmarks.targets import CAMPAIGN_OWN
from ippanel_edge import AsyncEdgeClient
from ippanel_edge.bulk import Campaign, read_rows

CONCURRENCY: Final = 8
MESSAGES: Final = {True: "سلام {name}، سفارش شما آماده است.", False: "سفارش شما آماده است."}


async def run(url: str, file: str, ledger: str, *, own_texts: bool) -> dict[str, Any]:
    """Send a campaign with the fast transport, and measure from opening the ledger to its end."""
    began, cpu = time.perf_counter(), time.process_time()
    async with AsyncEdgeClient(KEY, base_url=url, from_number=LINE, transport="fast") as client:
        campaign = Campaign.open(ledger, client, message=MESSAGES[own_texts])
        async with campaign:
            loaded = await campaign.load(read_rows(file, recipient="mobile"))
            report = await campaign.run(concurrency=CONCURRENCY)
    wall = time.perf_counter() - began
    measured = Round(
        cpu=(time.process_time() - cpu) / loaded.rows * 1e6,
        wall=wall,
        rate=loaded.rows / wall,
        each=wall / loaded.rows * 1e6,
        rss=peak_memory(),
        failed=loaded.added - report.counts.sent,
    )
    return attrs.asdict(measured)


def main() -> None:
    """Run the process."""
    name, url, core = sys.argv[1:]
    pin(int(core))
    reply({})
    for command in commands():
        reply(anyio.run(_measure, url, command["file"], command["ledger"], name == CAMPAIGN_OWN))


async def _measure(url: str, file: str, ledger: str, own_texts: bool) -> dict[str, Any]:  # noqa: FBT001 - anyio.run passes positional arguments
    return await run(url, file, ledger, own_texts=own_texts)


if __name__ == "__main__":
    main()
