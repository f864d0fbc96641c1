"""Rows of a CSV file in any encoding that Excel writes, read as a stream: memory does not grow with the file."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import chain, islice
from operator import itemgetter
from typing import BinaryIO, Final, NoReturn, Protocol, TypeAlias, cast

import attrs

from ippanel_edge.bulk.columns import Header, Selection, Wanted
from ippanel_edge.bulk.csv_format import SAMPLE, declared_delimiter, detect_delimiter, detect_encoding
from ippanel_edge.bulk.raw_rows import BATCH, RawRow, from_thread
from ippanel_edge.errors import InvalidArgument

_BLOCK: Final = 256 * 1024
_MAX_RECORD: Final = 1024 * 1024
"""The maximum number of characters of a row, which has several lines if a quoted text contains line breaks."""
_QUOTING: Final = "put a text that contains delimiters, quotes or line breaks in double quotes, and double its quotes"
_ENCODINGS: Final = "pass encoding= (such as 'utf-8' or 'cp1256'), or save it as UTF-8"

Row: TypeAlias = list[str]


class _Reader(Protocol):
    """What `csv.reader` returns."""

    line_num: int

    def __iter__(self) -> Iterator[Row]: ...
    def __next__(self) -> Row: ...


@attrs.frozen
class CsvRows:
    """The rows of a CSV file.

    Attributes:
        name: the name of the file in errors.
        opened: opens the file.
        encoding: the codec; None to detect it.
        delimiter: the character between the columns; None to detect it.
        recipient: the name of the column of the recipients; None to recognise it.
        message: the name of the column of the texts; None to recognise it.
        can_wait: whether reading may wait for another program, because the file is a pipe.
    """

    name: str
    opened: Callable[[], AbstractContextManager[BinaryIO]] = attrs.field(repr=False)
    encoding: str | None = None
    delimiter: str | None = None
    recipient: str | None = None
    message: str | None = None
    can_wait: bool = False

    def batches(self, columns: Sequence[str] | None) -> AsyncIterator[list[RawRow]]:
        """Yield the rows in batches. As `Rows.batches`."""
        return from_thread(self.read(columns), can_wait=self.can_wait)

    def read(self, columns: Sequence[str] | None) -> Generator[list[RawRow], None, None]:
        """Yield the rows in batches, blocking.

        Raises:
            InvalidArgument: the file cannot be read, decoded or parsed, or a wanted column is missing.
        """
        wanted = Wanted(columns, self.recipient, self.message)
        with self.opened() as stream:
            yield from self._parse(stream, wanted)

    def _parse(self, stream: BinaryIO, wanted: Wanted) -> Generator[list[RawRow], None, None]:
        start = read(stream, SAMPLE)
        if start.startswith(b"PK\x03\x04"):
            raise InvalidArgument(
                f"{self.name}: expected a CSV file, got an XLSX file or a zip archive; pass the path of a file whose "
                "name ends in .xlsx",
                argument="source",
            )
        is_whole = len(start) < SAMPLE
        blocks = _Blocks(self.name, stream, start, self.encoding or detect_encoding(start, is_whole=is_whole))
        beginning = blocks.beginning()
        declared = declared_delimiter(beginning)
        delimiter = self.delimiter or declared or detect_delimiter(beginning, wanted, is_whole=is_whole)
        reader = csv.reader(blocks.lines(), delimiter=delimiter, strict=True)
        blocks.consumed = lambda: reader.line_num
        try:
            if declared:
                next(reader)
            yield from self._rows(reader, blocks, wanted)
        except csv.Error as error:
            problem = f"{self.name}: line {blocks.line:,}: not valid CSV ({error}); {_QUOTING}"
        else:
            return
        raise InvalidArgument(problem, argument="source")

    def _rows(self, reader: _Reader, blocks: _Blocks, wanted: Wanted) -> Generator[list[RawRow], None, None]:
        line = blocks.line = reader.line_num + 1
        for first in reader:
            if any(map(str.strip, first)):
                break
            line = blocks.line = reader.line_num + 1
        else:
            raise InvalidArgument(f"{self.name}: is empty; expected a header and rows", argument="source")
        header = wanted.header(first, source=self.name)
        selection = wanted.select(header)
        rows: Iterator[Row] = reader
        if header.is_first_row:
            line = blocks.line = reader.line_num + 1
        else:
            rows = chain([first], reader)
        width, recipient, values = len(header.names), selection.recipient, getter(selection.values)
        is_more = True
        while is_more:
            batch: list[RawRow] = []
            is_more = False
            for row in islice(rows, BATCH):
                is_more = True
                if len(row) == width and row[recipient]:
                    batch.append((line, row[recipient], values(row)))
                elif any(row):
                    batch.append(_irregular(line, row, header, selection))
                blocks.line = line = reader.line_num + 1
            if batch:
                yield batch


def read(stream: BinaryIO, size: int) -> bytes:
    """Read so many bytes from a file, or all that are left.

    Raises:
        InvalidArgument: the file is not in binary mode, or does not block.
    """
    parts: list[bytes] = []
    while size > 0:
        part = cast("object", stream.read(size))
        if isinstance(part, str):
            raise InvalidArgument("the file is in text mode; open it with mode 'rb'", argument="source")
        if not isinstance(part, bytes):
            raise InvalidArgument("the file does not block; pass its path, or a blocking file", argument="source")
        if not part:
            break
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def getter(indexes: Sequence[int]) -> Callable[[Sequence[str]], tuple[str, ...]]:
    """Return a function that returns the cells of a row at the indexes, as a tuple."""
    if len(indexes) > 1:
        return itemgetter(*indexes)
    if indexes:
        index = indexes[0]
        return lambda row: (row[index],)
    return lambda _: ()


def _irregular(line: int, row: Row, header: Header, selection: Selection) -> RawRow:
    """Return a row with fewer or more cells than the header, or without a recipient."""
    width = len(header.names)
    recipient = row[selection.recipient] if selection.recipient < len(row) else ""
    if any(row[width:]):
        problem = (
            f"the row has {len(row)} columns, expected {width}; if a text contains the delimiter, put the text in "
            "double quotes"
        )
        return line, recipient, problem
    missing = next((index for index in (selection.recipient, *selection.values) if index >= len(row)), None)
    if missing is not None:
        columns = "1 column" if len(row) == 1 else f"{len(row)} columns"
        problem = f"column {header.names[missing]!r} is missing: the row has {columns}, expected {width}"
        return line, recipient, problem
    return line, recipient, tuple(row[index] for index in selection.values)


@attrs.define
class _Blocks:
    """The text of a file, in blocks of whole lines.

    Attributes:
        name: the name of the file.
        stream: the file after `start`.
        start: its first bytes.
        encoding: the codec.
        consumed: returns the number of lines that were read from `lines`.
        line: the first line of the row that is being parsed, set by the caller.
    """

    name: str
    stream: BinaryIO
    start: bytes
    encoding: str
    consumed: Callable[[], int] = attrs.field(default=lambda: 0, init=False)
    line: int = attrs.field(default=1, init=False)
    _first: str = attrs.field(default="", init=False)
    _decoder: codecs.IncrementalDecoder = attrs.field(init=False)

    def beginning(self) -> str:
        """Return the first text of the file, which `lines` yields again."""
        self._decoder = codecs.getincrementaldecoder(self.encoding)()
        # The codec utf-8 keeps a byte order mark.
        self._first = self._decode(self.start, "", is_end=False).removeprefix("\ufeff")
        return self._first

    def lines(self) -> Iterator[str]:
        """Return the lines with their line breaks: CR, LF or CRLF."""
        return chain.from_iterable(io.StringIO(block, newline="") for block in self._whole_lines())

    def _whole_lines(self) -> Iterator[str]:
        pending, self._first = self._first, ""
        row, size = self.line, 0
        is_end = False
        while not is_end:
            # A CR at the end may be the first half of CRLF.
            end = max(pending.rfind("\n"), pending.rfind("\r", 0, -1)) + 1
            if end:
                yield pending[:end]
                # The parser has all lines of the block. If it is still at the same row, it has collected the block.
                size = size + end if row == self.line else 0
                row = self.line
            pending = pending[end:]
            if size + len(pending) > _MAX_RECORD:
                self._fail(self.line, f"too long for a row of a CSV file; is a quote not closed? {_QUOTING}")
            content = read(self.stream, _BLOCK)
            is_end = not content
            pending += self._decode(content, pending, is_end=is_end)
        if pending:
            yield pending

    def _decode(self, content: bytes, pending: str, *, is_end: bool) -> str:
        """Decode bytes that follow a pending text without a line break."""
        try:
            text = self._decoder.decode(content, is_end)
        except UnicodeDecodeError as error:
            valid = error.object[: error.start].decode(error.encoding, "ignore")
            problem = f"not valid {self.encoding}; {_ENCODINGS}"
            self._fail(self.consumed() + _breaks(pending + valid) + 1, problem)
        if "\0" in text:
            valid = text.partition("\0")[0]
            problem = f"contains NUL, so it is not text in {self.encoding}; {_ENCODINGS}"
            self._fail(self.consumed() + _breaks(pending + valid) + 1, problem)
        return text

    def _fail(self, line: int, problem: str) -> NoReturn:
        raise InvalidArgument(f"{self.name}: line {line:,}: {problem}", argument="source")


def _breaks(text: str) -> int:
    """Return the number of line breaks: CR, LF or CRLF."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")
