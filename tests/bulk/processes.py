"""Worker processes of the campaign tests, and how they end."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import attrs

if TYPE_CHECKING:
    from types import TracebackType

    from tests.bulk.campaigns import Sample
    from tests.bulk.service import Service

ROOT: Final = Path(__file__).parents[2]
PATIENCE: Final = 60.0
"""Seconds that a worker may take for a stage."""


class Worker:
    """A process that runs `tests.bulk.worker`. Its signals go to this process only.

    Args:
        ledger: the path of the ledger.
        service: the service.
        sample: the campaign.
        concurrency: the number of requests in progress.
        backend: the event loop.
        grace: the seconds that an interrupted send has to finish.
        prefix: a command before that of the worker, such as strace.
    """

    def __init__(
        self,
        ledger: Path,
        service: Service,
        sample: Sample,
        *,
        concurrency: int = 4,
        backend: str = "asyncio",
        grace: float = 5.0,
        prefix: tuple[str, ...] = (),
    ) -> None:
        job = {
            "ledger": str(ledger),
            "client": service.options,
            "sample": attrs.asdict(sample),
            "concurrency": concurrency,
            "backend": backend,
            "grace": grace,
        }
        command = [*prefix, sys.executable, "-m", "tests.bulk.worker", json.dumps(job)]
        self._process = subprocess.Popen(  # noqa: S603 - this Python
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._buffer = b""

    @property
    def pid(self) -> int:
        """The id of the process."""
        return self._process.pid

    def line(self, timeout: float = PATIENCE) -> str | None:
        """Return the next line that it prints; None at its end.

        Raises:
            TimeoutError: there was none in time.
        """
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                if not selector.select(timeout):
                    raise TimeoutError("the worker prints nothing")
                data = os.read(self._process.stdout.fileno(), 65536)
                if not data:
                    return None
                self._buffer += data
        found, _, self._buffer = self._buffer.partition(b"\n")
        return found.decode()

    def wait_for(self, stage: str) -> bool:
        """Wait until it prints a stage; return False if it ends before."""
        while (line := self.line()) is not None:
            if line == stage:
                return True
        return False

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def wait(self, timeout: float | None) -> int | None:
        """Wait until it ends, and return its code; None if it runs still after the timeout."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None

    def result(self) -> dict[str, Any]:
        """Return the report that it prints at its end.

        Raises:
            AssertionError: it failed.
        """
        output, errors = self._process.communicate(timeout=PATIENCE)
        assert self._process.returncode == 0, errors.decode()
        lines = (self._buffer + output).decode().splitlines()
        report: dict[str, Any] = json.loads(lines[-1])
        return report

    def errors(self) -> str:
        """Return what it wrote to stderr, after its end."""
        _, errors = self._process.communicate(timeout=PATIENCE)
        return errors.decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()
