"""Rows of an XLSX file. It is held in memory while it is read, so its size is checked before (see `xlsx_guard`)."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice, repeat
from operator import itemgetter
from typing import TYPE_CHECKING, BinaryIO, cast
from xml.etree import ElementTree as ET

import attrs

from ippanel_edge.bulk.columns import Wanted
from ippanel_edge.bulk.raw_rows import BATCH, RawRow, from_thread
from ippanel_edge.bulk.xlsx_errors import Problems, empty_cells
from ippanel_edge.bulk.xlsx_guard import check_workbook
from ippanel_edge.errors import ConfigurationError, InvalidArgument

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook


@attrs.frozen
class XlsxRows:
    """The rows of a sheet of an XLSX file.

    Attributes:
        name: the name of the file in errors.
        opened: opens the file, which is seekable.
        sheet: the name of the sheet or its index, from 0; None for the first visible one.
        recipient: the name of the column of the recipients; None to recognise it.
        message: the name of the column of the texts; None to recognise it.
    """

    name: str
    opened: Callable[[], AbstractContextManager[BinaryIO]] = attrs.field(repr=False)
    sheet: str | int | None = None
    recipient: str | None = None
    message: str | None = None

    def batches(self, columns: Sequence[str] | None) -> AsyncIterator[list[RawRow]]:
        """Yield the rows in batches. As `Rows.batches`."""
        return from_thread(self.read(columns))

    def read(self, columns: Sequence[str] | None) -> Generator[list[RawRow], None, None]:
        """Yield the rows in batches, blocking.

        Raises:
            InvalidArgument: the file cannot be read or is too large, or the sheet or a wanted column is missing.
            ConfigurationError: python-calamine is not installed.
        """
        sheet, empty = self._open()
        wanted = Wanted(columns, self.recipient, self.message)
        # The rows are those from the first one of the sheet; the columns are those from the first one with a value.
        start = sheet.start
        rows = sheet.iter_rows() if start else iter(())
        first_column = start[1] if start else 0
        del sheet
        number = 0
        for row in rows:
            number += 1
            names = [text(cell) for cell in row]
            if any(map(str.strip, names)):
                break
        else:
            problem = "its cells hold formulas without values; open it in Excel and save it" if empty else "is empty"
            raise InvalidArgument(f"{self.name}: {problem}; expected a header and rows", argument="source")
        header = wanted.header(names, source=self.name, first=first_column)
        selection = wanted.select(header)
        indexes = (selection.recipient, *selection.values)
        places = {first_column + index + 1: header.names[index] for index in indexes}
        problems = {
            line: f"column {places[column]!r} {problem}"
            for (column, problem), lines in sorted(empty.items(), reverse=True)  # the first problem of a row
            if column in places
            for line in lines
        }
        if not header.is_first_row and (batch := _batch([row], number, indexes, problems)):
            yield batch
        while chunk := list(islice(rows, BATCH)):
            if batch := _batch(chunk, number + 1, indexes, problems):
                yield batch
            number += len(chunk)
        # The reader ends with the last value, so it does not return rows of formulas without values after that.
        after: list[RawRow] = [(line, "", problems[line]) for line in sorted(problems) if line > number]
        if after:
            yield after

    def _open(self) -> tuple[CalamineSheet, Problems]:
        """Read the sheet and the places of the cells that only look empty into memory, and close the file."""
        try:
            from python_calamine import CalamineError, CalamineWorkbook  # noqa: PLC0415 - an extra, loaded on first use
        except ImportError:
            raise ConfigurationError(
                "reading .xlsx requires python-calamine; run pip install 'ippanel-edge[excel]'", argument="source"
            ) from None
        with self.opened() as stream:
            has_formulas = check_workbook(stream, name=self.name)
            try:
                opened = CalamineWorkbook.from_object(_path(stream) or stream)  # pyright: ignore[reportUnknownMemberType] - a bare PathLike
                with opened as workbook:
                    index = self._index(workbook)
                    sheet = workbook.get_sheet_by_index(index)
                return sheet, empty_cells(stream, index, name=self.name) if has_formulas else {}
            except InvalidArgument:
                raise
            except (CalamineError, OSError, ValueError, LookupError, ET.ParseError) as error:
                problem = f"{self.name}: the workbook cannot be read ({error}); save it in Excel again, or as CSV"
        raise InvalidArgument(problem, argument="source")

    def _index(self, workbook: CalamineWorkbook) -> int:
        from python_calamine import SheetTypeEnum, SheetVisibleEnum  # noqa: PLC0415 - an extra, loaded on first use

        sheets = workbook.sheets_metadata
        for index, sheet in enumerate(sheets):
            if self.sheet is None:
                is_wanted = sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
            else:
                is_wanted = self.sheet in (index, sheet.name)
            if is_wanted:
                return index
        wanted = "has no visible sheet" if self.sheet is None else f"has no sheet {self.sheet!r}"
        names = ", ".join(f"{index}: {sheet.name!r}" for index, sheet in enumerate(sheets))
        raise InvalidArgument(f"{self.name}: {wanted}; the sheets are {names}", argument="sheet")


def _path(stream: BinaryIO) -> str | None:
    """Return the path of a file: the reader copies the content of a stream into memory, but not that of a path."""
    path = stream.name if isinstance(stream, io.BufferedReader) else None
    return path if isinstance(path, str) and path.endswith(".xlsx") else None


def _batch(
    rows: Sequence[Sequence[object]], number: int, indexes: Sequence[int], problems: Mapping[int, str]
) -> list[RawRow]:
    """Return the rows that are not blank, as text, with the problem of those that have one."""
    recipients, *values = (_texts(list(map(itemgetter(index), rows))) for index in indexes)
    numbers = range(number, number + len(rows))
    cells: Iterable[tuple[str, ...]] = zip(*values, strict=True) if values else repeat((), len(rows))
    batch: list[RawRow] = list(zip(numbers, recipients, cells, strict=True))
    if problems:
        batch = [(line, recipient, problems.get(line, found)) for line, recipient, found in batch]
    if all(recipients):
        return batch
    return [
        row
        for row, all_cells in zip(batch, rows, strict=True)
        if row[1] or isinstance(row[2], str) or any(cell != "" for cell in all_cells)
    ]


def _texts(cells: list[object]) -> list[str]:
    """Return the cells of a column as text."""
    if set(map(type, cells)) == {float}:
        numbers = cast("list[float]", cells)
        return [f"{number:.0f}" if number.is_integer() else repr(number) for number in numbers]
    return [cell if type(cell) is str else text(cell) for cell in cells]


def text(cell: object) -> str:
    """Return a cell as text: an integer without a fraction, dates and times in ISO 8601, TRUE and FALSE as Excel."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float) and cell.is_integer():
        return f"{cell:.0f}"
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)
