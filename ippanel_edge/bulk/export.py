"""The export of a campaign's rows with their states to CSV or XLSX, in which no cell is a formula."""

from __future__ import annotations

import csv
import os
import re
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, Protocol

from anyio import to_thread

from ippanel_edge.bulk.records import BadRow, ReportRow
from ippanel_edge.errors import ConfigurationError, InvalidArgument

COLUMNS: Final = ("source", "line", "recipient", "message", "state", "message_outbox_id", "delivery", "error")
"""The columns of an export, in their order."""
SET_ASIDE: Final = "set_aside"
"""The state of a row that was not sent because it is invalid."""

_BATCH: Final = 2000
_SHEET_ROWS: Final = 1_048_576
"""The maximum of the XLSX format, with the header."""
_CELL: Final = 32_767
"""The maximum number of characters of a cell of the XLSX format."""
_FORMULA: Final = re.compile(r"[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001 - the full-width forms of these characters
"""The first character of a formula, or one that a spreadsheet skips before it."""
_E164: Final = re.compile(r"\+[0-9]{6,15}")
_CSV: Final = ".csv"
_XLSX: Final = ".xlsx"


async def export_report(
    path: str | os.PathLike[str],
    rows: AsyncIterator[ReportRow],
    bad_rows: AsyncIterator[BadRow],
    *,
    message: str | None,
    overwrite: bool = False,
) -> int:
    """Write the rows of a campaign with their states to a file, and after them the rows that were set aside.

    The file appears when it is complete. Only its owner may read it, because it has phone numbers. In CSV, a text that
    a spreadsheet could take for a formula begins with an apostrophe; in XLSX, all cells are texts.

    Args:
        path: the path of the file, which ends in .csv (UTF-8 with a byte order mark, for Excel) or .xlsx.
        rows: the rows.
        bad_rows: the rows that were set aside.
        message: the text of rows without a text of their own.
        overwrite: whether to replace a file that exists.

    Returns:
        The number of rows, without the header.

    Raises:
        InvalidArgument: the path ends otherwise, exists, or cannot be written.
        ConfigurationError: XlsxWriter is not installed.
    """
    target = Path(path)
    if target.suffix.lower() not in {_CSV, _XLSX}:
        raise InvalidArgument(f"expected a path that ends in .csv or .xlsx, got {target.name!r}", argument="path")
    with _replacing(target, overwrite=overwrite) as file:
        writer: _Writer = _CsvWriter(file) if target.suffix.lower() == _CSV else _XlsxWriter(file)
        count = 0
        try:
            async with aclosing(_in_batches(rows, bad_rows, message)) as batches:
                async for batch in batches:
                    await to_thread.run_sync(writer.write, batch)
                    count += len(batch)
            await to_thread.run_sync(writer.finish)
            await to_thread.run_sync(os.fsync, file.fileno())
        finally:
            writer.release()
    return count


async def _in_batches(
    rows: AsyncIterator[ReportRow], bad_rows: AsyncIterator[BadRow], message: str | None
) -> AsyncGenerator[list[tuple[str, ...]], None]:
    batch: list[tuple[str, ...]] = []
    async for row in rows:
        batch.append(_cells(row, message))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    async for bad in bad_rows:
        batch.append((bad.source, str(bad.line), bad.value, "", SET_ASIDE, "", "", bad.reason))
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _cells(row: ReportRow, message: str | None) -> tuple[str, ...]:
    return (
        row.source,
        str(row.line),
        row.recipient,
        (message if row.content is None else row.content) or "",
        row.state,
        "" if row.message_outbox_id is None else str(row.message_outbox_id),
        row.delivery or "",
        row.error or "",
    )


@contextmanager
def _replacing(target: Path, *, overwrite: bool) -> Generator[BinaryIO]:
    """Return a new file in a temporary folder beside the target, which it replaces unless there was an error."""
    _check_absent(target, overwrite=overwrite)
    try:
        folder = tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        problem = f"cannot write to {str(target.parent)!r}: {error.strerror or error}"
        raise InvalidArgument(problem, argument="path") from error
    with folder:
        temporary = Path(folder.name, "export")
        temporary.touch(mode=0o600, exist_ok=False)
        with temporary.open("r+b") as file:
            yield file
        _check_absent(target, overwrite=overwrite)
        temporary.replace(target)


def _check_absent(target: Path, *, overwrite: bool) -> None:
    if not overwrite and target.exists():
        raise InvalidArgument(
            f"{str(target)!r} exists; pass overwrite=True to replace it, or another path", argument="path"
        )


class _Writer(Protocol):
    """Writes rows to a file."""

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows below those before."""
        ...

    def finish(self) -> None:
        """Write what is left. The file stays open."""
        ...

    def release(self) -> None:
        """Close temporary files, also after an error."""
        ...


class _CsvWriter:
    """Writes CSV."""

    def __init__(self, file: BinaryIO) -> None:
        # A lone surrogate in a text of the caller does not end the export.
        self._text = TextIOWrapper(file, encoding="utf-8-sig", errors="backslashreplace", newline="")
        self._rows = csv.writer(self._text)
        self._rows.writerow(COLUMNS)

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows below those before."""
        self._rows.writerows(map(_neutral, rows))

    def finish(self) -> None:
        """Write what is left. The file stays open."""
        self._text.flush()

    def release(self) -> None:
        """Release the file, which stays open."""
        self._text.detach()


def _neutral(row: Sequence[str]) -> Iterator[str]:
    """Yield the cells of a row, so that a spreadsheet takes none for a formula."""
    for cell in row:
        yield f"'{cell}" if _FORMULA.match(cell) and not _E164.fullmatch(cell) else cell


class _Sheet(Protocol):
    """A sheet of XlsxWriter, which has no types."""

    row_data_fh: IO[str]

    def write_string(self, row: int, column: int, text: str, /) -> object: ...


class _Book(Protocol):
    """A workbook of XlsxWriter."""

    def add_worksheet(self) -> _Sheet: ...
    def worksheets(self) -> Sequence[_Sheet]: ...
    def close(self) -> None: ...


class _XlsxWriter:
    """Writes XLSX, row by row; rows that were written are not held in memory."""

    def __init__(self, file: BinaryIO) -> None:
        try:
            import xlsxwriter  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs] - an extra, loaded on first use
        except ImportError:
            raise ConfigurationError(
                "writing .xlsx requires XlsxWriter; run pip install 'ippanel-edge[excel]'", argument="path"
            ) from None
        folder = str(Path(file.name).parent)  # its temporary files have phone numbers, too
        book: Any = xlsxwriter.Workbook(file, {"constant_memory": True, "tmpdir": folder})
        self._book: _Book = book
        self._row = _SHEET_ROWS

    def write(self, rows: Sequence[Sequence[str]]) -> None:
        """Write rows below those before, on further sheets if they do not fit."""
        for row in rows:
            if self._row >= _SHEET_ROWS:
                self._add_sheet()
            self._write(row)

    def finish(self) -> None:
        """Write what is left. The file stays open."""
        if self._row >= _SHEET_ROWS and not self._book.worksheets():
            self._add_sheet()
        self._book.close()

    def release(self) -> None:
        """Close the temporary files of the sheets, which the library closes only when it finishes the workbook."""
        for sheet in self._book.worksheets():
            sheet.row_data_fh.close()

    def _add_sheet(self) -> None:
        self._sheet: _Sheet = self._book.add_worksheet()
        self._row = 0
        self._write(COLUMNS)

    def _write(self, row: Sequence[str]) -> None:
        for column, cell in enumerate(row):
            if cell:
                text = cell if cell.isascii() else cell.encode("utf-8", "backslashreplace").decode()
                self._sheet.write_string(self._row, column, text[:_CELL])
        self._row += 1
