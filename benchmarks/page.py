"""Writes the generated part of docs/en/performance.md, and says on what machine it was measured."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

from benchmarks import tables
from benchmarks.measure import Results
from benchmarks.process import ROOT, cores
from benchmarks.targets import Verdict

FILE: Final = ROOT / "docs" / "en" / "performance.md"
PLOTS: Final = ROOT / "docs" / "en" / "performance"
BEGIN: Final = "<!-- Generated from benchmarks by `nox -s bench`: do not edit by hand. -->"
END: Final = "<!-- End of the generated part. -->"
LIBRARIES: Final = ("httpx", "httpcore", "aiohttp", "httpx-aiohttp", "uvloop", "ippanel-python-sdk", "requests")


def generated(results: Results, verdicts: Sequence[Verdict], conditions: str) -> str:
    """Return the generated part: the conditions, the targets and all tables."""
    lines = [conditions, "", "### Targets", "", *tables.verdicts(verdicts), *tables.everything(results)]
    return "\n".join(lines)


def conditions(commit: str) -> str:
    """Return a sentence that describes the machine, the libraries and the earlier commit."""
    client, server = cores()
    pinned = f"client on core {client}, server on core {server}" if client >= 0 else "processes not pinned to a core"
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"Measured on {datetime.now(UTC):%Y-%m-%d} with {platform.python_implementation()} {platform.python_version()}"
        f" on {platform.system()} ({platform.machine()}), {pinned}; {libraries}. *Before* is commit {commit}."
    )


def replaced(page: str, part: str) -> str:
    """Return a page with another generated part.

    Raises:
        ValueError: the page has no generated part.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no generated part between {BEGIN!r} and {END!r}")
    return f"{before}{BEGIN}\n\n{part}\n\n{END}{after}"


def write(part: str) -> None:
    """Replace the generated part of the page."""
    FILE.write_text(replaced(FILE.read_text("utf-8"), part), "utf-8")
