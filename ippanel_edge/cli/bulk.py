"""The commands `ippanel-edge bulk …`: each loads, asks, sends or reads, and returns an exit code with its values."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, TypeVar, assert_never

import anyio
import attrs

from ippanel_edge._async.client import AsyncEdgeClient
from ippanel_edge.bulk.campaign import Campaign
from ippanel_edge.bulk.records import BadRow, Counts, LoadReport, Plan, Reconciled, Report, Terms, Tracked
from ippanel_edge.bulk.sources import read_rows
from ippanel_edge.cli import describe, progress
from ippanel_edge.cli.exit_codes import ExitCode, of_counts
from ippanel_edge.cli.options import STDIN, Export, Options, Reconcile, Resume, Send, Status, Track
from ippanel_edge.cli.output import Output
from ippanel_edge.cli.staging import staged
from ippanel_edge.errors import AuthenticationError, ConfigurationError, EdgeError, InvalidArgument
from ippanel_edge.values import times
from ippanel_edge.values.secrets import Secret

T = TypeVar("T")

_SHOWN_BAD_ROWS: Final = 10


@attrs.frozen(kw_only=True)
class Result:
    """The result of a command.

    Attributes:
        exit_code: the exit code.
        values: the values of the JSON object.
        error: the error that ended it, or None.
        message: the error in words.
    """

    exit_code: ExitCode
    values: dict[str, Any] = attrs.field(factory=dict[str, Any])
    error: Exception | None = None
    message: str = ""


def run(options: Options, output: Output) -> Result:
    """Run a command. Its errors are part of the result."""
    try:
        return _dispatch(options, output)
    except KeyboardInterrupt:
        is_new = isinstance(options, Send) and not options.ledger.exists()
        state = "nothing was sent" if is_new else f"{describe.command('status', options.ledger)} shows the ledger"
        output.note(f"interrupted; {state}")
        return Result(exit_code=ExitCode.INTERRUPTED)
    except EdgeError as error:
        has_message = isinstance(options, Send) and options.message is not None
        code = ExitCode.USAGE if isinstance(error, ConfigurationError) else ExitCode.ERROR
        return _failed(code, error, describe.text_of(error, has_message=has_message))
    except Exception as error:  # noqa: BLE001 - the command line shows every error in one line
        text = f"{type(error).__name__}: {error}; set IPPANEL_DEBUG=1 to see where, and report it"
        return _failed(ExitCode.ERROR, error, text)


def _failed(code: ExitCode, error: Exception, message: str, values: Mapping[str, Any] = MappingProxyType({})) -> Result:
    return Result(exit_code=code, error=error, message=message, values={**values, "error": message})


def _dispatch(options: Options, output: Output) -> Result:
    match options:
        case Send():
            return _send(options, output)
        case Resume():
            return _resume(options, output)
        case Reconcile():
            return _reconcile(options, output)
        case Track():
            return _track(options, output)
        case Status():
            return _status(options, output)
        case Export():
            return _export(options, output)
        case _:
            assert_never(options)


def _run_async(function: Callable[..., Coroutine[Any, Any, T]], *arguments: object) -> T:
    return anyio.run(partial(function, *arguments))


def _client(key_file: Path | None) -> AsyncEdgeClient:
    """Return a client with the settings of the environment. A key is never an option: other users could read it."""
    if key_file is None:
        return AsyncEdgeClient()
    try:
        key = Secret(key_file.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ConfigurationError(f"cannot read {str(key_file)!r}: {reason}", argument="--key-file") from None
    if not key:
        raise ConfigurationError(f"{str(key_file)!r} is empty", argument="--key-file")
    return AsyncEdgeClient(key)


# bulk FILE


@attrs.frozen(kw_only=True)
class _Loaded:
    """A loaded campaign and its plan.

    Attributes:
        report: the numbers of rows that were read.
        bad_rows: the first rows that were set aside.
        terms: what all rows have in common.
        counts: the number of rows in each state.
        plan: what a run would do.
        price_error: why the price is not known, or None.
    """

    report: LoadReport
    bad_rows: list[BadRow]
    terms: Terms
    counts: Counts
    plan: Plan
    price_error: str | None


def _send(options: Send, output: Output) -> Result:
    if not options.dry_run:
        _check_can_ask(yes=options.yes)
    if options.send_time is not None:  # now, not when the first request is built
        times.send_time(options.send_time, now=datetime.now(UTC))
    if options.dry_run and options.ledger.exists():
        _run_async(_inspect, options.ledger)  # its errors name the ledger, not its copy
    output.note(f"reading {'the standard input' if options.file == STDIN else options.file}")
    with staged(options.ledger, dry_run=options.dry_run) as ledger:
        loaded = _run_async(_load, options, ledger.path)
        _show_loaded(options, loaded, output)
        values = _load_values(options, loaded)
        if options.dry_run:
            return Result(exit_code=ExitCode.OK, values={**values, "requests": 0, "seconds": 0.0, "stopped": None})
        if ledger.path != options.ledger and not loaded.counts.rows:
            return _nothing_loaded(loaded.report, values, output)
        if loaded.plan.rows and not _confirmed(loaded.plan.rows, loaded.terms, output, yes=options.yes):
            return _declined(options.ledger, values, output, is_kept=ledger.path == options.ledger)
        ledger.keep()
    return _run_campaign(options, values, output)


async def _load(options: Send, ledger: Path) -> _Loaded:
    rows = read_rows(
        options.file,
        recipient=options.recipient,
        message=options.message_column,
        encoding=options.encoding,
        delimiter=options.delimiter,
        sheet=options.sheet,
    )
    async with _client(options.key_file) as client:
        campaign = Campaign.open(
            ledger,
            client,
            from_number=options.from_number,
            message=options.message,
            pattern=options.pattern,
            params=options.params,
            send_time=options.send_time,
            method=options.method,
            chunk_size=options.chunk_size,
            one_per_number=options.one_per_number,
        )
        async with campaign:
            report = await campaign.load(rows, on_bad_row="stop" if options.on_bad_row == "stop" else "set_aside")
            plan, price_error = await _plan(campaign, options.rate)
            return _Loaded(
                report=report,
                bad_rows=await _first_bad_rows(campaign),
                terms=campaign.terms,
                counts=await campaign.counts(),
                plan=plan,
                price_error=price_error,
            )


async def _plan(campaign: Campaign, rate: float | None) -> tuple[Plan, str | None]:
    """Return the plan, and why the price is not known: this does not prevent a run, unless the key is wrong."""
    try:
        return await campaign.plan(rate=rate), None
    except (AuthenticationError, ConfigurationError):
        raise
    except EdgeError as error:
        return await campaign.plan(rate=rate, price=False), describe.reason(str(error))


async def _first_bad_rows(campaign: Campaign) -> list[BadRow]:
    found: list[BadRow] = []
    async for row in campaign.bad_rows():
        found.append(row)
        if len(found) == _SHOWN_BAD_ROWS:
            break
    return found


def _show_loaded(options: Send, loaded: _Loaded, output: Output) -> None:
    name = "the standard input" if options.file == STDIN else options.file
    pairs = [
        *describe.terms_pairs(loaded.terms),
        *describe.load_pairs(loaded.report),
        *describe.plan_pairs(loaded.plan, price_error=loaded.price_error, rate=options.rate),
    ]
    output.table(f"Plan for {name}", pairs)
    if not loaded.counts.set_aside:
        return
    output.line(f"{describe.counted(loaded.counts.set_aside, 'row')} set aside, not to be sent:")
    for row in loaded.bad_rows:
        output.line(f"  {row.source}, line {row.line:,}: {row.reason}")
    if not options.dry_run and loaded.counts.rows:
        output.line(f"{describe.command('export', options.ledger, 'report.csv')} lists all of them after the run")


def _load_values(options: Send, loaded: _Loaded) -> dict[str, Any]:
    return {
        "ledger": None if options.dry_run else str(options.ledger),
        "dry_run": options.dry_run,
        "load": attrs.asdict(loaded.report),
        "plan": describe.plan_json(loaded.plan),
        "counts": attrs.asdict(loaded.counts),
    }


def _nothing_loaded(report: LoadReport, values: dict[str, Any], output: Output) -> Result:
    """Return the result of a file without a valid row. No ledger is kept, which would refuse another message."""
    values = {**values, "ledger": None, "requests": 0, "seconds": 0.0, "stopped": None}
    if not report.set_aside:
        output.note(f"{report.source} has no rows; nothing was sent")
        return Result(exit_code=ExitCode.OK, values=values)
    message = f"{report.source} has no row that can be sent; correct it and run the command again. Nothing was sent"
    return _failed(ExitCode.USAGE, InvalidArgument(message, argument="source"), message, values)


# Asking


def _check_can_ask(*, yes: bool) -> None:
    if not yes and not (_is_terminal(sys.stdin) and _is_terminal(sys.stderr)):
        raise ConfigurationError(
            "the question before sending needs a terminal; pass --yes to send without it, or --dry-run to see the "
            "plan. Nothing was sent"
        )


def _is_terminal(stream: Any) -> bool:  # noqa: ANN401 - a stream, or None if the process has none
    return stream is not None and stream.isatty()


def _confirmed(rows: int, terms: Terms, output: Output, *, yes: bool, warning: str = "") -> bool:
    if yes:
        return True
    output.note(f"{warning}Send {describe.counted(rows, 'message')} from {terms.from_number}? [y/N] ", end="")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _declined(ledger: Path, values: dict[str, Any], output: Output, *, is_kept: bool) -> Result:
    output.note("nothing was sent")
    if is_kept:
        output.note(f"the ledger keeps the rows; {describe.command('resume', ledger)} sends them")
    else:
        values = {**values, "ledger": None}
    return Result(exit_code=ExitCode.ERROR, values={**values, "requests": 0, "seconds": 0.0, "stopped": None})


# Sending


def _run_campaign(options: Send | Resume, values: dict[str, Any], output: Output) -> Result:
    """Send the pending rows of a ledger, and report."""
    with progress.shown(output) as show:
        tally = progress.Tally(show)
        try:
            report = _run_async(_run, options, tally)
        except KeyboardInterrupt:  # after the requests in progress have finished
            report = None
    if report is None:
        return _interrupted(options.ledger, values, tally, output)
    _show_report(options.ledger, report, output)
    code = of_counts(report.counts)
    done = {
        "counts": attrs.asdict(report.counts),
        "done": report.done,
        "requests": report.requests,
        "seconds": round(report.seconds, 3),
        "stopped": report.stopped if report.stopped is None else describe.reason(report.stopped),
    }
    return Result(exit_code=code, values={**values, **done})


async def _run(options: Send | Resume, tally: progress.Tally) -> Report:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(_client(options.key_file))
        campaign = await stack.enter_async_context(Campaign.resume(options.ledger, client))
        if isinstance(options, Resume):
            if options.resend_unknown:
                await campaign.resend_unknown()
            if options.retry_rejected:
                await campaign.retry_rejected()
        return await campaign.run(concurrency=options.concurrency, rate=options.rate, on_progress=tally.add)


def _interrupted(ledger: Path, values: dict[str, Any], tally: progress.Tally, output: Output) -> Result:
    _, counts = _run_async(_inspect, ledger)
    output.table("Interrupted", describe.counts_pairs(counts))
    output.note(f"run {describe.command('resume', ledger)} to go on")
    done = {
        "counts": attrs.asdict(counts),
        "requests": tally.requests,
        "seconds": round(tally.seconds, 3),
        "stopped": "interrupted",
    }
    return Result(exit_code=ExitCode.INTERRUPTED, values={**values, **done})


def _show_report(ledger: Path, report: Report, output: Output) -> None:
    counts = report.counts
    speed = f"{describe.counted(report.requests, 'request')} in {describe.duration(report.seconds)}"
    output.table(f"Result: {speed}", describe.counts_pairs(counts))
    if report.stopped is not None:
        output.note(f"stopped: {describe.reason(report.stopped)}")
    if counts.pending:
        output.note(f"run {describe.command('resume', ledger)} to send the pending rows")
    if counts.unknown:
        output.note(f"run {describe.command('reconcile', ledger)} to look the unknown rows up; none is sent again")
    if counts.rejected:
        export = describe.command("export", ledger, "rejected.csv", "--state", "rejected")
        output.note(f"run {export} to see why rows were rejected")


# bulk resume


def _resume(options: Resume, output: Output) -> Result:
    terms, counts, plan, price_error = _run_async(_plan_resume, options)
    resent = counts.unknown if options.resend_unknown else 0
    retried = counts.rejected if options.retry_rejected else 0
    pairs = [
        *describe.terms_pairs(terms),
        *describe.plan_pairs(plan, price_error=price_error, rate=options.rate),
        *([("Unknown, sent again", describe.number(resent))] if resent else []),
        *([("Rejected, sent again", describe.number(retried))] if retried else []),
    ]
    output.table(f"Plan for {options.ledger}", pairs)
    values = {"ledger": str(options.ledger), "plan": describe.plan_json(plan), "counts": attrs.asdict(counts)}
    rows = plan.rows + resent + retried
    if rows:
        _check_can_ask(yes=options.yes)
        warning = f"{describe.counted(resent, 'message')} may arrive twice. " if resent else ""
        if not _confirmed(rows, terms, output, yes=options.yes, warning=warning):
            return _declined(options.ledger, values, output, is_kept=True)
    return _run_campaign(options, values, output)


async def _plan_resume(options: Resume) -> tuple[Terms, Counts, Plan, str | None]:
    async with (
        _client(options.key_file) as client,
        Campaign.resume(options.ledger, client) as campaign,
    ):
        counts = await campaign.counts()
        return campaign.terms, counts, *await _plan(campaign, options.rate)


# The other commands


def _reconcile(options: Reconcile, output: Output) -> Result:
    async def reconcile() -> tuple[Reconciled, Counts]:
        async with (
            _client(options.key_file) as client,
            Campaign.resume(options.ledger, client) as campaign,
        ):
            return await campaign.reconcile(), await campaign.counts()

    found, counts = _run_async(reconcile)
    pairs = [
        ("Found in the outbox", describe.number(found.found)),
        ("Still unknown", describe.number(found.unknown)),
        ("Ambiguous chunks", describe.number(found.ambiguous)),
        ("Messages looked at", describe.number(found.messages)),
    ]
    output.table(f"Outbox of {options.ledger}", pairs)
    if found.unknown:
        again = describe.command("resume", options.ledger, "--resend-unknown")
        output.note(f"the outbox may lag behind: run this again later. {again} sends what is unknown, perhaps twice")
    code = ExitCode.UNKNOWN if found.unknown else ExitCode.OK
    values = {"ledger": str(options.ledger), **attrs.asdict(found), "counts": attrs.asdict(counts)}
    return Result(exit_code=code, values=values)


def _track(options: Track, output: Output) -> Result:
    async def track() -> tuple[Tracked, Counts]:
        async with (
            _client(options.key_file) as client,
            Campaign.resume(options.ledger, client) as campaign,
        ):
            return await campaign.track(timeout=options.timeout), await campaign.counts()

    found, counts = _run_async(track)
    pairs = [
        ("Delivered", describe.number(found.delivered)),
        ("Not delivered", describe.number(found.not_delivered)),
        ("Not final", describe.number(found.open)),
    ]
    output.table(f"Delivery of {options.ledger}", pairs)
    if found.open:
        output.note(f"run {describe.command('track', options.ledger)} later to read the rest")
    code = ExitCode.STOPPED if found.open else ExitCode.OK
    values = {"ledger": str(options.ledger), **attrs.asdict(found), "counts": attrs.asdict(counts)}
    return Result(exit_code=code, values=values)


async def _inspect(ledger: Path) -> tuple[Terms, Counts]:
    async with Campaign.inspect(ledger) as campaign:
        return campaign.terms, await campaign.counts()


def _status(options: Status, output: Output) -> Result:
    terms, counts = _run_async(_inspect, options.ledger)
    pairs = [*describe.terms_pairs(terms), ("Rows", describe.number(counts.rows)), *describe.counts_pairs(counts)]
    output.table(f"Status of {options.ledger}", pairs)
    values = {"ledger": str(options.ledger), "from_number": terms.from_number, "counts": attrs.asdict(counts)}
    return Result(exit_code=ExitCode.OK, values=values)


def _export(options: Export, output: Output) -> Result:
    async def export() -> int:
        async with Campaign.inspect(options.ledger) as campaign:
            return await campaign.export(options.out, *options.state, overwrite=options.overwrite)

    rows = _run_async(export)
    output.line(f"wrote {describe.counted(rows, 'row')} to {options.out}")
    return Result(exit_code=ExitCode.OK, values={"ledger": str(options.ledger), "out": str(options.out), "rows": rows})
