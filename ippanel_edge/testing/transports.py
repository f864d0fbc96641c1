"""How the clients of a test reach a sandbox: httpx clients in memory, and the limits of connections to its server."""

from __future__ import annotations

from typing import Final

import anyio
import anyio.from_thread
import httpx

from ippanel_edge.testing.sandbox import EdgeSandbox

NO_IDLE_CONNECTIONS: Final = httpx.Limits(max_keepalive_connections=0)
"""Each connection is closed after its response, so that no connection is left open in the event loop of a test, which
may be closed before the fixture is."""


def in_memory(sandbox: EdgeSandbox) -> httpx.AsyncClient:
    """Return an httpx client that passes requests to the app of a sandbox."""
    return httpx.AsyncClient(transport=_MemoryTransport(sandbox), trust_env=False)


def in_memory_sync(sandbox: EdgeSandbox, portal: anyio.from_thread.BlockingPortal) -> httpx.Client:
    """Return the same for a synchronous client: the app runs in the event loop of a portal."""
    return httpx.Client(transport=_BlockingTransport(sandbox, portal), trust_env=False)


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
