"""Reading the first columns of an XLSX file to check them before the file is sent, in bounded time and memory.

An XLSX file is a zip archive of XML documents. Only the first worksheet and the strings that it refers to are read. No
document is unpacked as a whole, and DOCTYPE and entities are rejected.
"""

from __future__ import annotations

import posixpath
from array import array
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Final, NoReturn, Protocol
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

import attrs

from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values.xlsx_archive import BROKEN, ENCRYPTED, SAVE, InvalidWorkbook, check_archive

_CHUNK: Final = 64 * 1024
_MAX_ROWS: Final = 1_048_576
"""The maximum of the XLSX format."""
_MAX_UNPACKED: Final = 1024 * 1024 * 1024
_MAX_TAGS: Final = 20_000_000
"""A million rows of three cells have 14 million."""
_MAX_STRINGS: Final = 128 * 1024 * 1024
_MAX_DEPTH: Final = 64
_MAX_NAMES: Final = 2_000
_MAX_TOKEN: Final = 1024 * 1024


def xlsx_rows(stream: BinaryIO, columns: int, *, argument: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the row number and the first columns, as str, of each row of the first worksheet that has a value.

    Args:
        stream: the file, seekable.
        columns: the number of columns to return; a missing cell is an empty str.
        argument: the argument's name in the error.

    Raises:
        InvalidArgument: the file is not XLSX, is damaged, has no worksheet, or is too large when unpacked.
    """
    try:
        check_archive(stream)
        with ZipFile(stream) as archive:
            _check_members(archive)
            yield from _rows(_Reader(archive, _MAX_UNPACKED, _MAX_TAGS), columns)
    except InvalidWorkbook as error:
        problem = str(error)
    except BROKEN:
        problem = f"the file is damaged or not a workbook; {SAVE}"
    except (expat.ExpatError, LookupError, ValueError):  # also an unknown or a wrong encoding
        problem = f"the file contains invalid XML; {SAVE}"
    else:
        return
    raise InvalidArgument(problem, argument=argument)


def _too_large() -> NoReturn:
    raise InvalidWorkbook("the unpacked workbook is too large or too deeply nested; split it, or save it as CSV")


def _check_members(archive: ZipFile) -> None:
    members = archive.infolist()
    if sum(member.file_size for member in members) > _MAX_UNPACKED:
        _too_large()
    if any(
        member.flag_bits & ENCRYPTED or member.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for member in members
    ):
        raise InvalidWorkbook(f"the workbook is encrypted or packed with an unusual method; {SAVE}")


class _LocalNames(dict[str, str]):
    """Names of elements without their prefix, by the name with prefix."""

    def __missing__(self, name: str) -> str:
        """Add a name."""
        local = self[name] = name.rpartition(":")[2]
        return local


class _Handler(Protocol):
    """Receives the elements of a document, by name with prefix. `depth` is the number of open elements."""

    depth: int

    def start(self, name: str, attributes: dict[str, str], /) -> None: ...
    def end(self, name: str, /) -> None: ...
    def text(self, data: str, /) -> None: ...


@attrs.define
class _Reader:
    """Parses documents of an archive. Together they have a budget of bytes and tags.

    Attributes:
        archive: the archive.
        size: the number of bytes that may still be unpacked.
        tags: the number of tags that may still be parsed.
    """

    archive: ZipFile
    size: int
    tags: int

    def parse(self, member: str, handler: _Handler) -> Iterator[None]:
        """Parse a document. Yields after each chunk; the limits are checked then, too, because a chunk is small."""
        names: dict[str, str] = {}
        parser = expat.ParserCreate(None, None, names)
        parser.buffer_text = True
        parser.StartElementHandler = handler.start
        parser.EndElementHandler = handler.end
        parser.CharacterDataHandler = handler.text
        parser.StartDoctypeDeclHandler = _reject_doctype
        position = 0
        with self.archive.open(member) as content:
            while chunk := content.read(_CHUNK):
                position += len(chunk)
                self.size -= len(chunk)
                self.tags -= chunk.count(b"<")
                parser.Parse(chunk, False)
                incomplete = position - parser.CurrentByteIndex  # the parser collects it
                if self.size < 0 or self.tags < 0 or incomplete > _MAX_TOKEN:
                    _too_large()
                if handler.depth > _MAX_DEPTH or len(names) > _MAX_NAMES:
                    _too_large()
                yield
        parser.Parse(b"", True)
        yield


def _reject_doctype(*_: object) -> NoReturn:
    raise InvalidWorkbook(f"the workbook contains a DOCTYPE, which XLSX does not allow; {SAVE}")


@attrs.define
class _Attributes:
    """Collects the attributes of all elements of one name."""

    name: str
    found: list[dict[str, str]] = attrs.field(factory=list[dict[str, str]], init=False)
    depth: int = attrs.field(default=0, init=False)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Receive the start of an element."""
        self.depth += 1
        if name.rpartition(":")[2] == self.name:
            self.found.append(attributes)
            if len(self.found) > _MAX_NAMES:
                _too_large()

    def end(self, _: str) -> None:
        """Receive the end of an element."""
        self.depth -= 1

    def text(self, _: str) -> None:
        """Ignore text."""


def _rows(reader: _Reader, columns: int) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of the first worksheet."""
    books = [target for kind, target in _related(reader, "").values() if kind == "officeDocument"]
    if not books:
        raise InvalidWorkbook(f"expected .xlsx, got another zip file; {SAVE}")
    related = _related(reader, books[0])
    listed = _Attributes("sheet")
    deque(reader.parse(books[0], listed), maxlen=0)
    ids = (next((value for key, value in each.items() if key.endswith(":id")), "") for each in listed.found)
    sheets = (related.get(each, ("", "")) for each in ids)
    first = next((target for kind, target in sheets if kind == "worksheet"), None)
    if first is None:
        raise InvalidWorkbook("the workbook has no worksheet; write the rows into its first sheet")
    strings = next((target for kind, target in related.values() if kind == "sharedStrings"), None)
    sheet = _Sheet(columns, _Strings(reader, strings))
    for _ in reader.parse(first, sheet):
        yield from sheet.take()


def _related(reader: _Reader, member: str) -> dict[str, tuple[str, str]]:
    """Return the kind and the path of each document that a document refers to, by id."""
    folder, _, base = member.rpartition("/")
    found = _Attributes("Relationship")
    deque(reader.parse(posixpath.join(folder, f"_rels/{base}.rels"), found), maxlen=0)
    return {
        each.get("Id", ""): (
            each.get("Type", "").rpartition("/")[2],
            posixpath.normpath(posixpath.join("/", folder, each.get("Target", ""))).lstrip("/"),
        )
        for each in found.found
    }


class _Strings:
    """The shared strings of a workbook, read when the first one is needed and stored compactly."""

    def __init__(self, reader: _Reader, member: str | None) -> None:
        self._reader = reader
        self._member = member
        self._content = bytearray()
        self._ends = array("L")
        self._names = _LocalNames()
        self._parts: list[str] = []
        self._is_text = False
        self._phonetic = 0
        self.depth = 0

    def __getitem__(self, index: int) -> str:
        """Return a string by its index."""
        if not self._ends:
            if self._member is None:
                raise BadZipFile
            self._ends.append(0)
            deque(self._reader.parse(self._member, self), maxlen=0)
        if not 0 <= index < len(self._ends) - 1:
            raise BadZipFile
        return self._content[self._ends[index] : self._ends[index + 1]].decode()

    def start(self, name: str, _: dict[str, str]) -> None:
        """Receive the start of an element."""
        self.depth += 1
        name = self._names[name]
        if name == "t":
            self._is_text = not self._phonetic
        elif name == "rPh":
            self._phonetic += 1

    def text(self, data: str) -> None:
        """Receive text."""
        if self._is_text:
            self._parts.append(data)

    def end(self, name: str) -> None:
        """Receive the end of an element."""
        self.depth -= 1
        self._is_text = False
        name = self._names[name]
        if name == "si":
            self._content += "".join(self._parts).encode()
            self._parts.clear()
            self._ends.append(len(self._content))
            if len(self._content) > _MAX_STRINGS:
                _too_large()
        elif name == "rPh":
            self._phonetic -= 1


class _Sheet:
    """Collects the first columns of the rows of a worksheet."""

    def __init__(self, columns: int, strings: _Strings) -> None:
        self.depth = 0
        self._names = _LocalNames()
        self._columns = columns
        self._strings = strings
        self._rows: list[tuple[int, list[str]]] = []
        self._count = 0
        self._number = 0
        self._cells: list[str] = []
        self._column = -1
        self._type = ""
        self._parts: list[str] = []
        self._has_value = False
        self._is_value = False
        self._phonetic = 0

    def take(self) -> list[tuple[int, list[str]]]:
        """Return the rows that are complete, and forget them."""
        rows, self._rows = self._rows, []
        return rows

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Receive the start of an element."""
        self.depth += 1
        name = self._names[name]
        if name == "c":
            place = attributes.get("r")
            self._column = self._column + 1 if place is None else _column(place)
            self._type = attributes.get("t", "n")
        elif name in ("v", "t"):
            self._has_value = True
            self._is_value = 0 <= self._column < self._columns and not self._phonetic
        elif name == "row":
            place = attributes.get("r")
            self._number = self._number + 1 if place is None else int(place)
            self._cells = [""] * self._columns
            self._column = -1
            self._has_value = False
        elif name == "rPh":
            self._phonetic += 1

    def text(self, data: str) -> None:
        """Receive text."""
        if self._is_value:
            self._parts.append(data)

    def end(self, name: str) -> None:
        """Receive the end of an element."""
        self.depth -= 1
        self._is_value = False
        name = self._names[name]
        if name == "c" and self._parts:
            value = "".join(self._parts)
            self._parts.clear()
            if self._type == "s":
                value = self._strings[int(value)]
            elif self._type == "n":
                value = _without_fraction(value)
            self._cells[self._column] = value
        elif name == "row":
            self._count += 1
            if self._count > _MAX_ROWS:
                _too_large()
            if self._has_value:
                self._rows.append((self._number, self._cells))
        elif name == "rPh":
            self._phonetic -= 1


def _column(place: str) -> int:
    """Return the index of the column of a cell reference such as B12; 26 for all columns after Z."""
    return ord(place[0]) - 65 if place[1:2].isdecimal() else 26


def _without_fraction(value: str) -> str:
    """Return a number of a cell without an empty fraction: Excel stores numbers as floats."""
    if value.isdecimal():
        return value
    number = float(value)
    return str(int(number)) if number.is_integer() else value
