"""Masking of credentials in text from other sources: URLs that httpx logs, responses that quote the request."""

from __future__ import annotations

import html
import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeVar, cast
from urllib.parse import quote, quote_plus

from ippanel_edge.errors import EdgeError, evolve

B = TypeVar("B", bound=BaseException)

MASK: Final = "***"
_MIN_LENGTH: Final = 4
_QUERY_SECRET: Final = re.compile(
    r"(?i)((?:[?&]|&amp;|%26)(?:apikey|api_key|password|token|otp|message)=)[^&#\s\"'<>]+"
)
"""Query parameters whose values are masked. `message` is included because with the URL send it may contain a code."""


def masked(text: str) -> str:
    """Return the text with the credentials and messages of URL queries masked."""
    return _QUERY_SECRET.sub(rf"\g<1>{MASK}", text)


def redacted(error: EdgeError, secrets: Iterable[str]) -> EdgeError:
    """Return an error without the secrets of its call: a response of the service or a proxy may quote the request.

    Secrets of fewer than 4 characters stay: masking each occurrence of them would garble the message.
    """
    hidden = {form for secret in secrets if len(secret) >= _MIN_LENGTH for form in _forms(secret)}
    if not hidden:
        return error
    pattern = re.compile("|".join(map(re.escape, sorted(hidden, key=len, reverse=True))))
    attributes = {name: _mask_secrets(value, pattern) for name, value in vars(error).items()}
    return evolve(error, args=tuple(_mask_secrets(value, pattern) for value in error.args), **attributes)


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it may be quoted: plain, in a URL, in JSON, or escaped for HTML."""
    yield secret
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield html.escape(secret)


def without_frames(error: B) -> B:
    """Drop the traceback, the cause and the context of an exception, whose frames may hold secrets.

    Raise the returned exception outside of the except block, or Python sets its context again.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def _mask_secrets(value: object, pattern: re.Pattern[str]) -> object:
    if isinstance(value, str) and not isinstance(value, Enum):
        return pattern.sub(MASK, value)
    if isinstance(value, Mapping):
        fields = cast("Mapping[str, Sequence[str]]", value)
        return MappingProxyType(
            {
                pattern.sub(MASK, name): tuple(pattern.sub(MASK, text) for text in texts)
                for name, texts in fields.items()
            }
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
