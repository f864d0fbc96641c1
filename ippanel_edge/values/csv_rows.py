"""Reading the rows of a CSV file to check them before the file is sent: UTF-8, with commas and a header."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

import attrs

from ippanel_edge.errors import InvalidArgument

_MAX_LINE: Final = 256 * 1024
"""The maximum number of bytes of a line. A message has at most 1,400 characters."""
_MAX_RECORD: Final = 1024 * 1024
"""The maximum number of bytes of a row, which has several lines if a quoted text contains line breaks."""
_SHOWN: Final = 40
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ARABIC: Final = re.compile("[\u0600-\u06ff]")
_AS_UTF_8: Final = 'save it as UTF-8 (in Excel: "CSV UTF-8 (Comma delimited)") or as .xlsx'
_QUOTING: Final = "put a text that contains commas, quotes or line breaks in double quotes, and double its quotes"
_COMMAS: Final = "expected commas between the columns, got {}; save it with commas or as .xlsx"


def csv_rows(stream: BinaryIO, header: Sequence[str], *, argument: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the columns of each row below the header. Empty lines are skipped.

    Args:
        stream: the file. A byte order mark of UTF-8 is skipped.
        header: the names of the columns, in their order.
        argument: the argument's name in the error.

    Raises:
        InvalidArgument: the file is not UTF-8, not CSV with commas, has another header or another number of columns, or
            contains NUL.
    """
    lines = _Lines(stream, argument)
    rows = csv.reader(lines, strict=True)
    is_header = True
    line = 1
    try:
        for row in rows:
            if row and is_header:
                _check_header(row, header, line, argument)
                is_header = False
            elif row:
                if len(row) != len(header):
                    raise InvalidArgument(f"line {line:,}: {_wrong_columns(row, header)}", argument=argument)
                yield line, row
            line = rows.line_num + 1
            lines.pending = 0
    except csv.Error as error:
        problem = f"line {line:,}: not valid CSV ({error}); {_QUOTING}"
    else:
        return
    raise InvalidArgument(problem, argument=argument)


def separator_problem(cell: str) -> str | None:
    """Return the problem of a cell that holds a whole row with another separator, or None."""
    if ";" in cell:
        return _COMMAS.format("semicolons")
    return _COMMAS.format("tabs") if "\t" in cell else None


@attrs.define
class _Lines:
    """The lines of a file, decoded.

    Attributes:
        pending: the number of bytes read since it was last set to 0, to limit what the CSV parser collects for one row.
    """

    stream: BinaryIO
    argument: str
    pending: int = 0

    def __iter__(self) -> Iterator[str]:
        """Yield the lines with their line breaks."""
        number = 0
        while line := self.stream.readline(_MAX_LINE):
            number += 1
            if number == 1:
                line = self._without_mark(line)
            self.pending += len(line)
            if len(line) == _MAX_LINE or self.pending > _MAX_RECORD:
                self._fail(number, f"too long for a row of a CSV file; is a quote not closed? {_QUOTING}")
            if b"\0" in line:
                self._fail(number, f"contains NUL; {_AS_UTF_8}")
            try:
                text = line.decode()
            except UnicodeDecodeError as error:
                around = line[error.start : error.start + _SHOWN]
            else:
                yield text
                continue
            self._fail(number, f"not UTF-8{_guess(around)}; {_AS_UTF_8}")

    def _without_mark(self, line: bytes) -> bytes:
        # UTF-16 without a mark has a NUL in every ASCII character, such as those of the header.
        if line.startswith(_UTF_16) or line[1:4:2] == b"\0\0" or line[0:3:2] == b"\0\0":
            raise InvalidArgument(f"the encoding is UTF-16; {_AS_UTF_8}", argument=self.argument)
        return line.removeprefix(codecs.BOM_UTF8)

    def _fail(self, number: int, problem: str) -> None:
        raise InvalidArgument(f"line {number:,}: {problem}", argument=self.argument)


def _guess(content: bytes) -> str:
    """Return the probable encoding of a text that is not UTF-8, for an error."""
    is_arabic = _ARABIC.search(content.decode("cp1256", "replace"))
    return ", probably Windows-1256 (Arabic)" if is_arabic else ""


def _check_header(row: Sequence[str], header: Sequence[str], line: int, argument: str) -> None:
    if list(row) == list(header):
        return
    expected = ",".join(header)
    problem = separator_problem(row[0])
    if problem is None and any(character.isdigit() for character in row[0]):
        problem = f"the header is missing; insert the line {expected!r} above the first row"
    elif problem is None:
        problem = f"expected the header {expected!r}, got {','.join(row)[:_SHOWN]!r}; write it exactly"
    raise InvalidArgument(f"line {line:,}: {problem}", argument=argument)


def _wrong_columns(row: Sequence[str], header: Sequence[str]) -> str:
    problem = separator_problem(row[0])
    if problem is not None:
        return problem
    columns = "1 column" if len(header) == 1 else f"{len(header)} columns"
    remedy = f"; {_QUOTING}" if len(row) > len(header) > 1 else ""
    return f"expected {columns} ({','.join(header)}), got {len(row)}{remedy}"
