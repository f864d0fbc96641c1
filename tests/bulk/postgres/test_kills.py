"""Worker processes that are killed at random moments: no row is sent twice, and each row is in exactly one state."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Final

import anyio
import psycopg
import pytest

from ippanel_edge.bulk import Kind, Method, PostgresLedger, State, Terms
from ippanel_edge.bulk.texts import content_hash
from tests.bulk.postgres.campaigns import execute, wait_until
from tests.bulk.postgres.worker import Workers
from tests.bulk.service import Service

pytestmark = pytest.mark.anyio

RUNS: Final = int(os.environ.get("IPPANEL_KILLS", "20"))
"""The number of runs; at least one worker is killed in each. Read before the tests unset it."""
ROWS: Final = 90
SIZE: Final = 3
WORKERS: Final = 3
CONCURRENCY: Final = 3
DELAY: Final = 0.03


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


async def load(conninfo: str, campaign: str, line: str, rows: int, size: int) -> set[tuple[str, str]]:
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
            "SELECT count(*) = %s FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            WORKERS,
        )


def wait_until_claimed(conninfo: str, campaign: str, chunks: int) -> None:
    wait_until(
        conninfo,
        "SELECT count(*) >= %s FROM ippanel_edge.chunks WHERE attempts > 0 "
        "AND campaign = (SELECT id FROM ippanel_edge.campaigns WHERE name = %s)",
        chunks,
        campaign,
    )


def wait_until_gone(conninfo: str) -> None:
    """Wait until the server has noticed that the connections of all workers have ended."""
    wait_until(
        conninfo,
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'",
    )


@pytest.mark.parametrize("seed", range(RUNS))
async def test_workers_that_are_killed_send_nothing_twice(
    shared_database: str, service: Service, workers: Workers, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    name = f"kill {seed}"
    given = await load(shared_database, name, service.sandbox.from_number, ROWS, SIZE)

    def start() -> int:
        return workers.start(shared_database, name, service.options, concurrency=CONCURRENCY)

    with at_once(shared_database):
        started = [start() for _ in range(WORKERS)]
    # At least one survives, except in each fourth run, in which another one goes on afterwards.
    doomed = started[: WORKERS if seed % 4 == 0 else chance.randint(1, WORKERS - 1)]
    moments = sorted(chance.randint(1, ROWS // SIZE) for _ in doomed)
    for worker, claimed in zip(doomed, moments, strict=True):
        wait_until_claimed(shared_database, name, claimed)
        await anyio.sleep(chance.uniform(0, DELAY))
        workers.kill(worker)
    if len(doomed) == WORKERS:
        started.append(start())
    codes = {worker: workers.wait(worker) for worker in started}
    assert all(code == 0 for worker, code in codes.items() if worker not in doomed), codes
    wait_until_gone(shared_database)

    accepted = Counter({key: count for key, count in service.accepted_when_idle().items() if key in given})
    ledger = PostgresLedger(shared_database, name)
    await ledger.open(None)
    found = await ledger.report(after=0, limit=10 * ROWS, states=tuple(State))
    counts = await ledger.counts()
    unknown_chunks = len(await ledger.chunks(State.UNKNOWN))
    await ledger.aclose()

    assert max(accepted.values(), default=0) <= 1, "a row was accepted twice"
    by_state: dict[State, set[tuple[str, str]]] = {state: set() for state in State}
    for _, row in found:
        by_state[row.state].add((row.recipient, row.content or ""))
    assert len(found) == ROWS, "each row is listed once"
    assert set().union(*by_state.values()) == given
    assert {state for state, rows in by_state.items() if rows} <= {State.SENT, State.UNKNOWN}
    assert by_state[State.SENT] == set(accepted) - by_state[State.UNKNOWN], "what is sent was accepted, and known"
    assert unknown_chunks <= len(doomed) * CONCURRENCY, "only what was in flight is unknown"
    assert (counts.sent, counts.unknown) == (len(by_state[State.SENT]), len(by_state[State.UNKNOWN]))
    assert (counts.pending, counts.sending, counts.rejected) == (0, 0, 0)


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
