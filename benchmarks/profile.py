"""Profiles a send, a page decode and the import by layer, now and at an earlier commit.

    python -m benchmarks.profile

A full run of the benchmarks writes the same tables to docs/en/performance.md.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks import targets
from benchmarks.process import ROOT, Child, environment
from benchmarks.scenarios import CLIENT, FULL, IMPORTS, Run, prepared
from benchmarks.tables import profile_tables

SEND: Final = "send"
PAGE: Final = "page"
IMPORT_RUNS: Final = 5
IMPORT_LAYERS: Final = (
    ("models", re.compile(r"ippanel_edge\.models")),
    ("client and sections", re.compile(r"ippanel_edge\._async")),
    ("other modules of the SDK", re.compile("ippanel_edge")),
    ("attrs and cattrs", re.compile(r"attrs?\b|cattrs?\b")),
    ("httpx and its dependencies", re.compile(r"(httpx|httpcore|h11|anyio|sniffio|certifi|idna)\b")),
    ("standard library and others", re.compile("")),
)
_IMPORTED: Final = re.compile(r"import time: +(\d+) \| +\d+ \| +(\S+)")


def profile(run: Run) -> None:
    """Add the profiles to the results of a run."""
    if not hasattr(signal, "setitimer"):
        run.results.skipped["profiles"] = "this platform has no timer of CPU time"
        return
    packages = {targets.SDK: ROOT} | ({targets.BEFORE: run.before} if run.before else {})
    for name, package in packages.items():
        with Child("sampling", run.urls[0], CLIENT, package=package) as child:
            _add(run, SEND, name, child.ask(what=SEND, peer=targets.SDK))
            _add(run, PAGE, name, child.ask(what=PAGE))
        _add(run, targets.IMPORT, name, imported(package))
    with Child("sampling", run.urls[0], CLIENT) as child:
        _add(run, SEND, targets.FAST, child.ask(what=SEND, peer=targets.FAST))


def _add(run: Run, what: str, name: str, layers: dict[str, float]) -> None:
    run.results.profiles.setdefault(what, {})[name] = layers


def imported(package: Path) -> dict[str, float]:
    """Return the milliseconds of an import of the async client by layer: for each module, the least of some runs."""
    least: dict[str, int] = {}
    for _ in range(IMPORT_RUNS):
        done = subprocess.run(
            [sys.executable, "-P", "-X", "importtime", "-c", IMPORTS[targets.SDK]],
            env=environment(package),
            capture_output=True,
            text=True,
            check=True,
        )
        for own, module in _IMPORTED.findall(done.stderr):
            least[module] = min(int(own), least.get(module, int(own)))
    layers = {name: 0.0 for name, _ in IMPORT_LAYERS}
    for module, own in least.items():
        layers[next(name for name, pattern in IMPORT_LAYERS if pattern.match(module))] += own / 1000
    return layers


def main() -> None:
    """Print the profiles."""
    with prepared(FULL, targets.BEFORE_COMMIT) as run:
        profile(run)
    print(*profile_tables(run.results), sep="\n")


if __name__ == "__main__":
    main()
