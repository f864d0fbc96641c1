"""Rows of CSV files: encodings, delimiters, headers, line numbers and damaged files."""

from __future__ import annotations

import csv
import io
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge import InvalidArgument
from ippanel_edge.bulk.sources import read_rows
from tests.bulk.reading import collect, collect_file, problem_of, written

pytestmark = pytest.mark.anyio

NAMES = ("علي", "پارسا")
ROWS = [(2, "09121234567", (NAMES[0],)), (3, "09351234567", (NAMES[1],))]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1256"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "customers.csv"


def table(delimiter: str, end: str = "\r\n") -> str:
    lines = [("نام", "موبايل"), (NAMES[0], "09121234567"), (NAMES[1], "09351234567")]
    return end.join(map(delimiter.join, lines)) + end


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_each_encoding_and_delimiter_of_excel_is_detected(path: Path, encoding: str, delimiter: str) -> None:
    assert await collect_file(path, table(delimiter).encode(encoding), ["نام"]) == ROWS


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_line_breaks_of_all_systems_are_read(path: Path, end: str) -> None:
    assert await collect_file(path, table(",", end), ["نام"]) == ROWS
    assert await collect_file(path, table(",", end).rstrip(), ["نام"]) == ROWS


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("first", ["sep=;\r\n", '"sep=;"\r\n', "SEP=;\n"])
async def test_the_sep_line_of_excel_declares_the_delimiter_and_counts_as_a_line(
    path: Path, encoding: str, first: str
) -> None:
    content = f"{first}mobile;text, long\n09121234567;a, b\n".encode(encoding)
    assert await collect_file(path, content, ["text, long"]) == [(3, "09121234567", ("a, b",))]


async def test_delimiters_in_texts_do_not_mislead_the_detection(path: Path) -> None:
    content = "mobile;message\n09121234567;a, b, c\n09351234567;d, e, f\n"
    assert await collect_file(path, content, None) == [
        (2, "09121234567", ("a, b, c",)),
        (3, "09351234567", ("d, e, f",)),
    ]
    without_header = "09121234567;a, b\n09351234567;c, d\n"
    assert await collect_file(path, without_header, ["B"]) == [
        (1, "09121234567", ("a, b",)),
        (2, "09351234567", ("c, d",)),
    ]
    quoted = 'mobile,message\n09121234567,"a;b;c"\n'
    assert await collect_file(path, quoted, None) == [(2, "09121234567", ("a;b;c",))]


async def test_an_encoding_and_a_delimiter_can_be_named(path: Path) -> None:
    content = "name:mobile\nJosé:09121234567\n".encode("latin-1")
    rows = await collect_file(path, content, ["name"], encoding="latin-1", delimiter=":")
    assert rows == [(2, "09121234567", ("José",))]
    marked = await collect_file(path, table(",").encode("utf-8-sig"), ["نام"], encoding="utf-8")
    assert marked == ROWS


async def test_a_file_without_a_header_has_columns_by_letter(path: Path) -> None:
    content = "علی,09121234567\nرضا,0935\n"  # noqa: RUF001 - Persian
    assert await collect_file(path, content, ["A"]) == [(1, "09121234567", ("علی",)), (2, "0935", ("رضا",))]


async def test_a_column_of_numbers_alone_needs_no_header(path: Path) -> None:
    assert await collect_file(path, "۰۹۱۲۱۲۳۴۵۶۷\n9351234567\n") == [
        (1, "۰۹۱۲۱۲۳۴۵۶۷", ()),
        (2, "9351234567", ()),
    ]


async def test_a_mistyped_number_in_the_first_row_is_not_taken_for_a_header(path: Path) -> None:
    assert await collect_file(path, "0912123456\n09351234567\n") == [(1, "0912123456", ()), (2, "09351234567", ())]


@pytest.mark.parametrize("cell", ["0912345678a", "۲۳۴۶۸۹x", "09123/45678901"])
async def test_a_broken_number_in_the_first_row_of_one_column_is_a_row(path: Path, cell: str) -> None:
    assert await collect_file(path, f"{cell}\n09121234567\n") == [(1, cell, ()), (2, "09121234567", ())]


@pytest.mark.parametrize("name", ["customers", "list 2024", "mobile 140312"])
async def test_the_name_of_one_column_may_have_digits(path: Path, name: str) -> None:
    columns = [name] if name[-1] == "2" else ()
    ((line, recipient, _),) = await collect_file(path, f"{name}\n09121234567\n", columns)
    assert (line, recipient) == (2, "09121234567")


async def test_a_single_column_holds_the_recipients_whatever_its_name(path: Path) -> None:
    assert await collect_file(path, "who\n09121234567\n") == [(2, "09121234567", ())]


async def test_line_numbers_count_the_lines_of_quoted_texts_and_blank_lines(path: Path) -> None:
    content = 'mobile,message\n\n09121234567,"a\nb\r\nc"\n,\n09351234567,"d ""e"""\n'
    assert await collect_file(path, content, None) == [
        (3, "09121234567", ("a\nb\r\nc",)),
        (7, "09351234567", ('d "e"',)),
    ]


async def test_short_and_long_rows_are_problems_with_their_line(path: Path) -> None:
    content = "mobile,name,city\n09121234567\n09121234567,a,b,c\n09121234567,a\n,a,b\n09121234567,a,b,\n"
    assert await collect_file(path, content, ["name"]) == [
        (2, "09121234567", "column 'name' is missing: the row has 1 column, expected 3"),
        (
            3,
            "09121234567",
            "the row has 4 columns, expected 3; if a text contains the delimiter, put the text in double quotes",
        ),
        (4, "09121234567", ("a",)),
        (5, "", ("a",)),
        (6, "09121234567", ("a",)),
    ]


async def test_columns_are_returned_in_the_order_in_which_they_are_wanted(path: Path) -> None:
    content = "b,mobile,a\n1,09121234567,2\n"
    assert await collect_file(path, content, ["a", "b", "a"]) == [(2, "09121234567", ("2", "1", "2"))]


@pytest.mark.parametrize(
    ("content", "line", "problem"),
    [
        (b'mobile,message\n09121234567,"abc\n0935,x\n', 2, "unexpected end of data"),
        (b'mobile,message\n09121234567,"a"b\n', 2, "expected after"),
        (b"mobile\n09121234567\n0912\x00\n", 3, "NUL"),
        (b"\xef\xbb\xbfmobile\n0912\n\xff\n", 3, "not valid utf-8"),
        (b'mobile,message\n0912,"' + b"long line\n" * 300_000, 2, "is a quote not closed?|field larger"),
        (b"mobile\n0912\n" + b"9" * 2_000_000, 3, "too long for a row|field larger"),
        (b"mobile\n" + b"09121234567\n" * 200_000 + b"\xe4\n", 200_002, "not valid utf-8"),
    ],
)
async def test_a_damaged_file_is_rejected_with_its_line(path: Path, content: bytes, line: int, problem: str) -> None:
    written(path, content)
    with pytest.raises(InvalidArgument, match=problem) as caught:
        await collect(read_rows(path))
    assert caught.value.argument == "source"
    assert f"customers.csv: line {line:,}:" in str(caught.value)


async def test_a_quote_that_is_not_closed_is_found_even_without_a_limit_of_fields(path: Path) -> None:
    before = csv.field_size_limit(2**31 - 1)
    try:
        written(path, b'mobile,message\n0912,x\n0912,"' + b"long line\n" * 1_000_000)
        with pytest.raises(InvalidArgument, match=r"line 3: too long for a row of a CSV file; is a quote not closed"):
            await collect(read_rows(path))
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("content", ["", "\n\n", " , \n", "\ufeff"])
async def test_an_empty_file_is_rejected(path: Path, content: str) -> None:
    written(path, content)
    argument, text = await problem_of(read_rows(path))
    assert argument == "source"
    assert "customers.csv: is empty" in text


async def test_a_header_without_rows_has_no_rows(path: Path) -> None:
    assert await collect_file(path, "mobile,name\n", ["name"]) == []


async def test_an_xlsx_file_named_csv_is_rejected(path: Path) -> None:
    written(path, b"PK\x03\x04rest")
    assert "got an XLSX file" in (await problem_of(read_rows(path)))[1]


async def test_a_file_can_be_read_again(path: Path) -> None:
    written(path, "mobile\n09121234567\n")
    rows = read_rows(path)
    assert await collect(rows) == await collect(rows) == [(2, "09121234567", ())]


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)
"""The csv module does not quote a CR in all versions."""


@given(
    rows=st.lists(st.tuples(CELLS.map("9{}".format), CELLS, CELLS), max_size=20),
    delimiter=st.sampled_from(",;\t|"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_the_csv_module_writes_is_read_with_its_lines(
    rows: list[tuple[str, str, str]], delimiter: str, encoding: str, end: str, quoting: Any
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(["mobile", "a", "b"])
    expected: list[Any] = []
    for mobile, *values in rows:
        lines = len(text.getvalue().replace("\r\n", "\n").split("\n"))
        expected.append((lines, mobile, tuple(values)))
        writer.writerow([mobile, *values])
    source: Any = read_rows(io.BytesIO(text.getvalue().encode(encoding)))
    assert [row for batch in source.read(["a", "b"]) for row in batch] == expected


class Trickle(io.BytesIO):
    """A stream that returns a few bytes per read."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(7 if size is None or size < 0 else min(size, 7))


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_stream_with_short_reads_is_decoded_as_a_whole(encoding: str) -> None:
    assert await collect(read_rows(Trickle(table(";").encode(encoding))), ["نام"]) == ROWS


def test_reading_many_rows_takes_no_more_memory_than_a_few(path: Path) -> None:
    def peak(rows: int) -> int:
        path.write_text("name,mobile\n" + "".join(f"n{n},0912{n:07}\n" for n in range(rows)), "utf-8")
        tracemalloc.start()
        source: Any = read_rows(path)
        assert sum(map(len, source.read(["name"]))) == rows
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(200_000) < peak(70_000) + 500_000
