"""The matrix of test cases: each fault with each retry class, on each side, on fresh and reused connections.

`run_cases` runs cases with the real client of the SDK. `expectations` defines the expected results, and `problems`
compares. Sleeping is replaced by a recorder; sockets, deadlines and timeouts are real.
"""

from __future__ import annotations

import io
import ssl
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread
import attrs
import httpx

from ippanel_edge import AsyncEdgeClient, EdgeClient, EdgeError, Outcome
from ippanel_edge.endpoints import ONCE, READ, Repeat
from tests.client.sides import result
from tests.faults.catalogue import ALL, LARGE_BODY_BYTES
from tests.faults.expectations import Expectation, expect
from tests.faults.fault import Absence, End, EndedBy, Fault, Where
from tests.faults.leaks import leaks
from tests.faults.responses import POISON
from tests.faults.server import Counts, Request

if TYPE_CHECKING:
    from tests.faults.server import Cell, FaultServer

T = TypeVar("T")

SIDES: Final = ("asyncio", "trio", "sync")
LONG_TIMEOUT: Final = 5.0
SHORT_TIMEOUT: Final = 0.15
"""Seconds of the timeout that a stall exceeds. All other steps have a long one, for slow machines."""
SHORT_TIMEOUT_BEFORE_RETRY: Final = 1.0
"""The same if the next attempt has to succeed within this timeout."""
DEADLINE: Final = 1.0
"""Seconds: more than a slow machine needs to connect, and less than a slow response takes."""
DEADLINE_IN_A_FLOOD: Final = 0.4
FLOODS: Final = frozenset({"flood-of-1xx", "flood-of-body"})
"""Faults that need all resources of a machine: their cases run one at a time, and without TLS."""
LONG_KEEPALIVE: Final = httpx.Limits(keepalive_expiry=60)
"""An idle connection expires later than a slow machine needs to send the second request."""
KEY: Final = "canary-key-for-the-matrix"
LARGE: Final = b"x" * LARGE_BODY_BYTES
DETECTED_BY_CREDIT: Final = frozenset({"data-is-a-string", "fields-are-lists"})
"""Wrong data that the model of the credit detects: its fields may be missing, but not have a wrong type."""

slept: ContextVar[list[float]] = ContextVar("slept")
"""The seconds that the current case slept before each retry."""


def record_sleep_sync(seconds: float) -> None:
    """Replace the sleep of the sync side: record the seconds, and return immediately."""
    slept.get().append(seconds)


async def record_sleep(seconds: float) -> None:
    """Replace the sleep of the async side: record the seconds, and return immediately."""
    record_sleep_sync(seconds)
    await anyio.lowlevel.checkpoint()


@attrs.frozen
class Case:
    """One test case of the matrix.

    Attributes:
        fault: the fault.
        repeat: the retry class of the affected request.
        side: asyncio, trio or sync.
        reused: whether a request has succeeded on the connection before.
        tls: whether the connection uses TLS.
    """

    fault: Fault
    repeat: Repeat
    side: str
    reused: bool
    tls: bool

    def __str__(self) -> str:
        connection = "reused" if self.reused else "fresh"
        return f"{self.fault.name} x {self.repeat.name} x {self.side} x {connection}{' x TLS' if self.tls else ''}"

    @property
    def expected(self) -> Expectation:
        """The expected result."""
        large = self.fault.large_body
        return expect(
            self.fault,
            self.repeat,
            tls=self.tls,
            has_body=large or self.repeat is not READ,
            detects_wrong_data=self.repeat is ONCE or (self.repeat is READ and self.fault.name in DETECTED_BY_CREDIT),
        )


@attrs.frozen
class Report:
    """The result of a case.

    Attributes:
        case: the case.
        returned: the value that the call returned; None if it raised.
        error: the error that it raised; None if it returned.
        delays: the seconds that it slept before each retry, in order.
        counts: the counts of the server after the client was closed.
        seen: the requests that the server read.
        leaks_of_key: representations of the error that contain the key.
    """

    case: Case
    returned: object
    error: EdgeError | None
    delays: list[float]
    counts: Counts
    seen: list[Request]
    leaks_of_key: list[str]


def cases(fault: Fault, side: str) -> list[Case]:
    """Return the cases of a fault on one side."""
    connections = [reused for reused in (False, True) if (fault.reused if reused else fault.fresh)]
    return [
        Case(fault, repeat, side, reused, tls)
        for repeat in Repeat
        for reused in connections
        for tls in _tls_options(fault)
    ]


def _tls_options(fault: Fault) -> tuple[bool, ...]:
    if fault.absence is Absence.UNRESOLVED:
        return (True,)  # the client allows plain HTTP on loopback only
    if fault.tls or fault.absence is not None or fault.name in FLOODS:
        return (False,)
    if fault.where is Where.ACCEPT and fault.end is End.RESET and not fault.transient:
        return (False,)  # CPython leaks the socket if the reset arrives before the handshake; `tls-reset` covers it
    return (False, True)


EVERY_CASE: Final = [case for fault in ALL for side in SIDES for case in cases(fault, side)]


def run_cases(fault: Fault, side: str, server: FaultServer) -> list[Report]:
    """Run all cases of a fault on one side concurrently."""
    pending = cases(fault, side)
    if side == "sync":
        with ThreadPoolExecutor(1 if fault.name in FLOODS else len(pending)) as threads:
            futures = [threads.submit(run_sync, _run_case(case, server)) for case in pending]
            return [future.result() for future in futures]
    reports: dict[Case, Report] = {}
    slots = anyio.Semaphore(1 if fault.name in FLOODS else len(pending))

    async def run_case(case: Case) -> None:
        async with slots:
            reports[case] = await _run_case(case, server)

    async def run_all() -> None:
        async with anyio.create_task_group() as tasks:
            for case in pending:
                tasks.start_soon(run_case, case)

    anyio.run(run_all, backend=side)
    return [reports[case] for case in pending]


def run_sync(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends, because the calls of the sync side block."""
    try:
        work.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    raise AssertionError("the coroutine suspended on the sync side")


async def _run_case(case: Case, server: FaultServer) -> Report:
    slept.set([])
    with server.arm(case.fault, reused=case.reused, tls=case.tls) as cell:
        client = open_client(
            case.side, cell, timeout=_timeout(case), deadline=_deadline(case.fault), limits=LONG_KEEPALIVE
        )
        try:
            if case.reused:
                first_client = client.with_options(timeout=LONG_TIMEOUT, deadline=None)
                await result(first_client.payment.credit())
                await in_thread(case.side, cell.quiesce)
            returned, error = await _attempt(case, client)
        finally:
            await result(client.close() if case.side == "sync" else client.aclose())
        counts = await in_thread(case.side, cell.settle)
        leaks_of_key = [] if error is None else leaks(error, KEY)
        return Report(case, returned, error, slept.get(), counts, list(cell.seen), leaks_of_key)


async def in_thread(side: str, function: Callable[[], T]) -> T:
    """Call a blocking function of the server, without blocking the event loop of the async sides."""
    return function() if side == "sync" else await anyio.to_thread.run_sync(function)


async def _attempt(case: Case, client: Any) -> tuple[object, EdgeError | None]:
    try:
        return await result(call(client, case.repeat, large=case.fault.large_body)), None
    except EdgeError as error:
        return None, error


def call(client: Any, repeat: Repeat, *, large: bool = False) -> Any:
    """Call a method of the client with this retry class, and with a large body if `large`."""
    if large:
        return client.request("POST", "/api/large", files=[("file", ("large.bin", io.BytesIO(LARGE)))], repeat=repeat)
    if repeat is READ:
        return client.payment.credit()
    if repeat is ONCE:
        return client.send.webservice("09121112233", "salam")
    return client.send.cancel(7)


def open_client(side: str, cell: Cell, **options: Any) -> Any:
    """Return a client of the SDK for a cell."""
    kind = EdgeClient if side == "sync" else AsyncEdgeClient
    settings: dict[str, Any] = {
        "base_url": cell.base_url,
        "proxy": cell.proxy,
        "verify": cell.trust or _NO_TRUSTED_CA,
        "from_number": "+983000111222",
        **options,
    }
    if not settings.keys() & {"api_key", "token", "credentials"}:
        settings["api_key"] = KEY
    return kind(**settings)


_NO_TRUSTED_CA: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _timeout(case: Case) -> httpx.Timeout:
    fault = case.fault
    if fault.ended_by is not EndedBy.TIMEOUT:
        return httpx.Timeout(LONG_TIMEOUT)
    short = SHORT_TIMEOUT_BEFORE_RETRY if fault.transient else SHORT_TIMEOUT
    at_accept = fault.where is Where.ACCEPT and case.tls and not case.reused
    if at_accept or fault.where in {Where.NOWHERE, Where.TLS}:
        return httpx.Timeout(LONG_TIMEOUT, connect=short)
    return httpx.Timeout(LONG_TIMEOUT, read=short, write=short)


def _deadline(fault: Fault) -> float | None:
    if fault.ended_by is not EndedBy.DEADLINE:
        return None
    return DEADLINE_IN_A_FLOOD if fault.name in FLOODS else DEADLINE


def problems(report: Report) -> list[str]:
    """Return the differences from the expected result; empty if there are none."""
    return [f"{report.case}: {problem}" for problem in (*_violated_guarantees(report), *_differences(report))]


def _violated_guarantees(report: Report) -> list[str]:
    """Return the violations of the guarantees that hold for all faults."""
    accepted, found = report.counts.accepted, list[str]()
    if report.case.repeat is ONCE and accepted > 1:
        found.append(f"VIOLATED GUARANTEE: accepted {accepted} times")
    if report.error is not None and report.error.outcome is not Outcome.UNKNOWN and accepted:
        found.append(f"VIOLATED GUARANTEE: {report.error.outcome}, but accepted {accepted} times")
    if str(POISON) in repr(report.returned):
        found.append("returned a response that belongs to another request")
    return found


def _differences(report: Report) -> list[str]:
    expected, error, found = report.case.expected, report.error, list[str]()
    outcome = None if error is None else error.outcome
    attempts = len(report.delays) + 1 if error is None else error.attempts
    if outcome not in expected.outcomes:
        found.append(f"outcome {outcome}, expected {sorted(map(str, expected.outcomes))}: {error!r} ({error})")
    elif error is not None and not isinstance(error, expected.errors):
        found.append(f"raised {error!r}, expected {[kind.__name__ for kind in expected.errors]}")
    if attempts not in expected.attempts:
        found.append(f"{attempts} attempts, expected {expected.attempts}: {error}")
    if len(report.delays) != attempts - 1:
        found.append(f"slept {len(report.delays)} times between {attempts} attempts")
    found += [
        f"slept {delay:.3f} s before retry {nth}, expected {allowed}"
        for nth, (delay, allowed) in enumerate(zip(report.delays, expected.delays, strict=False), 1)
        if delay not in allowed
    ]
    if report.counts.accepted not in expected.accepted:
        found.append(f"accepted {report.counts.accepted} times, expected {expected.accepted}")
    if report.counts.open:
        found.append(f"{report.counts.open} connections are open after the client was closed")
    if report.case.reused and report.case.fault.where not in {Where.IDLE, Where.ACCEPT} and report.seen[0].nth != 2:
        found.append("the connection was not reused, so the case tested nothing")
    return found + report.leaks_of_key
