"""Send a campaign with Celery: one task for each chunk. A task that is delivered twice sends nothing the second time.

DATABASE_URL=postgresql://… BROKER_URL=redis://… celery -A bulk_celery worker
DATABASE_URL=postgresql://… BROKER_URL=redis://… python bulk_celery.py
"""

from __future__ import annotations

import os

import anyio
from celery import Celery

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.bulk import Campaign, PostgresLedger, State, process_chunk

app = Celery("bulk_celery", broker=os.environ["BROKER_URL"])
app.conf.task_acks_late = app.conf.task_reject_on_worker_lost = True  # deliver it again if its worker was killed


def ledger() -> PostgresLedger:
    return PostgresLedger(os.environ["DATABASE_URL"], "spring")


class ChunkPendingError(Exception):
    """The chunk was not sent, so the task is retried."""


@app.task(name="send_chunk", autoretry_for=(ChunkPendingError,), retry_backoff=True, max_retries=None)
def send_chunk(chunk_id: int) -> None:
    anyio.run(send, chunk_id)


async def send(chunk_id: int) -> None:
    async with AsyncEdgeClient() as client, Campaign.resume(opened := ledger(), client):
        processed = await process_chunk(opened, chunk_id, client=client)
    if processed is None:
        print(f"chunk {chunk_id} is not pending: nothing to do")
        return
    settlement = processed.settlement
    print(f"chunk {chunk_id}: {processed.rows} rows {settlement.state}")
    if settlement.state is State.PENDING:
        raise ChunkPendingError(settlement.error)


async def load() -> list[int]:
    """Load the rows, and return the chunks to send."""
    opened = ledger()
    async with (
        AsyncEdgeClient() as client,
        Campaign.open(opened, client, message="The sale begins today.", chunk_size=2) as campaign,
    ):
        await campaign.load([f"0912000000{number}" for number in range(5)])
        return [chunk.id for chunk in await opened.chunks(State.PENDING)]


def main() -> None:
    chunk_ids = anyio.run(load)
    for chunk_id in [*chunk_ids, chunk_ids[0]]:  # the first one twice, as after a crash
        send_chunk.delay(chunk_id)


if __name__ == "__main__":
    main()
