"""The cells of an XLSX sheet that hold an error such as #N/A, which python-calamine returns as if they were empty."""

from __future__ import annotations

import posixpath
import re
from typing import BinaryIO, Final
from xml.etree import ElementTree as ET
from zipfile import ZipFile

from ippanel_edge.bulk.xlsx_guard import column_number, document_chunks
from ippanel_edge.errors import InvalidArgument

_BOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
_MAX_ERRORS: Final = 100_000
_ERROR: Final = re.compile(rb"""<(?:\w+:)?c\b([^<>]*\st\s*=\s*["']e["'][^<>]*)>""")
_PLACE: Final = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]+)([0-9]+)["']""")


def error_cells(stream: BinaryIO, sheet: int, *, name: str) -> dict[int, set[int]]:
    """Return the columns with an error, from 1, by row number.

    Args:
        stream: a workbook that `check_workbook` has accepted.
        sheet: the index of the sheet, from 0.
        name: the name of the file, for errors.

    Raises:
        InvalidArgument: there are more than 100,000.
    """
    found: dict[int, set[int]] = {}
    count = 0
    with ZipFile(stream) as archive:
        members = {member.filename.casefold(): member for member in archive.infolist()}
        path = _sheet_paths(archive.read(members[_BOOK]), archive.read(members[_RELATIONS]))[sheet]
        for chunk in document_chunks(archive, members[path.casefold()]):
            for attributes in _ERROR.findall(chunk):
                place = _PLACE.search(attributes)
                if place is not None:
                    found.setdefault(int(place[2]), set()).add(column_number(place[1]))
                    count += 1
            if count > _MAX_ERRORS:
                raise InvalidArgument(
                    f"{name}: more than {_MAX_ERRORS:,} cells hold an error such as #N/A; correct the formulas",
                    argument="source",
                )
    return found


def _sheet_paths(book: bytes, relations: bytes) -> list[str]:
    """Return the paths of the sheets in the archive, in their order."""
    # `check_workbook` has rejected every DOCTYPE, so there are no entities to expand.
    targets = {each.get("Id"): each.get("Target", "") for each in ET.fromstring(relations)}  # noqa: S314 - see above
    sheets = (each for each in ET.fromstring(book).iter() if each.tag.rpartition("}")[2] == "sheet")  # noqa: S314 - see above
    ids = (next((value for key, value in each.items() if key.endswith("}id")), None) for each in sheets)
    return [posixpath.normpath(posixpath.join("/xl", targets.get(each, ""))).lstrip("/") for each in ids]
