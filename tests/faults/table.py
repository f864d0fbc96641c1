"""Renders the fault matrix as a table for the documentation: one row per fault, with its expected results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from ippanel_edge.endpoints import Repeat
from ippanel_edge.errors import Outcome
from tests.faults.catalogue import ALL
from tests.faults.fault import Certificate, Where

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.faults.expectations import Range
    from tests.faults.fault import Fault
    from tests.faults.matrix import Case

PAGE: Final = Path(__file__).parents[2] / "docs" / "en" / "reliability.md"
BEGIN: Final = "<!-- Generated from tests/faults by `nox -s faults -- write`: do not edit by hand. -->"
END: Final = "<!-- End of the generated part. -->"
PLACES: Final = {
    Where.NOWHERE: "connecting",
    Where.PROXY: "proxy",
    Where.TLS: "TLS handshake",
    Where.ACCEPT: "on accept",
    Where.HEADERS: "after the request headers",
    Where.MID_BODY: "during the request body",
    Where.WHOLE: "after the request",
    Where.IDLE: "between requests",
}


def render(cells: Iterable[Case]) -> str:
    """Render the cells as Markdown."""
    by_fault: dict[str, list[Case]] = {}
    for case in cells:
        by_fault.setdefault(case.fault.name, []).append(case)
    every = [case for cases in by_fault.values() for case in cases]
    lines = [
        f"{len(every):,} test cases from {len(by_fault)} faults, each on asyncio, trio and the sync client.",
        "",
        "| Fault | Place | Cases | READ | WRITE | ONCE |",
        "|---|---|---:|---|---|---|",
        *(_row(fault, by_fault[fault.name]) for fault in ALL if fault.name in by_fault),
    ]
    return "\n".join(lines)


def _row(fault: Fault, cases: Sequence[Case]) -> str:
    columns = [_cell([case for case in cases if case.repeat is repeat]) for repeat in Repeat]
    return " | ".join([f"| `{fault.name}`", _place(fault), str(len(cases)), *columns]) + " |"


def _place(fault: Fault) -> str:
    return PLACES[Where.TLS if fault.certificate is not Certificate.GOOD else fault.where]


def _cell(cases: Sequence[Case]) -> str:
    """Return the results of one fault and retry class: outcome, attempts / executed requests.

    If they differ between plain HTTP and TLS, or between new and reused connections, all of them are listed.
    """
    results: dict[str, None] = {}
    for case in cases:
        expected = case.expected
        outcomes = " or ".join(sorted(_word(outcome) for outcome in expected.outcomes))
        results[f"{outcomes}, {_span(expected.attempts)} / {_span(expected.accepted)}"] = None
    return "; ".join(results)


def _word(outcome: Outcome | None) -> str:
    return "success" if outcome is None else outcome.name


def _span(numbers: Range) -> str:
    least, most = int(numbers.least), int(numbers.most)
    return str(least) if least == most else f"{least} to {most}"


def committed() -> str:
    """Return the generated part of the page."""
    return PAGE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()


def write(table: str) -> None:
    """Replace the generated part of the page by the table."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", encoding="utf-8")
