"""What the command line writes: lines and tables for people, and one JSON object for programs. Progress: `progress`."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Final, TextIO, TypeAlias

Pairs: TypeAlias = Sequence[tuple[str, str]]
"""The labels and values of a table."""

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def one_line(text: str) -> str:
    """Return a text without control characters: values of files may contain line breaks and codes of terminals."""
    return _CONTROL.sub(lambda match: repr(match[0])[1:-1], text)


def uses_rich(stream: TextIO) -> bool:
    """Whether a stream is a terminal, and rich is installed."""
    return stream.isatty() and find_spec("rich") is not None


class Output:
    """The streams of a command.

    With `as_json`, the standard output holds one JSON object and nothing else; what people read goes to stderr.

    Args:
        as_json: whether --json was given.

    Attributes:
        problem: why something could not be written, for example because the disk is full; else None.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.problem: str | None = None
        self._as_json = as_json
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a console may be unable to show Persian

    @property
    def people(self) -> TextIO:
        """The stream for what people read."""
        return sys.stderr if self._as_json else sys.stdout

    def line(self, text: str = "") -> None:
        """Write a line of the result."""
        self._write(self.people, f"{one_line(text)}\n")

    def note(self, text: str, *, end: str = "\n") -> None:
        """Write a line, such as one of the progress, to stderr."""
        self._write(sys.stderr, f"{one_line(text)}{end}")

    def error(self, text: str) -> None:
        """Write the line of an error to stderr."""
        self.note(f"error: {text}")

    def trace(self, text: str) -> None:
        """Write a traceback to stderr."""
        self._write(sys.stderr, text)

    def table(self, title: str, pairs: Pairs) -> None:
        """Write labels and values below each other, under a title."""
        if uses_rich(self.people):
            _write_rich(self.people, title, pairs)
            return
        self.line(title)
        width = max((len(label) for label, _ in pairs), default=0)
        for label, value in pairs:
            self.line(f"  {label:<{width}}  {value}")

    def result(self, values: Mapping[str, object]) -> None:
        """Write the JSON object, if it was asked for."""
        if self._as_json:
            self._write(sys.stdout, f"{json.dumps(values)}\n")

    def _write(self, stream: TextIO, text: str) -> None:
        try:
            stream.write(text)
            stream.flush()
        except OSError as error:
            # A run must go on, and Python flushes the stream again when it exits. The reader of a broken pipe, such as
            # `head`, does not want the rest.
            with open(os.devnull, "wb") as nothing:  # noqa: PTH123 - not a path of the user
                os.dup2(nothing.fileno(), stream.fileno())
            if not isinstance(error, BrokenPipeError):
                self.problem = error.strerror or str(error)


def _write_rich(stream: TextIO, title: str, pairs: Pairs) -> None:
    from rich.console import Console  # noqa: PLC0415 - it needs the extra
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(title=Text(one_line(title), style="bold"), show_header=False, title_justify="left")
    table.add_column(style="cyan", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in pairs:
        table.add_row(Text(label), Text(one_line(value)))
    Console(file=stream).print(table)
