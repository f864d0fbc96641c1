"""Files to upload: validated before the request, read in chunks while it is sent. This module does not send."""

from __future__ import annotations

import inspect
import io
import os
import re
import stat
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, TypeAlias, cast

import attrs

from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values.secrets import Secret

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FileInput: TypeAlias = str | os.PathLike[str] | BinaryIO | tuple[str, bytes] | tuple[str, BinaryIO]
"""A path, a binary file object with a name, or a tuple of a name and bytes or a binary file object."""

_CONTENT_TYPES: Final = {
    "csv": "text/csv",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
_UNKNOWN_TYPE: Final = "application/octet-stream"
_MAX_NAME: Final = 100
_MAX_EXTENSION: Final = 10
_CHUNK_SIZE: Final = 64 * 1024
# Control characters, lone surrogates, line and paragraph separators. Format characters are kept (a Persian name may
# contain a ZWNJ), except those that change the text direction, because they can disguise an extension.
_REMOVED_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_REMOVED: Final = frozenset("\"'\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@attrs.frozen(kw_only=True)
class Upload:
    """A validated file to upload.

    Attributes:
        name: the file name sent to the service, safe to use in a header.
        content_type: the MIME type for the name's extension.
        size: the number of bytes to send, None if it is unknown before reading to the end.
        rewindable: whether the file can be read again from the start, which a retry requires.
    """

    name: str
    content_type: str
    size: int | None
    rewindable: bool
    _open: Callable[[], BinaryIO] = attrs.field(alias="open", repr=False, eq=False)

    def part(self) -> tuple[str, BinaryIO, str]:
        """Return a part of a multipart request: name, content, content type.

        The content yields exactly `size` bytes, from the start on every call, and does not need closing: a path is
        opened for each chunk, and a file object is left for the caller to close. Reading raises OSError if the file
        changed after validation or cannot be read a second time.
        """
        return self.name, self._open(), self.content_type


def open_upload(
    value: FileInput, *, argument: str, kinds: frozenset[str] | None, max_bytes: int | None, check_limits: bool = True
) -> Upload:
    """Validate a file and return its description; the content is not read.

    Args:
        value: a path, a binary file object with a name (sent from its current position and left open),
            ``(name, bytes)`` or ``(name, binary file object)``.
        argument: the argument's name in the error.
        kinds: the extensions the service accepts, in lower case without the dot; None for any.
        max_bytes: the maximum size the service accepts; None for any.
        check_limits: whether to check `kinds` and `max_bytes`.

    Returns:
        The file's name, content type and size, and access to its content.

    Raises:
        InvalidArgument: the file is missing, not a regular file, unreadable, empty, without a name, opened in text
            mode, or of a type or size that the service does not accept.

    Source: send/file.md, ticket/create-ticket.md, user/documents/upload-document.md.
    """
    limit = max_bytes if check_limits else None
    upload = _describe(value, argument, limit)
    if upload.size == 0:
        raise InvalidArgument("the file is empty or already read to the end (seek(0) first)", argument=argument)
    if not check_limits:
        return upload
    if kinds is not None and _extension(upload.name) not in kinds:
        allowed = ", ".join(f".{kind}" for kind in sorted(kinds))
        raise InvalidArgument(f"expected one of the file types {allowed}, got {upload.name!r}", argument=argument)
    if limit is not None and upload.size is not None and upload.size > limit:
        problem = f"expected at most {limit:,} bytes, got {upload.size:,} in {upload.name!r}"
        raise InvalidArgument(problem, argument=argument)
    return upload


def safe_name(name: str) -> str:
    """Return a file name that is safe in a header: the last path component, without quotes and control characters.

    Line separators, lone surrogates and characters that change the text direction are removed too.

    Returns:
        At most 100 characters, with the extension kept; empty if no character is left.
    """
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(
        character
        for character in last
        if character not in _REMOVED and unicodedata.category(character) not in _REMOVED_CATEGORIES
    )
    stem, dot, extension = kept.strip().strip(".").rpartition(".")
    if not dot or len(extension) > _MAX_EXTENSION:
        return f"{stem}{dot}{extension}"[:_MAX_NAME]
    return f"{stem[: _MAX_NAME - 1 - len(extension)]}.{extension}"


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _describe(value: object, argument: str, limit: int | None) -> Upload:
    if isinstance(value, str | os.PathLike) and not isinstance(value, Secret):  # an error quotes the path
        return _from_path(cast("str | os.PathLike[str]", value), argument)
    if isinstance(value, tuple):
        return _from_pair(cast("tuple[object, ...]", value), argument, limit)
    if hasattr(value, "read"):
        return _from_file(cast("BinaryIO", value), getattr(value, "name", None), argument, limit)
    remedy = "; pass (name, bytes)" if isinstance(value, bytes | bytearray) else ""
    problem = f"expected a path, a binary file object or (name, bytes), got {type(value).__name__}{remedy}"
    raise InvalidArgument(problem, argument=argument)


def _upload(name: str, size: int | None, opener: Callable[[], BinaryIO], *, rewindable: bool = True) -> Upload:
    content_type = _CONTENT_TYPES.get(_extension(name), _UNKNOWN_TYPE)
    return Upload(name=name, content_type=content_type, size=size, rewindable=rewindable, open=opener)


def _file_name(name: object, argument: str) -> str:
    # The name of a file object opened from a descriptor is an int, that of standard input is "<stdin>".
    safe = safe_name(name) if isinstance(name, str) and not re.fullmatch(r"<.*>", name) else ""
    if not safe:
        problem = "missing file name; pass (name, bytes) or (name, file), or set the file object's .name"
        raise InvalidArgument(problem, argument=argument)
    return safe


def _from_path(value: str | os.PathLike[str], argument: str) -> Upload:
    try:
        path = Path(value)
        found = path.stat()
        if stat.S_ISREG(found.st_mode):
            with path.open("rb") as file:
                found = os.fstat(file.fileno())
    except OSError as error:
        problem = f"cannot be read: {error.strerror or type(error).__name__}: {str(value)[:200]!r}"
        raise InvalidArgument(problem, argument=argument) from None
    except (TypeError, ValueError):  # a PathLike of bytes, or NUL or a lone surrogate in the path
        problem = "expected a str path without NUL characters and lone surrogates"
        raise InvalidArgument(problem, argument=argument) from None
    if not stat.S_ISREG(found.st_mode):
        kind = "a directory" if stat.S_ISDIR(found.st_mode) else "a special file (pipe, socket or device)"
        raise InvalidArgument(f"expected a regular file, got {kind}: {str(path)[:200]!r}", argument=argument)
    version = _version(found)

    # The path is opened for each chunk: a request that fails or is never sent leaves no file open, and a file that is
    # replaced while it is sent is detected instead of being mixed with its replacement.
    def read_at(offset: int, length: int) -> bytes:
        with path.open("rb", buffering=0) as file:
            if _version(os.fstat(file.fileno())) != version:
                raise OSError(f"{path.name!r} changed since the request was created")
            file.seek(offset)
            return file.read(length)

    size = found.st_size
    return _upload(
        _file_name(path.name, argument), size, lambda: io.BufferedReader(_FixedSizeReader(read_at, size), _CHUNK_SIZE)
    )


def _version(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _from_pair(pair: tuple[object, ...], argument: str, limit: int | None) -> Upload:
    if len(pair) != 2:  # noqa: PLR2004 - a pair
        raise InvalidArgument(f"expected (name, bytes), got a tuple of length {len(pair)}", argument=argument)
    given, content = pair
    name = _file_name(given, argument)
    if hasattr(content, "read"):
        return _from_file(cast("BinaryIO", content), name, argument, limit)
    if not isinstance(content, bytes | bytearray):
        remedy = "; call .encode() on the content" if isinstance(content, str) else ""
        problem = f"expected (name, bytes), got (name, {type(content).__name__}){remedy}"
        raise InvalidArgument(problem, argument=argument)
    data = bytes(content)
    return _upload(name, len(data), lambda: io.BytesIO(data))


def _from_file(file: BinaryIO, given: object, argument: str, limit: int | None) -> Upload:
    _check_reads_bytes(file, argument)
    name = _file_name(given, argument)
    try:
        start = file.tell()
        file.seek(0, os.SEEK_END)
        end = file.tell()
        file.seek(start)
    except (AttributeError, OSError):
        source = _UnseekableFile(file=file, limit=limit)
        return _upload(name, None, lambda: io.BufferedReader(_SinglePassReader(source), _CHUNK_SIZE), rewindable=False)

    def read_at(offset: int, length: int) -> bytes:
        file.seek(start + offset)
        return file.read(length)

    size = max(0, end - start)
    return _upload(name, size, lambda: io.BufferedReader(_FixedSizeReader(read_at, size), _CHUNK_SIZE))


def _check_reads_bytes(file: BinaryIO, argument: str) -> None:
    if inspect.iscoroutinefunction(file.read):
        problem = (
            "expected a synchronous file object, got an async read(); pass (name, file) with the file that it wraps"
        )
        raise InvalidArgument(problem, argument=argument)
    try:
        empty = cast("object", file.read(0))  # a caller without a type checker may pass a text file
    except (OSError, TypeError, ValueError) as error:  # write-only, read() without a size, closed
        raise InvalidArgument(f"cannot be read: {error}", argument=argument) from None
    if not isinstance(empty, bytes):
        problem = f'expected a binary file object, got one that reads {type(empty).__name__}; open it with mode "rb"'
        raise InvalidArgument(problem, argument=argument)


class _FixedSizeReader(io.RawIOBase):
    """A reader of exactly `size` bytes, because the request's Content-Length is sent before the content."""

    def __init__(self, read_at: Callable[[int, int], bytes], size: int) -> None:
        super().__init__()
        self._read_at = read_at
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Return True: the reader is readable."""
        return True

    def seekable(self) -> bool:
        """Return True: the reader is seekable."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Set the position, relative to the start, the current position or the end, and return it."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read the next bytes into the buffer and return their number; 0 at the end."""
        view = memoryview(buffer)
        length = min(len(view), self._size - self._position)
        if length <= 0:
            return 0
        data = self._read_at(self._position, length)
        if not data:
            raise OSError("the file became shorter while it was being sent")
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


@attrs.define
class _UnseekableFile:
    """A caller's file object that is not seekable, and the number of bytes read from it so far."""

    file: BinaryIO
    limit: int | None
    position: int = 0


class _SinglePassReader(io.RawIOBase):
    """A reader of a file that is not seekable: it yields the content once, and raises OSError after that."""

    def __init__(self, source: _UnseekableFile) -> None:
        super().__init__()
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        """Return True: the reader is readable."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read the next bytes into the buffer and return their number; 0 at the end."""
        source = self._source
        if self._position != source.position:
            raise OSError("the file is not seekable, so it cannot be read a second time")
        view = memoryview(buffer)
        data = source.file.read(len(view))
        view[: len(data)] = data
        self._position = source.position = source.position + len(data)
        if source.limit is not None and source.position > source.limit:
            raise OSError(f"the file has more than {source.limit:,} bytes")
        return len(data)
