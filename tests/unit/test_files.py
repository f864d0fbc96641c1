"""Files to upload are validated without reading them, and sent completely and unchanged."""

from __future__ import annotations

import gzip
import io
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge.errors import ConfigurationError, InvalidArgument
from ippanel_edge.values import sources
from ippanel_edge.values.files import FileInput, Upload
from ippanel_edge.values.uploads import open_upload, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterator

SHEETS = frozenset({"csv", "xlsx"})
ROWS = b"phone_number\n09121234567\n"


class UnseekableStream(io.RawIOBase):
    """A stream that is not seekable, like a pipe or a socket."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._content = io.BytesIO(content)
        self.name = "stream.csv"

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        return self._content.read(size)


def opened_upload(
    value: object,
    *,
    kinds: frozenset[str] | None = None,
    max_bytes: int | None = None,
    check_limits: bool = True,
) -> Upload:
    return open_upload(
        cast("FileInput", value), argument="file", kinds=kinds, max_bytes=max_bytes, check_limits=check_limits
    ).opened()


def rejection(
    value: object, *, kinds: frozenset[str] | None = None, max_bytes: int | None = None, check_limits: bool = True
) -> str:
    with pytest.raises(ConfigurationError) as caught:
        opened_upload(value, kinds=kinds, max_bytes=max_bytes, check_limits=check_limits)
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


def test_a_path_is_validated_without_reading_the_content(sheet: Path) -> None:
    upload = opened_upload(str(sheet), kinds=SHEETS, max_bytes=len(ROWS))
    assert (upload.name, upload.content_type, upload.size, upload.rewindable) == (
        "numbers.csv",
        "text/csv",
        len(ROWS),
        True,
    )
    assert "phone_number" not in repr(upload)
    assert sent(upload) == sent(upload) == ROWS


def test_a_pathlike_of_str_is_accepted(sheet: Path) -> None:
    class Entry:
        def __fspath__(self) -> str:
            return str(sheet)

    assert sent(opened_upload(Entry())) == ROWS


def test_a_file_object_is_sent_from_its_current_position_and_left_open(opened: BinaryIO) -> None:
    opened.seek(13)
    upload = opened_upload(opened, kinds=SHEETS)
    assert (upload.name, upload.size, upload.rewindable) == ("numbers.csv", len(ROWS) - 13, True)
    assert opened.tell() == 13
    assert sent(upload) == sent(upload) == ROWS[13:]
    assert not opened.closed


def test_bytes_with_a_name_are_sent_from_memory() -> None:
    upload = opened_upload(("a.XLSX", b"PK"), kinds=SHEETS)
    assert (upload.name, upload.size, upload.rewindable) == ("a.XLSX", 2, True)
    assert upload.content_type == "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert b"PK" not in repr(upload).encode()
    assert sent(upload) == sent(upload) == b"PK"


def test_a_bytearray_is_copied_when_it_is_validated(sheet: Path) -> None:
    content = bytearray(b"before")
    upload = opened_upload((sheet.name, content))
    content[:] = b"after!"
    assert sent(upload) == b"before"


def test_a_file_object_can_be_passed_with_a_name() -> None:
    upload = opened_upload(("numbers.csv", io.BytesIO(ROWS)))
    assert (upload.name, upload.size) == ("numbers.csv", len(ROWS))
    assert sent(upload) == ROWS


def test_the_name_attribute_of_a_file_object_is_used() -> None:
    file = io.BytesIO(ROWS)
    file.name = str(Path("somewhere") / "numbers.csv")
    assert opened_upload(file, kinds=SHEETS).name == "numbers.csv"


def test_the_size_of_a_compressed_file_object_is_that_of_the_decompressed_content(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    with gzip.open(path, "wb") as packed:
        packed.write(ROWS * 100)
    with gzip.open(path, "rb") as file:
        upload = opened_upload(file)
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
def test_the_content_type_depends_on_the_extension(name: str, content_type: str) -> None:
    assert opened_upload((name, b"x")).content_type == content_type


def test_an_unseekable_stream_can_be_sent_only_once() -> None:
    upload = opened_upload(UnseekableStream(ROWS), kinds=SHEETS, max_bytes=len(ROWS))
    assert (upload.name, upload.size, upload.rewindable) == ("stream.csv", None, False)
    upload.part()  # for a request that is never sent
    assert sent(upload) == ROWS
    with pytest.raises(OSError, match="cannot be read a second time"):
        sent(upload)


def test_a_stream_without_data_yet_raises_an_error() -> None:
    class NonBlocking(UnseekableStream):
        def read(self, size: int = -1, /) -> bytes:
            return b"" if size == 0 else cast("bytes", None)

    with pytest.raises(OSError, match="non-blocking mode and has no data yet"):
        sent(opened_upload(NonBlocking(b"")))


def test_a_file_object_that_another_upload_uses_cannot_be_read(opened: BinaryIO) -> None:
    first, second = opened_upload(opened), opened_upload(opened)
    with first.held():
        assert sent(first) == ROWS
        with pytest.raises(OSError, match="in use by another upload"):
            sent(second)
        with pytest.raises(InvalidArgument, match="in use by another upload"):
            second.opened()
    assert sent(second) == ROWS


def test_a_file_that_changes_while_its_content_is_checked_is_rejected(sheet: Path) -> None:
    def check(stream: BinaryIO, **_: str) -> None:
        sheet.write_bytes(ROWS * 2)
        stream.read()

    upload = open_upload(sheet, argument="file", kinds=None, max_bytes=None, check_content=check)
    with pytest.raises(InvalidArgument, match=r"file: cannot be read: 'numbers\.csv' changed"):
        upload.opened()


def test_a_position_before_the_start_is_an_error(sheet: Path) -> None:
    with pytest.raises(ValueError, match="negative seek"):
        opened_upload(sheet).part()[1].seek(-100, os.SEEK_END)


def test_sending_a_stream_over_the_limit_raises_an_error() -> None:
    with pytest.raises(OSError, match="more than 10 bytes"):
        sent(opened_upload(UnseekableStream(ROWS), max_bytes=10))
    assert sent(opened_upload(UnseekableStream(ROWS), max_bytes=10, check_limits=False)) == ROWS


@pytest.mark.parametrize("content", [b"x", b"x" * 65_536, b"xy" * 100_000])
def test_httpx_sends_a_part_completely_with_its_content_length(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "numbers.csv"
    path.write_bytes(content)
    with path.open("rb") as file:
        for value in (path, file, ("numbers.csv", content), ("numbers.csv", io.BytesIO(content))):
            request = httpx.Request("POST", "http://localhost", files=[("files[]", opened_upload(value).part())])
            body = request.read()
            assert int(request.headers["content-length"]) == len(body)
            assert b'name="files[]"; filename="numbers.csv"\r\nContent-Type: text/csv\r\n\r\n' + content in body


def test_httpx_sends_a_file_object_from_its_current_position(opened: BinaryIO) -> None:
    opened.seek(13)
    request = httpx.Request("POST", "http://localhost", files=[("file", opened_upload(opened).part())])
    body = request.read()
    assert int(request.headers["content-length"]) == len(body)
    assert b"\r\n\r\n09121234567\n\r\n" in body


def test_httpx_sends_an_unseekable_stream_with_chunked_encoding() -> None:
    request = httpx.Request("POST", "http://localhost", files=[("file", opened_upload(UnseekableStream(ROWS)).part())])
    assert request.headers["transfer-encoding"] == "chunked"
    assert ROWS in request.read()


def test_the_content_of_a_part_is_seekable(sheet: Path) -> None:
    content = opened_upload(sheet).part()[1]
    assert content.seekable()
    assert content.seek(-12, os.SEEK_END) == 13
    assert content.read(5) == b"09121"
    content.seek(1, os.SEEK_CUR)
    assert content.read() == b"34567\n"
    assert content.read() == b""


def test_a_partly_read_path_leaves_no_file_open(sheet: Path) -> None:
    sheet.write_bytes(ROWS * 10_000)
    content = opened_upload(sheet).part()[1]
    assert content.read(len(ROWS)) == ROWS
    sheet.unlink()
    with pytest.raises(FileNotFoundError):
        content.read()


def test_a_file_that_changes_after_validation_is_not_sent(sheet: Path) -> None:
    upload = opened_upload(sheet)
    sheet.write_bytes(ROWS + b"0")
    with pytest.raises(OSError, match=r"'numbers\.csv' changed"):
        sent(upload)


def test_a_file_object_that_grows_is_sent_up_to_its_validated_size(sheet: Path, opened: BinaryIO) -> None:
    upload = opened_upload(opened)
    sheet.write_bytes(ROWS * 2)
    assert sent(upload) == ROWS


def test_sending_a_file_object_that_shrinks_raises_an_error(sheet: Path, opened: BinaryIO) -> None:
    upload = opened_upload(opened)
    sheet.write_bytes(ROWS[:5])
    with pytest.raises(OSError, match="became shorter"):
        sent(upload)


@pytest.mark.skipif(sys.platform == "win32", reason="requires fork")
def test_a_child_process_does_not_inherit_a_lock_that_is_held() -> None:
    upload = opened_upload(("a.csv", io.BytesIO(ROWS)))
    with sources._Guard.lock:  # in practice, another thread holds it
        child = os.fork()
        if not child:
            code = 1
            try:
                signal.alarm(10)
                code = 0 if sent(upload) == ROWS else 1
            finally:
                os._exit(code)
    assert os.waitpid(child, 0)[1] == 0


def test_a_missing_file_is_rejected(tmp_path: Path) -> None:
    problem = rejection(tmp_path / "missing.csv")
    assert "cannot be read: No such file" in problem
    assert "missing.csv" in problem


def test_a_directory_is_rejected(tmp_path: Path) -> None:
    assert "expected a regular file, got a directory" in rejection(str(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="requires named pipes")
def test_a_named_pipe_is_rejected_without_blocking(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    if sys.platform != "win32":
        os.mkfifo(pipe)
    assert "expected a regular file, got a special file" in rejection(pipe)


def test_an_unreadable_file_is_rejected(sheet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(sheet))

    monkeypatch.setattr(Path, "open", deny)  # file permissions do not apply to root
    assert "cannot be read: Permission denied" in rejection(sheet)


class BytesPath:
    """A PathLike of bytes."""

    def __fspath__(self) -> bytes:
        return b"numbers.csv"


@pytest.mark.parametrize("value", ["numbers\0.csv", "\ud800.csv", BytesPath()])
def test_an_invalid_path_is_rejected(value: object) -> None:
    assert "expected a str path" in rejection(value)


@pytest.mark.parametrize("value", [None, 7, b"numbers.csv", bytearray(b"1"), ["numbers.csv"]])
def test_a_value_that_is_not_a_file_is_rejected(value: object) -> None:
    problem = rejection(value)
    assert f"expected a path, a binary file object or (name, bytes), got {type(value).__name__}" in problem
    assert ("; pass (name, bytes)" in problem) is isinstance(value, bytes | bytearray)


@pytest.mark.parametrize("value", [("a.csv",), ("a.csv", b"x", "text/csv")])
def test_a_tuple_that_is_not_a_pair_is_rejected(value: object) -> None:
    assert f"got a tuple of length {len(cast('tuple[object, ...]', value))}" in rejection(value)


def test_content_that_is_not_bytes_is_rejected() -> None:
    assert "expected (name, bytes), got (name, str); call .encode()" in rejection(("a.csv", "phone_number"))
    assert "expected (name, bytes), got (name, int)" in rejection(("a.csv", 5))


@pytest.mark.parametrize("name", ["", "..", "/", '"', None, 5, b"a.csv", "<stdin>"])
def test_an_unusable_file_name_is_rejected(name: object) -> None:
    assert "missing file name; pass (name, bytes) or (name, file)" in rejection((name, b"x"))


def test_a_file_object_without_a_name_is_rejected() -> None:
    assert "or set the file object's .name" in rejection(io.BytesIO(b"x"))
    with tempfile.TemporaryFile() as file:
        assert "missing file name" in rejection(file)


def test_a_file_opened_in_text_mode_is_rejected(sheet: Path) -> None:
    with sheet.open(encoding="utf-8") as file:
        assert 'got one that reads str; open it with mode "rb"' in rejection(file)
    assert 'mode "rb"' in rejection(("a.csv", io.StringIO("x")))


def test_a_closed_file_is_rejected(sheet: Path) -> None:
    with sheet.open("rb") as file:
        pass
    assert "cannot be read: " in rejection(file)


def test_a_file_opened_for_writing_is_rejected(tmp_path: Path) -> None:
    with (tmp_path / "out.csv").open("wb") as file:
        assert "cannot be read: " in rejection(file)


def test_an_asynchronous_file_object_is_rejected() -> None:
    class AsyncFile:
        name = "a.csv"

        async def read(self, size: int = -1) -> bytes:
            return b"x" * size

    assert "got an async read(); pass (name, file) with the file that it wraps" in rejection(AsyncFile())


@pytest.mark.parametrize("check_limits", [True, False])
def test_an_empty_file_is_rejected(tmp_path: Path, check_limits: bool) -> None:  # noqa: FBT001 - a parameter of the test
    path = tmp_path / "empty.csv"
    path.touch()
    assert "the file is empty" in rejection(path, check_limits=check_limits)
    assert "the file is empty" in rejection(("a.csv", b""), check_limits=check_limits)


def test_a_file_object_at_its_end_is_rejected(opened: BinaryIO) -> None:
    opened.read()
    assert "already read to the end" in rejection(opened)
    opened.seek(1000)
    assert "already read to the end" in rejection(opened)


@pytest.mark.parametrize("name", ["a.txt", "csv", ".csv", "a.csv.exe", "a.exe\u202e.vsc"])
def test_another_file_type_is_rejected_and_the_error_lists_the_accepted_ones(name: str) -> None:
    assert "expected one of the file types .csv, .xlsx" in rejection((name, b"x"), kinds=SHEETS)
    assert opened_upload((name, b"x"), kinds=SHEETS, check_limits=False).size == 1


def test_a_file_that_is_too_large_is_rejected_and_the_error_states_limit_and_size() -> None:
    assert opened_upload(("a.zip", b"x" * 2000), max_bytes=2000).size == 2000
    assert "expected at most 1,999 bytes, got 2,000 in 'a.zip'" in rejection(("a.zip", b"x" * 2000), max_bytes=1999)
    assert opened_upload(("a.zip", b"x" * 2000), max_bytes=1999, check_limits=False).size == 2000


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
def test_safe_name_returns_a_name_that_is_safe_in_a_header(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text() | st.text(alphabet="a./\\\"'\r\n\0 \u202e\ud800", max_size=20))
def test_safe_name_is_idempotent_for_any_name(name: str) -> None:
    safe = safe_name(name)
    assert len(safe) <= 100
    assert not set(safe) & set("/\\\"'\r\n\0\u202e\u2028")
    safe.encode()
    assert safe_name(safe) == safe


@given(st.binary(min_size=1, max_size=300), st.integers(0, 299), st.integers(1, 50))
def test_reading_in_chunks_of_any_size_yields_the_same_bytes(content: bytes, start: int, chunk_size: int) -> None:
    file = io.BytesIO(content)
    start = min(start, len(content) - 1)
    file.seek(start)
    reader = opened_upload(("a.csv", file)).part()[1]
    assert b"".join(iter(lambda: reader.read(chunk_size), b"")) == content[start:]
