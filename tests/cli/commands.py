"""Running the command line in tests: as a process, in this process, and on a pseudo terminal."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from ippanel_edge.cli import main
from ippanel_edge.sandbox import Sandbox

COMMAND: Final = (sys.executable, "-m", "ippanel_edge.cli")
ROOT: Final = Path(__file__).resolve().parents[2]
_PATIENCE: Final = 20.0


@attrs.frozen
class Done:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object, which is all of stdout."""
        (line,) = self.out.splitlines()
        return json.loads(line)  # type: ignore[no-any-return]

    @property
    def errors(self) -> list[str]:
        """The lines of errors."""
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


Cli = Callable[..., Done]
"""Runs the command line in this process."""


def in_this_process(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Return a function that runs `main` and returns its result."""

    def run(*arguments: str | Path) -> Done:
        capsys.readouterr()
        try:
            code: Any = main([str(each) for each in arguments])
        except SystemExit as exit_:
            code = exit_.code
        written = capsys.readouterr()
        return Done(code, written.out, written.err)

    return run


def environment(**more: str) -> Mapping[str, str]:
    """Return the variables of a child process. It imports the package of this test."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def run_process(*arguments: str | Path, stdin: str | None = "", **variables: str) -> Done:
    """Run the command line as a process, with text as its standard input."""
    done = subprocess.run(  # noqa: S603 - the command is that of this project
        [*COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env=environment(**variables),
        timeout=_PATIENCE,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def process(*arguments: str | Path, stdin: int = subprocess.DEVNULL) -> Generator[subprocess.Popen[str]]:
    """Start the command line as a process, which is killed at the end."""
    with subprocess.Popen(  # noqa: S603 - the command is that of this project
        [*COMMAND, *map(str, arguments)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.005)


def run_on_terminal(arguments: Iterable[str | Path], *, answer: str, code: str = "") -> tuple[int, str]:
    """Run the command line on a pseudo terminal and answer its question.

    Args:
        arguments: its arguments.
        answer: the line that is typed when it asks.
        code: Python that runs before.

    Returns:
        The exit code, and what the terminal showed.
    """
    import pty  # noqa: PLC0415 - not on Windows

    script = f"{code}\nimport sys; from ippanel_edge.cli import main; sys.exit(main({list(map(str, arguments))!r}))"
    terminal, end = pty.openpty()
    with subprocess.Popen(  # noqa: S603 - the command is that of this project
        [sys.executable, "-c", script], stdin=end, stdout=end, stderr=end, env=environment(TERM="xterm", COLUMNS="120")
    ) as child:
        os.close(end)
        try:
            shown = _converse(terminal, answer)
            return child.wait(_PATIENCE), shown
        finally:
            child.kill()
            os.close(terminal)


def _converse(terminal: int, answer: str) -> str:
    shown, is_answered = b"", False
    while select.select([terminal], [], [], _PATIENCE)[0]:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # Linux: the process has closed its end
            break
        if not part:
            break
        shown += part
        if not is_answered and b"[y/N] " in shown:
            os.write(terminal, f"{answer}\n".encode())
            is_answered = True
    return shown.decode()


def accepted(sandbox: Sandbox) -> Counter[str]:
    """Return how often the sandbox accepted a message for each number."""
    with sandbox.state.lock:
        return Counter(each.number for message in sandbox.state.outbox.values() for each in message.recipients)


def numbers(count: int) -> list[str]:
    """Return mobile numbers in E.164."""
    return [f"+98912{index:07}" for index in range(1, count + 1)]


def write_csv(path: Path, recipients: Iterable[str]) -> Path:
    """Write a CSV file with a column of numbers and a column of names."""
    rows = "".join(f"{recipient},Name {index}\n" for index, recipient in enumerate(recipients))
    path.write_text(f"mobile,name\n{rows}", "utf-8")
    return path
