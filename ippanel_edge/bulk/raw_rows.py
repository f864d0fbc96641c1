"""The rows of a campaign as they are read from their source, before anything in them is checked."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Sequence
from typing import Final, Protocol, TypeAlias, runtime_checkable

from anyio import to_thread

RawRow: TypeAlias = tuple[int, object, Sequence[object] | str]
"""A row of a source: its line in the file (or position, from 1), the value of the recipient as it was found, and the
values of the wanted columns in their order; or, instead of the values, a str: the reason why the row cannot be read."""

BATCH: Final = 4096
"""Rows per batch: a batch takes a few milliseconds, which is much more than the switch to another thread."""


@runtime_checkable
class Rows(Protocol):
    """A source of rows: `read_rows` returns one."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of the file without its folder, ``stdin``, or ``rows``."""
        ...

    @abstractmethod
    def batches(self, columns: Sequence[str] | None) -> AsyncIterator[list[RawRow]]:
        """Yield the rows in batches.

        Args:
            columns: the names of the wanted columns; None for the text of each row, as its only value.

        Raises:
            InvalidArgument: the source cannot be read, or a wanted column is missing.
        """
        ...


async def from_thread(batches: Generator[list[RawRow], None, None]) -> AsyncGenerator[list[RawRow], None]:
    """Yield what a blocking generator yields. The generator runs in a worker thread."""
    try:
        while (batch := await to_thread.run_sync(next, batches, None)) is not None:
            yield batch
    finally:
        batches.close()
