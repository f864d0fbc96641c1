"""Workers in PostgreSQL: what an ended worker was sending becomes unknown, and running workers are left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

import psycopg
import pytest

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.bulk import Campaign, CampaignError, Counts, LedgerError, PostgresLedger, Settlement, State
from tests.bulk.postgres.campaigns import build, claim, end_connections, execute, load, sent, wait_until, workers
from tests.bulk.postgres.conftest import OpenLedger

pytestmark = pytest.mark.anyio


async def test_two_workers_share_a_campaign(open_ledger: OpenLedger) -> None:
    first, second = await open_ledger(), await open_ledger(None)
    await load(first, 4)
    mine, theirs = await claim(first), await claim(second)
    assert (mine.chunk.id, theirs.chunk.id) == (1, 2)
    await (await open_ledger()).aclose()  # opening looks for workers that have ended
    assert await first.counts() == Counts(pending=2, sending=2)
    await second.settle(2, sent(20), token=theirs.token)
    await first.settle(1, sent(10), token=mine.token)
    assert await second.counts() == Counts(pending=2, sent=2)


async def test_a_worker_that_has_ended_leaves_its_chunk_unknown(open_ledger: OpenLedger, database: str) -> None:
    first = await open_ledger()
    await load(first, 2)
    before = workers(database)
    ended = await open_ledger()
    await claim(ended)
    end_connections(database, only=[pid for pid in workers(database) if pid not in before])
    assert (await claim(first)).chunk.id == 2
    assert await first.claim(build) is None  # it finds nothing, so it looks for workers that have ended
    assert await first.counts() == Counts(unknown=1, sending=1)
    (chunk,) = await first.chunks(State.UNKNOWN)
    assert chunk.id == 1
    assert chunk.error is not None
    assert "the worker ended" in chunk.error


async def test_workers_look_for_ended_ones_regularly(open_ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    first, ended = await open_ledger(), await open_ledger()
    await load(first, 4)
    await claim(ended)
    await claim(first)
    await ended.aclose()
    await claim(first)
    assert (await first.counts()).unknown == 0
    monkeypatch.setattr("ippanel_edge.bulk.postgres._SWEEP", 0.0)
    await claim(first)
    assert (await first.counts()).unknown == 1


@contextmanager
def claiming(database: str, chunk_id: int) -> Generator[psycopg.Connection]:
    """Be another worker whose claim of a chunk is not committed yet."""
    with psycopg.connect(database) as other:
        other.execute("UPDATE ippanel_edge.chunks SET state = 'sending' WHERE id = %s", (chunk_id,))
        yield other


async def wait_until_one_waits(database: str) -> None:
    query = "SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    await asyncio.to_thread(wait_until, database, query)


async def test_a_worker_does_not_end_while_another_one_claims_the_last_chunk(
    open_ledger: OpenLedger, database: str
) -> None:
    ledger = await open_ledger()
    await load(ledger, 1)
    with claiming(database, 1) as other:
        waiting = asyncio.create_task(claim(ledger))
        await wait_until_one_waits(database)
        other.rollback()  # the server does so if that worker is killed
        assert (await waiting).chunk.id == 1


async def test_a_worker_ends_when_another_one_has_claimed_the_last_chunk(
    open_ledger: OpenLedger, database: str
) -> None:
    ledger = await open_ledger()
    await load(ledger, 2)
    await claim(ledger)
    with claiming(database, 2) as other:
        waiting = asyncio.create_task(ledger.claim(build))
        await wait_until_one_waits(database)
        other.commit()
        assert await waiting is None


async def test_a_chunk_that_another_worker_does_not_finish_to_claim_is_left_to_it(
    open_ledger: OpenLedger, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = await open_ledger()
    await load(ledger, 2)
    monkeypatch.setattr("ippanel_edge.bulk.postgres_reads._CLAIM_WAIT", "10ms")
    with claiming(database, 1) as other:
        assert (await claim(ledger)).chunk.id == 2  # it waits for the first one only when there is no other
        assert await ledger.claim(build) is None
        other.rollback()
    assert (await claim(ledger)).chunk.id == 1


async def test_one_claim_of_a_worker_waits_at_a_time(open_ledger: OpenLedger, database: str) -> None:
    ledger = await open_ledger()
    await load(ledger, 1)
    with claiming(database, 1) as other:
        waiting = asyncio.create_task(ledger.claim(build))
        await wait_until_one_waits(database)
        assert await ledger.claim(build) is None
        other.commit()
        assert await waiting is None


async def test_a_run_says_that_rows_are_left_to_other_workers(
    open_ledger: OpenLedger, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await load(await open_ledger(), 1)
    monkeypatch.setattr("ippanel_edge.bulk.postgres_reads._CLAIM_WAIT", "10ms")
    async with (
        AsyncEdgeClient("key", base_url="https://127.0.0.1:9") as client,
        Campaign.resume(PostgresLedger(database, "spring"), client) as campaign,
    ):
        with claiming(database, 1):
            report = await campaign.run()
        assert (report.counts.pending, report.requests) == (1, 0)
        assert report.stopped is not None
        assert "other workers are claiming" in report.stopped


async def test_a_claim_by_id_of_an_ended_worker_is_never_sent_again(open_ledger: OpenLedger) -> None:
    first, ended = await open_ledger(), await open_ledger()
    await load(first, 1)
    await claim(ended, 1)
    await ended.aclose()
    assert await first.claim(build, 1) is None  # the job is delivered again
    assert await first.counts() == Counts(unknown=1)
    assert await first.claim(build, 1) is None


@pytest.mark.parametrize("state", [State.SENT, State.REJECTED, State.PENDING, State.UNKNOWN])
async def test_a_worker_without_its_connections_records_what_it_knows(
    open_ledger: OpenLedger, database: str, state: State
) -> None:
    first, second = await open_ledger(), await open_ledger()
    await load(first, 1)
    claimed = await claim(first)
    end_connections(database)
    assert await second.claim(build) is None
    assert await second.counts() == Counts(unknown=1)
    settlement = Settlement(state=state, message_outbox_ids=(10,) if state is State.SENT else (), error="late")
    await first.settle(1, settlement, token=claimed.token)
    (chunk,) = await second.chunks(state)
    assert (chunk.message_outbox_ids, chunk.error) == (settlement.message_outbox_ids, "late")


async def test_a_late_result_is_recorded_before_the_released_chunk_is_claimed(open_ledger: OpenLedger) -> None:
    first, second = await open_ledger(), await open_ledger()
    await load(first, 1)
    claimed = await claim(first)
    await first._worker.aclose()
    await second.claim(build)
    assert await second.release(State.UNKNOWN) == 1
    await first.settle(1, sent(10), token=claimed.token)
    assert await second.counts() == Counts(sent=1)
    assert await second.claim(build) is None


async def test_a_late_result_never_replaces_that_of_a_later_claim(open_ledger: OpenLedger) -> None:
    first, second = await open_ledger(), await open_ledger()
    await load(first, 1)
    claimed = await claim(first)
    await first._worker.aclose()
    await second.claim(build)
    await second.release(State.UNKNOWN)
    later = await claim(second)
    with pytest.raises(CampaignError, match=r"claimed again.*sent, with the message ids \[10\]"):
        await first.settle(1, sent(10), token=claimed.token)
    await first.settle(1, Settlement(state=State.PENDING), token=claimed.token)  # it changes nothing
    assert await second.counts() == Counts(sending=1)
    await second.settle(1, sent(20), token=later.token)
    assert await second.known_ids([10, 20]) == {20}


async def test_a_late_result_keeps_what_the_outbox_proved(open_ledger: OpenLedger) -> None:
    first, second = await open_ledger(), await open_ledger()
    await load(first, 2, size=2)
    claimed = await claim(first)
    await first._worker.aclose()
    await second.claim(build)
    await second.prove_sent(1, {1: 11})
    await first.settle(1, sent(11, 12), token=claimed.token)
    assert await second.counts() == Counts(sent=2)
    assert await second.known_ids([11, 12]) == {11, 12}


async def test_a_worker_that_lost_its_lock_claims_with_a_new_one(open_ledger: OpenLedger, database: str) -> None:
    first, second = await open_ledger(), await open_ledger()
    await load(first, 2)
    await claim(first)
    end_connections(database)
    await claim(first)
    await second.claim(build)
    found = execute(database, "SELECT id, state, worker FROM ippanel_edge.chunks ORDER BY id")
    assert [(number, state) for number, state, _ in found] == [(1, "unknown"), (2, "sending")]
    assert found[0][2] != found[1][2]


async def test_a_lost_lock_is_noticed_while_others_look_at_it(open_ledger: OpenLedger, database: str) -> None:
    ledger = await open_ledger()
    await load(ledger, 1)
    before = await ledger._worker.current()
    end_connections(database, only=workers(database))
    with psycopg.connect(database) as other:
        other.execute("SELECT pg_try_advisory_xact_lock_shared(%s)", (before,))  # as each worker does that looks
        await claim(ledger)
        assert await ledger._worker.current() != before


async def test_a_second_ledger_of_the_process_does_not_free_the_lock(open_ledger: OpenLedger, database: str) -> None:
    first = await open_ledger()
    await load(first, 1)
    await claim(first)
    for _ in range(3):
        other = await open_ledger()
        await other.claim(build)
        await other.aclose()
    assert await first.counts() == Counts(sending=1)
    assert len(workers(database)) == 1


async def test_a_lock_that_is_lost_each_time_is_an_error(
    open_ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def has_ended(*_: object) -> bool:
        return True

    ledger = await open_ledger()
    await load(ledger, 1)
    monkeypatch.setattr("ippanel_edge.bulk.postgres.has_ended", has_ended)
    with pytest.raises(LedgerError, match="broke each time"):
        await ledger.claim(build)
    assert await ledger.counts() == Counts(pending=1)


async def test_another_ledger_may_record_a_result_with_the_token(open_ledger: OpenLedger) -> None:
    first, second = await open_ledger(), await open_ledger()
    await load(first, 2, size=2)
    claimed = await claim(first)
    await second.settle(1, sent(10, 11), token=claimed.token)
    assert await second.known_ids([10, 11]) == {10, 11}
    await first.settle(1, Settlement(state=State.UNKNOWN), token=claimed.token)  # it is known
    assert await first.counts() == Counts(sent=2)
