"""A process that runs the jobs of chunks with a rate so low that it waits before its second send; a test kills it."""

from __future__ import annotations

import json
import sys
from typing import Any

import anyio
import procrastinate

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.config import RateLimit
from ippanel_edge.integrations.procrastinate import add_chunk_task


async def work(conninfo: str, options: dict[str, Any]) -> None:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo))
    async with AsyncEdgeClient(**options) as client:
        jobs = add_chunk_task(app, conninfo, client=client, rate=RateLimit(0.01))
        async with app.open_async(), jobs:
            await app.run_worker_async(queues=["ippanel_edge"], concurrency=1)


if __name__ == "__main__":
    anyio.run(work, *json.loads(sys.argv[1]))
