"""Procrastinate as the queue of campaigns in PostgreSQL: a job for each chunk, in the transaction that adds the chunk.

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=…))
jobs = add_chunk_task(app, conninfo, rate=RateLimit(50))

# Load, anywhere:
async with Campaign.open(PostgresLedger(conninfo, "spring", queue=jobs), client, message="…") as campaign:
    await campaign.load("customers.csv")

# Send, on any number of machines:
async with app.open_async(), jobs:
    await app.run_worker_async(queues=["ippanel_edge"], concurrency=8)
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

import anyio
import procrastinate
import procrastinate.exceptions
import procrastinate.jobs
import psycopg
from procrastinate.retry import BaseRetryStrategy, RetryDecision
from procrastinate.types import JSONDict
from psycopg import AsyncConnection

from ippanel_edge._async import _io
from ippanel_edge._async.client import AsyncEdgeClient
from ippanel_edge.bulk.ledger import Ledger
from ippanel_edge.bulk.postgres import PostgresLedger
from ippanel_edge.bulk.postgres_load import ChunkQueue
from ippanel_edge.bulk.process import process_chunk
from ippanel_edge.bulk.records import LedgerError, State
from ippanel_edge.bulk.runner import Stops
from ippanel_edge.config import RateLimit
from ippanel_edge.errors import EdgeError, Outcome

TASK: Final = "ippanel_edge.process_chunk"
"""The name of the task. The arguments of its jobs are ``campaign`` and ``chunk_id``."""
QUEUE: Final = "ippanel_edge"
"""The name of the queue by default."""

_BATCH: Final = 5_000
_PAUSE: Final = 60
"""Seconds without a send after the account was rejected, or after three unknown chunks in a row."""
_LEDGER_WAIT: Final = 30
_LONGEST: Final = 300
_DOUBLINGS: Final = 8


class ChunkPendingError(EdgeError):
    """A chunk was not sent and is pending, so its job is retried later.

    Attributes:
        wait: the seconds until then; None for a time that grows with the attempts.
    """

    outcome = Outcome.NOT_SENT

    def __init__(self, message: str, *, wait: int | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class _Retry(BaseRetryStrategy):
    """Retries the jobs whose chunks are pending, without end: a retried job never sends a chunk twice."""

    def get_retry_decision(self, *, exception: BaseException, job: procrastinate.jobs.Job) -> RetryDecision | None:
        """Return when to retry a job; None for an error that time does not heal."""
        if isinstance(exception, LedgerError):
            seconds: int = _LEDGER_WAIT
        elif isinstance(exception, ChunkPendingError):
            growing = min(2 ** min(job.attempts, _DOUBLINGS), _LONGEST)
            seconds = growing if exception.wait is None else exception.wait
        else:
            return None
        return RetryDecision(retry_in={"seconds": seconds})


class _Open:
    """A campaign that this worker has open."""

    def __init__(self, ledger: PostgresLedger) -> None:
        self.ledger = ledger
        self.stops = Stops()
        self.paused_until = 0.0


class ChunkJobs(ChunkQueue):
    """The jobs of chunks. Use `add_chunk_task` to create it, and ``async with`` around a worker to close its ledgers.

    Args:
        app: the app.
        conninfo: the connection string of the database, which the ledgers and Procrastinate share.
        client: the client of the jobs; by default a new one with the settings of the environment.
        rate: the maximum rate of requests of each sender line over all workers; none if omitted.
        queue: the name of the queue.
    """

    def __init__(
        self,
        app: procrastinate.App,
        conninfo: str,
        *,
        client: AsyncEdgeClient | None = None,
        rate: RateLimit | None = None,
        queue: str = QUEUE,
    ) -> None:
        self._app = app
        self._conninfo = conninfo
        self._client = client
        self._own: AsyncEdgeClient | None = None
        self._rate = rate
        self._queue = queue
        self._campaigns: dict[str, _Open] = {}
        self._opening = anyio.Lock()

    async def __aenter__(self) -> Self:
        """Return the jobs. Ledgers are opened when the first of their chunks is processed."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the ledgers, and the client if it was not given."""
        campaigns, self._campaigns = self._campaigns, {}
        for each in campaigns.values():
            await each.ledger.aclose()
        own, self._own = self._own, None
        if own is not None:
            await own.aclose()

    async def defer(self, connection: AsyncConnection, campaign: str, chunk_ids: Sequence[int]) -> None:
        """Add a job for each of the chunks, in the transaction of the connection.

        Raises:
            LedgerError: the tables of Procrastinate are not in the database of the ledger.
        """
        deferrer = self._app.configure_task(TASK, queue=self._queue, connection=connection)
        try:
            for start in range(0, len(chunk_ids), _BATCH):
                ids = chunk_ids[start : start + _BATCH]
                await deferrer.batch_defer_async(*_arguments(campaign, ids))
        except procrastinate.exceptions.ProcrastinateException as error:
            raise LedgerError(
                f"cannot add the jobs of the chunks: {error}; use a PsycopgConnector, and apply the schema of "
                "Procrastinate to the database of the ledger"
            ) from error

    async def defer_pending(self, ledger: Ledger, campaign: str) -> int:
        """Add a job for each pending chunk, and return their number. The app must be open.

        Use it after jobs have failed or were deleted. A chunk that has a job already is sent once all the same.

        Args:
            ledger: the open ledger of the campaign.
            campaign: its name.
        """
        deferrer = self._app.configure_task(TASK, queue=self._queue)
        count = after = 0
        while found := await ledger.chunks(State.PENDING, after=after, limit=_BATCH):
            await deferrer.batch_defer_async(*_arguments(campaign, [each.id for each in found]))
            after = found[-1].id
            count += len(found)
        return count

    async def retry_stalled(self, *, seconds: float = 30.0) -> int:
        """Retry the jobs whose workers were killed, and return their number. The app must be open.

        Procrastinate leaves such a job as it is. If its chunk was not claimed yet, it is pending, and no other job
        would send it. Otherwise the retry makes it unknown. Call this regularly, for example in a periodic task.

        Args:
            seconds: a worker without a heartbeat for longer than this was killed. A worker sends one each 10 seconds.
        """
        jobs = self._app.job_manager
        count = 0
        stalled = await jobs.get_stalled_jobs(queue=self._queue, task_name=TASK, seconds_since_heartbeat=seconds)
        for job in stalled:
            try:
                await jobs.retry_job(job)
            except procrastinate.exceptions.ConnectorException as error:
                if not isinstance(error.__cause__, psycopg.errors.RaiseException):
                    raise
                continue  # it has ended meanwhile, or another worker retries it
            count += 1
        return count

    async def process(self, campaign: str, chunk_id: int) -> None:
        """Send a chunk, unless it was sent before: the work of a job.

        Raises:
            ChunkPendingError: it was not sent; the job is retried.
            LedgerError: the database cannot be used; the job is retried.
            ConfigurationError: the chunk cannot be sent at all; the job fails, and the chunk is pending.
        """
        opened = await self._opened(campaign)
        if opened.stops.reason is not None:
            left = opened.paused_until - _io.monotonic()
            if left > 0:
                raise ChunkPendingError(f"this worker pauses: {opened.stops.reason}", wait=round(left) + 1)
            opened.stops = Stops()
        if self._rate is not None:
            await opened.ledger.turns(self._rate, opened.ledger.terms.from_number).wait()
        processed = await process_chunk(opened.ledger, chunk_id, client=self._client_of_jobs())
        if processed is None:
            return
        settlement = processed.settlement
        opened.stops.add(settlement)
        if opened.stops.reason is not None:
            opened.paused_until = _io.monotonic() + _PAUSE
        if settlement.state is State.PENDING:
            wait = None if settlement.stop is None else _PAUSE
            raise ChunkPendingError(f"chunk {chunk_id} was not sent: {settlement.error}", wait=wait)

    async def _opened(self, campaign: str) -> _Open:
        async with self._opening:
            found = self._campaigns.get(campaign)
            if found is None:
                ledger = PostgresLedger(self._conninfo, campaign, queue=self)
                await ledger.open(None)
                found = self._campaigns[campaign] = _Open(ledger)
            return found

    def _client_of_jobs(self) -> AsyncEdgeClient:
        if self._client is not None:
            return self._client
        if self._own is None:
            self._own = AsyncEdgeClient()
        return self._own


def _arguments(campaign: str, chunk_ids: Sequence[int]) -> list[JSONDict]:
    return [{"campaign": campaign, "chunk_id": chunk_id} for chunk_id in chunk_ids]


def add_chunk_task(
    app: procrastinate.App,
    conninfo: str,
    *,
    client: AsyncEdgeClient | None = None,
    rate: RateLimit | None = None,
    queue: str = QUEUE,
) -> ChunkJobs:
    """Add the task `ippanel_edge.process_chunk` to an app, and return the queue for `PostgresLedger`.

    A job that is delivered twice sends nothing the second time. A job whose chunk provably was not accepted is retried
    after 1, 2, 4 … up to 300 seconds. If the account is rejected (the key, the credit), or three chunks in a row are
    unknown, the worker pauses for a minute, and its jobs are retried later.

    Args:
        app: the app, with a `PsycopgConnector` to the database of the ledgers.
        conninfo: the connection string of that database.
        client: the client of the jobs, which is not closed; by default one with the settings of the environment.
        rate: the maximum rate of requests of each sender line over all workers; none if omitted.
        queue: the name of the queue.
    """
    jobs = ChunkJobs(app, conninfo, client=client, rate=rate, queue=queue)

    async def run(campaign: str, chunk_id: int) -> None:
        await jobs.process(campaign, chunk_id)

    app.task(name=TASK, queue=queue, retry=_Retry())(run)
    return jobs
