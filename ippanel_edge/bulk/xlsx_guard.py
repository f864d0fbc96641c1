"""Checks of an XLSX file before it is opened with a reader that holds it in memory and trusts it.

python-calamine allocates a cell for each place between the first and the last cell of a sheet, and copies a shared
string for each cell that refers to it. A file of 1 kB could make it allocate 500 GB, which ends the process.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from copy import copy
from typing import BinaryIO, Final, NoReturn
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import attrs

from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values.xlsx_archive import BROKEN, ENCRYPTED, SAVE, InvalidWorkbook, check_archive

MAX_UNPACKED: Final = 1024 * 1024 * 1024
"""The maximum number of bytes of the unpacked workbook. A million rows of three cells have 200 MB."""
MAX_CELLS: Final = 32 * 1024 * 1024
"""The maximum number of places between A1 and the last cell of a sheet, filled or not."""
MAX_TEXT: Final = 2 * 1024 * 1024 * 1024
"""The maximum number of bytes of all cells with shared strings."""
_CHUNK: Final = 1024 * 1024
_MAX_TAG: Final = 512 * 1024
_MIN_CELL: Final = 15
"""The minimum number of bytes of a cell with a value: ``<c><v>1</v></c>``."""
_MIN_TAGS: Final = 3
"""The minimum number of tags of a cell with a value, and one less for a lenient reader."""
_LAST_ROW: Final = 1_100_000
"""Above the maximum of the format: 1,048,576."""

_BROKEN: Final = (*BROKEN, LookupError, ValueError)

_FAR: Final = re.compile(rb"""=\s*["'](?:[A-Za-z]{2,}[0-9]|[A-Za-z]?(?:[0-9]{8}|[2-9][0-9]{6}|1[1-9][0-9]{5}))""")
"""A cell or row beyond column Z or row 1,100,000."""
_PLACE: Final = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]*)([0-9]*)""")
_ROW: Final = re.compile(rb"<(?:\w+:)?row\b")
_FORMULAS: Final = (b'"e"', b"'e'", b"<f>", b"<f ", b"<f/", b":f")
"""What occurs in a sheet with an error or a formula."""
_STRING: Final = re.compile(rb"<(?:\w+:)?si\b")
_IS_SHARED: Final = re.compile(rb"""\st\s*=\s*["']s["']""")
_SHARED: Final = re.compile(rb"""\st\s*=\s*["']s["'][^<>]*><(?:\w+:)?v>([0-9]+)<""")


def check_workbook(stream: BinaryIO, *, name: str) -> bool:
    """Check that a workbook can be opened in a bounded amount of memory. The position is set to the start.

    Returns:
        Whether a cell may hold an error such as #N/A, or a formula.

    Raises:
        InvalidArgument: it is not XLSX, is damaged or encrypted, or is too large when unpacked.
    """
    try:
        check_archive(stream)
        with ZipFile(stream) as archive:
            has_formulas = _check_members(archive)
    except InvalidWorkbook as error:
        problem = str(error)
    except _BROKEN:
        problem = f"the file is damaged or not a workbook; {SAVE}"
    else:
        stream.seek(0)
        return has_formulas
    raise InvalidArgument(f"{name}: {problem}", argument="source")


def _too_large() -> NoReturn:
    raise InvalidWorkbook("the unpacked workbook is too large; split it, or save it as CSV")


def _check_members(archive: ZipFile) -> bool:
    """Check the documents of a workbook. Return whether a cell may hold an error or a formula."""
    members = archive.infolist()
    if any(
        member.flag_bits & ENCRYPTED or member.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for member in members
    ):
        raise InvalidWorkbook(f"the workbook is encrypted or packed with an unusual method; {SAVE}")
    names = {member.filename.casefold(): member for member in members}
    if len(names) < len(members):
        raise InvalidWorkbook(f"the archive has two files of the same name; {SAVE}")
    if sum(member.file_size for member in members) > MAX_UNPACKED:
        _too_large()
    related = names.get("xl/_rels/workbook.xml.rels")
    if related is None or b"media/" in b"".join(document_chunks(archive, related)).lower():
        raise InvalidWorkbook(f"expected .xlsx, got another zip file; {SAVE}")
    # Images are not XML. No sheet is among them, because the workbook refers to none.
    documents = [member for name, member in names.items() if not name.startswith("xl/media/")]
    sizes = [_measure(archive, member) for member in documents]
    for member, size in zip(documents, sizes, strict=True):
        if size.is_sheet and (size.is_far or size.row // _MIN_CELL * _LAST_ROW > MAX_CELLS):
            _check_places(archive, member)
    longest = max(size.string for size in sizes)
    if longest * max(size.tags for size in sizes) // _MIN_TAGS > MAX_TEXT:
        strings = [member for member, size in zip(documents, sizes, strict=True) if size.string]
        _check_references(archive, documents, strings, longest)
    return any(size.has_formulas for size in sizes)


@attrs.define
class _Size:
    """What a document of a workbook makes the reader allocate.

    Attributes:
        is_sheet: whether it may be a sheet.
        has_formulas: whether it may have a cell with an error or a formula.
        is_far: whether it has a cell beyond column Z or row 1,100,000.
        row: the maximum number of bytes of a row.
        string: the maximum number of bytes of a shared string, with its tags; 0 if there is none.
        tags: the number of tags.
    """

    is_sheet: bool = False
    has_formulas: bool = False
    is_far: bool = False
    row: int = 0
    string: int = 0
    tags: int = 0


def _measure(archive: ZipFile, member: ZipInfo) -> _Size:
    size = _Size()
    row = string = 0
    for chunk in document_chunks(archive, member):
        size.tags += chunk.count(b"<")
        size.is_sheet = size.is_sheet or b"sheetData" in chunk
        size.has_formulas = size.has_formulas or any(mark in chunk for mark in _FORMULAS)
        size.is_far = size.is_far or _FAR.search(chunk) is not None
        longest, row = _longest(_split(chunk, b"row", _ROW), row)
        size.row = max(size.row, longest)
        pieces = _split(chunk, b"si", _STRING)
        if size.string or len(pieces) > 1:
            longest, string = _longest(pieces, string)
            size.string = max(size.string, longest)
    return size


def _split(chunk: bytes, name: bytes, pattern: re.Pattern[bytes]) -> list[bytes]:
    """Return the content of a chunk before, between and after the start tags of a name."""
    return pattern.split(chunk) if b":" + name in chunk else chunk.split(b"<" + name)


def _longest(pieces: list[bytes], carried: int) -> tuple[int, int]:
    """Return the maximum length of pieces, the first of which continues an earlier one, and the length of the last."""
    lengths = list(map(len, pieces))
    lengths[0] += carried
    return max(lengths), lengths[-1]


def _check_places(archive: ZipFile, member: ZipInfo) -> None:
    """Check the number of places between A1 and the last cell. A cell that does not name its place follows the last."""
    columns: set[bytes] = set()
    last_row = rows = widest = tags = 0
    for chunk in document_chunks(archive, member):
        places = _PLACE.findall(chunk)
        columns.update(column for column, _ in places)
        last_row = max(last_row, max((int(row[:20] or 0) for _, row in places), default=0))
        counts = [piece.count(b"<") for piece in _ROW.split(chunk)]
        rows += len(counts) - 1
        counts[0] += tags
        tags = counts[-1]
        widest = max(widest, *counts)
    last_column = max((column_number(column) for column in columns), default=0)
    if max(last_column, widest // _MIN_TAGS) * max(last_row, rows) > MAX_CELLS:
        raise InvalidWorkbook(
            f"a sheet has more than {MAX_CELLS:,} places between its first and its last cell; delete what is far from "
            "the table, or save the sheet as CSV"
        )


def column_number(letters: bytes) -> int:
    """Return the number of a column, from 1."""
    number = 0
    for letter in letters[:8].upper():
        number = number * 26 + letter - 64
    return number


def _check_references(archive: ZipFile, members: list[ZipInfo], strings: list[ZipInfo], longest: int) -> None:
    """Check the number of bytes of all cells with shared strings."""
    if len(strings) > 1:
        _too_large()
    lengths = array("L", [0])
    for chunk in document_chunks(archive, strings[0]):
        first, *others = map(len, _split(chunk, b"si", _STRING))
        lengths[-1] += first
        lengths.extend(others)
    for member in members:
        total = 0
        for chunk in document_chunks(archive, member):
            found = _SHARED.findall(chunk)
            unread = len(_IS_SHARED.findall(chunk)) - len(found)
            total += sum(map(lengths.__getitem__, map(_after, found))) + unread * longest
            if total > MAX_TEXT:
                _too_large()


def _after(index: bytes) -> int:
    """Return the place of a shared string among the lengths, the first of which is that of the text before them."""
    return int(index[:20]) + 1


def document_chunks(archive: ZipFile, member: ZipInfo) -> Iterator[bytes]:
    """Yield a document in chunks that do not divide a tag."""
    rest = b""
    # `ZipFile` reads no more than the archive says, but other readers do. With one byte more, the checksum differs.
    more = copy(member)
    more.file_size += 1
    with archive.open(more) as content:
        while chunk := content.read(_CHUNK):
            chunk = rest + chunk
            cut = max(chunk.rfind(b"<"), 0)
            rest = chunk[cut:]
            if len(rest) > _MAX_TAG:
                _too_large()
            yield _without_comments(chunk[:cut])
    yield _without_comments(rest)


def _without_comments(chunk: bytes) -> bytes:
    """Return the chunk. A comment, CDATA or a DOCTYPE could hide what is searched for."""
    if b"<!" in chunk:
        raise InvalidWorkbook(f"the workbook contains XML that Excel does not write; {SAVE}")
    return chunk
