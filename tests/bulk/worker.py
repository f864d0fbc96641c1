"""A process that runs a campaign; the tests kill, stop and interrupt it.

Its argument is JSON. It prints a line at each stage, so that a test can choose the moment: ready, open, loaded, and the
counts as JSON at the end.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from typing import Any

import anyio
import attrs

from ippanel_edge import AsyncEdgeClient
from ippanel_edge._async import exchange
from ippanel_edge.bulk import process
from ippanel_edge.bulk.campaign import Campaign
from ippanel_edge.bulk.records import Method
from tests.bulk.campaigns import Sample


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def run(job: dict[str, Any]) -> None:
    """Load and run a campaign.

    Args:
        job: `ledger`, `client` (the arguments of the client), `sample`, `concurrency`, and `grace` (the seconds that
            a cancelled send has to finish).
    """
    for module in (process, exchange):
        vars(module)["CANCEL_GRACE"] = job["grace"]
    given: dict[str, Any] = job["sample"]
    given["method"] = Method(given["method"])
    sample = Sample(**given)
    async with AsyncEdgeClient(**job["client"]) as client:
        say("ready")
        async with Campaign.open(job["ledger"], client, **sample.terms) as campaign:
            say("open")
            await campaign.load(sample.items)
            say("loaded")
            report = await campaign.run(concurrency=job["concurrency"])
        say(json.dumps(attrs.asdict(report)))


if __name__ == "__main__":
    task = json.loads(sys.argv[1])
    anyio.run(partial(run, task), backend=task.get("backend", "asyncio"))
