"""The collections of a saved state: which of their records were added, changed or removed since the last save."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, Self

import attrs

from ippanel_edge.sandbox.records import Record

if TYPE_CHECKING:
    from ippanel_edge.sandbox.state import SandboxState


@attrs.define
class Changes:
    """What to write: whole collections to delete first, records to delete, and (collection, key, record) to write."""

    cleared: list[str] = attrs.field(factory=list[str])
    removed: list[tuple[str, Any]] = attrs.field(factory=list[tuple[str, Any]])
    written: list[tuple[str, Any, Any]] = attrs.field(factory=list[tuple[str, Any, Any]])

    def __bool__(self) -> bool:
        return bool(self.cleared or self.removed or self.written)


class Tracked(Protocol):
    """A collection whose changes are tracked."""

    def collect(self, changes: Changes) -> None:
        """Add what changed since the last call."""
        ...

    def rewrite(self) -> None:
        """Report the whole collection at the next `collect`."""
        ...


class TrackedDict(dict[Any, Any]):
    """A dict that notes which keys were set or removed; a change of many keys at once counts as a change of all."""

    def __init__(self, values: Mapping[Any, Any]) -> None:
        super().__init__(values)
        self.changed: dict[Any, None] = {}
        self.all_changed: bool = False

    def __setitem__(self, key: Any, value: Any) -> None:
        self.changed[key] = None
        super().__setitem__(key, value)

    def __delitem__(self, key: Any) -> None:
        self.changed[key] = None
        super().__delitem__(key)

    def __ior__(self, values: Any) -> Self:  # type: ignore[misc, override, unused-ignore] # __or__ returns a dict
        self.all_changed = True
        super().update(values)
        return self

    def pop(self, key: Any, *default: Any) -> Any:
        """Remove a key."""
        self.changed[key] = None
        return super().pop(key, *default)

    def popitem(self) -> tuple[Any, Any]:
        """Remove the last item."""
        self.all_changed = True
        return super().popitem()

    def clear(self) -> None:
        """Remove all items."""
        self.all_changed = True
        super().clear()

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """Return the value of a key, after setting it if it is missing."""
        self.changed[key] = None
        return super().setdefault(key, default)

    def update(self, *values: Any, **named: Any) -> None:
        """Set several keys."""
        self.all_changed = True
        super().update(*values, **named)


class DictTable:
    """A dict of a state whose records are saved by their keys.

    Args:
        state: the state; its dict is replaced by one that notes changes.
        name: the name of the attribute.
        is_saved: whether the records are in the file already.
    """

    def __init__(self, state: SandboxState, name: str, *, is_saved: bool) -> None:
        self._state = state
        self._name = name
        self._touched: list[Record] = []
        self._records = self._wrap()
        self._records.all_changed = not is_saved

    def _wrap(self) -> TrackedDict:
        wrapped = TrackedDict(getattr(self._state, self._name))
        setattr(self._state, self._name, wrapped)
        for key, record in wrapped.items():
            self._track(key, record)
        return wrapped

    def _track(self, key: Any, record: object) -> None:
        if isinstance(record, Record):
            record.track(self._touched, key)

    def rewrite(self) -> None:
        """Report the whole collection at the next `collect`."""
        self._records.all_changed = True

    def collect(self, changes: Changes) -> None:
        """Add what changed since the last call."""
        if getattr(self._state, self._name) is not self._records:  # another dict was assigned
            self._records = self._wrap()
            self._records.all_changed = True
        records = self._records
        if records.all_changed:
            changes.cleared.append(self._name)
            keys: Iterable[Any] = list(records)
        elif records.changed or self._touched:
            keys = {**records.changed, **{record.tracked_key: None for record in self._touched}}
        else:
            return
        records.all_changed = False
        records.changed.clear()
        self._touched.clear()
        for key in keys:
            if key in records:
                self._track(key, records[key])
                changes.written.append((self._name, key, records[key]))
            else:
                changes.removed.append((self._name, key))


class ListTable:
    """A list of a state whose records are saved by sequential numbers; adding at the end is cheap.

    Args:
        state: the state.
        name: the name of the attribute.
        is_saved: whether the records are in the file already, by the keys that `Record.track` was given.
    """

    def __init__(self, state: SandboxState, name: str, *, is_saved: bool) -> None:
        self._state = state
        self._name = name
        self._touched: list[Record] = []
        self._count = 0
        self._next_key = 0
        self._all_changed = not is_saved
        if is_saved:
            records: list[Record] = getattr(state, name)
            for record in records:
                self._next_key = int(str(record.tracked_key)) + 1
                record.track(self._touched, record.tracked_key)
            self._count = len(records)

    def rewrite(self) -> None:
        """Report the whole collection at the next `collect`."""
        self._all_changed = True

    def collect(self, changes: Changes) -> None:
        """Add what changed since the last call."""
        records: list[Record] = getattr(self._state, self._name)
        added: list[Record] = []
        for record in reversed(records):
            if record.tracked_key is not None:
                break
            added.append(record)
        if self._all_changed or len(records) != self._count + len(added):  # some were removed, or moved
            changes.cleared.append(self._name)
            self._touched.clear()
            added = records[::-1]
        for record in reversed(added):
            record.track(self._touched, self._next_key)
            self._next_key += 1
            self._touched.append(record)
        for record in {id(each): each for each in self._touched}.values():
            changes.written.append((self._name, record.tracked_key, record))
        self._touched.clear()
        self._count = len(records)
        self._all_changed = False
