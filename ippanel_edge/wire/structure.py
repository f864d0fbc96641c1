"""Generated functions that structure the objects of responses as models, fast enough for pages of many rows.

A function converts a value of a usual type inline, and passes any other value to the converter's hook.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from sys import float_info
from typing import Any, Final, get_args, get_origin

import attrs

from ippanel_edge.values import times
from ippanel_edge.wire.hints import api_name, enum_of, is_open_enum, is_optional, is_rows, without_none

Hook = Callable[[Any, Any], Any]
"""A structure hook of cattrs: it takes the value and the class."""
Cases = Sequence[tuple[str, str]]
"""Inline conversions of the value `v`: conditions, and the expressions if they are true."""

_INT: Final = "type(v) is int"
_CASES: Final[Mapping[object, Cases]] = {
    str: [("type(v) is str", "v")],
    int: [
        (_INT, "v"),
        ("type(v) is str and v.isdecimal() and len(v) <= 40", "int(v)"),
        ("type(v) is float and v.is_integer()", "int(v)"),
    ],
    bool: [("type(v) is bool", "v"), (f"{_INT} and 0 <= v <= 1", "v == 1")],
    float: [
        ("type(v) is float and -largest <= v <= largest", "v"),
        (f"{_INT} and 0 <= v <= 2**53", "float(v)"),
        ("type(v) is str and decimal(v)", "float(v)"),
    ],
}
_SCOPE: Final[Mapping[str, Any]] = {
    "new": object.__new__,
    "missing": attrs.NOTHING,
    "largest": float_info.max,
    "decimal": re.compile(r"\d{1,15}(?:\.\d{1,15})?").fullmatch,
    "moment": times.parse_moment,
}


def structure_fn(cls: type[Any], hook_of: Callable[[Any], Hook], nested: Callable[[Any], Hook]) -> Hook | None:
    """Generate a function that structures a JSON object as a model.

    The function raises any exception for an invalid or missing value, without the place of the value: let the
    converter structure the object again, whose error names it.

    Args:
        cls: the model, an attrs class.
        hook_of: returns the converter's hook for a type.
        nested: returns the function for the objects of a nested model.

    Returns:
        The function; None for a class whose constructor does more than set fields: it has a converter, say.
    """
    if not _only_sets_fields(cls):
        return None
    attrs.resolve_types(cls)
    scope = {**_SCOPE, "cls": cls, "unfrozen": _unfrozen(cls)}
    lines = ["def structure(value, _):", "    get = value.get", "    made = new(unfrozen)"]
    for number, field in enumerate(attrs.fields(cls)):
        scope |= {f"type_{number}": field.type, f"hook_{number}": hook_of(field.type)}
        read, cases = _default(number, field, scope)
        cases = [*cases, *_cases(number, field.type, scope, nested)]
        convert = "".join(f"{expression} if {condition} else " for condition, expression in cases)
        lines += [f"    v = {read}", f"    made.{field.name} = {convert}hook_{number}(v, type_{number})"]
    lines += ["    made.__class__ = cls", "    return made"]
    exec("\n".join(lines), scope)  # noqa: S102 - made of names of our own classes, as attrs and cattrs do it
    structure: Hook = scope["structure"]
    return structure


def _only_sets_fields(cls: type[Any]) -> bool:
    """Whether the constructor does nothing but set the slot of each field."""
    has_own = any(hasattr(cls, f"__attrs_{name}__") for name in ("init", "pre_init", "post_init"))
    return not has_own and not cls.__dictoffset__ and all(map(_is_only_set, attrs.fields(cls)))


def _is_only_set(field: attrs.Attribute[Any]) -> bool:
    takes_self = getattr(field.default, "takes_self", False)
    converts = field.converter is not None  # pyright: ignore[reportUnknownMemberType] - attrs types it in part
    return field.init and not takes_self and not converts and field.validator is None


def _unfrozen(cls: type[Any]) -> type[Any]:
    """Return a subclass of a frozen model whose fields can be set by assignment.

    An object of it becomes one of the model by assignment of `__class__`. That is several times faster than the
    constructor of a frozen class, which sets each field through `object.__setattr__`.
    """
    setters = {"__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    return type(cls.__name__, (cls,), {"__slots__": (), **setters})


def _default(number: int, field: attrs.Attribute[Any], scope: dict[str, Any]) -> tuple[str, Cases]:
    """Return the expression that reads a field, and the case of a missing value."""
    name, default = api_name(field), field.default
    if default is attrs.NOTHING:
        return f"value[{name!r}]", []
    if default is None and (field.type is Any or is_optional(field.type)):
        return f"get({name!r})", []
    factory = getattr(default, "factory", None)
    scope[f"default_{number}"] = factory or default
    return f"get({name!r}, missing)", [("v is missing", f"default_{number}{'()' if factory else ''}")]


def _cases(number: int, hint: object, scope: dict[str, Any], nested: Callable[[Any], Hook]) -> Cases:
    """Return the inline conversions for a type."""
    if is_optional(hint):
        return [("v is None", "None"), *_cases_of_value(number, hint, scope, nested)]
    return _cases_of_value(number, hint, scope, nested)


def _cases_of_value(number: int, hint: object, scope: dict[str, Any], nested: Callable[[Any], Hook]) -> Cases:
    """Return the inline conversions of a value that is not null."""
    if is_open_enum(hint):
        scope[f"members_{number}"] = _members(hint)
        return [(f"({_INT} or type(v) is str) and v in members_{number}", f"members_{number}[v]")]
    inner: Any
    (inner,) = without_none(hint) if is_optional(hint) else (hint,)
    if inner is datetime and is_optional(hint):
        return [(f"{_INT} or type(v) is str", "moment(v)")]
    if attrs.has(inner):
        scope[f"nested_{number}"] = nested(inner)
        return [("type(v) is dict", f"nested_{number}(v, cls)")]
    if is_rows(inner) and attrs.has(get_args(inner)[0]):
        scope[f"nested_{number}"] = nested(get_args(inner)[0])
        rows = f"[nested_{number}(row, cls) for row in v]"
        return [("type(v) is list", rows if get_origin(inner) is list else f"tuple({rows})")]
    return _CASES.get(inner, [])


def _members(hint: object) -> dict[object, Enum]:
    """Return the members of an open enum by the values that stand for them: 6 and "6", or "red"."""
    enum = enum_of(hint)
    if int in get_args(hint):
        return {key: member for member in enum for key in (member.value, str(member.value))}
    return {member.value: member for member in enum if member.value.strip()}
