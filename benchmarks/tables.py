"""Renders the results of a run as Markdown tables. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from benchmarks import targets
from benchmarks.measure import Results
from benchmarks.targets import Verdict

LATENCY_ORDER: Final = (1, 10, 30, 100)
THREADS: Final = (1, 10, 50)
MISSING: Final = ""
_SMALL, _LARGE = 10, 100


def number(value: float) -> str:
    """Return a value with two or three significant digits."""
    if value < _SMALL:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < _LARGE else f"{value:,.0f}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table whose columns after the first are aligned to the right."""
    return [
        f"| {' | '.join(header)} |",
        f"|---|{'---:|' * (len(header) - 1)}",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def grid(names: Iterable[str], columns: Sequence[str], cell: Callable[[str, str], str]) -> list[list[str]]:
    """Return one row for each name; rows without any value are left out."""
    rows = [[name, *(cell(name, column) for column in columns)] for name in names]
    return [row for row in rows if any(row[1:])]


def verdicts(judged: Iterable[Verdict]) -> list[str]:
    """Return the table of the targets."""
    rows: list[list[str]] = []
    for verdict in judged:
        unit = f" {verdict.target.unit}" if verdict.target.unit else ""
        limit = f"{verdict.target.limit:g}{unit}"
        measured = verdict.measured
        values = [f"{number(measured.value)}{unit}", number(measured.spread)] if measured else [MISSING, MISSING]
        rows.append([verdict.target.title, *values, limit, verdict.word])
    return table(["Target", "Measured", "Spread", "At most", "Result"], rows)


def everything(results: Results) -> Iterator[str]:
    """Yield the lines of all tables after that of the targets, with headings and plots."""
    yield from sends(results, "Async sends", [targets.concurrent(at) for at in LATENCY_ORDER], targets.HTTPX)
    yield from plot("concurrency", "CPU time per send by the number of sends at once")
    yield from sends(results, "Sync sends", [targets.threads(at) for at in THREADS], targets.SYNC_HTTPX)
    yield from bursts(results)
    yield from decoding(results)
    yield from functions(results)
    yield from imports(results)
    yield from campaigns(results)
    yield from profile_tables(results)


def plot(name: str, text: str) -> list[str]:
    """Return the lines of a plot."""
    return ["", f"![{text}](performance/{name}.svg)"]


def sends(results: Results, title: str, scenarios: Sequence[str], base: str) -> Iterator[str]:
    """Yield two tables of sends: CPU time with the ratio to a peer, and rate with latency."""
    measured = [scenario for scenario in scenarios if results.peers(scenario)]
    if not measured:
        return
    names = results.peers(measured[0])
    header = ["Client", *(scenario.split(", ")[1] for scenario in measured)]

    def cost(peer: str, scenario: str) -> str:
        ratio = results.ratio(scenario, peer, base)
        return MISSING if ratio is None else f"{_median(results, scenario, peer, 'cpu')} ({ratio.value:.2f})"

    def speed(peer: str, scenario: str) -> str:
        rate, p99 = results.median(scenario, peer, "rate"), results.median(scenario, peer, "p99")
        return MISSING if rate is None or p99 is None else f"{rate:,.0f}/s, {number(p99)} ms"

    yield from ["", f"### {title}", "", f"CPU time per send in µs, and its ratio to {base}:", ""]
    yield from table(header, grid(names, measured, cost))
    yield from ["", "Sends per second, and the time within which 99 % of the sends ended:", ""]
    yield from table(header, grid(names, measured, speed))


def bursts(results: Results) -> Iterator[str]:
    """Yield the table of the bursts, and the plot of one."""
    rows: list[list[str]] = []
    for scenario in (targets.BURST, targets.LARGE_BURST):
        for peer in results.peers(scenario):
            values = [results.median(scenario, peer, field) for field in ("wall", "rss")]
            wall, rss = [0.0 if value is None else value for value in values]
            failed = str(results.failures(scenario, peer))
            cpu = _median(results, scenario, peer, "cpu")
            rows.append([scenario, peer, cpu, f"{wall:.2f} s", f"{rss:.0f} MB", failed])
    if rows:
        yield from [
            "",
            "### Bursts",
            "",
            "All sends start at once, on a new client in a new process:",
            "",
        ]
        header = ["Burst", "Client", "CPU µs per send", "Time", "Peak memory", "Failed sends"]
        yield from table(header, rows)
        yield from plot("burst", "Time of a burst by client")


def decoding(results: Results) -> Iterator[str]:
    """Yield the table of the page decode and its plot."""
    columns = [f"{rows:,} row{'s' if rows > 1 else ''}" for rows in targets.ROWS]
    lines = (
        ("json.loads alone", targets.FUNCTIONS, targets.loads),
        ("SDK", targets.FUNCTIONS, targets.decode),
        ("SDK before", targets.FUNCTIONS_BEFORE, targets.decode),
    )
    rows: list[list[str]] = []
    for name, scenario, function in lines:
        cells = [_median(results, scenario, function(count), "cpu") for count in targets.ROWS]
        if any(cells):
            rows.append([name, *cells])
    if rows:
        yield from ["", "### Page decode", "", "CPU time in µs to parse an outbox page with 26 fields per row:", ""]
        yield from table(["", *columns], rows)
        yield from plot("rows", "CPU time of a page decode per row, by the number of rows")


def functions(results: Results) -> Iterator[str]:
    """Yield the table of the other functions without I/O."""
    pages = {name for rows in targets.ROWS for name in (targets.loads(rows), targets.decode(rows))}
    names = [name for name in results.peers(targets.FUNCTIONS) if name not in pages]
    scenarios = [targets.FUNCTIONS, targets.FUNCTIONS_BEFORE]
    rows = grid(names, scenarios, lambda name, scenario: _median(results, scenario, name, "cpu"))
    if rows:
        yield from ["", "### Functions and construction", "", "CPU time per call in µs:", ""]
        yield from table(["Call", "Now", "Before"], rows)


def imports(results: Results) -> Iterator[str]:
    """Yield the table of the import times."""
    names = sorted(results.peers(targets.IMPORT))
    rows: list[list[str]] = []
    for name in names:
        cpu, ratio = results.median(targets.IMPORT, name, "cpu"), results.ratio(targets.IMPORT, name, targets.HTTPX)
        if cpu is not None and ratio is not None:
            rows.append([name, number(cpu / 1000), f"{ratio.value:.2f}"])
    if rows:
        text = (
            "CPU time in ms above that of an interpreter that imports nothing; of the SDK, of `AsyncEdgeClient`."
            " A first client also creates a TLS context:"
        )
        yield from ["", "### Import", "", text, ""]
        yield from table(["Package", "ms", "Ratio to httpx"], rows)


def campaigns(results: Results) -> Iterator[str]:
    """Yield the table of the campaigns and its plot."""
    rows: list[list[str]] = []
    for count in targets.CAMPAIGN_ROWS:
        scenario = targets.campaign(count)
        for peer in results.peers(scenario):
            each, wall, rss = [results.median(scenario, peer, field) or 0.0 for field in ("each", "wall", "rss")]
            seconds = f"{wall:.2f} s" if peer != targets.OFFICIAL else f"{each * count / 1e6:,.0f} s (estimated)"
            rate, failed = f"{1e6 / each:,.0f}", str(results.failures(scenario, peer))
            rows.append([f"{count:,}", peer, rate, seconds, f"{rss:.0f} MB", failed])
    if rows:
        text = (
            "From a file to the last response, with the ledger on; loading, checking and finding duplicates included."
            " The official SDK sends one row per request; its rate is measured with a part of the rows:"
        )
        yield from ["", "### Campaigns", "", text, ""]
        yield from table(["Rows", "Sender", "Rows per second", "Time", "Peak memory", "Failed rows"], rows)
        yield from plot("campaign", "Time and peak memory of a campaign by the number of rows")


def profile_tables(results: Results) -> Iterator[str]:
    """Yield a table for each profile: the layers, each with its time by peer."""
    titles = {
        "send": "Where the time of a send goes: CPU time in µs, 10 at once",
        "page": "Where the time of a page decode goes: CPU time in µs, 1,000 rows",
        targets.IMPORT: "Where the time of an import goes: ms",
    }
    for name, by_peer in results.profiles.items():
        order = [peer for peer in (targets.BEFORE, targets.SDK, targets.FAST) if peer in by_peer]
        layers = [layer for layer in by_peer[order[0]] if any(by_peer[peer].get(layer, 0.0) for peer in order)]
        rows = [[layer, *(number(by_peer[peer].get(layer, 0.0)) for peer in order)] for layer in layers]
        rows.append(["sum", *(number(sum(by_peer[peer].values())) for peer in order)])
        yield from ["", f"### {titles[name]}", ""]
        yield from table(["Layer", *order], rows)


def _median(results: Results, scenario: str, peer: str, field: str) -> str:
    value = results.median(scenario, peer, field)
    return MISSING if value is None else number(value)
