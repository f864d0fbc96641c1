"""The options of the command line: parsers, and the parsed options as values. Nothing is opened or sent here."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn, TypeAlias

import attrs

from ippanel_edge._version import __version__
from ippanel_edge.bulk.records import Method, State

STDIN: Final = "-"
"""The FILE that stands for the standard input."""
LEDGER_SUFFIX: Final = ".ledger.db"
_MAX_CONCURRENCY: Final = 1_000
_USAGE: Final = 2


@attrs.frozen(kw_only=True)
class Send:
    """The options of `bulk FILE`."""

    file: str
    ledger: Path
    from_number: str | None
    message: str | None
    pattern: str | None
    params: Mapping[str, str] | None
    recipient: str | None
    message_column: str | None
    rate: float | None
    concurrency: int
    method: str | None
    chunk_size: int | None
    send_time: datetime | None
    delimiter: str | None
    encoding: str | None
    sheet: str | None
    on_bad_row: str
    one_per_number: bool
    dry_run: bool
    yes: bool
    key_file: Path | None
    json: bool


@attrs.frozen(kw_only=True)
class Resume:
    """The options of `bulk resume`."""

    ledger: Path
    rate: float | None
    concurrency: int
    resend_unknown: bool
    retry_rejected: bool
    yes: bool
    key_file: Path | None
    json: bool


@attrs.frozen(kw_only=True)
class Reconcile:
    """The options of `bulk reconcile`."""

    ledger: Path
    key_file: Path | None
    json: bool


@attrs.frozen(kw_only=True)
class Track:
    """The options of `bulk track`."""

    ledger: Path
    timeout: float
    key_file: Path | None
    json: bool


@attrs.frozen(kw_only=True)
class Status:
    """The options of `bulk status`."""

    ledger: Path
    json: bool


@attrs.frozen(kw_only=True)
class Export:
    """The options of `bulk export`."""

    ledger: Path
    out: Path
    state: Sequence[State]
    overwrite: bool
    json: bool


Options: TypeAlias = Send | Resume | Reconcile | Track | Status | Export


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, without the values of unknown options: one of them may be a key."""

    def __init__(self, prog: str, description: str, epilog: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Write an error of the usage and exit."""
        self.exit(_USAGE, f"error: {message}; `{self.prog} -h` shows the options\n")

    def parse(self, arguments: Sequence[str]) -> dict[str, Any]:
        """Return the options by name."""
        parsed, rest = self.parse_known_args(arguments)
        unknown = [each.partition("=")[0] for each in rest if each.startswith("-")]
        if any("key" in name or "token" in name for name in unknown):
            self.error("a key on the command line can be read by other users; set IPPANEL_API_KEY or use --key-file")
        if unknown:
            self.error(f"unknown option {unknown[0]}")
        if rest:
            self.error(f"{len(rest)} more argument{'' if len(rest) == 1 else 's'} than expected")
        return vars(parsed)


_TOP_EPILOG: Final = """\
examples:
  ippanel-edge bulk customers.csv --from +983000505 --message 'Hello {name}' --dry-run
  ippanel-edge bulk -h
  ippanel-edge sandbox --clock fast

settings of the environment:
  IPPANEL_API_KEY      the API key (or --key-file)
  IPPANEL_FROM_NUMBER  the sender line
  IPPANEL_BASE_URL     the base URL of the API, for example that of a sandbox
  IPPANEL_DEBUG=1      show the traceback of an error
"""
_SEND_EPILOG: Final = """\
further commands (`ippanel-edge bulk COMMAND -h` shows their options):
  resume     send the pending rows of a ledger
  reconcile  look the unknown rows up in the outbox
  track      read the delivery status of the sent rows
  status     show the number of rows in each state, also during a run
  export     write the rows with their states to a CSV or XLSX file

examples:
  ippanel-edge bulk customers.csv --from +983000505 --message 'Hello {name}' --dry-run
  ippanel-edge bulk customers.xlsx --recipient Mobile --message-column Text --rate 20
  ippanel-edge bulk codes.csv --pattern otp --params code name=first_name
  ippanel-edge bulk - --ledger spring.ledger.db --message 'Hello' --yes <customers.csv

exit codes:
  0  every row was sent     3  some rows were rejected     5  stopped with pending rows
  2  wrong usage or file    4  some rows are unknown       1  another error
  130  interrupted; `ippanel-edge bulk resume LEDGER` sends the rest
"""


def parse(arguments: Sequence[str]) -> Options:
    """Return the options of `bulk`; those of `sandbox` are parsed by `ippanel_edge.sandbox.command`.

    Raises:
        SystemExit: -h or --version was given (0), or the usage is wrong (2).
    """
    if arguments[:1] != ["bulk"]:
        top = _Parser("ippanel-edge", "The command line of the IPPanel Edge SMS API.", _TOP_EPILOG)
        top.add_argument("--version", action="version", version=f"ippanel-edge {__version__}")
        top.add_argument(
            "command",
            choices=["bulk", "sandbox"],
            help="bulk: send a campaign from a file, and follow it; sandbox: run a local simulation of the service",
        )
        top.parse(arguments)
        top.error("the command must come first")
    name, rest = (arguments[1:2] or [""])[0], arguments[2:]
    if name in _COMMANDS:
        return _COMMANDS[name](rest)
    return _send(arguments[1:])


def _send(arguments: Sequence[str]) -> Send:
    parser = _Parser(
        "ippanel-edge bulk", "Send a message to each row of a CSV or XLSX file. No row is sent twice.", _SEND_EPILOG
    )
    parser.add_argument("file", metavar="FILE", help="a CSV or XLSX file; - for the standard input")
    what = parser.add_argument_group("the messages")
    what.add_argument("--from", dest="from_number", metavar="LINE", help="sender line (default: IPPANEL_FROM_NUMBER)")
    text = what.add_mutually_exclusive_group()
    text.add_argument("--message", metavar="TEXT", help="text of all rows; {COLUMN} stands for a value of the row")
    text.add_argument("--pattern", metavar="CODE", help="code of a pattern")
    text.add_argument("--message-column", metavar="COLUMN", help="column of the text of each row")
    what.add_argument(
        "--params",
        nargs="+",
        action="extend",
        metavar="NAME[=COLUMN]",
        help="variables of the pattern, and their columns if these have other names",
    )
    what.add_argument("--send-time", type=_moment, metavar="TIME", help="such as 2030-01-31T18:00+03:30 (default: now)")
    rows = parser.add_argument_group("the file")
    rows.add_argument("--recipient", metavar="COLUMN", help="column of the mobile numbers (default: recognised)")
    rows.add_argument("--delimiter", metavar="CHARACTER", help="delimiter of a CSV file (default: recognised)")
    rows.add_argument("--encoding", help="encoding of a CSV file (default: recognised)")
    rows.add_argument("--sheet", help="name of the sheet of an XLSX file (default: the first)")
    rows.add_argument(
        "--on-bad-row",
        choices=["set_aside", "stop"],
        default="set_aside",
        help="go on without an invalid row, or send nothing (default: %(default)s)",
    )
    rows.add_argument(
        "--one-per-number", action="store_true", help="send one message to a number, even if its rows differ"
    )
    how = parser.add_argument_group("sending")
    how.add_argument(
        "--ledger", type=Path, help=f"record of what was sent (default: FILE with the suffix {LEDGER_SUFFIX})"
    )
    how.add_argument("--method", choices=[each.value for each in Method], help="method that sends (default: by rows)")
    how.add_argument("--chunk-size", type=_integer(1), metavar="N", help="rows of a request (default: by method)")
    _add_speed(how)
    how.add_argument("--dry-run", action="store_true", help="show the plan and the cost, and send nothing")
    _add_yes(how)
    _add_key(parser)
    _add_json(parser)
    values = parser.parse(arguments)
    _check_send(parser, values)
    return Send(**values)


def _check_send(parser: _Parser, values: dict[str, Any]) -> None:
    """Check options against each other, and fill in what depends on others."""
    if values["params"] is not None:
        if values["pattern"] is None:
            parser.error("argument --params: requires --pattern")
        values["params"] = dict(_param(parser, each) for each in values["params"])
    if values["file"] == STDIN:
        if values["ledger"] is None:
            parser.error("argument --ledger: is required with the standard input")
        if not (values["yes"] or values["dry_run"]):
            parser.error("argument --yes: is required with the standard input, because it cannot answer a question")
    elif values["ledger"] is None:
        if not Path(values["file"]).name:
            parser.error(f"argument FILE: {values['file']!r} is not a file")
        values["ledger"] = Path(values["file"]).with_suffix(LEDGER_SUFFIX)


def _param(parser: _Parser, text: str) -> tuple[str, str]:
    name, separator, column = text.partition("=")
    if not name or (separator and not column):
        parser.error(f"argument --params: expected NAME or NAME=COLUMN, got {text!r}")
    return name, column or name


def _resume(arguments: Sequence[str]) -> Resume:
    parser = _ledger_parser(
        "resume",
        "Send the pending rows of a ledger.",
        "  ippanel-edge bulk resume customers.ledger.db\n"
        "  ippanel-edge bulk resume customers.ledger.db --retry-rejected --rate 20",
    )
    _add_speed(parser)
    parser.add_argument(
        "--resend-unknown", action="store_true", help="also send the unknown rows: they may arrive twice"
    )
    parser.add_argument("--retry-rejected", action="store_true", help="also send the rejected rows")
    _add_yes(parser)
    _add_key(parser)
    return Resume(**parser.parse(arguments))


def _reconcile(arguments: Sequence[str]) -> Reconcile:
    parser = _ledger_parser(
        "reconcile",
        "Look the unknown rows up in the outbox. Those that it lists are sent; the others stay unknown. Sends nothing.",
        "  ippanel-edge bulk reconcile customers.ledger.db",
    )
    _add_key(parser)
    return Reconcile(**parser.parse(arguments))


def _track(arguments: Sequence[str]) -> Track:
    parser = _ledger_parser(
        "track",
        "Read the delivery status of the sent rows until none can change any more.",
        "  ippanel-edge bulk track customers.ledger.db --timeout 600",
    )
    parser.add_argument(
        "--timeout", type=_positive, default=3600.0, metavar="SECONDS", help="maximum duration (default: %(default)g)"
    )
    _add_key(parser)
    return Track(**parser.parse(arguments))


def _status(arguments: Sequence[str]) -> Status:
    parser = _ledger_parser(
        "status",
        "Show the number of rows in each state. It only reads, also while another process sends.",
        "  ippanel-edge bulk status customers.ledger.db --json",
    )
    return Status(**parser.parse(arguments))


def _export(arguments: Sequence[str]) -> Export:
    parser = _ledger_parser(
        "export",
        "Write the rows with their states to a CSV or XLSX file. Without --state, also the rows that were set aside.",
        "  ippanel-edge bulk export customers.ledger.db report.xlsx\n"
        "  ippanel-edge bulk export customers.ledger.db unknown.csv --state unknown",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="the file, .csv or .xlsx")
    parser.add_argument(
        "--state",
        nargs="+",
        action="extend",
        type=State,
        choices=list(State),
        default=[],
        metavar="STATE",
        help=f"only rows in these states: {', '.join(State)}",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    return Export(**parser.parse(arguments))


_COMMANDS: Final[Mapping[str, Callable[[Sequence[str]], Options]]] = {
    "resume": _resume,
    "reconcile": _reconcile,
    "track": _track,
    "status": _status,
    "export": _export,
}


def _ledger_parser(name: str, description: str, examples: str) -> _Parser:
    parser = _Parser(f"ippanel-edge bulk {name}", description, f"examples:\n{examples}\n")
    parser.add_argument("ledger", type=Path, metavar="LEDGER", help="the ledger of the campaign")
    _add_json(parser)
    return parser


# Actions are added to a parser or to a group of one: argparse names no public type for both.


def _add_speed(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--rate", type=_positive, metavar="N", help="maximum of requests per second")
    parser.add_argument(
        "--concurrency",
        type=_integer(1, _MAX_CONCURRENCY),
        default=8,
        metavar="N",
        help="requests in progress (default: %(default)s)",
    )


def _add_yes(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--yes", "-y", action="store_true", help="send without a question")


def _add_key(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--key-file", type=Path, metavar="FILE", help="file with the API key (default: IPPANEL_API_KEY)"
    )


def _add_json(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--json", action="store_true", help="write one JSON object to stdout, and the rest to stderr")


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (value > 0 and math.isfinite(value)):
        raise argparse.ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return value


def _integer(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    expected = f"an integer from {minimum}" + (f" to {maximum:,}" if maximum is not None else "")

    def convert(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if value < minimum or (maximum is not None and value > maximum):
            raise argparse.ArgumentTypeError(f"expected {expected}, got {text!r}")
        return value

    return convert


def _moment(text: str) -> datetime:
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        value = None
    if value is None or value.tzinfo is None:
        raise argparse.ArgumentTypeError(f"expected a time with its zone, such as 2030-01-31T18:00+03:30, got {text!r}")
    return value
