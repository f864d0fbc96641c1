"""Fields of the request models: a value is normalised when it is set, or rejected with the name of the field."""

from __future__ import annotations

import functools
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from enum import Enum
from types import NoneType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

import attrs

from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values import phones, times
from ippanel_edge.values.checks import check_int, check_iterable, check_str, check_type
from ippanel_edge.values.secrets import Secret


def checked(kind: type, fields: list[attrs.Attribute[Any]]) -> list[attrs.Attribute[Any]]:
    """Check each field of a class by its annotation when it is set. A field with a converter is checked by that.

    It is the `field_transformer` of the request models, for callers without a type checker. The limits of the API are
    checked where a request is built.

    Raises:
        InvalidArgument: raised by the constructor of `kind` for a value of another type; it names the field.
    """

    def check(_: object, field: attrs.Attribute[Any], value: object) -> None:
        _check(value, _hints(kind)[field.name], field.name)

    def to_tuple(values: object, field: attrs.Attribute[Any]) -> tuple[Any, ...]:
        # A list could be changed, and an iterator used up, after it was set.
        (item,) = get_args(_hints(kind)[field.name])
        return tuple(_items(values, item, field.name))

    def with_check(field: attrs.Attribute[Any]) -> attrs.Attribute[Any]:
        if field.converter is not None:  # pyright: ignore[reportUnknownMemberType] - attrs types it in part
            return field
        if str(field.type).startswith("Sequence["):  # the annotation, as the source has it
            converter: Any = attrs.Converter(to_tuple, takes_field=True)
            return field.evolve(converter=converter)
        return field.evolve(validator=check)

    return list(map(with_check, fields))


def _items(values: object, hint: Any, argument: str) -> Iterator[object]:
    """Check the items one by one, so that the first invalid one ends the iteration."""
    for index, item in enumerate(check_iterable(values, argument=argument, of="values")):
        _check(item, hint, f"{argument}[{index}]")
        yield item


@functools.cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _check(value: object, hint: Any, argument: str) -> None:
    """Check a value against an annotation: a class, a union or a mapping."""
    kinds = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    if (value is None and NoneType in kinds) or any(_is_enum(kind) and isinstance(value, kind) for kind in kinds):
        return
    kind = next(kind for kind in kinds if kind is not NoneType and not _is_enum(kind))
    if kind is str:
        check_str(cast("str", value), argument=argument)
    elif kind is int:
        check_int(cast("int", value), argument=argument)
    elif kind is object:
        return  # the section checks it
    elif get_origin(kind) is Mapping:
        _check_mapping(value, get_args(kind), argument)
    else:
        check_type(value, kind, argument=argument)


def _is_enum(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Enum)


def _check_mapping(value: object, hints: Sequence[Any], argument: str) -> None:
    if not isinstance(value, Mapping):
        raise InvalidArgument(f"expected a dict, got {type(value).__name__}", argument=argument)
    for key, item in cast("Mapping[object, object]", value).items():
        _check(key, hints[0], argument)
        _check(item, hints[1], f"{argument}[{key!r}]")


def _to_recipient(value: str | None, field: attrs.Attribute[Any]) -> str | None:
    return None if value is None else phones.recipient(value, argument=field.name)


def to_recipients(values: Iterable[str] | str) -> tuple[str, ...]:
    """Normalise the field `recipients`, one number or an iterable of numbers, to E.164."""
    return tuple(phones.recipients(values, argument="recipients", limit=None))


def _to_sender(value: str | None, field: attrs.Attribute[Any]) -> str | None:
    return None if value is None else phones.sender_line(value, argument=field.name)


def _to_utc(value: datetime | None, field: attrs.Attribute[Any]) -> datetime | None:
    return None if value is None else times.utc(value, argument=field.name)


def _to_date(value: date | None, field: attrs.Attribute[Any]) -> date | None:
    if value is not None:
        times.day(value, argument=field.name)
    return value


def _to_bool(value: bool | None, field: attrs.Attribute[Any]) -> bool | None:  # noqa: FBT001 - the signature of a converter
    if value is None or isinstance(value, bool):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        return value
    raise InvalidArgument(f"expected True, False or None, got {type(value).__name__}", argument=field.name)


def _to_secret(value: str, field: attrs.Attribute[Any]) -> Secret:
    return Secret(check_str(value, argument=field.name))


def _to_optional_secret(value: str | None, field: attrs.Attribute[Any]) -> Secret | None:
    return None if value is None else _to_secret(value, field)


def secret() -> Any:
    """Return a field for a required password, which is masked in repr."""
    return attrs.field(converter=attrs.Converter(_to_secret, takes_field=True))  # pyright: ignore[reportUnknownVariableType] - attrs types the result by the converter


def optional_secret() -> Any:
    """Return a field for an optional password, which is masked in repr."""
    return attrs.field(default=None, converter=attrs.Converter(_to_optional_secret, takes_field=True))  # pyright: ignore[reportUnknownVariableType] - attrs types the result by the converter


def recipient() -> Any:
    """Return a field for an optional mobile number in any common format; stored as E.164."""
    return attrs.field(default=None, converter=attrs.Converter(_to_recipient, takes_field=True))  # pyright: ignore[reportUnknownVariableType] - attrs types the result by the converter


def sender() -> Any:
    """Return a field for an optional sender line in any common format; stored as ``+98…``."""
    return attrs.field(default=None, converter=attrs.Converter(_to_sender, takes_field=True))  # pyright: ignore[reportUnknownVariableType] - attrs types the result by the converter


def moment() -> Any:
    """Return a field for an optional aware datetime; stored in UTC, sent as Unix seconds."""
    return attrs.field(default=None, converter=attrs.Converter(_to_utc, takes_field=True))  # pyright: ignore[reportUnknownVariableType] - attrs types the result by the converter


def day() -> Any:
    """Return a field for an optional date; sent as YYYY-MM-DD in the Gregorian calendar."""
    return attrs.field(default=None, converter=attrs.Converter(_to_date, takes_field=True))  # pyright: ignore[reportUnknownVariableType] - attrs types the result by the converter


def as_text() -> Any:
    """Return a field for an optional int that the API expects as a str."""
    return attrs.field(default=None, metadata={"as": str})


def yes_or_no() -> Any:
    """Return a field for an optional bool that the API expects as ``yes`` or ``no``."""
    return _bool_field({True: "yes", False: "no"})


def one_or_zero() -> Any:
    """Return a field for an optional bool that the API expects as 1 or 0."""
    return _bool_field({True: 1, False: 0})


def _bool_field(words: Mapping[bool | None, object]) -> Any:
    return attrs.field(
        default=None,
        converter=attrs.Converter(_to_bool, takes_field=True),  # pyright: ignore[reportUnknownVariableType] - attrs types the result by the converter
        metadata={"as": words.get},
    )
