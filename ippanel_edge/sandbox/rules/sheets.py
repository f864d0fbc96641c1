"""Reading files of numbers, CSV and XLSX, with texts and values. What is done with them is not in here."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING, Final
from zipfile import BadZipFile

from ippanel_edge.sandbox.replies import label, not_valid_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ippanel_edge.sandbox.bodies import Fields, Upload

MOST_ROWS: Final = 1_000_000
MOST_PEER_ROWS: Final = 10_000
_SHOWN_ERRORS: Final = 10

_IN_FILE = re.compile(r"(?:\+98|0|)(9[0-9]{9})")
_EX = re.compile(r"\{ex_([A-Z]{1,2})\}")

Row = list[str]


def number_in_file(cell: str) -> str | None:
    """Read a number as files may have it, 0912… or +98912… (or 912…, as Excel leaves it), as E.164; else None."""
    match = _IN_FILE.fullmatch(cell.strip())
    return f"+98{match[1]}" if match else None


def read_numbers(body: Fields) -> list[str]:
    """Read the numbers of a `file` send: a CSV with the header phone_number, or the XLSX's column A."""
    rows = _read(body, header=["phone_number"], most=MOST_ROWS)
    return [number for number, _ in _numbered(body, rows)]


def read_messages(body: Fields) -> list[tuple[str, str]]:
    """Read number and message of each row: a CSV with the header recipient,message, or the XLSX's A and B."""
    rows = _read(body, header=["recipient", "message"], most=MOST_PEER_ROWS)
    pairs: list[tuple[str, str]] = []
    for number, row in _numbered(body, rows):
        text = row[1] if len(row) > 1 else ""
        if not text.strip():
            body.fail("files", f"متن پیام {number} خالی است")
        pairs.append((number, text))
    return pairs


def read_values(body: Fields, template: str) -> list[tuple[str, str]]:
    """Read the XLSX of a `keyword` send: number in A; each text has its row's cells at {ex_A}, {ex_B}…."""
    rows = _read(body, header=None, most=MOST_ROWS)
    width = max(map(len, rows), default=0)
    for name in _EX.findall(template):
        if rows and _column(name) >= width:
            body.fail("message", f"ستون {name} در فایل وجود ندارد")
    return [(number, _fill(template, row)) for number, row in _numbered(body, rows)]


def read_members(body: Fields) -> list[tuple[str, Row]]:
    """Read the XLSX of an import into a phonebook, in the form field `file`: number in A, and the whole row."""
    return _numbered(body, _read(body, header=None, most=MOST_ROWS, name="file"), name="file")


def _fill(template: str, row: Row) -> str:
    def cell(match: re.Match[str]) -> str:
        place = _column(match[1])
        return row[place] if place < len(row) else ""

    return _EX.sub(cell, template)


def _column(letters: str) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _numbered(body: Fields, rows: Sequence[Row], *, name: str = "files") -> list[tuple[str, Row]]:
    found: list[tuple[str, Row]] = []
    bad = 0
    for place, row in enumerate(rows, 1):
        number = number_in_file(row[0])
        if number is not None:
            found.append((number, row))
        elif bad < _SHOWN_ERRORS:
            bad += 1
            body.fail(name, f"شماره ردیف {place} صحیح نمی باشد")
    return found


def _read(body: Fields, *, header: Row | None, most: int, name: str = "files") -> list[Row]:
    """Read the one file's rows without its header; a CSV is refused where no header is documented for it."""
    uploads = body.uploads(name)
    if not uploads:
        return []
    try:
        rows = list(_rows(uploads[0], header))
    except _UnreadableError:
        body.fail(name, not_valid_text(label(name)))
        return []
    if not rows:
        body.fail(name, "فایل هیچ گیرنده ای ندارد")
    if len(rows) > most:
        body.fail(name, f"فایل نباید بیشتر از {most} ردیف داشته باشد")
        return []
    return rows


class _UnreadableError(Exception):
    """The file is not what its name says, or lacks its header."""


def _rows(upload: Upload, header: Row | None) -> Iterator[Row]:
    name = upload.name.lower()
    if name.endswith(".xlsx"):
        rows = _xlsx_rows(upload.content)
        # A first row without a single digit in column A is a heading.
        if rows and not any(character.isdigit() for character in rows[0][0]):
            del rows[0]
    elif name.endswith(".csv") and header is not None:
        rows = _csv_rows(upload.content)
        if not rows or rows.pop(0) != header:
            raise _UnreadableError
        if any(len(row) != len(header) for row in rows):
            raise _UnreadableError
    else:
        raise _UnreadableError
    yield from rows


def _csv_rows(content: bytes) -> list[Row]:
    try:
        text = content.decode("utf-8-sig")
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if any(row)]
    except (UnicodeDecodeError, csv.Error):
        raise _UnreadableError from None


def _xlsx_rows(content: bytes) -> list[Row]:
    from openpyxl import load_workbook  # noqa: PLC0415 - slow to import, and few sends need it

    try:
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (BadZipFile, KeyError, ValueError, OSError):
        raise _UnreadableError from None
    try:
        sheet = workbook.worksheets[0]
        rows = [[_cell(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    finally:
        workbook.close()
    return [row for row in rows if any(row)]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
