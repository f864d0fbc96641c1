"""Reconciling: what the outbox proves to have been accepted is sent, and nothing else changes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.bulk.campaign import Campaign
from ippanel_edge.bulk.reconcile import fill_pattern
from ippanel_edge.bulk.records import Counts, Kind, Method, Reconciled, Settlement, State
from ippanel_edge.bulk.sqlite import SqliteLedger
from tests.bulk.campaigns import MESSAGE, PATTERN, Sample, sample_of
from tests.bulk.ledgers import claim, in_state, query
from tests.bulk.service import Service

pytestmark = pytest.mark.anyio
UNKNOWN = Settlement(state=State.UNKNOWN, error="broken")


async def send_rows(client: AsyncEdgeClient, sample: Sample, rows: list[tuple[str, str]]) -> None:
    """Send rows as a request of the campaign would."""
    numbers = [number for number, _ in rows]
    match sample.method:
        case Method.WEBSERVICE:
            await client.send.webservice(numbers, MESSAGE)
        case Method.FILE:
            await client.send.file(("n.csv", "\n".join(["phone_number", *numbers]).encode()), MESSAGE)
        case Method.PEER_TO_PEER:
            await client.send.peer_to_peer(rows)
        case Method.PEER_TO_PEER_FILE:
            table = "\n".join(["recipient,message", *(f"{number},{text}" for number, text in rows)])
            await client.send.peer_to_peer_file(("n.csv", table.encode()))
        case Method.PATTERN:
            for number, _ in rows:
                points = sample.numbers.index(number)
                await client.send.pattern(PATTERN, number, {"name": "Sara", "points": points})


async def make_unknown(campaign: Campaign, chunks: int) -> list[int]:
    """Claim chunks and make them unknown; return their ids."""
    ids = [(await claim(campaign._ledger)).chunk.id for _ in range(chunks)]
    for chunk_id in ids:
        await campaign._ledger.settle(chunk_id, UNKNOWN)
    return ids


@pytest.mark.parametrize("method", list(Method))
async def test_what_the_outbox_lists_is_sent(method: Method, tmp_path: Path) -> None:
    sample = sample_of(method, 25)
    size = 1 if method is Method.PATTERN else 5
    accepted = sample.expected[size : 3 * size]
    with Service() as service:
        async with (
            AsyncEdgeClient(**service.options) as client,
            Campaign.open(tmp_path / "ledger.db", client, **sample.terms) as campaign,
        ):
            await campaign.load(sample.items)
            await make_unknown(campaign, 4)
            await send_rows(client, sample, accepted[:size])
            await send_rows(client, sample, accepted[size:])
            with service.lagging(size if sample.kind is Kind.OWN_TEXT else 1):
                found = await campaign.reconcile()
                assert (found.found, found.unknown, found.ambiguous) == (
                    len(accepted) // 2,
                    4 * size - len(accepted) // 2,
                    0,
                )
                assert (await campaign.counts()).pending == sample.rows - 4 * size
            found = await campaign.reconcile()
            assert (found.found, found.unknown) == (len(accepted) // 2, 4 * size - len(accepted))
            assert in_state(tmp_path / "ledger.db", State.SENT) == set(accepted)
            assert in_state(tmp_path / "ledger.db", State.UNKNOWN) == {*sample.expected[: 4 * size]} - {*accepted}
            found = await campaign.reconcile()
            assert found.found == 0
            await campaign.run()
            assert set(service.accepted().values()) == {1}


async def test_without_unknown_rows_nothing_is_read(tmp_path: Path) -> None:
    sample = sample_of(Method.WEBSERVICE, 5)
    async with (
        AsyncEdgeClient("key", base_url="http://127.0.0.1:9/v1", from_number="+983000100200") as client,
        Campaign.open(tmp_path / "ledger.db", client, **sample.terms) as campaign,
    ):
        await campaign.load(sample.items)
        assert await campaign.reconcile() == Reconciled(found=0, unknown=0, ambiguous=0, messages=0)
        assert await campaign.counts() == Counts(pending=5)


async def own_texts(path: Path, service: Service, rows: list[tuple[str, str]], size: int, *texts: str) -> Reconciled:
    """Make rows unknown, send texts to their number without the campaign, and reconcile."""
    async with (
        AsyncEdgeClient(**service.options) as client,
        Campaign.open(path, client, chunk_size=size) as campaign,
    ):
        await campaign.load(rows)
        await make_unknown(campaign, -(-len(rows) // size))
        for text in texts:
            await client.send.webservice(rows[0][0], text)
        return await campaign.reconcile()


NUMBER = "+989120000001"


@pytest.mark.parametrize(
    ("texts", "sent", "expected"),
    [
        (["a"], ["a"], (1, 0, 0)),
        (["a\n"], ["a"], (1, 0, 0)),  # a service may strip it
        (["a\r\nb"], ["a\nb"], (1, 0, 0)),
        (["a"], ["a", "a"], (0, 1, 1)),
        (["a", "a "], ["a"], (0, 2, 2)),  # it may be either row
        (["a", "a "], ["a", "a "], (0, 2, 2)),
        (["a", "b"], ["b"], (1, 1, 0)),
        (["a"], ["b"], (0, 1, 0)),
        (["a"], ["a b"], (0, 1, 0)),
        (["a"], [], (0, 1, 0)),
    ],
)
async def test_only_one_message_for_one_row_proves_it(
    texts: list[str], sent: list[str], expected: tuple[int, int, int], tmp_path: Path
) -> None:
    with Service() as service:
        rows = [(NUMBER, text) for text in texts]
        found = await own_texts(tmp_path / "ledger.db", service, rows, 1, *sent)
    assert (found.found, found.unknown, found.ambiguous) == expected


@pytest.mark.parametrize("extra", [-1, 1])
async def test_other_recipients_prove_nothing(extra: int, tmp_path: Path) -> None:
    sample = sample_of(Method.WEBSERVICE, 5)
    with Service() as service:
        async with (
            AsyncEdgeClient(**service.options) as client,
            Campaign.open(tmp_path / "ledger.db", client, **sample.terms) as campaign,
        ):
            await campaign.load(sample.items)
            await make_unknown(campaign, 1)
            await client.send.webservice([*sample.numbers, "+989129999999"][: 5 + extra], MESSAGE)
            assert (await campaign.reconcile()).found == 0
            await client.send.webservice([*sample.numbers[:4], "+989129999999"], MESSAGE)
            assert (await campaign.reconcile()).found == 0
            await client.send.webservice(sample.numbers[::-1], MESSAGE)
            assert (await campaign.reconcile()).found == 5, "the order does not matter"


async def test_another_line_proves_nothing(tmp_path: Path) -> None:
    with Service() as service:
        rows = [(NUMBER, "a")]
        async with AsyncEdgeClient(**service.options) as client:
            await client.send.webservice(NUMBER, "a", from_number="+9890009000")
        assert (await own_texts(tmp_path / "ledger.db", service, rows, 1)).found == 0


async def test_a_message_from_before_its_chunk_proves_nothing(tmp_path: Path) -> None:
    rows = [(NUMBER, "a"), (NUMBER, "b")]
    with Service() as service:
        async with (
            AsyncEdgeClient(**service.options) as client,
            Campaign.open(tmp_path / "ledger.db", client, chunk_size=1) as campaign,
        ):
            await campaign.load(rows)
            await make_unknown(campaign, 1)
            await client.send.webservice(NUMBER, "b")  # not by the campaign
            for message in service.outbox:
                message.created_at -= timedelta(minutes=11)
            await make_unknown(campaign, 1)
            assert isinstance(campaign._ledger, SqliteLedger)
            connection = campaign._ledger._file._connection
            assert connection is not None
            connection.execute("UPDATE chunks SET sending_at = '2020-01-01T00:00:00+00:00' WHERE id = 1")
            found = await campaign.reconcile()
    assert (found.messages, found.found, found.unknown) == (1, 0, 2), "it is listed because of the first chunk"


async def test_a_message_of_a_sent_row_proves_no_other_row(tmp_path: Path) -> None:
    with Service() as service:
        async with (
            AsyncEdgeClient(**service.options) as client,
            Campaign.open(tmp_path / "ledger.db", client, chunk_size=1) as campaign,
        ):
            await campaign.load([(NUMBER, "a"), (NUMBER, "a ")])
            await make_unknown(campaign, 1)
            await campaign.run()
            found = await campaign.reconcile()
    assert (found.found, found.unknown) == (0, 1)


async def test_all_pages_of_the_outbox_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ippanel_edge.bulk.reconcile._ROWS", 2)
    sample = sample_of(Method.PEER_TO_PEER, 25)
    with Service() as service:
        async with (
            AsyncEdgeClient(**service.options) as client,
            Campaign.open(tmp_path / "ledger.db", client, **sample.terms) as campaign,
        ):
            await campaign.load(sample.items)
            await make_unknown(campaign, 5)
            await client.send.peer_to_peer(sample.expected)
            found = await campaign.reconcile()
            assert (found.found, found.messages) == (25, 25)
            assert query(tmp_path / "ledger.db", "SELECT DISTINCT state FROM chunks") == [("sent",)]


async def test_a_429_of_the_outbox_is_waited_out(tmp_path: Path) -> None:
    sample = sample_of(Method.PEER_TO_PEER, 5)
    with Service() as service:
        async with (
            AsyncEdgeClient(**service.options, retry=0) as client,
            Campaign.open(tmp_path / "ledger.db", client, **sample.terms) as campaign,
        ):
            await campaign.load(sample.items)
            await make_unknown(campaign, 1)
            await client.send.peer_to_peer(sample.expected)
            for path in ("/api/report/new_list", "/api/report/recipients"):
                service.sandbox.faults.add(429, path=path, headers={"Retry-After": "0.01"})
            assert (await campaign.reconcile()).found == 5


@pytest.mark.parametrize(
    ("message", "values", "text"),
    [
        ("%name% %points%", {"name": "Sara", "points": 7}, "Sara 7"),
        ("%a%%b%", {"a": "1", "b": "2"}, "12"),
        ("100%", {"a": "1"}, "100%"),
        ("100% of %a%", {"a": "1"}, "100% of 1"),
        ("%a%", {"a": "%b%", "b": "2"}, "%b%"),
        ("%other%", {"a": "1"}, "%other%"),
        ("کد: %code%", {"code": "۱۲"}, "کد: ۱۲"),
    ],
)
def test_the_text_of_a_pattern(message: str, values: dict[str, object], text: str) -> None:
    assert fill_pattern(message, values) == text
