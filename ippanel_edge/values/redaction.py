"""Masking of credentials in text from other sources: URLs that httpx logs, responses that quote the request."""

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
_QUERY_SECRET: Final = re.compile(
    r"(?i)((?:[?&]|&amp;|%26)(?:apikey|api_key|password|token|otp|message)=)[^&#\s\"'<>]+"
)
"""Query parameters whose values are masked. `message` is included because with the URL send it may contain a code."""


def masked(text: str) -> str:
    """Return the text with the credentials and messages of URL queries masked."""
    return _QUERY_SECRET.sub(rf"\g<1>{MASK}", text)


def redacted(error: EdgeError, secret: str | None) -> EdgeError:
    """Return an error without a secret: a response of the service or a proxy may quote the request."""
    if not secret:
        return error
    attributes = {name: _mask_secret(value, secret) for name, value in vars(error).items()}
    return evolve(error, args=tuple(_mask_secret(value, secret) for value in error.args), **attributes)


def without_frames(error: B) -> B:
    """Drop the traceback, the cause and the context of an exception, whose frames may hold secrets.

    Raise the returned exception outside of the except block, or Python sets its context again.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _mask_secret(value: object, secret: str) -> object:
    if isinstance(value, str) and not isinstance(value, Enum):
        return value.replace(secret, MASK)
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Sequence[str]]", value)
        return MappingProxyType(
            {name: tuple(text.replace(secret, MASK) for text in texts) for name, texts in fields.items()}
        )
    return value


class _MaskingFilter(logging.Filter):
    """A filter that masks URLs in a record's arguments and keeps every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_mask_urls(value) for value in record.args)
        return True


def _mask_urls(value: object) -> object:
    if value is None or isinstance(value, int | float):
        return value
    text = str(value)
    hidden = masked(text)
    return value if hidden == text else hidden


_MASKING_FILTER: Final = _MaskingFilter()


def install() -> None:
    """Add a masking filter to the httpx logger, which logs complete URLs at INFO. Idempotent."""
    logging.getLogger("httpx").addFilter(_MASKING_FILTER)
