"""The sources of the rows of a campaign: CSV and XLSX files, standard input, and iterables of the caller."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import AsyncIterable, Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias, cast

from ippanel_edge.bulk.csv_source import CsvRows
from ippanel_edge.bulk.item_source import ItemRows, check_items
from ippanel_edge.bulk.raw_rows import RawRow, Rows
from ippanel_edge.bulk.xlsx_source import XlsxRows
from ippanel_edge.errors import InvalidArgument

__all__ = ["Item", "RawRow", "Rows", "Source", "as_rows", "read_rows"]

Source: TypeAlias = str | os.PathLike[str] | BinaryIO | Iterable[Mapping[str, Any]] | AsyncIterable[Mapping[str, Any]]
"""A path, ``-`` for standard input, a binary file, or an iterable of mappings of columns."""

Item: TypeAlias = str | tuple[str, str] | tuple[str, Mapping[str, Any]] | Mapping[str, Any]
"""A row of an iterable: a recipient, (recipient, text), (recipient, mapping of columns), or a mapping of columns."""

_CSV: Final = frozenset({".csv", ".tsv", ".txt"})
_XLSX: Final = ".xlsx"
_STDIN: Final = "-"


def read_rows(
    source: Source,
    *,
    recipient: str | None = None,
    message: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | int | None = None,
) -> Rows:
    """Return the rows of a file or iterable, for `Campaign.load`. They are read when the campaign loads them.

    A CSV file may have any encoding that Excel writes: UTF-8 and UTF-16 with or without a byte order mark, and
    Windows-1256; and commas, semicolons, tabs or vertical bars between its columns. Of an XLSX file, numbers, dates and
    other values are read as text. A file has a header, unless its first row has a mobile number: then its columns are
    named A, B, C and so on, and the first one with a mobile number holds the recipients.

    Args:
        source: the path of a .csv, .tsv, .txt or .xlsx file; ``-`` for CSV from standard input; a file that is open in
            binary mode, CSV or a seekable XLSX; or an iterable or async iterable of mappings from column to value.
        recipient: the name of the column of the recipients. If omitted, it is recognised by names such as ``mobile``,
            ``phone_number`` or ``شماره موبایل``, or is the only column.
        message: the name of the column of the texts, for a campaign whose rows have their own texts. If omitted, it is
            recognised by names such as ``message`` or ``متن``.
        encoding: the encoding of a CSV file. Detected if omitted.
        delimiter: the character between the columns of a CSV file. Detected if omitted.
        sheet: the name of the sheet of an XLSX file, or its index from 0. The first visible sheet if omitted.

    Raises:
        InvalidArgument: an argument is invalid or does not apply to the source. Files are opened later: what is wrong
            with them is raised by `Campaign.load`.
    """
    _check_options(recipient, message, encoding, delimiter, sheet)
    csv_only: dict[str, Any] = {"encoding": encoding, "delimiter": delimiter}
    xlsx_only: dict[str, Any] = {"sheet": sheet}
    if isinstance(source, str | os.PathLike):
        return _file(source, recipient, message, csv_only, xlsx_only)
    if hasattr(source, "read"):
        return _stream(cast("BinaryIO", source), recipient, message, csv_only, xlsx_only)
    items = check_items(source, argument="source")
    _reject(csv_only | xlsx_only, "files, not to an iterable")
    return ItemRows(items, recipient, message)


def as_rows(rows: Rows | str | os.PathLike[str] | Iterable[Item] | AsyncIterable[Item]) -> Rows:
    """Return what `Campaign.load` accepts as rows.

    Args:
        rows: rows, returned as they are; a path, as in `read_rows`; or an iterable or async iterable of recipients,
            (recipient, text), (recipient, mapping of columns), or mappings of columns. An iterator is consumed in the
            thread of the event loop.

    Raises:
        InvalidArgument: it is none of these.
    """
    if isinstance(rows, Rows):
        return rows
    if isinstance(rows, str | os.PathLike) or hasattr(rows, "read"):
        return read_rows(cast("Source", rows))
    return ItemRows(check_items(rows, argument="rows"))


def _check_options(recipient: object, message: object, encoding: object, delimiter: object, sheet: object) -> None:
    texts = {"recipient": recipient, "message": message, "encoding": encoding, "delimiter": delimiter}
    for argument, value in texts.items():
        if value is not None and (not isinstance(value, str) or not value):
            raise InvalidArgument(f"expected a str that is not empty, got {value!r}", argument=argument)
    if sheet is not None and (isinstance(sheet, bool) or not isinstance(sheet, str | int)):
        raise InvalidArgument(f"expected a name or an index, got {type(sheet).__name__}", argument="sheet")
    if isinstance(delimiter, str) and (len(delimiter) != 1 or delimiter in '"\r\n '):
        raise InvalidArgument(f"expected one character such as ';', got {delimiter!r}", argument="delimiter")
    if isinstance(encoding, str):
        _check_encoding(encoding)


def _check_encoding(encoding: str) -> None:
    try:
        is_text = isinstance(cast("object", codecs.getincrementaldecoder(encoding)().decode(b"")), str)
    except (LookupError, ValueError):
        is_text = False
    if not is_text:  # unknown, or a codec such as hex that decodes to bytes
        raise InvalidArgument(
            f"unknown encoding {encoding!r}; pass one such as 'utf-8', 'utf-16' or 'cp1256'", argument="encoding"
        )


def _reject(options: Mapping[str, object], places: str) -> None:
    for argument, value in options.items():
        if value is not None:
            raise InvalidArgument(f"applies to {places}; omit it", argument=argument)


def _file(
    source: str | os.PathLike[str],
    recipient: str | None,
    message: str | None,
    csv_only: dict[str, Any],
    xlsx_only: dict[str, Any],
) -> Rows:
    if source == _STDIN:
        _reject(xlsx_only, ".xlsx files, and standard input is read as CSV")
        return CsvRows("stdin", _stdin, recipient=recipient, message=message, can_wait=True, **csv_only)
    path = Path(source)
    suffix = path.suffix.lower()
    if suffix == _XLSX:
        _reject(csv_only, "CSV files")
        return XlsxRows(path.name, _opener(path), recipient=recipient, message=message, **xlsx_only)
    if suffix in _CSV:
        _reject(xlsx_only, ".xlsx files")
        return CsvRows(
            path.name,
            _opener(path),
            recipient=recipient,
            message=message,
            can_wait=not os.path.isfile(path),  # noqa: PTH113 - `Path.is_file` may raise an error
            **csv_only,
        )
    raise InvalidArgument(
        f"expected a file whose name ends in .csv, .tsv, .txt or .xlsx, got {path.name!r}; save it as one of these",
        argument="source",
    )


def _stream(
    source: BinaryIO,
    recipient: str | None,
    message: str | None,
    csv_only: dict[str, Any],
    xlsx_only: dict[str, Any],
) -> Rows:
    named = getattr(source, "name", None)
    name = Path(named).name.strip("<>") if isinstance(named, str) else "rows"
    opened: Callable[[], AbstractContextManager[BinaryIO]] = lambda: nullcontext(source)  # noqa: E731 - typed
    is_seekable = hasattr(source, "seekable") and source.seekable()
    if name.lower().endswith(_XLSX) or (is_seekable and _is_xlsx(source)):
        _reject(csv_only, "CSV files")
        if not is_seekable:
            raise InvalidArgument("expected an .xlsx file that is seekable; pass its path", argument="source")
        return XlsxRows(name, opened, recipient=recipient, message=message, **xlsx_only)
    _reject(xlsx_only, ".xlsx files")
    return CsvRows(name, opened, recipient=recipient, message=message, can_wait=not is_seekable, **csv_only)


def _stdin() -> AbstractContextManager[BinaryIO]:
    """Return the standard input, without its buffer: Python could not exit while a thread waits in that."""
    if sys.stdin is None:  # pyright: ignore[reportUnnecessaryComparison] - the process has none
        raise InvalidArgument("the standard input is closed; pass the path of a file", argument="source")
    raw: object = getattr(sys.stdin.buffer, "raw", sys.stdin.buffer)  # a stream in memory has none
    return nullcontext(cast("BinaryIO", raw))


def _is_xlsx(source: BinaryIO) -> bool:
    """Whether an open file is a workbook, by its first bytes."""
    position = source.tell()
    start = source.read(4)
    source.seek(position)
    return start == b"PK\x03\x04"


def _opener(path: Path) -> Callable[[], AbstractContextManager[BinaryIO]]:
    @contextmanager
    def opened() -> Generator[BinaryIO]:
        try:
            file = path.open("rb")
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            with file:
                yield file
            return
        raise InvalidArgument(f"cannot open {str(path)!r}: {reason}", argument="source")

    return opened
