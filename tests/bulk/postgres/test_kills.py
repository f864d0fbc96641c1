"""Worker processes that are killed at random moments, while some of their sends meet faults.

No row is sent twice, each row is in exactly one state, and what is unknown is settled by proofs only.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

import anyio
import attrs
import psycopg
import pytest

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.bulk import Campaign, Counts, Kind, Method, PostgresLedger, State, Terms
from ippanel_edge.bulk.texts import content_hash
from ippanel_edge.sandbox import Fault
from tests.bulk.postgres.campaigns import execute, wait_until
from tests.bulk.postgres.worker import Workers
from tests.bulk.service import Service

pytestmark = pytest.mark.anyio

RUNS: Final = int(os.environ.get("IPPANEL_KILLS", "50"))
"""The number of runs; at least one worker is killed in each. Read before the tests unset it."""
ROWS: Final = 48
SIZE: Final = 2
WORKERS: Final = 3
CONCURRENCY: Final = 3
DELAY: Final = 0.03
FAULTS: Final = (
    Fault.RESET_BEFORE_ACCEPT,
    Fault.RESET_AFTER_ACCEPT,
    Fault.CUT,
    Fault.GARBAGE,
    Fault.HTML_502,
    Fault.STATUS,
)
"""What some sends meet. STATUS is a rejection; all others leave the outcome unknown."""
FAULT_CHANCE: Final = 0.15
DECOYS: Final = 3
"""Messages with the text and the number of a row that were sent shortly before the campaign, by somebody else."""

LOCKS: Final = (
    "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
"""The locks of the running workers."""
CHUNKS: Final = (
    "SELECT 1 FROM ippanel_edge.chunks WHERE campaign = (SELECT id FROM ippanel_edge.campaigns WHERE name = %s)"
)

Row = tuple[str, str]
"""A number and a text."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers() as workers:
        yield workers


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service(delay=DELAY) as service:
        yield service


async def load(conninfo: str, campaign: str, line: str, rows: int, size: int) -> set[Row]:
    """Load rows with texts of their own, and return their numbers and texts."""
    ledger = PostgresLedger(conninfo, campaign)
    await ledger.open(Terms(from_number=line, kind=Kind.OWN_TEXT))
    texts = [(f"+98912{number:07}", f"{campaign} {number}") for number in range(rows)]
    load = await ledger.begin_load("rows")
    await ledger.add(load, [(n, *each, content_hash(*each)) for n, each in enumerate(texts)], ())
    await ledger.finish_load(load, lambda _: (Method.PEER_TO_PEER, size))
    await ledger.aclose()
    return set(texts)


@contextmanager
def at_once(conninfo: str) -> Generator[None]:
    """Let the workers that are started begin at the same time: they cannot claim before all of them are there."""
    with psycopg.connect(conninfo) as connection:
        connection.execute("LOCK TABLE ippanel_edge.chunks IN EXCLUSIVE MODE")
        yield
        wait_until(
            conninfo,
            f"SELECT count(*) = %s FROM ({LOCKS}) AS held",  # noqa: S608 - a constant
            WORKERS,
        )


def wait_until_claimed(conninfo: str, campaign: str, chunks: int) -> None:
    """Wait until some chunks were claimed, or no worker runs any more."""
    wait_until(
        conninfo,
        f"SELECT (SELECT count(*) FROM ({CHUNKS} AND attempts > 0) AS claimed) >= %s OR NOT EXISTS ({LOCKS})",  # noqa: S608 - constants
        campaign,
        chunks,
    )


def wait_until_gone(conninfo: str) -> None:
    """Wait until the server has noticed that the connections of all workers have ended."""
    wait_until(
        conninfo,
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'",
    )


@attrs.define
class Faults:
    """Lets some of the sends that arrive fail, as long as it is entered.

    Attributes:
        service: the service.
        chance: the source of the choices.
        ambiguous: how many faults leave the outcome of a send unknown.
    """

    service: Service
    chance: random.Random
    ambiguous: int = 0

    def __enter__(self) -> Self:
        self.service.on_send = self._choose
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.service.on_send = bool

    def _choose(self) -> None:
        if self.chance.random() < FAULT_CHANCE:
            fault = self.chance.choice(FAULTS)
            self.service.sandbox.fail("send", with_=fault, status=422 if fault is Fault.STATUS else None)
            self.ambiguous += fault is not Fault.STATUS


async def send_decoys(service: Service, client: AsyncEdgeClient, rows: Sequence[Row]) -> set[int]:
    """Send rows as somebody else who did so two minutes before the campaign, and return the ids of the messages."""
    await client.send.peer_to_peer(rows)
    for message in service.outbox:
        message.created_at -= timedelta(minutes=2)
    return {message.outbox_id for message in service.outbox}


def accepted_rows(service: Service, decoys: set[int]) -> dict[Row, int]:
    """Return the rows that the service accepted and lists, with the ids of their messages, without the decoys."""
    rows = [
        ((row.number, row.text), message.outbox_id)
        for message in service.outbox
        for row in message.recipients
        if message.outbox_id not in decoys
    ]
    assert len(rows) == len(dict(rows)), "a row was accepted twice"
    return dict(rows)


async def rows_by_state(ledger: PostgresLedger) -> dict[State, dict[Row, int | None]]:
    """Return the rows in each state, with the ids of their messages."""
    by_state: dict[State, dict[Row, int | None]] = {state: {} for state in State}
    for _, row in await ledger.report(after=0, limit=10 * ROWS, states=tuple(State)):
        by_state[row.state][row.recipient, row.content or ""] = row.message_outbox_id
    counts = {state.value: len(rows) for state, rows in by_state.items()}
    assert await ledger.counts() == Counts(**counts)
    assert sum(counts.values()) == ROWS, "each row is listed once"
    return by_state


async def run_and_kill(conninfo: str, campaign: str, service: Service, workers: Workers, chance: random.Random) -> int:
    """Run a campaign to its end, kill some of its workers on the way, and return their number."""

    def start() -> int:
        return workers.start(conninfo, campaign, service.options, concurrency=CONCURRENCY)

    with at_once(conninfo):
        started = [start() for _ in range(WORKERS)]
    doomed = started[: chance.randint(1, WORKERS)]
    moments = sorted(chance.randint(1, ROWS // SIZE) for _ in doomed)
    for worker, claimed in zip(doomed, moments, strict=True):
        wait_until_claimed(conninfo, campaign, claimed)
        await anyio.sleep(chance.uniform(0, DELAY))
        workers.kill(worker)
    codes = {worker: workers.wait(worker) for worker in started}
    assert all(code == 0 for worker, code in codes.items() if worker not in doomed), codes
    # All of them were killed, or they ended early: after three chunks in a row whose outcome is unknown.
    while execute(conninfo, f"SELECT EXISTS ({CHUNKS} AND state = 'pending')", campaign) == [(True,)]:
        assert workers.wait(start()) == 0
    wait_until_gone(conninfo)
    service.wait_until_idle()
    return len(doomed)


@pytest.mark.parametrize("seed", range(RUNS))
async def test_workers_that_are_killed_send_nothing_twice(
    shared_database: str, service: Service, workers: Workers, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    name = f"kill {seed}"
    service.clear()
    given = await load(shared_database, name, service.sandbox.from_number, ROWS, SIZE)
    async with AsyncEdgeClient(**service.options) as client:
        decoys = await send_decoys(service, client, chance.sample(sorted(given), DECOYS))
        with Faults(service, random.Random(seed)) as faults:  # noqa: S311 - no secret
            kills = await run_and_kill(shared_database, name, service, workers, chance)
        accepted = accepted_rows(service, decoys)

        ledger = PostgresLedger(shared_database, name)
        async with Campaign.resume(ledger, client) as campaign:
            found = await rows_by_state(ledger)
            unknown = set(found[State.UNKNOWN])
            assert set().union(*found.values()) == given, "no row is lost"
            assert not found[State.PENDING]
            assert not found[State.SENDING]
            assert set(found[State.SENT]) == set(accepted) - unknown, "what is sent was accepted, and known"
            assert len(unknown) <= SIZE * (kills * CONCURRENCY + faults.ambiguous), "what is unknown has a reason"

            with service.lagging(chance.randint(1, len(service.outbox))):
                listed = accepted_rows(service, decoys)
                await campaign.reconcile()
                found = await rows_by_state(ledger)
                assert set(found[State.UNKNOWN]) == unknown - set(listed), "only what is listed is proven"
                assert (await campaign.run()).requests == 0
            await campaign.reconcile()
            found = await rows_by_state(ledger)
            assert set(found[State.UNKNOWN]) == unknown - set(accepted)
            assert found[State.SENT] == accepted, "each row has its own message"
            assert (await campaign.run()).requests == 0
    assert accepted_rows(service, decoys) == accepted


async def test_the_rate_of_a_line_holds_over_two_processes(
    shared_database: str, service: Service, workers: Workers
) -> None:
    rate, rows = 40.0, 30
    await load(shared_database, "rate", service.sandbox.from_number, rows, 1)
    began = time.monotonic()
    started = [workers.start(shared_database, "rate", service.options, concurrency=4, rate=rate) for _ in range(2)]
    assert [workers.wait(worker) for worker in started] == [0, 0]
    seconds = time.monotonic() - began
    assert sum(key[1].startswith("rate ") for key in service.accepted_when_idle()) == rows
    assert seconds >= (rows - 1) / rate, "both together were faster than the rate"
    claims = execute(
        shared_database,
        "SELECT count(DISTINCT worker) FROM ippanel_edge.chunks JOIN ippanel_edge.campaigns ON campaigns.id = campaign "
        "WHERE name = 'rate'",
    )
    assert claims == [(2,)], "both have sent"
