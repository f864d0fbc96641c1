"""Masking of credentials in text from other sources: URLs that httpx logs, responses that quote the request."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeVar, cast
from urllib.parse import quote, quote_plus

from ippanel_edge.errors import EdgeError, evolve

B = TypeVar("B", bound=BaseException)

MASK: Final = "***"
_MIN_LENGTH: Final = 4
_MIN_NUMBER: Final = 10 ** (_MIN_LENGTH - 1)
_START: Final = r"(?:(?<!\d)|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))"
"""The start of a number: after no digit, or after an escape of a URL or of JSON that may end in one."""
_END: Final = r"(?!\d)"
_QUERY_SECRET: Final = re.compile(
    r"(?i)((?:[?&]|&amp;|%26)(?:apikey|api_key|password|token|otp|message)=)[^&#\s\"'<>]+"
)
"""Query parameters whose values are masked. `message` is included because with the URL send it may contain a code."""


def masked(text: str) -> str:
    """Return the text with the credentials and messages of URL queries masked."""
    return _QUERY_SECRET.sub(rf"\g<1>{MASK}", text)


def redacted(error: EdgeError, secrets: Iterable[str | int]) -> EdgeError:
    """Return an error without the secrets of its call: a response of the service or a proxy may quote the request.

    A secret int is masked where it is a number of its own, not where it is a part of a longer one. Secrets of fewer
    than 4 characters stay: masking each occurrence of them would garble the message.
    """
    given = set(secrets)
    texts = {
        form for secret in given if isinstance(secret, str) and len(secret) >= _MIN_LENGTH for form in _forms(secret)
    }
    numbers = {str(abs(secret)) for secret in given if isinstance(secret, int) and abs(secret) >= _MIN_NUMBER}
    forms = [*map(re.escape, sorted(texts, key=len, reverse=True)), *(_START + number + _END for number in numbers)]
    if not forms:
        return error
    pattern = re.compile("|".join(forms))
    attributes = {name: _mask_secrets(value, pattern) for name, value in vars(error).items()}
    return evolve(error, args=tuple(_mask_secrets(value, pattern) for value in error.args), **attributes)


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as it may be quoted: plain, in a URL, in JSON, or escaped for HTML."""
    import html  # noqa: PLC0415 - its table of entities is slow to import, and only an error needs it

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
        fields = cast("Mapping[str, object]", value)
        return MappingProxyType(
            {pattern.sub(MASK, name): _mask_secrets(item, pattern) for name, item in fields.items()}
        )
    if isinstance(value, tuple):
        return tuple(_mask_secrets(item, pattern) for item in cast("tuple[object, ...]", value))
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
