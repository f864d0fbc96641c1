"""The spellings of numbers that people type outside the API: a phone that sends a message, the line that it texts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ippanel_edge.sandbox.records import Line

_DIGITS: Final = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")
_SEPARATORS: Final = re.compile(r"[\s().\-\u2010-\u2015\u200b-\u200f\u202a-\u202e\u2066-\u2069/]+")
_COUNTRY_CODE: Final = re.compile(r"(?:\+98|0098|98)0?|0")
_MOBILE: Final = re.compile(r"9[0-9]{9}")


def latin_digits(text: str) -> str:
    """Return a text with its Persian and Arabic digits as ASCII digits."""
    return text.translate(_DIGITS)


def normalise_mobile(text: str) -> str:
    """Return a mobile number in E.164 form, from any common spelling, such as "۰۹۱۲ ۱۲۳ ۴۵۶۷".

    Raises:
        ValueError: it is not an Iranian mobile number.
    """
    cleaned = _clean(text)
    for national in (cleaned, _COUNTRY_CODE.sub("", cleaned, count=1)):
        if _MOBILE.fullmatch(national):
            return f"+98{national}"
    raise ValueError(f"expected a mobile number, got {text!r}; use e.g. +989121234567")


def find_line(text: str, lines: Iterable[Line]) -> Line | None:
    """Return the line whose number a text spells, with or without the country code; None if there is none."""
    wanted = _clean(text).casefold()
    for line in lines:
        number = line.number.casefold()
        if wanted in (number, number.removeprefix("+"), number.removeprefix("+98")):
            return line
        if wanted in (f"00{number.removeprefix('+')}", f"0{number.removeprefix('+98')}"):
            return line
    return None


def _clean(text: str) -> str:
    return _SEPARATORS.sub("", latin_digits(text))
