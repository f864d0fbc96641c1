"""What is written: progress lines, texts of errors, and values of files without control characters."""

from __future__ import annotations

from pathlib import Path

import pytest

from ippanel_edge.bulk.records import Counts, Method, Plan, Progress, TextSize
from ippanel_edge.cli import bulk, describe, progress
from ippanel_edge.cli.output import Output, one_line
from ippanel_edge.errors import ConfigurationError, InvalidArgument
from tests.cli.commands import Cli


def at(seconds: float, *, sent: int, unknown: int = 0) -> Progress:
    """Return the progress of a run of 1,000 rows."""
    counts = Counts(sent=sent, unknown=unknown, pending=1_000 - sent - unknown)
    return Progress(counts=counts, done=sent + unknown, seconds=seconds)


def test_progress_is_a_line_every_few_seconds_and_one_at_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    assert progress.INTERVAL == 3.0
    with progress.lines(Output(as_json=False)) as show:
        for seconds, sent in [(1.0, 100), (2.9, 250), (3.1, 310), (4.0, 400), (6.2, 620), (7.0, 700)]:
            show(at(seconds, sent=sent))
    assert capsys.readouterr().err.splitlines() == [
        "310 of 1,000 rows (31 %), 100 rows/s, 0:07 left",
        "620 of 1,000 rows (62 %), 100 rows/s, 0:04 left",
        "700 of 1,000 rows (70 %), 100 rows/s, 0:03 left",
    ]


def test_a_progress_line_counts_what_was_not_sent() -> None:
    assert describe.progress_line(at(2.0, sent=100, unknown=50)).endswith(", 50 unknown")


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (61, "1:01"), (3_600, "1:00:00"), (90_061, "25:01:01")])
def test_a_duration_has_hours_if_it_needs_them(seconds: float, text: str) -> None:
    assert describe.duration(seconds) == text


def test_a_plan_without_a_price_says_why() -> None:
    sizes = [
        TextSize(encoding="ucs-2", parts=2, units=units, rows=3, example="الف") for units in (71, 72)
    ]  # of one encoding and number of parts
    requests = {Method.PEER_TO_PEER: 2}
    plan = Plan(rows=6, requests=requests, parts=12, sizes=sizes, cost_from=None, cost_to=None, seconds=4.0)
    pairs = dict(describe.plan_pairs(plan, price_error="HTTP 500", rate=0.5))
    assert pairs["Encodings"] == "6 in ucs-2 with 2 parts"
    assert pairs["Cost"] == "not known: HTTP 500"
    assert pairs["Duration"] == "0:04 at 0.5/s"
    assert describe.plan_json(plan)["encodings"] == [{"encoding": "ucs-2", "parts": 2, "rows": 6}]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InvalidArgument("is required", argument="from_number"), "--from: is required"),
        (InvalidArgument("a.csv: pass recipient= with a name", argument="recipient"), "pass --recipient with a name"),
        (InvalidArgument("a.csv: pass message= with a name", argument="message"), "a.csv: pass --message-column with"),
        (InvalidArgument("'a' exists; pass overwrite=True", argument="path"), "'a' exists; pass --overwrite"),
        (InvalidArgument("pass encoding= (such as 'utf-8')", argument="source"), "pass --encoding (such as 'utf-8')"),
        (ConfigurationError("differs", argument="kind"), "another kind of messages"),
    ],
)
def test_an_error_names_options_and_not_arguments(error: ConfigurationError, text: str) -> None:
    assert text in describe.text_of(error)


def test_control_characters_of_files_are_escaped() -> None:
    assert one_line("a\x1b[31m\r\nb\u2028\x9bc می\u200cرود") == "a\\x1b[31m\\r\\nb\\u2028\\x9bc می\u200cرود"


def test_a_reason_is_one_line_with_the_places_of_the_key() -> None:
    text = "HTTP 401 (rejected; check api_key= or IPPANEL_API_KEY)\nwrong key"
    assert describe.reason(text) == "HTTP 401 (rejected; check IPPANEL_API_KEY or --key-file): wrong key"


def test_a_command_to_copy_is_quoted() -> None:
    assert describe.command("resume", Path("my file.db")) == "`ippanel-edge bulk resume 'my file.db'`"


# Errors that nobody expects


def test_an_unexpected_error_is_one_line(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr(bulk, "_dispatch", fail)
    done = cli("bulk", "status", "a.db", "--json")
    assert done.code == 1
    assert done.err == "error: RuntimeError: first\\nsecond; set IPPANEL_DEBUG=1 to see where, and report it\n"
    assert done.json["exit_code"] == 1
    monkeypatch.setenv("IPPANEL_DEBUG", "1")
    assert "Traceback (most recent call last)" in cli("bulk", "status", "a.db").err


@pytest.mark.parametrize(("exists", "text"), [(False, "nothing was sent"), (True, "`ippanel-edge bulk status ")])
def test_ctrl_c_before_sending_ends_with_130(
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    exists: bool,  # noqa: FBT001 - a parameter
    text: str,
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bulk, "_dispatch", interrupt)
    if exists:
        (tmp_path / "a.ledger.db").touch()
    done = cli("bulk", tmp_path / "a.csv", "--message", "Hello", "--yes")
    assert done.code == 130
    assert done.err.startswith(f"interrupted; {text}")
