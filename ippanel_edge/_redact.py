"""Masks credentials in addresses: in what httpx logs, and in pages that quote the address. It knows no call."""

from __future__ import annotations

import logging
import re
from typing import Final

MASK: Final = "***"
_IN_A_QUERY: Final = re.compile(r"(?i)((?:[?&]|&amp;|%26)(?:apikey|api_key|password|token|otp|message)=)[^&#\s\"'<>]+")
"""Names of a query whose values are masked. A message is among them: the URL send puts a code's text there."""


def masked(text: str) -> str:
    """Mask what a query holds of credentials and messages."""
    return _IN_A_QUERY.sub(rf"\g<1>{MASK}", text)


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
