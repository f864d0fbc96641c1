"""A hundred calls at once: holding them up until all are there."""

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
from tests.client.login.service import AT_ONCE, Service, credit


class Gate:
    """Opens when so many have arrived; whoever waits goes on then."""

    def __init__(self, side: str, count: int) -> None:
        self._missing = count
        self._guard = threading.Lock()
        self._open: Any = threading.Event() if side == "sync" else anyio.Event()

    def arrive(self) -> None:
        with self._guard:
            self._missing -= 1
            if not self._missing:
                self._open.set()

    def wait(self) -> None:
        assert self._open.wait(timeout=20)

    async def wait_async(self) -> None:
        with anyio.fail_after(20):
            await self._open.wait()


def held_up(service: Service, side: str, gate: Gate, *, which: Callable[[httpx.Request], bool]) -> Any:
    """Make an answerer that lets some requests wait at the gate."""

    def answer(request: httpx.Request) -> httpx.Response:
        if which(request):
            gate.wait()
        return service(request)

    async def answer_async(request: httpx.Request) -> httpx.Response:
        if which(request):
            await gate.wait_async()
        return service(request)

    return answer if side == "sync" else answer_async


def count_who_waits(client: Any, gate: Gate) -> None:
    """Have everybody who comes to the login arrive at the gate."""
    alone = client._login._exclusively

    def arrive(step: Callable[[], Any]) -> Any:
        gate.arrive()
        return alone(step)

    client._login._exclusively = arrive


async def at_once(side: str, client: Any) -> list[float | EdgeError]:
    """Make a hundred calls at once: in tasks, or on the sync side in threads."""
    outcomes: list[float | EdgeError] = []
    threads = anyio.CapacityLimiter(AT_ONCE)

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
        for _ in range(AT_ONCE):
            tasks.start_soon(call)
    return outcomes


def is_login(request: httpx.Request) -> bool:
    return request.url.path.endswith("/auth/login")
