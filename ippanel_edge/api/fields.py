"""Serialises input classes as the fields of a request. The rules of each section are checked in its own module."""

from __future__ import annotations

from typing import Any

import attrs

from ippanel_edge.values.checks import check_text, check_type
from ippanel_edge.wire import codec


def fields_of(value: object, kind: type, *, argument: str) -> dict[str, Any]:
    """Return the fields that are set: the API expects the others to be absent, not empty.

    Args:
        value: the caller's object.
        kind: its expected class.
        argument: its name for the error.

    Raises:
        InvalidArgument: the object has another class, or a text is empty.
    """
    check_type(value, kind, argument=argument)
    for field in attrs.fields(kind):
        given = getattr(value, field.name)
        if isinstance(given, str):
            check_text(given, argument=f"{argument}.{field.name}")
    fields: dict[str, Any] = codec.encode(value)
    return fields


def filters_of(value: object | None, kind: type) -> dict[str, Any]:
    """Return the filters of a list that are set; None selects all. As `fields_of`."""
    return {} if value is None else fields_of(value, kind, argument="filters")


def nested_filters(value: object | None, kind: type) -> dict[str, Any]:
    """Return the filters as the field ``filters``; no field if none is set. As `fields_of`."""
    fields = filters_of(value, kind)
    return {"filters": fields} if fields else {}
