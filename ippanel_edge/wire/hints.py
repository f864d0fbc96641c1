"""Questions about the annotations of model fields: optional types, lists and enums."""

from __future__ import annotations

import types
from collections.abc import Sequence
from enum import Enum
from typing import Any, Union, get_args, get_origin

import attrs


def api_name(field: attrs.Attribute[Any]) -> str:
    """Return the API's name of a field."""
    name: str = field.metadata.get("name", field.name)
    return name


def is_optional(hint: object) -> bool:
    """Whether this is a union with None."""
    return get_origin(hint) in (Union, types.UnionType) and type(None) in get_args(hint)


def without_none(hint: object) -> tuple[Any, ...]:
    """Return the types of a union other than None."""
    return tuple(arg for arg in get_args(hint) if arg is not type(None))


def is_rows(hint: object) -> bool:
    """Whether this is a list, a tuple or a Sequence of one type."""
    return get_origin(hint) in (list, tuple, Sequence)


def is_open_enum(hint: object) -> bool:
    """Whether this is `SomeEnum | int` (or str), with or without None: an enum whose unknown values are kept."""
    return get_origin(hint) in (Union, types.UnionType) and any(map(_is_enum, get_args(hint)))


def enum_of(hint: object) -> type[Enum]:
    """Return the enum of an open enum."""
    enum: type[Enum] = next(filter(_is_enum, get_args(hint)))
    return enum


def _is_enum(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, Enum)
