"""Files to upload: described without I/O, checked before the request, read in chunks while it is sent.

This module does not send.
"""

from __future__ import annotations

import os
import re
import unicodedata
from contextlib import AbstractContextManager
from inspect import iscoroutinefunction
from pathlib import Path
from typing import BinaryIO, Final, Protocol, TypeAlias, cast

import attrs

from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values.secrets import Secret
from ippanel_edge.values.sources import Content, FileObject, InMemory, OnDisk, Source

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
# Control characters, lone surrogates, line and paragraph separators. Format characters are kept (a Persian name may
# contain a ZWNJ), except those that change the text direction, because they can disguise an extension.
_REMOVED_CATEGORIES: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
_REMOVED: Final = frozenset("\"'\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class CheckContent(Protocol):
    """A check of a file's content."""

    def __call__(self, stream: BinaryIO, *, name: str, argument: str) -> None:
        """Read the content and raise InvalidArgument if it is invalid."""
        ...


@attrs.frozen(kw_only=True)
class Upload:
    """A file to upload. Its name and type are checked; `opened` checks what requires reading.

    Attributes:
        name: the file name sent to the service, safe to use in a header.
        content_type: the MIME type for the name's extension.
        size: the number of bytes to send. None for a path or a file object before `opened`, and for a file object
            that is not seekable.
        rewindable: whether the file can be read again from the start, which a retry requires.
    """

    name: str
    content_type: str
    size: int | None = None
    rewindable: bool = True
    _argument: str = attrs.field(alias="argument", repr=False, eq=False)
    _source: Source = attrs.field(alias="source", repr=False, eq=False)
    _max_bytes: int | None = attrs.field(default=None, alias="max_bytes", repr=False, eq=False)
    _check_content: CheckContent | None = attrs.field(default=None, alias="check_content", repr=False, eq=False)
    _content: Content | None = attrs.field(default=None, alias="content", repr=False, eq=False)

    def held(self) -> AbstractContextManager[object]:
        """Keep other uploads from using the same file object inside of the with block.

        Raises:
            InvalidArgument: another upload uses it.
        """
        return self._source.held()

    def opened(self) -> Upload:
        """Return the upload with its size, after the checks that read the file. This may take time.

        The content is checked only if it can be read a second time.

        Raises:
            InvalidArgument: the file is missing, not a regular file, unreadable, empty, opened in text mode, too large,
                in use by another upload, or its content is invalid.
        """
        with self._source.held():
            content = self._source.open(self._max_bytes)
            self._check_size(content.size)
            if content.size is not None and self._check_content is not None:
                try:
                    self._check_content(content.stream(), name=self.name, argument=self._argument)
                except OSError as error:
                    problem = f"cannot be read: {error.strerror or error}"
                    raise InvalidArgument(problem, argument=self._argument) from None
                finally:
                    content.rewind()
        return attrs.evolve(self, size=content.size, rewindable=content.size is not None, content=content)

    def part(self) -> tuple[str, BinaryIO, str]:
        """Return a part of a multipart request: name, content, content type.

        The content yields exactly `size` bytes, from the start on every call, and does not need closing: a path is
        opened for each chunk, and a file object is left for the caller to close. Reading raises OSError if the file
        changed since `opened` or cannot be read a second time.
        """
        content = self._content or self._source.open(self._max_bytes)
        return self.name, content.stream(), self.content_type

    def _check_size(self, size: int | None) -> None:
        if size == 0:
            problem = "the file is empty or already read to the end (seek(0) first)"
            raise InvalidArgument(problem, argument=self._argument)
        if size is not None and self._max_bytes is not None and size > self._max_bytes:
            problem = f"expected at most {self._max_bytes:,} bytes, got {size:,} in {self.name!r}"
            raise InvalidArgument(problem, argument=self._argument)


def open_upload(
    value: FileInput,
    *,
    argument: str,
    kinds: frozenset[str] | None,
    max_bytes: int | None,
    check_limits: bool = True,
    check_content: CheckContent | None = None,
) -> Upload:
    """Check the name and the type of a file and return its description, without I/O.

    Args:
        value: a path, a binary file object with a name (sent from its current position and left open),
            ``(name, bytes)`` or ``(name, binary file object)``.
        argument: the argument's name in the error.
        kinds: the extensions the service accepts, in lower case without the dot; None for any.
        max_bytes: the maximum size the service accepts; None for any.
        check_limits: whether to check `kinds` and `max_bytes`.
        check_content: checks the content before the file is sent, if the file is seekable.

    Returns:
        The file's name and content type, and access to its content.

    Raises:
        InvalidArgument: the value is not a file, has no name, or is of a type that the service does not accept; bytes
            are empty or too large.

    Source: send/file.md, ticket/create-ticket.md, user/documents/upload-document.md.
    """
    name, source = _described(value, argument)
    if check_limits and kinds is not None and extension(name) not in kinds:
        allowed = ", ".join(f".{kind}" for kind in sorted(kinds))
        raise InvalidArgument(f"expected one of the file types {allowed}, got {name!r}", argument=argument)
    upload = Upload(
        name=name,
        content_type=_CONTENT_TYPES.get(extension(name), _UNKNOWN_TYPE),
        argument=argument,
        source=source,
        max_bytes=max_bytes if check_limits else None,
        check_content=check_content,
    )
    if isinstance(source, InMemory):
        size = len(source.data)
        upload._check_size(size)  # noqa: SLF001 - an object of this module
        return attrs.evolve(upload, size=size)
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


def extension(name: str) -> str:
    """Return the extension of a file name in lower case, without the dot; empty if there is none."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def _described(value: object, argument: str) -> tuple[str, Source]:
    if isinstance(value, str | os.PathLike) and not isinstance(value, Secret):  # an error quotes the path
        return _from_path(cast("str | os.PathLike[str]", value), argument)
    if isinstance(value, tuple):
        return _from_pair(cast("tuple[object, ...]", value), argument)
    if hasattr(value, "read"):
        return _from_file(cast("BinaryIO", value), getattr(value, "name", None), argument)
    remedy = "; pass (name, bytes)" if isinstance(value, bytes | bytearray) else ""
    problem = f"expected a path, a binary file object or (name, bytes), got {type(value).__name__}{remedy}"
    raise InvalidArgument(problem, argument=argument)


def _file_name(name: object, argument: str) -> str:
    # The name of a file object opened from a descriptor is an int, that of standard input is "<stdin>".
    safe = safe_name(name) if isinstance(name, str) and not re.fullmatch(r"<.*>", name) else ""
    if not safe:
        problem = "missing file name; pass (name, bytes) or (name, file), or set the file object's .name"
        raise InvalidArgument(problem, argument=argument)
    return safe


def _from_path(value: str | os.PathLike[str], argument: str) -> tuple[str, Source]:
    path = cast("object", os.fspath(value))  # a caller without a type checker may pass a PathLike of bytes
    if not isinstance(path, str):
        problem = "expected a str path without NUL characters and lone surrogates"
        raise InvalidArgument(problem, argument=argument)
    return _file_name(Path(path).name, argument), OnDisk(path, argument)


def _from_pair(pair: tuple[object, ...], argument: str) -> tuple[str, Source]:
    if len(pair) != 2:  # noqa: PLR2004 - a pair
        raise InvalidArgument(f"expected (name, bytes), got a tuple of length {len(pair)}", argument=argument)
    given, content = pair
    if hasattr(content, "read"):
        return _from_file(cast("BinaryIO", content), given, argument)
    name = _file_name(given, argument)
    if not isinstance(content, bytes | bytearray):
        remedy = "; call .encode() on the content" if isinstance(content, str) else ""
        problem = f"expected (name, bytes), got (name, {type(content).__name__}){remedy}"
        raise InvalidArgument(problem, argument=argument)
    return name, InMemory(bytes(content))


def _from_file(file: BinaryIO, given: object, argument: str) -> tuple[str, Source]:
    if iscoroutinefunction(file.read):
        problem = (
            "expected a synchronous file object, got an async read(); pass (name, file) with the file that it wraps"
        )
        raise InvalidArgument(problem, argument=argument)
    return _file_name(given, argument), FileObject(file, argument)
