"""Large responses: a bounded number of values, and parsing that neither stops the loop nor outlives a deadline."""

from __future__ import annotations

import gzip
import json
import threading
from typing import Any

import httpx
import pytest

import ippanel_edge._async.exchange
from ippanel_edge import DecodeError, Outcome, OutcomeUnknown
from ippanel_edge.config import LARGE_ANSWER_BYTES
from ippanel_edge.wire import reply
from tests.client.conftest import MakeClient
from tests.client.loopback import TIMEOUT
from tests.client.sides import result
from tests.contract.sample import ok

pytestmark = pytest.mark.anyio

ROW = {"message": "x" * 1000, "messages_outbox_id": 7}


def respond(data: Any, *, compressed: bool = False) -> Any:
    body = json.dumps(ok(data)).encode()
    headers = {"content-type": "application/json"}
    if compressed:
        body = gzip.compress(body)
        headers["content-encoding"] = "gzip"

    def handle(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=headers, stream=httpx.ByteStream(body))

    return handle


async def test_a_small_gzip_body_with_very_many_values_is_refused(make_client: MakeClient) -> None:
    bomb = respond([{}] * 480_000, compressed=True)
    with pytest.raises(DecodeError, match="too many values") as raised:
        await result(make_client(bomb, retry=0).reports.outbox())
    assert raised.value.outcome is Outcome.UNKNOWN


TOO_MANY: dict[str, Any] = {
    "arrays": [[]] * 100_001,
    "members": {str(number): number for number in range(500_001)},
    "items": [1] * 2_000_002,
}


@pytest.mark.parametrize("data", TOO_MANY.values(), ids=TOO_MANY.keys())
async def test_the_number_of_values_is_bounded(data: Any) -> None:
    with pytest.raises(DecodeError, match="too many values"):
        reply.parse_json(json.dumps(data).encode())


async def test_signs_in_texts_do_not_count() -> None:
    text = '{[:,"\\' * 600_000
    assert reply.parse_json(json.dumps([text]).encode()) == [text]


async def test_the_ids_of_a_large_send_are_read(make_client: MakeClient) -> None:
    ids = list(range(1, 120_001))
    client = make_client(respond({"message_outbox_ids": ids}, compressed=True))
    sent = await result(client.send.webservice("09121234567", "text"))
    assert sent.message_outbox_ids == tuple(ids)


@pytest.mark.parametrize("compressed", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("side", ["asyncio", "trio"], indirect=True)
async def test_a_large_response_to_a_read_is_parsed_in_another_thread(
    make_client: MakeClient,
    monkeypatch: pytest.MonkeyPatch,
    compressed: bool,  # noqa: FBT001 - a test parameter
) -> None:
    threads: list[int] = []

    def parse(*arguments: Any) -> Any:
        threads.append(threading.get_ident())
        return reply.parse(*arguments)

    monkeypatch.setattr(ippanel_edge._async.exchange, "parse", parse)
    rows = 2 * LARGE_ANSWER_BYTES // len(json.dumps(ROW))
    page = await make_client(respond([ROW] * rows, compressed=compressed)).reports.outbox()
    assert len(page.items) == rows
    await make_client(respond([ROW])).reports.outbox()
    await make_client(respond({"message_outbox_ids": [10**9] * 20_000})).send.webservice("09121234567", "text")
    here = threading.get_ident()
    assert [thread == here for thread in threads] == [False, True, True]


@pytest.mark.parametrize("side", ["asyncio", "trio"], indirect=True)
async def test_a_deadline_does_not_wait_for_the_parser(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = threading.Event()

    def parse(*arguments: Any) -> Any:
        over.wait(TIMEOUT)
        return reply.parse(*arguments)

    monkeypatch.setattr(ippanel_edge._async.exchange, "parse", parse)
    client = make_client(respond([ROW] * 300), deadline=0.05)
    with pytest.raises(OutcomeUnknown, match="deadline") as raised:
        await client.reports.outbox()
    assert not over.is_set()
    assert raised.value.timed_out
    over.set()
