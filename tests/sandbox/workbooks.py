"""XLSX files written part by part, so that a test can damage any of them."""

from __future__ import annotations

from typing import Final

from tests.workbooks import BOOK, SHEET, STRINGS, packed, relations, strings

_MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

RELATIONS: Final = "_rels/.rels"
BOOK_RELATIONS: Final = "xl/_rels/workbook.xml.rels"
STYLES: Final = "xl/styles.xml"


def sheet(rows: str, *, before: str = "") -> str:
    """Return a worksheet with these `row` elements."""
    return f'<worksheet xmlns="{_MAIN}">{before}<sheetData>{rows}</sheetData></worksheet>'


def cells(*values: str) -> str:
    """Return a row of text cells."""
    return "<row>" + "".join(f'<c t="inlineStr"><is><t>{value}</t></is></c>' for value in values) + "</row>"


def styles(*format_codes: str) -> str:
    """Return the part of the styles: style 0 is general, and each further style has one of the formats."""
    formats = "".join(f'<numFmt numFmtId="{200 + i}" formatCode="{code}"/>' for i, code in enumerate(format_codes))
    cell_styles = "".join(f'<xf numFmtId="{200 + i}"/>' for i in range(len(format_codes)))
    return (
        f'<styleSheet xmlns="{_MAIN}"><numFmts>{formats}</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        f'<cellXfs><xf numFmtId="0"/>{cell_styles}</cellXfs></styleSheet>'
    )


def workbook_part(properties: str = "") -> str:
    """Return the workbook part, which names one worksheet."""
    sheets = '<sheets><sheet name="a" r:id="rId1"/></sheets>'
    return f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">{properties}{sheets}</workbook>'


def workbook(rows: str = cells("09121234567"), **changes: str | bytes | None) -> bytes:
    """Return a workbook with one worksheet; a keyword argument replaces a part by its constant, None removes it."""
    parts: dict[str, str | bytes] = {
        RELATIONS: relations(("officeDocument", BOOK)),
        BOOK: workbook_part(),
        BOOK_RELATIONS: relations(
            ("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"), ("styles", "/xl/styles.xml")
        ),
        SHEET: sheet(rows),
        STRINGS: strings(),
        STYLES: styles(),
    }
    for constant, content in changes.items():
        if content is None:
            del parts[globals()[constant]]
        else:
            parts[globals()[constant]] = content
    return packed(parts)
