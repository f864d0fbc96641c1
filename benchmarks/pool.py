"""Compares the SDK's connection pool with a plain httpx.AsyncClient, in one run, against a local server.

    python -m benchmarks.pool [--backend trio]

Prints the time per request with 1, 10 and 100 concurrent requests (medians of interleaved rounds), and the result of a
burst of 1,000 requests on a new client. It takes half a minute on an idle machine, most of it for httpx's burst. It
measures the pool only, without a client of the SDK.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

import anyio
import attrs
import httpx

from benchmarks.server import BODY, running
from ippanel_edge._async.pool import AsyncPoolTransport

if TYPE_CHECKING:
    from collections.abc import Callable

CONTENT: Final = b'{"sending_type":"webservice"}'
ROUNDS: Final = 5
REQUESTS: Final = {1: 60, 10: 200, 100: 400}
"""The number of requests per round for each number of concurrent requests."""
BURST: Final = 1000
BURST_TIMEOUT: Final = 25.0
"""Seconds after which a burst is cancelled; requests without a response count as failed."""


@attrs.define
class Round:
    """The result of a number of requests.

    Attributes:
        seconds: from the first request to the last response.
        failed: the failures by class.
    """

    seconds: float = 0.0
    failed: Counter[str] = attrs.field(factory=Counter[str])


async def post(client: httpx.AsyncClient, url: str, *, count: int, concurrent: int) -> Round:
    """Send `count` requests, `concurrent` of them at a time."""
    result = Round()
    answered = 0
    pending = iter(range(count))

    async def work() -> None:
        nonlocal answered
        for _ in pending:
            try:
                assert (await client.post(url, content=CONTENT)).content == BODY
                answered += 1
            except httpx.TransportError as error:
                result.failed[type(error).__name__] += 1

    started = time.perf_counter()
    with anyio.move_on_after(BURST_TIMEOUT):
        async with anyio.create_task_group() as tasks:
            for _ in range(concurrent):
                tasks.start_soon(work)
    result.seconds = time.perf_counter() - started
    result.failed["unanswered"] += count - answered - result.failed.total()
    return result


def sdk() -> httpx.AsyncClient:
    """Return an httpx client that uses the SDK's pool."""
    return httpx.AsyncClient(transport=AsyncPoolTransport(verify=False))


def plain() -> httpx.AsyncClient:
    """Return a plain httpx client that ignores the proxies of the environment."""
    return httpx.AsyncClient(verify=False, trust_env=False)  # noqa: S501 - http on this machine


async def compare(url: str) -> None:
    """Measure both clients and print the table."""
    print(f"{'concurrent':>10} {'httpx':>12} {'SDK':>12} {'SDK/httpx':>11}")
    for concurrent, count in REQUESTS.items():
        rounds: dict[str, list[float]] = {"sdk": [], "plain": []}
        async with sdk() as sdk_client, plain() as plain_client:
            clients = {"plain": plain_client, "sdk": sdk_client}
            for client in clients.values():
                await post(client, url, count=concurrent, concurrent=concurrent)
            for _ in range(ROUNDS):
                for name, client in clients.items():
                    result = await post(client, url, count=count, concurrent=concurrent)
                    assert not result.failed.total(), result.failed
                    rounds[name].append(result.seconds / count * 1e6)
        before, after = statistics.median(rounds["plain"]), statistics.median(rounds["sdk"])
        print(f"{concurrent:>10} {before:>9.0f} µs {after:>9.0f} µs {after / before:>11.2f}")
    await burst(url, "SDK", sdk)
    await burst(url, "httpx", plain)


async def burst(url: str, name: str, make: Callable[[], httpx.AsyncClient]) -> None:
    """Send all requests concurrently; print the time and the failures."""
    async with make() as client:
        result = await post(client, url, count=BURST, concurrent=BURST)
    failures = ", ".join(f"{count} {kind}" for kind, count in result.failed.items() if count) or "none"
    print(f"burst of {BURST}, {name:>5}: {result.seconds:5.2f} s, failed: {failures}")


def main() -> None:
    """Run the benchmark against a local server."""
    parser = argparse.ArgumentParser(description="Compare the SDK's connection pool with httpx's.")
    parser.add_argument("--backend", choices=["asyncio", "trio"], default="asyncio")
    backend = parser.parse_args().backend
    with running() as url:
        anyio.run(compare, f"{url}/api/send", backend=backend)


if __name__ == "__main__":
    main()
