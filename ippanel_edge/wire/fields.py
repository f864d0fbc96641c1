"""Classes that go in, written as the names and values of a request. What each section allows is checked elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

from ippanel_edge.errors import ConfigurationError
from ippanel_edge.wire import codec
from ippanel_edge.wire.limits import text, whole

_CHECKS: Final[Mapping[object, Callable[..., object]]] = {str: text, str | None: text, int: whole, int | None: whole}


def written(value: object, kind: type, *, argument: str) -> dict[str, Any]:
    """Write the fields that are set; the API wants the others left out, never empty.

    Args:
        value: what the caller gave.
        kind: the class that it must be of.
        argument: its name for the error.

    Raises:
        ConfigurationError: another class, an empty text, or something else than a number where one belongs.
    """
    if not isinstance(value, kind):
        raise ConfigurationError(f"must be a {kind.__name__}, not {type(value).__name__}", argument=argument)
    for field in attrs.fields(attrs.resolve_types(kind)):
        given = getattr(value, field.name)
        is_unset = given is None and field.default is None
        if field.type in _CHECKS and not is_unset:
            _CHECKS[field.type](given, argument=f"{argument}.{field.name}")
    fields: dict[str, Any] = codec.encode(value)
    return fields
