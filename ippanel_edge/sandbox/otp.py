"""The one-time passwords in texts: the phone inbox offers them to copy, and the assertions of the tests return them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from ippanel_edge.sandbox.spelling import latin_digits

# Not part of a phone number, an amount, a date or a time: those have more digits, further digits after a separator, or
# a currency after them.
_CODE: Final = re.compile(
    r"(?<![0-9+])(?<![0-9][.,:/\u066b\u066c-])[0-9]{4,8}(?![0-9])(?![.,:/\u066b\u066c-][0-9])"
    r"(?!\s*(?:ریال|تومان|rials?\b|tomans?\b))",
    re.IGNORECASE,
)
_CODE_WORD: Final = re.compile(
    r"\b(?:کد|رمز|گذرواژه|ورود|code|otp|password|passcode|pin|login|verif\w*)\b(?!\s+رهگیری)", re.IGNORECASE
)


def find_codes(text: str, sending_type: str = "") -> list[str]:
    """Return the possible one-time passwords of a text, as ASCII digits: each different number of 4 to 8 digits.

    Dates, times, amounts with separators or a currency and numbers that start with + are left out. Of several numbers,
    the nearest to a word such as "code" or «کد» is the one-time password, or of two that are equally near the one after
    the word. That of a voice message (`votp`) is its whole text.
    """
    text = latin_digits(text)
    if sending_type == "votp":
        return [text]
    found = list(_CODE.finditer(text))
    words = list(_CODE_WORD.finditer(text))
    if found and words:
        found = [min(found, key=lambda code: min(_distance(code, word) for word in words))]
    return list(dict.fromkeys(code[0] for code in found))


@lru_cache(maxsize=1024)
def find_otp(text: str, sending_type: str = "") -> str | None:
    """Return the one-time password of a text, as ASCII digits; None if there is none, or no word such as "code"."""
    if sending_type != "votp" and _CODE_WORD.search(text) is None:
        return None
    return next(iter(find_codes(text, sending_type)), None)


def _distance(code: re.Match[str], word: re.Match[str]) -> tuple[int, bool]:
    """Return the number of characters between a code and a word, and whether the code comes first."""
    after = code.start() - word.end()
    return (after, False) if after >= 0 else (word.start() - code.end(), True)
