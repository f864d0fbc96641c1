"""Reading of uploaded XLSX files with bounded time and memory. It reads values, not formulas, of the first sheet only.

openpyxl is not used for reading: it loads all shared strings and styles, and pads rows to the declared dimension, so a
small file can cost gigabytes.
"""

from __future__ import annotations

import io
import posixpath
import re
import struct
import zlib
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Final, Protocol
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

MAX_PARTS: Final = 1_000
"""The maximum number of files in the ZIP archive."""
MAX_UNPACKED: Final = 128 * 1024 * 1024
"""The maximum total size of the decompressed parts, in bytes; a million rows with two columns fit."""
MAX_ELEMENTS: Final = 8_000_000
"""The maximum number of XML elements in all parts that are read."""
MAX_CELLS: Final = 4_000_000
"""The maximum number of cells, including the empty cells before another cell of the same row."""
MAX_COLUMNS: Final = 702
"""The maximum number of columns: A to ZZ, which the placeholders of a `keyword` send can name."""
MAX_CELL_LENGTH: Final = 32_767
"""The maximum number of characters in a cell, the limit of Excel."""

_CHUNK: Final = 64 * 1024
_MAX_TOKEN: Final = 1024 * 1024
"""The maximum size of one XML token, such as a tag with its attributes: expat holds a token in memory."""
_MAX_DIGITS: Final = 400
_ENCRYPTED: Final = 0x1
_READABLE: Final = (ZIP_STORED, ZIP_DEFLATED)
_DAY: Final = 86_400
_FROM_1900: Final = datetime(1899, 12, 30, tzinfo=UTC)
_FROM_1904: Final = datetime(1904, 1, 1, tzinfo=UTC)
_LEAP_DAY_1900: Final = 60
"""The serial number of 1900-02-29, which Excel counts although that year had no such day."""
_REFERENCE = re.compile(r"([A-Z]{1,3})[0-9]{1,7}")
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")
_INVALID: Final = (
    BadZipFile,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    expat.ExpatError,
    struct.error,
    zlib.error,
)
"""The exceptions of `zipfile`, `expat` and this module for an invalid file."""

Row = list[str]


class UnreadableWorkbookError(Exception):
    """The file is not an XLSX file, is damaged, or exceeds a limit of this module."""


def read_rows(content: bytes) -> Iterator[Row]:
    """Yield the rows of the first worksheet that have a value, each without the empty cells at its end.

    Raises:
        UnreadableWorkbookError: the file is invalid or exceeds a limit. It may be raised after some rows.
    """
    with _errors(), ZipFile(io.BytesIO(content)) as archive:
        parts = _Parts(archive)
        workbook = parts.related("", "officeDocument")
        relations = parts.relations(workbook)
        book = _Workbook()
        parts.read(workbook, book)
        sheet = next(relations[name][1] for name in book.sheets if relations[name][0] == "worksheet")
        by_kind = {kind: path for kind, path in relations.values() if kind in {"sharedStrings", "styles"}}
        strings, styles = _Strings(), _Styles()
        if "sharedStrings" in by_kind:
            parts.read(by_kind["sharedStrings"], strings)
        if "styles" in by_kind:
            parts.read(by_kind["styles"], styles)
        rows = _Rows(strings.values, styles, from_1904=book.from_1904)
        for _ in parts.chunks(sheet, rows):
            yield from rows.take()


@contextmanager
def _errors() -> Generator[None]:
    try:
        yield
    except (*_INVALID, StopIteration):
        raise UnreadableWorkbookError from None


class _Handler(Protocol):
    """Receives the elements of one part, by their local names."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None: ...

    def end(self, tag: str, text: str) -> None:
        """Receive the end of an element, and the text since the previous tag."""


class _Parts:
    """The parts of a workbook, with the limits that apply to all of them together."""

    def __init__(self, archive: ZipFile) -> None:
        infos = archive.infolist()
        if len(infos) > MAX_PARTS or sum(info.file_size for info in infos) > MAX_UNPACKED:
            raise ValueError("the archive is too large")
        self._archive = archive
        self._bytes_left = MAX_UNPACKED
        self._elements_left = MAX_ELEMENTS

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Return the relations of a part, or of the whole file if it is empty: id to kind and path."""
        folder, name = posixpath.split(part)
        found = _Relations(folder)
        self.read(posixpath.join(folder, "_rels", f"{name}.rels"), found)
        return found.by_id

    def related(self, part: str, kind: str) -> str:
        """Return the path of the first related part of a kind."""
        return next(path for each, path in self.relations(part).values() if each == kind)

    def read(self, name: str, handler: _Handler) -> None:
        """Parse a whole part."""
        for _ in self.chunks(name, handler):
            pass

    def chunks(self, name: str, handler: _Handler) -> Iterator[None]:
        """Parse a part; yield after each chunk of it."""
        info = self._archive.getinfo(name)
        if info.compress_type not in _READABLE or info.flag_bits & _ENCRYPTED:
            raise ValueError("the part is encrypted or its compression is not supported")
        parser = self._parser(handler)
        fed = 0
        with self._archive.open(info) as file:
            for chunk in self._unpacked(file):
                parser.Parse(chunk, False)
                fed += len(chunk)
                if fed - parser.CurrentByteIndex > _MAX_TOKEN:
                    raise ValueError("an XML token is too long")
                yield
        parser.Parse(b"", True)
        yield

    def _unpacked(self, file: IO[bytes]) -> Iterator[bytes]:
        while chunk := file.read(_CHUNK):
            self._bytes_left -= len(chunk)
            if self._bytes_left < 0:  # the declared sizes are within the limit, but not true
                raise ValueError("the archive is too large")
            yield chunk

    def _parser(self, handler: _Handler) -> expat.XMLParserType:
        texts: list[str] = []
        length = 0

        def start(tag: str, attributes: dict[str, str]) -> None:
            nonlocal length
            self._elements_left -= 1
            if self._elements_left < 0:
                raise ValueError("the workbook has too many elements")
            texts.clear()
            length = 0
            handler.start(tag.rpartition(" ")[2], attributes)

        def end(tag: str) -> None:
            nonlocal length
            handler.end(tag.rpartition(" ")[2], "".join(texts))
            texts.clear()
            length = 0

        def add_text(text: str) -> None:
            nonlocal length
            length += len(text)
            if length > MAX_CELL_LENGTH:
                raise ValueError("a text is too long")
            texts.append(text)

        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = start
        parser.EndElementHandler = end
        parser.CharacterDataHandler = add_text
        parser.StartDoctypeDeclHandler = _reject_doctype  # without a DOCTYPE there are no entities either
        return parser


def _reject_doctype(*_declaration: object) -> None:
    raise ValueError("a DOCTYPE is not allowed")


class _Relations:
    """Handles a part of relations."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.by_id: dict[str, tuple[str, str]] = {}

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "Relationship" and attributes.get("TargetMode") != "External":
            path = posixpath.normpath(posixpath.join("/", self._folder, attributes["Target"])).lstrip("/")
            self.by_id[attributes["Id"]] = attributes["Type"].rpartition("/")[2], path

    def end(self, tag: str, text: str) -> None:
        """Ignore the end of an element: all values are attributes."""


class _Workbook:
    """Handles the workbook part: the relation ids of the sheets, and the first day of its calendar."""

    def __init__(self) -> None:
        self.sheets: list[str] = []
        self.from_1904 = False

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "sheet":
            self.sheets += [value for name, value in attributes.items() if name.rpartition(" ")[2] == "id"]
        elif tag == "workbookPr":
            self.from_1904 = attributes.get("date1904") in {"1", "true"}

    def end(self, tag: str, text: str) -> None:
        """Ignore the end of an element: all values are attributes."""


class _Text:
    """Joins the runs of a text; phonetic hints are not part of it."""

    def __init__(self) -> None:
        self._runs: list[str] = []
        self._length = 0
        self._is_hint = False

    def start(self, tag: str) -> None:
        if tag == "rPh":
            self._is_hint = True

    def end(self, tag: str, text: str) -> None:
        if tag == "rPh":
            self._is_hint = False
        elif tag == "t" and not self._is_hint:
            self._length += len(text)
            if self._length > MAX_CELL_LENGTH:
                raise ValueError("a text is too long")
            self._runs.append(text)

    def take(self) -> str:
        text = "".join(self._runs)
        self._runs.clear()
        self._length = 0
        return text


class _Strings:
    """Handles the shared strings."""

    def __init__(self) -> None:
        self.values: list[str] = []
        self._text = _Text()

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:  # noqa: ARG002 - a handler
        self._text.start(tag)

    def end(self, tag: str, text: str) -> None:
        self._text.end(tag, text)
        if tag == "si":
            self.values.append(self._text.take())


class _Styles:
    """Handles the styles: which of them show a number as a date."""

    def __init__(self) -> None:
        self._formats: dict[str, str] = {}
        self._is_cell_style = False
        self._format_ids: list[str] = []
        self._dates: dict[str, bool] = {}

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "numFmt":
            self._formats[attributes["numFmtId"]] = attributes["formatCode"]
        elif tag == "cellXfs":
            self._is_cell_style = True
        elif tag == "xf" and self._is_cell_style:
            self._format_ids.append(attributes.get("numFmtId", "0"))

    def end(self, tag: str, text: str) -> None:  # noqa: ARG002 - a handler
        if tag == "cellXfs":
            self._is_cell_style = False

    def is_date(self, style: str) -> bool:
        """Return whether the style with this index shows a date."""
        if style not in self._dates:
            from openpyxl.styles.numbers import BUILTIN_FORMATS, is_date_format  # noqa: PLC0415 - slow to import

            format_id = self._format_ids[_index(style)] if self._format_ids else "0"
            code = self._formats.get(format_id) or BUILTIN_FORMATS.get(int(format_id))
            self._dates[style] = code is not None and is_date_format(code)
        return self._dates[style]


class _Rows:
    """Handles a worksheet: collects its rows."""

    def __init__(self, strings: list[str], styles: _Styles, *, from_1904: bool) -> None:
        self._strings = strings
        self._styles = styles
        self._from_1904 = from_1904
        self._cells_left = MAX_CELLS
        self._finished: list[Row] = []
        self._row: Row = []
        self._cell: Mapping[str, str] = {}
        self._column = 0
        self._raw = ""
        self._text = _Text()

    def take(self) -> list[Row]:
        """Return the rows that were completed since the last call."""
        rows, self._finished = self._finished, []
        return rows

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "c":
            self._cell, self._raw = attributes, ""
            self._column = _column(attributes["r"]) if "r" in attributes else self._column + 1
            if self._column > MAX_COLUMNS or self._column <= len(self._row):
                raise ValueError("a cell is out of order or in a column that is not supported")
        elif tag == "row":
            self._row, self._column = [], 0
        else:
            self._text.start(tag)

    def end(self, tag: str, text: str) -> None:
        if tag == "c":
            value = self._value(self._text.take())
            if value:
                self._cells_left -= self._column - len(self._row)
                if self._cells_left < 0:
                    raise ValueError("the worksheet has too many cells")
                self._row += [""] * (self._column - len(self._row) - 1)
                self._row.append(value)
        elif tag == "v":
            self._raw = text
        elif tag == "row":
            if self._row:
                self._finished.append(self._row)
                self._row = []
        else:
            self._text.end(tag, text)

    def _value(self, text: str) -> str:
        raw, kind = self._raw, self._cell.get("t", "n")
        if kind == "inlineStr" or not raw:
            return text
        if kind == "s":
            return self._strings[_index(raw)]
        if kind == "n":
            return self._number(raw.strip())
        return {"b": str(raw == "1"), "d": raw.replace("T", " ", 1)}.get(kind, raw)

    def _number(self, raw: str) -> str:
        if len(raw) > _MAX_DIGITS or not _NUMBER.fullmatch(raw):
            raise ValueError("a cell is not a number")
        number = int(raw) if raw.lstrip("+-").isdigit() else float(raw)
        if self._styles.is_date(self._cell.get("s", "0")):
            return _date(number, from_1904=self._from_1904)
        return str(int(number)) if isinstance(number, int) or number.is_integer() else str(number)


def _index(raw: str) -> int:
    if not raw.isdigit():
        raise ValueError("an index is not a number")
    return int(raw)


def _column(reference: str) -> int:
    """Return the number of the column in a reference such as B7, from 1."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise ValueError("a cell has no valid reference")
    column = 0
    for letter in match[1]:
        column = column * 26 + ord(letter) - ord("A") + 1
    return column


def _date(number: float, *, from_1904: bool) -> str:
    """Return the date and time of a serial number, or the time only if it is less than a day."""
    moment = (_FROM_1904 if from_1904 else _FROM_1900) + timedelta(seconds=round(number * _DAY))
    if 0 < number < 1:
        return f"{moment:%H:%M:%S}"
    if not from_1904 and 0 < number < _LEAP_DAY_1900:
        moment += timedelta(days=1)
    return f"{moment:%Y-%m-%d %H:%M:%S}"
