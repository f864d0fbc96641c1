"""Fields of the request models: a value is normalised when it is set, or rejected with the name of the field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import attrs

from ippanel_edge.errors import InvalidArgument
from ippanel_edge.values import phones, times


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
    if value is None or value in (True, False):
        return value if value is None else bool(value)
    raise InvalidArgument(f"expected True, False or None, got {type(value).__name__}", argument=field.name)


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
