"""The child processes of a run: they read commands and write results, one JSON value per line."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]


class Child(AbstractContextManager["Child"]):
    """A Python process that runs a module of the benchmarks.

    Args:
        module: the name of the module below `benchmarks`.
        arguments: its arguments.
        package: the folder that contains `ippanel_edge`.
    """

    def __init__(self, module: str, *arguments: object, package: Path = ROOT) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", f"benchmarks.{module}", *map(str, arguments)],
            env=environment(package),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.first = self._read()
        """What the process wrote when it was ready."""

    def ask(self, **command: object) -> Any:
        """Send a command and return its result."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args!r} ended with code {self._process.wait()}")
        return json.loads(line)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._process.kill()
        self.close()

    def close(self) -> None:
        """Close the input of the process, which ends it, and wait for its end."""
        self._process.communicate()


def environment(package: Path = ROOT) -> dict[str, str]:
    """Return the environment of a child: `package` comes first on the path, and no variable configures a client."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.lower().endswith("_proxy") and not name.startswith(("IPPANEL_", "PYTHON"))
    }
    return inherited | {"PYTHONPATH": os.pathsep.join([str(package), str(ROOT)])}


def reply(value: object) -> None:
    """Write a result to the parent process."""
    print(json.dumps(value), flush=True)


def commands() -> Iterator[dict[str, Any]]:
    """Yield the commands of the parent process until it closes the input."""
    for line in sys.stdin:
        yield json.loads(line)


def cores() -> tuple[int, int]:
    """Return a core for the client and another one for the server, or -1 twice if processes cannot be pinned."""
    available = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    return (available[0], available[-1]) if len(available) > 1 else (-1, -1)


def pin(core: int) -> None:
    """Run this process on one core only; -1 leaves the choice to the system."""
    if core >= 0 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})


def loop_factory(*, uvloop: bool) -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return the factory of uvloop's event loop if it is wanted and installed, else None for asyncio's own."""
    if not uvloop or not find_spec("uvloop"):
        return None
    from uvloop import new_event_loop  # noqa: PLC0415 - not available on each platform

    return new_event_loop


def peak_memory() -> float:
    """Return the peak memory of this process, in MB (1,000,000 bytes)."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage includes the memory of the parent process before exec
        (line,) = (line for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    import resource  # noqa: PLC0415 - not available on each platform

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6
