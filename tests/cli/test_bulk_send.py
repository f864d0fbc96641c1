"""`ippanel-edge bulk FILE`: what is sent, what is shown, the question, and the exit codes."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import openpyxl
import pytest

from ippanel_edge.config import RetryPolicy
from ippanel_edge.sandbox import Sandbox
from ippanel_edge.sandbox.reserved import ACCEPTED_FAILURE_NUMBER, INVALID_NUMBER, NO_CREDIT_NUMBER
from tests.cli.commands import (
    COMMAND,
    Cli,
    accepted,
    environment,
    numbers,
    run_on_terminal,
    run_process,
    write_csv,
)

needs_terminal = pytest.mark.skipif(os.name == "nt", reason="Windows has no pseudo terminals")


def test_every_row_is_sent_once_and_the_exit_code_is_0(sandbox: Sandbox, rows: Path) -> None:
    done = run_process("bulk", rows, "--message", "Hello {name}", "--chunk-size", "5", "--yes")
    assert done.code == 0, done.err
    assert accepted(sandbox) == dict.fromkeys(numbers(20), 1)
    assert "Requests      4 (peer_to_peer)" in done.out
    assert "Sent  20" in done.out
    ledger = rows.with_name("customers.ledger.db")
    assert ledger.stat().st_mode & 0o777 == 0o600 or os.name == "nt"
    assert {path.name for path in rows.parent.iterdir()} == {rows.name, ledger.name, f"{ledger.name}.lock"}


def test_the_same_command_again_sends_nothing_twice(sandbox: Sandbox, rows: Path, cli: Cli) -> None:
    command = ("bulk", rows, "--message", "Hello", "--yes", "--json")
    assert cli(*command).code == 0
    write_csv(rows, numbers(25))
    again = cli(*command)
    assert (again.code, again.json["load"]["already_loaded"], again.json["done"]) == (0, 20, 5)
    assert accepted(sandbox) == dict.fromkeys(numbers(25), 1)


@pytest.mark.parametrize(
    ("reserved", "code", "counts"),
    [
        ([INVALID_NUMBER], 3, {"sent": 3, "rejected": 1}),
        ([ACCEPTED_FAILURE_NUMBER], 4, {"sent": 3, "unknown": 1}),
        ([INVALID_NUMBER, ACCEPTED_FAILURE_NUMBER], 4, {"sent": 3, "rejected": 1, "unknown": 1}),
        ([NO_CREDIT_NUMBER], 5, {"sent": 3, "pending": 1}),
    ],
)
def test_the_exit_code_tells_how_the_rows_ended(
    sandbox: Sandbox, tmp_path: Path, cli: Cli, reserved: list[str], code: int, counts: dict[str, int]
) -> None:
    file = write_csv(tmp_path / "rows.csv", [*numbers(3), *reserved])
    arguments = ("--message", "Hello", "--chunk-size", "1", "--concurrency", "1", "--yes", "--json")
    done = cli("bulk", file, *arguments)
    assert done.code == code
    result = done.json
    assert result["exit_code"] == code
    assert {state: rows for state, rows in result["counts"].items() if rows} == counts
    assert result["requests"] == 3 + len(reserved)
    assert result["seconds"] > 0
    assert (result["stopped"] is not None) == (code == 5)
    assert accepted(sandbox) == dict.fromkeys([*numbers(3), *set(reserved) & {ACCEPTED_FAILURE_NUMBER}], 1)


def test_each_kind_of_unsettled_rows_has_a_remedy_to_copy(sandbox: Sandbox, tmp_path: Path, cli: Cli) -> None:
    del sandbox
    recipients = [INVALID_NUMBER, ACCEPTED_FAILURE_NUMBER, NO_CREDIT_NUMBER]
    file = write_csv(tmp_path / "rows.csv", recipients)
    done = cli("bulk", file, "--message", "Hello", "--chunk-size", "1", "--concurrency", "1", "--yes")
    ledger = tmp_path / "rows.ledger.db"
    assert f"`ippanel-edge bulk resume {ledger}`" in done.err
    assert f"`ippanel-edge bulk reconcile {ledger}`" in done.err
    assert f"`ippanel-edge bulk export {ledger} rejected.csv --state rejected`" in done.err


def test_without_a_network_the_rows_stay_pending(
    sandbox: Sandbox, rows: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ippanel_edge._async.settings.RetryPolicy", lambda: RetryPolicy(retries=0))
    sandbox.stop()
    done = cli("bulk", rows, "--message", "Hello", "--concurrency", "1", "--yes", "--json")
    assert done.code == 5
    assert done.json["counts"]["pending"] == 20
    assert "could not be sent" in done.json["stopped"]
    assert done.json["plan"]["cost_from"] is None
    assert "not known: send.calculate_price" in done.err


def test_a_dry_run_shows_the_plan_sends_nothing_and_leaves_nothing(sandbox: Sandbox, rows: Path) -> None:
    before = sorted(rows.parent.iterdir())
    done = run_process("bulk", rows, "--message", "Hello {name}", "--dry-run", "--rate", "2", "--chunk-size", "5")
    assert done.code == 0, done.err
    for label, value in [
        ("From", sandbox.from_number),
        ("Message", "Hello {name}"),
        ("Rows to send", "20"),
        ("Parts", "20"),
        ("Encodings", "20 in gsm-7 with 1 part"),
        ("Duration", "0:02 at 2/s"),
    ]:
        assert f"  {label:<12}  {value}\n" in done.out
    assert " Rials\n" in done.out
    assert not accepted(sandbox)
    assert sorted(rows.parent.iterdir()) == before


def test_a_dry_run_counts_what_an_existing_ledger_lacks_and_leaves_it_alone(
    sandbox: Sandbox, rows: Path, cli: Cli
) -> None:
    del sandbox
    assert cli("bulk", rows, "--message", "Hello", "--yes").code == 0
    ledger = rows.with_name("customers.ledger.db")
    before = hashlib.sha256(ledger.read_bytes()).digest()
    write_csv(rows, numbers(23))
    done = cli("bulk", rows, "--message", "Hello", "--dry-run", "--json")
    assert (done.code, done.json["plan"]["rows"], done.json["counts"]["sent"]) == (0, 3, 20)
    assert hashlib.sha256(ledger.read_bytes()).digest() == before


def test_set_aside_rows_are_listed_with_ten_reasons_and_do_not_change_the_exit_code(
    sandbox: Sandbox, tmp_path: Path, cli: Cli
) -> None:
    del sandbox
    file = write_csv(tmp_path / "rows.csv", [*numbers(2), *(f"12{index}" for index in range(12))])
    done = cli("bulk", file, "--message", "Hello", "--yes")
    assert done.code == 0
    assert "12 rows set aside, not to be sent:\n" in done.out
    assert [f"  rows.csv, line {line}: recipient: " in done.out for line in range(4, 15)] == [True] * 10 + [False]
    assert f"`ippanel-edge bulk export {tmp_path / 'rows.ledger.db'} report.csv` lists all of them" in done.out


def test_a_file_without_a_valid_row_is_wrong_usage_and_leaves_no_ledger(
    sandbox: Sandbox, tmp_path: Path, cli: Cli
) -> None:
    file = write_csv(tmp_path / "customers.csv", ["0912", "x"])
    done = cli("bulk", file, "--message", "Hello", "--yes", "--json")
    assert done.code == 2
    problem = "customers.csv has no row that can be sent; correct it and run the command again. Nothing was sent"
    assert done.errors == [f"error: {problem}"]
    assert "customers.csv, line 3: recipient: " in done.err
    assert (done.json["load"]["set_aside"], done.json["ledger"], done.json["error"]) == (2, None, problem)
    assert list(tmp_path.iterdir()) == [file]
    write_csv(file, numbers(1))
    assert cli("bulk", file, "--message", "Another message", "--yes").code == 0
    assert accepted(sandbox) == {numbers(1)[0]: 1}


@pytest.mark.usefixtures("sandbox")
def test_a_file_with_a_header_only_says_so_and_leaves_no_ledger(tmp_path: Path, cli: Cli) -> None:
    file = write_csv(tmp_path / "customers.csv", [])
    done = cli("bulk", file, "--message", "Hello", "--yes")
    assert (done.code, done.err.splitlines()[-1]) == (0, "customers.csv has no rows; nothing was sent")
    assert list(tmp_path.iterdir()) == [file]


def test_on_bad_row_stop_sends_nothing_and_names_the_row(sandbox: Sandbox, tmp_path: Path, cli: Cli) -> None:
    file = write_csv(tmp_path / "rows.csv", [*numbers(2), "12"])
    done = cli("bulk", file, "--message", "Hello", "--yes", "--on-bad-row", "stop")
    assert done.code == 2
    assert done.errors[0].startswith("error: rows.csv, line 4: ")
    assert not accepted(sandbox)
    assert list(tmp_path.iterdir()) == [file]


def test_a_message_column_is_recognised_and_may_be_named(sandbox: Sandbox, tmp_path: Path, cli: Cli) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(f"mobile,message,other\n{numbers(1)[0]},First,Second\n", "utf-8")
    assert cli("bulk", file, "--yes").code == 0
    assert cli("bulk", file, "--yes", "--message-column", "other", "--ledger", tmp_path / "b.db").code == 0
    assert [message.text for message in sandbox.state.outbox.values()] == ["First", "Second"]


def test_a_pattern_is_sent_with_the_values_of_its_columns(sandbox: Sandbox, tmp_path: Path, cli: Cli) -> None:
    file = tmp_path / "rows.csv"
    file.write_text(f"mobile,secret\n{numbers(1)[0]},4821\n", "utf-8")
    done = cli("bulk", file, "--pattern", "otp", "--params", "code=secret", "--yes")
    assert done.code == 0, done.err
    assert "Pattern       otp (code=secret)" in done.out
    assert "4821" in next(iter(sandbox.state.outbox.values())).text


def test_an_xlsx_file_is_read(sandbox: Sandbox, tmp_path: Path, cli: Cli) -> None:
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Customers")
    sheet.append(["mobile"])
    sheet.append([numbers(1)[0]])
    book.save(tmp_path / "rows.xlsx")
    done = cli("bulk", tmp_path / "rows.xlsx", "--sheet", "Customers", "--message", "Hello", "--yes")
    assert done.code == 0, done.err
    assert accepted(sandbox) == {numbers(1)[0]: 1}


def test_a_number_may_get_one_message_only(sandbox: Sandbox, tmp_path: Path, cli: Cli) -> None:
    file = write_csv(tmp_path / "rows.csv", numbers(1) * 3)
    done = cli("bulk", file, "--message", "Hello {name}", "--one-per-number", "--yes", "--json")
    assert (done.code, done.json["load"]["duplicates"]) == (0, 2)
    assert accepted(sandbox) == {numbers(1)[0]: 1}


def test_a_send_time_is_passed_on(sandbox: Sandbox, rows: Path, cli: Cli) -> None:
    moment = datetime.now(timezone(timedelta(hours=3, minutes=30))) + timedelta(days=2)
    done = cli("bulk", rows, "--message", "Hello", "--send-time", moment.isoformat(timespec="minutes"), "--yes")
    assert done.code == 0, done.err
    assert "Send time" in done.out
    assert [message.scheduled for message in sandbox.state.outbox.values()] == [True]


def test_a_send_time_that_has_passed_is_refused_before_anything_is_read(sandbox: Sandbox, rows: Path, cli: Cli) -> None:
    done = cli("bulk", rows, "--message", "Hello", "--send-time", "2020-01-31T18:00+03:30", "--yes")
    assert done.code == 2
    assert done.errors[0].startswith("error: --send-time: in the past by ")
    assert list(rows.parent.iterdir()) == [rows]
    assert not accepted(sandbox)


# The standard input


def test_the_standard_input_is_read(sandbox: Sandbox, tmp_path: Path) -> None:
    ledger = tmp_path / "stdin.db"
    text = f"mobile\n{numbers(1)[0]}\n"
    done = run_process("bulk", "-", "--message", "Hello", "--ledger", ledger, "--yes", "--json", stdin=text)
    assert (done.code, done.json["load"]["source"], done.json["done"]) == (0, "stdin", 1)
    assert accepted(sandbox) == {numbers(1)[0]: 1}


def test_the_standard_input_requires_a_ledger_and_yes(cli: Cli) -> None:
    without_ledger = cli("bulk", "-", "--message", "Hello", "--yes")
    without_yes = cli("bulk", "-", "--message", "Hello", "--ledger", "a.db")
    assert (without_ledger.code, without_yes.code) == (2, 2)
    assert "--ledger" in without_ledger.errors[0]
    assert "--yes" in without_yes.errors[0]


# The question


def test_without_a_terminal_and_without_yes_nothing_is_sent(sandbox: Sandbox, rows: Path) -> None:
    done = run_process("bulk", rows, "--message", "Hello", "--json")
    assert done.code == 2
    assert len(done.errors) == 1
    assert "pass --yes" in done.errors[0]
    assert done.json["exit_code"] == 2
    assert not accepted(sandbox)
    assert list(rows.parent.iterdir()) == [rows]


@needs_terminal
def test_the_answer_yes_sends_with_a_progress_bar(sandbox: Sandbox, rows: Path) -> None:
    code, shown = run_on_terminal(["bulk", rows, "--message", "Hello"], answer="y")
    assert code == 0, shown
    assert f"Send 20 messages from {sandbox.from_number}? [y/N] " in shown
    assert "━" in shown
    assert "20/20" in shown
    assert "rows/s" in shown
    assert accepted(sandbox) == dict.fromkeys(numbers(20), 1)


@needs_terminal
@pytest.mark.parametrize("answer", ["n", ""])
def test_any_other_answer_sends_nothing_and_leaves_no_ledger(sandbox: Sandbox, rows: Path, answer: str) -> None:
    code, shown = run_on_terminal(["bulk", rows, "--message", "Hello"], answer=answer)
    assert code == 1
    assert "nothing was sent" in shown
    assert not accepted(sandbox)
    assert list(rows.parent.iterdir()) == [rows]


@needs_terminal
def test_without_rich_a_terminal_shows_plain_lines(sandbox: Sandbox, rows: Path) -> None:
    code, shown = run_on_terminal(
        ["bulk", rows, "--message", "Hello"], answer="y", code="import sys; sys.modules['rich'] = None"
    )
    assert code == 0, shown
    assert "20 of 20 rows (100 %), " in shown
    assert "━" not in shown
    assert accepted(sandbox) == dict.fromkeys(numbers(20), 1)


# The output


def test_the_progress_is_a_line_at_the_end_if_it_is_piped(sandbox: Sandbox, rows: Path) -> None:
    del sandbox
    done = run_process("bulk", rows, "--message", "Hello", "--yes")
    assert "20 of 20 rows (100 %), " in done.err
    assert "\x1b" not in done.err + done.out


def test_a_reader_that_ends_early_does_not_stop_the_run(sandbox: Sandbox, rows: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(  # noqa: S603 - the command is that of this project
        [*COMMAND, "bulk", str(rows), "--message", "Hello", "--yes"],
        stdin=subprocess.DEVNULL,
        stdout=writer,
        stderr=writer,
        check=False,
        env=environment(),
        timeout=20,
    )
    os.close(writer)
    assert done.returncode == 0
    assert accepted(sandbox) == dict.fromkeys(numbers(20), 1)


def test_the_key_of_a_file_is_used_and_never_shown(sandbox: Sandbox, rows: Path) -> None:
    key = "a-key-that-nobody-may-see-0123456789"
    sandbox.state.api_keys[key] = sandbox.state.api_keys[sandbox.api_key]
    file = rows.with_name("key.txt")
    file.write_text(f"{key}\n", "utf-8")
    variables = {"IPPANEL_API_KEY": "", "IPPANEL_LOG": "debug", "IPPANEL_DEBUG": "1"}
    command = ("bulk", rows, "--message", "Hello", "--yes", "--json", "--key-file", file)
    done = run_process(*command, **variables)
    assert done.code == 0, done.err
    sandbox.state.api_keys.pop(key)
    failed = run_process(*command, "--ledger", rows.with_name("b.db"), **variables)
    assert failed.code == 1
    assert "Traceback" in failed.err
    assert "--key-file" in failed.errors[0]
    assert key not in done.out + done.err + failed.out + failed.err


def test_an_error_is_one_line_without_a_log(sandbox: Sandbox, rows: Path) -> None:
    done = run_process("bulk", rows, "--message", "Hello", "--yes", IPPANEL_API_KEY="a-wrong-key")
    assert done.code == 1
    assert [line.partition(":")[0] for line in done.err.splitlines()] == [f"reading {rows}", "error"]
    assert list(rows.parent.iterdir()) == [rows]
    assert not accepted(sandbox)


def test_a_key_on_the_command_line_is_refused_and_not_shown(cli: Cli, rows: Path) -> None:
    for arguments in (("--api-key", "the-key"), ("--api-key=the-key",), ("--token", "the-key")):
        done = cli("bulk", rows, "--message", "Hello", *arguments)
        assert done.code == 2
        assert done.errors[0].startswith("error: a key on the command line can be read by other users")
        assert "the-key" not in done.err + done.out


@pytest.mark.parametrize(("content", "problem"), [(None, "cannot read"), ("", "is empty"), ("two\nlines", "api_key")])
def test_a_bad_key_file_is_named(sandbox: Sandbox, rows: Path, cli: Cli, content: str | None, problem: str) -> None:
    file = rows.with_name("key.txt")
    if content is not None:
        file.write_text(content, "utf-8")
    done = cli("bulk", rows, "--message", "Hello", "--yes", "--key-file", file)
    assert done.code == 2
    assert problem in done.errors[0]
    assert not accepted(sandbox)


def test_with_json_stdout_holds_one_object(sandbox: Sandbox, rows: Path) -> None:
    del sandbox
    done = run_process("bulk", rows, "--message", "Hello", "--yes", "--json")
    result = json.loads(done.out)
    assert done.out.count("\n") == 1
    assert result["counts"]["sent"] == 20
    assert {"requests", "seconds", "stopped", "exit_code", "ledger", "plan", "load"} <= set(result)
    assert "Plan for" in done.err
