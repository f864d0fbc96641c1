"""Helpers of the tests of the fast transport: clients that use it, and the responses that they expect."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from ippanel_edge import AsyncEdgeClient, CallEnded, EdgeClient
from tests.client.loopback import TIMEOUT, ReceivedRequest, http_response
from tests.client.sides import result
from tests.contract.sample import ok

LINE = "+983000111222"
MOBILE = "09123456789"

Events = list[CallEnded]


def sent(number: int) -> bytes:
    """Return the response to a send whose message has the id `number`."""
    return http_response(json.dumps(ok({"message_outbox_ids": [number]})))


def chunked(response: bytes) -> bytes:
    """Return the same response with a chunked body."""
    body = response.partition(b"\r\n\r\n")[2]
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def respond(request: ReceivedRequest) -> None:
    """Respond with the number of the connection as the id of the message."""
    request.send(sent(request.connection))


def make_client(side: str, url: str, **options: Any) -> Any:
    """Return a client over the fast transport; `side` is "sync", or anything else for the async client."""
    kind = EdgeClient if side == "sync" else AsyncEdgeClient
    settings: dict[str, Any] = {"timeout": TIMEOUT, "from_number": LINE, "transport": "fast", **options}
    return kind("fast-transport-key", base_url=f"{url}/v1", **settings)


async def close(client: Any) -> None:
    await result(getattr(client, "close" if isinstance(client, EdgeClient) else "aclose")())


@asynccontextmanager
async def open_client(side: str, url: str, **options: Any) -> AsyncGenerator[Any]:
    """Open a client over the fast transport."""
    client = make_client(side, url, **options)
    try:
        yield client
    finally:
        await close(client)


async def send(client: Any) -> int:
    """Send a message and return its id."""
    return int((await result(client.send.webservice(MOBILE, "hello"))).id)


def ends_of(events: Events) -> Callable[[Any], None]:
    """Return a listener that records the ends of calls."""

    def listen(event: Any) -> None:
        if isinstance(event, CallEnded):
            events.append(event)

    return listen
