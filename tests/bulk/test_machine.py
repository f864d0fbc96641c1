"""A state machine over the SQLite ledger: loads, claims, settlements, proofs, releases and crashes in any order."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ippanel_edge.bulk.records import BadRow, Method, Settlement, State
from ippanel_edge.bulk.sqlite import SqliteLedger
from ippanel_edge.bulk.texts import content_hash
from tests.bulk.ledgers import TERMS, Row, nothing

TEXTS = st.sampled_from(["a", "b", "c"])
NUMBERS = st.integers(1, 8).map(lambda number: f"+98912{number:07}")
LOADS = st.lists(st.tuples(NUMBERS, TEXTS), max_size=12)


class LedgerMachine(RuleBasedStateMachine):
    """Compares a ledger with a model: the state of each row in a dict.

    Attributes:
        model: the state of each row.
        chunks: the rows of each claimed chunk, which are being sent.
        unknown: the rows of each unknown chunk that were not proven.
        sent_before: the rows that were sent at the last check.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.path = self.folder / "ledger.db"
        self.portal_manager = start_blocking_portal()
        self.portal = self.portal_manager.__enter__()
        self.ledger = SqliteLedger(self.path)
        self.model: dict[Row, State] = {}
        self.chunks: dict[int, list[Row]] = {}
        self.unknown: dict[int, list[Row]] = {}
        self.sent_before: set[Row] = set()
        self.set_aside = self.duplicates = self.ids = 0

    def run(self, function: Any, *arguments: Any) -> Any:
        return self.portal.call(function, *arguments)

    @initialize()
    def create(self) -> None:
        self.run(self.ledger.open, TERMS)

    def teardown(self) -> None:
        self.run(self.ledger.aclose)
        self.portal_manager.__exit__(None, None, None)
        shutil.rmtree(self.folder)

    def _add(self, rows: list[Row], bad: int) -> int:
        load: int = self.run(self.ledger.begin_load, "rows")
        new = [(line, *row, content_hash(*row)) for line, row in enumerate(rows, 1)]
        aside = [BadRow("rows", line, "x", "bad") for line in range(bad)]
        self.run(self.ledger.add, load, new[:5], aside)
        self.run(self.ledger.add, load, new[5:], [])
        return load

    @rule(rows=LOADS, size=st.integers(1, 5), bad=st.integers(0, 2))
    def load(self, rows: list[Row], size: int, bad: int) -> None:
        load = self._add(rows, bad)

        def cut(_: int) -> tuple[Method, int]:
            return Method.PEER_TO_PEER, size

        report = self.run(self.ledger.finish_load, load, cut)
        new = [row for row in dict.fromkeys(rows) if row not in self.model]
        assert (report.added, report.rows, report.set_aside) == (len(new), len(rows) + bad, bad)
        assert report.already_loaded == sum(row in self.model for row in rows)
        assert report.duplicates == len(rows) - report.added - report.already_loaded
        self.set_aside = max(self.set_aside, bad)  # the same invalid rows of the same source are counted once
        self.duplicates += report.duplicates
        self.model.update(dict.fromkeys(new, State.PENDING))

    @rule(rows=LOADS, crashes=st.booleans())
    def give_up_a_load(self, rows: list[Row], *, crashes: bool) -> None:
        load = self._add(rows, 1)
        if crashes:
            self.crash()
        else:
            self.run(self.ledger.abandon_load, load)

    @rule(outcome=st.sampled_from([State.SENT, State.UNKNOWN, State.REJECTED]), count=st.integers(1, 3))
    def send(self, outcome: State, count: int) -> None:
        """Claim chunks and settle them at once, so that most sequences have rows in all states."""
        for _ in range(count):
            before = set(self.chunks)
            self.claim()
            for chunk_id in set(self.chunks) - before:
                rows = self.chunks.pop(chunk_id)
                self._settle(chunk_id, rows, outcome, count)

    @rule()
    def claim(self) -> None:
        claimed = self.run(self.ledger.claim, nothing)
        pending = State.PENDING in self.model.values()
        assert (claimed is not None) == pending
        if claimed is not None:
            rows = [(number, text) for _, number, text in claimed.rows]
            assert {self.model[row] for row in rows} == {State.PENDING}
            self.chunks[claimed.chunk.id] = rows
            self._set(rows, State.SENDING)

    def _set(self, rows: list[Row], state: State) -> None:
        self.model.update(dict.fromkeys(rows, state))

    def _take(self, data: Any, chunks: dict[int, list[Row]]) -> tuple[int, list[Row]]:
        chunk_id = data.draw(st.sampled_from(sorted(chunks)))
        return chunk_id, chunks.pop(chunk_id)

    @precondition(lambda self: self.chunks)
    @rule(data=st.data(), state=st.sampled_from([State.SENT, State.REJECTED, State.UNKNOWN, State.PENDING]))
    def settle(self, data: Any, state: State) -> None:
        chunk_id, rows = self._take(data, self.chunks)
        self._settle(chunk_id, rows, state, data.draw(st.sampled_from([1, 2, len(rows)])))

    def _settle(self, chunk_id: int, rows: list[Row], state: State, messages: int) -> None:
        ids: tuple[int, ...] = ()
        if state is State.SENT:
            ids = tuple(range(self.ids + 1, self.ids + 1 + messages))
            self.ids += messages
        self.run(self.ledger.settle, chunk_id, Settlement(state=state, message_outbox_ids=ids))
        self._set(rows, state)
        if state is State.UNKNOWN:
            self.unknown[chunk_id] = rows

    @rule()
    def crash(self) -> None:
        """Reopen the file as it is after the process was killed: a copy of the ledger and its write-ahead log."""
        copied = self.folder / "copy"
        copied.mkdir()
        for file in self.folder.glob("ledger.db*"):
            if not file.name.endswith((".lock", "-shm")):
                shutil.copy(file, copied)
        self.run(self.ledger.aclose)
        for file in self.folder.glob("ledger.db*"):
            file.unlink()
        for file in copied.iterdir():
            file.rename(self.folder / file.name)
        copied.rmdir()
        self.ledger = SqliteLedger(self.path)
        self.run(self.ledger.open, None)
        for chunk_id, rows in self.chunks.items():
            self._set(rows, State.UNKNOWN)
            self.unknown[chunk_id] = rows
        self.chunks.clear()

    @precondition(lambda self: self.unknown)
    @rule(data=st.data())
    def prove(self, data: Any) -> None:
        chunk_id, rows = self._take(data, self.unknown)
        proven = [row for row in rows if data.draw(st.booleans())]
        by_row = {(number, text): row_id for row_id, number, text in self.run(self.ledger.rows, chunk_id)}
        assert set(by_row) == set(rows)
        ids = {by_row[row]: self.ids + index for index, row in enumerate(proven, 1)}
        self.ids += len(proven)
        self.run(self.ledger.prove_sent, chunk_id, ids)
        self._set(proven, State.SENT)
        if left := [row for row in rows if row not in proven]:
            self.unknown[chunk_id] = left

    @precondition(lambda self: self.model)
    @rule(chunk_id=st.integers(1, 3))
    def prove_what_is_not_unknown(self, chunk_id: int) -> None:
        """Prove all rows of a chunk that was released or settled since the outbox was read."""
        others = [state for state in State if state is not State.UNKNOWN]
        if chunk_id in [chunk.id for state in others for chunk in self.run(self.ledger.chunks, state)]:
            rows = self.run(self.ledger.rows, chunk_id)
            assert self.run(self.ledger.prove_sent, chunk_id, {row_id: 1 for row_id, _, _ in rows}) == 0

    @rule(state=st.sampled_from([State.REJECTED, State.UNKNOWN]))
    def release(self, state: State) -> None:
        rows = [row for row, each in self.model.items() if each is state]
        assert self.run(self.ledger.release, state) == len(rows)
        self._set(rows, State.PENDING)
        if state is State.UNKNOWN:
            self.unknown.clear()

    @invariant()
    def each_row_has_one_state(self) -> None:
        if not self.path.exists():
            return
        rows: list[Any] = []
        while found := self.run(self._report, rows[-1][0] if rows else 0):
            rows += found
        states = [((row.recipient, row.content), row.state) for _, row in rows]
        assert len(states) == len(self.model)
        assert dict(states) == self.model
        counts = self.run(self.ledger.counts)
        recount = Counter(state for _, state in states)
        assert {state: getattr(counts, state.value) for state in State} == {state: recount[state] for state in State}
        assert (counts.set_aside, counts.duplicates) == (self.set_aside, self.duplicates)

    async def _report(self, after: int) -> Any:
        return await self.ledger.report(after=after, limit=7, states=list(State))

    @invariant()
    def no_pending_chunk_is_empty(self) -> None:
        if not self.path.exists():
            return
        for chunk in self.run(self.ledger.chunks, State.PENDING):
            assert self.run(self.ledger.rows, chunk.id)

    @invariant()
    def nothing_leaves_sent(self) -> None:
        now = {row for row, state in self.model.items() if state is State.SENT}
        assert self.sent_before <= now
        self.sent_before = now

    @invariant()
    def every_sent_row_has_an_id_of_its_message(self) -> None:
        if not self.path.exists():
            return
        with closing(sqlite3.connect(self.path)) as connection:
            (without,) = connection.execute(
                "SELECT count(*) FROM report JOIN chunks ON chunks.id = chunk WHERE report.state = 'sent' "
                "AND report.message_outbox_id IS NULL AND message_outbox_ids IS NULL"
            ).fetchone()
        assert without == 0


LedgerMachine.TestCase.settings = settings(
    max_examples=settings().max_examples // 4, stateful_step_count=25, phases=[Phase.generate]
)


@pytest.mark.hypothesis
class TestLedger(LedgerMachine.TestCase):  # type: ignore[misc,valid-type]  # hypothesis creates it
    """The machine as a test."""


def test_a_ledger_is_used_in_one_loop_after_another(tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "ledger.db")
    for backend in ("asyncio", "trio"):

        async def use() -> None:
            await ledger.open(TERMS)
            assert await ledger.claim(nothing) is None
            await ledger.aclose()

        anyio.run(use, backend=backend)
