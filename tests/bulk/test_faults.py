"""Campaigns over a broken network: the server injects another fault into each request, and counts what it accepted.

A row is accepted at most once, is unknown only if its fault was ambiguous, and is sent later if it was not sent.
"""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from ippanel_edge import AsyncEdgeClient, RetryPolicy
from ippanel_edge.bulk.campaign import Campaign
from ippanel_edge.bulk.records import Counts, Method, Report, State
from ippanel_edge.endpoints import Repeat
from ippanel_edge.errors import Outcome
from tests.bulk.campaigns import MESSAGE, sample_of
from tests.bulk.ledgers import Row, query, states_of
from tests.faults import responses
from tests.faults.catalogue import ALL, BY_NAME
from tests.faults.expectations import expect
from tests.faults.fault import EndedBy, Fault, Where
from tests.faults.server import Cell, Connection, FaultServer, Request

pytestmark = pytest.mark.anyio

GOOD: Final = "length-absent"
"""A valid response, without a fault."""
QUICK: Final = RetryPolicy(backoff=0.001, max_backoff=0.002)
FAULTS: Final = [
    fault
    for fault in ALL
    if fault.fresh
    and not fault.proxy
    and not fault.tls
    and not fault.large_body
    and not fault.transient
    and fault.absence is None
    and fault.where is not Where.IDLE
    and fault.ended_by is EndedBy.ITSELF
    and "bomb" not in fault.name
]
STALLS: Final = [
    fault for fault in ALL if fault.name in {"stall-at-accept", "stall-at-request-end", "mid-response-stall"}
]
RUNS: Final = 300


@pytest.fixture
def fault_server() -> Iterator[FaultServer]:
    with FaultServer() as server:
        yield server


class ChangingCell(Cell):
    """A cell with another fault for each connection, which serves one request.

    Attributes:
        faults: yields the faults.
        injected: the faults of the requests that were read, by row.
        unread: the faults that ended a connection before its request was read.
    """

    def __init__(self, server: FaultServer, faults: Iterator[Fault]) -> None:
        self.faults = faults
        self.injected: dict[Row, list[Fault]] = {}
        self.unread: list[Fault] = []
        super().__init__(
            server._loop, server._certificates, BY_NAME[GOOD], reused=False, tls=False, data=responses.good_data
        )
        server._cells.append(self)

    def _accept(self) -> None:
        sock, _ = self._socket.accept()
        self._connections += 1
        view = _View(self, next(self.faults))
        connection = Connection(view, sock, self._connections)
        task = self._loop.create_task(connection.run())
        self._tasks[task] = connection
        task.add_done_callback(self._ended)


class _View(Cell):
    """A cell as one connection sees it: with its own fault."""

    def __init__(self, cell: ChangingCell, fault: Fault) -> None:
        vars(self).update(copy.copy(vars(cell)))
        self._cell = cell
        self.fault = fault
        self.seen = _Seen(cell, fault)
        if fault.where is Where.ACCEPT:
            cell.unread.append(fault)

    def good(self, path: str) -> Any:
        return self._cell.good(path)


class _Seen(list[Request]):
    """Records the requests of one connection with its fault."""

    def __init__(self, cell: ChangingCell, fault: Fault) -> None:
        super().__init__()
        self._cell = cell
        self._fault = fault

    def append(self, request: Request, /) -> None:
        self._cell.seen.append(request)
        if not request.whole:
            self._cell.unread.append(self._fault)
        for row in rows_of(request):
            self._cell.injected.setdefault(row, []).append(self._fault)


def rows_of(request: Request) -> list[Row]:
    """Return the numbers and texts of a send; nothing if it is incomplete."""
    if not request.whole:
        return []
    body = json.loads(request.body)
    if body["sending_type"] == "webservice":
        return [(number, body["message"]) for number in body["params"]["recipients"]]
    return [(number, each["message"]) for each in body["params"] for number in each["recipients"]]


def accepted(cell: Cell) -> Counter[Row]:
    """Return how often each row was accepted, or may have been."""
    return Counter(row for request in cell.accepted for row in rows_of(request))


def client_of(cell: Cell) -> AsyncEdgeClient:
    """Return a client that opens a connection for each request."""
    return AsyncEdgeClient(
        "key",
        base_url=cell.base_url,
        from_number="+983000100200",
        timeout=httpx.Timeout(5.0, read=0.5),
        retry=QUICK,
        limits=httpx.Limits(max_keepalive_connections=0),
    )


def outcomes_of(fault: Fault) -> frozenset[Outcome | None]:
    return expect(fault, Repeat.ONCE, detects_wrong_data=True).outcomes


async def run_to_the_end(path: Path, cell: Cell, method: Method, rows: int) -> tuple[Counts, list[Report]]:
    """Run a campaign again and again, until no row is pending."""
    sample = sample_of(method, rows)
    reports: list[Report] = []
    async with client_of(cell) as client, Campaign.open(path, client, **sample.terms) as campaign:
        await campaign.load(sample.items)
        for _ in range(RUNS):
            reports.append(await campaign.run(concurrency=4))
            if not reports[-1].counts.pending:
                return reports[-1].counts, reports
    raise AssertionError("the campaign does not end")


@pytest.mark.parametrize("method", [Method.WEBSERVICE, Method.PEER_TO_PEER])
@pytest.mark.parametrize("seed", range(3))
async def test_a_random_fault_for_each_request(
    seed: int, method: Method, tmp_path: Path, fault_server: FaultServer
) -> None:
    path = tmp_path / "ledger.db"
    chance = random.Random(seed)  # noqa: S311 - no secret

    def faults() -> Iterator[Fault]:
        while True:
            yield chance.choice([BY_NAME[GOOD], chance.choice(FAULTS), chance.choice(FAULTS)])

    cell = ChangingCell(fault_server, faults())
    counts, _ = await run_to_the_end(path, cell, method, 300)
    assert counts.sent + counts.rejected + counts.unknown == counts.rows == 300
    assert min(counts.sent, counts.rejected, counts.unknown) > 0
    check(path, cell)


async def test_stalls(tmp_path: Path, fault_server: FaultServer) -> None:
    path = tmp_path / "ledger.db"
    assert len(STALLS) == 3

    def faults() -> Iterator[Fault]:
        while True:
            yield from [BY_NAME[GOOD], *STALLS]

    cell = ChangingCell(fault_server, faults())
    counts, _ = await run_to_the_end(path, cell, Method.WEBSERVICE, 60)
    assert counts.unknown > counts.sent > 0
    check(path, cell)


def check(path: Path, cell: ChangingCell) -> None:
    """Compare the state of each row with what the server accepted, and with the faults of its requests."""
    counted = accepted(cell)
    unexplained: set[int] = set()
    chunks = dict(query(path, "SELECT recipient, chunk FROM report"))
    assert max(counted.values()) == 1, "rows were accepted twice"
    for row, state in states_of(path).items():
        faults = cell.injected.get(row, [])
        if state is State.SENT:
            assert counted[row] == 1
            assert any(None in outcomes_of(fault) for fault in faults)
        elif state is State.REJECTED:
            assert counted[row] == 0
            assert any(Outcome.REJECTED in outcomes_of(fault) for fault in faults)
        else:
            assert state is State.UNKNOWN
            if not any(Outcome.UNKNOWN in outcomes_of(fault) for fault in faults):
                unexplained.add(chunks[row[0]])
    assert len(unexplained) <= sum(Outcome.UNKNOWN in outcomes_of(fault) for fault in cell.unread)


@pytest.mark.parametrize("name", ["status-401", "status-403", "status-403-page"])
async def test_an_account_that_is_rejected(name: str, tmp_path: Path, fault_server: FaultServer) -> None:
    path = tmp_path / "ledger.db"

    def faults() -> Iterator[Fault]:
        yield from [BY_NAME[GOOD]] * 3
        yield BY_NAME[name]
        while True:
            yield BY_NAME[GOOD]

    cell = ChangingCell(fault_server, faults())
    counts, reports = await run_to_the_end(path, cell, Method.WEBSERVICE, 60)
    assert [report.stopped is None for report in reports] == [False, True]
    assert reports[0].counts.pending >= 5
    assert counts == Counts(sent=60)
    check(path, cell)


async def test_no_connection_and_then_one(tmp_path: Path, fault_server: FaultServer) -> None:
    path = tmp_path / "ledger.db"
    sample = sample_of(Method.WEBSERVICE, 60)
    async with (
        client_of(fault_server.arm(BY_NAME["refused"])) as client,
        Campaign.open(path, client, **sample.terms) as campaign,
    ):
        await campaign.load(sample.items)
        report = await campaign.run()
        assert report.stopped is not None
        assert "could not be sent" in report.stopped
        assert report.counts == Counts(pending=60)
    good = fault_server.arm(BY_NAME[GOOD])
    counts, _ = await run_to_the_end(path, good, Method.WEBSERVICE, 60)
    assert counts == Counts(sent=60)
    assert accepted(good) == Counter({(number, MESSAGE): 1 for number in sample.numbers})
    (most,) = query(path, "SELECT max(attempts) FROM chunks")
    assert most <= (3,), "at most the runs that could not connect, and the one that could"
