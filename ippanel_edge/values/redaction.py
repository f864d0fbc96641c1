"""Masks credentials in what others wrote: addresses that httpx logs, answers that quote what they were sent."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Final, cast

from ippanel_edge.errors import EdgeError

MASK: Final = "***"
_IN_A_QUERY: Final = re.compile(r"(?i)((?:[?&]|&amp;|%26)(?:apikey|api_key|password|token|otp|message)=)[^&#\s\"'<>]+")
"""Names of a query whose values are masked. A message is among them: the URL send puts a code's text there."""


def masked(text: str) -> str:
    """Mask what a query holds of credentials and messages."""
    return _IN_A_QUERY.sub(rf"\g<1>{MASK}", text)


def without(error: EdgeError, secret: str | None) -> EdgeError:
    """Take a secret out of all that an error says: a proxy's page, or the service, may quote what it was sent."""
    if not secret:
        return error
    error.args = tuple(_replaced(value, secret) for value in error.args)
    for name, value in vars(error).items():
        vars(error)[name] = _replaced(value, secret)
    return error


def _replaced(value: object, secret: str) -> object:
    if isinstance(value, str) and not isinstance(value, Enum):
        return value.replace(secret, MASK)
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Sequence[str]]", value)
        return MappingProxyType(
            {name: tuple(text.replace(secret, MASK) for text in texts) for name, texts in fields.items()}
        )
    return value


class _Masking(logging.Filter):
    """Masks the addresses in a record's arguments. Nothing is dropped."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_shown(value) for value in record.args)
        return True


def _shown(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    hidden = masked(text)
    return value if hidden == text else hidden


_MASKING: Final = _Masking()


def install() -> None:
    """Have httpx's logger mask addresses, which it logs whole, at INFO. A second time changes nothing."""
    logging.getLogger("httpx").addFilter(_MASKING)
