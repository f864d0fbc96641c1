"""Sending one chunk: `process_chunk` knows no queue, so that any worker can call it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

import anyio

from ippanel_edge._async._grace import Grace, finish
from ippanel_edge._async.client import AsyncEdgeClient
from ippanel_edge.bulk.calls import build_call, settlement_of
from ippanel_edge.bulk.ledger import Claimed, Ledger
from ippanel_edge.bulk.records import Chunk, LedgerRow, Processed, Settlement, State, Terms
from ippanel_edge.config import CANCEL_GRACE
from ippanel_edge.errors import EdgeError
from ippanel_edge.models.send_result import SendResult
from ippanel_edge.wire.call import Call

_CANCELLED: Final = "the send was cancelled before the service answered"


async def process_chunk(
    ledger: Ledger, chunk_id: int | None = None, *, client: AsyncEdgeClient | None = None
) -> Processed | None:
    """Send one chunk of a campaign and record the result.

    It may be called any number of times for the same chunk, by any number of workers: a chunk that is not pending is
    not sent. So a queue that delivers a job twice, or again after a crash, does no harm.

    If it is cancelled, the send has 5 seconds to finish; without a response it is recorded as unknown. Closing its
    connection may take 5 seconds more.

    Args:
        ledger: an open ledger.
        chunk_id: the chunk; the first one that is pending if omitted.
        client: the client; a new one with the settings of the environment if omitted.

    Returns:
        The result; None if the chunk is not pending, or none is.

    Raises:
        ConfigurationError: the chunk cannot be sent at all, for example because the scheduled time has passed; it is
            pending.
        LedgerError: the ledger cannot be written. If the chunk was being sent, it is unknown when the ledger is
            opened again.
    """
    if client is None:
        async with AsyncEdgeClient() as own:
            return await process_chunk(ledger, chunk_id, client=own)
    claimed = await ledger.claim(partial(_build, ledger.terms), chunk_id)
    if claimed is None:
        return None
    if claimed.built is None:
        settlement = Settlement(state=State.SENT)
        await ledger.settle(claimed.chunk.id, settlement, token=claimed.token)
    else:
        settlement = await _send(ledger, claimed, claimed.built, client)
    return Processed(chunk_id=claimed.chunk.id, rows=len(claimed.rows), settlement=settlement)


def _build(terms: Terms, chunk: Chunk, rows: Sequence[LedgerRow]) -> Call[SendResult] | None:
    """Build the call that sends a chunk; None if all its rows were proven to be sent, so that it has none to send."""
    return build_call(terms, chunk, rows) if rows else None


async def _send(
    ledger: Ledger, claimed: Claimed[Call[SendResult] | None], call: Call[SendResult], client: AsyncEdgeClient
) -> Settlement:
    late: list[Settlement | None] = []
    settlement = Settlement(state=State.PENDING, error=_CANCELLED)  # until the send begins

    async def send() -> Settlement:
        nonlocal settlement
        settlement = Settlement(state=State.UNKNOWN, error=_CANCELLED)
        try:
            result = await client._fetch(call)  # noqa: SLF001 - runs a call that was built before
        except EdgeError as error:
            return settlement_of(error, claimed.chunk)
        return Settlement(state=State.SENT, message_outbox_ids=result.message_outbox_ids)

    try:
        settlement = await finish(send, Grace(lambda: True, CANCEL_GRACE, late.append))
    except Exception as error:  # of a middleware, a listener or this package: the request may have left
        settlement = Settlement(state=State.UNKNOWN, error=f"{type(error).__name__} was raised during the send")
        raise
    except BaseException:
        settlement = next(filter(None, late), settlement)
        raise
    finally:
        with anyio.CancelScope(shield=True):
            await ledger.settle(claimed.chunk.id, settlement, token=claimed.token)
    return settlement
