"""A send by this SDK beside the same request by hand on httpx, and over aiohttp, interleaved in one run.

    python -m benchmarks.calls

Prints the time for a send, one after the other and 100 at once (medians of interleaved rounds), and what becomes of a
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
AT_ONCE: Final = {1: 100, 100: 400}
"""How many sends a round makes, by how many are under way at once."""
BURST: Final = 1000


def by_hand(client: httpx.AsyncClient, url: str) -> Callable[[], Awaitable[object]]:
    """Send as one writes it without an SDK."""

    async def send() -> object:
        body = {"sending_type": "webservice", "from_number": LINE, "message": "hi", "params": {"recipients": [NUMBER]}}
        response = await client.post(f"{url}/api/send", json=body, headers={"Authorization": "k"})
        response.raise_for_status()
        return response.json()["data"]["message_outbox_ids"]

    return send


def by_sdk(client: AsyncEdgeClient) -> Callable[[], Awaitable[object]]:
    """Send by the SDK: checked, typed, and never twice."""

    async def send() -> object:
        return await client.send.webservice(NUMBER, "hi")

    return send


async def timed(send: Callable[[], Awaitable[object]], *, count: int, at_once: int) -> float:
    """Give the microseconds for a send, with so many under way at a time."""
    waiting = iter(range(count))

    async def work() -> None:
        for _ in waiting:
            await send()

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(at_once)))
    return (time.perf_counter() - began) / count * 1e6


async def compare(url: str) -> None:
    """Measure the three ways and print the table."""
    async with (
        httpx.AsyncClient(trust_env=False) as plain,
        httpx.AsyncClient(transport=AiohttpTransport()) as aiohttp,
        AsyncEdgeClient("k", base_url=url, from_number=LINE) as ours,
        AsyncEdgeClient("k", base_url=url, from_number=LINE, http_client=aiohttp) as fast,
    ):
        ways = {"by hand on httpx": by_hand(plain, url), "SDK": by_sdk(ours), "SDK over aiohttp": by_sdk(fast)}
        for at_once, count in AT_ONCE.items():
            rounds: dict[str, list[float]] = {name: [] for name in ways}
            for send in ways.values():
                await timed(send, count=at_once, at_once=at_once)
            for _ in range(ROUNDS):
                for name, send in ways.items():
                    rounds[name].append(await timed(send, count=count, at_once=at_once))
            base = statistics.median(rounds["by hand on httpx"])
            for name, times in rounds.items():
                middle = statistics.median(times)
                print(f"{at_once:>4} at once  {name:<17} {middle:>6.0f} µs  {middle / base:.2f}")
    async with AsyncEdgeClient("k", base_url=url, from_number=LINE) as ours:
        began = time.perf_counter()
        results = await asyncio.gather(*(by_sdk(ours)() for _ in range(BURST)), return_exceptions=True)
        lost = sum(isinstance(result, BaseException) for result in results)
        print(f"burst of {BURST} by the SDK: {time.perf_counter() - began:.2f} s, lost: {lost}")


def main() -> None:
    """Start the server, measure, stop it."""
    with running() as url:
        asyncio.run(compare(url))


if __name__ == "__main__":
    main()
