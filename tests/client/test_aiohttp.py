"""The extra `fast`: aiohttp below httpx, handed in by the caller. It tells less of a request, so less is sure."""

from __future__ import annotations

import socket

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport

from ippanel_edge import AsyncEdgeClient, Outcome, OutcomeUnknown, RetryPolicy
from ippanel_edge.sandbox import Sandbox
from tests.faults.catalogue import BY_NAME
from tests.faults.server import FaultServer

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # aiohttp knows no other


async def test_a_text_goes_out_over_aiohttp() -> None:
    async with (
        Sandbox() as sandbox,
        httpx.AsyncClient(transport=AiohttpTransport()) as theirs,
        AsyncEdgeClient(
            sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number, http_client=theirs
        ) as client,
    ):
        result = await client.send.webservice(["09121110001", "09351110002"], "سلام")
        assert (await client.reports.recipients(result.id)).total == 2
        sheet = ("numbers.csv", b"phone_number\n09121110003\n")
        assert (await client.send.file(sheet, "درود")).id > result.id


async def test_even_a_refused_connection_is_unknown_for_the_adapter_calls_others_the_same() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with httpx.AsyncClient(transport=AiohttpTransport()) as theirs:
            client = AsyncEdgeClient(
                "k", base_url=f"http://127.0.0.1:{port}/v1", http_client=theirs, retry=RetryPolicy(retries=0)
            )
            with pytest.raises(OutcomeUnknown) as caught:
                await client.payment.credit()
    assert caught.value.outcome is Outcome.UNKNOWN


async def test_a_connection_that_breaks_after_the_request_is_unknown_and_the_send_is_not_repeated() -> None:
    with FaultServer() as server, server.arm(BY_NAME["close-at-request-end"], reused=False) as cell:
        async with httpx.AsyncClient(transport=AiohttpTransport()) as theirs:
            client = AsyncEdgeClient("k", base_url=cell.base_url, from_number="3000717", http_client=theirs)
            with pytest.raises(OutcomeUnknown) as caught:
                await client.send.webservice("09121110001", "سلام")
        tally = cell.settle()
    assert (caught.value.attempts, tally.accepted) == (1, 1)
