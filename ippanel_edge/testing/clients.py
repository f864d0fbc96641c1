"""Clients of a sandbox for one test, over its server or in memory, and the transports in memory."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import anyio
import anyio.from_thread
import httpx

from ippanel_edge._async.client import AsyncEdgeClient
from ippanel_edge._sync.client import EdgeClient
from ippanel_edge.testing.sandbox import EdgeSandbox

# Each connection is closed after its response, so that no connection is left open in the event loop of a test, which
# may be closed before the fixture is.
_NO_IDLE_CONNECTIONS = httpx.Limits(max_keepalive_connections=0)


@contextmanager
def async_client(sandbox: EdgeSandbox, *, in_memory: bool) -> Generator[AsyncEdgeClient, None, None]:
    """Return an asynchronous client of a sandbox; it is closed at the end, without the event loop of the test.

    Args:
        sandbox: the sandbox.
        in_memory: False: connect to its server, which is running.
    """
    http = httpx.AsyncClient(transport=_MemoryTransport(sandbox), trust_env=False) if in_memory else None
    client = AsyncEdgeClient(
        sandbox.api_key,
        base_url=sandbox.base_url,
        from_number=sandbox.from_number,
        http_client=http,
        limits=None if in_memory else _NO_IDLE_CONNECTIONS,
    )
    try:
        yield client
    finally:
        # An event loop may run in this thread, and anyio.run would replace the loop that is set for it.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(anyio.run, client.aclose).result()


@contextmanager
def sync_client(sandbox: EdgeSandbox, *, in_memory: bool) -> Generator[EdgeClient, None, None]:
    """Return a synchronous client of a sandbox; it is closed at the end.

    Args:
        sandbox: the sandbox.
        in_memory: False: connect to its server, which is running.
    """
    with ExitStack() as stack:
        http: httpx.Client | None = None
        if in_memory:
            portal = stack.enter_context(anyio.from_thread.start_blocking_portal())
            http = httpx.Client(transport=_BlockingTransport(sandbox, portal), trust_env=False)
        client = EdgeClient(
            sandbox.api_key,
            base_url=sandbox.base_url,
            from_number=sandbox.from_number,
            http_client=http,
            limits=None if in_memory else _NO_IDLE_CONNECTIONS,
        )
        yield stack.enter_context(client)


class _MemoryTransport(httpx.AsyncBaseTransport):
    """Passes requests to the app of a sandbox without a socket; the read timeout of httpx applies."""

    def __init__(self, sandbox: EdgeSandbox) -> None:
        self._app = httpx.ASGITransport(app=sandbox.app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response of the app."""
        with anyio.move_on_after(request.extensions.get("timeout", {}).get("read")):
            return await self._app.handle_async_request(request)
        raise httpx.ReadTimeout("the sandbox did not respond in time", request=request)


class _BlockingTransport(httpx.BaseTransport):
    """The same for a synchronous client: the app runs in the event loop of another thread."""

    def __init__(self, sandbox: EdgeSandbox, portal: anyio.from_thread.BlockingPortal) -> None:
        self._memory = _MemoryTransport(sandbox)
        self._portal = portal

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response of the app."""
        request.read()  # its stream is then also asynchronous
        return self._portal.call(self._respond, request)

    async def _respond(self, request: httpx.Request) -> httpx.Response:
        response = await self._memory.handle_async_request(request)
        content = b"".join([part async for part in response.aiter_raw()])
        return httpx.Response(response.status_code, headers=response.headers, stream=httpx.ByteStream(content))
