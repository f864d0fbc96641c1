"""Plans, delivery and exports of campaigns against the sandbox, and the memory that a campaign needs."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from ippanel_edge import AsyncEdgeClient, InvalidArgument, RateLimited
from ippanel_edge.bulk import (
    Campaign,
    Method,
    State,
    read_rows,
)
from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.reserved import FAILED_NUMBER, INVALID_NUMBER
from tests.bulk.accepted import accepted, numbers

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).resolve().parents[2]


# Plans, delivery and reports.


async def test_a_plan_asks_for_the_price_of_each_distinct_length_and_sends_nothing(
    client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    asked: list[str] = []

    async def watch(call: Any, proceed: Any) -> Any:
        asked.append(call.endpoint.name)
        return await proceed(call)

    watched = client.with_options(call_middleware=[watch])
    rows = [(number, "x" * (1 + index % 3)) for index, number in enumerate(numbers(30))]
    async with Campaign.open(tmp_path / "a.db", watched, chunk_size=10) as campaign:
        await campaign.load([*rows, ("09129999999", "سلام" * 40)])
        plan = await campaign.plan(rate=2)
    assert (plan.rows, plan.parts, plan.requests) == (31, 30 + 3, {Method.PEER_TO_PEER: 4})
    assert [(size.encoding, size.units, size.rows) for size in plan.sizes] == [
        ("gsm-7", 1, 10),
        ("gsm-7", 2, 10),
        ("gsm-7", 3, 10),
        ("ucs-2", 160, 1),
    ]
    assert plan.seconds == 2.0
    assert plan.cost_from is not None
    assert plan.cost_to is not None
    assert 0 < plan.cost_from <= plan.cost_to
    assert asked == ["send.calculate_price"] * 4
    assert accepted(sandbox) == []


async def test_a_plan_does_not_wait_for_prices_that_the_service_refuses(
    client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Campaign.open(tmp_path / "a.db", client, message="a") as campaign:
        await campaign.load(numbers(1))
        sandbox.faults.add(429, path="/api/send/calculate-price", times=999, headers={"Retry-After": "3600"})
        with anyio.fail_after(5), pytest.raises(RateLimited):
            await campaign.plan()


async def test_a_plan_of_one_text_and_of_a_pattern(client: AsyncEdgeClient, tmp_path: Path) -> None:
    async with Campaign.open(tmp_path / "a.db", client, message="Hello") as campaign:
        assert (await campaign.plan(price=False)).sizes == []
        await campaign.load(numbers(1500))
        plan = await campaign.plan(price=False)
        assert (plan.rows, plan.parts, plan.requests, plan.cost_from) == (1500, 1500, {Method.WEBSERVICE: 2}, None)
    async with Campaign.open(tmp_path / "b.db", client, pattern="otp") as campaign:
        await campaign.load([(number, {"code": 12345}) for number in numbers(2)])
        plan = await campaign.plan()
        assert (plan.rows, plan.requests) == (2, {Method.PATTERN: 2})
        assert "12345" in plan.sizes[0].example


async def test_tracking_fills_in_the_delivery_status(client: AsyncEdgeClient, tmp_path: Path) -> None:
    async with Campaign.open(tmp_path / "a.db", client, message="a") as campaign:
        await campaign.load([*numbers(3), FAILED_NUMBER])
        await campaign.run()
        tracked = await campaign.track(timeout=20, every=0.05)
        statuses = {row.recipient: row.delivery async for row in campaign.rows()}
    assert (tracked.delivered, tracked.not_delivered, tracked.open) == (3, 1, 0)
    assert statuses[FAILED_NUMBER] == "not_delivered"
    assert list(statuses.values()).count("delivered") == 3


async def test_the_export_has_every_row_once(client: AsyncEdgeClient, tmp_path: Path) -> None:
    async with Campaign.open(tmp_path / "a.db", client) as campaign:
        await campaign.load([("09121234567", "=1+1"), (INVALID_NUMBER, "b"), ("12", "c")])
        await campaign.run()
        assert await campaign.export(tmp_path / "report.csv") == 3
        with pytest.raises(InvalidArgument, match="exists"):
            await campaign.export(tmp_path / "report.csv")
        assert await campaign.export(tmp_path / "report.csv", State.SENT, overwrite=True) == 0
    with (tmp_path / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.DictReader(file)) == []
    async with Campaign.inspect(tmp_path / "a.db") as campaign:
        await campaign.export(tmp_path / "all.csv")
    with (tmp_path / "all.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["line"], row["state"], row["message"]) for row in rows] == [
        ("1", "rejected", "'=1+1"),
        ("2", "rejected", "b"),
        ("3", "set_aside", ""),
    ]


async def test_an_export_has_the_texts_that_are_sent(client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path) -> None:
    async with Campaign.open(tmp_path / "a.db", client, message="pg {{x}}") as campaign:
        await campaign.load(numbers(1))
        await campaign.run()
        await campaign.export(tmp_path / "report.csv")
    with (tmp_path / "report.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["message"] for row in csv.DictReader(file)] == ["pg {x}"]
    assert [message.text for message in sandbox.state.outbox.values()] == ["pg {x}"]


# Memory.

_MEASURE = """
import sys, anyio
from benchmarks.process import Child
peer, file, ledger = sys.argv[1:]
with Child("server", -1) as server:
    url = f"http://127.0.0.1:{server.first['ports'][0]}/v1"
    with Child("campaign", peer, url, -1) as child:
        result = child.ask(file=file, ledger=ledger)
print(result["rss"], result["failed"])
"""


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_million_rows_need_less_than_150_mb(tmp_path: Path) -> None:
    from benchmarks import customers, targets  # noqa: PLC0415 - this test only

    file = customers.write_csv(tmp_path / "customers.csv", 1_000_000)
    run = await anyio.run_process(
        [sys.executable, "-c", _MEASURE, targets.CAMPAIGN_ONE, str(file), str(tmp_path / "a.db")],
        cwd=ROOT,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert run.returncode == 0, run.stdout.decode()
    rss, failed = map(float, run.stdout.split())
    assert rss < 150
    assert failed == 0


@pytest.mark.parametrize(("length", "size", "requests"), [(100, None, 2), (500, None, 6), (500, 10_000, 2)])
async def test_a_file_has_fewer_rows_if_their_texts_are_long(
    client: AsyncEdgeClient, tmp_path: Path, length: int, size: int | None, requests: int
) -> None:
    async with Campaign.open(tmp_path / "a.db", client, chunk_size=size) as campaign:
        await campaign.load([(number, "a" * length) for number in numbers(12_000)])
        assert (await campaign.plan(price=False)).requests == {Method.PEER_TO_PEER_FILE: requests}


async def test_a_request_has_at_least_one_row_however_long_its_values_are(
    client: AsyncEdgeClient, tmp_path: Path
) -> None:
    rows = [(number, {"code": "1" * 1_100_000}) for number in numbers(2)]
    async with Campaign.open(tmp_path / "a.db", client, pattern="otp", params=["code"]) as campaign:
        await campaign.load(rows)
        assert (await campaign.plan(price=False)).requests == {Method.PATTERN: 2}


async def test_rows_of_an_xlsx_file(client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path) -> None:
    from benchmarks import customers  # noqa: PLC0415 - this test only

    file = customers.write_xlsx(tmp_path / "customers.xlsx", 50)
    async with Campaign.open(tmp_path / "a.db", client, message="Hello {name}") as campaign:
        assert (await campaign.load(read_rows(file, recipient="mobile"))).added == 50
        assert (await campaign.run()).is_complete
    assert len(accepted(sandbox)) == 50
