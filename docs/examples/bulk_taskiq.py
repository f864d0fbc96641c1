"""Send a campaign with taskiq: one task for each chunk. A task that is delivered twice sends nothing the second time.

For workers on other machines, replace the broker: `taskiq worker bulk_taskiq:broker`.
"""

from __future__ import annotations

import asyncio
import os

from taskiq import InMemoryBroker, TaskiqEvents, TaskiqState

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.bulk import Campaign, PostgresLedger, Processed, State, process_chunk

broker = InMemoryBroker()


def ledger() -> PostgresLedger:
    return PostgresLedger(os.environ["DATABASE_URL"], "spring")


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def start(state: TaskiqState) -> None:
    state.client = AsyncEdgeClient()
    state.ledger = ledger()
    await state.ledger.open(None)


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def stop(state: TaskiqState) -> None:
    await state.ledger.aclose()
    await state.client.aclose()


@broker.task
async def send_chunk(chunk_id: int) -> str:
    processed: Processed | None = await process_chunk(broker.state.ledger, chunk_id, client=broker.state.client)
    if processed is None:
        return f"chunk {chunk_id} is not pending: nothing to do"
    if processed.settlement.state is State.PENDING:
        raise RuntimeError(processed.settlement.error)  # a middleware such as SimpleRetryMiddleware retries it
    return f"chunk {chunk_id}: {processed.rows} rows {processed.settlement.state}"


async def load() -> list[int]:
    """Load the rows, and return the chunks to send."""
    opened = ledger()
    async with (
        AsyncEdgeClient() as client,
        Campaign.open(opened, client, message="The sale begins today.", chunk_size=2) as campaign,
    ):
        await campaign.load([f"0912000000{number}" for number in range(5)])
        return [chunk.id for chunk in await opened.chunks(State.PENDING)]


async def main() -> None:
    chunk_ids = await load()
    await broker.startup()
    for chunk_id in [*chunk_ids, chunk_ids[0]]:  # the first one twice, as after a crash
        task = await send_chunk.kiq(chunk_id)
        print((await task.wait_result()).return_value)
    await broker.shutdown()


if __name__ == "__main__":
    asyncio.run(main())
