"""Reading the first columns of an XLSX file to check them before the file is sent, in bounded time and memory.

An XLSX file is a zip archive of XML documents. Only the first worksheet and the strings that it refers to are read. No
document is unpacked as a whole, and DOCTYPE and entities are rejected.
"""

from __future__ import annotations

import posixpath
import struct
import zlib
from array import array
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Final, NoReturn
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

import attrs

from ippanel_edge.errors import InvalidArgument

_CHUNK: Final = 64 * 1024
_MAX_ROWS: Final = 1_048_576
"""The maximum of the XLSX format."""
_MAX_UNPACKED: Final = 1024 * 1024 * 1024
_MAX_DIRECTORY: Final = 1024 * 1024
_MAX_ELEMENTS: Final = 20_000_000
_MAX_STRINGS: Final = 128 * 1024 * 1024
_MAX_DEPTH: Final = 64
_MAX_NAMES: Final = 2_000
_MAX_IDLE: Final = 1024 * 1024
"""The maximum number of bytes without an element: the parser collects an incomplete one."""

_END: Final = b"PK\x05\x06"
_END_64: Final = b"PK\x06\x07"
_MAX_END: Final = 22 + 0xFFFF
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
_ENCRYPTED: Final = 1
_SAVE: Final = 'in Excel, save it as "Excel Workbook (*.xlsx)" without a password'
_BROKEN: Final = (BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError, struct.error)


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
        _check_archive(stream)
        with ZipFile(stream) as archive:
            _check_members(archive)
            yield from _Workbook(archive).rows(columns)
    except _InvalidFile as error:
        problem = str(error)
    except _BROKEN:
        problem = f"the file is damaged or not a workbook; {_SAVE}"
    except (expat.ExpatError, LookupError, ValueError):  # also an unknown or a wrong encoding
        problem = f"the file contains invalid XML; {_SAVE}"
    else:
        return
    raise InvalidArgument(problem, argument=argument)


class _InvalidFile(Exception):  # noqa: N818 - internal; the public error is InvalidArgument
    """The problem of a file, as a sentence."""


def _too_large() -> NoReturn:
    raise _InvalidFile("the unpacked workbook is too large or too deeply nested; split it, or save it as CSV")


def _check_archive(stream: BinaryIO) -> None:
    """Check what `ZipFile` would read into memory: the archive's directory."""
    begin = stream.read(len(_OLD_EXCEL))
    if begin == _OLD_EXCEL:
        raise _InvalidFile(f"expected .xlsx, got an .xls file or an encrypted workbook; {_SAVE}")
    if not begin.startswith(b"PK"):
        raise _InvalidFile(f"expected .xlsx, got another format with this extension; {_SAVE}")
    size = stream.seek(0, 2)
    stream.seek(max(0, size - _MAX_END - 20))
    tail = stream.read()
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _MAX_END - 0xFFFF:
        raise BadZipFile
    if tail[max(0, end - 20) :].startswith(_END_64) or struct.unpack_from("<L", tail, end + 12)[0] > _MAX_DIRECTORY:
        _too_large()
    stream.seek(0)


def _check_members(archive: ZipFile) -> None:
    members = archive.infolist()
    if sum(member.file_size for member in members) > _MAX_UNPACKED:
        _too_large()
    if any(
        member.flag_bits & _ENCRYPTED or member.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for member in members
    ):
        raise _InvalidFile(f"the workbook is encrypted or packed with an unusual method; {_SAVE}")


@attrs.define
class _Budget:
    """How much a workbook may still unpack to."""

    size: int = _MAX_UNPACKED
    elements: int = _MAX_ELEMENTS


@attrs.frozen
class _Handlers:
    """The functions that receive the parts of an XML document; names have no prefix."""

    start: Callable[[str, Mapping[str, str]], None]
    end: Callable[[str], None] = lambda _: None
    text: Callable[[str], None] = lambda _: None


def _parse(archive: ZipFile, member: str, budget: _Budget, handlers: _Handlers) -> Iterator[None]:
    """Parse an XML document within the budget. Yields after each chunk."""
    names: dict[str, str] = {}
    parser = expat.ParserCreate(None, None, names)
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        budget.elements -= 1
        depth += 1
        if depth > _MAX_DEPTH or budget.elements < 0:
            _too_large()
        handlers.start(name.rpartition(":")[2], attributes)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        handlers.end(name.rpartition(":")[2])

    def reject(*_: object) -> None:
        raise _InvalidFile(f"the workbook contains a DOCTYPE, which XLSX does not allow; {_SAVE}")

    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = handlers.text
    parser.StartDoctypeDeclHandler = reject
    idle, before = 0, budget.elements
    with archive.open(member) as content:
        while chunk := content.read(_CHUNK):
            budget.size -= len(chunk)
            parser.Parse(chunk, False)
            idle = idle + len(chunk) if budget.elements == before else 0
            before = budget.elements
            if budget.size < 0 or idle > _MAX_IDLE or len(names) > _MAX_NAMES:
                _too_large()
            yield
    parser.Parse(b"", True)
    yield


@attrs.frozen
class _Workbook:
    """The workbook of an archive."""

    archive: ZipFile
    budget: _Budget = attrs.field(factory=_Budget)

    def rows(self, columns: int) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows of the first worksheet."""
        related = self._related("")
        books = [target for kind, target in related.values() if kind == "officeDocument"]
        if not books:
            raise _InvalidFile(f"expected .xlsx, got another zip file; {_SAVE}")
        related = self._related(books[0])
        sheets = [related.get(each, ("", "")) for each in self._sheets(books[0])]
        first = next((target for kind, target in sheets if kind == "worksheet"), None)
        if first is None:
            raise _InvalidFile("the workbook has no worksheet; write the rows into its first sheet")
        strings = next((target for kind, target in related.values() if kind == "sharedStrings"), None)
        sheet = _Sheet(columns, _Strings(self.archive, strings, self.budget))
        for _ in _parse(self.archive, first, self.budget, _Handlers(sheet.start, sheet.end, sheet.text)):
            yield from sheet.take()

    def _sheets(self, book: str) -> list[str]:
        """Return the relationship ids of the sheets, in their order."""
        found: list[str] = []

        def start(name: str, attributes: Mapping[str, str]) -> None:
            if name == "sheet":
                found.append(next((value for key, value in attributes.items() if key.endswith(":id")), ""))

        for _ in _parse(self.archive, book, self.budget, _Handlers(start)):
            pass
        return found

    def _related(self, member: str) -> dict[str, tuple[str, str]]:
        """Return the kind and the path of each document that a document refers to, by id."""
        folder, _, base = member.rpartition("/")
        found: dict[str, tuple[str, str]] = {}

        def start(name: str, attributes: Mapping[str, str]) -> None:
            if name == "Relationship":
                kind = attributes.get("Type", "").rpartition("/")[2]
                target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", ""))).lstrip("/")
                found[attributes.get("Id", "")] = (kind, target)

        for _ in _parse(self.archive, posixpath.join(folder, f"_rels/{base}.rels"), self.budget, _Handlers(start)):
            pass
        return found


@attrs.define
class _Strings:
    """The shared strings of a workbook, read when the first one is needed and stored compactly."""

    archive: ZipFile
    member: str | None
    budget: _Budget
    _content: bytearray = attrs.field(factory=bytearray, init=False)
    _ends: array[int] | None = attrs.field(default=None, init=False)

    def __getitem__(self, index: int) -> str:
        """Return a string by its index."""
        if self._ends is None:
            self._ends = array("L", [0])
            self._read(self._ends)
        if not 0 <= index < len(self._ends) - 1:
            raise BadZipFile
        return self._content[self._ends[index] : self._ends[index + 1]].decode()

    def _read(self, ends: array[int]) -> None:
        parts: list[str] = []
        is_text = False
        phonetic = 0

        def start(name: str, _: Mapping[str, str]) -> None:
            nonlocal is_text, phonetic
            phonetic += name == "rPh"
            is_text = name == "t" and not phonetic

        def end(name: str) -> None:
            nonlocal is_text, phonetic
            is_text = False
            phonetic -= name == "rPh"
            if name == "si":
                self._content += "".join(parts).encode()
                parts.clear()
                ends.append(len(self._content))
                if len(self._content) > _MAX_STRINGS:
                    _too_large()

        def text(data: str) -> None:
            if is_text:
                parts.append(data)

        if self.member is None:
            raise BadZipFile
        for _ in _parse(self.archive, self.member, self.budget, _Handlers(start, end, text)):
            pass


class _Sheet:
    """Collects the first columns of the rows of a worksheet."""

    def __init__(self, columns: int, strings: _Strings) -> None:
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

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Receive the start of an element."""
        if name == "c":
            place = attributes.get("r")
            self._column = self._column + 1 if place is None else _column(place)
            self._type = attributes.get("t", "n")
        elif name in ("v", "t"):
            self._has_value = True
            self._is_value = self._column < self._columns and not self._phonetic
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
        self._is_value = False
        if name == "c" and self._parts:
            value = "".join(self._parts)
            self._parts.clear()
            if self._type == "s":
                value = self._strings[int(value)]
            elif self._type == "n":
                value = _without_fraction(value)
            self._cells[self._column] = value
        elif name == "row" and self._has_value:
            self._count += 1
            if self._count > _MAX_ROWS:
                _too_large()
            self._rows.append((self._number, self._cells))
        elif name == "rPh":
            self._phonetic -= 1


def _column(place: str) -> int:
    """Return the index of the column of a cell reference such as AB12."""
    index = 0
    for character in place[:3]:
        if not "A" <= character <= "Z":
            break
        index = index * 26 + ord(character) - 64
    return index - 1


def _without_fraction(value: str) -> str:
    """Return a number of a cell without an empty fraction: Excel stores numbers as floats."""
    if value.isdecimal():
        return value
    number = float(value)
    return str(int(number)) if number.is_integer() else value
