"""A process that samples where the CPU time of a send or of a page decode goes.

    python -m benchmarks.sampling URL CORE

It prints {} when it is ready, and answers each command {"what", "peer"} with the microseconds per operation by layer.

A timer of CPU time (ITIMER_PROF) interrupts the process. Each interruption is counted for the layer of the innermost
frame that belongs to one: the layer's own time, with the time of libraries that are no layer, such as json. A tracing
profiler, such as cProfile, would add time to each call of a function and so overstate the layers of small functions.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import FrameType
from typing import Final

import ippanel_edge
from benchmarks import functions, peers
from benchmarks.process import ROOT, commands, pin, reply
from ippanel_edge import endpoints
from ippanel_edge.wire.reply import RawAnswer, parse

SECONDS: Final = 3.0
"""The CPU time of one profile."""
WARM_UP: Final = 0.2
"""The CPU time before it, in which the connections are opened."""
INTERVAL: Final = 0.001
"""Seconds of CPU time between two samples; the kernel may round it up to 4 ms."""
CONCURRENT: Final = 10
REST: Final = "other"

Layers = Sequence[tuple[str, re.Pattern[str]]]
"""Names of layers with a pattern for the file names of their code; the first that matches counts."""

ENGINE: Final = r"(client|engine|runner|middleware|limiter|login|uploads|settings)\.py"
"""The modules of `_async` that do not belong to the connections."""
PACKAGE: Final = f"{Path(ippanel_edge.__file__).parents[1]}{os.sep}"
BENCHMARKS: Final = f"{ROOT}{os.sep}"
SEND_LAYERS: Final[Layers] = [
    (name, re.compile(pattern))
    for name, pattern in (
        ("arguments: checks, phone numbers, SMS parts", r"^ippanel_edge/(api|values|models|_async/sections)/"),
        ("engine: events, deadline, login, retries, rate limit", rf"^ippanel_edge/(?!_async|wire)|/_async/{ENGINE}"),
        ("connections: pool, exchange, transport", r"^ippanel_edge/(_async/|wire/(http1|route|tls)\.py)"),
        ("parsing the response", r"^ippanel_edge/wire/(reply|codec|credit)\.py|/cattrs?/|^<cattrs"),
        ("building the request", r"^ippanel_edge/wire/"),
        ("httpx", r"/httpx/"),
        ("httpcore and h11", r"/(httpcore|h11)/"),
        ("anyio and sniffio", r"/(anyio|sniffio)/"),
        ("asyncio: event loop and sockets", r"/asyncio/|/selectors\.py"),
        ("the benchmark itself", r"^benchmarks/"),
    )
]
PAGE_LAYERS: Final[Layers] = [
    (name, re.compile(pattern))
    for name, pattern in (
        ("JSON and its checks", r"/json/|^ippanel_edge/wire/reply"),
        ("times and other values", r"^ippanel_edge/values/|/datetime\.py"),
        ("conversion of the rows", r"^ippanel_edge/|/cattrs?/|^<cattrs|/attrs?/|^<attrs"),
    )
]


class Sampler:
    """Counts samples by layer while it is active."""

    def __init__(self, layers: Layers) -> None:
        self._layers = layers
        self._known: dict[str, str | None] = {}
        self.counts: Counter[str] = Counter()

    @contextmanager
    def active(self) -> Generator[None]:
        """Take samples until the context ends."""
        previous = signal.signal(signal.SIGPROF, self._take)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, previous)

    def per_operation(self, total: float) -> dict[str, float]:
        """Return the shares of the layers of a total, in the order of the layers."""
        taken = self.counts.total()
        return {name: total * self.counts[name] / taken for name in [*(name for name, _ in self._layers), REST]}

    def _take(self, _number: int, frame: FrameType | None) -> None:
        while frame is not None:
            layer = self._layer_of(frame.f_code.co_filename)
            if layer is not None:
                self.counts[layer] += 1
                return
            frame = frame.f_back
        self.counts[REST] += 1

    def _layer_of(self, file: str) -> str | None:
        if file not in self._known:
            short = file.removeprefix(PACKAGE).removeprefix(BENCHMARKS)
            self._known[file] = next((name for name, pattern in self._layers if pattern.search(short)), None)
        return self._known[file]


async def send(name: str, url: str) -> dict[str, float]:
    """Return the profile of sends by a peer."""
    sampler = Sampler(SEND_LAYERS)
    count, began = 0, 0.0
    async with peers.ASYNC[name](url) as by_peer:

        async def work(until: float) -> None:
            nonlocal count
            while time.process_time() < until:
                await by_peer()
                count += 1

        for seconds, sampling in ((WARM_UP, nullcontext()), (SECONDS, sampler.active())):
            count, began = 0, time.process_time()
            with sampling:
                await asyncio.gather(*(work(began + seconds) for _ in range(CONCURRENT)))
        return sampler.per_operation((time.process_time() - began) / count * 1e6)


def page() -> dict[str, float]:
    """Return the profile of the decode of a page of 1,000 rows."""
    sampler = Sampler(PAGE_LAYERS)
    answer = RawAnswer(status_code=200, content=functions.page(1000))
    parse(endpoints.REPORTS_OUTBOX, answer)
    count, began = 0, time.process_time()
    with sampler.active():
        while time.process_time() - began < SECONDS:
            parse(endpoints.REPORTS_OUTBOX, answer)
            count += 1
    return sampler.per_operation((time.process_time() - began) / count * 1e6)


def main() -> None:
    """Run the process."""
    url, core = sys.argv[1:]
    pin(int(core))
    reply({})
    for command in commands():
        reply(page() if command["what"] == "page" else asyncio.run(send(command["peer"], url)))


if __name__ == "__main__":
    main()
