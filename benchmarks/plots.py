"""Draws the plots of the documentation as SVG files."""
# matplotlib does not annotate the keyword arguments of its methods.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks import targets
from benchmarks.measure import Results

STYLE: Final[dict[Any, Any]] = {
    "svg.fonttype": "none",  # text stays text, so the files are small and searchable
    "svg.hashsalt": "ippanel-edge",  # the same figures give the same file
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 10,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
}
COLOURS: Final = {
    targets.HTTPX: "#888888",
    targets.HTTPX_AIOHTTP: "#bbbbbb",
    targets.AIOHTTP: "#d98c00",
    targets.BEFORE: "#9ecae1",
    targets.SDK: "#1f77b4",
    targets.OVER_AIOHTTP: "#6a51a3",
    targets.FAST: "#b30000",
}
"""The peers of the plots in their order, each with its colour."""
CAMPAIGNS: Final = {targets.CAMPAIGN_ONE: "#1f77b4", targets.CAMPAIGN_OWN: "#b30000"}
"""The peers of the plot of campaigns, each with its colour."""
CONCURRENCY: Final = (1, 10, 30, 100)


def concurrency(results: Results) -> Figure:
    """Return the plot of the CPU time per send by the number of sends at once."""
    figure, axes = _figure()
    for peer, colour in COLOURS.items():
        points = [
            (number, cpu)
            for number in CONCURRENCY
            if (cpu := results.median(targets.concurrent(number), peer, "cpu")) is not None
        ]
        _line(axes, points, peer, colour)
    axes.set(xscale="log", xlabel="sends at once", ylabel="CPU µs per send", ylim=(0, None))
    axes.set_xticks(CONCURRENCY, [str(number) for number in CONCURRENCY])
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


def burst(results: Results) -> Figure:
    """Return the plot of the time of a burst of 1,000 sends."""
    figure, axes = _figure()
    peers = [peer for peer in COLOURS if results.values(targets.BURST, peer, "wall")]
    seconds = [results.median(targets.BURST, peer, "wall") or 0.0 for peer in peers]
    bars = axes.barh(peers, seconds, color=[COLOURS[peer] for peer in peers])
    axes.bar_label(bars, [f"{value:.2f} s" for value in seconds], padding=3)
    axes.invert_yaxis()
    axes.set(xlabel="seconds for 1,000 sends at once; the server answers after 0.1 s", xlim=(0, max(seconds) * 1.15))
    return figure


def rows(results: Results) -> Figure:
    """Return the plot of the page decode."""
    figure, axes = _figure()
    for name, scenario, function, colour in (
        ("json.loads alone", targets.FUNCTIONS, targets.loads, COLOURS[targets.HTTPX]),
        (targets.BEFORE, targets.FUNCTIONS_BEFORE, targets.decode, COLOURS[targets.BEFORE]),
        (targets.SDK, targets.FUNCTIONS, targets.decode, COLOURS[targets.SDK]),
    ):
        points = [
            (count, cpu / count)
            for count in targets.ROWS
            if (cpu := results.median(scenario, function(count), "cpu")) is not None
        ]
        _line(axes, points, name, colour)
    axes.set(xscale="log", xlabel="rows of the page", ylabel="CPU µs per row", ylim=(0, None))
    axes.set_xticks(targets.ROWS, [f"{count:,}" for count in targets.ROWS])
    axes.legend(frameon=False)
    return figure


def campaign(results: Results) -> Figure:
    """Return the plot of the time and the peak memory of a campaign."""
    figure = Figure(figsize=(7.5, 3.8))
    axes = figure.subplots(1, 2)
    fields = (("wall", "seconds"), ("rss", "peak memory in MB"))
    for (field, label), each in zip(fields, axes, strict=True):
        for peer, colour in CAMPAIGNS.items():
            points = [
                (count, value)
                for count in targets.CAMPAIGN_ROWS
                if (value := results.median(targets.campaign(count), peer, field)) is not None
            ]
            _line(each, points, peer, colour)
        each.set(xlabel="rows", ylabel=label, ylim=(0, None))
        each.ticklabel_format(axis="x", style="plain")
        each.set_xticks((0, 500_000, 1_000_000), ("0", "500,000", "1,000,000"))
    axes[0].legend(frameon=False)
    figure.tight_layout()
    return figure


PLOTS: Final = {"concurrency": concurrency, "burst": burst, "rows": rows, "campaign": campaign}


def write(results: Results, folder: Path) -> None:
    """Write one SVG file for each plot."""
    folder.mkdir(exist_ok=True)
    with rc_context(STYLE):
        for name, draw in PLOTS.items():
            draw(results).savefig(folder / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")


def _figure() -> tuple[Figure, Axes]:
    figure = Figure(figsize=(7.5, 3.8))
    return figure, figure.subplots()


def _line(axes: Axes, points: Iterable[tuple[int, float]], name: str, colour: str) -> None:
    drawn = list(points)
    if drawn:
        axes.plot([x for x, _ in drawn], [y for _, y in drawn], marker="o", label=name, color=colour)
