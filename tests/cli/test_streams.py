"""The standard streams and Ctrl-C: an open pipe, a closed or full stream, and a signal at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ippanel_edge.cli import options
from ippanel_edge.sandbox import Sandbox
from tests.cli.commands import COMMAND, Cli, accepted, environment, numbers, process, wait_until

posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows sends no signal to a single process")
PATIENCE = 10.0


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Let child processes receive SIGINT, also if this process ignores it, as one in the background does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@posix_only
@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("rows", ["", f"mobile\n{numbers(1)[0]}\n"])
def test_a_signal_ends_the_reading_of_an_open_pipe(
    sandbox: Sandbox, tmp_path: Path, number: signal.Signals, rows: str
) -> None:
    ledger = tmp_path / "a.db"
    command: list[str | Path] = ["bulk", "-", "--message", "Hello", "--ledger", ledger, "--yes", "--json"]
    with process(*command, stdin=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stderr is not None
        child.stdin.write(rows)
        child.stdin.flush()
        assert child.stderr.readline() == "reading the standard input\n"
        wait_until(lambda: any(tmp_path.glob(".a.db.*/a.db-wal")))  # the ledger is open
        child.send_signal(number)
        assert child.wait(PATIENCE) == 130  # although the pipe is open still
        assert child.stderr.read() == "interrupted; nothing was sent\n"
    assert not accepted(sandbox)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_while_the_command_is_imported_ends_with_130(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(options, "parse", interrupt)
    done = cli("bulk", "status", "a.db")
    assert (done.code, done.out, done.err) == (130, "", "interrupted; nothing was sent\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout_is_one_line_and_does_not_stop_the_run(sandbox: Sandbox, rows: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = run_closed(rows, "--yes", "--json", stdout=full)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "error: cannot write the output: No space left on device"
    assert "Traceback" not in done.stderr
    assert accepted(sandbox) == dict.fromkeys(numbers(20), 1)


@posix_only
@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_error(rows: Path, closed: str) -> None:
    done = run_closed(rows, "--dry-run", closed=closed)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr


@posix_only
@pytest.mark.usefixtures("sandbox")
def test_a_closed_standard_input_has_no_rows(tmp_path: Path) -> None:
    done = run_closed("-", "--yes", "--ledger", tmp_path / "a.db", closed="<&-")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: stdin: is empty")


def run_closed(
    *arguments: str | Path, closed: str = "", stdout: Any = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    """Run `bulk` with closed standard streams."""
    command = ["sh", "-c", f'"$@" {closed}', "sh", *COMMAND, "bulk", *map(str, arguments), "--message", "Hello"]
    return subprocess.run(  # noqa: S603 - the command is that of this project
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, env=environment(), timeout=20
    )
