"""Running a campaign: the rules that stop it, its progress, pausing, and what is tried again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from ippanel_edge import AsyncEdgeClient, ConfigurationError
from ippanel_edge.bulk.campaign import Campaign
from ippanel_edge.bulk.process import process_chunk
from ippanel_edge.bulk.records import CampaignError, Counts, Method, Progress, Settlement, State
from ippanel_edge.bulk.runner import Gate, Stops
from tests.bulk.campaigns import Sample, sample_of
from tests.bulk.ledgers import claim, load, opened, query

pytestmark = pytest.mark.anyio

SAMPLE = sample_of(Method.WEBSERVICE, 30)
SENT = Settlement(state=State.SENT)
REJECTED = Settlement(state=State.REJECTED, error="bad")
UNKNOWN = Settlement(state=State.UNKNOWN, error="broken")
PENDING = Settlement(state=State.PENDING, error="no connection")
STOP = Settlement(state=State.PENDING, stop="no credit")

Respond = Callable[[httpx.Request], httpx.Response]


def reply(status: int, *, data: object = None) -> httpx.Response:
    """Return a response with the API's envelope."""
    meta: dict[str, object] = {"status": status == 200, "message": "", "message_code": "1", "message_parameters": []}
    return httpx.Response(status, json={"data": data, "meta": meta})


class Service:
    """A service in memory: it answers the requests with the given functions, and then accepts all."""

    def __init__(self, *responds: Respond) -> None:
        self.requests = 0
        self._responds = list(responds)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self._responds:
            return self._responds.pop(0)(request)
        return reply(200, data={"message_outbox_ids": [self.requests]})

    def client(self, **options: Any) -> AsyncEdgeClient:
        """Return a client that repeats nothing."""
        http = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return AsyncEdgeClient("key", from_number="+983000100200", http_client=http, retry=0, **options)


def fails(status: int) -> Respond:
    return lambda _: reply(status)


def breaks(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset", request=request)


def cannot_connect(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def campaign_of(path: Path, client: AsyncEdgeClient, sample: Sample = SAMPLE) -> Campaign:
    return Campaign.open(path / "ledger.db", client, **sample.terms)


@pytest.mark.parametrize(
    ("settlements", "reason"),
    [
        ([UNKNOWN, UNKNOWN], None),
        ([UNKNOWN, UNKNOWN, UNKNOWN], "3 chunks in a row have an unknown outcome; the last one: broken"),
        ([UNKNOWN, UNKNOWN, SENT, UNKNOWN, UNKNOWN], None),
        ([UNKNOWN, UNKNOWN, REJECTED, UNKNOWN], None),
        ([UNKNOWN, PENDING, UNKNOWN, PENDING, UNKNOWN], "3 chunks in a row have an unknown outcome"),
        ([PENDING, PENDING], None),
        ([PENDING, PENDING, PENDING], "3 chunks in a row could not be sent; the last one: no connection"),
        ([PENDING, UNKNOWN, PENDING, UNKNOWN, PENDING], "3 chunks in a row could not be sent"),
        ([PENDING, PENDING, SENT, PENDING], None),
        ([REJECTED] * 9, None),
        ([STOP], "no credit"),
        ([STOP, UNKNOWN, UNKNOWN, UNKNOWN], "no credit"),
    ],
)
def test_a_run_stops(settlements: list[Settlement], reason: str | None) -> None:
    stops = Stops()
    for settlement in settlements:
        stops.add(settlement)
    if reason is None:
        assert stops.reason is None
    else:
        assert stops.reason is not None
        assert stops.reason.startswith(reason)


async def test_three_unknowns_in_a_row_stop_a_run(tmp_path: Path) -> None:
    service = Service(breaks, fails(500), fails(502))
    async with service.client() as client, campaign_of(tmp_path, client) as campaign:
        await campaign.load(SAMPLE.items)
        report = await campaign.run(concurrency=1)
        assert report.stopped is not None
        assert "3 chunks in a row have an unknown outcome" in report.stopped
        assert service.requests == 3
        assert (report.counts.unknown, report.counts.pending) == (15, 15)
        assert not report.is_complete
        report = await campaign.run(concurrency=1)
        assert (report.stopped, report.counts.unknown, report.counts.sent) == (None, 15, 15)
        assert not report.is_complete, "some rows are unknown"


@pytest.mark.parametrize("status", [401, 402, 403])
async def test_a_rejection_of_the_account_stops_a_run_and_leaves_the_chunk_pending(status: int, tmp_path: Path) -> None:
    service = Service(fails(status))
    async with service.client() as client, campaign_of(tmp_path, client) as campaign:
        await campaign.load(SAMPLE.items)
        report = await campaign.run(concurrency=1)
        assert report.stopped is not None
        assert f"HTTP {status}" in report.stopped
        assert (service.requests, report.counts.pending) == (1, 30)
        assert (await campaign.run()).is_complete


async def test_rejected_rows_are_sent_again_only_if_asked(tmp_path: Path) -> None:
    service = Service(fails(422))
    async with service.client() as client, campaign_of(tmp_path, client) as campaign:
        await campaign.load(SAMPLE.items)
        report = await campaign.run(concurrency=1)
        assert report.is_complete
        assert (report.counts.rejected, report.counts.sent) == (5, 25)
        assert (await campaign.run()).requests == 0
        assert await campaign.retry_rejected() == 5
        report = await campaign.run()
        assert (report.requests, report.counts.sent) == (1, 30)


async def test_a_429_on_a_send_is_a_rejection_and_not_repeated(tmp_path: Path) -> None:
    service = Service(fails(429))
    async with service.client() as client, campaign_of(tmp_path, client) as campaign:
        await campaign.load(SAMPLE.items)
        report = await campaign.run(concurrency=1)
        assert (report.counts.rejected, report.counts.sent, service.requests) == (5, 25, 6)


async def test_unknown_rows_are_sent_again_only_if_asked(tmp_path: Path) -> None:
    service = Service(breaks)
    async with service.client() as client, campaign_of(tmp_path, client) as campaign:
        await campaign.load(SAMPLE.items)
        assert (await campaign.run(concurrency=1)).counts.unknown == 5
        assert (await campaign.run()).requests == 0
        assert await campaign.resend_unknown() == 5
        assert (await campaign.run()).counts.sent == 30


async def test_what_could_not_be_sent_is_sent_later(tmp_path: Path) -> None:
    service = Service(cannot_connect, cannot_connect, cannot_connect)
    async with service.client() as client, campaign_of(tmp_path, client) as campaign:
        await campaign.load(SAMPLE.items)
        report = await campaign.run(concurrency=1)
        assert report.stopped is not None
        assert "could not be sent" in report.stopped
        assert report.counts == Counts(pending=30)
        report = await campaign.run()
        assert (report.requests, report.counts.sent) == (6, 30)


async def test_a_last_chunk_that_could_not_be_sent_is_tried_again(tmp_path: Path) -> None:
    waiting = anyio.Event()

    async def handle(request: httpx.Request) -> httpx.Response:
        if service.requests == 0:
            service.requests += 1
            await waiting.wait()  # until the other workers have found no chunk
            raise httpx.ConnectError("refused", request=request)
        return service(request)

    service = Service()
    sample = sample_of(Method.WEBSERVICE, 5)
    http = httpx.AsyncClient(transport=httpx.MockTransport(handle))
    async with (
        AsyncEdgeClient("key", from_number="+983000100200", http_client=http, retry=0) as client,
        campaign_of(tmp_path, client, sample) as campaign,
    ):
        await campaign.load(sample.items)
        async with anyio.create_task_group() as tasks:

            async def run() -> None:
                report = await campaign.run(concurrency=8)
                assert (report.stopped, report.counts.sent) == (None, 5)

            tasks.start_soon(run)
            while not service.requests:
                await anyio.lowlevel.checkpoint()
            for _ in range(200):
                await anyio.lowlevel.checkpoint()
            waiting.set()


async def test_a_bug_of_a_middleware_leaves_its_chunk_unknown(tmp_path: Path) -> None:
    async def middleware(call: Any, proceed: Any) -> Any:
        await proceed(call)
        raise RuntimeError("a bug")

    service = Service()
    async with opened(tmp_path / "ledger.db") as ledger, service.client(call_middleware=[middleware]) as client:
        await load(ledger, ["a"])
        with pytest.raises(RuntimeError, match="a bug"):
            await process_chunk(ledger, client=client)
        (chunk,) = await ledger.chunks(State.UNKNOWN)
        assert (service.requests, chunk.error) == (1, "RuntimeError was raised during the send")


async def test_a_chunk_that_is_not_pending_is_not_sent(tmp_path: Path) -> None:
    service = Service()
    async with opened(tmp_path / "ledger.db") as ledger, service.client() as client:
        await load(ledger, ["a", "b"], size=1)
        await claim(ledger, 1)
        assert await process_chunk(ledger, 1, client=client) is None
        processed = await process_chunk(ledger, 2, client=client)
        assert processed is not None
        assert (processed.chunk_id, processed.rows, processed.settlement.state) == (2, 1, State.SENT)
        assert await process_chunk(ledger, 2, client=client) is None
        assert await process_chunk(ledger, client=client) is None
        assert service.requests == 1


async def test_progress_is_reported_after_each_chunk(tmp_path: Path) -> None:
    seen: list[Progress] = []
    service = Service(fails(422))
    async with service.client() as client, campaign_of(tmp_path, client) as campaign:
        await campaign.load([*SAMPLE.items, "x"])
        report = await campaign.run(concurrency=1, on_progress=seen.append)
    assert [(each.done, each.counts.pending, each.counts.sent) for each in seen] == [
        (5 * number, 30 - 5 * number, 5 * (number - 1)) for number in range(1, 7)
    ]
    assert seen[-1].counts == report.counts
    assert report.counts.set_aside == 1


def test_progress_estimates_the_time_left() -> None:
    progress = Progress(counts=Counts(pending=50), done=100, seconds=4.0)
    assert (progress.rate, progress.seconds_left) == (25.0, 2.0)
    began = Progress(counts=Counts(pending=50), done=0, seconds=0.0)
    assert (began.rate, began.seconds_left) == (0.0, None)


async def test_a_paused_run_goes_on(tmp_path: Path) -> None:
    service = Service()
    async with service.client() as client, campaign_of(tmp_path, client) as campaign:
        await campaign.load(SAMPLE.items)
        campaign.pause()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(campaign.run)
            for _ in range(100):
                await anyio.lowlevel.checkpoint()
            assert service.requests == 0
            with pytest.raises(CampaignError, match="running already"):
                await campaign.run()
            campaign.unpause()
        assert service.requests == 6


async def test_a_gate_that_is_closed_twice_opens_once() -> None:
    gate = Gate()
    gate.close()
    gate.close()
    assert not gate.is_open
    gate.open()
    gate.open()
    with anyio.fail_after(1):
        await gate.wait()


async def test_a_chunk_that_cannot_be_built_stops_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def build_call(*_: object) -> None:
        raise ConfigurationError("the time has passed", argument="send_time")

    service = Service()
    async with service.client() as client, campaign_of(tmp_path, client) as campaign:
        await campaign.load(SAMPLE.items)
        monkeypatch.setattr("ippanel_edge.bulk.process.build_call", build_call)
        report = await campaign.run()
        assert report.stopped == "send_time: the time has passed"
        assert report.counts == Counts(pending=30)
    assert query(tmp_path / "ledger.db", "SELECT max(attempts) FROM chunks") == [(0,)]
    assert service.requests == 0
