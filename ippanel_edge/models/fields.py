"""Fields of the classes that go in: a value is put right, or refused with the field's name, when it is set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

import attrs

from ippanel_edge.errors import ConfigurationError
from ippanel_edge.values import phones, times


def _to_recipient(value: str | None, field: attrs.Attribute[Any]) -> str | None:
    return None if value is None else phones.recipient(value, argument=field.name)


def to_recipients(values: Iterable[str] | str) -> tuple[str, ...]:
    """Put the field `recipients` right: some numbers, or one, as E.164."""
    return tuple(phones.recipients(values, argument="recipients", limit=None))


def _to_sender(value: str | None, field: attrs.Attribute[Any]) -> str | None:
    return None if value is None else phones.sender_line(value, argument=field.name)


def _to_moment(value: datetime | None, field: attrs.Attribute[Any]) -> datetime | None:
    return None if value is None else times.utc(value, argument=field.name)


def _to_day(value: date | None, field: attrs.Attribute[Any]) -> date | None:
    if value is not None:
        times.day(value, argument=field.name)
    return value


def _to_flag(value: bool | None, field: attrs.Attribute[Any]) -> bool | None:  # noqa: FBT001 - a converter's argument
    if value is None or value in (True, False):
        return value if value is None else bool(value)
    raise ConfigurationError(f"must be True, False or None, not {type(value).__name__}", argument=field.name)


def recipient() -> Any:
    """Make an optional mobile number, in any spelling; held as E.164."""
    return attrs.field(default=None, converter=attrs.Converter(_to_recipient, takes_field=True))  # pyright: ignore[reportUnknownVariableType] - attrs types the result by the converter


def sender() -> Any:
    """Make an optional sender line, in any spelling; held as ``+98…``."""
    return attrs.field(default=None, converter=attrs.Converter(_to_sender, takes_field=True))  # pyright: ignore[reportUnknownVariableType] - attrs types the result by the converter


def moment() -> Any:
    """Make an optional aware datetime; held in UTC, sent as Unix seconds."""
    return attrs.field(default=None, converter=attrs.Converter(_to_moment, takes_field=True))  # pyright: ignore[reportUnknownVariableType] - attrs types the result by the converter


def day() -> Any:
    """Make an optional date, sent Gregorian as YYYY-MM-DD."""
    return attrs.field(default=None, converter=attrs.Converter(_to_day, takes_field=True))  # pyright: ignore[reportUnknownVariableType] - attrs types the result by the converter


def as_text() -> Any:
    """Make an optional number that the API takes as text."""
    return attrs.field(default=None, metadata={"as": str})


def yes_or_no() -> Any:
    """Make an optional flag that the API takes as ``yes`` or ``no``."""
    return _flag({True: "yes", False: "no"})


def one_or_zero() -> Any:
    """Make an optional flag that the API takes as 1 or 0."""
    return _flag({True: 1, False: 0})


def _flag(words: Mapping[bool | None, object]) -> Any:
    return attrs.field(
        default=None,
        converter=attrs.Converter(_to_flag, takes_field=True),  # pyright: ignore[reportUnknownVariableType] - attrs types the result by the converter
        metadata={"as": words.get},
    )
