"""Creates small XLSX files for tests, part by part, so that a test can damage each part."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

from openpyxl import Workbook

_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

SHEET: Final = "xl/worksheets/sheet1.xml"
STRINGS: Final = "xl/sharedStrings.xml"
BOOK: Final = "xl/workbook.xml"


def relations(*kinds: tuple[str, str]) -> str:
    """Return the relationships rId1, rId2, … to documents, as (kind, target)."""
    items = (
        f'<Relationship Id="rId{index}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for index, (kind, target) in enumerate(kinds, 1)
    )
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<?xml version="1.0"?><Relationships xmlns="{package}">{"".join(items)}</Relationships>'


def sheet(*rows: str) -> str:
    """Return a worksheet of rows, each the XML of its cells."""
    content = "".join(f'<row r="{number}">{cells}</row>' for number, cells in enumerate(rows, 1))
    return f'<?xml version="1.0"?><worksheet xmlns="{_MAIN}"><sheetData>{content}</sheetData></worksheet>'


def strings(*items: str) -> str:
    """Return shared strings, each the XML of an item."""
    return f'<?xml version="1.0"?><sst xmlns="{_MAIN}">{"".join(f"<si>{item}</si>" for item in items)}</sst>'


def book(*sheets: str) -> str:
    """Return a workbook of sheets with the relationship ids."""
    items = "".join(f'<sheet name="s{each}" sheetId="1" r:id="{each}"/>' for each in sheets)
    return f'<?xml version="1.0"?><workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{items}</sheets></workbook>'


def parts(*rows: list[str]) -> dict[str, str]:
    """Return the parts of a workbook whose cells are inline strings, by name."""
    cells = ("".join(f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>' for cell in row) for row in rows)
    return {
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
        "xl/_rels/workbook.xml.rels": relations(("worksheet", "worksheets/sheet1.xml")),
        BOOK: book("rId1"),
        SHEET: sheet(*cells),
    }


def shared(*rows: list[str]) -> bytes:
    """Return an XLSX file whose cells refer to shared strings, as Excel writes it."""
    items: list[str] = []
    lines: list[str] = []
    for row in rows:
        lines.append("".join(f'<c t="s"><v>{len(items) + index}</v></c>' for index in range(len(row))))
        items += (f"<t>{escape(cell)}</t>" for cell in row)
    related = relations(("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"))
    members = {"xl/_rels/workbook.xml.rels": related, SHEET: sheet(*lines), STRINGS: strings(*items)}
    return packed({**parts(), **members})


def packed(members: Mapping[str, str | bytes]) -> bytes:
    """Return a zip archive of documents."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def workbook(*rows: list[str]) -> bytes:
    """Return an XLSX file."""
    return packed(parts(*rows))


def saved(*rows: list[Any]) -> bytes:
    """Return an XLSX file that openpyxl writes."""
    written = Workbook()
    active = written.active
    assert active is not None
    for row in rows:
        active.append(row)
    file = io.BytesIO()
    written.save(file)
    return file.getvalue()
