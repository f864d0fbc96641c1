"""Helpers for tests of concurrent calls: a latch, and a service whose responses wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
import httpx

from ippanel_edge import (
    EdgeError,
)
from tests.client.login.service import CALLS, Service, credit


class Latch:
    """A latch that opens after `count` calls of count_down() and releases every task or thread that waits for it."""

    def __init__(self, side: str, count: int) -> None:
        self._missing = count
        self._guard = threading.Lock()
        self._open: Any = threading.Event() if side == "sync" else anyio.Event()

    def count_down(self) -> None:
        with self._guard:
            self._missing -= 1
            if not self._missing:
                self._open.set()

    def wait(self) -> None:
        assert self._open.wait(timeout=20)

    async def wait_async(self) -> None:
        with anyio.fail_after(20):
            await self._open.wait()


def delayed(service: Service, side: str, latch: Latch, *, which: Callable[[httpx.Request], bool]) -> Any:
    """Return a request handler that waits for the latch before it responds to the selected requests."""

    def handle(request: httpx.Request) -> httpx.Response:
        if which(request):
            latch.wait()
        return service(request)

    async def handle_async(request: httpx.Request) -> httpx.Response:
        if which(request):
            await latch.wait_async()
        return service(request)

    return handle if side == "sync" else handle_async


def count_down_at_login(client: Any, latch: Latch) -> None:
    """Count the latch down for each call that waits for the login of the client."""
    original = client._login._exclusively

    def exclusively(step: Callable[[], Any]) -> Any:
        latch.count_down()
        return original(step)

    client._login._exclusively = exclusively


async def call_concurrently(side: str, client: Any) -> list[float | EdgeError]:
    """Make 100 concurrent calls, in tasks or, on the sync side, in threads; return their results and errors."""
    outcomes: list[float | EdgeError] = []
    threads = anyio.CapacityLimiter(CALLS)

    def call_in_thread() -> float:
        found: float = client.payment.credit().credit
        return found

    async def call() -> None:
        try:
            if side == "sync":
                outcomes.append(await anyio.to_thread.run_sync(call_in_thread, limiter=threads))
            else:
                outcomes.append(await credit(client))
        except EdgeError as error:
            outcomes.append(error)

    async with anyio.create_task_group() as tasks:
        for _ in range(CALLS):
            tasks.start_soon(call)
    return outcomes


def is_login(request: httpx.Request) -> bool:
    return request.url.path.endswith("/auth/login")
