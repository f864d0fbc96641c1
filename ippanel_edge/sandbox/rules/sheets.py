"""Parsing of uploaded CSV and XLSX files of numbers, messages and placeholder values."""

from __future__ import annotations

import csv
import io
import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from ippanel_edge.sandbox.workbooks import UnreadableWorkbookError, read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ippanel_edge.sandbox.bodies import Fields, Upload

MAX_ROWS: Final = 1_000_000
MAX_PEER_ROWS: Final = 10_000
MAX_FILLED: Final = 50_000_000
"""The maximum number of characters in all texts of a `keyword` send together."""
_MAX_ERRORS: Final = 10
_UNSUPPORTED: Final = "فرمت فایل پشتیبانی نمی‌شود"

_NUMBER = re.compile(r"(?:\+98|0|)(9[0-9]{9})")
_PLACEHOLDER = re.compile(r"\{ex_([A-Z]{1,2})\}")

Row = list[str]


def parse_number(cell: str) -> str | None:
    """Return a number in E.164 form from 0912…, +98912… or 912… (as Excel stores it); None if it is invalid."""
    match = _NUMBER.fullmatch(cell.strip())
    return f"+98{match[1]}" if match else None


def read_numbers(body: Fields) -> list[str]:
    """Return the numbers of a `file` send: a CSV file with the header phone_number, or column A of an XLSX file."""
    rows = _read(body, header=["phone_number"], max_rows=MAX_ROWS)
    return [number for number, _ in _rows_with_numbers(body, rows)]


def read_messages(body: Fields) -> list[tuple[str, str]]:
    """Return the (number, message) rows of a CSV file with the header recipient,message, or of XLSX columns A and B."""
    rows = _read(body, header=["recipient", "message"], max_rows=MAX_PEER_ROWS)
    pairs: list[tuple[str, str]] = []
    for number, row in _rows_with_numbers(body, rows):
        text = row[1] if len(row) > 1 else ""
        if not text.strip():
            body.add_error("files", f"متن پیام {number} خالی است")
        pairs.append((number, text))
    return pairs


def read_values(body: Fields, template: str) -> list[tuple[str, str]]:
    """Return (number, text) for each row of a `keyword` XLSX file; {ex_A}, {ex_B}… are replaced by its cells."""
    rows = _read(body, header=None, max_rows=MAX_ROWS)
    width = max(map(len, rows), default=0)
    for name in _PLACEHOLDER.findall(template):
        if rows and _column(name) >= width:
            body.add_error("message", f"ستون {name} در فایل وجود ندارد")
    return _filled(body, template, _rows_with_numbers(body, rows))


def read_import_rows(body: Fields) -> list[tuple[str, Row]]:
    """Return (number, row) for each row of the XLSX file of a phonebook import, in the form field `file`."""
    return _rows_with_numbers(body, _read(body, header=None, max_rows=MAX_ROWS, name="file"), name="file")


def _filled(body: Fields, template: str, rows: Iterable[tuple[str, Row]]) -> list[tuple[str, str]]:
    """Return (number, text) for each row; record an error if the texts together are too long."""
    texts: list[tuple[str, str]] = []
    length = 0
    for number, row in rows:
        text = _fill(template, row)
        length += len(text)
        if length > MAX_FILLED:
            body.add_error("files", _UNSUPPORTED)
            return []
        texts.append((number, text))
    return texts


def _fill(template: str, row: Row) -> str:
    def cell(match: re.Match[str]) -> str:
        index = _column(match[1])
        return row[index] if index < len(row) else ""

    return _PLACEHOLDER.sub(cell, template)


def _column(letters: str) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - ord("A") + 1
    return index - 1


def _rows_with_numbers(body: Fields, rows: Sequence[Row], *, name: str = "files") -> list[tuple[str, Row]]:
    numbered: list[tuple[str, Row]] = []
    errors = 0
    for index, row in enumerate(rows, 1):
        number = parse_number(row[0])
        if number is not None:
            numbered.append((number, row))
        elif errors < _MAX_ERRORS:
            errors += 1
            body.add_error(name, f"شماره ردیف {index} صحیح نمی باشد")
    return numbered


def _read(body: Fields, *, header: Row | None, max_rows: int, name: str = "files") -> list[Row]:
    """Return the rows of the uploaded file without its header; `header=None` rejects CSV files."""
    uploads = body.uploads(name)
    if not uploads:
        return []
    try:
        rows = list(islice(_rows(uploads[0], header), max_rows + 1))
    except (_UnreadableError, UnreadableWorkbookError):
        body.add_error(name, _UNSUPPORTED)
        return []
    if not rows:
        body.add_error(name, "فایل هیچ گیرنده ای ندارد")
    if len(rows) > max_rows:
        body.add_error(name, f"فایل نباید بیشتر از {max_rows} ردیف داشته باشد")
        return []
    return rows


class _UnreadableError(Exception):
    """The content of the file does not match its name, or its header is missing."""


def _rows(upload: Upload, header: Row | None) -> Iterator[Row]:
    name = upload.name.lower()
    if name.endswith(".xlsx"):
        sheet = read_rows(upload.content)
        first = next(sheet, None)
        # A first row without a digit in column A is a header.
        if first is not None and any(character.isdigit() for character in first[0]):
            yield first
        yield from sheet
    elif name.endswith(".csv") and header is not None:
        rows = _csv_rows(upload.content)
        if not rows or rows.pop(0) != header:
            raise _UnreadableError
        if any(len(row) != len(header) for row in rows):
            raise _UnreadableError
        yield from rows
    else:
        raise _UnreadableError


def _csv_rows(content: bytes) -> list[Row]:
    try:
        text = content.decode("utf-8-sig")
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if any(row)]
    except (UnicodeDecodeError, csv.Error):
        raise _UnreadableError from None
