"""Processes that send the pending rows of a campaign in PostgreSQL; the tests kill them.

The module runs as a process that has imported everything, and forks a worker for each line of JSON that it reads: an
interpreter of its own would take a second to start. It prints the id of a worker, and its exit code when asked.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from functools import partial
from types import TracebackType
from typing import Any, Self

import anyio

from ippanel_edge import AsyncEdgeClient
from ippanel_edge.bulk import Campaign
from ippanel_edge.bulk.postgres import PostgresLedger
from ippanel_edge.config import RateLimit


async def _work(conninfo: str, name: str, options: dict[str, Any], concurrency: int, rate: float | None) -> None:
    async with (
        AsyncEdgeClient(**options) as client,
        Campaign.resume(PostgresLedger(conninfo, name, connections=2), client) as campaign,
    ):
        await campaign.run(concurrency=concurrency, rate=None if rate is None else RateLimit(rate))


def _fork(arguments: list[Any]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        anyio.run(partial(_work, *arguments), backend="asyncio")
        code = 0
    except BaseException:  # noqa: BLE001 - the exit code says it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _main() -> None:
    AsyncEdgeClient("key")  # imports what each worker needs
    for line in sys.stdin:
        given: Any = json.loads(line)
        answer = os.waitstatus_to_exitcode(os.waitpid(given, 0)[1]) if isinstance(given, int) else _fork(given)
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


class Workers:
    """Starts and kills workers. Use it as a context manager."""

    def __init__(self) -> None:
        self._starter = subprocess.Popen(
            [sys.executable, "-m", "tests.bulk.postgres.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._starter.communicate()

    def _ask(self, value: object) -> int:
        assert self._starter.stdin is not None
        assert self._starter.stdout is not None
        self._starter.stdin.write(f"{json.dumps(value)}\n")
        self._starter.stdin.flush()
        return int(self._starter.stdout.readline())

    def start(
        self, conninfo: str, campaign: str, client: dict[str, Any], *, concurrency: int, rate: float | None = None
    ) -> int:
        """Start a worker, and return its process id."""
        return self._ask([conninfo, campaign, client, concurrency, rate])

    def kill(self, worker: int) -> None:
        """Kill a worker, unless it has ended: it is not waited for yet, so its id is its own."""
        os.kill(worker, signal.SIGKILL)

    def wait(self, worker: int) -> int:
        """Wait until a worker has ended, and return its exit code: negative if it was killed."""
        return self._ask(worker)


if __name__ == "__main__":
    _main()
