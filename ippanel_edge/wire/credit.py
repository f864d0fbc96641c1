"""Recognises a rejection for missing credit by its words: no document describes how the service says so."""

from __future__ import annotations

import re
from typing import Final

_PAYMENT_REQUIRED: Final = 402
_REJECTIONS: Final = frozenset({400, 422, *range(200, 300)})
_LETTERS: Final = str.maketrans({"ي": "ی", "ى": "ی", "ك": "ک", "\u200c": " ", "\u200f": " ", "\u00a0": " ", "ـ": None})
_MARKS: Final = re.compile("[\u064b-\u065f\u0670]")
"""Arabic vowel marks."""
_CREDIT: Final = re.compile(r"(?<!تاریخ )(?<!مدت )(?<!زمان )\bاعتبار(?:ی|ت|تان|تون|م|مان)?\b(?! ?سنجی)")  # noqa: RUF001 - Persian
"""The word credit, not validity (its other meaning, as in a date of validity) or validation."""
_LACK: Final = re.compile(r"\b(?:کافی|ناکافی|نا کافی|کمبود|ندارید)\b")
_ENGLISH: Final = re.compile(r"(?i)\bcredits?\b")
_ENGLISH_LACK: Final = re.compile(r"(?i)\b(?:insufficient|not (?:have )?enough)\b")


def speaks_of_credit(status: int, message: str) -> bool:
    """Return whether a rejection is for missing credit.

    Args:
        status: its HTTP status: 402, or one of a rejection with a message of the API (2xx, 400, 422).
        message: the API's message.
    """
    if status == _PAYMENT_REQUIRED:
        return True
    if status not in _REJECTIONS:
        return False
    text = " ".join(_MARKS.sub("", message.translate(_LETTERS)).split())
    return any(
        credit.search(text) and lack.search(text) for credit, lack in ((_CREDIT, _LACK), (_ENGLISH, _ENGLISH_LACK))
    )
