"""The pool beside a plain httpx.AsyncClient, side by side in one run, against a server on this machine. No SDK client.

    python -m benchmarks.pool [--backend trio]

Prints the time for a request at 1, 10 and 100 at once (medians of interleaved rounds), and what becomes of a burst of
1,000 requests on a client just made. On an idle machine it takes half a minute, nearly all of it httpx's burst.
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

ASKED: Final = b'{"sending_type":"webservice"}'
ROUNDS: Final = 5
REQUESTS: Final = {1: 60, 10: 200, 100: 400}
"""How many requests a round makes, by how many are under way at once."""
BURST: Final = 1000
PATIENCE: Final = 25.0
"""Seconds after which a burst is broken off; what has no answer then is lost."""


@attrs.define
class Round:
    """What a number of requests came to.

    Attributes:
        seconds: from the first request to the last answer.
        lost: the failures, by their kind.
    """

    seconds: float = 0.0
    lost: Counter[str] = attrs.field(factory=Counter[str])


async def ask(client: httpx.AsyncClient, url: str, *, count: int, at_once: int) -> Round:
    """Make `count` requests, `at_once` of them under way at a time."""
    done = Round()
    answered = 0
    waiting = iter(range(count))

    async def work() -> None:
        nonlocal answered
        for _ in waiting:
            try:
                assert (await client.post(url, content=ASKED)).content == BODY
                answered += 1
            except httpx.TransportError as error:
                done.lost[type(error).__name__] += 1

    started = time.perf_counter()
    with anyio.move_on_after(PATIENCE):
        async with anyio.create_task_group() as tasks:
            for _ in range(at_once):
                tasks.start_soon(work)
    done.seconds = time.perf_counter() - started
    done.lost["unanswered"] += count - answered - done.lost.total()
    return done


def ours() -> httpx.AsyncClient:
    """Make a client over our pool; all else is as httpx has it."""
    return httpx.AsyncClient(transport=AsyncPoolTransport(verify=False))


def plain() -> httpx.AsyncClient:
    """Make a client as httpx has it, but for the environment's proxies."""
    return httpx.AsyncClient(verify=False, trust_env=False)  # noqa: S501 - http on this machine


async def compare(url: str) -> None:
    """Measure both and print the table."""
    print(f"{'at once':>8} {'httpx':>12} {'ours':>12} {'ours/httpx':>11}")
    for at_once, count in REQUESTS.items():
        rounds: dict[str, list[float]] = {"ours": [], "plain": []}
        async with ours() as our_client, plain() as plain_client:
            clients = {"plain": plain_client, "ours": our_client}
            for client in clients.values():
                await ask(client, url, count=at_once, at_once=at_once)
            for _ in range(ROUNDS):
                for name, client in clients.items():
                    took = await ask(client, url, count=count, at_once=at_once)
                    assert not took.lost.total(), took.lost
                    rounds[name].append(took.seconds / count * 1e6)
        before, after = statistics.median(rounds["plain"]), statistics.median(rounds["ours"])
        print(f"{at_once:>8} {before:>9.0f} µs {after:>9.0f} µs {after / before:>11.2f}")
    await burst(url, "ours", ours)
    await burst(url, "httpx", plain)


async def burst(url: str, name: str, make: Callable[[], httpx.AsyncClient]) -> None:
    """Make all requests at once and print how long it took and what was lost."""
    async with make() as client:
        took = await ask(client, url, count=BURST, at_once=BURST)
    lost = ", ".join(f"{count} {kind}" for kind, count in took.lost.items() if count) or "none"
    print(f"burst of {BURST}, {name:>5}: {took.seconds:5.2f} s, lost: {lost}")


def main() -> None:
    """Start the server, measure, stop it."""
    parser = argparse.ArgumentParser(description="Our connection pool beside httpx's own.")
    parser.add_argument("--backend", choices=["asyncio", "trio"], default="asyncio")
    backend = parser.parse_args().backend
    with running() as url:
        anyio.run(compare, f"{url}/api/send", backend=backend)


if __name__ == "__main__":
    main()
