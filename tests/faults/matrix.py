"""The matrix: each fault, struck at each kind of request, on each side, on a fresh and on a used connection.

A `Case` is one cell of it, and `carry_out` puts the SDK's real client through it. What it has to come to is said in
`expectations`; `problems` compares. Sleeping is faked; sockets, deadlines and time-outs are real.
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
from tests.faults.answers import POISON
from tests.faults.catalogue import ALL, LARGE_BODY_BYTES
from tests.faults.expectations import Expectation, expect
from tests.faults.fault import Absence, End, EndedBy, Fault, Where
from tests.faults.leaks import leaks
from tests.faults.server import Request, Tally

if TYPE_CHECKING:
    from tests.faults.server import Cell, FaultServer

T = TypeVar("T")

SIDES: Final = ("asyncio", "trio", "sync")
PATIENT: Final = 5.0
BRIEF: Final = 0.15
"""Seconds of the one time-out that a stall is to run out; every other step stays patient, so a slow machine is none."""
BRIEF_THEN_GOOD: Final = 1.0
"""The same where the next attempt has to be answered within it."""
DEADLINE: Final = 1.0
"""Seconds for a slow answer, after the time that a slow machine needs to connect; the answer takes more."""
DEADLINE_IN_A_FLOOD: Final = 0.4
FLOODS: Final = frozenset({"flood-of-1xx", "flood-of-body"})
"""The faults that take all that a machine has, so that their cases go one by one, and TLS has no part in it."""
KEPT_FOR_REUSE: Final = httpx.Limits(keepalive_expiry=60)
"""A used connection is kept for longer than a slow machine needs to come to the second request."""
KEY: Final = "canary-key-for-the-matrix"
LARGE: Final = b"x" * LARGE_BODY_BYTES
TELLS_CREDIT: Final = frozenset({"data-is-a-string", "fields-are-lists"})
"""The wrong data that the credit's model can tell: all its fields may be missing, but not be something else."""

waits: ContextVar[list[float]] = ContextVar("waits")
"""The seconds that the present case waited for."""


def sleep_now(seconds: float) -> None:
    """Stands in for the sync side's sleep."""
    waits.get().append(seconds)


async def sleep(seconds: float) -> None:
    """Stands in for the async side's sleep."""
    sleep_now(seconds)
    await anyio.lowlevel.checkpoint()


@attrs.frozen
class Case:
    """One cell of the matrix.

    Attributes:
        fault: what goes wrong.
        repeat: the class of the request that is struck.
        side: asyncio, trio or sync.
        reused: whether a good request went before it on the connection.
        tls: whether it goes over TLS.
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
        """What it has to come to."""
        large = self.fault.large_body
        return expect(
            self.fault,
            self.repeat,
            tls=self.tls,
            has_body=large or self.repeat is not READ,
            answers_data=self.repeat is ONCE or (self.repeat is READ and self.fault.name in TELLS_CREDIT),
        )


@attrs.frozen
class Report:
    """What a case came to.

    Attributes:
        case: which.
        gave: what the call returned, None where it raised.
        error: what it raised.
        waited: the seconds that it slept, in order.
        tally: the server's counts, after the client was closed.
        seen: the requests that the server read.
        leaked: where the key came to light.
    """

    case: Case
    gave: object
    error: EdgeError | None
    waited: list[float]
    tally: Tally
    seen: list[Request]
    leaked: list[str]


def cases(fault: Fault, side: str) -> list[Case]:
    """The cases of a fault on one side."""
    connections = [reused for reused in (False, True) if (fault.reused if reused else fault.fresh)]
    return [
        Case(fault, repeat, side, reused, tls) for repeat in Repeat for reused in connections for tls in _layers(fault)
    ]


def _layers(fault: Fault) -> tuple[bool, ...]:
    if fault.absence is Absence.UNRESOLVED:
        return (True,)  # a client talks plain HTTP to this machine only
    if fault.tls or fault.absence is not None or fault.name in FLOODS:
        return (False,)
    if fault.where is Where.ACCEPT and fault.end is End.RESET and not fault.heals:
        return (
            False,
        )  # CPython leaks the socket that it is to wrap when the reset has come before; `tls-reset` covers it
    return (False, True)


EVERY_CASE: Final = [case for fault in ALL for side in SIDES for case in cases(fault, side)]


def carry_out(fault: Fault, side: str, server: FaultServer) -> list[Report]:
    """Carry out all cases of a fault on one side, at the same time."""
    todo = cases(fault, side)
    if side == "sync":
        with ThreadPoolExecutor(1 if fault.name in FLOODS else len(todo)) as threads:
            futures = [threads.submit(drive, _carry_out(case, server)) for case in todo]
            return [future.result() for future in futures]
    reports: dict[Case, Report] = {}
    places = anyio.Semaphore(1 if fault.name in FLOODS else len(todo))

    async def one(case: Case) -> None:
        async with places:
            reports[case] = await _carry_out(case, server)

    async def all_of_them() -> None:
        async with anyio.create_task_group() as tasks:
            for case in todo:
                tasks.start_soon(one, case)

    anyio.run(all_of_them, backend=side)
    return [reports[case] for case in todo]


def drive(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing: the sync side's calls come back when they are done."""
    try:
        work.send(None)
    except StopIteration as end:
        value: T = end.value
        return value
    raise AssertionError("the sync side waits for something")


async def _carry_out(case: Case, server: FaultServer) -> Report:
    waits.set([])
    with server.arm(case.fault, reused=case.reused, tls=case.tls) as cell:
        client = open_client(
            case.side, cell, timeout=_timeout(case), deadline=_deadline(case.fault), limits=KEPT_FOR_REUSE
        )
        try:
            if case.reused:
                patient = client.with_options(timeout=PATIENT, deadline=None)
                await result(patient.payment.credit())
                await aside(case.side, cell.quiesce)
            gave, error = await _attempt(case, client)
        finally:
            await result(client.close() if case.side == "sync" else client.aclose())
        tally = await aside(case.side, cell.settle)
        leaked = [] if error is None else leaks(error, KEY)
        return Report(case, gave, error, waits.get(), tally, list(cell.seen), leaked)


async def aside(side: str, ask: Callable[[], T]) -> T:
    """Ask the server's thread, without holding up the other cases of this loop."""
    return ask() if side == "sync" else await anyio.to_thread.run_sync(ask)


async def _attempt(case: Case, client: Any) -> tuple[object, EdgeError | None]:
    try:
        return await result(call(client, case.repeat, large=case.fault.large_body)), None
    except EdgeError as error:
        return None, error


def call(client: Any, repeat: Repeat, *, large: bool = False) -> Any:
    """Make a call of a class, of the SDK's own ones where it has one with such a body."""
    if large and repeat is not ONCE:
        return client.request("POST", "/api/large", files=[("file", ("large.bin", io.BytesIO(LARGE)))], repeat=repeat)
    if repeat is READ:
        return client.payment.credit()
    if repeat is ONCE and large:
        return client.send.file(("numbers.csv", io.BytesIO(LARGE)), "salam")
    if repeat is ONCE:
        return client.send.webservice("09121112233", "salam")
    return client.send.cancel(7)


def open_client(side: str, cell: Cell, **options: Any) -> Any:
    """The SDK's client for a cell."""
    kind = EdgeClient if side == "sync" else AsyncEdgeClient
    settings: dict[str, Any] = {
        "base_url": cell.base_url,
        "proxy": cell.proxy,
        "verify": cell.trust or _TRUSTS_NOBODY,
        "from_number": "+983000111222",
        **options,
    }
    if not settings.keys() & {"api_key", "token", "credentials"}:
        settings["api_key"] = KEY
    return kind(**settings)


_TRUSTS_NOBODY: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _timeout(case: Case) -> httpx.Timeout:
    fault = case.fault
    if fault.ended_by is not EndedBy.TIMEOUT:
        return httpx.Timeout(PATIENT)
    brief = BRIEF_THEN_GOOD if fault.heals else BRIEF
    at_accept = fault.where is Where.ACCEPT and case.tls and not case.reused
    if at_accept or fault.where in {Where.NOWHERE, Where.TLS}:
        return httpx.Timeout(PATIENT, connect=brief)
    return httpx.Timeout(PATIENT, read=brief, write=brief)


def _deadline(fault: Fault) -> float | None:
    if fault.ended_by is not EndedBy.DEADLINE:
        return None
    return DEADLINE_IN_A_FLOOD if fault.name in FLOODS else DEADLINE


def problems(report: Report) -> list[str]:
    """What is not as it has to be, in words; nothing where all is."""
    return [f"{report.case}: {problem}" for problem in (*_promise(report), *_compared(report))]


def _promise(report: Report) -> list[str]:
    """The one rule above all others, said without any table."""
    accepted, found = report.tally.accepted, list[str]()
    if report.case.repeat is ONCE and accepted > 1:
        found.append(f"BROKEN PROMISE: accepted {accepted} times")
    if report.error is not None and report.error.outcome is not Outcome.UNKNOWN and accepted:
        found.append(f"BROKEN PROMISE: {report.error.outcome}, and accepted {accepted} times")
    if str(POISON) in repr(report.gave):
        found.append("took an answer that belongs to no request of its own")
    return found


def _compared(report: Report) -> list[str]:
    expected, error, found = report.case.expected, report.error, list[str]()
    outcome = None if error is None else error.outcome
    attempts = len(report.waited) + 1 if error is None else error.attempts
    if outcome not in expected.outcomes:
        found.append(f"outcome {outcome}, not {sorted(map(str, expected.outcomes))}: {error!r} ({error})")
    elif error is not None and not isinstance(error, expected.errors):
        found.append(f"raised {error!r}, not {[kind.__name__ for kind in expected.errors]}")
    if attempts not in expected.attempts:
        found.append(f"{attempts} attempts, not {expected.attempts}: {error}")
    if len(report.waited) != attempts - 1:
        found.append(f"slept {len(report.waited)} times between {attempts} attempts")
    found += [
        f"slept {waited:.3f} s before repeat {nth}, not {allowed}"
        for nth, (waited, allowed) in enumerate(zip(report.waited, expected.waits, strict=False), 1)
        if waited not in allowed
    ]
    if report.tally.accepted not in expected.accepted:
        found.append(f"accepted {report.tally.accepted} times, not {expected.accepted}")
    if report.tally.open:
        found.append(f"{report.tally.open} connections stay open after the client is closed")
    if report.case.reused and report.case.fault.where not in {Where.IDLE, Where.ACCEPT} and report.seen[0].nth != 2:
        found.append("the connection was not used again, so the case says nothing")
    return found + report.leaked
