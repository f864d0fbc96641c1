"""Clients of a sandbox for one test, over its server or in memory."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import anyio
import anyio.from_thread

from ippanel_edge._async.client import AsyncEdgeClient
from ippanel_edge._sync.client import EdgeClient
from ippanel_edge.testing import transports
from ippanel_edge.testing.sandbox import EdgeSandbox


@contextmanager
def async_client(sandbox: EdgeSandbox, *, in_memory: bool) -> Generator[AsyncEdgeClient, None, None]:
    """Return an asynchronous client of a sandbox; it is closed at the end, without the event loop of the test.

    Args:
        sandbox: the sandbox.
        in_memory: False: connect to its server, which is running.
    """
    http = transports.in_memory(sandbox) if in_memory else None
    client = AsyncEdgeClient(
        sandbox.api_key,
        base_url=sandbox.base_url,
        from_number=sandbox.from_number,
        http_client=http,
        limits=None if in_memory else transports.NO_IDLE_CONNECTIONS,
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
        http = None
        if in_memory:
            portal = stack.enter_context(anyio.from_thread.start_blocking_portal())
            http = transports.in_memory_sync(sandbox, portal)
        client = EdgeClient(
            sandbox.api_key,
            base_url=sandbox.base_url,
            from_number=sandbox.from_number,
            http_client=http,
            limits=None if in_memory else transports.NO_IDLE_CONNECTIONS,
        )
        yield stack.enter_context(client)
