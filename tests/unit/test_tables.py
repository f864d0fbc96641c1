"""The content of files of numbers is checked: the error names the line and the remedy, and nothing else leaves."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge.api.phonebooks import CONTACTS
from ippanel_edge.api.send import MESSAGES, NUMBERS, VALUES
from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values import csv_rows, xlsx_archive, xlsx_rows
from ippanel_edge.values.tables import Table, check_table
from tests import workbooks
from tests.workbooks import packed, parts, relations, saved, shared, strings, workbook

ONE = "09121234567"
TWO = "+989351234567"
PERSIAN = "\u06f0\u06f9\u06f1\u06f2\u06f1\u06f2\u06f3\u06f4\u06f5\u06f6\u06f7"


def check(content: str | bytes, *, table: Table = NUMBERS, name: str = "a.csv", check_limits: bool = True) -> None:
    data = content.encode() if isinstance(content, str) else content
    check_table(io.BytesIO(data), name=name, argument="file", table=table, check_limits=check_limits)


def problem(content: str | bytes, **options: Any) -> str:
    with pytest.raises(InvalidArgument) as caught:
        check(content, **options)
    assert caught.value.argument == "file"
    return str(caught.value).removeprefix("file: ")


check_xlsx: Callable[..., None] = partial(check, name="a.xlsx")
xlsx_problem: Callable[..., str] = partial(problem, name="a.xlsx")


# CSV.


@pytest.mark.parametrize(
    "content",
    [
        f"phone_number\n{ONE}\n{TWO}\n",
        f"phone_number\r\n{ONE}\r\n\r\n",
        f"\ufeffphone_number\n{ONE}",
        f'"phone_number"\n"{ONE}"\n',
        f"phone_number\n {ONE} \n9121234567\n",
    ],
    ids=["both formats", "windows", "byte order mark", "quoted", "blanks and a number from a spreadsheet"],
)
def test_a_documented_csv_file_of_numbers_is_accepted(content: str) -> None:
    check(content)


def test_a_documented_csv_file_of_messages_is_accepted() -> None:
    check(f'recipient,message\n{ONE},سلام\n{TWO},"a, ""b""\nc"\n', table=MESSAGES)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("recipient;message\n0912;x\n", "line 1: expected commas between the columns, got semicolons; save it with"),
        ("recipient\tmessage\n", "line 1: expected commas between the columns, got tabs"),
        (f"recipient,message\n{ONE};سلام\n", "line 2: expected commas between the columns, got semicolons"),
        (f"recipient,message\n{ONE};a,b\n", "line 2: expected commas between the columns, got semicolons"),
        (f"{ONE},x\n", "line 1: the header is missing; insert the line 'recipient,message' above the first row"),
        ("phone,text\n", "line 1: expected the header 'recipient,message', got 'phone,text'; write it exactly"),
        (f"recipient,message\n{ONE}\n", "line 2: expected 2 columns (recipient,message), got 1"),
        (f"recipient,message\n\n{ONE},a,b\n", "line 3: expected 2 columns (recipient,message), got 3; put a text"),
        (f'recipient,message\n{ONE},"a\nb"\n{ONE}\n', "line 4: expected 2 columns"),
        (f'recipient,message\n{ONE},"a"b\n', "line 2: not valid CSV"),
        (f'recipient,message\n{ONE},"a\nb\n', "line 2: not valid CSV"),
        (f"recipient,message\n{ONE},\n", "line 2: message: must not be empty or blank"),
        (f"recipient,message\n{ONE},{'a' * 1401}\n", "line 2: message: expected at most 1,400 characters, got 1,401"),
        (f"recipient,message\n{ONE},{'ی' * 1380}\n", "line 2: message: expected at most 20 parts"),
        ("recipient,message\n0912,x\n", "line 2: too short by 7 digits; expected 10 digits after 0 or +98"),
        ("recipient,message\n,x\n", "line 2: empty; pass an Iranian mobile number"),
        ("recipient,message\n9.12E+09,x\n", "line 2: expected a phone number, got a decimal number"),
        (f"recipient,message\n{PERSIAN},x\n", "line 2: expected a number as 09… or +989… without separators"),
        ("recipient,message\n+98 912 123 4567,x\n", "line 2: expected a number as 09… or +989… without separators"),
        ("recipient,message\n\n", "the file has no rows; write one row for each number"),
        (f"recipient,message\n{ONE},a\0b\n", "line 2: contains NUL; save it as UTF-8"),
    ],
)
def test_an_invalid_csv_file_is_rejected_with_line_and_remedy(content: str, expected: str) -> None:
    assert problem(content, table=MESSAGES).startswith(expected)


def test_a_file_of_numbers_has_one_column() -> None:
    assert problem(f"phone_number\n{ONE},Ali\n") == "line 2: expected 1 column (phone_number), got 2"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_rejected(encoding: str) -> None:
    content = f"phone_number\n{ONE}\n".encode(encoding)
    assert problem(content).startswith('the encoding is UTF-16; save it as UTF-8 (in Excel: "CSV UTF-8')


def test_another_encoding_is_rejected_and_windows_1256_is_named() -> None:
    arabic = f"recipient,message\n{ONE},ok\n{TWO},سلام\n".encode("cp1256")
    expected = "line 3: not UTF-8, probably Windows-1256 (Arabic); save it as UTF-8"
    assert problem(arabic, table=MESSAGES).startswith(expected)
    latin = f"recipient,message\n{ONE},é\n".encode("latin-1")
    assert problem(latin, table=MESSAGES).startswith("line 2: not UTF-8; save it as UTF-8")


def test_a_line_or_row_that_never_ends_is_not_collected() -> None:
    endless = "recipient,message\n" + "x" * 300_000
    assert problem(endless, table=MESSAGES).startswith(
        "line 2: too long for a row of a CSV file; is a quote not closed?"
    )


def test_a_quote_that_is_not_closed_is_found_with_any_field_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "_MAX_RECORD", 1000)
    content = f'recipient,message\n{ONE},"x\n' + f"{TWO},y\n" * 500
    assert "is a quote not closed?" in problem(content, table=MESSAGES)


def test_the_number_of_rows_is_a_limit() -> None:
    content = "recipient,message\n" + f"{ONE},x\n" * 10_001
    expected = "line 10,002: too many rows: at most 10,000; split the file into several calls"
    assert problem(content, table=MESSAGES) == expected
    check(content, table=MESSAGES, check_limits=False)
    check(content.removesuffix(f"{ONE},x\n"), table=MESSAGES)


def test_limits_can_be_turned_off_but_not_the_format() -> None:
    check(f"recipient,message\n{ONE},{'a' * 1401}\n", table=MESSAGES, check_limits=False)
    assert problem("phone_number\n0912\n", check_limits=False).startswith("line 2: too short")


def test_an_error_does_not_quote_a_number() -> None:
    assert "0912777" not in problem("phone_number\n09127777\n")


def test_a_file_with_another_extension_is_not_read() -> None:
    check(b"\xff", name="a.txt")
    check(b"\xff", name="csv", table=NUMBERS)
    check(b"\xff", name="a.csv", table=VALUES)


# XLSX.


@pytest.mark.parametrize(
    "content",
    [
        shared([ONE], [TWO]),
        shared(["شماره", "نام"], [ONE, "امیر"], [TWO, "سارا"]),
        saved(["شماره", "نام"], [9121234567, "Ali"], [9351234567.0, None]),
        saved([None], [ONE], [None, None], [TWO]),
        workbook([ONE], [TWO]),
    ],
    ids=["shared strings", "several columns", "a header and numbers", "empty rows", "inline strings"],
)
def test_a_workbook_of_numbers_is_accepted(content: bytes) -> None:
    check_xlsx(content)
    check_xlsx(content, table=VALUES)


def test_a_workbook_of_messages_is_accepted() -> None:
    check_xlsx(saved(["recipient", "message"], [ONE, "سلام"], [9121234567, 12]), table=MESSAGES)


def test_rich_text_is_joined_and_its_phonetic_guide_ignored() -> None:
    items = workbooks.strings("<r><t>0912</t></r><r><t>1234567</t></r><rPh><t>x</t></rPh><phoneticPr/>")
    related = workbooks.relations(("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "/xl/sharedStrings.xml"))
    sheet = workbooks.sheet('<c r="A1" t="s"><v>0</v></c><c r="AA1"><f>1+1</f><v>2</v></c>')
    members = {"xl/_rels/workbook.xml.rels": related, workbooks.SHEET: sheet, workbooks.STRINGS: items}
    check_xlsx(packed({**parts(), **members}))


def test_the_phonetic_guide_of_an_inline_string_is_ignored() -> None:
    cell = f'<c t="inlineStr"><is><r><t>{ONE}</t></r><rPh sb="0" eb="1"><t>x</t></rPh></is></c>'
    check_xlsx(packed({**parts(), workbooks.SHEET: workbooks.sheet(cell)}))


def test_prefixes_of_elements_do_not_matter() -> None:
    main = 'xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    sheet = f"<x:worksheet {main}><x:sheetData><x:row><x:c><x:v>{ONE}</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    check_xlsx(packed({**parts(), workbooks.SHEET: sheet}))
    assert xlsx_problem(packed({**parts(), workbooks.SHEET: sheet.replace(ONE, "12")})).startswith("row 1: ")


def test_the_first_worksheet_is_checked() -> None:
    related = workbooks.relations(
        ("worksheet", "worksheets/other.xml"), ("chartsheet", "chart.xml"), ("worksheet", "worksheets/sheet1.xml")
    )
    book = workbooks.book("rId2", "rId3", "rId1")
    check_xlsx(packed({**parts([ONE]), "xl/_rels/workbook.xml.rels": related, workbooks.BOOK: book}))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (shared([ONE, "x"], ["0912", "y"]), "row 2: too short by 7 digits"),
        (saved([ONE, "x"], [ONE]), "row 2: message: must not be empty or blank"),
        (saved([None, "x"]), "row 1: empty; pass an Iranian mobile number"),
        (saved(["number", "text"], ["Ali", "x"]), "row 2: unexpected character 'A' in phone number"),
        (saved(["number1", "text"]), "row 1: unexpected character 'n' in phone number"),
        (saved([912123456.5, "x"]), "row 1: expected a phone number, got a decimal number"),
        (saved([ONE, "x" * 1401]), "row 1: message: expected at most 1,400 characters"),
        (saved(["number", "text"]), "the file has no rows"),
        (saved(), "the file has no rows"),
        (saved(*[[ONE, "x"]] * 10_001), "row 10,001: too many rows: at most 10,000"),
    ],
)
def test_an_invalid_workbook_is_rejected_with_row_and_reason(content: bytes, expected: str) -> None:
    assert xlsx_problem(content, table=MESSAGES).startswith(expected)


def test_the_columns_of_an_import_are_not_checked_but_it_must_have_rows() -> None:
    check_xlsx(workbook(["نام", "شماره"], ["Ali", ONE]), table=CONTACTS)
    assert xlsx_problem(workbook(), table=CONTACTS).startswith("the file has no rows")


def damaged(**members: str) -> bytes:
    names = {"sheet": workbooks.SHEET, "book": workbooks.BOOK, "rels": "_rels/.rels"}
    return packed({**parts([ONE]), **{names[key]: content for key, content in members.items()}})


SHARED = '<c t="s"><v>0</v></c>'
DOCTYPE = '<!DOCTYPE a [<!ENTITY b "c">]>'


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b"\xd0\xcf\x11\xe0" + b"\0" * 600,
            "expected .xlsx, got an .xls file or an encrypted workbook; in Excel, save",
        ),
        (f"phone_number\n{ONE}\n", "expected .xlsx, got another format with this extension"),
        (b"PK\x03\x04 broken", "the file is damaged or not a workbook"),
        (workbook([ONE])[:-30], "the file is damaged or not a workbook"),
        (packed({"a.txt": "x"}), "the file is damaged or not a workbook"),
        (damaged(rels=workbooks.relations(("other", "x"))), "expected .xlsx, got another zip file"),
        (damaged(book=workbooks.book()), "the workbook has no worksheet"),
        (damaged(sheet="<worksheet>"), "the file contains invalid XML"),
        (damaged(sheet='<?xml version="1.0" encoding="nonsense"?><a/>'), "the file contains invalid XML"),
        (damaged(sheet=workbooks.sheet(SHARED)), "the file is damaged or not a workbook"),
        (damaged(sheet=workbooks.sheet('<c t="n"><v>x</v></c>')), "the file contains invalid XML"),
        (damaged(sheet=DOCTYPE + workbooks.sheet()), "the workbook contains a DOCTYPE"),
        (damaged(rels=DOCTYPE + workbooks.relations()), "the workbook contains a DOCTYPE"),
    ],
)
def test_a_file_that_is_not_a_valid_workbook_is_rejected(content: bytes, expected: str) -> None:
    assert xlsx_problem(content).startswith(expected)


@pytest.mark.parametrize(
    "sheet",
    [
        "<a>" * 30_000,
        "<a><!--" + "x" * 1_200_000 + "--></a>",
        f'<a b="{"x" * 1_200_000}"/>',
        f"<a>{''.join(f'<a{index}/>' for index in range(3000))}</a>",
        f"<a>{'<row/>' * 1_048_577}</a>",
    ],
    ids=["depth", "comment", "attribute", "names", "rows"],
)
def test_a_workbook_that_would_need_much_memory_is_rejected(sheet: str) -> None:
    assert xlsx_problem(damaged(sheet=sheet)).startswith("the unpacked workbook is too large or too deeply nested")


@pytest.mark.parametrize(
    ("limit", "value"), [("_MAX_UNPACKED", 1000), ("_MAX_TAGS", 10), ("_MAX_DIRECTORY", 100), ("_MAX_STRINGS", 10)]
)
def test_the_size_of_a_workbook_is_limited(limit: str, value: int, monkeypatch: pytest.MonkeyPatch) -> None:
    content = shared([ONE], [TWO])
    monkeypatch.setattr(xlsx_archive if limit == "_MAX_DIRECTORY" else xlsx_rows, limit, value)
    assert xlsx_problem(content).startswith("the unpacked workbook is too large")


def test_an_encrypted_member_is_rejected() -> None:
    content = bytearray(workbook([ONE]))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1  # the flags of the last member
    assert xlsx_problem(bytes(content)).startswith("the workbook is encrypted or packed with an unusual method")


def test_a_zip64_directory_is_rejected_before_it_is_read() -> None:
    content = workbook([ONE])
    end = content.rindex(b"PK\x05\x06")
    assert xlsx_problem(content[:end] + b"PK\x06\x07" + b"\0" * 16 + content[end:]).startswith("the unpacked workbook")


def test_a_shared_string_that_does_not_exist_is_rejected() -> None:
    content = {**parts(), workbooks.SHEET: workbooks.sheet('<c t="s"><v>7</v></c>'), workbooks.STRINGS: strings("<t/>")}
    related = relations(("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml"))
    content["xl/_rels/workbook.xml.rels"] = related
    assert xlsx_problem(packed(content)).startswith("the file is damaged or not a workbook")


def test_a_workbook_of_too_many_sheets_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx_rows, "_MAX_NAMES", 20)
    content = damaged(book=workbooks.book(*["rId1"] * 21))
    assert xlsx_problem(content).startswith("the unpacked workbook is too large")


# Arbitrary content.

SEEDS = [workbook([ONE, "x"], [TWO, "y"]), saved(["number", "text"], [ONE, "x"], [9121234567, 3]), shared([ONE, "x"])]


def accepts_or_rejects(content: bytes, name: str, table: Table) -> None:
    """Check a file. Any exception but InvalidArgument, with the argument's name, fails the test."""
    rejected = "file"
    try:
        check_table(io.BytesIO(content), name=name, argument="file", table=table)
    except InvalidArgument as error:
        rejected = error.argument
    assert rejected == "file"


@given(st.binary(max_size=300) | st.text(alphabet='\r\n,;"\t09\u06f0a\0', max_size=100).map(str.encode))
def test_no_csv_content_raises_another_error(content: bytes) -> None:
    for prefix in (b"", b"recipient,message\n"):
        accepts_or_rejects(prefix + content, "a.csv", MESSAGES)


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8))
def test_no_damage_of_a_workbook_raises_another_error(seed: bytes, changes: list[tuple[int, int]]) -> None:
    content = bytearray(seed)
    for position, value in changes:
        content[position % len(content)] = value
    accepts_or_rejects(bytes(content), "a.xlsx", MESSAGES)
    accepts_or_rejects(bytes(content[: changes[0][0] % len(content)]), "a.xlsx", MESSAGES)


_CELLS = st.text(alphabet="<>/=\"'&;:! vcrtsisrow019A\u06f0", max_size=60)


@given(_CELLS, st.sampled_from(["rels", "book", "sheet"]))
def test_no_xml_of_a_workbook_raises_another_error(text: str, part: str) -> None:
    original = {
        "rels": workbooks.relations(("officeDocument", "xl/workbook.xml")),
        "book": workbooks.book("rId1"),
        "sheet": workbooks.sheet(f"<c><v>{text}</v></c>", text),
    }[part]
    middle = len(original) // 2
    accepts_or_rejects(damaged(**{part: original[:middle] + text + original[middle:]}), "a.xlsx", MESSAGES)
    accepts_or_rejects(damaged(**{part: original}), "a.xlsx", MESSAGES)
