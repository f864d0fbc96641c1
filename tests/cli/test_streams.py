"""The standard streams and Ctrl-C: an open pipe, a closed or full stream, and a signal at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ippanel_edge.sandbox import Sandbox
from tests.cli.commands import accepted, numbers, process, wait_until

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
