"""Nearly valid responses: JSON in the shape of a model with wrong types and missing, extra, null and huge values."""

from __future__ import annotations

import functools
import types
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import attrs
from hypothesis import strategies as st

from ippanel_edge.models.common import Page

_ROWS: Final = (list, tuple, Sequence)
_WORDS: Final = [
    "",
    " ",
    "0",
    "1",
    "6",
    "-1",
    "7.0",
    "1e3",
    "1_0",
    "9" * 60,
    "yes",
    "no",
    "active",
    "string",
    "نرگس",
    "\0",
]
_TIMES: Final = [
    "2026-02-03 04:05:06",
    "2026-02-03T04:05:06+03:30",
    "1770091506",
    "2026-13-03",
    "0001-01-01T00:00+23:59",
]
_NUMBERS: Final = [-1, 0, 1, 2, 3, 6, 13, 2**31, 2**63, -(2**63) - 1, 1770091506, 10**400, 10**4000]
_FRACTIONS: Final = [0.0, -0.0, 0.5, 1.0, 6.0, -1.5, 1e16, 1e300, -1e300, 5e-324]
SCALARS: Final[list[Any]] = [None, True, False, *_NUMBERS, *_FRACTIONS, *_WORDS, *_TIMES]
_CONTAINERS: Final[list[Any]] = [
    [],
    {},
    [None],
    [[]],
    [1, "x", {}],
    {"": None},
    {"0": 1, "id": []},
    {"data": {"data": []}},
]

_VALID: Final[Mapping[Any, list[Any]]] = {
    int: [6, "6", 6.0, 0, None],
    float: [3990.2, "3990.2", 7, "0", None],
    bool: [True, 1, "0", "yes", "inactive", None],
    str: ["نرگس", "", "active", 912, None],
    datetime: [1770091506, "1770091506", "2026-02-03 04:05:06", "2026-02-03T04:05:06.5Z", 0, None],
}

scalars: st.SearchStrategy[Any] = st.sampled_from(SCALARS)
# Sampled from a list instead of generated, because there are dozens of models with up to fifty fields.
anything: st.SearchStrategy[Any] = st.sampled_from([*SCALARS, *_CONTAINERS])


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def shaped(hint: Any) -> st.SearchStrategy[Any]:
    """Draw JSON for a type, mostly valid, with arbitrary values in between."""
    return _shaped(hint)


@functools.cache
def _shaped(hint: Any) -> st.SearchStrategy[Any]:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        structured = [arg for arg in args if get_origin(arg) or attrs.has(arg)]
        return st.one_of(*map(shaped, structured), *([] if structured else [_scalar(args)]))
    if origin is Page or origin in _ROWS:
        return st.one_of(st.lists(shaped(args[0]), max_size=2), anything)
    if origin in (dict, Mapping):
        return st.one_of(st.dictionaries(st.sampled_from(["", "12", "mci"]), shaped(args[1]), max_size=2), anything)
    if not attrs.has(hint):
        return _scalar((hint,))
    hints = _hints(hint)
    fields = {_api_name(field): shaped(hints[field.name]) for field in attrs.fields(hint)}
    return st.one_of(st.fixed_dictionaries({}, optional={**fields, "not a field": anything}), anything)


def _scalar(kinds: Sequence[Any]) -> st.SearchStrategy[Any]:
    valid = [value for kind in kinds for value in _VALID.get(kind, [])]
    return st.sampled_from([*valid * (400 // max(len(valid), 1)), *SCALARS, *_CONTAINERS])


def conforms(value: Any, hint: Any) -> bool:
    """Return whether a decoded value and all its nested values have their declared types."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is None:
        return _is_a(value, hint)
    if origin in (Union, types.UnionType):
        return any(conforms(value, arg) for arg in args)
    if origin is Page:
        numbers = (value.current_page, value.last_page, value.per_page, value.total)
        return all(conforms(row, args[0]) for row in value.items) and all(
            conforms(item, int | None) for item in numbers
        )
    if origin in _ROWS:
        kind = list if origin is list else tuple
        return isinstance(value, kind) and all(conforms(item, args[0]) for item in _any(value))
    pairs: list[tuple[Any, Any]] = list(value.items())
    return all(conforms(key, args[0]) and conforms(item, args[1]) for key, item in pairs)


def _is_a(value: Any, hint: Any) -> bool:
    if attrs.has(hint):
        hints = _hints(hint)
        return isinstance(value, hint) and all(conforms(getattr(value, name), hints[name]) for name in hints)
    if hint is datetime:
        return isinstance(value, datetime) and value.tzinfo is UTC
    if hint in (int, float, bool) or (isinstance(hint, type) and issubclass(hint, Enum)):
        return type(value) is hint
    return hint is Any or (isinstance(value, hint) and not isinstance(value, Enum))


def _api_name(field: attrs.Attribute[Any]) -> str:
    name: str = field.metadata.get("name", field.name)
    return name


def _any(values: Any) -> Any:
    return values
