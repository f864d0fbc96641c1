"""Reads the rows of a source for tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ippanel_edge import InvalidArgument
from ippanel_edge.bulk.raw_rows import RawRow
from ippanel_edge.bulk.sources import Rows, read_rows


async def collect(rows: Rows, columns: Sequence[str] | None = ()) -> list[RawRow]:
    """Return all rows of a source; without values unless columns are named."""
    return [row async for batch in rows.batches(columns) for row in batch]


def written(path: Path, content: str | bytes) -> Path:
    """Write a file, in UTF-8 if the content is a str, and return its path."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


async def collect_file(path: Path, content: str | bytes, columns: Sequence[str] | None = (), **options: Any) -> Any:
    """Write a file and return its rows."""
    return await collect(read_rows(written(path, content), **options), columns)


async def problem_of(rows: Rows, columns: Sequence[str] | None = ()) -> tuple[str, str]:
    """Return the argument and the text of the error that reading a source raises before the first row."""
    with pytest.raises(InvalidArgument) as caught:
        await anext(aiter(rows.batches(columns)))
    return caught.value.argument, str(caught.value)
