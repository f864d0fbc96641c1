"""Measures the SDK against other clients in one run, and compares the ratios with the targets.

    python -m benchmarks [--short] [--against COMMIT]

The full form takes some minutes and writes the figures and plots of docs/en/performance.md. The short form takes less
than a minute, allows wide margins and writes nothing. The exit code is 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import time

from benchmarks import page, tables
from benchmarks.measure import Results
from benchmarks.profile import profile
from benchmarks.scenarios import FULL, SHORT, Run, prepared
from benchmarks.targets import BEFORE_COMMIT, TARGETS, Verdict, judge


def measure(run: Run, *, short: bool) -> list[Verdict]:
    """Measure all scenarios and return the verdicts.

    In the short form, a scenario whose target is missed is measured again, and the target counts as missed only if it
    is missed twice: another program on the machine may have disturbed the first measurement.
    """
    for name, scenario in run.everything():
        began = time.perf_counter()
        scenario()
        own = [target for target in TARGETS if target.scenario == name]
        if short and any(judge(target, run.results, short=True).is_missed for target in own):
            run.forget(name)
            scenario()
        print(f"{name}: measured in {time.perf_counter() - began:.0f} s", flush=True)
    return [judge(target, run.results, short=short) for target in TARGETS]


def document(results: Results, verdicts: list[Verdict], commit: str) -> None:
    """Write the generated part of the page and its plots."""
    from benchmarks import plots  # noqa: PLC0415 - matplotlib takes a second to import, and the short form has no plots

    page.write(page.generated(results, verdicts, page.conditions(commit)))
    plots.write(results, page.PLOTS)


def main() -> int:
    """Run the benchmarks; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure the SDK against other clients.")
    parser.add_argument("--short", action="store_true", help="measure less, allow wide margins, write nothing")
    parser.add_argument(
        "--against", metavar="COMMIT", default=BEFORE_COMMIT, help=f"the earlier commit; defaults to {BEFORE_COMMIT}"
    )
    arguments = parser.parse_args()
    with prepared(SHORT if arguments.short else FULL, arguments.against) as run:
        verdicts = measure(run, short=arguments.short)
        if not arguments.short:
            profile(run)
    print(*tables.everything(run.results), "", *tables.verdicts(verdicts), sep="\n")
    for name, reason in run.results.skipped.items():
        print(f"not measured: {name}: {reason}")
    if not arguments.short:
        document(run.results, verdicts, arguments.against)
    return int(any(verdict.is_missed for verdict in verdicts))


if __name__ == "__main__":
    raise SystemExit(main())
