"""Ledgers in PostgreSQL for tests: asyncio only, and every ledger is closed at the end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from ippanel_edge.bulk import PostgresLedger, Terms
from ippanel_edge.bulk.postgres_load import ChunkQueue
from tests.bulk.postgres.campaigns import TERMS

OpenLedger = Callable[..., Awaitable[PostgresLedger]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def open_ledger(database: str) -> AsyncIterator[OpenLedger]:
    """Open ledgers of one campaign: each is a worker."""
    opened: list[PostgresLedger] = []

    async def open_one(terms: Terms | None = TERMS, queue: ChunkQueue | None = None) -> PostgresLedger:
        ledger = PostgresLedger(database, "spring", queue=queue)
        opened.append(ledger)
        await ledger.open(terms)
        return ledger

    yield open_one
    for ledger in opened:
        await ledger.aclose()
