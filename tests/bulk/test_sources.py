"""What `read_rows` and `as_rows` accept, which columns they recognise, and in which thread they read."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from ippanel_edge import InvalidArgument
from ippanel_edge.bulk.sources import as_rows, read_rows
from tests.bulk.reading import collect, problem_of, written
from tests.workbooks import saved

pytestmark = pytest.mark.anyio

CSV = "mobile,name\n09121234567,علی\n".encode()
ROW = (2, "09121234567", ("علی",))


@pytest.mark.parametrize(
    "header",
    [
        "mobile",
        " Mobile_Number ",
        "PHONE NUMBER",
        "recipient",
        "cell",
        "Tel.",
        "شماره موبایل",
        "شماره\u200cموبايل",  # noqa: RUF001 - Persian
        "شماره_همراه",
        "موبايل",
        "تلفن همراه",
        "گیرنده",
        "گيرنده",
    ],
)
async def test_the_column_of_the_recipients_is_recognised(header: str) -> None:
    source = io.BytesIO(f"code,{header},name\n1,09121234567,a\n".encode())
    assert await collect(read_rows(source), ["name"]) == [(2, "09121234567", ("a",))]


@pytest.mark.parametrize("header", ["message", "Text", "متن", "پیام", "متن پيام", "متن\u200cپیام"])  # noqa: RUF001 - Persian
async def test_the_column_of_the_texts_is_recognised(header: str) -> None:
    source = io.BytesIO(f"mobile,{header}\n09121234567,a\n".encode())
    assert await collect(read_rows(source), None) == [(2, "09121234567", ("a",))]


async def test_the_columns_can_be_named() -> None:
    content = b"phone,mobile,text,note\n1,2,3,4\n"
    rows = await collect(read_rows(io.BytesIO(content), recipient="mobile", message="note"), None)
    assert rows == [(2, "2", ("4",))]


async def test_a_name_matches_a_column_written_with_other_letters_or_spaces() -> None:
    content = "mobile,نام مشتري,City_Name\n1,a,b\n".encode()
    wanted = ["نام\u200cمشتری", "city name"]
    assert await collect(read_rows(io.BytesIO(content)), wanted) == [(2, "1", ("a", "b"))]


@pytest.mark.parametrize(
    ("header", "options", "columns", "argument", "problem"),
    [
        (
            "a,b",
            {},
            (),
            "recipient",
            "no column is recognised as that of the recipients; pass recipient= with the name",
        ),
        ("a,b", {}, (), "recipient", "The columns are 'a', 'b'"),
        ("mobile,phone", {}, (), "recipient", "several columns may hold the recipients: 'mobile', 'phone'; pass"),
        (
            "mobile,mobile",
            {},
            (),
            "recipient",
            "may hold the recipients: 'mobile', 'mobile'; rename all but one of them",
        ),
        ("mobile,text,text", {}, None, "message", "may hold the texts: 'text', 'text'; rename all but one of them"),
        (
            "mobile,b",
            {"recipient": "cell"},
            (),
            "recipient",
            "no column is named 'cell'; the columns are 'mobile', 'b'",
        ),
        ("mobile,b", {}, None, "message", "no column is recognised as that of the texts; pass message="),
        ("mobile,text,sms", {}, None, "message", "several columns may hold the texts: 'text', 'sms'; pass message="),
        ("mobile,b", {"message": "c"}, None, "message", "no column is named 'c'; the columns are 'mobile', 'b'"),
        ("mobile,b", {}, ["b", "name"], "columns", "rows: no column is named 'name'; the columns are 'mobile', 'b'"),
        ("mobile,b,b", {}, ["b"], "columns", "columns 2 and 3 are both named 'b'; rename one"),
        ("09121234567,b", {}, ["name"], "columns", "the file has no header, so the columns are 'A', 'B'"),
    ],
)
async def test_a_missing_or_ambiguous_column_is_an_error_before_the_first_row(
    header: str, options: Any, columns: Any, argument: str, problem: str
) -> None:
    rows = read_rows(io.BytesIO(f"{header}\n09121234567,x\n".encode()), **options)
    found, text = await problem_of(rows, columns)
    assert found == argument
    assert problem in text


async def test_the_columns_of_a_wide_file_are_shortened_in_errors() -> None:
    source = io.BytesIO((",".join(f"c{n}" for n in range(100)) + "\n1\n").encode())
    text = (await problem_of(read_rows(source)))[1]
    assert "'c29', and 70 more" in text
    assert "c30" not in text


async def test_a_path_has_the_name_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "customers.TSV"
    path.write_bytes(CSV)
    for rows in (read_rows(path), read_rows(str(path)), as_rows(path), as_rows(str(path))):
        assert rows.name == "customers.TSV"
        assert await collect(rows, ["name"]) == [ROW]


async def test_binary_files_are_read_from_their_position(tmp_path: Path) -> None:
    path = tmp_path / "customers.dat"
    path.write_bytes(CSV)
    with path.open("rb") as file:
        rows = read_rows(file)
        assert rows.name == "customers.dat"
        assert await collect(rows, ["name"]) == [ROW]
        assert not file.closed
    buffer = io.BytesIO(b"skipped" + CSV)
    buffer.seek(7)
    assert await collect(as_rows(buffer), ["name"]) == [ROW]  # type: ignore[arg-type] # a file is iterable


async def test_a_workbook_in_memory_is_recognised() -> None:
    rows = read_rows(io.BytesIO(saved(["mobile"], ["09121234567"])))
    assert rows.name == "rows"
    assert await collect(rows) == [(2, "09121234567", ())]


class Pipe(io.BytesIO):
    """A stream with a name that cannot be sought."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(content)
        self.name = name

    def seekable(self) -> bool:
        return False


async def test_a_pipe_is_read_as_csv() -> None:
    assert await collect(read_rows(Pipe("fifo", CSV)), ["name"]) == [ROW]
    assert "got an XLSX file" in (await problem_of(read_rows(Pipe("fifo", saved(["mobile"])))))[1]
    with pytest.raises(InvalidArgument, match=r"expected an \.xlsx file that is seekable; pass its path"):
        read_rows(Pipe("customers.xlsx", saved(["mobile"])))


async def test_a_file_that_does_not_block_is_an_error() -> None:
    class Empty(io.BytesIO):
        def read(self, size: int | None = -1, /) -> Any:
            return None if self.tell() else super().read(size)

    empty: Any = Empty(CSV)
    assert "does not block" in (await problem_of(read_rows(empty)))[1]


async def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(CSV)))
    rows = read_rows("-")
    assert rows.name == "stdin"
    assert await collect(rows, ["name"]) == [ROW]


@pytest.mark.parametrize(
    ("source", "options", "argument"),
    [
        ("a.xls", {}, "source"),
        ("a.pdf", {}, "source"),
        (b"a.csv", {}, "source"),
        ({"mobile": "0912"}, {}, "source"),
        (3, {}, "source"),
        (None, {}, "source"),
        ("a.csv", {"sheet": 0}, "sheet"),
        ("-", {"sheet": "x"}, "sheet"),
        ("a.xlsx", {"encoding": "utf-8"}, "encoding"),
        ("a.xlsx", {"delimiter": ","}, "delimiter"),
        ([], {"encoding": "utf-8"}, "encoding"),
        ([], {"sheet": 1}, "sheet"),
        ("a.csv", {"encoding": "klingon"}, "encoding"),
        ("a.csv", {"encoding": "hex"}, "encoding"),
        ("a.csv", {"delimiter": ",,"}, "delimiter"),
        ("a.csv", {"delimiter": '"'}, "delimiter"),
        ("a.csv", {"recipient": 1}, "recipient"),
        ("a.csv", {"message": ""}, "message"),
        ("a.xlsx", {"sheet": True}, "sheet"),
        ("a.xlsx", {"sheet": 1.5}, "sheet"),
    ],
)
async def test_invalid_arguments_are_rejected_at_once(source: Any, options: Any, argument: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        read_rows(source, **options)
    assert caught.value.argument == argument


async def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    for name in ("none.csv", "none.xlsx"):
        argument, text = await problem_of(read_rows(tmp_path / name))
        assert argument == "source"
        assert name in text
        assert "No such file" in text


async def test_a_file_in_text_mode_is_an_error() -> None:
    assert "text mode" in (await problem_of(read_rows(io.StringIO("mobile\n1\n"))))[1]  # type: ignore[arg-type] # text


async def test_rows_are_returned_as_they_are() -> None:
    rows = read_rows([])
    assert as_rows(rows) is rows


@pytest.mark.parametrize("rows", [b"0912", 7, None, {"a": 1}])
async def test_other_values_are_not_rows(rows: Any) -> None:
    with pytest.raises(InvalidArgument) as caught:
        as_rows(rows)
    assert caught.value.argument == "rows"


async def test_recipients_are_rows_of_a_campaign_with_one_text() -> None:
    items: list[Any] = ["09121234567", ("09351234567", {"name": "a"}), {"mobile": "09361234567"}]
    assert await collect(as_rows(items)) == [(1, "09121234567", ()), (2, "09351234567", ()), (3, "09361234567", ())]


async def test_pairs_with_a_text_are_rows_with_their_own_text() -> None:
    items: list[Any] = [("09121234567", "a"), {"mobile": "09351234567", "text": "b"}, ("09361234567", {"text": "c"})]
    assert await collect(as_rows(items), None) == [
        (1, "09121234567", ("a",)),
        (2, "09351234567", ("b",)),
        (3, "09361234567", ("c",)),
    ]


async def test_mappings_have_the_wanted_columns() -> None:
    items: list[Any] = [{"mobile": 9121234567, "name": "a", "code": 7}, ("09351234567", {"code": None, "name": "b"})]
    assert await collect(as_rows(items), ["code", "name"]) == [
        (1, 9121234567, (7, "a")),
        (2, "09351234567", (None, "b")),
    ]


async def test_read_rows_names_the_columns_of_mappings() -> None:
    items = [{"mobile": "1", "phone": "09121234567", "body": "a"}]
    assert await collect(read_rows(items, recipient="phone", message="body"), None) == [(1, "09121234567", ("a",))]


@pytest.mark.parametrize(
    ("item", "columns", "problem"),
    [
        ("0912", None, "got a recipient only, expected (recipient, text)"),
        ("0912", ["name"], "got a recipient only, expected a mapping with the columns 'name'"),
        (("0912", "a"), (), "got a recipient and a text, expected a recipient, because all rows have the text"),
        (("0912", "a"), ["name"], "expected a mapping with the columns 'name'"),
        (("0912", 3), None, "got a pair with int"),
        (("0912", "a", "b"), None, "got tuple of 3"),
        (None, (), "got None"),
        (9121234567, (), "got int"),
        ({"mobile": "0912"}, ["name"], "column 'name' is missing"),
        ({"name": "a"}, ["name"], "column 'mobile' is missing"),
    ],
)
async def test_an_unexpected_item_is_a_problem_of_its_row(item: Any, columns: Any, problem: str) -> None:
    first = {"mobile": "1", "name": "a", "text": "t"}
    rows = await collect(as_rows([first, item]), columns)
    assert rows[1][0] == 2
    assert isinstance(rows[1][2], str)
    assert problem in rows[1][2]


async def test_the_first_mapping_must_have_the_wanted_columns() -> None:
    assert (await problem_of(as_rows([{"mobile": "1"}]), ["name"]))[0] == "columns"
    assert (await problem_of(as_rows([{"a": "1", "b": "2"}])))[0] == "recipient"


async def test_iterators_are_consumed_in_the_thread_of_the_event_loop_in_batches() -> None:
    threads: set[threading.Thread] = set()
    consumed = 0

    def items() -> Iterator[str]:
        nonlocal consumed
        for _ in range(2500):
            threads.add(threading.current_thread())
            consumed += 1
            yield "09121234567"

    batches = as_rows(items()).batches(())
    first = await anext(aiter(batches))
    assert consumed == len(first) < 2500
    rows = [*first, *[row async for batch in batches for row in batch]]
    assert [line for line, _, _ in rows] == list(range(1, 2501))
    assert threads == {threading.current_thread()}


async def test_other_tasks_run_between_the_batches_of_an_iterator() -> None:
    beats = 0
    at_end = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(beat)
        await collect(as_rows("09121234567" for _ in range(10_000)))
        at_end = beats
        tasks.cancel_scope.cancel()
    assert at_end >= 9


async def test_async_iterables_are_read() -> None:
    async def items() -> AsyncIterator[tuple[str, str]]:
        for n in range(2500):
            yield "09121234567", str(n)

    rows = await collect(as_rows(items()), None)
    assert [values for _, _, values in rows] == [(str(n),) for n in range(2500)]
    assert rows[-1][0] == 2500


class Recorder(io.BytesIO):
    """A file that records the thread of each read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.threads: set[threading.Thread] = set()

    def read(self, size: int | None = -1, /) -> bytes:
        self.threads.add(threading.current_thread())
        return super().read(size)


async def test_files_are_read_in_another_thread() -> None:
    file = Recorder(CSV)
    rows = read_rows(file)
    file.threads.clear()
    assert await collect(rows, ["name"]) == [ROW]
    assert file.threads
    assert threading.current_thread() not in file.threads


async def test_a_file_is_closed_when_reading_stops_early(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    written(path, "mobile\n" + "09121234567\n" * 20_000)
    opened: list[Any] = []
    real = Path.open

    def record(self: Path, mode: str) -> Any:
        opened.append(real(self, mode))
        return opened[-1]

    monkeypatch.setattr(Path, "open", record)
    batches: Any = read_rows(path).batches(())
    assert len(await anext(batches)) > 0
    assert not opened[0].closed
    await batches.aclose()
    assert opened[0].closed
