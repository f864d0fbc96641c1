"""The progress of a run: a bar on a terminal, or a line every few seconds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from typing import Final, TypeAlias

import attrs

from ippanel_edge.bulk.records import Progress
from ippanel_edge.cli.describe import duration, progress_line, settled
from ippanel_edge.cli.output import Output, uses_rich

Show: TypeAlias = Callable[[Progress], None]

INTERVAL: Final = 3.0
"""Seconds between two lines."""


@attrs.define
class Tally:
    """What a run has done so far, for a report of a run that is interrupted.

    Attributes:
        show: shows the progress.
        requests: the number of requests.
        seconds: the duration until the last of them.
    """

    show: Show
    requests: int = 0
    seconds: float = 0.0

    def add(self, progress: Progress) -> None:
        """Count a request, and show the progress."""
        self.requests += 1
        self.seconds = progress.seconds
        self.show(progress)


def shown(output: Output) -> AbstractContextManager[Show]:
    """Return a context in which a function shows the progress on stderr."""
    return _bar() if uses_rich(sys.stderr) else lines(output)


@contextmanager
def lines(output: Output) -> Generator[Show]:
    """Show the progress as a line every few seconds, and one at the end."""
    written = 0.0
    last: Progress | None = None

    def show(progress: Progress) -> None:
        nonlocal written, last
        last = progress
        if progress.seconds - written >= INTERVAL:
            written, last = progress.seconds, None
            output.note(progress_line(progress))

    try:
        yield show
    finally:
        if last is not None:
            output.note(progress_line(last))


@contextmanager
def _bar() -> Generator[Show]:
    from rich import progress as bars  # noqa: PLC0415 - it needs the extra
    from rich.console import Console  # noqa: PLC0415

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TextColumn("{task.fields[rate]}"),
        bars.TextColumn("{task.fields[left]}"),
    )
    with bars.Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("Sending", total=None, rate="", left="")

        def show(progress: Progress) -> None:
            left = progress.seconds_left
            bar.update(
                task,
                total=progress.counts.rows,
                completed=settled(progress.counts),
                rate=f"{progress.rate:,.0f} rows/s",
                left="" if left is None else f"{duration(left)} left",
            )

        yield show
