"""What can be uploaded is described without being read, and read to the byte when it is sent."""

from __future__ import annotations

import gzip
import io
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge.errors import ConfigurationError
from ippanel_edge.values.files import FileInput, Upload, open_upload, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator

SHEETS = frozenset({"csv", "xlsx"})
ROWS = b"phone_number\n09121234567\n"


class OneWay(io.RawIOBase):
    """A stream that cannot go back, as a pipe or a socket."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._content = io.BytesIO(content)
        self.name = "stream.csv"

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._content.read(size)


def described(
    value: object,
    *,
    kinds: frozenset[str] | None = None,
    max_bytes: int | None = None,
    check_limits: bool = True,
) -> Upload:
    return open_upload(
        cast("FileInput", value), argument="file", kinds=kinds, max_bytes=max_bytes, check_limits=check_limits
    )


def why(
    value: object, *, kinds: frozenset[str] | None = None, max_bytes: int | None = None, check_limits: bool = True
) -> str:
    with pytest.raises(ConfigurationError) as caught:
        described(value, kinds=kinds, max_bytes=max_bytes, check_limits=check_limits)
    assert caught.value.argument == "file"
    return str(caught.value)


def sent(upload: Upload) -> bytes:
    return upload.part()[1].read()


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.csv"
    path.write_bytes(ROWS)
    return path


@pytest.fixture
def opened(sheet: Path) -> Iterator[BinaryIO]:
    with sheet.open("rb") as file:
        yield file


def test_a_path_is_described_without_being_read(sheet: Path) -> None:
    upload = described(str(sheet), kinds=SHEETS, max_bytes=len(ROWS))
    assert (upload.name, upload.content_type, upload.size, upload.rewindable) == (
        "numbers.csv",
        "text/csv",
        len(ROWS),
        True,
    )
    assert "phone_number" not in repr(upload)
    assert sent(upload) == sent(upload) == ROWS


def test_any_pathlike_of_text_is_a_path(sheet: Path) -> None:
    class Entry:
        def __fspath__(self) -> str:
            return str(sheet)

    assert sent(described(Entry())) == ROWS


def test_a_file_object_is_sent_from_where_it_stands_and_left_open(opened: BinaryIO) -> None:
    opened.seek(13)
    upload = described(opened, kinds=SHEETS)
    assert (upload.name, upload.size, upload.rewindable) == ("numbers.csv", len(ROWS) - 13, True)
    assert opened.tell() == 13
    assert sent(upload) == sent(upload) == ROWS[13:]
    assert not opened.closed


def test_a_name_with_bytes_is_sent_from_memory() -> None:
    upload = described(("a.XLSX", b"PK"), kinds=SHEETS)
    assert (upload.name, upload.size, upload.rewindable) == ("a.XLSX", 2, True)
    assert upload.content_type == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert b"PK" not in repr(upload).encode()
    assert sent(upload) == sent(upload) == b"PK"


def test_a_bytearray_is_sent_as_it_was(sheet: Path) -> None:
    content = bytearray(b"before")
    upload = described((sheet.name, content))
    content[:] = b"after!"
    assert sent(upload) == b"before"


def test_a_name_may_come_with_a_file_object() -> None:
    upload = described(("numbers.csv", io.BytesIO(ROWS)))
    assert (upload.name, upload.size) == ("numbers.csv", len(ROWS))
    assert sent(upload) == ROWS


def test_a_file_object_may_be_given_a_name() -> None:
    file = io.BytesIO(ROWS)
    file.name = str(Path("somewhere") / "numbers.csv")
    assert described(file, kinds=SHEETS).name == "numbers.csv"


def test_a_compressed_file_object_is_as_long_as_what_it_gives(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    with gzip.open(path, "wb") as packed:
        packed.write(ROWS * 100)
    with gzip.open(path, "rb") as file:
        upload = described(file)
        assert upload.size == len(ROWS) * 100
        assert sent(upload) == ROWS * 100


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.csv", "text/csv"),
        ("a.zip", "application/zip"),
        ("a.jpg", "image/jpeg"),
        ("a.JPEG", "image/jpeg"),
        ("a.b.png", "image/png"),
        ("a.exe", "application/octet-stream"),
        ("csv", "application/octet-stream"),
    ],
)
def test_the_content_type_goes_by_the_extension(name: str, content_type: str) -> None:
    assert described((name, b"x")).content_type == content_type


def test_a_stream_that_cannot_go_back_is_sent_once() -> None:
    upload = described(OneWay(ROWS), kinds=SHEETS, max_bytes=len(ROWS))
    assert (upload.name, upload.size, upload.rewindable) == ("stream.csv", None, False)
    upload.part()  # of a request that never began
    assert sent(upload) == ROWS
    with pytest.raises(OSError, match="cannot be read a second time"):
        sent(upload)


def test_a_stream_over_the_limit_is_not_sent_whole() -> None:
    with pytest.raises(OSError, match="more than 10 bytes"):
        sent(described(OneWay(ROWS), max_bytes=10))
    assert sent(described(OneWay(ROWS), max_bytes=10, check_limits=False)) == ROWS


@pytest.mark.parametrize("content", [b"x", b"x" * 65_536, b"xy" * 100_000])
def test_httpx_sends_a_part_whole_and_knows_its_length(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "numbers.csv"
    path.write_bytes(content)
    with path.open("rb") as file:
        for value in (path, file, ("numbers.csv", content), ("numbers.csv", io.BytesIO(content))):
            request = httpx.Request("POST", "http://localhost", files=[("files[]", described(value).part())])
            body = request.read()
            assert int(request.headers["content-length"]) == len(body)
            assert b'name="files[]"; filename="numbers.csv"\r\nContent-Type: text/csv\r\n\r\n' + content in body


def test_httpx_sends_a_file_object_from_where_it_stands(opened: BinaryIO) -> None:
    opened.seek(13)
    request = httpx.Request("POST", "http://localhost", files=[("file", described(opened).part())])
    body = request.read()
    assert int(request.headers["content-length"]) == len(body)
    assert b"\r\n\r\n09121234567\n\r\n" in body


def test_httpx_sends_a_stream_in_chunks() -> None:
    request = httpx.Request("POST", "http://localhost", files=[("file", described(OneWay(ROWS)).part())])
    assert request.headers["transfer-encoding"] == "chunked"
    assert ROWS in request.read()


def test_a_part_can_be_walked_like_a_file(sheet: Path) -> None:
    content = described(sheet).part()[1]
    assert content.seekable()
    assert content.seek(-12, os.SEEK_END) == 13
    assert content.read(5) == b"09121"
    content.seek(1, os.SEEK_CUR)
    assert content.read() == b"34567\n"
    assert content.read() == b""


def test_a_path_holds_no_file_open(sheet: Path) -> None:
    sheet.write_bytes(ROWS * 10_000)
    content = described(sheet).part()[1]
    assert content.read(len(ROWS)) == ROWS
    sheet.unlink()
    with pytest.raises(FileNotFoundError):
        content.read()


def test_a_file_that_changes_in_between_is_not_sent(sheet: Path) -> None:
    upload = described(sheet)
    sheet.write_bytes(ROWS + b"0")
    with pytest.raises(OSError, match=r"'numbers\.csv' changed"):
        sent(upload)


def test_a_file_object_that_grows_is_sent_as_announced(sheet: Path, opened: BinaryIO) -> None:
    upload = described(opened)
    sheet.write_bytes(ROWS * 2)
    assert sent(upload) == ROWS


def test_a_file_object_that_shrinks_is_an_error(sheet: Path, opened: BinaryIO) -> None:
    upload = described(opened)
    sheet.write_bytes(ROWS[:5])
    with pytest.raises(OSError, match="became shorter"):
        sent(upload)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    said = why(tmp_path / "missing.csv")
    assert "cannot be read: No such file" in said
    assert "missing.csv" in said


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert "is a directory" in why(str(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_named_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    if sys.platform != "win32":
        os.mkfifo(pipe)
    assert "is no regular file" in why(pipe)


def test_an_unreadable_file_is_refused(sheet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(sheet))

    monkeypatch.setattr(Path, "open", refuse)  # root may read anything
    assert "cannot be read: Permission denied" in why(sheet)


class BytesPath:
    """A path as bytes."""

    def __fspath__(self) -> bytes:
        return b"numbers.csv"


@pytest.mark.parametrize("value", ["numbers\0.csv", "\ud800.csv", BytesPath()])
def test_what_cannot_be_a_path_is_refused(value: object) -> None:
    assert "must be the path of a file, as text" in why(value)


@pytest.mark.parametrize("value", [None, 7, b"numbers.csv", bytearray(b"1"), ["numbers.csv"]])
def test_what_is_no_file_is_refused(value: object) -> None:
    said = why(value)
    assert f"must be a path, a binary file object or (name, bytes), not {type(value).__name__}" in said
    assert ("give them a name" in said) is isinstance(value, bytes | bytearray)


@pytest.mark.parametrize("value", [("a.csv",), ("a.csv", b"x", "text/csv")])
def test_a_pair_has_two(value: object) -> None:
    assert f"not a tuple of {len(cast('tuple[object, ...]', value))}" in why(value)


def test_a_text_is_not_bytes() -> None:
    assert "must be (name, bytes), not (name, str): .encode() it" in why(("a.csv", "phone_number"))
    assert "must be (name, bytes), not (name, int)" in why(("a.csv", 5))


@pytest.mark.parametrize("name", ["", "..", "/", '"', None, 5, b"a.csv", "<stdin>"])
def test_a_name_that_names_nothing_is_refused(name: object) -> None:
    assert "has no file name to send: give (name, bytes) or (name, file)" in why((name, b"x"))


def test_a_file_object_without_a_name_is_refused() -> None:
    assert "or set the file object's .name" in why(io.BytesIO(b"x"))
    with tempfile.TemporaryFile() as file:
        assert "has no file name to send" in why(file)


def test_a_file_opened_as_text_is_refused(sheet: Path) -> None:
    with sheet.open(encoding="utf-8") as file:
        assert 'open it with mode "rb" (it reads str)' in why(file)
    assert 'mode "rb"' in why(("a.csv", io.StringIO("x")))


def test_a_closed_file_is_refused(sheet: Path) -> None:
    with sheet.open("rb") as file:
        pass
    assert "cannot be read: " in why(file)


def test_a_file_opened_for_writing_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "out.csv").open("wb") as file:
        assert "cannot be read: " in why(file)


def test_a_file_that_is_awaited_is_refused() -> None:
    class Awaited:
        name = "a.csv"

        async def read(self, size: int = -1) -> bytes:
            return b"x" * size

    assert "read without await: give (name, the plain file it wraps)" in why(Awaited())


@pytest.mark.parametrize("check_limits", [True, False])
def test_an_empty_file_is_refused(tmp_path: Path, check_limits: bool) -> None:  # noqa: FBT001 - both ways
    path = tmp_path / "empty.csv"
    path.touch()
    assert "the file is empty" in why(path, check_limits=check_limits)
    assert "the file is empty" in why(("a.csv", b""), check_limits=check_limits)


def test_a_file_object_read_to_its_end_is_refused(opened: BinaryIO) -> None:
    opened.read()
    assert "or read to its end" in why(opened)
    opened.seek(1000)
    assert "or read to its end" in why(opened)


@pytest.mark.parametrize("name", ["a.txt", "csv", ".csv", "a.csv.exe", "a.exe\u202e.vsc"])
def test_another_kind_is_refused_with_those_allowed(name: str) -> None:
    assert "must be one of .csv, .xlsx" in why((name, b"x"), kinds=SHEETS)
    assert described((name, b"x"), kinds=SHEETS, check_limits=False).size == 1


def test_a_file_too_large_is_refused_with_limit_and_size() -> None:
    assert described(("a.zip", b"x" * 2000), max_bytes=2000).size == 2000
    assert "'a.zip' must have at most 1,999 bytes, not 2,000" in why(("a.zip", b"x" * 2000), max_bytes=1999)
    assert described(("a.zip", b"x" * 2000), max_bytes=1999, check_limits=False).size == 2000


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("numbers.csv", "numbers.csv"),
        ("/etc/passwd", "passwd"),
        ("C:\\Users\\a\\numbers.csv", "numbers.csv"),
        ("../../numbers.csv", "numbers.csv"),
        ('a"; filename="b.csv', "a; filename=b.csv"),
        ("a\r\nX-Header: b.csv", "aX-Header: b.csv"),
        ("\u0645\u06cc\u200c\u0634\u0648\u062f.csv", "\u0645\u06cc\u200c\u0634\u0648\u062f.csv"),
        ("a\u202ecsv.exe", "acsv.exe"),
        ("a\ud800\u2028.csv", "a.csv"),
        (" a.csv ", "a.csv"),
        ("a" * 200 + ".xlsx", "a" * 95 + ".xlsx"),
        ("a" * 200, "a" * 100),
        ("a." + "b" * 200, "a." + "b" * 98),
        ("..", ""),
    ],
)
def test_a_name_is_made_fit_for_a_header(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text() | st.text(alphabet="a./\\\"'\r\n\0 \u202e\ud800", max_size=20))
def test_a_fit_name_stays_as_it_is(name: str) -> None:
    safe = safe_name(name)
    assert len(safe) <= 100
    assert not set(safe) & set("/\\\"'\r\n\0\u202e\u2028")
    safe.encode()
    assert safe_name(safe) == safe


@given(st.binary(min_size=1, max_size=300), st.integers(0, 299), st.integers(1, 50))
def test_any_piece_size_gives_the_same_bytes(content: bytes, start: int, piece: int) -> None:
    file = io.BytesIO(content)
    start = min(start, len(content) - 1)
    file.seek(start)
    reader = described(("a.csv", file)).part()[1]
    assert b"".join(iter(lambda: reader.read(piece), b"")) == content[start:]
