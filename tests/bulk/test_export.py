"""Exports of a campaign, as a spreadsheet reads them."""

from __future__ import annotations

import csv
import re
import stat
import sys
import threading
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from openpyxl import load_workbook

from ippanel_edge import ConfigurationError, InvalidArgument
from ippanel_edge.bulk import export
from ippanel_edge.bulk.export import COLUMNS, export_report
from ippanel_edge.bulk.records import BadRow, ReportRow, State
from tests.bulk.reading import written

pytestmark = pytest.mark.anyio

T = TypeVar("T")


def row_of(source: str, line: int, recipient: str, content: str | None, state: State, **others: Any) -> ReportRow:
    return ReportRow(source=source, line=line, recipient=recipient, content=content, state=state, **others)


ROWS = [
    row_of("a.csv", 2, "+989121234567", None, State.SENT, message_outbox_id=12345678901, delivery="delivered"),
    row_of("a.csv", 3, "+989351234567", "متن، «او»\nخط", State.REJECTED, error="=1+1"),
    row_of("a.csv", 5, "+989361234567", "@SUM(A1)", State.UNKNOWN, delivery="99"),
]
BAD_ROWS = [BadRow("a.csv", 4, '-2+3+cmd|" /C calc"!A0', "not a mobile number")]
EXPECTED = [
    list(COLUMNS),
    ["a.csv", "2", "+989121234567", "سلام", "sent", "12345678901", "delivered", ""],
    ["a.csv", "3", "+989351234567", "متن، «او»\nخط", "rejected", "", "", "=1+1"],
    ["a.csv", "5", "+989361234567", "@SUM(A1)", "unknown", "", "99", ""],
    ["a.csv", "4", '-2+3+cmd|" /C calc"!A0', "", "set_aside", "", "", "not a mobile number"],
]


async def each(items: Iterable[T]) -> AsyncIterator[T]:
    for item in items:
        yield item


async def export_all(path: Path, rows: Iterable[ReportRow] = (), **options: Any) -> int:
    return await export_report(path, each(rows or ROWS), each([] if rows else BAD_ROWS), message="سلام", **options)


def files_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


def read_csv(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def read_xlsx(path: Path) -> list[list[list[str]]]:
    book = load_workbook(path)
    cells = [cell for sheet in book.worksheets for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells if cell.value is not None} == {"s"}
    return [
        [[str(cell or "") for cell in row] for row in sheet.iter_rows(values_only=True)] for sheet in book.worksheets
    ]


async def test_csv_has_all_rows_and_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    assert await export_all(path) == 4
    assert path.read_bytes().startswith(b"\xef\xbb\xbfsource,line,")
    expected = [[f"'{cell}" if cell[:1] in "=@-" and cell else cell for cell in row] for row in EXPECTED]
    assert read_csv(path) == expected
    assert expected[2][-1] == "'=1+1"


async def test_xlsx_has_all_rows_as_texts(tmp_path: Path) -> None:
    path = tmp_path / "report.xlsx"
    assert await export_all(path) == 4
    assert read_xlsx(path) == [EXPECTED]


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        *[(f"{first}1", "'") for first in ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋")],  # noqa: RUF001 - full-width
        ("+989121234567", ""),
        ("+9891212345678901", "'"),
        ("+98912=1", "'"),
        ("a=1", ""),
        ("", ""),
    ],
)
async def test_a_text_that_could_be_a_formula_begins_with_an_apostrophe(tmp_path: Path, text: str, prefix: str) -> None:
    path = tmp_path / "report.csv"
    await export_all(path, [row_of(text or "a", 1, "+989121234567", text, State.PENDING)])
    row = read_csv(path)[1]
    assert row[3] == prefix + text
    assert row[2] == "+989121234567"


async def test_more_rows_than_a_sheet_holds_go_to_further_sheets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_SHEET_ROWS", 4)
    path = tmp_path / "report.xlsx"
    rows = [row_of("a", n, "+989121234567", str(n), State.SENT) for n in range(1, 8)]
    assert await export_all(path, rows) == 7
    sheets = read_xlsx(path)
    assert [len(sheet) for sheet in sheets] == [4, 4, 2]
    assert all(sheet[0] == list(COLUMNS) for sheet in sheets)
    assert [row[1] for sheet in sheets for row in sheet[1:]] == [str(n) for n in range(1, 8)]


async def test_many_rows_that_were_set_aside_are_written(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"
    bad_rows = [BadRow("a.csv", line, "0912", "too short") for line in range(2, 5_002)]
    assert await export_report(path, each(ROWS), each(bad_rows), message="a") == 5_003
    rows = read_csv(path)
    assert [row[1] for row in rows[4:]] == [str(bad.line) for bad in bad_rows]
    assert {row[4] for row in rows[4:]} == {"set_aside"}


@pytest.mark.parametrize("name", ["report.csv", "report.xlsx"])
async def test_an_export_without_rows_has_a_header(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    nothing: list[Any] = []
    assert await export_report(path, each(nothing), each(nothing), message=None) == 0
    assert (read_csv(path) if name.endswith("csv") else read_xlsx(path)[0]) == [list(COLUMNS)]


@pytest.mark.parametrize("name", ["report.csv", "report.XLSX"])
async def test_only_the_owner_may_read_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    await export_all(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert files_in(tmp_path) == [path]


@pytest.mark.parametrize("name", ["report.csv", "report.xlsx"])
async def test_a_file_that_exists_is_replaced_only_if_it_is_allowed(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("mine")
    with pytest.raises(InvalidArgument, match="exists; pass overwrite=True") as caught:
        await export_all(path)
    assert caught.value.argument == "path"
    assert path.read_text() == "mine"
    assert await export_all(path, overwrite=True) == 4
    assert path.stat().st_size > 100


@pytest.mark.parametrize("name", ["report.csv", "report.xlsx"])
async def test_an_error_leaves_no_file(tmp_path: Path, name: str) -> None:
    async def broken() -> AsyncIterator[ReportRow]:
        for _ in range(5_000):
            yield ROWS[0]
        raise OSError("disk")

    path = tmp_path / name
    path.write_text("before")
    with pytest.raises(OSError, match="disk"):
        await export_report(path, broken(), each(BAD_ROWS), message="a", overwrite=True)
    assert path.read_text() == "before"
    assert files_in(tmp_path) == [path]


async def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "report.csv"

    async def rows() -> AsyncIterator[ReportRow]:
        written(path, "mine")
        yield ROWS[0]

    with pytest.raises(InvalidArgument, match="exists"):
        await export_report(path, rows(), each(BAD_ROWS), message=None)
    assert path.read_text() == "mine"


@pytest.mark.parametrize(("name", "problem"), [("a.xls", "ends in .csv or .xlsx"), ("none/a.csv", "No such file")])
async def test_an_invalid_path_is_rejected(tmp_path: Path, name: str, problem: str) -> None:
    with pytest.raises(InvalidArgument, match=problem) as caught:
        await export_all(tmp_path / name)
    assert caught.value.argument == "path"


async def test_a_missing_extra_is_an_error_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(ConfigurationError, match=re.escape("run pip install 'ippanel-edge[excel]'")):
        await export_all(tmp_path / "a.xlsx")
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("name", ["report.csv", "report.xlsx"])
async def test_texts_that_a_file_cannot_hold_do_not_end_the_export(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    texts = ["a\ud800", "b" * 40_000, "c\x00\x07"]
    assert await export_all(path, [row_of("a", 1, "+989121234567", text, State.SENT) for text in texts]) == 3
    rows = read_csv(path) if name.endswith("csv") else read_xlsx(path)[0]
    assert rows[1][3] == "a\\ud800"
    assert rows[2][3].startswith("b" * 32_000)
    assert len(rows) == 4


async def test_files_are_written_in_another_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    threads: set[threading.Thread] = set()
    real = export._CsvWriter.write

    def write(self: Any, rows: Any) -> None:
        threads.add(threading.current_thread())
        real(self, rows)

    monkeypatch.setattr(export._CsvWriter, "write", write)
    assert await export_all(tmp_path / "a.csv", ROWS * 2_000) == 6_000
    assert threads
    assert threading.current_thread() not in threads
