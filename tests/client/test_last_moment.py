"""Sends that must not leave any more: what asks for them was cancelled already, or the client was closed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx
import pytest

from ippanel_edge import AsyncEdgeClient, ConnectionFailed, Outcome
from tests.client.fast import LINE, MOBILE, Events, ends_of, respond, send
from tests.client.loopback import TIMEOUT, Loopback, ReceivedRequest

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["httpx", "fast"])
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def received() -> list[int]:
    """Return the requests that the server received."""
    return []


@pytest.fixture
async def server(received: list[int]) -> AsyncIterator[Loopback]:
    def handler(request: ReceivedRequest) -> None:
        received.append(request.connection)
        respond(request)

    with Loopback(handler) as server:
        yield server


def client_of(server: Loopback, transport: str, **options: Any) -> AsyncEdgeClient:
    settings: dict[str, Any] = {"timeout": TIMEOUT, "from_number": LINE, "retry": 0, "transport": transport, **options}
    return AsyncEdgeClient("last-moment-key", base_url=f"{server.url}/v1", **settings)


@pytest.mark.parametrize("way", ["scope", "deadline", "task"])
async def test_a_send_in_what_was_cancelled_already_does_not_leave(
    way: str, transport: str, server: Loopback, received: list[int]
) -> None:
    events: Events = []
    async with client_of(server, transport, listeners=[ends_of(events)]) as client:
        await send(client)  # opens the connection
        match way:
            case "scope":
                with anyio.CancelScope() as scope:
                    scope.cancel()
                    await send(client)
            case "deadline":
                with anyio.move_on_after(0):
                    await send(client)
            case _:

                async def cancelled() -> None:
                    task = asyncio.current_task()
                    assert task is not None
                    task.cancel()
                    await send(client)

                with pytest.raises(asyncio.CancelledError):
                    await asyncio.ensure_future(cancelled())
        assert (events[-1].outcome, events[-1].interrupted) == (Outcome.NOT_SENT, False)
        await send(client)
    assert len(received) == 2


@pytest.mark.parametrize("steps", range(1, 5))
async def test_a_send_does_not_leave_after_its_client_was_closed(
    steps: int, transport: str, server: Loopback, received: list[int]
) -> None:
    client = client_of(server, transport, limits=httpx.Limits(keepalive_expiry=0.0))
    await send(client)
    task = asyncio.ensure_future(client.send.webservice(MOBILE, "hello"))  # it closes the expired connection first
    for _ in range(steps):
        await asyncio.sleep(0)
    await client.aclose()
    with pytest.raises(ConnectionFailed) as caught:
        await task
    assert caught.value.outcome is Outcome.NOT_SENT
    assert len(received) == 1
