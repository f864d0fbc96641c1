"""Files to upload: described and checked beforehand, read piece by piece on demand. Nothing is sent here."""

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

from ippanel_edge.errors import ConfigurationError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

FileInput: TypeAlias = str | os.PathLike[str] | BinaryIO | tuple[str, bytes] | tuple[str, BinaryIO]
"""A path, a binary file object that has a name, or a name with bytes or a binary file object."""

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
_PIECE: Final = 64 * 1024
# Control characters, halves of surrogate pairs, line and paragraph separators. Format characters stay (a Persian name
# may hold a ZWNJ), but for those that turn the direction of what follows and so disguise an extension.
_UNFIT_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_UNFIT: Final = frozenset("\"'\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@attrs.frozen(kw_only=True)
class Upload:
    """A file that can be sent.

    Attributes:
        name: the file's name for the service, fit for a header.
        content_type: by the name's extension.
        size: bytes from where sending begins, None where only reading to the end would tell.
        rewindable: whether the file can be sent a second time after some of it was read.
    """

    name: str
    content_type: str
    size: int | None
    rewindable: bool
    _open: Callable[[], BinaryIO] = attrs.field(alias="open", repr=False, eq=False)

    def part(self) -> tuple[str, BinaryIO, str]:
        """Make a part of a multipart request: name, content, content type.

        The content yields exactly `size` bytes, from the start with every call, and holds nothing that has to be
        closed: a path is opened for each piece, and a caller's file object stays the caller's to close. Reading raises
        OSError where the file changed since it was described, or cannot be read a second time.
        """
        return self.name, self._open(), self.content_type


def open_upload(
    value: FileInput, *, argument: str, kinds: frozenset[str] | None, max_bytes: int | None, check_limits: bool = True
) -> Upload:
    """Describe a file and check that it can be sent.

    Args:
        value: a path, a binary file object that has a name (sent from its current position on and left open),
            ``(name, bytes)`` or ``(name, binary file object)``.
        argument: its name for the error.
        kinds: the extensions the service takes, in small letters without the dot, None for any.
        max_bytes: the largest size the service takes, None for any.
        check_limits: whether to check `kinds` and `max_bytes`.

    Returns:
        The file, of which nothing but its description has been read.

    Raises:
        ConfigurationError: missing, no regular file, unreadable, empty, nameless, opened as text, or of a kind or
            size that the service refuses.

    Source: send/file.md, ticket/create-ticket.md, user/documents/upload-document.md.
    """
    limit = max_bytes if check_limits else None
    upload = _described(value, argument, limit)
    if upload.size == 0:
        raise ConfigurationError("has nothing to send: the file is empty, or read to its end", argument=argument)
    if not check_limits:
        return upload
    if kinds is not None and _extension(upload.name) not in kinds:
        allowed = ", ".join(f".{kind}" for kind in sorted(kinds))
        raise ConfigurationError(f"{upload.name!r} must be one of {allowed}", argument=argument)
    if limit is not None and upload.size is not None and upload.size > limit:
        problem = f"{upload.name!r} must have at most {limit:,} bytes, not {upload.size:,}"
        raise ConfigurationError(problem, argument=argument)
    return upload


def safe_name(name: str) -> str:
    """Make a file's name fit for a header: its last path part, without quotes, control and direction characters.

    Returns:
        At most 100 characters, the extension kept; empty where nothing is left.
    """
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(
        character
        for character in last
        if character not in _UNFIT and unicodedata.category(character) not in _UNFIT_CATEGORIES
    )
    stem, dot, extension = kept.strip().strip(".").rpartition(".")
    if not dot or len(extension) > _MAX_EXTENSION:
        return f"{stem}{dot}{extension}"[:_MAX_NAME]
    return f"{stem[: _MAX_NAME - 1 - len(extension)]}.{extension}"


def _extension(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _described(value: object, argument: str, limit: int | None) -> Upload:
    if isinstance(value, str | os.PathLike):
        return _from_path(cast("str | os.PathLike[str]", value), argument)
    if isinstance(value, tuple):
        return _from_pair(cast("tuple[object, ...]", value), argument, limit)
    if hasattr(value, "read"):
        return _from_file(cast("BinaryIO", value), getattr(value, "name", None), argument, limit)
    remedy = ": give them a name, (name, bytes)" if isinstance(value, bytes | bytearray) else ""
    problem = f"must be a path, a binary file object or (name, bytes), not {type(value).__name__}{remedy}"
    raise ConfigurationError(problem, argument=argument)


def _upload(name: str, size: int | None, make: Callable[[], BinaryIO], *, rewindable: bool = True) -> Upload:
    kind = _CONTENT_TYPES.get(_extension(name), _UNKNOWN_TYPE)
    return Upload(name=name, content_type=kind, size=size, rewindable=rewindable, open=make)


def _named(name: object, argument: str) -> str:
    # A file object over a descriptor has a number for its name, standard input has "<stdin>".
    safe = safe_name(name) if isinstance(name, str) and not re.fullmatch(r"<.*>", name) else ""
    if not safe:
        problem = "has no file name to send: give (name, bytes) or (name, file), or set the file object's .name"
        raise ConfigurationError(problem, argument=argument)
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
        raise ConfigurationError(problem, argument=argument) from None
    except (TypeError, ValueError):  # a PathLike of bytes; NUL or half a surrogate pair in the path
        raise ConfigurationError("must be the path of a file, as text", argument=argument) from None
    if not stat.S_ISREG(found.st_mode):
        what = "is a directory" if stat.S_ISDIR(found.st_mode) else "is no regular file"
        raise ConfigurationError(f"{what}: {str(path)[:200]!r}", argument=argument)
    version = _version(found)

    # Opened for each piece: a request that breaks off, or is never sent, then leaves no file open, and a file that is
    # replaced in between is noticed rather than mixed with its successor.
    def read_at(offset: int, length: int) -> bytes:
        with path.open("rb", buffering=0) as file:
            if _version(os.fstat(file.fileno())) != version:
                raise OSError(f"{path.name!r} changed while it was to be sent")
            file.seek(offset)
            return file.read(length)

    size = found.st_size
    return _upload(_named(path.name, argument), size, lambda: io.BufferedReader(_Window(read_at, size), _PIECE))


def _version(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def _from_pair(pair: tuple[object, ...], argument: str, limit: int | None) -> Upload:
    if len(pair) != 2:  # noqa: PLR2004 - a pair
        raise ConfigurationError(f"must be (name, bytes), not a tuple of {len(pair)}", argument=argument)
    given, content = pair
    name = _named(given, argument)
    if hasattr(content, "read"):
        return _from_file(cast("BinaryIO", content), name, argument, limit)
    if not isinstance(content, bytes | bytearray):
        remedy = ": .encode() it" if isinstance(content, str) else ""
        problem = f"must be (name, bytes), not (name, {type(content).__name__}){remedy}"
        raise ConfigurationError(problem, argument=argument)
    data = bytes(content)
    return _upload(name, len(data), lambda: io.BytesIO(data))


def _from_file(file: BinaryIO, given: object, argument: str, limit: int | None) -> Upload:
    _refuse_what_gives_no_bytes(file, argument)
    name = _named(given, argument)
    try:
        start = file.tell()
        file.seek(0, os.SEEK_END)
        end = file.tell()
        file.seek(start)
    except (AttributeError, OSError):
        source = _Source(file=file, limit=limit)
        return _upload(name, None, lambda: io.BufferedReader(_Once(source), _PIECE), rewindable=False)

    def read_at(offset: int, length: int) -> bytes:
        file.seek(start + offset)
        return file.read(length)

    size = max(0, end - start)
    return _upload(name, size, lambda: io.BufferedReader(_Window(read_at, size), _PIECE))


def _refuse_what_gives_no_bytes(file: BinaryIO, argument: str) -> None:
    if inspect.iscoroutinefunction(file.read):
        problem = "must be a file object that is read without await: give (name, the plain file it wraps)"
        raise ConfigurationError(problem, argument=argument)
    try:
        nothing = cast("object", file.read(0))  # a caller without a type checker may hand over a text file
    except (OSError, TypeError, ValueError) as error:  # write-only, no size to be given, closed
        raise ConfigurationError(f"cannot be read: {error}", argument=argument) from None
    if not isinstance(nothing, bytes):
        problem = f'must be a binary file object: open it with mode "rb" (it reads {type(nothing).__name__})'
        raise ConfigurationError(problem, argument=argument)


class _Window(io.RawIOBase):
    """As many bytes as were announced, no more and no fewer: the request's length stands before them."""

    def __init__(self, read_at: Callable[[int, int], bytes], size: int) -> None:
        super().__init__()
        self._read_at = read_at
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that it can be rewound."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to an offset from the start, the position or the end."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer with what comes next; 0 at the end."""
        view = memoryview(buffer)
        wanted = min(len(view), self._size - self._position)
        if wanted <= 0:
            return 0
        data = self._read_at(self._position, wanted)
        if not data:
            raise OSError("the file became shorter while it was to be sent")
        view[: len(data)] = data
        self._position += len(data)
        return len(data)


@attrs.define
class _Source:
    """A caller's file object that cannot go back, and how far it has been read."""

    file: BinaryIO
    limit: int | None
    taken: int = 0


class _Once(io.RawIOBase):
    """What a source that cannot go back still has: complete the first time, an error after that."""

    def __init__(self, source: _Source) -> None:
        super().__init__()
        self._source = source
        self._position = 0

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer with what comes next; 0 at the end."""
        source = self._source
        if self._position != source.taken:
            raise OSError("the file cannot be read a second time")
        view = memoryview(buffer)
        data = source.file.read(len(view))
        view[: len(data)] = data
        self._position = source.taken = source.taken + len(data)
        if source.limit is not None and source.taken > source.limit:
            raise OSError(f"the file has more than {source.limit:,} bytes")
        return len(data)
