"""A handler of mocked transports that passes each request to a sandbox in memory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx

from ippanel_edge.sandbox import Sandbox


def in_memory(sandbox: Sandbox) -> Callable[[httpx.Request], httpx.Response]:
    """Return a handler that passes requests to the sandbox, for clients of each side."""

    async def respond(request: httpx.Request) -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=sandbox.app)) as http:
            answer = await http.request(
                request.method, request.url, headers=request.headers.multi_items(), content=request.read()
            )
        return httpx.Response(answer.status_code, content=answer.content)

    def handle(request: httpx.Request) -> httpx.Response:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(anyio.run, respond, request).result()

    return handle
