"""Connections to PostgreSQL that break during a claim, a commit, a result or a load: nothing is sent twice or lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import psycopg
import pytest

from ippanel_edge.bulk import Chunk, Counts, LedgerError, Method, State
from ippanel_edge.bulk.records import LedgerRow
from tests.bulk.postgres.campaigns import build, claim, end_connections, execute, load, sent, workers
from tests.bulk.postgres.conftest import OpenLedger

pytestmark = pytest.mark.anyio

BreakCommit = Callable[..., None]


@pytest.fixture
def break_commit(database: str, monkeypatch: pytest.MonkeyPatch) -> BreakCommit:
    """Break the next commits after a statement in which a text occurs."""
    commit = psycopg.AsyncConnection.commit
    execute_one = psycopg.AsyncConnection.execute

    def prepare(text: str, *, landed: bool, times: int = 1) -> None:
        marked: set[int] = set()
        left = times

        async def marking(connection: psycopg.AsyncConnection[Any], query: Any, *args: Any) -> Any:
            if text in str(query):
                marked.add(id(connection))
            return await execute_one(connection, query, *args)

        async def breaking(connection: psycopg.AsyncConnection[Any]) -> None:
            nonlocal left
            if id(connection) not in marked or not left:
                await commit(connection)
                return
            left -= 1
            pid = connection.info.backend_pid
            if landed:
                await commit(connection)
            await asyncio.to_thread(end_connections, database, only=[pid])
            await commit(connection) if not landed else await connection.execute("SELECT 1")

        monkeypatch.setattr(psycopg.AsyncConnection, "execute", marking)
        monkeypatch.setattr(psycopg.AsyncConnection, "commit", breaking)

    return prepare


async def test_idle_connections_that_broke_are_replaced(open_ledger: OpenLedger, database: str) -> None:
    ledger = await open_ledger()
    await load(ledger, 2)
    end_connections(database, but=workers(database))
    assert await ledger.counts() == Counts(pending=2)
    claimed = await claim(ledger)
    end_connections(database, but=workers(database))
    await ledger.settle(1, sent(10), token=claimed.token)
    assert await ledger.counts() == Counts(pending=1, sent=1)


async def test_a_connection_that_breaks_during_a_claim(open_ledger: OpenLedger, database: str) -> None:
    ledger = await open_ledger()
    await load(ledger, 1)
    built: list[int] = []

    def break_once(chunk: Chunk, rows: Sequence[LedgerRow]) -> int:
        del rows
        built.append(chunk.id)
        if len(built) == 1:
            end_connections(database, but=workers(database))
        return chunk.id

    claimed = await ledger.claim(break_once)
    assert claimed is not None
    assert built == [1, 1]
    assert execute(database, "SELECT state, attempts, claim FROM ippanel_edge.chunks") == [
        ("sending", 1, claimed.token)
    ]


@pytest.mark.parametrize("landed", [True, False])
async def test_a_connection_that_breaks_during_the_commit_of_a_claim(
    open_ledger: OpenLedger, database: str, break_commit: BreakCommit, *, landed: bool
) -> None:
    ledger = await open_ledger()
    await load(ledger, 2)
    break_commit("state = 'sending', sending_at", landed=landed)
    claimed = await claim(ledger)
    assert claimed.chunk.id == 1
    assert execute(database, "SELECT state, attempts, claim FROM ippanel_edge.chunks ORDER BY id") == [
        ("sending", 1, claimed.token),
        ("pending", 0, None),
    ]
    await ledger.settle(1, sent(10), token=claimed.token)
    assert await ledger.counts() == Counts(pending=1, sent=1)


async def test_a_claim_without_a_commit_is_not_sent(open_ledger: OpenLedger, break_commit: BreakCommit) -> None:
    ledger = await open_ledger()
    await load(ledger, 1)
    break_commit("state = 'sending', sending_at", landed=False, times=3)
    with pytest.raises(LedgerError, match="terminating connection"):
        await ledger.claim(build)
    assert await ledger.counts() == Counts(pending=1)


@pytest.mark.parametrize("landed", [True, False])
async def test_a_connection_that_breaks_during_the_commit_of_a_result(
    open_ledger: OpenLedger, break_commit: BreakCommit, *, landed: bool
) -> None:
    ledger = await open_ledger()
    await load(ledger, 2, size=2)
    claimed = await claim(ledger)
    break_commit("SET state = %s", landed=landed)
    await ledger.settle(1, sent(10, 11), token=claimed.token)
    assert await ledger.counts() == Counts(sent=2)
    assert await ledger.known_ids([10, 11]) == {10, 11}


async def test_a_result_that_cannot_be_recorded_is_unknown_for_others(
    open_ledger: OpenLedger, break_commit: BreakCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ippanel_edge.bulk.postgres_connections._PAUSE", 0.0)
    ledger, other = await open_ledger(), await open_ledger()
    await load(ledger, 1)
    claimed = await claim(ledger)
    break_commit("SET state = %s", landed=False, times=8)
    with pytest.raises(LedgerError):
        await ledger.settle(1, sent(10), token=claimed.token)
    await other.claim(build)
    assert await other.counts() == Counts(unknown=1)
    await ledger.settle(1, sent(10), token=claimed.token)  # it may be repeated later
    assert await other.counts() == Counts(sent=1)


@pytest.mark.parametrize("landed", [True, False])
async def test_a_connection_that_breaks_during_the_commit_of_a_load(
    open_ledger: OpenLedger, database: str, break_commit: BreakCommit, *, landed: bool
) -> None:
    ledger = await open_ledger()
    break_commit("INSERT INTO ippanel_edge.loads", landed=landed)
    if landed:
        assert (await load(ledger, 3)).added == 3
    else:
        with pytest.raises(LedgerError):
            await load(ledger, 3)
    assert await ledger.counts() == Counts(pending=3 if landed else 0)
    assert (await load(ledger, 3)).already_loaded == (3 if landed else 0)
    assert execute(database, "SELECT count(*) FROM ippanel_edge.rows") == [(3,)]


async def test_a_load_whose_connection_broke_leaves_nothing(open_ledger: OpenLedger, database: str) -> None:
    ledger = await open_ledger()
    number = await ledger.begin_load("rows")
    await ledger.add(number, [(1, "+989120000001", None, 1)], ())
    end_connections(database, but=workers(database))
    with pytest.raises(LedgerError, match="PostgreSQL"):
        await ledger.add(number, [(2, "+989120000002", None, 2)], ())
    await ledger.abandon_load(number)
    assert await ledger.counts() == Counts()
    assert (await load(ledger, 2)).added == 2


async def test_a_load_can_be_cancelled_and_repeated(open_ledger: OpenLedger) -> None:
    ledger = await open_ledger()
    number = await ledger.begin_load("rows")

    async def add() -> None:
        await ledger.add(number, [(line, f"+98912{line:07}", None, line) for line in range(50_000)], ())
        await ledger.finish_load(number, lambda _: (Method.WEBSERVICE, 1000))

    task = asyncio.create_task(add())
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ledger.abandon_load(number)
    assert await ledger.counts() == Counts()
    assert (await load(ledger, 2)).added == 2


async def test_a_claim_that_asyncio_cancels_is_pending_or_never_begun(open_ledger: OpenLedger) -> None:
    ledger = await open_ledger()
    await load(ledger, 1)
    for steps in range(60):  # a cancellation at each of the first steps of a claim
        task = asyncio.create_task(ledger.claim(build))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        try:
            claimed = await task
        except asyncio.CancelledError:
            assert await ledger.counts() == Counts(pending=1)
        else:
            assert claimed is not None
            await ledger.settle(1, sent(1), token=claimed.token)
            break
    assert (await ledger.counts()).sending == 0


async def test_loads_at_the_same_time_find_the_duplicates_of_each_other(open_ledger: OpenLedger) -> None:
    ledgers = [await open_ledger() for _ in range(3)]
    found = await asyncio.gather(*(load(ledger, 500, size=100) for ledger in ledgers))
    assert sorted(report.added for report in found) == [0, 0, 500]
    assert sum(report.already_loaded for report in found) == 1000
    assert [chunk.id for chunk in await ledgers[0].chunks(State.PENDING)] == [1, 2, 3, 4, 5]


async def test_a_commit_that_breaks_before_anything_was_claimed(
    open_ledger: OpenLedger, break_commit: BreakCommit
) -> None:
    ledger = await open_ledger()
    break_commit("FOR UPDATE SKIP LOCKED", landed=False)
    assert await ledger.claim(build) is None


async def test_a_load_that_cannot_begin_is_an_error(open_ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = await open_ledger()
    monkeypatch.setattr("ippanel_edge.bulk.postgres_load._TABLES", "CREATE TEMP TABLE")
    with pytest.raises(LedgerError, match="syntax error"):
        await ledger.begin_load("rows")
    assert ledger._loads == {}


async def test_a_connection_that_cannot_be_prepared_is_an_error(
    open_ledger: OpenLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: object) -> None:
        raise psycopg.OperationalError("the server closed the connection")

    monkeypatch.setattr("ippanel_edge.bulk.postgres_connections._prepare", fail)
    with pytest.raises(LedgerError, match="the server closed the connection; check that the server runs"):
        await open_ledger()
