"""A collection of items that change as time passes, which finds those that are due without a look at the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from datetime import datetime

    from ippanel_edge.sandbox.state import SandboxState

T = TypeVar("T")

_OUTDATED: Final = 64
"""The number of outdated entries from which on the heap is built again, if they are more than the others as well."""


class TimedItems(Generic[T]):
    """Items by id, oldest first, each with the time from which on it is due.

    It costs O(1) to find that no item is due. After a change of the `timing` of the state all items are due.

    Args:
        time_of: returns the time of an item; None: time alone does not change it.
    """

    def __init__(self, time_of: Callable[[T, SandboxState], datetime | None]) -> None:
        self._time_of = time_of
        self._items: dict[int, T] = {}
        self._times: dict[int, datetime] = {}
        self._heap: list[tuple[datetime, int]] = []  # with outdated entries, whose times are not in `_times`
        self._timing: tuple[float | None, ...] = ()

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items.values())

    def get(self, item_id: int) -> T | None:
        """Return an item; None if there is none with this id."""
        return self._items.get(item_id)

    def set(self, item_id: int, item: T, state: SandboxState) -> None:
        """Add an item, or compute the time of an item again."""
        self._items[item_id] = item
        time = self._time_of(item, state)
        if time is None:
            self._times.pop(item_id, None)
            return
        self._times[item_id] = time
        heappush(self._heap, (time, item_id))
        if len(self._heap) > 2 * len(self._times) + _OUTDATED:
            self._heap = [(time, item_id) for item_id, time in self._times.items()]
            heapify(self._heap)

    def remove(self, item_id: int) -> None:
        """Remove an item, if there is one with this id."""
        self._items.pop(item_id, None)
        self._times.pop(item_id, None)

    def clear(self) -> None:
        """Remove all items."""
        self._items.clear()
        self._times.clear()
        self._heap.clear()

    def take_due(self, state: SandboxState) -> list[T]:
        """Return the items that are due; they are not due again before the next `set`."""
        if state.timing != self._timing:
            self._timing = state.timing
            self._times.clear()
            self._heap.clear()
            return list(self._items.values())
        now = state.now
        due: list[T] = []
        while self._heap and self._heap[0][0] <= now:
            time, item_id = heappop(self._heap)
            if self._times.get(item_id) == time:
                del self._times[item_id]
                due.append(self._items[item_id])
        return due
