"""Measures the SDK against other clients in one run, and compares the ratios with the targets.

    python -m benchmarks [--short] [--against COMMIT]

The full form takes about five minutes and writes the figures and plots of docs/en/performance.md. The short form takes
less than a minute, allows wide margins and writes nothing. The exit code is 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import time
from typing import Final

from benchmarks import scenarios
from benchmarks.process import ROOT
from benchmarks.targets import TARGETS, Verdict, judge

BEFORE: Final = "2000556"
"""The commit before the work on speed."""
PAGE: Final = ROOT / "docs" / "en" / "performance.md"


def measured(run: scenarios.Run, *, short: bool) -> list[Verdict]:
    """Measure all scenarios and return the verdicts.

    In the short form, a scenario whose target is missed is measured again, and counts as missed only if it is missed
    twice: another program on the machine may have disturbed the first measurement.
    """
    for name, measure in run.everything():
        began = time.perf_counter()
        measure()
        if short and any(judge(target, run.results, short=True).is_missed for target in TARGETS if target.scenario == name):
            print(f"{name}: missed, measured again")
            run.forget(name)
            measure()
        print(f"{name}: {time.perf_counter() - began:.0f} s", flush=True)
    for peer, reason in run.results.skipped.items():
        print(f"skipped: {peer}: {reason}")
    return [judge(target, run.results, short=short) for target in TARGETS]


def main() -> int:
    """Run the benchmarks; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="measure less, allow wide margins, write nothing")
    parser.add_argument("--against", metavar="COMMIT", default=BEFORE, help=f"the earlier commit (default: {BEFORE})")
    arguments = parser.parse_args()
    plan = scenarios.SHORT if arguments.short else scenarios.FULL
    with scenarios.prepared(plan, arguments.against) as run:
        verdicts = measured(run, short=arguments.short)
        for key, rounds in run.results.rounds.items():
            print(*key, run.results.median(*key, "cpu"), run.results.median(*key, "wall"), len(rounds))
    for verdict in verdicts:
        print(verdict)
    return int(any(verdict.is_missed for verdict in verdicts))


if __name__ == "__main__":
    raise SystemExit(main())
