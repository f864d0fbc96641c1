"""The cells of an XLSX sheet that python-calamine returns as if they were empty: errors, and formulas without a value.

Excel stores the value of a formula with it. A program that cannot calculate, such as openpyxl, writes none.
"""

from __future__ import annotations

import posixpath
import re
from array import array
from typing import BinaryIO, Final, TypeAlias
from xml.etree import ElementTree as ET
from zipfile import ZipFile

from ippanel_edge.bulk.xlsx_guard import column_number, document_chunks
from ippanel_edge.errors import InvalidArgument

Problems: TypeAlias = dict[tuple[int, str], "array[int]"]
"""The numbers of the rows by column, from 1, and problem of the cell."""

_BOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_MAX_PROBLEMS: Final = 2_000_000
_HOLDS_ERROR: Final = "holds an error of a formula, such as #N/A; correct it in the workbook"
_NO_VALUE: Final = (
    "holds a formula without a value; open the workbook in Excel and save it, or replace the formulas by their values"
)
_ERROR: Final = re.compile(rb"""<(?:\w+:)?c\b([^<>]*\st\s*=\s*["']e["'][^<>]*)>""")
_PLACE: Final = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]+)([0-9]+)["']""")
_UNCALCULATED: Final = re.compile(
    rb"""<(?:\w+:)?c\b([^<>]*)>\s*"""
    rb"""<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>[^<>]*</(?:\w+:)?f\s*>)\s*"""
    rb"""(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*>\s*</(?:\w+:)?v\s*>)?\s*</(?:\w+:)?c\s*>"""
)
"""A cell with a formula whose value is missing or empty."""
_IS_TEXT: Final = re.compile(rb"""\st\s*=\s*["']str["']""")
"""The value of the formula is a text, which may be empty."""
_CELL: Final = re.compile(rb"<(?:\w+:)?c[\s>]")
_MAX_FORMULA: Final = 64 * 1024
"""The maximum number of bytes of a cell with a formula, which has at most 8,192 characters."""


def empty_cells(stream: BinaryIO, sheet: int, *, name: str) -> Problems:
    """Return the cells of a sheet that only look empty.

    Args:
        stream: a workbook that `check_workbook` has accepted.
        sheet: the index of the sheet, from 0.
        name: the name of the file, for errors.

    Raises:
        InvalidArgument: there are more than 2,000,000.
    """
    found: Problems = {}
    with ZipFile(stream) as archive:
        members = {member.filename.casefold(): member for member in archive.infolist()}
        path = _sheet_paths(archive.read(members[_BOOK]), archive.read(members[_RELATIONS]))[sheet]
        rest = b""
        for chunk in document_chunks(archive, members[path.casefold()]):
            errors = _ERROR.findall(chunk)
            text = rest + chunk
            uncalculated = [each for each in _UNCALCULATED.findall(text) if not _IS_TEXT.search(each)]
            rest = _last_cell(text)
            for problem, cells in ((_HOLDS_ERROR, errors), (_NO_VALUE, uncalculated)):
                for attributes in cells:
                    if place := _PLACE.search(attributes):
                        column = column_number(place[1])
                        found.setdefault((column, problem), array("L")).append(int(place[2][:9]))
            if sum(map(len, found.values())) > _MAX_PROBLEMS:
                raise InvalidArgument(
                    f"{name}: more than {_MAX_PROBLEMS:,} cells hold an error such as #N/A, or a formula without a "
                    "value; correct them in Excel and save the workbook",
                    argument="source",
                )
    return found


def _last_cell(text: bytes) -> bytes:
    """Return the text from the last start tag of a cell, because the rest of the cell may follow."""
    tail = text[-_MAX_FORMULA:]
    starts = [found.start() for found in _CELL.finditer(tail)]
    return tail[starts[-1] :] if starts and not _UNCALCULATED.match(tail, starts[-1]) else b""


def _sheet_paths(book: bytes, relations: bytes) -> list[str]:
    """Return the paths of the sheets in the archive, in their order."""
    # `check_workbook` has rejected every DOCTYPE, so there are no entities to expand.
    targets = {each.get("Id"): each.get("Target", "") for each in ET.fromstring(relations)}  # noqa: S314 - see above
    sheets = (each for each in ET.fromstring(book).iter() if each.tag.rpartition("}")[2] == "sheet")  # noqa: S314 - see above
    ids = (next((value for key, value in each.items() if key.endswith("}id")), None) for each in sheets)
    return [posixpath.normpath(posixpath.join("/xl", targets.get(each, ""))).lstrip("/") for each in ids]
