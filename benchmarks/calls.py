"""Compares a send by the SDK, and by the SDK over aiohttp, with the same request on plain httpx, in one run.

    python -m benchmarks.calls

Prints the time per send, sequential and with 100 concurrent sends (medians of interleaved rounds), and the result of a
burst of 1,000. It takes about ten seconds on an idle machine.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Final

import httpx
from httpx_aiohttp import AiohttpTransport

from benchmarks.server import running
from ippanel_edge import AsyncEdgeClient

LINE: Final = "+983000717"
NUMBER: Final = "+989121110001"
ROUNDS: Final = 7
CONCURRENCY: Final = {1: 100, 100: 400}
"""The number of sends per round for each number of concurrent sends."""
BURST: Final = 1000


def by_httpx(client: httpx.AsyncClient, url: str) -> Callable[[], Awaitable[object]]:
    """Return a function that sends without an SDK."""

    async def send() -> object:
        body = {"sending_type": "webservice", "from_number": LINE, "message": "hi", "params": {"recipients": [NUMBER]}}
        response = await client.post(f"{url}/api/send", json=body, headers={"Authorization": "k"})
        response.raise_for_status()
        return response.json()["data"]["message_outbox_ids"]

    return send


def by_sdk(client: AsyncEdgeClient) -> Callable[[], Awaitable[object]]:
    """Return a function that sends with the SDK."""

    async def send() -> object:
        return await client.send.webservice(NUMBER, "hi")

    return send


async def timed(send: Callable[[], Awaitable[object]], *, count: int, concurrent: int) -> float:
    """Return the microseconds per send, with a number of concurrent sends."""
    pending = iter(range(count))

    async def work() -> None:
        for _ in pending:
            await send()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(concurrent)))
    return (time.perf_counter() - began) / count * 1e6


async def compare(url: str) -> None:
    """Measure the three clients and print the table."""
    async with (
        httpx.AsyncClient(trust_env=False) as plain,
        httpx.AsyncClient(transport=AiohttpTransport()) as aiohttp,
        AsyncEdgeClient("k", base_url=url, from_number=LINE) as ours,
        AsyncEdgeClient("k", base_url=url, from_number=LINE, http_client=aiohttp) as fast,
    ):
        clients = {"plain httpx": by_httpx(plain, url), "SDK": by_sdk(ours), "SDK over aiohttp": by_sdk(fast)}
        for concurrent, count in CONCURRENCY.items():
            rounds: dict[str, list[float]] = {name: [] for name in clients}
            for send in clients.values():
                await timed(send, count=concurrent, concurrent=concurrent)
            for _ in range(ROUNDS):
                for name, send in clients.items():
                    rounds[name].append(await timed(send, count=count, concurrent=concurrent))
            base = statistics.median(rounds["plain httpx"])
            for name, times in rounds.items():
                median = statistics.median(times)
                print(f"{concurrent:>4} concurrent  {name:<17} {median:>6.0f} µs  {median / base:.2f}")
    async with AsyncEdgeClient("k", base_url=url, from_number=LINE) as ours:
        began = time.perf_counter()
        results = await asyncio.gather(*(by_sdk(ours)() for _ in range(BURST)), return_exceptions=True)
        failed = sum(isinstance(result, BaseException) for result in results)
        print(f"burst of {BURST} by the SDK: {time.perf_counter() - began:.2f} s, failed: {failed}")


def main() -> None:
    """Run the benchmark against a local server."""
    with running() as url:
        asyncio.run(compare(url))


if __name__ == "__main__":
    main()
