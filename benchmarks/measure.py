"""What was measured, and the arithmetic on it: medians, ratios within a round, and their spread. No I/O."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

import attrs

QUARTERS: Final = 4


@attrs.frozen(kw_only=True)
class Round:
    """One round of one peer.

    Attributes:
        cpu: microseconds of CPU time of the client process, user and system, per operation.
        wall: seconds from the first operation to the end of the last.
        rate: operations per second.
        p99: milliseconds within which 99 % of the operations ended.
        each: microseconds from the first operation to the end of the last, divided by their number.
        rss: the peak memory of the process, in MB (1,000,000 bytes).
        failed: the number of operations that failed.
    """

    cpu: float
    wall: float = 0.0
    rate: float = 0.0
    p99: float = 0.0
    each: float = 0.0
    rss: float = 0.0
    failed: int = 0


@attrs.frozen
class Estimate:
    """A median and its spread, the interquartile range of the values."""

    value: float
    spread: float


@attrs.define
class Results:
    """Everything that a run measured.

    Attributes:
        rounds: the rounds by scenario and peer, in the order of the run; equal positions belong to one round.
        skipped: the reasons for which peers were not measured.
        profiles: microseconds (of an import, milliseconds) by profile, peer and layer.
    """

    rounds: dict[tuple[str, str], list[Round]] = attrs.field(factory=dict[tuple[str, str], list[Round]])
    skipped: dict[str, str] = attrs.field(factory=dict[str, str])
    profiles: dict[str, dict[str, dict[str, float]]] = attrs.field(factory=dict[str, dict[str, dict[str, float]]])

    def add(self, scenario: str, peer: str, measured: Round) -> None:
        """Append a round of a peer."""
        self.rounds.setdefault((scenario, peer), []).append(measured)

    def values(self, scenario: str, peer: str, field: str) -> list[float]:
        """Return one field of each round of a peer; an empty list if it was not measured."""
        return [getattr(measured, field) for measured in self.rounds.get((scenario, peer), ())]

    def failures(self, scenario: str, peer: str) -> int:
        """Return the number of failed operations of all rounds."""
        return sum(measured.failed for measured in self.rounds.get((scenario, peer), ()))

    def peers(self, scenario: str) -> list[str]:
        """Return the peers of a scenario, in the order in which they were first measured."""
        return [peer for measured, peer in self.rounds if measured == scenario]

    def median(self, scenario: str, peer: str, field: str) -> float | None:
        """Return the median of a field, or None if the peer was not measured."""
        values = self.values(scenario, peer, field)
        return statistics.median(values) if values else None

    def ratio(self, scenario: str, peer: str, base: str, field: str = "cpu") -> Estimate | None:
        """Return the ratio of two peers within the rounds, or None if one of them was not measured."""
        mine, theirs = self.values(scenario, peer, field), self.values(scenario, base, field)
        return ratio(mine, theirs) if mine and theirs else None


def estimate(values: Sequence[float]) -> Estimate:
    """Return the median and the interquartile range of at least one value."""
    if len(values) == 1:
        return Estimate(values[0], 0.0)
    quartiles = statistics.quantiles(values, n=QUARTERS, method="inclusive")
    return Estimate(statistics.median(values), quartiles[2] - quartiles[0])


def ratio(mine: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """Return the median of the ratios within each round, and their spread.

    The machine's speed changes during a run, and both values of a round see the same speed. So the ratios within rounds
    vary less than the ratio of two medians.
    """
    return estimate([one / other for one, other in zip(mine, theirs, strict=True)])


def percentile(values: Sequence[float], percent: int) -> float:
    """Return the smallest of the values that at least `percent` of a hundred of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]
