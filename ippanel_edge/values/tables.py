"""The content of files of phone numbers and messages, checked before they are sent: CSV and XLSX.

A file is read row by row, in a bounded amount of memory, and sent unchanged afterwards. What no document limits is not
checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

import attrs

from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values import phones
from ippanel_edge.values.csv_rows import csv_rows, separator_problem
from ippanel_edge.values.files import extension
from ippanel_edge.values.segments import check_message

_NUMBER: Final = re.compile(r" *(?:\+98|0)?9[0-9]{9} *")
"""The documented 09… and +989…, and the number without its 0 that a spreadsheet stores."""


@attrs.frozen(kw_only=True)
class Table:
    """What the API documents about the content of a file.

    Attributes:
        header: the header of a CSV file; empty if the file must be XLSX.
        max_rows: the maximum number of rows below the header; None for no limit.
        has_numbers: whether the first column contains phone numbers.
        has_messages: whether the second column contains a message for each row.
        remedy: a hint for a file with too many rows.
    """

    header: tuple[str, ...] = ()
    max_rows: int | None = None
    has_numbers: bool = True
    has_messages: bool = False
    remedy: str = "split the file into several calls"


def check_table(stream: BinaryIO, *, name: str, argument: str, table: Table, check_limits: bool = True) -> None:
    """Check the content of a file of numbers. A file whose name ends in neither .csv nor .xlsx is not read.

    Args:
        stream: the file, from its start; an XLSX file must be seekable.
        name: the name of the file.
        argument: the argument's name in the error.
        table: what the file must contain.
        check_limits: whether to also check the number of rows and the length of messages.

    Raises:
        InvalidArgument: the file is not what its name says, has no rows or too many, or a row is invalid; the error
            names the first invalid line or row and the remedy.

    Source: send/file.md, send/peer-to-peer-file.md, send/keyword.md.
    """
    kind = extension(name)
    if kind == "csv" and table.header:
        rows, unit = csv_rows(stream, table.header, argument=argument), "line"
    elif kind == "xlsx":
        from ippanel_edge.values.xlsx_rows import xlsx_rows  # noqa: PLC0415 - zipfile is slow to import

        rows, unit = xlsx_rows(stream, 2 if table.has_messages else 1, argument=argument), "row"
        if table.has_numbers:
            rows = _without_header(rows)
    else:
        return
    limit = table.max_rows if check_limits else None
    count = 0
    for place, row in rows:
        count += 1
        if limit is not None and count > limit:
            problem = f"{unit} {place:,}: too many rows: at most {limit:,}; {table.remedy}"
            raise InvalidArgument(problem, argument=argument)
        if table.has_numbers and not _NUMBER.fullmatch(row[0]):
            raise InvalidArgument(f"{unit} {place:,}: {_reason(row[0], unit)}", argument=argument)
        if table.has_messages:
            _check_message(row[1], f"{unit} {place:,}", argument, check_limits=check_limits)
    if not count:
        raise InvalidArgument("the file has no rows; write one row for each number", argument=argument)


def _without_header(rows: Iterator[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
    """Skip a first row without a digit in the first column: the documents do not say whether XLSX has a header."""
    for index, (place, row) in enumerate(rows):
        if index or not row[0] or any(character.isdigit() for character in row[0]):
            yield place, row


def _reason(cell: str, unit: str) -> str:
    """Return why a cell is not a phone number, without the number."""
    problem = separator_problem(cell) if unit == "line" else None
    if problem is not None:
        return problem
    try:
        phones.recipient(cell, argument="")
    except InvalidArgument as error:
        return str(error)
    return "expected a number as 09… or +989… without separators; normalize_phone() returns this format"


def _check_message(text: str, place: str, argument: str, *, check_limits: bool) -> None:
    try:
        check_message(text, argument="", check_limits=check_limits)
    except InvalidArgument as error:
        problem = f"{place}: message: {error}"
    else:
        return
    raise InvalidArgument(problem, argument=argument)
