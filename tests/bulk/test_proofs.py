"""What proves that a row was sent, and what it leaves unknown: tests against the sandbox, with both ledgers."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ippanel_edge import AsyncEdgeClient, AsyncProceed, Call, Reply
from ippanel_edge.bulk import Campaign, Chunk, Counts, Ledger, PostgresLedger, Settlement, SqliteLedger, State
from ippanel_edge.bulk.process import process_chunk
from ippanel_edge.bulk.service_clock import ServiceClock
from ippanel_edge.sandbox import Fault, Sandbox, SandboxClock
from tests.bulk.accepted import accepted
from tests.bulk.ledgers import TERMS, claim, load

pytestmark = pytest.mark.anyio

NUMBER = "+989120000001"
TEXT = "Sale today"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def client_of(sandbox: Sandbox, **options: Any) -> AsyncEdgeClient:
    return AsyncEdgeClient(
        sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number, retry=0, **options
    )


@pytest.fixture
async def client(sandbox: Sandbox, anyio_backend: str) -> AsyncIterator[AsyncEdgeClient]:
    del anyio_backend
    async with client_of(sandbox) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    if request.param == "sqlite":
        return SqliteLedger(tmp_path / "ledger.db")
    return PostgresLedger(request.getfixturevalue("database"), "spring")


Execute = Callable[[str], object]


@pytest.fixture
def execute(ledger: Ledger, tmp_path: Path, request: pytest.FixtureRequest) -> Execute:
    """Run a statement on the ledger, beside its owner."""

    def run(statement: str) -> None:
        if isinstance(ledger, SqliteLedger):
            with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as connection:
                connection.execute(statement)
        else:
            with psycopg.connect(request.getfixturevalue("database"), autocommit=True) as connection:
                connection.execute("SET search_path TO ippanel_edge")
                connection.execute(statement.encode())

    return run


async def send_one(campaign: Campaign, sandbox: Sandbox, fault: Fault) -> None:
    """Send the only row of a campaign, so that its outcome is unknown."""
    await campaign.load([NUMBER])
    sandbox.fail("send", with_=fault)
    assert (await campaign.run()).counts == Counts(unknown=1)


# The time.


async def test_a_message_from_before_the_chunk_leaves_it_unknown(
    ledger: Ledger, client: AsyncEdgeClient, sandbox: Sandbox
) -> None:
    await client.send.webservice([NUMBER], TEXT)  # a test to oneself
    sandbox.clock.advance(120)
    async with Campaign.open(ledger, client, message=TEXT) as campaign:
        await send_one(campaign, sandbox, Fault.RESET_BEFORE_ACCEPT)
        found = await campaign.reconcile()
        assert (found.found, found.unknown, found.ambiguous) == (0, 1, 1)
        assert await campaign.counts() == Counts(unknown=1)


async def test_a_message_from_before_the_chunk_does_not_hide_that_of_the_chunk(
    ledger: Ledger, client: AsyncEdgeClient, sandbox: Sandbox
) -> None:
    await client.send.webservice([NUMBER], TEXT)
    sandbox.clock.advance(120)
    async with Campaign.open(ledger, client, message=TEXT) as campaign:
        await send_one(campaign, sandbox, Fault.RESET_AFTER_ACCEPT)
        found = await campaign.reconcile()
        assert (found.found, found.unknown, found.ambiguous) == (1, 0, 0)
        (row,) = [each async for each in campaign.rows(State.SENT)]
    assert row.message_outbox_id == max(sandbox.state.outbox)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("ahead", [-400.0, -1.5, 0.0, 1.5, 400.0, 1e8])
async def test_the_clock_of_the_service_may_be_another(ahead: float, frozen: bool, tmp_path: Path) -> None:  # noqa: FBT001
    clock = SandboxClock(datetime.now(UTC) + timedelta(seconds=ahead), frozen=frozen)
    with Sandbox(clock) as sandbox:
        async with (
            client_of(sandbox) as client,
            Campaign.open(tmp_path / "ledger.db", client, message=TEXT) as campaign,
        ):
            await send_one(campaign, sandbox, Fault.RESET_AFTER_ACCEPT)
            found = await campaign.reconcile()
    assert (found.found, found.unknown) == (1, 0)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-602.0, (0, 1, 0)),  # too old to be in doubt
        (-590.0, (0, 1, 1)),
        (-2.0, (0, 1, 1)),
        (0.0, (1, 0, 0)),
        (2.0, (1, 0, 0)),
    ],
)
async def test_a_message_counts_from_the_second_in_which_the_chunk_began_to_be_sent(
    seconds: float,
    expected: tuple[int, int, int],
    ledger: Ledger,
    execute: Execute,
    client: AsyncEdgeClient,
    sandbox: Sandbox,
) -> None:
    async with Campaign.open(ledger, client, message=TEXT) as campaign:
        await send_one(campaign, sandbox, Fault.RESET_AFTER_ACCEPT)
        (chunk,) = await ledger.chunks(State.UNKNOWN)
        assert chunk.sending_at is not None
        (message,) = sandbox.state.outbox.values()
        message.created_at = chunk.sending_at + timedelta(seconds=seconds)
        await campaign.load(["+989120000002"])
        await campaign.run()  # so that the outbox is read from an earlier time
        execute("UPDATE chunks SET state = 'unknown', sending_at = '2020-01-01T00:00:00+00:00' WHERE id = 2")
        sandbox.state.outbox.popitem()
        found = await campaign.reconcile()
    assert (found.found, found.unknown - 1, found.ambiguous) == expected


NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[ServiceClock]:
    clock = ServiceClock()
    assert clock.ahead == timedelta(0)
    yield clock
    assert clock.least is None or clock.least <= clock.ahead or clock.ahead == timedelta(0)


def show(clock: ServiceClock, date: str | None, asked: float, answered: float) -> float:
    """Take a reply into account, and return how far the service's clock is ahead; the times are seconds after noon."""
    clock.add(date, NOON + timedelta(seconds=asked), NOON + timedelta(seconds=answered))
    return clock.ahead.total_seconds()


def test_clocks_that_may_be_equal_count_as_equal(clock: ServiceClock) -> None:
    assert show(clock, "Tue, 01 Jan 2030 12:00:00 GMT", 0.1, 0.9) == 0
    assert show(clock, "Tue, 01 Jan 2030 12:00:01 GMT", 0.9, 1.1) == 0


def test_each_reply_narrows_the_difference_down(clock: ServiceClock) -> None:
    assert show(clock, "Tue, 01 Jan 2030 12:02:00 GMT", 0.0, 0.5) == 119.5
    assert show(clock, "Tue, 01 Jan 2030 12:02:01 GMT", 0.9, 1.1) == 119.9
    assert show(clock, "Tue, 01 Jan 2030 12:02:01 GMT", 1.5, 1.6) == 119.9


def test_a_clock_that_is_behind_has_a_negative_difference(clock: ServiceClock) -> None:
    assert show(clock, "Tue, 01 Jan 2030 11:58:00 -0000", 0.0, 0.5) == -120.5


@pytest.mark.parametrize("date", [None, "", "soon", "Tue, 99 Jan 2030 12:00:00 GMT", "Tue, 01 Jan 2030 12:00:00 +9999"])
def test_a_reply_without_a_valid_date_changes_nothing(clock: ServiceClock, date: str | None) -> None:
    assert show(clock, date, 0.0, 0.5) == 0
    assert clock == ServiceClock()


async def test_a_reply_of_a_mock_has_no_date(clock: ServiceClock) -> None:
    async def proceed(call: Call[Any]) -> Reply[Any]:
        return Reply(data=call, meta=None)  # type: ignore[arg-type]  # not used

    assert (await clock.observe("call", proceed)).data == "call"  # type: ignore[arg-type]  # passed on
    assert clock == ServiceClock()


# Sending again.


async def test_a_duplicate_of_an_attempt_with_an_unknown_outcome_is_unknown(
    ledger: Ledger, client: AsyncEdgeClient, sandbox: Sandbox
) -> None:
    async with Campaign.open(ledger, client, message=TEXT) as campaign:
        await send_one(campaign, sandbox, Fault.RESET_AFTER_ACCEPT)
        assert await campaign.resend_unknown() == 1
        assert (await campaign.run()).counts == Counts(unknown=1), "the service has it from the first attempt"
        (row,) = [each async for each in campaign.rows(State.UNKNOWN)]
        assert row.error is not None
        assert row.error.startswith(
            "an earlier attempt may have been accepted; the last one: send.webservice: HTTP 429"
        )
        assert await campaign.retry_rejected() == 0
        assert (await campaign.reconcile()).found == 1
        sandbox.clock.advance(60)
        assert (await campaign.run()).requests == 0
        assert await campaign.counts() == Counts(sent=1)
    assert len(accepted(sandbox)) == 1


async def test_a_rejection_after_an_attempt_with_an_unknown_outcome_is_unknown(
    ledger: Ledger, client: AsyncEdgeClient, sandbox: Sandbox
) -> None:
    async with Campaign.open(ledger, client, message=TEXT) as campaign:
        await send_one(campaign, sandbox, Fault.RESET_AFTER_ACCEPT)
        for _ in range(2):
            assert await campaign.resend_unknown() == 1
            sandbox.fail("send", status=422)
            assert (await campaign.run()).counts == Counts(unknown=1)
        assert (await campaign.reconcile()).found == 1, "since the first attempt"
    assert len(accepted(sandbox)) == 1


async def test_a_duplicate_at_the_first_attempt_is_rejected(
    ledger: Ledger, client: AsyncEdgeClient, sandbox: Sandbox
) -> None:
    await client.send.webservice([NUMBER], TEXT)
    async with Campaign.open(ledger, client, message=TEXT) as campaign:
        await campaign.load([NUMBER])
        assert (await campaign.run()).counts == Counts(rejected=1)
        assert await campaign.retry_rejected() == 1
        sandbox.clock.advance(60)
        assert (await campaign.run()).counts == Counts(sent=1)


async def test_rows_that_are_released_during_a_reconciliation_are_sent(
    ledger: Ledger, client: AsyncEdgeClient, sandbox: Sandbox
) -> None:
    async def release(call: Call[Any], proceed: AsyncProceed) -> Reply[Any]:
        reply = await proceed(call)
        if call.endpoint.name == "reports.outbox":
            assert await campaign.resend_unknown() == 1
        return reply

    campaign = Campaign.open(ledger, client.with_options(middleware=[release]), message=TEXT)
    async with campaign:
        await send_one(campaign, sandbox, Fault.RESET_AFTER_ACCEPT)
        found = await campaign.reconcile()
        assert (found.found, found.unknown) == (0, 0)
        assert await campaign.counts() == Counts(pending=1)
        sandbox.clock.advance(60)
        await campaign.load(["+989120000002"])
        report = await campaign.run()
    assert (report.counts, report.stopped) == (Counts(sent=2), None)


async def test_a_pending_chunk_without_rows_does_no_harm(
    ledger: Ledger, execute: Execute, client: AsyncEdgeClient, sandbox: Sandbox
) -> None:
    async with Campaign.open(ledger, client, message=TEXT, chunk_size=1) as campaign:
        await campaign.load([NUMBER, "+989120000002"])
        execute("UPDATE rows SET state = 'sent', message_outbox_id = 7 WHERE id = 1")
        processed = await process_chunk(ledger, client=client)
        assert processed is not None
        assert (processed.rows, processed.settlement.state) == (0, State.SENT)
        assert (await campaign.run()).counts == Counts(sent=2)
    assert accepted(sandbox) == [("+989120000002", TEXT)]


# The ledger.


@pytest.fixture
async def opened(ledger: Ledger) -> AsyncIterator[Ledger]:
    await ledger.open(TERMS)
    yield ledger
    await ledger.aclose()


async def settle(ledger: Ledger, state: State) -> Chunk:
    """Claim the next chunk and record its result; return the chunk as it was before."""
    claimed = await claim(ledger)
    await ledger.settle(claimed.chunk.id, Settlement(state=state), token=claimed.token)
    return claimed.chunk


async def test_the_time_of_the_first_attempt_with_an_unknown_outcome_is_kept(opened: Ledger) -> None:
    await load(opened, ["a", "b"])
    await settle(opened, State.REJECTED)
    await opened.release(State.REJECTED)
    await settle(opened, State.UNKNOWN)
    (first,) = await opened.chunks(State.UNKNOWN)
    assert first.unknown_since is None, "no attempt followed"
    for state in (State.UNKNOWN, State.REJECTED):
        await opened.release(State.UNKNOWN)
        (chunk,) = await opened.chunks(State.PENDING)
        assert chunk.unknown_since == first.sending_at
        assert (await settle(opened, state)).unknown_since == first.sending_at
    await opened.release(State.REJECTED)
    (chunk,) = await opened.chunks(State.PENDING)
    assert chunk.unknown_since == first.sending_at


async def test_rows_of_a_chunk_that_is_not_unknown_any_more_are_not_proven(opened: Ledger) -> None:
    await load(opened, ["a", "b"])
    await settle(opened, State.UNKNOWN)
    await opened.release(State.UNKNOWN)
    assert await opened.prove_sent(1, {1: 70, 2: 71}) == 0
    assert await opened.counts() == Counts(pending=2)
    claimed = await claim(opened)
    assert len(claimed.rows) == 2
    assert await opened.prove_sent(1, {1: 70, 2: 71}) == 0
    await opened.settle(1, Settlement(state=State.REJECTED), token=claimed.token)
    assert await opened.prove_sent(1, {1: 70, 2: 71}) == 0
    assert await opened.counts() == Counts(rejected=2)
