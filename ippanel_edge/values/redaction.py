"""Masks credentials in what others wrote: addresses that httpx logs, answers that quote what they were sent."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeVar, cast

from ippanel_edge.errors import EdgeError, evolve

B = TypeVar("B", bound=BaseException)

MASK: Final = "***"
_IN_A_QUERY: Final = re.compile(r"(?i)((?:[?&]|&amp;|%26)(?:apikey|api_key|password|token|otp|message)=)[^&#\s\"'<>]+")
"""Names of a query whose values are masked. A message is among them: the URL send puts a code's text there."""


def masked(text: str) -> str:
    """Mask what a query holds of credentials and messages."""
    return _IN_A_QUERY.sub(rf"\g<1>{MASK}", text)


def redacted(error: EdgeError, secret: str | None) -> EdgeError:
    """Return an error without a secret: a response of the service or a proxy may quote the request."""
    if not secret:
        return error
    attributes = {name: _replaced(value, secret) for name, value in vars(error).items()}
    return evolve(error, args=tuple(_replaced(value, secret) for value in error.args), **attributes)


def without_frames(error: B) -> B:
    """Drop the traceback, the cause and the context of an exception, whose frames may hold secrets.

    Raise the returned exception outside of the except block, or Python sets its context again.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


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
