"""A client process: it sends with one peer, as many requests at once as it is told, and measures itself.

    python -m benchmarks.client PEER URL CORE

It prints {} when it is ready. Each command {"count", "concurrent"} is answered by a round.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs

from benchmarks import peers
from benchmarks.measure import Round, percentile
from benchmarks.process import commands, loop_factory, peak_memory, pin, reply
from benchmarks.server import IDS

PERCENT: Final = 99


class Stopwatch:
    """The measurement of one round."""

    def __init__(self) -> None:
        self._latencies: list[float] = []
        self._failed = 0
        self._began, self._cpu = time.perf_counter(), time.process_time()

    def ended(self, began: float, ids: object) -> None:
        """Record one send that began at a time of `time.perf_counter`, with the ids that it returned."""
        self._latencies.append(time.perf_counter() - began)
        if ids != IDS:
            self._failed += 1

    def stop(self) -> dict[str, Any]:
        """Return the round."""
        wall, cpu = time.perf_counter() - self._began, time.process_time() - self._cpu
        count = len(self._latencies)
        measured = Round(
            cpu=cpu / count * 1e6,
            wall=wall,
            rate=count / wall,
            p99=percentile(self._latencies, PERCENT) * 1e3,
            rss=peak_memory(),
            failed=self._failed,
        )
        return attrs.asdict(measured)


async def run(send: peers.Send, *, count: int, concurrent: int) -> dict[str, Any]:
    """Send `count` times, in `concurrent` tasks."""
    pending = iter(range(count))
    stopwatch = Stopwatch()

    async def work() -> None:
        for _ in pending:
            began = time.perf_counter()
            try:
                ids = await send()
            except Exception as error:  # noqa: BLE001 - each client has its own classes; the round counts the failures
                ids = error
            stopwatch.ended(began, ids)

    await asyncio.gather(*(work() for _ in range(concurrent)))
    return stopwatch.stop()


def run_sync(send: peers.SendSync, *, count: int, concurrent: int) -> dict[str, Any]:
    """Send `count` times, in `concurrent` threads; with one, in this thread."""
    pending = iter(range(count))
    stopwatch = Stopwatch()
    _in_threads(lambda: _work(send, pending, stopwatch), concurrent)
    return stopwatch.stop()


def _in_threads(work: Callable[[], None], number: int) -> None:
    if number == 1:
        work()
        return
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _work(send: peers.SendSync, pending: Iterator[int], stopwatch: Stopwatch) -> None:
    for _ in pending:
        began = time.perf_counter()
        try:
            ids = send()
        except Exception as error:  # noqa: BLE001 - each client has its own classes; the round counts the failures
            ids = error
        stopwatch.ended(began, ids)


async def answer(name: str, url: str) -> None:
    """Answer the commands with an async peer. Waiting for a command blocks the event loop, so nothing runs then."""
    async with peers.ASYNC[name](url) as send:
        reply({})
        for command in commands():
            reply(await run(send, **command))


def answer_sync(name: str, url: str) -> None:
    """Answer the commands with a sync peer."""
    with peers.SYNC[name](url) as send:
        reply({})
        for command in commands():
            reply(run_sync(send, **command))


def main() -> None:
    """Run the process."""
    name, url, core = sys.argv[1:]
    pin(int(core))
    if name in peers.SYNC:
        answer_sync(name, url)
    else:
        with asyncio.Runner(loop_factory=loop_factory(uvloop=name in peers.ON_UVLOOP)) as runner:
            runner.run(answer(name, url))


if __name__ == "__main__":
    main()
