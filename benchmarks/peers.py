"""The peers: each sends the same message with one client, and returns the ids of the response.

Each function imports its own client, so that the memory of a process is that of one client.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final

from benchmarks import targets

if TYPE_CHECKING:
    import httpx

Send = Callable[[], Awaitable[Any]]
"""Sends one message and returns its ids."""
SendSync = Callable[[], Any]

LINE: Final = "+983000717"
NUMBER: Final = "+989121110001"
KEY: Final = "k"
HEADERS: Final = {"Authorization": KEY}
CONNECTIONS: Final = 100
"""The connections of each client: the default of httpx and of the SDK."""
TIMEOUT: Final = 60.0
"""Seconds for each step of a request of the clients other than the SDK: a burst waits long for a free connection."""


def message() -> dict[str, object]:
    """Return the body of the request."""
    return {"sending_type": "webservice", "from_number": LINE, "message": "hi", "params": {"recipients": [NUMBER]}}


@asynccontextmanager
async def by_httpx(url: str) -> AsyncGenerator[Send]:
    """Send with a plain httpx client.

    Its default limits, 100 connections of which 20 are kept, suit it best: if it keeps all 100, its pool spends up to
    ten times the CPU time on the idle ones.
    """
    import httpx

    async with httpx.AsyncClient(timeout=TIMEOUT) as client:
        yield _by(client, url)


@asynccontextmanager
async def by_httpx_aiohttp(url: str) -> AsyncGenerator[Send]:
    """Send with httpx over the transport of aiohttp."""
    import httpx
    from httpx_aiohttp import AiohttpTransport

    async with httpx.AsyncClient(transport=AiohttpTransport(), timeout=TIMEOUT) as client:
        yield _by(client, url)


@asynccontextmanager
async def by_pool(url: str) -> AsyncGenerator[Send]:
    """Send with httpx over the SDK's connection pool, without the SDK's client."""
    import httpx

    from ippanel_edge._async.pool import AsyncPoolTransport

    async with httpx.AsyncClient(transport=AsyncPoolTransport(), timeout=TIMEOUT) as client:
        yield _by(client, url)


def _by(client: httpx.AsyncClient, url: str) -> Send:
    async def send() -> Any:
        response = await client.post(f"{url}/api/send", json=message(), headers=HEADERS)
        response.raise_for_status()
        return response.json()["data"]["message_outbox_ids"]

    return send


@asynccontextmanager
async def by_aiohttp(url: str) -> AsyncGenerator[Send]:
    """Send with aiohttp alone."""
    import aiohttp

    connector, timeout = aiohttp.TCPConnector(limit=CONNECTIONS), aiohttp.ClientTimeout(total=TIMEOUT)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def send() -> Any:
            async with session.post(f"{url}/api/send", json=message(), headers=HEADERS) as response:
                response.raise_for_status()
                return (await response.json())["data"]["message_outbox_ids"]

        yield send


@asynccontextmanager
async def by_sdk(url: str, **options: Any) -> AsyncGenerator[Send]:
    """Send with the SDK's client."""
    from ippanel_edge import AsyncEdgeClient

    async with AsyncEdgeClient(KEY, base_url=url, from_number=LINE, **options) as client:

        async def send() -> Any:
            return list((await client.send.webservice(NUMBER, "hi")).message_outbox_ids)

        yield send


def by_fast(url: str) -> AbstractAsyncContextManager[Send]:
    """Send with the SDK's client and its fast transport."""
    return by_sdk(url, transport="fast")


@asynccontextmanager
async def by_sdk_over_aiohttp(url: str) -> AsyncGenerator[Send]:
    """Send with the SDK's client over the transport of aiohttp."""
    import httpx
    from httpx_aiohttp import AiohttpTransport

    async with (
        httpx.AsyncClient(transport=AiohttpTransport()) as http,
        by_sdk(url, http_client=http) as send,
    ):
        yield send


@contextmanager
def by_sync_httpx(url: str) -> Generator[SendSync]:
    """Send with a plain sync httpx client."""
    import httpx

    with httpx.Client(timeout=TIMEOUT) as client:

        def send() -> Any:
            response = client.post(f"{url}/api/send", json=message(), headers=HEADERS)
            response.raise_for_status()
            return response.json()["data"]["message_outbox_ids"]

        yield send


@contextmanager
def by_official(url: str) -> Generator[SendSync]:
    """Send with the official SDK; it has one requests.Session, with the default of 10 idle connections."""
    import ippanel  # pyright: ignore[reportMissingTypeStubs] - it has annotations, but does not say so

    client = ippanel.Client(KEY, base_url=f"{url}/api")
    with client.session:
        yield lambda: client.send_webservice("hi", LINE, [NUMBER])["data"]["message_outbox_ids"]


@contextmanager
def by_edge_client(url: str, **options: Any) -> Generator[SendSync]:
    """Send with the SDK's sync client."""
    from ippanel_edge import EdgeClient

    with EdgeClient(KEY, base_url=url, from_number=LINE, **options) as client:
        yield lambda: list(client.send.webservice(NUMBER, "hi").message_outbox_ids)


def by_edge_client_fast(url: str) -> AbstractContextManager[SendSync]:
    """Send with the SDK's sync client and its fast transport."""
    return by_edge_client(url, transport="fast")


ASYNC: Final[Mapping[str, Callable[[str], AbstractAsyncContextManager[Send]]]] = {
    targets.HTTPX: by_httpx,
    targets.HTTPX_AIOHTTP: by_httpx_aiohttp,
    targets.AIOHTTP: by_aiohttp,
    targets.POOL: by_pool,
    targets.SDK: by_sdk,
    targets.OVER_AIOHTTP: by_sdk_over_aiohttp,
    targets.FAST: by_fast,
    targets.FAST_UVLOOP: by_fast,
}
SYNC: Final[Mapping[str, Callable[[str], AbstractContextManager[SendSync]]]] = {
    targets.SYNC_HTTPX: by_sync_httpx,
    targets.OFFICIAL: by_official,
    targets.SYNC: by_edge_client,
    targets.SYNC_FAST: by_edge_client_fast,
}
ON_UVLOOP: Final = frozenset({targets.FAST_UVLOOP})
