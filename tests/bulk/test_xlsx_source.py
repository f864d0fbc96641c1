"""Rows of XLSX files: values of cells, sheets, row numbers, and workbooks that must not be opened."""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
import sys
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from ippanel_edge import ConfigurationError, InvalidArgument
from ippanel_edge.bulk import xlsx_guard
from ippanel_edge.bulk.sources import read_rows
from tests import workbooks
from tests.bulk.reading import collect, problem_of
from tests.workbooks import BOOK, SHEET, STRINGS, packed, parts, relations, saved, shared, sheet, strings, workbook

pytestmark = pytest.mark.anyio

RELATIONS = "xl/_rels/workbook.xml.rels"


async def rows_of(content: bytes, columns: Any = (), **options: Any) -> Any:
    return await collect(read_rows(io.BytesIO(content), **options), columns)


async def test_numbers_are_read_without_a_fraction() -> None:
    content = saved(["mobile", "code", "price"], [9123456789, 12345678901234, 0.5], [989123456789, 3, 2.0])
    assert await rows_of(content, ["code", "price"]) == [
        (2, "9123456789", ("12345678901234", "0.5")),
        (3, "989123456789", ("3", "2")),
    ]


async def test_other_values_are_read_as_text() -> None:
    values = [True, dt.date(2026, 1, 2), dt.datetime(2026, 1, 2, 3, 4), dt.time(5, 6), None]  # noqa: DTZ001 - as cells
    names = ["a", "b", "c", "d", "e"]
    content = saved(["mobile", *names], ["۰۹۱۲", *values])
    assert await rows_of(content, names) == [
        (2, "۰۹۱۲", ("TRUE", "2026-01-02", "2026-01-02T03:04:00", "05:06:00", "")),
    ]


async def test_a_row_with_an_error_of_a_formula_is_a_problem() -> None:
    book = Workbook()
    book.create_chartsheet("chart")
    active: Any = book.create_sheet("second")
    rows = [["mobile", "a", "b"], ["0912", "#N/A", "x"], ["#REF!", "y", "z"], ["0935", "y", "#DIV/0!"], ["#N/A"]]
    for line, row in enumerate(rows, 3):
        for column, value in enumerate(row, 2):
            active.cell(line, column, value)
    file = io.BytesIO()
    book.save(file)
    error = "column {!r} holds an error of a formula, such as #N/A; correct it in the workbook"
    assert await rows_of(file.getvalue(), ["a"], sheet="second") == [
        (4, "0912", error.format("a")),
        (5, "", error.format("mobile")),
        (6, "0935", ("y",)),
        (7, "", error.format("mobile")),
    ]


NO_VALUE = (
    "column {!r} holds a formula without a value; open the workbook in Excel and save it, or replace the formulas by "
    "their values"
)


async def test_a_row_with_a_formula_without_a_value_is_a_problem() -> None:
    content = saved(
        ["mobile", "code", "other"],
        ['="0912"&"1234567"', 1, None],
        ["09121234568", "=RAND()", None],
        ["09121234569", 3, "=RAND()"],
        ["=A2", "=B2", None],
        ["=A3", None, None],
    )
    assert await rows_of(content, ["code"]) == [
        (2, "", NO_VALUE.format("mobile")),
        (3, "09121234568", NO_VALUE.format("code")),
        (4, "09121234569", ("3",)),
        (5, "", NO_VALUE.format("mobile")),
        (6, "", NO_VALUE.format("mobile")),
    ]


async def test_a_sheet_of_formulas_without_values_is_not_empty() -> None:
    content = saved(["mobile"], *[[f'="091212345{index:02}"'] for index in range(5)])
    assert await rows_of(content) == [(line, "", NO_VALUE.format("mobile")) for line in range(2, 7)]
    (argument, text) = await problem_of(read_rows(io.BytesIO(saved(['="09121234567"']))))
    assert argument == "source"
    assert "its cells hold formulas without values; open it in Excel and save it" in text


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('<c r="B2"><f>1+1</f><v>2</v></c>', ("2",)),
        ('<c r="B2"><f t="shared" si="0"/><v>2</v></c>', ("2",)),
        ('<c r="B2" t="str"><f>A1</f><v>x</v></c>', ("x",)),
        ('<c r="B2" t="str"><f>IF(1,"","")</f><v></v></c>', ("",)),
        ('<c r="B2"><f>1+1</f></c>', NO_VALUE.format("code")),
        ('<c r="B2"><f>1+1</f><v/></c>', NO_VALUE.format("code")),
        ('<c r="B2" s="1"><f t="shared" si="0"/><v></v></c>', NO_VALUE.format("code")),
        ('<c r="B2"><f t="array" ref="B2">{1}</f>\n<v />\n</c>', NO_VALUE.format("code")),
    ],
)
@pytest.mark.parametrize("padding", [0, 1])
async def test_a_formula_has_the_value_that_is_stored_with_it(cell: str, value: object, padding: int) -> None:
    rows = ["<c r='A1' t='inlineStr'><is><t>mobile</t></is></c><c r='B1' t='inlineStr'><is><t>code</t></is></c>"]
    rows.append(f"<c r='A2' t='inlineStr'><is><t>0912</t></is></c>{cell}")
    content = sheet(*rows)
    if padding:  # so that a chunk of 1 MiB ends within the cell
        start = content.index(cell)
        content = f"{content[:start]}{' ' * (1024 * 1024 - start - 20)}{content[start:]}"
    assert await rows_of(packed({**parts(), SHEET: content}), ["code"]) == [(2, "0912", value)]


@pytest.mark.parametrize("make", [workbook, shared, saved])
async def test_inline_and_shared_strings_are_read(make: Any) -> None:
    content = make(["موبایل", "متن"], ["09121234567", "سلام & <b>\nخط"], ["09351234567", "a  b"])
    assert await rows_of(content, None) == [
        (2, "09121234567", ("سلام & <b>\nخط",)),
        (3, "09351234567", ("a  b",)),
    ]


async def test_row_numbers_are_those_that_excel_shows() -> None:
    book = Workbook()
    active: Any = book.active
    for place, value in {"C4": "mobile", "D4": "name", "C6": 9121234567, "D6": "a", "D9": "b", "C5000": "0935"}.items():
        active[place] = value
    file = io.BytesIO()
    book.save(file)
    assert await rows_of(file.getvalue(), ["name"]) == [
        (6, "9121234567", ("a",)),
        (9, "", ("b",)),
        (5000, "0935", ("",)),
    ]


async def test_a_sheet_without_a_header_has_the_letters_of_its_columns() -> None:
    book = Workbook()
    active: Any = book.active
    active["B2"], active["C2"], active["C3"] = 9121234567, "a", "b"
    file = io.BytesIO()
    book.save(file)
    assert await rows_of(file.getvalue(), ["C"]) == [(2, "9121234567", ("a",)), (3, "", ("b",))]


def with_sheets() -> bytes:
    book = Workbook()
    hidden: Any = book.active
    hidden.title, hidden.sheet_state = "hidden", "hidden"
    book.create_chartsheet("chart")
    for title in ("first", "مشتریان"):
        added: Any = book.create_sheet(title)
        added.append(["mobile", "name"])
        added.append(["09121234567", title])
    hidden.append(["mobile", "name"])
    hidden.append(["09121234567", "hidden"])
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("option", "name"),
    [({}, "first"), ({"sheet": "مشتریان"}, "مشتریان"), ({"sheet": 0}, "hidden"), ({"sheet": 3}, "مشتریان")],
)
async def test_the_first_visible_sheet_is_read_or_the_one_that_is_named(option: Any, name: str) -> None:
    assert await rows_of(with_sheets(), ["name"], **option) == [(2, "09121234567", (name,))]


@pytest.mark.parametrize("sheet_name", ["none", 9, -1])
async def test_a_missing_sheet_is_an_error_that_lists_the_sheets(sheet_name: Any) -> None:
    argument, text = await problem_of(read_rows(io.BytesIO(with_sheets()), sheet=sheet_name))
    assert argument == "sheet"
    assert f"no sheet {sheet_name!r}; the sheets are 0: 'hidden', 1: 'chart', 2: 'first'" in text


async def test_a_missing_column_is_an_error_before_the_first_row(tmp_path: Path) -> None:
    path = tmp_path / "customers.xlsx"
    path.write_bytes(saved(["mobile", "name"], ["0912", "a"]))
    argument, text = await problem_of(read_rows(path), ["city"])
    assert argument == "columns"
    assert "customers.xlsx: no column is named 'city'; the columns are 'mobile', 'name'" in text


@pytest.mark.parametrize("suffix", [".xlsx", ".XLSX"])
async def test_a_file_is_read_from_its_path_in_batches(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"customers{suffix}"
    path.write_bytes(saved(["mobile"], *[[9120000000 + n] for n in range(10_000)]))
    sizes = [len(batch) async for batch in read_rows(path).batches(())]
    assert sum(sizes) == 10_000
    assert max(sizes) < 5_000
    assert [row[:2] for row in await collect(read_rows(path))] == [(n + 2, str(9120000000 + n)) for n in range(10_000)]


async def test_an_empty_sheet_is_an_error() -> None:
    for content in (saved(), saved([" "]), workbook()):
        assert "is empty" in (await problem_of(read_rows(io.BytesIO(content))))[1]


async def test_a_missing_extra_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    rows = read_rows(io.BytesIO(saved(["mobile"])))
    with pytest.raises(ConfigurationError, match=re.escape("run pip install 'ippanel-edge[excel]'")):
        await collect(rows)


FAR = {
    "a cell in the last row and column": sheet('<c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c>'),
    "a cell in a lower-case column": sheet('<c r="A1"><v>1</v></c><c r="xfd1048576"><v>1</v></c>'),
    "single quotes and spaces": sheet("<c r = 'XFD1048576'><v>1</v></c>"),
    "a row beyond the format": sheet('<c r="A1"><v>1</v></c><c r="Z4000000000"><v>1</v></c>'),
    "columns without places": sheet("<c><v>1</v></c>" * 50_000, *["<c><v>1</v></c>"] * 1_000),
}


@pytest.mark.parametrize("case", FAR)
async def test_a_workbook_with_too_many_places_is_rejected_before_it_is_opened(case: str) -> None:
    argument, text = await problem_of(read_rows(io.BytesIO(packed({**parts(), SHEET: FAR[case]}))))
    assert argument == "source"
    assert "places between its first and its last cell; delete what is far from the table" in text


async def test_a_wide_and_a_long_table_are_read() -> None:
    wide = saved(["mobile", *[f"c{n}" for n in range(800)]], ["0912", *range(800)])
    assert await rows_of(wide, ["c799"]) == [(2, "0912", ("799",))]
    far = packed({**parts(), SHEET: sheet('<c r="A1" t="str"><v>mobile</v></c>', '<c r="A1048576"><v>9</v></c>')})
    assert await rows_of(far) == [(1_048_576, "9", ())]


def book_of_strings(*items: str, rows: list[str]) -> dict[str, str]:
    related = relations(("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"))
    return {**parts(), RELATIONS: related, STRINGS: strings(*items), SHEET: sheet(*rows)}


LONG = f"<t>{'x' * 30_000}</t>"


async def test_a_long_shared_string_in_too_many_cells_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_guard, "MAX_TEXT", 2_000_000)
    many = book_of_strings("<t>mobile</t>", LONG, rows=['<c t="s"><v>1</v></c>'] * 100)
    assert "too large" in (await problem_of(read_rows(io.BytesIO(packed(many)))))[1]
    hidden = {**many, SHEET: many[SHEET].replace("<v>", "<x/><v>")}
    assert "too large" in (await problem_of(read_rows(io.BytesIO(packed(hidden)))))[1]
    short = {**many, SHEET: many[SHEET].replace("<v>1<", "<v>0<")}
    assert len(await rows_of(packed(short))) == 99


def encrypted() -> bytes:
    return b"\xd0\xcf\x11\xe0" + bytes(600)


def duplicated() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in parts(["mobile"]).items():
            archive.writestr(name, content)
        archive.writestr(SHEET.upper(), sheet())
    return file.getvalue()


def with_false_size() -> bytes:
    """Return a workbook whose directory says that a document has 10 bytes."""
    content = bytearray(packed({**parts(["mobile"]), "xl/other.xml": "x" * 100_000}))
    entry = content.rfind(b"xl/other.xml") - 46
    assert content[entry : entry + 4] == b"PK\x01\x02"
    struct.pack_into("<L", content, entry + 16, zlib.crc32(b"x" * 10))
    struct.pack_into("<L", content, entry + 24, 10)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.read("xl/other.xml") == b"x" * 10
    return bytes(content)


def changed(**members: str) -> bytes:
    names = {"sheet": SHEET, "book": BOOK, "relations": RELATIONS}
    return packed({**parts(["mobile"]), **{names[name]: content for name, content in members.items()}})


DAMAGED: Mapping[str, tuple[bytes, str]] = {
    "text": (b"mobile\n0912\n", "got another format"),
    "an old workbook": (encrypted(), "got an .xls file or an encrypted workbook"),
    "a cut file": (saved(["mobile"])[:-30], "damaged or not a workbook"),
    "a false size": (with_false_size(), "damaged or not a workbook"),
    "another archive": (packed({"a.txt": "x"}), "got another zip file"),
    "two members of a name": (duplicated(), "two files of the same name"),
    "a comment": (changed(sheet=sheet("<!-- x -->")), "XML that Excel does not write"),
    "a DOCTYPE": (changed(sheet='<!DOCTYPE x [<!ENTITY a "b">]>' + sheet()), "XML that Excel does not write"),
    "a sheet among images": (
        changed(relations=relations(("worksheet", "media/image1.xml"))),
        "got another zip file",
    ),
    "a long tag": (changed(sheet=sheet(f'<c x="{"y" * 3_000_000}"/>')), "too large"),
    "invalid XML": (changed(sheet="<worksheet><sheetData><row><c><v>1</row>"), "cannot be read|empty"),
}


@pytest.mark.parametrize("case", DAMAGED)
async def test_a_damaged_workbook_is_rejected(tmp_path: Path, case: str) -> None:
    content, problem = DAMAGED[case]
    path = tmp_path / "customers.xlsx"
    path.write_bytes(content)
    argument, text = await problem_of(read_rows(path))
    assert argument == "source"
    assert "customers.xlsx: " in text
    assert re.search(problem, text)


async def test_a_workbook_that_is_too_large_when_unpacked_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_guard, "MAX_UNPACKED", 3_000)
    content = packed({**parts(["mobile"]), "xl/other.xml": "x" * 10_000})
    with pytest.raises(InvalidArgument, match="the unpacked workbook is too large; split it, or save it as CSV"):
        await rows_of(content)


async def test_prefixes_of_elements_are_read() -> None:
    plain = saved(["mobile"], ["0912"])
    members: dict[str, str] = {}
    with zipfile.ZipFile(io.BytesIO(plain)) as archive:
        for name in archive.namelist():
            text = archive.read(name).decode()
            if name == SHEET:
                text = re.sub(r"<(/?)(\w)", r"<\1x:\2", text).replace("xmlns=", "xmlns:x=")
            members[name] = text
    assert workbooks.SHEET in members
    assert await rows_of(packed(members)) == [(2, "0912", ())]
