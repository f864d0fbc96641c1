"""Makes an upload of an argument: a path, a file object or bytes, whose name and type are checked. No I/O."""

from __future__ import annotations

import os
import re
import unicodedata
from inspect import iscoroutinefunction
from pathlib import Path
from typing import BinaryIO, Final, cast

import attrs

from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values.files import CheckContent, FileInput, Upload, extension
from ippanel_edge.values.secrets import Secret
from ippanel_edge.values.sources import FileObject, InMemory, OnDisk, Source

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
