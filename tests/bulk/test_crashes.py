"""Campaigns that are stopped, interrupted, cancelled or out of disk: no row is lost, and none is accepted twice."""

from __future__ import annotations

import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import anyio
import pytest

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.bulk.campaign import Campaign
from ippanel_edge.bulk.ledger import Ledger
from ippanel_edge.bulk.process import process_chunk
from ippanel_edge.bulk.records import CampaignError, LedgerError, Method, Settlement, State
from ippanel_edge.bulk.sqlite import SqliteLedger
from tests.bulk.campaigns import Sample, sample_of
from tests.bulk.cancelling import MAX_STEPS, How, cancelled_at
from tests.bulk.ledgers import check_promise, claim, in_state, load, new_rows, opened, query, sent, states_of
from tests.bulk.processes import Worker
from tests.bulk.service import Service

SAMPLE: Final = sample_of(Method.WEBSERVICE, 200)
ROWS: Final = set(SAMPLE.expected)
GRACE: Final = 0.2


async def send_all(path: Path, service: Service, sample: Sample = SAMPLE) -> None:
    """Go on with a campaign to its end."""
    async with (
        AsyncEdgeClient(**service.options) as client,
        Campaign.open(path, client, **sample.terms) as campaign,
    ):
        await campaign.load(sample.items)
        report = await campaign.run()
        assert report.counts.pending == report.counts.sending == 0


def check_end(path: Path, service: Service, sample: Sample = SAMPLE) -> None:
    """Go on with a campaign to its end, and check that every row was accepted at most once, and none was lost."""
    service.delay = service.stall = 0.0
    anyio.run(send_all, path, service, sample)
    check_promise(path, sample, service.accepted())


# Signals.


def test_a_stopped_owner_keeps_the_ledger(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Service(delay=0.02) as service, Worker(path, service, SAMPLE) as worker:
        assert worker.wait_for("loaded")
        assert worker.wait(0.05) is None
        worker.send(signal.SIGSTOP)
        with Worker(path, service, SAMPLE) as second:
            assert second.wait(30) == 1
            assert "another process uses the ledger" in second.errors()
        with pytest.raises(CampaignError, match="another process uses the ledger"):
            anyio.run(send_all, path, service)
        assert State.UNKNOWN not in states_of(path).values(), "only an owner settles what was being sent"
        worker.send(signal.SIGCONT)
        assert worker.result()["counts"]["sent"] == SAMPLE.rows
        assert set(service.accepted()) == ROWS
        check_promise(path, SAMPLE, service.accepted())


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_interrupted_campaign_settles_what_it_sends(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Service(delay=0.02) as service:
        with Worker(path, service, SAMPLE, backend=backend) as worker:
            assert worker.wait_for("loaded")
            assert worker.wait(0.05) is None
            worker.send(signal.SIGINT)
            assert worker.wait(10) is not None
            assert "KeyboardInterrupt" in worker.errors()
        states = set(states_of(path).values())
        assert State.PENDING in states, "it was interrupted before its end"
        assert State.SENDING not in states
        if backend == "asyncio":
            assert State.UNKNOWN not in states, "the requests in progress finish"
        check_promise(path, SAMPLE, service.accepted())
        check_end(path, service)


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_interrupted_send_without_a_response_is_unknown(backend: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Service() as service:
        service.stall = 60.0
        with Worker(path, service, SAMPLE, backend=backend, grace=GRACE) as worker:
            assert worker.wait_for("loaded")
            while len(service.outbox) < 4:
                assert worker.wait(0.01) is None
            worker.send(signal.SIGINT)
            assert worker.wait(10) is not None
        accepted = service.accepted()
        assert in_state(path, State.UNKNOWN) == set(accepted)
        assert in_state(path, State.PENDING) == ROWS - set(accepted)
        check_end(path, service)


# The disk.


def limit_files(worker: Worker, size: int | None) -> None:
    """Let writes of a worker beyond a size fail, as they do on a full disk."""
    value = resource.RLIM_INFINITY if size is None else size
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (value, resource.RLIM_INFINITY))


needs_prlimit = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits files of another process: Linux")


@needs_prlimit
def test_a_disk_that_is_full_in_mid_run_ends_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Service() as service:
        with Worker(path, service, SAMPLE) as worker:

            def fill_disk() -> None:
                service.on_send = lambda: None
                limit_files(worker, 0)

            service.on_send = fill_disk
            assert worker.wait(30) == 1
            assert "LedgerError: cannot write the ledger" in worker.errors()
        accepted = service.accepted()
        assert accepted, "a chunk was sent, and could not be settled"
        sending = in_state(path, State.SENDING)
        assert set(accepted) <= sending, "nothing is sent that is not durably sending"
        check_end(path, service)
        assert in_state(path, State.UNKNOWN) == sending


@pytest.mark.anyio
async def test_a_full_disk_at_a_load_adds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    async with opened(path) as ledger:
        await load(ledger, ["a"])
        connection = ledger._file._connection
        assert connection is not None
        connection.execute("PRAGMA max_page_count=30")
        number = await ledger.begin_load("large")
        with pytest.raises(LedgerError, match="disk is full"):
            await ledger.add(number, new_rows(["x" * 1000] * 1000, first=2), [])
        await ledger.abandon_load(number)
        connection.execute("PRAGMA max_page_count=100000")
        assert (await load(ledger, ["b"], first=2)).added == 1
    assert query(path, "SELECT count(*) FROM rows") == [(2,)]


def refuse_writes(ledger: Ledger) -> None:
    """Let all following transactions fail, as on a full disk."""
    assert isinstance(ledger, SqliteLedger)
    connection = ledger._file._connection
    assert connection is not None
    connection.execute("PRAGMA query_only=1")


@pytest.mark.anyio
async def test_a_full_disk_at_a_claim_sends_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with Service() as service:
        async with (
            AsyncEdgeClient(**service.options) as client,
            Campaign.open(path, client, **SAMPLE.terms) as campaign,
        ):
            await campaign.load(SAMPLE.items)
            refuse_writes(campaign._ledger)
            with pytest.raises(LedgerError, match="cannot write the ledger"):
                await campaign.run()
        assert service.accepted() == {}
        assert in_state(path, State.PENDING) == ROWS


@pytest.mark.anyio
async def test_a_result_that_cannot_be_recorded_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ledger.db"
    settle = SqliteLedger.settle

    async def settle_on_a_full_disk(
        ledger: SqliteLedger, chunk_id: int, settlement: Settlement, **options: Any
    ) -> None:
        refuse_writes(ledger)
        await settle(ledger, chunk_id, settlement, **options)

    sample = sample_of(Method.PEER_TO_PEER, 20)
    with Service() as service:
        async with (
            AsyncEdgeClient(**service.options) as client,
            Campaign.open(path, client, **sample.terms) as campaign,
        ):
            await campaign.load(sample.items)
            monkeypatch.setattr(SqliteLedger, "settle", settle_on_a_full_disk)
            with pytest.raises(LedgerError, match="cannot write the ledger"):
                await campaign.run(concurrency=1)
            assert len(service.accepted()) == 5
            with pytest.raises(LedgerError, match="cannot write the ledger"):
                await campaign.run(concurrency=1)
            assert len(service.accepted()) == 5, "nothing more was sent"
        monkeypatch.undo()
        assert in_state(path, State.SENDING) == set(service.accepted())
        await send_all(path, service, sample)
        check_promise(path, sample, service.accepted())
        assert len(in_state(path, State.UNKNOWN)) == 5


# The clock.


@pytest.mark.anyio
@pytest.mark.parametrize("days", [-1, 1])
async def test_a_clock_that_jumps_proves_nothing_wrong(
    days: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.db"
    sample = sample_of(Method.PEER_TO_PEER, 20)
    with Service() as service:
        async with AsyncEdgeClient(**service.options) as client:
            async with Campaign.open(path, client, **sample.terms) as campaign:
                await campaign.load(sample.items)
                with monkeypatch.context() as patch:
                    jumped = (datetime.now(UTC) + timedelta(days=days)).isoformat()
                    patch.setattr("ippanel_edge.bulk.sqlite_statements.now", lambda: jumped)
                    chunks = [await claim(campaign._ledger) for _ in range(2)]
                accepted = [(number, text or "") for _, number, text in chunks[0].rows]
                await client.send.peer_to_peer(accepted)
            async with Campaign.resume(path, client) as campaign:  # after a crash
                found = await campaign.reconcile()
                assert found.found == (5 if days < 0 else 0), "a message from before the chunk proves nothing"
                assert found.unknown == 10 - found.found
                await campaign.run()
    check_promise(path, sample, service.accepted())
    assert len(in_state(path, State.SENT)) == 10 + found.found


# Cancellation at each suspension.

HOWS: Final = [("asyncio", "scope"), ("asyncio", "task"), ("asyncio", "task when done"), ("trio", "scope")]


@pytest.fixture(params=HOWS, ids="-".join)
def how(request: pytest.FixtureRequest) -> How:
    found: How = request.param[1]
    return found


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Return the event loop: of the tests that cancel, the one that belongs to how they do it."""
    if "how" not in request.fixturenames:
        return "asyncio"
    return str(request.node.callspec.params["how"][0])


Work = Callable[[SqliteLedger], Coroutine[Any, Any, object]]


async def cancel_at_each_step(folder: Path, how: How, prepare: Work, work: Work, check: Work) -> None:
    """Cancel some work on a ledger at each of its suspensions, each time with a new ledger."""
    for step in range(1, MAX_STEPS):
        async with opened(folder / f"{step}.db") as ledger:
            await prepare(ledger)
            had_step = await cancelled_at(step, how, work(ledger))
            await check(ledger)
        if not had_step:
            assert step > 1
            return
    pytest.fail("the work has too many suspensions")


async def load_two(ledger: SqliteLedger) -> None:
    await load(ledger, ["a", "b"], size=1)


@pytest.mark.anyio
async def test_a_cancelled_load_adds_all_rows_or_none(how: How, tmp_path: Path) -> None:
    sample = sample_of(Method.PEER_TO_PEER, 3, chunk_size=2)

    async def nothing(_: SqliteLedger) -> None:
        pass

    async with AsyncEdgeClient("key", from_number="+983000100200") as client:

        def campaign_of(ledger: SqliteLedger) -> Campaign:
            return Campaign(ledger, client, method=sample.method, chunk_size=2)

        async def work(ledger: SqliteLedger) -> None:
            await campaign_of(ledger).load(sample.items)

        async def check(ledger: SqliteLedger) -> None:
            rows = (await ledger.counts()).rows
            assert rows in {0, 3}
            assert len(await ledger.report(after=0, limit=9, states=list(State))) == rows
            report = await campaign_of(ledger).load(sample.items)
            assert report.added == 3 - rows
            assert len(await ledger.report(after=0, limit=9, states=list(State))) == 3

        await cancel_at_each_step(tmp_path, how, nothing, work, check)


@pytest.mark.anyio
async def test_a_cancelled_claim_leaves_the_chunk_pending(how: How, tmp_path: Path) -> None:
    claimed: list[int] = []

    async def work(ledger: SqliteLedger) -> None:
        claimed.clear()
        claimed.append((await claim(ledger)).chunk.id)

    async def check(ledger: SqliteLedger) -> None:
        counts = await ledger.counts()
        assert (counts.sending, counts.pending) == (len(claimed), 2 - len(claimed))
        assert [chunk.attempts for chunk in await ledger.chunks(State.PENDING)] == [0] * counts.pending

    await cancel_at_each_step(tmp_path, how, load_two, work, check)


@pytest.mark.anyio
async def test_a_cancelled_claim_does_not_take_a_chunk_in_the_transaction_of_another_task(
    how: How, tmp_path: Path
) -> None:
    claimed: list[int] = []

    async def take(ledger: SqliteLedger) -> None:
        claimed.append((await claim(ledger)).chunk.id)

    async def work(ledger: SqliteLedger) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(take, ledger)
            await take(ledger)

    async def prepare(ledger: SqliteLedger) -> None:
        claimed.clear()
        await load_two(ledger)

    async def check(ledger: SqliteLedger) -> None:
        counts = await ledger.counts()
        assert (counts.sending, counts.pending) == (len(claimed), 2 - len(claimed))

    await cancel_at_each_step(tmp_path, how, prepare, work, check)


@pytest.mark.anyio
async def test_a_cancelled_settlement_is_recorded_if_it_began(how: How, tmp_path: Path) -> None:
    async def prepare(ledger: SqliteLedger) -> None:
        await load_two(ledger)
        await claim(ledger)

    async def work(ledger: SqliteLedger) -> None:
        with anyio.CancelScope(shield=True):  # as process_chunk does it
            await ledger.settle(1, sent(7))

    async def check(ledger: SqliteLedger) -> None:
        assert await ledger.known_ids([7]) == {7}

    await cancel_at_each_step(tmp_path, how, prepare, work, check)


@pytest.mark.anyio
async def test_a_cancelled_chunk_is_settled(how: How, tmp_path: Path) -> None:
    with Service() as service:
        async with AsyncEdgeClient(**service.options) as client:

            async def prepare(ledger: SqliteLedger) -> None:
                service.sandbox.state.outbox.clear()
                await load_two(ledger)

            async def work(ledger: SqliteLedger) -> None:
                await process_chunk(ledger, client=client)

            async def check(ledger: SqliteLedger) -> None:
                counts = await ledger.counts()
                accepted = len(service.accepted())
                assert (counts.sending, counts.unknown) == (0, 0), "a send that began may finish"
                assert (counts.sent, counts.pending) == (accepted, 2 - accepted)
                while await process_chunk(ledger, client=client):
                    pass
                assert list(service.accepted().values()) == [1, 1]

            await cancel_at_each_step(tmp_path, how, prepare, work, check)


@pytest.mark.anyio
@pytest.mark.parametrize("at", [1, 2, 5, 9])
async def test_a_cancelled_run_settles_what_it_sends(at: int, how: How, tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    del how
    arrived = 0
    with Service(delay=0.01) as service:
        async with (
            AsyncEdgeClient(**service.options) as client,
            Campaign.open(path, client, **SAMPLE.terms) as campaign,
        ):
            await campaign.load(SAMPLE.items)
            reached = anyio.Event()

            def on_progress(_: object) -> None:
                nonlocal arrived
                arrived += 1
                if arrived == at:
                    reached.set()

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: campaign.run(on_progress=on_progress))
                await reached.wait()
                tasks.cancel_scope.cancel()
            counts = await campaign.counts()
            assert (counts.sending, counts.unknown) == (0, 0)
            assert counts.sent == len(service.accepted()) >= 5 * at
            assert (await campaign.run()).is_complete
        check_promise(path, SAMPLE, service.accepted())


# The order of the system calls.

STRACE: Final = ("strace", "-f", "-y", "-s", "8192", "-e", "trace=pwrite64,fsync,fdatasync,sendto,write,writev,sendmsg")


def can_trace() -> bool:
    """Whether strace is installed and may trace a process."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run([*STRACE, "true"], capture_output=True, check=False).returncode == 0  # noqa: S603 - constants


def ended_calls(trace: str) -> list[tuple[str, str]]:
    """Return the names and lines of system calls, in the order of their ends, and of sends in that of their begins."""
    begun: dict[str, str] = {}
    calls: list[tuple[str, str]] = []
    for line in trace.splitlines():
        process, _, text = line.partition(" ")
        if found := re.match(r"\s*(\w+)\(", text):
            if text.endswith("<unfinished ...>") and found[1] not in {"sendto", "write", "writev", "sendmsg"}:
                begun[process] = text
            else:
                calls.append((found[1], text))
        elif found := re.match(r"\s*<\.\.\. (\w+) resumed>", text):
            calls.append((found[1], begun.pop(process, text)))
    return calls


@pytest.mark.skipif(sys.platform != "linux" or not can_trace(), reason="needs strace, and the right to trace")
def test_sending_is_on_disk_before_the_request_leaves(tmp_path: Path) -> None:
    path, trace = tmp_path / "ledger.db", tmp_path / "trace"
    sample = sample_of(Method.WEBSERVICE, 5)
    with Service() as service, Worker(path, service, sample, prefix=(*STRACE, "-o", str(trace))) as worker:
        assert worker.result()["counts"]["sent"] == 5
    calls = ended_calls(trace.read_text())
    log = f"<{path}-wal>"
    (sends,) = (index for index, (_, line) in enumerate(calls) if "POST /v1/api/send" in line)
    written = [
        index for index, (name, line) in enumerate(calls) if name == "pwrite64" and log in line and "sending" in line
    ]
    synced = [index for index, (name, line) in enumerate(calls) if name in {"fsync", "fdatasync"} and log in line]
    before = [index for index in written if index < sends]
    assert before, "the state is written before the request leaves"
    assert any(before[-1] < index < sends for index in synced), "and it is on disk"
