"""The commands on a ledger: resume, reconcile, track, status and export; also after a crash, Ctrl-C and SIGTERM."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest

from ippanel_edge.sandbox import Sandbox
from tests.cli.commands import Cli, accepted, numbers, process, run_on_terminal, wait_until, write_csv

posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals and no pseudo terminals")


@pytest.fixture
def ledger(rows: Path) -> Path:
    """The ledger that is created for the file of rows."""
    return rows.with_name("customers.ledger.db")


@contextmanager
def slow_run(sandbox: Sandbox, rows: Path) -> Generator[Popen[str]]:
    """Start a run of one row in a request and 20 requests in a second, and wait until it has sent some."""
    arguments = ("--message", "Hello", "--chunk-size", "1", "--rate", "20", "--yes", "--json")
    with process("bulk", rows, *arguments) as child:
        wait_until(lambda: len(accepted(sandbox)) >= 3 or child.poll() is not None)
        yield child


def settled_once(sandbox: Sandbox) -> bool:
    return set(accepted(sandbox).values()) == {1}


# resume


@posix_only
def test_resume_after_sigkill_sends_the_rest_and_nothing_twice(
    sandbox: Sandbox, rows: Path, ledger: Path, cli: Cli
) -> None:
    write_csv(rows, numbers(40))
    with slow_run(sandbox, rows) as child:
        child.kill()
        child.wait()
    before = len(accepted(sandbox))
    assert before < 40
    done = cli("bulk", "resume", ledger, "--yes", "--json")
    counts = done.json["counts"]
    assert done.code == (4 if counts["unknown"] else 0)
    assert (counts["sent"] + counts["unknown"], counts["pending"]) == (40, 0)
    assert settled_once(sandbox)
    assert counts["sent"] <= len(accepted(sandbox)) <= 40
    reconciled = cli("bulk", "reconcile", ledger, "--json")
    assert reconciled.json["counts"]["sent"] == len(accepted(sandbox))


def test_unknown_rows_are_sent_again_only_on_request(sandbox: Sandbox, rows: Path, ledger: Path, cli: Cli) -> None:
    sandbox.faults.add(500, path="/api/send")
    assert cli("bulk", rows, "--message", "Hello", "--yes").code == 4
    assert cli("bulk", "resume", ledger, "--yes").code == 4
    assert not accepted(sandbox)
    done = cli("bulk", "resume", ledger, "--resend-unknown", "--yes")
    assert done.code == 0
    assert "Unknown, sent again  20" in done.out
    assert accepted(sandbox) == dict.fromkeys(numbers(20), 1)


def test_rejected_rows_are_sent_again_only_on_request(sandbox: Sandbox, rows: Path, ledger: Path, cli: Cli) -> None:
    sandbox.faults.add(422, path="/api/send")
    assert cli("bulk", rows, "--message", "Hello", "--yes").code == 3
    assert cli("bulk", "resume", ledger, "--yes").code == 3
    assert not accepted(sandbox)
    assert cli("bulk", "resume", ledger, "--retry-rejected", "--yes", "--rate", "100").code == 0
    assert accepted(sandbox) == dict.fromkeys(numbers(20), 1)


def test_resume_without_a_terminal_requires_yes(sandbox: Sandbox, rows: Path, ledger: Path, cli: Cli) -> None:
    sandbox.faults.add(500, path="/api/send")
    cli("bulk", rows, "--message", "Hello", "--yes")
    done = cli("bulk", "resume", ledger, "--resend-unknown")
    assert done.code == 2
    assert "pass --yes" in done.errors[0]
    assert cli("bulk", "status", ledger, "--json").json["counts"]["unknown"] == 20
    assert not accepted(sandbox)


@posix_only
def test_resume_asks_and_warns_about_unknown_rows(sandbox: Sandbox, rows: Path, ledger: Path, cli: Cli) -> None:
    sandbox.faults.add(500, path="/api/send")
    cli("bulk", rows, "--message", "Hello", "--yes")
    code, shown = run_on_terminal(["bulk", "resume", ledger, "--resend-unknown"], answer="n")
    assert code == 1
    assert f"20 messages may arrive twice. Send 20 messages from {sandbox.from_number}? [y/N] " in shown
    assert "the ledger keeps the rows" in shown
    assert not accepted(sandbox)
    code, shown = run_on_terminal(["bulk", "resume", ledger, "--resend-unknown"], answer="yes")
    assert code == 0, shown
    assert settled_once(sandbox)


# Ctrl-C, and another process


@posix_only
@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_ends_with_130_and_its_ledger_goes_on(
    sandbox: Sandbox, rows: Path, ledger: Path, cli: Cli, number: signal.Signals
) -> None:
    with slow_run(sandbox, rows) as child:
        child.send_signal(number)
        out, err = child.communicate(timeout=20)
    assert child.returncode == 130, err
    result = json.loads(out)
    assert (result["exit_code"], result["stopped"]) == (130, "interrupted")
    counts = result["counts"]
    assert (counts["sent"], counts["unknown"], counts["sending"]) == (len(accepted(sandbox)), 0, 0)
    assert counts["pending"] == 20 - counts["sent"] > 0
    assert 0 < result["requests"] <= counts["sent"]  # the last responses may have arrived after the signal
    assert f"run `ippanel-edge bulk resume {ledger}` to go on" in err
    assert "Traceback" not in err
    assert cli("bulk", "resume", ledger, "--yes").code == 0
    assert accepted(sandbox) == dict.fromkeys(numbers(20), 1)


def test_status_reads_while_another_process_sends_and_others_are_refused(
    sandbox: Sandbox, rows: Path, ledger: Path, cli: Cli
) -> None:
    write_csv(rows, numbers(60))
    with slow_run(sandbox, rows) as child:
        status = cli("bulk", "status", ledger, "--json")
        refused = cli("bulk", "resume", ledger, "--yes")
        planned = cli("bulk", rows, "--message", "Hello", "--dry-run")
        assert child.poll() is None
    assert status.code == 0
    assert status.json["counts"]["sent"] > 0
    assert status.json["counts"]["pending"] > 0
    assert refused.code == 2
    assert refused.errors[0].startswith(f"error: another process uses the ledger {str(ledger)!r}")
    assert planned.code == 0


# reconcile, track, status, export


def test_reconcile_settles_what_the_outbox_proves(sandbox: Sandbox, rows: Path, ledger: Path, cli: Cli) -> None:
    sandbox.faults.add(500, path="/api/send", executed=True)
    assert cli("bulk", rows, "--message", "Hello", "--yes").code == 4
    done = cli("bulk", "reconcile", ledger, "--json")
    assert (done.code, done.json["found"], done.json["counts"]["sent"]) == (0, 20, 20)
    assert settled_once(sandbox)


def test_reconcile_leaves_unknown_what_the_outbox_lacks(sandbox: Sandbox, rows: Path, ledger: Path, cli: Cli) -> None:
    sandbox.faults.add(500, path="/api/send")
    assert cli("bulk", rows, "--message", "Hello", "--yes").code == 4
    done = cli("bulk", "reconcile", ledger)
    assert done.code == 4
    assert "Still unknown        20" in done.out
    assert "--resend-unknown` sends what is unknown, perhaps twice" in done.err


def test_track_reads_the_delivery_and_says_what_is_not_final(
    sandbox: Sandbox, rows: Path, ledger: Path, cli: Cli
) -> None:
    assert cli("bulk", rows, "--message", "Hello", "--yes").code == 0
    early = cli("bulk", "track", ledger, "--timeout", "0.1", "--json")
    assert (early.code, early.json["open"]) == (5, 20)
    sandbox.clock.advance(60)
    done = cli("bulk", "track", ledger, "--json")
    assert (done.code, done.json["delivered"], done.json["open"]) == (0, 20, 0)
    assert cli("bulk", "status", ledger, "--json").json["counts"]["delivered"] == 20


def test_status_shows_the_campaign_and_the_states(sandbox: Sandbox, rows: Path, ledger: Path, cli: Cli) -> None:
    cli("bulk", rows, "--message", "Hello {name}", "--yes")
    done = cli("bulk", "status", ledger)
    assert done.code == 0
    assert f"  From     {sandbox.from_number}\n  Message  Hello {{name}}\n  Rows     20\n  Sent     20\n" in done.out


def test_export_writes_rows_and_does_not_overwrite_a_file(
    sandbox: Sandbox, rows: Path, ledger: Path, cli: Cli, tmp_path: Path
) -> None:
    del sandbox
    write_csv(rows, [*numbers(3), "12"])
    cli("bulk", rows, "--message", "Hello", "--yes")
    out = tmp_path / "report.csv"
    done = cli("bulk", "export", ledger, out, "--json")
    assert (done.code, done.json["rows"]) == (0, 4)
    lines = out.read_text("utf-8-sig").splitlines()
    assert len(lines) == 5
    assert sum("sent" in line for line in lines) == 3
    refused = cli("bulk", "export", ledger, out)
    assert refused.code == 2
    assert "--overwrite" in refused.errors[0]
    again = cli("bulk", "export", ledger, out, "--overwrite", "--state", "sent", "unknown")
    assert (again.code, again.out) == (0, f"wrote 3 rows to {out}\n")
    assert len(out.read_text("utf-8-sig").splitlines()) == 4


@pytest.mark.parametrize("command", ["resume", "reconcile", "track", "status"])
def test_a_ledger_that_does_not_exist_is_wrong_usage(sandbox: Sandbox, tmp_path: Path, cli: Cli, command: str) -> None:
    del sandbox
    done = cli("bulk", command, tmp_path / "none.db")
    assert done.code == 2
    assert done.errors == [f"error: there is no ledger {str(tmp_path / 'none.db')!r}"]


def test_a_file_that_is_no_ledger_is_wrong_usage(sandbox: Sandbox, rows: Path, cli: Cli) -> None:
    del sandbox
    for arguments in (("status", rows), (rows, "--message", "Hello", "--dry-run", "--ledger", rows)):
        done = cli("bulk", *arguments)
        assert done.code == 2
        assert f"{str(rows)!r} is not a ledger" in done.errors[0]


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [("--message", "Good bye", "--message"), ("--from", "+983000505", "--from"), ("--message", "{name}", "--message")],
)
def test_a_ledger_of_another_campaign_is_refused(
    sandbox: Sandbox, rows: Path, cli: Cli, option: str, value: str, named: str
) -> None:
    del sandbox
    assert cli("bulk", rows, "--message", "Hello", "--yes").code == 0
    arguments = ["--message", "Hello", "--yes", option, value]
    done = cli("bulk", rows, *arguments)
    assert done.code == 2
    assert named in done.errors[0]
    assert "another" in done.errors[0]
