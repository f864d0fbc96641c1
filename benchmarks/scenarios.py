"""The scenarios of a run: which child processes are started, and the order of their rounds."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import attrs

from benchmarks import customers, targets
from benchmarks.measure import Results, Round
from benchmarks.process import ROOT, Child, cores, environment

CLIENT, SERVER = cores()
OFFICIAL_ROWS: Final = 500
ANY_CORE: Final = -1
"""A campaign writes its ledger in a second thread, which may use another core."""
IMPORTS: Final = {
    "bare": "",
    targets.HTTPX: "import httpx",
    targets.SDK: "import ippanel_edge; ippanel_edge.AsyncEdgeClient",
    "httpx, first client": "import httpx; httpx.AsyncClient()",
    "SDK, first client": "import ippanel_edge; ippanel_edge.AsyncEdgeClient('k')",
}
ASYNC_PEERS: Final = (
    targets.HTTPX,
    targets.HTTPX_AIOHTTP,
    targets.AIOHTTP,
    targets.POOL,
    targets.BEFORE,
    targets.SDK,
    targets.OVER_AIOHTTP,
    targets.FAST,
    targets.FAST_UVLOOP,
)
SYNC_PEERS: Final = (targets.SYNC_HTTPX, targets.OFFICIAL, targets.SYNC_BEFORE, targets.SYNC, targets.SYNC_FAST)


@attrs.frozen(kw_only=True)
class Burst:
    """Many sends at once by a new client, each round in a new process.

    Attributes:
        size: the number of sends.
        slow: whether the server answers after a delay.
        rounds: the number of rounds by peer.
    """

    size: int
    slow: bool = False
    rounds: Mapping[str, int]


@attrs.frozen(kw_only=True)
class Plan:
    """The extent of a run.

    Attributes:
        rounds: the number of rounds.
        concurrency: the number of sends per round for each number of sends at once.
        threads: the number of sends per round for each number of threads.
        async_peers: the peers of `concurrency`.
        sync_peers: the peers of `threads`.
        bursts: the bursts by scenario.
        functions: the prefixes of the functions to measure.
        import_rounds: the number of rounds of the imports.
        campaigns: the rounds by peer of the campaigns, by the number of rows.
    """

    rounds: int
    concurrency: Mapping[int, int]
    threads: Mapping[int, int]
    async_peers: Sequence[str]
    sync_peers: Sequence[str]
    bursts: Mapping[str, Burst]
    functions: tuple[str, ...]
    import_rounds: int
    campaigns: Mapping[int, Mapping[str, int]]


FULL: Final = Plan(
    rounds=7,
    concurrency={1: 250, 10: 300, 30: 250, 100: 400},
    threads={1: 250, 10: 300, 50: 300},
    async_peers=ASYNC_PEERS,
    sync_peers=SYNC_PEERS,
    bursts={
        targets.BURST: Burst(
            size=1000,
            slow=True,
            rounds={targets.HTTPX: 1, targets.AIOHTTP: 5, targets.BEFORE: 3, targets.SDK: 5, targets.FAST: 5},
        ),
        targets.LARGE_BURST: Burst(
            size=10_000,
            rounds={targets.AIOHTTP: 3, targets.BEFORE: 1, targets.SDK: 1, targets.FAST: 3},
        ),
    },
    functions=("",),
    import_rounds=15,
    campaigns={
        10_000: {targets.CAMPAIGN_ONE: 5, targets.CAMPAIGN_OWN: 5},
        30_000: {targets.CAMPAIGN_ONE: 5, targets.CAMPAIGN_OWN: 5},
        100_000: {targets.CAMPAIGN_ONE: 5, targets.CAMPAIGN_OWN: 5, targets.OFFICIAL: 5},
        300_000: {targets.CAMPAIGN_ONE: 3, targets.CAMPAIGN_OWN: 3},
        1_000_000: {targets.CAMPAIGN_ONE: 3, targets.CAMPAIGN_OWN: 3, targets.CAMPAIGN_XLSX: 1},
    },
)
SHORT: Final = Plan(
    rounds=5,
    concurrency={1: 150, 10: 150, 100: 300},
    threads={1: 100},
    async_peers=(targets.HTTPX, targets.AIOHTTP, targets.SDK, targets.FAST),
    sync_peers=(targets.SYNC_HTTPX, targets.SYNC, targets.SYNC_FAST),
    bursts={
        targets.BURST: Burst(size=1000, slow=True, rounds={targets.SDK: 2}),
        targets.LARGE_BURST: Burst(size=10_000, rounds={targets.FAST: 1}),
    },
    functions=(targets.decode(1000), targets.loads(1000)),
    import_rounds=7,
    campaigns={100_000: {targets.CAMPAIGN_ONE: 2, targets.OFFICIAL: 2}},
)


@contextmanager
def earlier(commit: str) -> Generator[Path | None]:
    """Yield a folder with the package of an earlier commit, or None if git does not have the commit."""
    archive = subprocess.run(
        ["git", "archive", commit, "ippanel_edge"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if archive.returncode:
        yield None
        return
    with TemporaryDirectory() as folder, tarfile.open(fileobj=BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
        yield Path(folder)


@attrs.define
class Run:
    """A run: its server, the results so far, and the package of the earlier commit.

    Attributes:
        plan: the extent.
        urls: the base URLs of the server, without and with a delay.
        before: the folder with the package of the earlier commit, None to leave it out.
        results: everything that was measured.
    """

    plan: Plan
    urls: tuple[str, str]
    before: Path | None
    results: Results = attrs.field(factory=Results)

    def connect(self, peer: str, *, slow: bool = False) -> Child | None:
        """Start a client process; return None, and record the reason, if the peer cannot be measured."""
        package = self.before if peer in targets.EARLIER else ROOT
        if package is None:
            self.results.skipped[peer] = "the earlier commit is not available"
            return None
        return Child("client", targets.EARLIER.get(peer, peer), self.urls[slow], CLIENT, package=package)

    def everything(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield the name of each scenario, with the function that measures it."""
        for number, count in self.plan.concurrency.items():
            yield targets.concurrent(number), partial(self._sends, targets.concurrent(number), number, count)
        for number, count in self.plan.threads.items():
            yield targets.threads(number), partial(self._sends, targets.threads(number), number, count)
        for name, burst in self.plan.bursts.items():
            yield name, partial(self._burst, name, burst)
        yield targets.FUNCTIONS, self._functions
        yield targets.IMPORT, self._imports
        for rows, rounds in self.plan.campaigns.items():
            yield targets.campaign(rows), partial(self._campaign, rows, rounds)

    def forget(self, scenario: str) -> None:
        """Remove the rounds of a scenario, so that it can be measured again."""
        self.results.rounds = {key: rounds for key, rounds in self.results.rounds.items() if key[0] != scenario}

    def _sends(self, scenario: str, concurrent: int, count: int) -> None:
        """Measure sends of all peers in interleaved rounds. A part of the sends before each round is not measured."""
        peers = self.plan.sync_peers if scenario == targets.threads(concurrent) else self.plan.async_peers
        with ExitStack() as stack:
            children = {peer: stack.enter_context(child) for peer in peers if (child := self.connect(peer)) is not None}
            for peer, child in in_turns(children, self.plan.rounds):
                child.ask(count=2 * concurrent, concurrent=concurrent)  # connections that expired are opened here
                self.results.add(scenario, peer, Round(**child.ask(count=count, concurrent=concurrent)))

    def _burst(self, scenario: str, burst: Burst) -> None:
        """Measure a burst by new clients."""
        for at in range(max(burst.rounds.values())):
            for peer in [peer for peer, rounds in burst.rounds.items() if at < rounds]:
                child = self.connect(peer, slow=burst.slow)
                if child is not None:
                    with child:
                        measured = Round(**child.ask(count=burst.size, concurrent=burst.size))
                    self.results.add(scenario, peer, measured)

    def _campaign(self, rows: int, rounds: Mapping[str, int]) -> None:
        """Measure campaigns from a file of rows, each in a new process with a new ledger; the peers take turns."""
        scenario = targets.campaign(rows)
        with TemporaryDirectory() as name:
            folder = Path(name)
            csv = customers.write_csv(folder / "customers.csv", rows)
            xlsx = customers.write_xlsx(folder / "customers.xlsx", rows) if targets.CAMPAIGN_XLSX in rounds else csv
            for at in range(max(rounds.values())):
                for peer in [peer for peer, number in rounds.items() if at < number]:
                    if peer == targets.OFFICIAL:
                        self._official(scenario)
                        continue
                    with Child("campaign", peer, self.urls[0], ANY_CORE) as child:
                        file = xlsx if peer == targets.CAMPAIGN_XLSX else csv
                        measured = Round(**child.ask(file=str(file), ledger=str(folder / f"{peer}-{at}.db")))
                    self.results.add(scenario, peer, measured)

    def _official(self, scenario: str) -> None:
        """Measure the official SDK, which sends a row with each request. A part of the rows shows its rate."""
        child = self.connect(targets.OFFICIAL)
        assert child is not None  # it is not a peer of an earlier commit
        with child:
            child.ask(count=OFFICIAL_ROWS // 10, concurrent=1)
            measured = Round(**child.ask(count=OFFICIAL_ROWS, concurrent=1))
        self.results.add(scenario, targets.OFFICIAL, attrs.evolve(measured, each=1e6 / measured.rate))

    def _functions(self) -> None:
        """Measure the functions without I/O, of the earlier package too."""
        with ExitStack() as stack:
            children = {targets.FUNCTIONS: stack.enter_context(Child("functions", CLIENT))}
            if self.before:
                before = Child("functions", CLIENT, package=self.before)
                children[targets.FUNCTIONS_BEFORE] = stack.enter_context(before)
            for _ in range(self.plan.rounds):
                for name in children[targets.FUNCTIONS].first:
                    for scenario, child in children.items():
                        if name.startswith(self.plan.functions):
                            self.results.add(scenario, name, Round(**child.ask(name=name)))

    def _imports(self) -> None:
        """Measure the imports in new processes: CPU time above that of an interpreter that imports nothing."""
        programs = {name: (code, ROOT) for name, code in IMPORTS.items()}
        if self.before:
            programs[targets.BEFORE] = (IMPORTS[targets.SDK], self.before)
        for code, package in programs.values():
            import_time(code, package)  # writes the .pyc files
        for _ in range(self.plan.import_rounds):
            seconds = {name: import_time(code, package) for name, (code, package) in programs.items()}
            for name in set(seconds) - {"bare"}:
                self.results.add(targets.IMPORT, name, Round(cpu=(seconds[name] - seconds["bare"]) * 1e6))


def in_turns(children: Mapping[str, Child], rounds: int) -> Iterator[tuple[str, Child]]:
    """Yield all children in each round; every second round in reverse, so that no peer always follows the same one."""
    for number in range(rounds):
        order = list(children.items())
        yield from reversed(order) if number % 2 else order


def import_time(code: str, package: Path) -> float:
    """Return the seconds of CPU time that a new interpreter has used when the code ends."""
    program = f"{code}\nimport time\nprint(time.process_time())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", program], env=environment(package), capture_output=True, text=True, check=True
    )
    return float(done.stdout)


@contextmanager
def prepared(plan: Plan, commit: str) -> Generator[Run]:
    """Yield a run with its server; the earlier commit is left out if the plan does not use it."""
    with ExitStack() as stack:
        used = targets.BEFORE in plan.async_peers
        before = stack.enter_context(earlier(commit)) if used else None
        server = stack.enter_context(Child("server", SERVER))
        first, second = (f"http://127.0.0.1:{port}/v1" for port in server.first["ports"])
        yield Run(plan, (first, second), before)
