"""Procrastinate as the queue: jobs and chunks commit together, and a job that is delivered again sends nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime

import anyio.to_thread
import procrastinate
import procrastinate.exceptions
import procrastinate.jobs
import pytest

from ippanel_edge import AsyncEdgeClient
from ippanel_edge._async import _io
from ippanel_edge.bulk import Counts, LedgerError, PostgresLedger, Settlement, State
from ippanel_edge.config import RateLimit
from ippanel_edge.errors import ConfigurationError
from ippanel_edge.integrations.procrastinate import TASK, ChunkJobs, ChunkPendingError, _Retry, add_chunk_task
from tests.bulk.postgres.campaigns import TERMS, claim, execute, load, wait_until
from tests.bulk.postgres.conftest import OpenLedger
from tests.bulk.service import Service

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service() as service:
        yield service


@pytest.fixture
async def app(database: str) -> AsyncIterator[procrastinate.App]:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=database))
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        yield app


@pytest.fixture
async def client(service: Service) -> AsyncIterator[AsyncEdgeClient]:
    async with AsyncEdgeClient(**service.options, retry=0) as client:
        yield client


@pytest.fixture
async def jobs(app: procrastinate.App, database: str, client: AsyncEdgeClient) -> AsyncIterator[ChunkJobs]:
    async with add_chunk_task(app, database, client=client) as jobs:
        yield jobs


Listed = Callable[[], list[tuple[object, ...]]]


@pytest.fixture
def listed(database: str) -> Listed:
    """List the chunk and the status of each job."""
    query = "SELECT (args->>'chunk_id')::int, status::text FROM procrastinate_jobs ORDER BY id"
    return lambda: execute(database, query)


Run = Callable[[], Awaitable[None]]


@pytest.fixture
def run(app: procrastinate.App) -> Run:
    """Run the jobs that are due."""

    async def run() -> None:
        await app.run_worker_async(
            queues=["ippanel_edge"], wait=False, concurrency=4, install_signal_handlers=False, listen_notify=False
        )

    return run


async def test_a_load_adds_a_job_for_each_chunk(
    open_ledger: OpenLedger, jobs: ChunkJobs, listed: Listed, database: str
) -> None:
    await load(await open_ledger(queue=jobs), 3)
    assert listed() == [(1, "todo"), (2, "todo"), (3, "todo")]
    found = execute(database, "SELECT DISTINCT task_name, queue_name, args->>'campaign' FROM procrastinate_jobs")
    assert found == [(TASK, "ippanel_edge", "spring")]


async def test_a_load_that_fails_adds_neither_chunks_nor_jobs(
    open_ledger: OpenLedger, jobs: ChunkJobs, listed: Listed, monkeypatch: pytest.MonkeyPatch
) -> None:
    defer = jobs.defer

    async def fail(*arguments: object) -> None:
        await defer(*arguments)  # type: ignore[arg-type]  # passed on
        raise ConfigurationError("after the jobs")

    monkeypatch.setattr(jobs, "defer", fail)
    ledger = await open_ledger(queue=jobs)
    with pytest.raises(ConfigurationError, match="after the jobs"):
        await load(ledger, 3)
    assert await ledger.counts() == Counts()
    assert listed() == []


async def test_the_schema_of_procrastinate_is_needed(open_ledger: OpenLedger, database: str) -> None:
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=database))
    ledger = await open_ledger(queue=add_chunk_task(app, database))
    with pytest.raises(LedgerError, match="apply the schema of Procrastinate"):
        await load(ledger, 1)
    assert await ledger.counts() == Counts()


async def test_a_worker_sends_all_chunks(
    open_ledger: OpenLedger, jobs: ChunkJobs, service: Service, listed: Listed, run: Run
) -> None:
    before = sum(service.accepted_when_idle().values())
    ledger = await open_ledger(queue=jobs)
    await load(ledger, 10, size=3)
    await run()
    assert listed() == [(number, "succeeded") for number in (1, 2, 3, 4)]
    assert await ledger.counts() == Counts(sent=10)
    assert sum(service.accepted_when_idle().values()) - before == 10


async def test_a_job_that_is_delivered_again_sends_nothing(
    open_ledger: OpenLedger, jobs: ChunkJobs, app: procrastinate.App, service: Service, listed: Listed, run: Run
) -> None:
    ledger = await open_ledger(queue=jobs)
    await load(ledger, 2)
    again = app.configure_task(TASK, queue="ippanel_edge")
    for number in (1, 2, 1):
        await again.defer_async(campaign="spring", chunk_id=number)
    before = sum(service.accepted_when_idle().values())
    await run()
    assert [status for _, status in listed()] == ["succeeded"] * 5
    assert sum(service.accepted_when_idle().values()) - before == 2
    assert await ledger.counts() == Counts(sent=2)


async def test_released_chunks_have_new_jobs(
    open_ledger: OpenLedger, jobs: ChunkJobs, listed: Listed, run: Run
) -> None:
    ledger = await open_ledger(queue=jobs)
    await load(ledger, 2)
    claimed = await claim(ledger)
    await ledger.settle(1, Settlement(state=State.REJECTED), token=claimed.token)
    await run()
    assert await ledger.release(State.REJECTED) == 1
    assert listed() == [(1, "succeeded"), (2, "succeeded"), (1, "todo")]
    await run()
    assert await ledger.counts() == Counts(sent=2)


async def test_pending_chunks_can_have_new_jobs(
    open_ledger: OpenLedger, jobs: ChunkJobs, listed: Listed, run: Run
) -> None:
    ledger = await open_ledger()
    await load(ledger, 3)
    assert listed() == []
    assert await jobs.defer_pending(ledger, "spring") == 3
    await run()
    assert await ledger.counts() == Counts(sent=3)


def kill_a_worker_before_its_second_claim(database: str, service: Service) -> None:
    arguments = json.dumps([database, service.options])
    command = [sys.executable, "-m", "tests.bulk.postgres.queue_worker", arguments]
    with subprocess.Popen(command) as worker:  # noqa: S603 - this Python
        try:
            query = "SELECT array_agg(status::text ORDER BY id) = ARRAY['succeeded', 'doing'] FROM procrastinate_jobs"
            wait_until(database, query)
        finally:
            worker.kill()


async def test_the_job_of_a_worker_that_was_killed_before_its_claim_is_retried(
    open_ledger: OpenLedger, jobs: ChunkJobs, database: str, service: Service, listed: Listed, run: Run
) -> None:
    ledger = await open_ledger(queue=jobs)
    await load(ledger, 2)
    await anyio.to_thread.run_sync(kill_a_worker_before_its_second_claim, database, service)
    assert await ledger.counts() == Counts(sent=1, pending=1)
    assert await jobs.retry_stalled() == 0, "its last heartbeat is not old yet"
    await run()
    assert listed() == [(1, "succeeded"), (2, "doing")]
    execute(database, "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 seconds'")
    assert await jobs.retry_stalled() == 1
    assert await jobs.retry_stalled() == 0
    await run()
    assert listed() == [(1, "succeeded"), (2, "succeeded")]
    assert await ledger.counts() == Counts(sent=2)


async def test_a_job_that_has_ended_is_not_retried(
    open_ledger: OpenLedger,
    jobs: ChunkJobs,
    app: procrastinate.App,
    database: str,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await load(await open_ledger(queue=jobs), 1)
    execute(database, "UPDATE procrastinate_jobs SET status = 'doing'")
    stalled = list(await app.job_manager.get_stalled_jobs())
    assert len(stalled) == 1
    execute(database, "UPDATE procrastinate_jobs SET status = 'todo'")
    await run()

    async def get_stalled_jobs(**_: object) -> list[procrastinate.jobs.Job]:
        return stalled

    monkeypatch.setattr(app.job_manager, "get_stalled_jobs", get_stalled_jobs)
    assert await jobs.retry_stalled() == 0
    execute(database, "ALTER TABLE procrastinate_jobs RENAME TO gone")
    with pytest.raises(procrastinate.exceptions.ConnectorException):
        await jobs.retry_stalled()


async def test_the_job_of_a_chunk_that_was_not_sent_is_retried(
    open_ledger: OpenLedger, app: procrastinate.App, database: str, service: Service, listed: Listed, run: Run
) -> None:
    async with (
        AsyncEdgeClient(service.sandbox.api_key, base_url="http://127.0.0.1:9/v1", retry=0) as client,
        add_chunk_task(app, database, client=client) as jobs,
    ):
        ledger = await open_ledger(queue=jobs)
        await load(ledger, 1)
        await run()
    assert listed() == [(1, "todo")]
    assert execute(database, "SELECT attempts, scheduled_at > now() FROM procrastinate_jobs") == [(1, True)]
    (chunk,) = await ledger.chunks(State.PENDING)
    assert chunk.error is not None


async def test_a_worker_pauses_when_the_account_is_rejected(
    open_ledger: OpenLedger, app: procrastinate.App, database: str, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        AsyncEdgeClient("wrong", base_url=service.sandbox.base_url) as client,
        add_chunk_task(app, database, client=client) as jobs,
    ):
        ledger = await open_ledger()
        await load(ledger, 3)
        with pytest.raises(ChunkPendingError, match="chunk 1 was not sent") as caught:
            await jobs.process("spring", 1)
        assert caught.value.wait == 60
        with pytest.raises(ChunkPendingError, match="this worker pauses"):
            await jobs.process("spring", 2)
        assert [chunk.attempts for chunk in await ledger.chunks(State.PENDING)] == [1, 0, 0]
        now = _io.monotonic()
        monkeypatch.setattr(_io, "monotonic", lambda: now + 61)
        with pytest.raises(ChunkPendingError, match="chunk 2 was not sent"):
            await jobs.process("spring", 2)


async def test_a_rate_is_held_by_the_turns_of_the_line(
    open_ledger: OpenLedger,
    app: procrastinate.App,
    database: str,
    client: AsyncEdgeClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(round(seconds))

    async with add_chunk_task(app, database, client=client, rate=RateLimit(0.01)) as jobs:
        await load(await open_ledger(), 2)
        await jobs.process("spring", 1)
        monkeypatch.setattr("ippanel_edge.bulk.postgres_turns._io.sleep", sleep)
        await jobs.process("spring", 2)
    assert waits == [100]
    assert execute(database, "SELECT line FROM ippanel_edge.lines") == [(TERMS.from_number,)]


async def test_the_client_has_the_settings_of_the_environment(
    open_ledger: OpenLedger,
    app: procrastinate.App,
    database: str,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IPPANEL_API_KEY", service.options["api_key"])
    monkeypatch.setenv("IPPANEL_BASE_URL", service.options["base_url"])
    ledger = await open_ledger()
    await load(ledger, 1)
    async with add_chunk_task(app, database) as jobs:
        await jobs.process("spring", 1)
    assert await ledger.counts() == Counts(sent=1)


@pytest.mark.parametrize(
    ("error", "attempts", "seconds"),
    [
        (ChunkPendingError("x"), 0, 1),
        (ChunkPendingError("x"), 3, 8),
        (ChunkPendingError("x"), 1000, 256),
        (ChunkPendingError("x", wait=60), 3, 60),
        (LedgerError("x"), 3, 30),
        (ConfigurationError("x"), 0, None),
    ],
)
async def test_how_long_a_job_waits(error: Exception, attempts: int, seconds: int | None) -> None:
    job = procrastinate.jobs.Job(queue="q", lock=None, queueing_lock=None, task_name=TASK, attempts=attempts)
    before = datetime.now(UTC)
    decision = _Retry().get_retry_decision(exception=error, job=job)
    if decision is None or decision.retry_at is None:
        assert seconds is None
    else:
        assert seconds == round((decision.retry_at - before).total_seconds())


def test_the_ledger_of_a_worker_does_not_need_the_queue(database: str) -> None:
    assert repr(PostgresLedger(database, "spring")).endswith("'spring')")
