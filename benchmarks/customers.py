"""Files of customers for the campaigns: a number, a Persian name and a city for each row."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

HEADER: Final = ("mobile", "name", "city")
_NUMBERS: Final = 10**8
_SEED: Final = 20_260_101


def customers(rows: int) -> Iterator[tuple[str, str, str]]:
    """Yield different numbers in random order, as a spreadsheet shows them, with names and cities."""
    chosen = random.Random(_SEED).sample(range(_NUMBERS), rows)  # noqa: S311 - the same file in each run
    for position, number in enumerate(chosen):
        yield f"091{number:08d}", f"مشتری {position}", "تهران"


def write_csv(path: Path, rows: int) -> Path:
    """Write a CSV file and return its path."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        writer.writerows(customers(rows))
    return path


def write_xlsx(path: Path, rows: int) -> Path:
    """Write a workbook and return its path."""
    import xlsxwriter  # noqa: PLC0415 # pyright: ignore[reportMissingTypeStubs] - only a full run needs it

    workbook: Any = xlsxwriter.Workbook(path, {"constant_memory": True})
    with workbook as book:
        sheet = book.add_worksheet()
        for position, row in enumerate((HEADER, *customers(rows))):
            sheet.write_row(position, 0, row)
    return path
