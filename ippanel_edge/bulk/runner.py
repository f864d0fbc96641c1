"""Running a campaign: workers that send its pending chunks, the rules that stop them, and pausing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import anyio
import attrs

from ippanel_edge._async import _io
from ippanel_edge._async.client import AsyncEdgeClient
from ippanel_edge.bulk.ledger import Ledger, Turns
from ippanel_edge.bulk.process import process_chunk
from ippanel_edge.bulk.reads import together
from ippanel_edge.bulk.records import Counts, Processed, Progress, Report, Settlement, State
from ippanel_edge.errors import ConfigurationError

MAX_UNKNOWN: Final = 3
"""Unknown chunks after which a run stops: the connection, the service or a proxy is broken. A chunk that the service
answered, sent or rejected, sets the count to 0.
"""
MAX_NOT_SENT: Final = 3
"""Chunks that could not be sent, each after the client's own retries, after which a run stops. Counted likewise."""

_LEFT: Final = "the pending rows are those that other workers are claiming, or that were added meanwhile; run it again"

OnProgress = Callable[[Progress], object]
"""Receives the progress of a run after each chunk. A plain function, which must not block."""


class Gate:
    """Lets workers pass while it is open."""

    def __init__(self) -> None:
        self._opened: anyio.Event | None = None

    @property
    def is_open(self) -> bool:
        """Whether workers pass."""
        return self._opened is None

    def close(self) -> None:
        """Stop workers before their next chunk."""
        if self._opened is None:
            self._opened = anyio.Event()

    def open(self) -> None:
        """Let workers pass."""
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.set()

    async def wait(self) -> None:
        """Wait until the gate is open."""
        while self._opened is not None:
            await self._opened.wait()


@attrs.define
class Stops:
    """Decides when a run stops. It receives the settlements in the order in which they happen.

    Attributes:
        reason: why the run stops, or None.
    """

    reason: str | None = None
    _unknown: int = 0
    _not_sent: int = 0

    def add(self, settlement: Settlement) -> None:
        """Take a settlement into account."""
        if settlement.state is State.UNKNOWN:
            self._unknown += 1
        elif settlement.state is State.PENDING:
            self._not_sent += 1
        else:  # the service answered
            self._unknown = self._not_sent = 0
        if self.reason is not None:
            return
        if settlement.stop is not None:
            self.reason = settlement.stop
        elif self._unknown >= MAX_UNKNOWN:
            self.reason = f"{MAX_UNKNOWN} chunks in a row have an unknown outcome; the last one: {settlement.error}"
        elif self._not_sent >= MAX_NOT_SENT:
            self.reason = f"{MAX_NOT_SENT} chunks in a row could not be sent; the last one: {settlement.error}"


class Run:
    """One run of a campaign."""

    def __init__(
        self,
        ledger: Ledger,
        client: AsyncEdgeClient,
        *,
        gate: Gate,
        turns: Turns | None,
        counts: Counts,
        on_progress: OnProgress | None,
    ) -> None:
        self._ledger = ledger
        self._client = client
        self._gate = gate
        self._turns = turns
        self._on_progress = on_progress
        self._stops = Stops()
        self._counts = counts
        self._started = _io.monotonic()
        self._done = 0
        self._requests = 0

    async def run(self, concurrency: int) -> Report:
        """Send chunks until none is pending or a rule stops the run.

        A cancellation, such as that of Ctrl-C, lets the chunks that are being sent finish, for up to 10 seconds.
        """
        await together(self._work, concurrency)
        counts = await self._ledger.counts()
        return Report(
            counts=counts,
            done=self._done,
            requests=self._requests,
            seconds=_io.monotonic() - self._started,
            stopped=self._stops.reason or (_LEFT if counts.pending else None),
        )

    async def _work(self) -> None:
        while self._stops.reason is None:
            await self._gate.wait()
            if self._turns is not None:
                await self._turns.wait()
            if not self._gate.is_open or self._stops.reason is not None:  # meanwhile
                continue
            try:
                settled = await process_chunk(self._ledger, client=self._client)
            except ConfigurationError as error:
                self._stops.add(Settlement(state=State.PENDING, stop=str(error)))
                return
            if settled is None:
                return
            self._requests += 1
            self._settled(settled)

    def _settled(self, processed: Processed) -> None:
        settlement = processed.settlement
        self._stops.add(settlement)
        self._counts = self._counts.moved(processed.rows, settlement.state)
        if settlement.state is not State.PENDING:
            self._done += processed.rows
        if self._on_progress is not None:
            seconds = _io.monotonic() - self._started
            self._on_progress(Progress(counts=self._counts, done=self._done, seconds=seconds))
