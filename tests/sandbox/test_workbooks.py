"""Uploaded XLSX files: their values, and damaged or hostile files, which cost bounded time and memory."""

from __future__ import annotations

import io
import random
import struct
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import load_workbook

from ippanel_edge.sandbox import workbooks
from ippanel_edge.sandbox.workbooks import UnreadableWorkbookError, read_rows
from tests.sandbox.caller import accepted, errors
from tests.sandbox.phonebooks import ONE
from tests.sandbox.workbooks import cells, sheet, styles, workbook, workbook_part
from tests.workbooks import packed, saved, strings

if TYPE_CHECKING:
    from tests.sandbox.caller import Caller

INVALID = "فرمت فایل پشتیبانی نمی‌شود"


def rows_of(content: bytes) -> list[list[str]]:
    return list(read_rows(content))


def is_rejected(content: bytes) -> bool:
    try:
        rows_of(content)
    except UnreadableWorkbookError:
        return True
    return False


class TestValues:
    def test_numbers_texts_booleans_and_errors_are_read_as_a_sheet_shows_them(self) -> None:
        row = (
            '<row r="3"><c r="A3"><v>9.121234567E9</v></c><c r="B3" t="n"><v>1.5</v></c><c r="D3" t="b"><v>1</v></c>'
            '<c r="E3" t="str"><f>A1</f><v>sum</v></c><c r="F3" t="e"><v>#N/A</v></c><c r="G3"/></row>'
        )
        assert rows_of(workbook(row)) == [["9121234567", "1.5", "", "True", "sum", "#N/A"]]

    def test_shared_strings_join_their_runs_without_phonetic_hints(self) -> None:
        table = strings("<t>0912</t>", "<r><t>Sa</t></r><r><t>ra</t></r><rPh><t>hint</t></rPh>")
        row = '<row><c t="s"><v>1</v></c><c t="s"><v>0</v></c></row>'
        assert rows_of(workbook(row, STRINGS=table)) == [["Sara", "0912"]]

    def test_a_number_with_a_date_format_is_a_date(self) -> None:
        row = '<row><c s="1"><v>45797</v></c><c s="2"><v>45797</v></c><c><v>45797</v></c></row>'
        content = workbook(row, STYLES=styles("yyyy\\-mm\\-dd", "0.00"))
        assert rows_of(content) == [["2025-05-20 00:00:00", "45797", "45797"]]

    @pytest.mark.parametrize(
        ("number", "from_1904", "expected"),
        [
            ("45797.75", False, "2025-05-20 18:00:00"),
            ("44335", True, "2025-05-20 00:00:00"),
            ("0.25", False, "06:00:00"),
            ("59", False, "1900-02-28 00:00:00"),
            ("61", False, "1900-03-01 00:00:00"),
        ],
    )
    def test_dates_have_times_and_two_calendars(self, number: str, from_1904: bool, expected: str) -> None:  # noqa: FBT001 - pytest passes it by name
        book = workbook_part(f'<workbookPr date1904="{int(from_1904)}"/>')
        row = f'<row><c s="1"><v>{number}</v></c></row>'
        assert rows_of(workbook(row, STYLES=styles("yyyy"), BOOK=book)) == [[expected]]

    def test_empty_rows_are_left_out(self) -> None:
        assert rows_of(workbook(f"<row/>{cells('1')}<row><c/></row>{cells('2')}")) == [["1"], ["2"]]

    def test_a_written_file_has_the_values_that_openpyxl_reads(self) -> None:
        content = saved(["0912", 9121234567, 1.5, True, None, "متن"], [None, None, "x"])
        book = load_workbook(io.BytesIO(content), read_only=True)
        expected = [["" if value is None else str(value) for value in row] for row in book.worksheets[0].values]
        book.close()
        width = max(map(len, expected))
        assert [row + [""] * (width - len(row)) for row in rows_of(content)] == expected


INVALID_FILES: dict[str, bytes] = {
    "no zip": b"PK\x03\x04 nothing",
    "empty": b"",
    "empty zip": packed({}),
    "another kind of file": packed({"word/document.xml": "<document/>"}),
    "no relations": workbook(RELATIONS=None),
    "no workbook": workbook(BOOK=None),
    "no relations of the workbook": workbook(BOOK_RELATIONS=None),
    "no worksheet": workbook(SHEET=None),
    "no shared strings": workbook(STRINGS=None),
    "no sheets": workbook(BOOK="<workbook/>"),
    "invalid xml": workbook(SHEET="<worksheet><sheetData></worksheet>"),
    "truncated xml": workbook(SHEET=sheet(cells("0912"))[:-20]),
    "no xml": workbook(SHEET=b"\x00\xff\xfe binary"),
    "invalid utf-8": workbook(SHEET=sheet(cells("x")).encode().replace(b"x<", b"\xff<")),
    "unknown encoding": workbook(SHEET='<?xml version="1.0" encoding="klingon"?>' + sheet("")),
    "lone surrogate": workbook(cells("&#xD800;")),
    "string index": workbook('<row><c t="s"><v>7</v></c></row>'),
    "negative string index": workbook('<row><c t="s"><v>-1</v></c></row>', STRINGS=strings("<t>a</t>")),
    "text as a string index": workbook('<row><c t="s"><v>a</v></c></row>'),
    "style index": workbook('<row><c s="9"><v>1</v></c></row>'),
    "text as a number": workbook("<row><c><v>one</v></c></row>"),
    "number with too many digits": workbook(f"<row><c><v>{'9' * 5000}</v></c></row>"),
    "cell reference": workbook('<row><c r="?"><v>1</v></c></row>'),
    "cells out of order": workbook('<row><c r="B1"><v>1</v></c><c r="A1"><v>1</v></c></row>'),
    "date out of range": workbook('<row><c s="1"><v>1e300</v></c></row>', STYLES=styles("yyyy")),
    "doctype": workbook(SHEET="<!DOCTYPE worksheet>" + sheet("")),
    "entities": workbook(SHEET='<!DOCTYPE x [<!ENTITY a "0912">]>' + sheet(cells("&a;"))),
    "entities in utf-16": workbook(SHEET=('<!DOCTYPE x [<!ENTITY a "0912">]>' + sheet(cells("&a;"))).encode("utf-16")),
    "external relation": workbook(
        RELATIONS='<Relationships><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.xml" '
        'TargetMode="External"/></Relationships>'
    ),
}


@pytest.mark.parametrize("content", [pytest.param(content, id=name) for name, content in INVALID_FILES.items()])
def test_a_damaged_file_is_422_in_the_words_of_the_api(call: Caller, content: bytes) -> None:
    response = call.upload("file", "numbers.xlsx", content, message="salam")
    assert errors(response)["files"][0] == INVALID
    assert response.json()["meta"]["message_code"] == "400-2"


def test_each_endpoint_that_reads_a_file_rejects_a_damaged_one(call: Caller) -> None:
    damaged = workbook(SHEET="<worksheet>")
    for sending_type, fields in (
        ("file", {"message": "a"}),
        ("keyword", {"message": "{ex_B}"}),
        ("peer_to_peer_file", {}),
    ):
        assert "files" in errors(call.upload(sending_type, "x.xlsx", damaged, **fields)), sending_type
    book_id = call("POST", "/api/phonebooks", json={"title": "x"}).json()["data"]["id"]
    response = call("POST", f"/api/phonebooks/{book_id}/import", files={"file": ("x.xlsx", damaged)})
    assert list(errors(response)) == ["file"]


def test_no_damage_of_a_file_causes_another_exception(call: Caller) -> None:
    whole = saved([ONE, "Sara", 12], ["09121234567", "Ali", None])
    random_bytes = random.Random(7)  # noqa: S311 - not for cryptography
    rejected = 0
    for _ in range(1500):
        damaged = bytearray(whole)
        for _ in range(random_bytes.randint(1, 8)):
            damaged[random_bytes.randrange(len(damaged))] = random_bytes.randrange(256)
        del damaged[random_bytes.choice([len(damaged)] * 3 + [random_bytes.randrange(len(damaged))]) :]
        rejected += is_rejected(bytes(damaged))
    assert rejected > 300
    assert accepted(call.upload("file", "whole.xlsx", whole, message="salam"))


class TestLimits:
    def test_a_large_declared_dimension_costs_nothing(self, call: Caller) -> None:
        content = workbook(
            SHEET=sheet(
                '<row r="1"><c r="A1"><v>9121234567</v></c></row>'
                '<row r="40000"><c r="A40000"><v>9121234568</v></c></row>',
                before='<dimension ref="A1:XFD1048576"/>',
            )
        )
        call.upload("file", "warm.xlsx", workbook(), message="warm up")
        tracemalloc.start()
        try:
            response = call.upload("file", "n.xlsx", content, message="salam")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert accepted(response)
        assert peak < 8_000_000
        assert len(rows_of(content)) == 2

    @pytest.mark.parametrize("name", ["SHEET", "STRINGS"])
    def test_a_zip_bomb_is_rejected_without_being_unpacked(self, call: Caller, name: str) -> None:
        bomb: dict[str, Any] = {name: b"0" * (workbooks.MAX_UNPACKED + 1)}
        content = workbook(**bomb)
        assert len(content) < 300_000
        tracemalloc.start()
        try:
            response = call.upload("file", "bomb.xlsx", content, message="salam")
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert errors(response)["files"][0] == INVALID
        assert peak < 16_000_000

    def test_the_actual_size_is_limited_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = cells("09121234567") * 20_000
        content = workbook(rows)
        size = len(sheet(rows))
        assert content.count(struct.pack("<L", size)) == 2  # in the local header and in the central directory
        declared_small = content.replace(struct.pack("<L", size), struct.pack("<L", 100))
        read: list[int] = []
        feed = workbooks._Parts._unpacked

        def count(self: Any, file: Any) -> Any:
            for chunk in feed(self, file):
                read.append(len(chunk))
                yield chunk

        monkeypatch.setattr(workbooks._Parts, "_unpacked", count)
        assert is_rejected(declared_small)
        assert sum(read) < 10_000

    def test_all_parts_together_are_limited(self, monkeypatch: pytest.MonkeyPatch) -> None:
        content = workbook()
        assert not is_rejected(content)
        for name, limit in (("MAX_PARTS", 3), ("MAX_UNPACKED", 400), ("MAX_ELEMENTS", 12)):
            with monkeypatch.context() as patch:
                patch.setattr(workbooks, name, limit)
                assert is_rejected(content), name

    def test_columns_cells_and_their_lengths_are_limited(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert rows_of(workbook('<row><c r="ZZ1"><v>1</v></c></row>')) == [[""] * 701 + ["1"]]
        assert is_rejected(workbook('<row><c r="AAA1"><v>1</v></c></row>'))
        assert not is_rejected(workbook(cells("a" * 32_767)))
        assert is_rejected(workbook(cells("a" * 32_768)))
        runs = '<row><c t="inlineStr"><is>' + f"<r><t>{'a' * 20_000}</t></r>" * 2 + "</is></c></row>"
        assert is_rejected(workbook(runs))
        assert is_rejected(workbook(STRINGS=strings(f"<t>{'a' * 20_000}</t>" * 2)))
        monkeypatch.setattr(workbooks, "MAX_CELLS", 1500)
        assert not is_rejected(workbook('<row><c r="ZZ1"><v>1</v></c></row>' * 2))
        assert is_rejected(workbook('<row><c r="ZZ1"><v>1</v></c></row>' * 3))

    def test_a_long_tag_is_rejected(self) -> None:
        assert not is_rejected(workbook(SHEET=sheet(f'<row a="{"x" * 100_000}"/>')))
        assert is_rejected(workbook(SHEET=sheet(f'<row a="{"x" * 3_000_000}"/>')))

    def test_an_unsupported_compression_or_encryption_is_rejected(self) -> None:
        content = workbook()
        for offset, values in ((8, b"\x0c\x00"), (6, b"\x01\x00")):  # LZMA is 14, bzip2 is 12
            start = content.index(b"PK\x01\x02")
            changed = bytearray(content)
            while start >= 0:
                changed[start + offset + 2 : start + offset + 4] = values
                start = content.find(b"PK\x01\x02", start + 1)
            assert is_rejected(bytes(changed))

    def test_a_file_with_too_many_rows_is_not_read_to_its_end(
        self, call: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        taken: list[int] = []
        take = workbooks._Rows.take

        def count(self: Any) -> Any:
            rows = take(self)
            taken.append(len(rows))
            return rows

        monkeypatch.setattr(workbooks._Rows, "take", count)
        content = workbook(cells("09121234567", "text") * 100_000)
        response = call.upload("peer_to_peer_file", "rows.xlsx", content)
        assert errors(response)["files"] == ["فایل نباید بیشتر از 10000 ردیف داشته باشد"]
        assert 10_000 < sum(taken) < 20_000

    def test_the_texts_of_a_keyword_send_are_limited_together(
        self, call: Caller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("ippanel_edge.sandbox.rules.sheets.MAX_FILLED", 1_000)
        content = workbook(cells("09121234567", "a" * 100) + cells("09121234568", "b" * 100))
        assert accepted(call.upload("keyword", "k.xlsx", content, message="{ex_B}{ex_B}"))
        response = call.upload("keyword", "k.xlsx", content, message="{ex_B}" * 6)
        assert errors(response)["files"] == [INVALID]
