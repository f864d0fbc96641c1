"""Send a campaign with Procrastinate: the jobs are in the database of the ledger, and are added with their chunks.

procrastinate --app bulk_procrastinate.app schema --apply
python bulk_procrastinate.py load
python bulk_procrastinate.py work      # on any number of machines
"""

from __future__ import annotations

import asyncio
import os
import sys

from procrastinate import App, PsycopgConnector

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.bulk import Campaign, PostgresLedger
from ippanel_edge.config import RateLimit
from ippanel_edge.integrations.procrastinate import add_chunk_task

DATABASE = os.environ["DATABASE_URL"]

app = App(connector=PsycopgConnector(conninfo=DATABASE))
jobs = add_chunk_task(app, DATABASE, rate=RateLimit(50))  # requests per second of a line, over all workers


@app.periodic(cron="* * * * *")
@app.task(queue="ippanel_edge", queueing_lock="retry_stalled", priority=1)
async def retry_stalled(timestamp: int) -> None:
    """Retry the jobs of workers that were killed: Procrastinate does not do it. A chunk is sent once all the same."""
    if retried := await jobs.retry_stalled():
        print(f"{timestamp}: {retried} jobs are retried")


async def load() -> None:
    ledger = PostgresLedger(DATABASE, "spring", queue=jobs)
    async with (
        AsyncEdgeClient() as client,
        Campaign.open(ledger, client, message="The sale begins today.", chunk_size=2) as campaign,
    ):
        report = await campaign.load([f"0912000000{number}" for number in range(5)])
        print(f"loaded {report.added} rows, {report.already_loaded} were there before")


async def work() -> None:
    async with app.open_async(), jobs:
        await app.run_worker_async(queues=["ippanel_edge"], concurrency=8, wait="--once" not in sys.argv)


async def show() -> None:
    async with AsyncEdgeClient() as client, Campaign.resume(PostgresLedger(DATABASE, "spring"), client) as campaign:
        counts = await campaign.counts()
        print(f"sent {counts.sent}, pending {counts.pending}, unknown {counts.unknown}")


async def main() -> None:
    steps = {"load": load, "work": work, "show": show}
    for name in sys.argv[1:]:
        if name in steps:
            await steps[name]()


if __name__ == "__main__":
    asyncio.run(main())
