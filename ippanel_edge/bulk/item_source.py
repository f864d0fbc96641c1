"""Rows of an iterable or async iterable of the caller, which is consumed in the thread of the event loop only."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping, Sequence
from contextlib import aclosing
from itertools import islice
from typing import Any, Final, TypeGuard, cast

import attrs
from anyio.lowlevel import checkpoint

from ippanel_edge.bulk.columns import Header, Wanted
from ippanel_edge.bulk.raw_rows import RawRow
from ippanel_edge.errors import InvalidArgument

_BATCH: Final = 1000
"""Rows per batch: other tasks run after each."""
_EXPECTED: Final = "expected a recipient, (recipient, text), (recipient, mapping) or a mapping of columns"


@attrs.frozen
class ItemRows:
    """The rows of an iterable.

    Attributes:
        items: str (a recipient), (recipient, text), (recipient, mapping of columns) or mappings of columns.
        recipient: the column of the recipients in mappings; None to recognise it.
        message: the column of the texts in mappings; None to recognise it.
        name: the name of the source in errors.
    """

    items: Iterable[object] | AsyncIterable[object] = attrs.field(repr=False)
    recipient: str | None = None
    message: str | None = None
    name: str = "rows"

    async def batches(self, columns: Sequence[str] | None) -> AsyncGenerator[list[RawRow], None]:
        """Yield the rows in batches. As `Rows.batches`."""
        reader = _Reader(self.name, None if columns is None else tuple(columns), self.recipient, self.message)
        position = 1
        # Iterators may belong to this thread, such as those of a database connection.
        async with aclosing(_in_batches(self.items)) as batches:
            async for items in batches:
                yield [reader.row(line, item) for line, item in enumerate(items, position)]
                position += len(items)


async def _in_batches(items: Iterable[object] | AsyncIterable[object]) -> AsyncGenerator[list[object], None]:
    if isinstance(items, AsyncIterable):
        batch: list[object] = []
        async for item in items:
            batch.append(item)
            if len(batch) == _BATCH:
                yield batch
                batch = []
        if batch:
            yield batch
        return
    iterator = iter(items)
    while batch := list(islice(iterator, _BATCH)):
        yield batch
        await checkpoint()


@attrs.define
class _Reader:
    """Reads items. The first mapping decides which of its keys are the wanted columns.

    Attributes:
        source: the name of the source.
        columns: the wanted columns; None for the text of each row.
        recipient: the column of the recipients.
        message: the column of the texts.
        keys: the keys of the wanted columns, by the kind of the item: whether it holds the recipient.
    """

    source: str
    columns: tuple[str, ...] | None
    recipient: str | None
    message: str | None
    keys: dict[bool, tuple[str, ...]] = attrs.field(factory=dict[bool, tuple[str, ...]], init=False)

    def row(self, line: int, item: object) -> RawRow:
        """Return an item as a row."""
        if isinstance(item, str):
            return line, item, () if self.columns == () else f"got a recipient only, expected {self._expected()}"
        if isinstance(item, Mapping):
            return self._mapping(line, cast("Mapping[Any, object]", item))
        if _is_pair(item):
            return self._pair(line, item[0], item[1])
        return line, item, f"{_EXPECTED}, got {_described(item)}"

    def _pair(self, line: int, recipient: object, content: object) -> RawRow:
        if isinstance(content, Mapping):
            columns = cast("Mapping[Any, object]", content)
            return line, recipient, self._values(columns, self._keys(columns, has_recipient=False))
        if not isinstance(content, str):
            return line, recipient, f"{_EXPECTED}, got a pair with {_described(content)}"
        if self.columns is None:
            return line, recipient, (content,)
        return line, recipient, f"got a recipient and a text, expected {self._expected()}"

    def _mapping(self, line: int, row: Mapping[Any, object]) -> RawRow:
        key, *keys = self._keys(row, has_recipient=True)
        if key not in row:
            return line, "", f"column {key!r} is missing"
        return line, row[key], self._values(row, keys)

    def _values(self, row: Mapping[Any, object], keys: Sequence[str]) -> Sequence[object] | str:
        missing = next((key for key in keys if key not in row), None)
        return tuple(row[key] for key in keys) if missing is None else f"column {missing!r} is missing"

    def _keys(self, row: Mapping[Any, object], *, has_recipient: bool) -> tuple[str, ...]:
        """Return the keys of the wanted columns, after that of the recipient if mappings hold it."""
        keys = self.keys.get(has_recipient)
        if keys is None:
            header = Header(self.source, tuple(key for key in row if isinstance(key, str)))
            wanted = Wanted(self.columns, self.recipient, self.message)
            values = wanted.select_values(header)
            indexes = (wanted.select_recipient(header), *values) if has_recipient else values
            keys = self.keys[has_recipient] = tuple(header.names[index] for index in indexes)
        return keys

    def _expected(self) -> str:
        if self.columns is None:
            return "(recipient, text)"
        if not self.columns:
            return "a recipient, because all rows have the text of the campaign"
        return f"a mapping with the columns {', '.join(map(repr, self.columns))}"


def _is_pair(item: object) -> TypeGuard[Sequence[object]]:
    return isinstance(item, tuple | list) and len(cast("Sequence[object]", item)) == 2  # noqa: PLR2004 - a pair


def _described(value: object) -> str:
    if value is None:
        return "None"
    kind = type(value).__name__
    return f"{kind} of {len(cast('Sequence[object]', value))}" if kind in {"tuple", "list"} else kind


def check_items(items: object, *, argument: str) -> Iterable[object] | AsyncIterable[object]:
    """Return the items.

    Raises:
        InvalidArgument: they are not iterable, or are bytes or a mapping.
    """
    kind = _described(items)
    if isinstance(items, bytes | bytearray | memoryview | Mapping) or not isinstance(items, Iterable | AsyncIterable):
        raise InvalidArgument(f"expected a path, a binary file or an iterable of rows, got {kind}", argument=argument)
    return cast("Iterable[object] | AsyncIterable[object]", items)
