"""The names of scenarios and peers, the targets, and the judgement of a run by them. No I/O."""

from __future__ import annotations

from typing import Final

import attrs

from benchmarks.measure import Estimate, Results, estimate

HTTPX: Final = "httpx"
HTTPX_AIOHTTP: Final = "httpx over aiohttp"
AIOHTTP: Final = "aiohttp"
POOL: Final = "httpx over the SDK's pool"
SDK: Final = "SDK"
OVER_AIOHTTP: Final = "SDK over aiohttp"
FAST: Final = "SDK fast"
FAST_UVLOOP: Final = "SDK fast on uvloop"
BEFORE: Final = "SDK before"

SYNC_HTTPX: Final = "httpx.Client"
OFFICIAL: Final = "ippanel-python-sdk"
SYNC: Final = "EdgeClient"
SYNC_FAST: Final = "EdgeClient fast"
SYNC_BEFORE: Final = "EdgeClient before"

BEFORE_COMMIT: Final = "2000556"
"""The commit before the work on speed."""
EARLIER: Final = {BEFORE: SDK, SYNC_BEFORE: SYNC}
"""Peers that run the package of an earlier commit, and the peer that runs the present one."""

CAMPAIGN_ONE: Final = "Campaign, one text"
CAMPAIGN_OWN: Final = "Campaign, a text for each row"
CAMPAIGN_XLSX: Final = "Campaign, one text, XLSX"

BURST: Final = "burst of 1,000, server with 100 ms latency"
LARGE_BURST: Final = "burst of 10,000"
FUNCTIONS: Final = "functions"
FUNCTIONS_BEFORE: Final = "functions before"
IMPORT: Final = "import"

NEW_CLIENT: Final = "a further AsyncEdgeClient"
NEW_HTTPX_CLIENT: Final = "a further httpx.AsyncClient"
SPELLINGS: Final = (
    "+989121110001",
    "09121110001",
    "9121110001",
    "00989121110001",
    "989121110001",
    "0912 111 0001",
    "۰۹۱۲۱۱۱۰۰۰۱",
)
"""The spellings of a phone number for which the normalisation is measured."""
ROWS: Final = (1, 10, 100, 1000)
"""The rows per page for which the decoding is measured."""


def concurrent(number: int) -> str:
    """Return the name of the scenario with a number of sends at once."""
    return f"async, {number} at once"


def threads(number: int) -> str:
    """Return the name of the scenario with a number of threads."""
    return f"sync, {number} thread{'s' if number > 1 else ''}"


def decode(rows: int) -> str:
    """Return the name of the function that parses a page."""
    return f"parse, {rows:,} rows"


def loads(rows: int) -> str:
    """Return the name of the function that only runs json.loads on a page."""
    return f"json.loads, {rows:,} rows"


def normalize(spelling: str) -> str:
    """Return the name of the function that normalises a spelling of a phone number."""
    return f"normalize_phone, {spelling}"


def parts(script: str, length: int) -> str:
    """Return the name of the function that counts the parts of a text."""
    return f"sms_parts, {script}, {length:,} characters"


def campaign(rows: int) -> str:
    """Return the name of the scenario with a campaign of a number of rows."""
    return f"campaign, {rows:,} rows"


CAMPAIGN_ROWS: Final = (10_000, 30_000, 100_000, 300_000, 1_000_000)
"""The numbers of rows of the campaigns."""
LARGE_CAMPAIGN: Final = campaign(1_000_000)


@attrs.frozen
class Target:
    """An upper limit for a peer, as a ratio to another peer or as an absolute value.

    Attributes:
        scenario: the name of the scenario.
        peer: the name of the peer.
        limit: the ratio, or the value of `field`.
        base: the peer that it is compared with; None for an absolute value.
        field: the field of a round.
        unit: the unit of an absolute value.
        margin: the factor of the limit in the short form, for noisy machines; larger for a time, which depends on the
            machine.
    """

    scenario: str
    peer: str
    limit: float
    base: str | None = None
    field: str = "cpu"
    unit: str = ""
    margin: float = 1.6

    @property
    def title(self) -> str:
        """What is limited, for people."""
        what = f"{self.peer} / {self.base}" if self.base else f"{self.peer}, {FIELDS[self.field]}"
        return f"{self.scenario}: {what}"


FIELDS: Final = {"cpu": "CPU", "wall": "time", "each": "time per row", "rss": "peak memory"}

TARGETS: Final = (
    Target(concurrent(10), SDK, 0.90, HTTPX),
    Target(concurrent(100), SDK, 0.27, HTTPX),
    Target(BURST, SDK, 1.3, field="wall", unit="s", margin=3.0),
    Target(concurrent(1), FAST, 0.30, HTTPX),
    Target(concurrent(10), FAST, 0.30, HTTPX),
    Target(concurrent(100), FAST, 0.09, HTTPX),
    Target(concurrent(1), FAST, 1.2, AIOHTTP),
    Target(concurrent(10), FAST, 1.2, AIOHTTP),
    Target(concurrent(100), FAST, 1.2, AIOHTTP),
    Target(LARGE_BURST, FAST, 3.0, field="wall", unit="s", margin=3.0),
    Target(LARGE_BURST, FAST, 130.0, field="rss", unit="MB"),
    Target(threads(1), SYNC_FAST, 0.35, SYNC_HTTPX),
    Target(FUNCTIONS, decode(1000), 2.5, loads(1000)),
    Target(FUNCTIONS, NEW_CLIENT, 0.05, NEW_HTTPX_CLIENT),
    *(Target(FUNCTIONS, normalize(each), 1.0, unit="µs", margin=3.0) for each in SPELLINGS),
    Target(FUNCTIONS, parts("Latin", 160), 3.4, unit="µs", margin=3.0),
    Target(FUNCTIONS, parts("Persian", 1340), 5.0, unit="µs", margin=3.0),
    Target(IMPORT, SDK, 1.6, HTTPX),
    # 100,000 rows per second, and 50 times the rate of the official SDK, which sends one row per request.
    Target(campaign(100_000), CAMPAIGN_ONE, 10.0, field="each", unit="µs", margin=3.0),
    Target(campaign(100_000), CAMPAIGN_ONE, 0.02, OFFICIAL, field="each"),
    Target(LARGE_CAMPAIGN, CAMPAIGN_ONE, 10.0, field="each", unit="µs", margin=3.0),
    Target(LARGE_CAMPAIGN, CAMPAIGN_ONE, 150.0, field="rss", unit="MB"),
    Target(LARGE_CAMPAIGN, CAMPAIGN_XLSX, 400.0, field="rss", unit="MB"),
)


@attrs.frozen
class Verdict:
    """The judgement of one target.

    Attributes:
        target: the target.
        measured: the measured value, None if it was not measured.
        failed: the number of sends of the peer that failed.
        limit: the value above which the target is missed: the limit plus the spread, or in the short form times the
            target's margin.
    """

    target: Target
    measured: Estimate | None
    failed: int
    limit: float

    @property
    def is_missed(self) -> bool:
        """Whether the run must fail."""
        return self.measured is not None and (self.failed > 0 or self.measured.value > self.limit)

    @property
    def word(self) -> str:
        """The judgement as a word or two."""
        if self.measured is None:
            return "not measured"
        if self.failed:
            return f"missed, {self.failed} failed"
        if self.is_missed:
            return "missed"
        return "met" if self.measured.value <= self.target.limit else "within the margin"


def judge(target: Target, results: Results, *, short: bool = False) -> Verdict:
    """Compare a run with a target."""
    if target.base is None:
        values = results.values(target.scenario, target.peer, target.field)
        measured = estimate(values) if values else None
    else:
        measured = results.ratio(target.scenario, target.peer, target.base, target.field)
    spread = measured.spread if measured else 0.0
    limit = target.limit * target.margin if short else target.limit + spread
    return Verdict(target, measured, results.failures(target.scenario, target.peer), limit)
