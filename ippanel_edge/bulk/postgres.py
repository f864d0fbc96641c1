"""The ledger of many machines: a campaign in PostgreSQL that any number of workers load, run and read at once."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

import anyio
import anyio.to_thread
import psycopg
from psycopg import AsyncConnection

from ippanel_edge._async import _io
from ippanel_edge.bulk import postgres_reads as reads
from ippanel_edge.bulk import postgres_writes as writes
from ippanel_edge.bulk.ledger import Build, Claimed, Cut, Ledger, Turns, check_releasable
from ippanel_edge.bulk.postgres_connections import Connections, Conninfo
from ippanel_edge.bulk.postgres_load import ChunkQueue, Loading
from ippanel_edge.bulk.postgres_turns import LineTurns
from ippanel_edge.bulk.postgres_worker import Worker, has_ended, settle_ended
from ippanel_edge.bulk.records import (
    BadRow,
    CampaignError,
    Chunk,
    Counts,
    LedgerError,
    LedgerRow,
    LoadReport,
    Method,
    NewRow,
    ReportRow,
    Settlement,
    State,
    Terms,
)
from ippanel_edge.config import RateLimit
from ippanel_edge.values.checks import check_range, check_text

T = TypeVar("T")

_SWEEP: Final = 3.0
"""Seconds after which a worker that claims looks again for workers that have ended."""
_RENEWALS: Final = 3
"""How often one claim may find that the lock of its worker is lost."""
_SETTLE_ATTEMPTS: Final = 8
"""How often a result is tried to be recorded: for 13 seconds, because a chunk without its result is unknown."""
_MAX_CONNECTIONS: Final = 1_000


class _LockLostError(Exception):
    """The lock of this worker is free: its connection has ended."""


class PostgresLedger(Ledger):
    """A ledger in PostgreSQL 12 or later, in the schema ``ippanel_edge``. It needs asyncio.

    Connect to the server itself, or through a pooler in session mode: the lock that shows that a worker is running
    belongs to its connection.

    Args:
        conninfo: a URL such as ``postgresql://user:password@host/database``, or ``key=value`` pairs.
        campaign: the name of the campaign. A database holds any number of them.
        queue: adds a job for each chunk, in the transaction that makes the chunk pending; none if omitted. See
            `ippanel_edge.integrations.procrastinate`.
        connections: the maximum number of connections for claims and results. One more shows that the worker is
            running, and each load has its own.

    Raises:
        InvalidArgument: an argument is invalid.
    """

    def __init__(self, conninfo: str, campaign: str, *, queue: ChunkQueue | None = None, connections: int = 4) -> None:
        self._conninfo = Conninfo(conninfo)
        self._name = check_text(campaign, argument="campaign")
        self._queue = queue
        check_range(connections, 1, _MAX_CONNECTIONS, argument="connections")
        self._connections = Connections(self._conninfo, connections)
        self._worker = Worker(self._conninfo)
        self._open: writes.Campaign | None = None
        self._loads: dict[int, Loading] = {}
        self._load_ids = itertools.count(1)
        self._claims: dict[int, writes.Claim] = {}
        self._swept_at = 0.0
        self._is_waiting = False

    def __repr__(self) -> str:
        """Return the database and the campaign, without the password."""
        return f"PostgresLedger({self._conninfo!r}, {self._name!r})"

    @property
    def terms(self) -> Terms:
        """The terms of the campaign."""
        return self._opened.terms

    @property
    def _opened(self) -> writes.Campaign:
        if self._open is None:
            raise CampaignError("the ledger is not open", argument="ledger")
        return self._open

    @property
    def _campaign(self) -> int:
        return self._opened.id

    async def open(self, terms: Terms | None) -> Terms:
        """Open or create the campaign, and settle what workers left that have ended."""
        self._connections.open()
        try:
            self._open = await self._connections.transact(partial(writes.begin, name=self._name, terms=terms))
            await self._worker.current()
        except BaseException:
            await self.aclose()
            raise
        return self._open.terms

    async def aclose(self) -> None:
        """Close the connections. Chunks that this worker is still sending become unknown."""
        self._open = None
        with anyio.CancelScope(shield=True):
            for load in list(self._loads):
                await self.abandon_load(load)
            await self._connections.aclose()
            await self._worker.aclose()

    # Loading.

    async def begin_load(self, source: str) -> int:
        """Begin a load, on a connection of its own."""
        _ = self._campaign
        loading = Loading(await self._conninfo.connect(), source)
        load = next(self._load_ids)
        self._loads[load] = loading
        try:
            await loading.begin()
        except BaseException as error:
            await self.abandon_load(load)
            if isinstance(error, psycopg.Error):
                raise self._conninfo.failure(error) from error
            raise
        return load

    async def add(self, load: int, rows: Sequence[NewRow], bad_rows: Sequence[BadRow]) -> None:
        """Append rows to temporary tables."""
        try:
            await self._loads[load].add(rows, bad_rows)
        except psycopg.Error as error:
            raise self._conninfo.failure(error) from error

    async def finish_load(self, load: int, cut: Cut) -> LoadReport:
        """Leave out duplicates, divide the rows into chunks and add their jobs, one load at a time."""
        loading = self._loads[load]
        report: LoadReport | None = None
        try:
            await writes.lock(loading.connection, self._opened)
            report, chunk_ids = await loading.finish(self._campaign, cut, one_per_number=self.terms.one_per_number)
            await self._defer(loading.connection, chunk_ids)
            await loading.connection.commit()
        except psycopg.Error as error:
            has_landed = partial(loading.has_landed, campaign=self._campaign)
            if report is None or not await self._connections.transact(has_landed):
                raise self._conninfo.failure(error) from error
        finally:
            await self.abandon_load(load)  # its connection may hold the lock
        return report

    async def abandon_load(self, load: int) -> None:
        """Close the connection of a load. The server drops its temporary tables."""
        loading = self._loads.pop(load, None)
        if loading is not None:
            await loading.connection.close()

    async def _defer(self, connection: AsyncConnection, chunk_ids: Sequence[int]) -> None:
        if self._queue is not None and chunk_ids:
            await self._queue.defer(connection, self._name, chunk_ids)

    # Sending.

    async def claim(self, build: Build[T], chunk_id: int | None = None) -> Claimed[T] | None:
        """Record that a pending chunk is being sent, if the lock of this worker is held."""
        if _io.monotonic() - self._swept_at >= _SWEEP:
            await self._sweep()
        for _ in range(_RENEWALS):
            worker = await self._worker.current()
            try:
                claimed = await self._claim(build, chunk_id, worker)
            except _LockLostError:
                await self._worker.drop(worker)
                continue
            if claimed is None:
                await self._sweep()
            return claimed
        raise LedgerError("the connection that shows that this worker is running broke each time; check the server")

    async def _claim(self, build: Build[T], chunk_id: int | None, worker: int) -> Claimed[T] | None:
        campaign = self._campaign
        token = secrets.token_hex(8)
        claimed: list[Claimed[T]] = []

        async def work(connection: AsyncConnection) -> Claimed[T] | None:
            claimed.clear()
            if await has_ended(connection, worker):
                raise _LockLostError
            chunk = await self._pending_chunk(connection, chunk_id)
            if chunk is None:
                return None
            rows = await reads.open_rows(connection, campaign, chunk.id)
            result = Claimed(chunk, rows, await anyio.to_thread.run_sync(build, chunk, rows), token)
            await connection.execute(
                "UPDATE ippanel_edge.chunks SET state = 'sending', sending_at = %s, attempts = attempts + 1, "
                "claim = %s, worker = %s, error = NULL WHERE campaign = %s AND id = %s",
                (datetime.now(UTC), token, worker, campaign, chunk.id),
            )
            claimed.append(result)
            return result

        async def landed(connection: AsyncConnection) -> Claimed[T] | None:
            # A transaction that may still commit holds the lock of the row, so this waits for it.
            if not claimed:
                return None
            found = await writes.claim_of(connection, campaign, claimed[0].chunk.id)
            return claimed[0] if found == ("sending", token) else None

        try:
            result = await self._connections.transact(work, landed=landed)
        except anyio.get_cancelled_exc_class():
            if claimed:  # nobody will send it
                with anyio.CancelScope(shield=True):
                    await self._connections.transact(
                        partial(writes.unclaim, campaign=campaign, chunk_id=claimed[0].chunk.id, token=token)
                    )
            raise
        if result is not None:
            self._claims[result.chunk.id] = writes.Claim(token, worker, [row_id for row_id, _, _ in result.rows])
        return result

    async def _pending_chunk(self, connection: AsyncConnection, chunk_id: int | None) -> Chunk | None:
        if chunk_id is not None:
            return await reads.pending_chunk(connection, self._campaign, chunk_id)
        chunk = await reads.free_chunk(connection, self._campaign)
        if chunk is not None or self._is_waiting:  # one connection is enough to wait
            return chunk
        self._is_waiting = True
        try:
            return await reads.freed_chunk(connection, self._campaign)
        finally:
            self._is_waiting = False

    async def _sweep(self) -> None:
        self._swept_at = _io.monotonic()
        await self._connections.transact(partial(settle_ended, campaign=self._campaign))

    async def settle(self, chunk_id: int, settlement: Settlement, *, token: str | None = None) -> None:
        """Record the result of sending a chunk, also if it is unknown meanwhile; never for a later claim."""
        mine = self._claims.get(chunk_id)
        if mine is None or token not in (None, mine.token):
            if token is None:
                raise CampaignError(f"chunk {chunk_id} is not being sent by this worker", argument="chunk_id")
            mine = writes.Claim(token, 0, None)
        work = partial(writes.settle, campaign=self._campaign, chunk_id=chunk_id, settlement=settlement, claim=mine)
        try:
            await self._connections.transact(work, attempts=_SETTLE_ATTEMPTS)
        except LedgerError:
            await self._worker.drop(mine.worker)  # so that another worker makes the chunk unknown
            raise
        if self._claims.get(chunk_id) is mine:
            del self._claims[chunk_id]

    def turns(self, rate: RateLimit, line: str) -> Turns:
        """Return the turns of a sender line. All workers that use the database share them."""
        return LineTurns(self._connections, rate, line)

    # Reading.

    async def counts(self) -> Counts:
        """Return the number of rows in each state."""
        return await self._connections.read(partial(reads.counts, campaign=self._campaign))

    async def chunks(self, state: State, *, after: int = 0, limit: int = 1000) -> Sequence[Chunk]:
        """Return chunks in a state."""
        return await self._connections.read(
            partial(reads.chunks, campaign=self._campaign, state=state, after=after, limit=limit)
        )

    async def rows(self, chunk_id: int) -> Sequence[LedgerRow]:
        """Return the rows of a chunk that have its state."""
        return await self._connections.read(partial(reads.open_rows, campaign=self._campaign, chunk_id=chunk_id))

    async def pending_chunks(self) -> Mapping[Method, int]:
        """Return the number of pending chunks by method."""
        return await self._connections.read(partial(reads.pending_chunks, campaign=self._campaign))

    async def report(self, *, after: int, limit: int, states: Sequence[State]) -> Sequence[tuple[int, ReportRow]]:
        """Return rows with their states. `after` and the ids are those of rows."""
        return await self._connections.read(
            partial(reads.report, campaign=self._campaign, after=after, limit=limit, states=states)
        )

    async def bad_rows(self, *, after: int, limit: int) -> Sequence[tuple[int, BadRow]]:
        """Return rows that were set aside."""
        return await self._connections.read(partial(reads.bad_rows, campaign=self._campaign, after=after, limit=limit))

    async def known_ids(self, message_outbox_ids: Sequence[int]) -> set[int]:
        """Return those of the ids that belong to sent rows."""
        return await self._connections.read(
            partial(reads.known_ids, campaign=self._campaign, message_outbox_ids=message_outbox_ids)
        )

    async def undelivered(self, *, after: int, limit: int) -> Sequence[tuple[int, int]]:
        """Return sent messages with rows without a final status."""
        return await self._connections.read(
            partial(reads.undelivered, campaign=self._campaign, after=after, limit=limit)
        )

    # Afterwards.

    async def prove_sent(self, chunk_id: int, message_outbox_ids: Mapping[int, int]) -> int:
        """Record that rows of an unknown chunk were accepted."""
        return await self._connections.transact(
            partial(writes.prove_sent, campaign=self._campaign, chunk_id=chunk_id, message_ids=message_outbox_ids)
        )

    async def release(self, state: State) -> int:
        """Make the rejected or unknown rows pending again, and add the jobs of their chunks."""
        check_releasable(state)
        campaign = self._campaign

        async def work(connection: AsyncConnection) -> int:
            rows = getattr(await reads.counts(connection, campaign), state.value)
            cursor = await connection.execute(
                "UPDATE ippanel_edge.chunks SET state = 'pending', settled_at = NULL, unknown_since = "
                "CASE state WHEN 'unknown' THEN coalesce(unknown_since, sending_at) ELSE unknown_since END "
                "WHERE campaign = %s AND state = %s RETURNING id",
                (campaign, state.value),
            )
            await self._defer(connection, sorted(chunk_id for (chunk_id,) in await cursor.fetchall()))
            return int(rows)

        return await self._connections.transact(work)

    async def set_delivery(self, message_outbox_id: int, statuses: Mapping[str, str]) -> None:
        """Record the delivery status of the recipients of a message."""
        await self._connections.transact(
            partial(writes.set_delivery, campaign=self._campaign, message_id=message_outbox_id, statuses=statuses)
        )
