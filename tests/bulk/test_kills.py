"""Workers that are killed at random moments: no row is lost, and none is accepted twice.

The acceptances are counted in the sandbox, not in the ledger.
"""

from __future__ import annotations

import os
import random
import secrets
import signal
import sqlite3
from pathlib import Path
from typing import Final

import anyio
import pytest

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.bulk.campaign import Campaign
from ippanel_edge.bulk.records import Counts, Method, Reconciled, State
from tests.bulk.campaigns import Sample, sample_of
from tests.bulk.ledgers import check_promise, in_state, query
from tests.bulk.processes import Worker
from tests.bulk.service import Service

KILLS: Final = int(os.environ.get("IPPANEL_KILLS", "50"))
"""Kills in all tests of this module together; the nightly session sets the variable."""
KILLS_PER_TEST: Final = 5
ROWS: Final = 300
CONCURRENCY: Final = 4
DELAY: Final = 0.02
"""The maximum of seconds before a send is executed, and before its response."""
CRASHED: Final = "the process ended while the chunk was being sent"


def kill_at_random(worker: Worker, moment: random.Random) -> bool:
    """Kill a worker while it opens, loads or sends; return False if it ended before."""
    stage, seconds = moment.choice([("ready", 0.03), ("open", 0.03), *[("loaded", 0.25)] * 4])
    if not worker.wait_for(stage):
        return False
    if worker.wait(moment.uniform(0, seconds)) is not None:
        return False
    worker.send(signal.SIGKILL)
    return worker.wait(None) == -signal.SIGKILL


async def reconcile(ledger: Path, service: Service) -> tuple[Reconciled, Counts]:
    async with AsyncEdgeClient(**service.options) as client, Campaign.resume(ledger, client) as campaign:
        found = await campaign.reconcile()
        return found, await campaign.counts()


async def run_again(ledger: Path, service: Service) -> None:
    async with AsyncEdgeClient(**service.options) as client, Campaign.resume(ledger, client) as campaign:
        await campaign.run()


def check_unknown(ledger: Path, kills: int) -> None:
    """Check that only chunks that were being sent at a kill are unknown."""
    chunks = query(ledger, "SELECT error, attempts FROM chunks WHERE state = 'unknown'")
    assert {error for error, _ in chunks} <= {CRASHED}
    assert len(chunks) <= kills * CONCURRENCY
    assert query(ledger, "SELECT count(*) FROM chunks WHERE attempts > 1") == [(0,)]


def check_reconciled(ledger: Path, service: Service, moment: random.Random) -> None:
    """Reconcile with an outbox that lags behind, and then with a complete one."""
    accepted = service.accepted()
    unknown = in_state(ledger, State.UNKNOWN)
    with service.lagging(moment.randint(1, len(service.outbox))):
        _, counts = anyio.run(reconcile, ledger, service)
        assert counts.pending == 0, "a row that the outbox does not list yet is not proven unsent"
        anyio.run(run_again, ledger, service)
    assert service.accepted() == accepted, "further runs send nothing"

    _, counts = anyio.run(reconcile, ledger, service)
    assert in_state(ledger, State.UNKNOWN) == {row for row in unknown if not accepted[row]}
    assert counts.pending == counts.sending == 0
    ids = {(row.number, row.text): message.outbox_id for message in service.outbox for row in message.recipients}
    recorded = query(ledger, "SELECT recipient, message_outbox_id, state FROM report WHERE state = 'sent'")
    by_number = {number: outbox_id for (number, _), outbox_id in ids.items()}
    assert all(by_number[recipient] == outbox_id for recipient, outbox_id, _ in recorded)


def kill_until_it_ends(ledger: Path, service: Service, sample: Sample, moment: random.Random, wanted: int) -> int:
    """Run a campaign to its end, and kill its worker on the way; return the number of kills."""
    kills = 0
    is_loaded = False
    for _ in range(ROWS):
        with Worker(ledger, service, sample, concurrency=CONCURRENCY) as worker:
            if kills == wanted or not kill_at_random(worker, moment):
                report = worker.result()
                break
        kills += 1
        service.wait_until_idle()
        is_loaded = is_loaded or (ledger.exists() and _has_chunks(ledger))
        if is_loaded:
            check_promise(ledger, sample, service.accepted())
            if moment.random() < 0.3:  # while rows are pending
                with service.lagging(moment.randint(1, 20)):
                    anyio.run(reconcile, ledger, service)
    else:
        pytest.fail("the campaign does not end")
    assert report["counts"]["pending"] == report["counts"]["sending"] == 0
    return kills


def _has_chunks(ledger: Path) -> bool:
    try:
        tables = query(ledger, "SELECT name FROM sqlite_schema WHERE name = 'chunks'")
    except sqlite3.OperationalError:  # killed while it created the file, which only a writer can complete
        return False
    return bool(tables) and query(ledger, "SELECT count(*) FROM chunks") != [(0,)]


@pytest.mark.parametrize("number", range(-(-KILLS // KILLS_PER_TEST)))
def test_no_row_is_lost_or_accepted_twice(number: int, tmp_path: Path) -> None:
    method = list(Method)[number % len(Method)]
    seed = int(os.environ.get("IPPANEL_SEED", secrets.randbits(32)))
    print(f"IPPANEL_SEED={seed}")  # noqa: T201 - shown if the test fails
    moment = random.Random(seed)  # noqa: S311 - no secret
    kills = campaigns = 0
    with Service(delay=DELAY, seed=seed) as service:
        while kills < KILLS_PER_TEST:
            sample = sample_of(method, ROWS, first=campaigns * ROWS)
            ledger = tmp_path / f"{campaigns}.db"
            wanted = KILLS_PER_TEST - kills
            done = kill_until_it_ends(ledger, service, sample, moment, wanted)
            kills += done
            campaigns += 1
            check_promise(ledger, sample, service.accepted())
            assert in_state(ledger, State.PENDING, State.SENDING, State.REJECTED) == set()
            check_unknown(ledger, done)
            check_reconciled(ledger, service, moment)
            check_promise(ledger, sample, service.accepted())
