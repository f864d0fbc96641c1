"""Classes that go in, written as the names and values of a request. What each section allows is checked elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from ippanel_edge.values.checks import instance, text, whole
from ippanel_edge.wire import codec


def written(value: object, kind: type, *, argument: str) -> dict[str, Any]:
    """Write the fields that are set; the API wants the others left out, never empty.

    Args:
        value: what the caller gave.
        kind: the class that it must be of.
        argument: its name for the error.

    Raises:
        ConfigurationError: another class, an empty text, or something else than a number where one belongs.
    """
    instance(value, kind, argument=argument)
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
        return text
    return whole if kind in (int, int | None) else None
