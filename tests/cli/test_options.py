"""The options: help, version, wrong usage, and the values that the commands receive. Nothing is opened or sent."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ippanel_edge._version import __version__
from ippanel_edge.bulk.records import State
from ippanel_edge.cli.options import Export, Resume, Send, parse
from tests.cli.commands import COMMAND, Cli, environment

COMMANDS = ("resume", "reconcile", "track", "status", "export")


@pytest.mark.parametrize("arguments", [(), ("bulk",), *(("bulk", command) for command in COMMANDS)])
def test_every_help_has_examples(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments, "-h")
    assert (done.code, done.err) == (0, "")
    assert "examples:\n  ippanel-edge bulk " in done.out


def test_the_version_is_that_of_the_package() -> None:
    done = subprocess.run(  # noqa: S603 - the command is that of this project
        [*COMMAND, "--version"], capture_output=True, text=True, check=True, env=environment()
    )
    assert done.stdout == f"ippanel-edge {__version__}\n"


def test_help_needs_neither_the_client_nor_rich() -> None:
    code = (
        "import sys, ippanel_edge.cli as cli\n"
        "try: cli.main(['bulk', '-h'])\n"
        "except SystemExit: print(sorted({'httpx', 'rich', 'anyio'} & set(sys.modules)))"
    )
    done = subprocess.run(  # noqa: S603 - the code is a constant
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment()
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("", "the following arguments are required: command"),
        ("sms", "invalid choice: 'sms'"),
        ("--verbose bulk a.csv", "unknown option --verbose"),
        ("-- bulk", "the command must come first"),
        ("bulk", "the following arguments are required: FILE"),
        ("bulk a.csv b.csv", "1 more argument than expected"),
        ("bulk a.csv --fast=yes", "unknown option --fast;"),
        ("bulk a.csv --mess Hello", "unknown option --mess;"),
        ("bulk a.csv --message a --pattern b", "argument --pattern: not allowed with argument --message"),
        ("bulk a.csv --message a --message-column b", "not allowed with argument --message"),
        ("bulk a.csv --message a --params code", "argument --params: requires --pattern"),
        ("bulk a.csv --pattern otp --params =code", "argument --params: expected NAME or NAME=COLUMN, got '=code'"),
        ("bulk a.csv --pattern otp --params code=", "argument --params: expected NAME or NAME=COLUMN, got 'code='"),
        ("bulk / --message a", "'/' is not a file"),
        ("bulk a.csv --rate 0", "argument --rate: expected a number above 0, got '0'"),
        ("bulk a.csv --rate nan", "argument --rate: expected a number above 0, got 'nan'"),
        ("bulk a.csv --rate fast", "argument --rate: expected a number above 0, got 'fast'"),
        ("bulk a.csv --concurrency 1001", "expected an integer from 1 to 1,000, got '1001'"),
        ("bulk a.csv --chunk-size x", "expected an integer from 1, got 'x'"),
        ("bulk a.csv --method post", "argument --method: invalid choice: 'post'"),
        ("bulk a.csv --send-time tomorrow", "expected a time with its zone"),
        ("bulk a.csv --send-time 2030-01-31T18:00", "expected a time with its zone"),
        ("bulk resume", "the following arguments are required: LEDGER"),
        ("bulk track a.db --timeout -1", "argument --timeout: expected"),
        ("bulk export a.db", "the following arguments are required: OUT"),
        ("bulk export a.db b.csv --state lost", "argument --state: invalid"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(cli: Cli, arguments: str, problem: str) -> None:
    done = cli(*arguments.split())
    assert (done.code, done.out) == (2, "")
    (line,) = done.err.splitlines()
    assert line.startswith("error: ")
    assert problem in line
    assert " -h` shows the options" in line


def test_the_ledger_is_beside_the_file_by_default() -> None:
    options = parse(["bulk", "data/customers.xlsx", "--message", "a"])
    assert isinstance(options, Send)
    assert options.ledger == Path("data/customers.ledger.db")


def test_the_options_of_a_pattern() -> None:
    pattern = ["--pattern", "otp", "--params", "code", "name=first_name", "--params", "city"]
    options = parse(["bulk", "a.csv", *pattern, "--send-time", "2030-01-31T18:00Z", "-y"])
    assert isinstance(options, Send)
    assert options.params == {"code": "code", "name": "first_name", "city": "city"}
    assert options.send_time == datetime(2030, 1, 31, 18, tzinfo=UTC)
    assert options.yes


def test_a_file_with_the_name_of_a_command_is_named_with_its_folder() -> None:
    options = parse(["bulk", "./resume", "--message", "a"])
    assert isinstance(options, Send)
    assert options.file == "./resume"
    assert isinstance(parse(["bulk", "resume", "a.db"]), Resume)


def test_states_may_be_listed_or_repeated() -> None:
    options = parse(["bulk", "export", "a.db", "b.csv", "--state", "sent", "unknown", "--state", "rejected"])
    assert isinstance(options, Export)
    assert options.state == [State.SENT, State.UNKNOWN, State.REJECTED]
