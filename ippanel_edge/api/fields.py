"""Serialises input classes as the fields of a request. The rules of each section are checked in its own module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from ippanel_edge.values.checks import check_int, check_text, check_type
from ippanel_edge.wire import codec


def fields_of(value: object, kind: type, *, argument: str) -> dict[str, Any]:
    """Return the fields that are set: the API expects the others to be absent, not empty.

    Args:
        value: the caller's object.
        kind: its expected class.
        argument: its name for the error.

    Raises:
        InvalidArgument: the object has another class, a text is empty, or a number is not an int.
    """
    check_type(value, kind, argument=argument)
    for field in attrs.fields(attrs.resolve_types(kind)):
        given = getattr(value, field.name)
        is_unset = given is None and field.default is None
        check = None if is_unset else _check_of(field.type)
        if check is not None:
            check(given, argument=f"{argument}.{field.name}")
    fields: dict[str, Any] = codec.encode(value)
    return fields


def _check_of(kind: object) -> Callable[..., object] | None:
    if kind in (str, str | None):
        return check_text
    return check_int if kind in (int, int | None) else None
