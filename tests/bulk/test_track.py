"""Following the delivery of sent rows to its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from ippanel_edge import AsyncEdgeClient, InvalidArgument, NotFound, RateLimit, ServerError
from ippanel_edge.bulk.campaign import Campaign
from ippanel_edge.bulk.records import Method, Settlement, State, Tracked
from ippanel_edge.sandbox.records import MessageState
from ippanel_edge.sandbox.reserved import BLACKLISTED_NUMBER, FAILED_NUMBER, LATE_NUMBER
from tests.bulk.campaigns import MESSAGE, sample_of
from tests.bulk.ledgers import claim
from tests.bulk.service import Service

pytestmark = pytest.mark.anyio

RECIPIENTS = "/api/report/recipients"
SAMPLE = sample_of(Method.WEBSERVICE, 20)


@asynccontextmanager
async def sent_campaign(
    path: Path, service: Service, items: list[str], *, method: Method = Method.WEBSERVICE, step: float = 0.0
) -> AsyncGenerator[Campaign]:
    """Send a text to numbers, with delivery steps that take no time, or `step` seconds."""
    service.sandbox.state.delivery_seconds = step
    async with (
        AsyncEdgeClient(**service.options, retry=0) as client,
        Campaign.open(path / "ledger.db", client, message=MESSAGE, method=method, chunk_size=5) as campaign,
    ):
        await campaign.load(items)
        assert (await campaign.run()).is_complete
        yield campaign


async def deliveries(campaign: Campaign) -> list[str | None]:
    return [row.delivery async for row in campaign.rows()]


async def test_each_row_gets_its_final_status(tmp_path: Path) -> None:
    numbers = ["09120000001", FAILED_NUMBER, BLACKLISTED_NUMBER]
    with Service() as service:
        async with sent_campaign(tmp_path, service, numbers) as campaign:
            assert await campaign.track(every=0.01) == Tracked(delivered=1, not_delivered=2, open=0)
            assert await deliveries(campaign) == ["delivered", "not_delivered", "blacklisted"]
            counts = await campaign.counts()
            assert (counts.delivered, counts.not_delivered) == (1, 2)


@pytest.mark.parametrize("method", [Method.WEBSERVICE, Method.FILE])
async def test_many_messages_are_followed(method: Method, tmp_path: Path) -> None:
    with Service() as service:
        async with sent_campaign(tmp_path, service, SAMPLE.numbers, method=method) as campaign:
            assert await campaign.track(every=0.01) == Tracked(delivered=20, not_delivered=0, open=0)


async def test_own_texts_are_followed(tmp_path: Path) -> None:
    sample = sample_of(Method.PEER_TO_PEER, 20)
    with Service() as service:
        service.sandbox.state.delivery_seconds = 0.0
        async with (
            AsyncEdgeClient(**service.options) as client,
            Campaign.open(tmp_path / "ledger.db", client, **sample.terms) as campaign,
        ):
            await campaign.load(sample.items)
            await campaign.run()
            assert await campaign.track(every=0.01) == Tracked(delivered=20, not_delivered=0, open=0)


async def test_the_statuses_before_the_last_are_recorded_too(tmp_path: Path) -> None:
    with Service() as service:
        async with sent_campaign(tmp_path, service, ["09120000001", LATE_NUMBER], step=3600.0) as campaign:
            assert await campaign.track(timeout=60, every=99) == Tracked(delivered=0, not_delivered=0, open=2)
            assert await deliveries(campaign) == ["handed_over", "handed_over"]
            service.sandbox.clock.advance(2.5 * 3600)
            assert await campaign.track(timeout=60, every=99) == Tracked(delivered=1, not_delivered=0, open=1)
            assert await deliveries(campaign) == ["delivered", "received"]
            service.sandbox.clock.advance(9 * 3600)
            assert await campaign.track(every=0.01) == Tracked(delivered=2, not_delivered=0, open=0)


@pytest.mark.parametrize(
    ("final", "delivery"),
    [
        (MessageState.CANCELLED, "cancelled"),
        (MessageState.REJECTED, "failed"),
        (MessageState.NO_CREDIT, "failed"),
        (MessageState.ERROR, "failed"),
    ],
)
async def test_a_message_that_was_not_sent_ends_its_rows(final: MessageState, delivery: str, tmp_path: Path) -> None:
    with Service() as service:
        async with sent_campaign(tmp_path, service, SAMPLE.numbers[:10]) as campaign:
            first, _ = service.outbox
            first.final_state = final
            assert await campaign.track(every=0.01) == Tracked(delivered=5, not_delivered=5, open=0)
            found = await deliveries(campaign)
            recipients = {row.number for row in first.recipients}
            numbers = [row.recipient async for row in campaign.rows()]
            assert {status for number, status in zip(numbers, found, strict=True) if number in recipients} == {delivery}


async def test_a_message_in_review_stays_open_until_the_time_is_over(tmp_path: Path) -> None:
    with Service() as service:
        service.sandbox.state.review = True
        service.sandbox.state.review_seconds = None
        async with sent_campaign(tmp_path, service, ["09120000001"]) as campaign:
            assert await campaign.track(timeout=0.5, every=0.02) == Tracked(delivered=0, not_delivered=0, open=1)
            (message,) = service.outbox
            service.sandbox.state.approve(message.outbox_id)
            assert (await campaign.track(every=0.01)).delivered == 1


async def test_final_rows_are_not_read_again(tmp_path: Path) -> None:
    with Service() as service:
        async with sent_campaign(tmp_path, service, SAMPLE.numbers) as campaign:
            await campaign.track(every=0.01)
            fault = service.sandbox.faults.add(500, path=RECIPIENTS, times=99)
            assert (await campaign.track(every=0.01)).delivered == 20
            assert fault.times == 99


async def test_a_proven_message_is_followed_once(tmp_path: Path) -> None:
    with Service() as service:
        service.sandbox.state.delivery_seconds = 0.0
        async with (
            AsyncEdgeClient(**service.options) as client,
            Campaign.open(tmp_path / "ledger.db", client, **SAMPLE.terms) as campaign,
        ):
            await campaign.load(SAMPLE.numbers)
            chunk = (await claim(campaign._ledger)).chunk
            await campaign._ledger.settle(chunk.id, Settlement(state=State.UNKNOWN))
            await client.send.webservice(SAMPLE.numbers[:5], MESSAGE)
            assert (await campaign.reconcile()).found == 5
            fault = service.sandbox.faults.add(None, path=RECIPIENTS, times=99)
            assert (await campaign.track(every=0.01)).delivered == 5
            assert fault.times == 98


async def test_a_429_and_transient_errors_are_waited_out(tmp_path: Path) -> None:
    with Service() as service:
        async with sent_campaign(tmp_path, service, SAMPLE.numbers) as campaign:
            service.sandbox.faults.add(429, path=RECIPIENTS, times=3, headers={"Retry-After": "0.01"})
            service.sandbox.faults.add(500, path=RECIPIENTS, times=3)
            assert (await campaign.track(every=0.001)).delivered == 20


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "1"}, {"Retry-After": "3600"}])
async def test_tracking_ends_at_its_timeout_whatever_the_service_asks_for(
    headers: dict[str, str], tmp_path: Path
) -> None:
    with Service() as service:
        async with sent_campaign(tmp_path, service, SAMPLE.numbers) as campaign:
            service.sandbox.faults.add(429, path=RECIPIENTS, times=999, headers=headers)
            with anyio.fail_after(5):
                assert await campaign.track(timeout=0.6, every=0.5) == Tracked(delivered=0, not_delivered=0, open=20)


async def test_a_read_without_a_response_ends_at_the_timeout(tmp_path: Path) -> None:
    with Service() as service:
        async with sent_campaign(tmp_path, service, SAMPLE.numbers) as campaign:
            service.sandbox.faults.add(None, path=RECIPIENTS, delay=30.0, times=999)
            with anyio.fail_after(5):
                assert await campaign.track(timeout=0.3, every=0.1) == Tracked(delivered=0, not_delivered=0, open=20)


async def test_a_rate_limit_does_not_prolong_the_timeout(tmp_path: Path) -> None:
    with Service() as service:
        async with sent_campaign(tmp_path, service, SAMPLE.numbers):
            pass
        async with (
            AsyncEdgeClient(**service.options, rate_limit=RateLimit(0.01)) as client,
            Campaign.resume(tmp_path / "ledger.db", client) as campaign,
        ):
            with anyio.fail_after(5):
                assert (await campaign.track(timeout=0.5, every=1.0)).open >= 15


async def test_five_failed_rounds_are_an_error(tmp_path: Path) -> None:
    with Service() as service:
        async with sent_campaign(tmp_path, service, ["09120000001"]) as campaign:
            fault = service.sandbox.faults.add(500, path=RECIPIENTS, times=99)
            with pytest.raises(ServerError):
                await campaign.track(every=0.001)
            assert fault.times == 94


async def test_a_rejected_read_is_an_error(tmp_path: Path) -> None:
    with Service() as service:
        async with sent_campaign(tmp_path, service, ["09120000001"]) as campaign:
            service.sandbox.faults.add(404, path=RECIPIENTS)
            with pytest.raises(NotFound), anyio.fail_after(5):
                await campaign.track(every=1.0)


@pytest.mark.parametrize(("limit", "every", "name"), [(0, 1, "timeout"), (1, 0, "every"), (1, -1, "every")])
async def test_times_must_be_above_0(limit: float, every: float, name: str, tmp_path: Path) -> None:
    with Service() as service:
        async with sent_campaign(tmp_path, service, ["09120000001"]) as campaign:
            with pytest.raises(InvalidArgument) as caught:
                await campaign.track(timeout=limit, every=every)
            assert caught.value.argument == name
