"""The rate of a sender line in PostgreSQL: its turns are shared by all ledgers of the database."""

from __future__ import annotations

import pytest

from ippanel_edge._async import _io
from ippanel_edge.bulk import PostgresLedger
from ippanel_edge.config import RateLimit
from tests.bulk.postgres.campaigns import TERMS, execute
from tests.bulk.postgres.conftest import OpenLedger

pytestmark = pytest.mark.anyio

RATE = RateLimit(0.1)  # so slow that the time of the test itself does not count


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited for; nothing sleeps."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(round(seconds, 0))

    monkeypatch.setattr(_io, "sleep", sleep)
    return waited


async def test_turns_are_shared_by_ledgers(open_ledger: OpenLedger, waits: list[float]) -> None:
    first, second = (await open_ledger()).turns(RATE, "+98300"), (await open_ledger()).turns(RATE, "+98300")
    await first.wait()
    await second.wait()
    await first.wait()
    assert waits == [10, 20]


async def test_turns_are_shared_by_campaigns(open_ledger: OpenLedger, database: str, waits: list[float]) -> None:
    another = PostgresLedger(database, "another")
    await another.open(TERMS)
    await (await open_ledger()).turns(RATE, "+98300").wait()
    await another.turns(RATE, "+98300").wait()
    await another.aclose()
    assert waits == [10]


async def test_each_line_has_its_own_turns(open_ledger: OpenLedger, waits: list[float]) -> None:
    ledger = await open_ledger()
    await ledger.turns(RATE, "+98300").wait()
    await ledger.turns(RATE, "+98301").wait()
    assert waits == []


async def test_a_burst_is_allowed_after_a_pause(open_ledger: OpenLedger, database: str, waits: list[float]) -> None:
    turns = (await open_ledger()).turns(RateLimit(0.1, burst=3), "+98300")
    for _ in range(4):
        await turns.wait()
    assert waits == [10]
    waits.clear()
    execute(database, "UPDATE ippanel_edge.lines SET next_at = now() - interval '1 hour'")
    for _ in range(4):
        await turns.wait()
    assert waits == [10], "a longer pause allows no longer burst"
