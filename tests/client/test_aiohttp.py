"""The extra `fast`: a caller's httpx client over aiohttp, which does not report when a request starts to be written."""

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
    return "asyncio"  # aiohttp supports no other


async def test_messages_are_sent_over_aiohttp() -> None:
    async with (
        Sandbox() as sandbox,
        httpx.AsyncClient(transport=AiohttpTransport()) as http_client,
        AsyncEdgeClient(
            sandbox.api_key, base_url=sandbox.base_url, from_number=sandbox.from_number, http_client=http_client
        ) as client,
    ):
        result = await client.send.webservice(["09121110001", "09351110002"], "سلام")
        assert (await client.reports.recipients(result.id)).total == 2
        numbers = ("numbers.csv", b"phone_number\n09121110003\n")
        assert (await client.send.file(numbers, "درود")).id > result.id


async def test_a_refused_connection_is_unknown_because_the_adapter_raises_the_same_error_for_others() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        async with httpx.AsyncClient(transport=AiohttpTransport()) as http_client:
            client = AsyncEdgeClient(
                "k", base_url=f"http://127.0.0.1:{port}/v1", http_client=http_client, retry=RetryPolicy(retries=0)
            )
            with pytest.raises(OutcomeUnknown) as caught:
                await client.payment.credit()
    assert caught.value.outcome is Outcome.UNKNOWN


async def test_a_send_is_unknown_and_not_retried_if_the_connection_breaks_after_the_request() -> None:
    with FaultServer() as server, server.arm(BY_NAME["close-at-request-end"], reused=False) as cell:
        async with httpx.AsyncClient(transport=AiohttpTransport()) as http_client:
            client = AsyncEdgeClient("k", base_url=cell.base_url, from_number="3000717", http_client=http_client)
            with pytest.raises(OutcomeUnknown) as caught:
                await client.send.webservice("09121110001", "سلام")
        tally = cell.settle()
    assert (caught.value.attempts, tally.accepted) == (1, 1)
