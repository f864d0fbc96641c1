"""Campaigns against the sandbox: what a user does with them, from opening a ledger to the end of a run."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import pytest

from ippanel_edge import AsyncEdgeClient, ConfigurationError, InvalidArgument, NotFound, RateLimit
from ippanel_edge.bulk import (
    Campaign,
    CampaignError,
    Counts,
    Method,
    Progress,
    SqliteLedger,
    State,
    send_campaign,
)
from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.reserved import ACCEPTED_FAILURE_NUMBER, INVALID_NUMBER, NO_CREDIT_NUMBER
from tests.bulk.accepted import accepted, names_in, numbers

pytestmark = pytest.mark.anyio


# Opening.


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"message": ""}, "message: must not be empty"),
        ({"message": "Hello {name} \ud800"}, "message: contains a lone surrogate"),
        ({"message": "Hello {"}, "message: not a valid template"),
        ({"message": "Hello {name!r}"}, "the field {name} must be the name of a column"),
        ({"message": "a", "pattern": "otp"}, "pattern: must not be combined with message"),
        ({"message": "a", "params": ["code"]}, "params: must not be passed without a pattern"),
        ({"message": "a" * 1401}, "message: "),
        ({"message": "a", "from_number": "x" * 30}, "from_number: "),
        ({"message": "a", "method": "pigeon"}, "method: "),
        ({"message": "a", "method": "pattern"}, "method: expected webservice or file"),
        ({"message": "a", "method": "webservice", "chunk_size": 1001}, "chunk_size: "),
        ({"message": "a", "chunk_size": 0}, "chunk_size: "),
        ({"message": "a", "chunk_size": True}, "chunk_size: "),
        ({"message": "a", "send_time": datetime(2030, 1, 1)}, "send_time: expected a timezone-aware"),  # noqa: DTZ001 - the case
        ({"message": 7}, "message: expected a str"),
        ({"message": "a", "one_per_number": 1}, "one_per_number: expected a bool"),
    ],
)
async def test_an_invalid_argument_is_named_before_a_ledger_is_created(
    client: AsyncEdgeClient, tmp_path: Path, arguments: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidArgument) as caught:
        Campaign.open(tmp_path / "a.db", client, **arguments)
    assert problem in str(caught.value)
    assert names_in(tmp_path) == []


async def test_a_sender_line_is_required(sandbox: Sandbox, tmp_path: Path) -> None:
    async with AsyncEdgeClient(sandbox.api_key, base_url=sandbox.base_url) as client:
        with pytest.raises(InvalidArgument, match="from_number: is required"):
            Campaign.open(tmp_path / "a.db", client, message="a")


@pytest.mark.parametrize(
    "changed",
    [
        {"message": "b"},
        {"from_number": "+983000505"},
        {"message": "{name}"},
        {"message": None},
        {"message": None, "pattern": "otp", "params": ["code"]},
        {"send_time": datetime(2030, 1, 1, tzinfo=UTC)},
        {"one_per_number": True},
    ],
)
async def test_a_ledger_refuses_other_terms(client: AsyncEdgeClient, tmp_path: Path, changed: dict[str, Any]) -> None:
    async with Campaign.open(tmp_path / "a.db", client, message="a") as campaign:
        await campaign.load(numbers(1))
    terms: dict[str, Any] = {"message": "a", **changed}
    with pytest.raises(CampaignError, match="the ledger was created with"):
        async with Campaign.open(tmp_path / "a.db", client, **terms):
            pass


async def test_a_ledger_without_rows_takes_other_terms(client: AsyncEdgeClient, tmp_path: Path) -> None:
    async with Campaign.open(tmp_path / "a.db", client):
        pass
    async with Campaign.open(tmp_path / "a.db", client, message="a") as campaign:
        assert campaign.terms.message == "a"


async def test_resume_takes_the_recorded_terms_and_needs_a_ledger(client: AsyncEdgeClient, tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="there is no ledger"):
        async with Campaign.resume(tmp_path / "a.db", client):
            pass
    assert names_in(tmp_path) == []
    when = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    async with Campaign.open(tmp_path / "a.db", client, message="Hello {name}", send_time=when) as campaign:
        await campaign.load([("09121234567", {"name": "Sara"})])
        terms = campaign.terms
    async with Campaign.resume(tmp_path / "a.db", client) as campaign:
        assert campaign.terms == terms
        assert (await campaign.run()).counts.sent == 1


async def test_a_campaign_to_read_only_can_be_opened_while_another_one_runs(
    client: AsyncEdgeClient, tmp_path: Path
) -> None:
    async with Campaign.open(tmp_path / "a.db", client, message="a") as owner:
        await owner.load(numbers(3))
        async with Campaign.inspect(tmp_path / "a.db") as reader:
            assert await reader.counts() == Counts(pending=3)
            with pytest.raises(CampaignError, match="opened to read only"):
                await reader.run()


# Loading.


async def test_loading_twice_adds_nothing(client: AsyncEdgeClient, tmp_path: Path) -> None:
    async with Campaign.open(tmp_path / "a.db", client, message="a") as campaign:
        first = await campaign.load([*numbers(5), "0912 000 0001", "12"])
        second = await campaign.load([*numbers(5), "0912 000 0001", "12", *numbers(1, 5)])
        assert await campaign.counts() == Counts(pending=6, set_aside=1, duplicates=1)
    assert (first.rows, first.added, first.duplicates, first.set_aside, first.already_loaded) == (7, 5, 1, 1, 0)
    assert (second.rows, second.added, second.duplicates, second.already_loaded, second.set_aside) == (8, 1, 0, 6, 1)


async def test_a_bad_row_is_set_aside_with_its_place_and_reason(client: AsyncEdgeClient, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("name,mobile\nSara,09121234567\nAli,0912\n,09121234568\n" + "x" * 1401 + ",09121234569\n", "utf-8")
    async with Campaign.open(tmp_path / "a.db", client, message="{name}") as campaign:
        report = await campaign.load(file)
        bad = [row async for row in campaign.bad_rows()]
    assert (report.added, report.set_aside) == (1, 3)
    assert [(row.source, row.line, row.value) for row in bad] == [
        ("customers.csv", 3, "0912"),
        ("customers.csv", 4, "09121234568"),
        ("customers.csv", 5, "09121234569"),
    ]
    assert [row.reason.split(":")[0] for row in bad] == ["recipient", "message", "message"]


async def test_rows_that_cannot_be_sent_do_not_stop_those_after_them(
    client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    rows: list[Any] = [
        (numbers(1)[0], {"code": 10**30}),
        (numbers(1)[0], {"code": 10**5000}),
        (numbers(1)[0], {"code": "\ud800"}),
        ("0912\udcff\0", {"code": "1"}),
        (numbers(2)[1], {"code": "ok"}),
    ]
    async with Campaign.open(tmp_path / "a.db", client, pattern="otp", params=["code"]) as campaign:
        report = await campaign.load(rows)
        assert (report.added, report.set_aside) == (1, 4)
        bad = [row async for row in campaign.bad_rows()]
        assert [(row.source, row.line) for row in bad] == [("rows", line) for line in (1, 2, 3, 4)]
        assert bad[3].value == "0912?\ufffd", "what no database can store is replaced"
        result = await campaign.run()
        assert (result.stopped, result.counts.sent) == (None, 1)
    assert len(sandbox.state.outbox) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have Unicode names only")
async def test_a_file_may_have_any_name(client: AsyncEdgeClient, tmp_path: Path) -> None:
    file = tmp_path / os.fsdecode(b"bar\xe9.csv")  # Latin-1, which is not UTF-8
    file.write_text("mobile\n09121234567\n")
    async with Campaign.open(tmp_path / "a.db", client, message="a") as campaign:
        report = await campaign.load(file)
        assert (report.source, report.added) == ("bar?.csv", 1)


async def test_a_load_that_stops_at_a_bad_row_adds_nothing(
    client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    async with Campaign.open(tmp_path / "a.db", client, message="a") as campaign:
        with pytest.raises(InvalidArgument, match=r"rows, line 9,001: recipient: too short"):
            await campaign.load([*numbers(9000), "0912"], on_bad_row="stop")
        assert await campaign.counts() == Counts()
        assert (await campaign.run()).counts == Counts()
    assert accepted(sandbox) == []


async def test_a_failed_source_adds_nothing(client: AsyncEdgeClient, tmp_path: Path) -> None:
    async def rows() -> AsyncIterator[str]:
        for number in numbers(3000):
            yield number
        raise OSError("the database has gone")

    async with Campaign.open(tmp_path / "a.db", client, message="a") as campaign:
        with pytest.raises(OSError, match="the database has gone"):
            await campaign.load(rows())
        assert await campaign.counts() == Counts()
        assert (await campaign.load(numbers(2))).added == 2


async def test_one_message_per_number_on_request(client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [("09121234567", "first"), ("+98 912 123 4567", "second")]
    async with Campaign.open(tmp_path / "a.db", client) as campaign:
        assert (await campaign.load(rows)).duplicates == 0
    async with Campaign.open(tmp_path / "b.db", client, one_per_number=True) as campaign:
        assert (await campaign.load(rows)).duplicates == 1
        assert (await campaign.load([("09121234567", "third")])).already_loaded == 1
        await campaign.run()
    assert accepted(sandbox) == [("+989121234567", "first")]


# Running.


@pytest.mark.parametrize(
    ("terms", "rows", "texts"),
    [
        ({"message": "Hello"}, numbers(3), ["Hello"] * 3),
        ({"message": "Hello", "method": "file"}, numbers(3), ["Hello"] * 3),
        ({"message": "{{{name}}}"}, [(number, {"name": number[-1]}) for number in numbers(3)], ["{0}", "{1}", "{2}"]),
        ({}, [(number, f"text, {number[-1]}") for number in numbers(3)], ["text, 0", "text, 1", "text, 2"]),
        (
            {"method": Method.PEER_TO_PEER_FILE},
            [(number, f'"text,\n{number[-1]}') for number in numbers(3)],
            ['"text,\n0', '"text,\n1', '"text,\n2'],
        ),
    ],
    ids=["webservice", "file", "template", "own texts", "peer_to_peer_file"],
)
async def test_each_row_is_sent_once(
    client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path, terms: dict[str, Any], rows: list[Any], texts: list[str]
) -> None:
    async with Campaign.open(tmp_path / "a.db", client, **terms) as campaign:
        await campaign.load(rows)
        report = await campaign.run()
        found = [row async for row in campaign.rows(State.SENT)]
    assert report.is_complete
    assert report.counts == Counts(sent=3)
    assert sorted(accepted(sandbox)) == [(f"+98912000000{index}", text) for index, text in enumerate(texts)]
    assert {row.message_outbox_id for row in found} == set(sandbox.state.outbox)


async def test_a_pattern_takes_the_names_of_its_variables_from_the_service(
    client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    file = tmp_path / "codes.csv"
    file.write_text("mobile,code,note\n09121234567,48213,a\n09121234568,5521,b\n", "utf-8")
    async with Campaign.open(tmp_path / "a.db", client, pattern="otp") as campaign:
        assert campaign.terms.params == {"code": "code"}
        await campaign.load(file)
        report = await campaign.run(concurrency=2)
    assert report.requests == 2
    assert sorted(number for number, _ in accepted(sandbox)) == ["+989121234567", "+989121234568"]
    assert any("48213" in text for _, text in accepted(sandbox))


async def test_an_unknown_pattern_is_an_error_before_a_ledger_is_created(
    client: AsyncEdgeClient, tmp_path: Path
) -> None:
    with pytest.raises(NotFound):
        async with Campaign.open(tmp_path / "a.db", client, pattern="nonsense"):
            pass
    assert names_in(tmp_path) == []


async def test_a_rejected_chunk_does_not_stop_the_others(
    client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    rows = [*numbers(4), INVALID_NUMBER, *numbers(4, 10)]
    async with Campaign.open(tmp_path / "a.db", client, message="a", chunk_size=2) as campaign:
        await campaign.load(rows)
        report = await campaign.run(concurrency=1)
        rejected = [row async for row in campaign.rows(State.REJECTED)]
        assert await campaign.retry_rejected() == 2
        assert (await campaign.counts()).pending == 2
    assert report.counts == Counts(sent=7, rejected=2)
    assert report.stopped is None
    assert report.is_complete
    assert INVALID_NUMBER in {row.recipient for row in rejected}
    assert all(row.error and "HTTP 422" in row.error for row in rejected)
    assert len(accepted(sandbox)) == 7


async def test_an_unknown_row_is_found_in_the_outbox(client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path) -> None:
    rows = [(ACCEPTED_FAILURE_NUMBER, "lost"), *((number, "found") for number in numbers(2))]
    async with Campaign.open(tmp_path / "a.db", client, chunk_size=1) as campaign:
        await campaign.load(rows)
        report = await campaign.run()
        assert report.counts == Counts(sent=2, unknown=1)
        assert not report.is_complete
        reconciled = await campaign.reconcile()
        assert (reconciled.found, reconciled.unknown, reconciled.ambiguous) == (1, 0, 0)
        assert await campaign.counts() == Counts(sent=3)
        assert (await campaign.run()).requests == 0
    assert len(accepted(sandbox)) == 3


async def test_an_unknown_row_is_sent_again_on_request_only(
    client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    sandbox.faults.add(500, path="/api/send", times=1)  # not executed, but the client cannot know that
    async with Campaign.open(tmp_path / "a.db", client, message="a") as campaign:
        await campaign.load(numbers(3))
        assert (await campaign.run()).counts.unknown == 3
        assert (await campaign.run()).requests == 0
        assert (await campaign.reconcile()).unknown == 3
        assert await campaign.resend_unknown() == 3
        assert (await campaign.run()).counts == Counts(sent=3)
    assert len(accepted(sandbox)) == 3


async def test_missing_credit_stops_the_run_and_loses_no_row(client: AsyncEdgeClient, tmp_path: Path) -> None:
    rows = [NO_CREDIT_NUMBER, *numbers(3)]
    async with Campaign.open(tmp_path / "a.db", client, message="a", chunk_size=1) as campaign:
        await campaign.load(rows)
        report = await campaign.run(concurrency=1)
    assert report.counts == Counts(pending=4)
    assert report.stopped is not None
    assert "send.webservice" in report.stopped
    assert report.requests == 1


async def test_a_scheduled_time_that_has_passed_stops_the_run_before_anything_is_sent(
    client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    soon = datetime.now(UTC) + timedelta(minutes=4)
    async with Campaign.open(tmp_path / "a.db", client, message="a", send_time=soon) as campaign:
        await campaign.load(numbers(3))
        report = await campaign.run()
    assert report.counts == Counts(pending=3)
    assert report.stopped is not None
    assert "send_time: too early" in report.stopped
    assert accepted(sandbox) == []


async def test_progress_counts_up_to_the_end(client: AsyncEdgeClient, tmp_path: Path) -> None:
    seen: list[Progress] = []
    async with Campaign.open(tmp_path / "a.db", client, message="a", chunk_size=5) as campaign:
        await campaign.load(numbers(23))
        await campaign.run(concurrency=1, on_progress=seen.append)
    assert [progress.done for progress in seen] == [5, 10, 15, 20, 23]
    assert seen[-1].counts == Counts(sent=23)
    assert seen[0].rate > 0
    assert seen[0].seconds_left is not None
    assert seen[-1].seconds_left == 0


async def test_an_error_of_the_progress_function_is_raised_as_it_is(client: AsyncEdgeClient, tmp_path: Path) -> None:
    def fail(_: Progress) -> None:
        raise ZeroDivisionError

    async with Campaign.open(tmp_path / "a.db", client, message="a", chunk_size=5) as campaign:
        await campaign.load(numbers(20))
        with pytest.raises(ZeroDivisionError):
            await campaign.run(on_progress=fail)
        assert (await campaign.counts()).sending == 0


async def test_a_paused_run_sends_nothing_until_it_goes_on(
    client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path
) -> None:
    paused_at: list[int] = []
    paused = anyio.Event()

    async with Campaign.open(tmp_path / "a.db", client, message="a", chunk_size=1) as campaign:

        def pause(progress: Progress) -> None:
            if not paused_at:
                paused_at.append(progress.done)
                campaign.pause()
                paused.set()

        await campaign.load(numbers(10))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: campaign.run(concurrency=1, on_progress=pause))
            await paused.wait()
            for _ in range(20):
                await anyio.sleep(0.005)
            assert len(accepted(sandbox)) == 1
            campaign.unpause()
        assert await campaign.counts() == Counts(sent=10)


async def test_a_campaign_runs_once_at_a_time(client: AsyncEdgeClient, tmp_path: Path) -> None:
    async with Campaign.open(tmp_path / "a.db", client, message="a") as campaign:
        await campaign.load(numbers(3))
        campaign.pause()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(campaign.run)
            await anyio.sleep(0.01)
            with pytest.raises(CampaignError, match="running already"):
                await campaign.run()
            campaign.unpause()


async def test_the_rate_limits_the_requests(client: AsyncEdgeClient, tmp_path: Path) -> None:
    async with Campaign.open(tmp_path / "a.db", client, message="a", chunk_size=1) as campaign:
        await campaign.load(numbers(5))
        report = await campaign.run(rate=RateLimit(20))
    assert report.seconds >= 4 / 20


@pytest.mark.parametrize("arguments", [{"concurrency": 0}, {"concurrency": 2000}, {"rate": 0}, {"rate": "fast"}])
async def test_an_invalid_argument_of_a_run_is_an_error(
    client: AsyncEdgeClient, tmp_path: Path, arguments: dict[str, Any]
) -> None:
    async with Campaign.open(tmp_path / "a.db", client, message="a") as campaign:
        await campaign.load(numbers(3))
        with pytest.raises(ConfigurationError):
            await campaign.run(**arguments)
        assert await campaign.counts() == Counts(pending=3)


# In one call.


async def test_a_whole_campaign_in_one_call(client: AsyncEdgeClient, sandbox: Sandbox, tmp_path: Path) -> None:
    for _ in range(2):  # the second call finds everything done
        report = await send_campaign(tmp_path / "a.db", numbers(5), client=client, message="a", concurrency=2)
        assert report.counts.sent == 5
    assert len(accepted(sandbox)) == 5


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_custom_ledger_object_is_accepted(client: AsyncEdgeClient, tmp_path: Path) -> None:
    ledger = SqliteLedger(tmp_path / "a.db")
    assert "a.db" in repr(ledger)
    with pytest.raises(CampaignError, match="not open"):
        _ = ledger.terms
    async with Campaign.open(ledger, client, message="a") as campaign:
        assert (await campaign.load(numbers(1))).added == 1
