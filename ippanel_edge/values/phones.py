"""Numbers as the API takes them: mobiles in E.164 and sender lines, from any common spelling. No lookups in here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from ippanel_edge.errors import ConfigurationError

EXAMPLE: Final = "such as 09121234567 or +989121234567"
MAX_SENDER_LINE: Final = 20
"""Characters of a sender line, +98 included. The API states no limit: this one catches a text in the wrong place."""

_COUNTRY: Final = "98"
_MOBILE_DIGITS: Final = 10
_MIN_LINE_DIGITS: Final = 4

_DIGITS: Final = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")
# What copying out of a web page or a right-to-left text leaves between digits, and nobody sees: soft hyphen, the
# zero-width characters, the marks, embeddings and isolates of direction, and the byte order mark.
_UNSEEN: Final = (
    "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
# Hyphen-minus to horizontal bar, the mathematical minus, and the small and full-width ones.
_DASHES: Final = "-\u058a\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"
_SPACES: Final = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_TO_NOTHING: Final = str.maketrans("", "", _UNSEEN)
_SEPARATORS: Final = str.maketrans("", "", _UNSEEN + _DASHES + _SPACES + "().\u00b7")

_E164: Final = re.compile(r"\+989[0-9]{9}")
_LOCAL: Final = re.compile(r"09[0-9]{9}")
_DECIMAL: Final = re.compile(r"\+?[0-9]+\.[0-9]{1,2}|\+?[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]{1,2}")
_NUMERIC: Final = re.compile(r"\+?[0-9]+")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._&-]*[A-Za-z0-9])?")


def digits(value: str) -> str:
    """Write the Persian and Arabic digits of a text as ASCII digits and leave all else as it is.

    Args:
        value: any text, such as the one-time code ``"۱۲۳۴"``.

    Returns:
        The text with ``0`` to ``9`` only for digits of those two scripts.
    """
    return value.translate(_DIGITS)


def normalize_phone(value: str) -> str:
    """Write an Iranian mobile number as E.164, from any common spelling.

    ``+98912…``, ``0098912…``, ``98912…``, ``0912…`` and ``912…``, a 0 after the country code (``+98 (0)912…``), Persian
    and Arabic digits, and between them spaces, dashes, dots, parentheses and invisible marks. Ten digits that begin
    with 98 count as a country code with digits missing, because no operator has 098.

    Args:
        value: the number.

    Returns:
        ``+989`` and nine digits: 13 characters. Normalising it again changes nothing.

    Raises:
        ConfigurationError: the text is no Iranian mobile number; it says why. The number itself is not repeated in it.

    Source: send/webservice.md (numbers are E.164).
    """
    return recipient(value, argument="value")


def recipient(value: object, *, argument: str) -> str:
    """Write one recipient as E.164, as `normalize_phone` does.

    Args:
        value: the number as the caller gave it.
        argument: its name and place for the error, such as ``recipients[3]``.

    Returns:
        ``+989`` and nine digits.

    Raises:
        ConfigurationError: it is no Iranian mobile number.
    """
    if not isinstance(value, str):
        raise ConfigurationError(_no_text(value), argument=argument)
    # The two usual spellings first: a campaign normalises a million rows.
    if _E164.fullmatch(value):
        return value
    if _LOCAL.fullmatch(value):
        return f"+{_COUNTRY}{value[1:]}"
    text = digits(value).translate(_TO_NOTHING).strip()
    if _DECIMAL.fullmatch(text):
        problem = "a decimal number, as spreadsheets write it: read the column as text, so that no digit is lost"
        raise ConfigurationError(problem, argument=argument)
    number = text.translate(_SEPARATORS)
    _refuse_what_is_no_number(number, argument)
    national = _without_country(number, argument).removeprefix("0")
    if not national.startswith("9"):
        problem = f"not a mobile number: an Iranian mobile begins with 09 or +989, {EXAMPLE}"
        raise ConfigurationError(problem, argument=argument)
    if len(national) != _MOBILE_DIGITS:
        raise ConfigurationError(_wrong_length(len(national)), argument=argument)
    return f"+{_COUNTRY}{national}"


def recipients(
    values: Iterable[str] | str, *, argument: str = "recipients", limit: int | None, remedy: str = ""
) -> list[str]:
    """Write recipients as E.164, in the order given, repeats kept.

    Args:
        values: numbers in any spelling; a lone text is one recipient. No more than ``limit + 1`` are taken from it.
        argument: the argument's name for the error.
        limit: how many the request may carry, None where it is not to be checked.
        remedy: what to do with more than `limit`, appended to the error.

    Returns:
        At least one E.164 number.

    Raises:
        ConfigurationError: there is none, one is not a mobile number (the first bad place is named), or there are
            more than `limit`.

    Source: send/webservice.md (1,000), send/pattern.md, send/votp.md and send/url.md (one).
    """
    if isinstance(values, str):
        return [recipient(values, argument=argument)]
    kind = type(values).__name__
    if isinstance(values, bytes | bytearray | memoryview | Mapping) or not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        problem = f"must be a str or an iterable of str, not {kind}"
        raise ConfigurationError(problem, argument=argument)
    numbers: list[str] = []
    for index, value in enumerate(values):
        if index == limit:
            noun = "recipient" if limit == 1 else "recipients"
            problem = f"the first over the limit of {limit:,} {noun} in one request"
            raise ConfigurationError(
                f"{problem}: {remedy}" if remedy else problem,
                argument=f"{argument}[{index}]",
            )
        numbers.append(recipient(value, argument=f"{argument}[{index}]"))
    if not numbers:
        raise ConfigurationError("must name at least one recipient", argument=argument)
    return numbers


def sender_line(value: str, *, argument: str = "from_number") -> str:
    """Write a sender line as the API takes it: ``+98`` and the line's digits or name.

    A numeric line may be spelled as a mobile may: ``3000717``, ``983000717``, ``+983000717``, ``021…``, in Persian
    digits, with separators. The rule for what is ambiguous: a leading 98 is always the country code. A line or name
    that itself begins with 98 is therefore written with its +98 in front (``+9898…``). A name keeps its case and takes
    Latin letters, digits and, between them, spaces and ``. _ & -``.

    Args:
        value: the line.
        argument: its name for the error.

    Returns:
        Such as ``+983000717`` or ``+98BANK``, at most 20 characters. Doing it again changes nothing.

    Raises:
        ConfigurationError: it is no such line; it says why.

    Source: send/webservice.md (from_number), numbers/list-numbers.md.
    """
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise ConfigurationError(_no_text(value), argument=argument)
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise ConfigurationError("must have no control characters (line breaks, tabs)", argument=argument)
    text = digits(value).translate(_TO_NOTHING).strip()
    number = text.translate(_SEPARATORS)
    if not number:
        raise ConfigurationError("empty: give a line of yours, such as +983000717 or +98BANK", argument=argument)
    line = _numeric_line(number, argument) if _NUMERIC.fullmatch(number) else _named_line(text, argument)
    if len(line) > MAX_SENDER_LINE:
        problem = f"must have at most {MAX_SENDER_LINE} characters with +98, not {len(line)}"
        raise ConfigurationError(problem, argument=argument)
    return line


def _numeric_line(number: str, argument: str) -> str:
    national = _without_country(number, argument).removeprefix("0")
    if len(national) < _MIN_LINE_DIGITS or national.startswith("0"):
        problem = f"not a sender line: it has at least {_MIN_LINE_DIGITS} digits after +98, such as +983000717"
        raise ConfigurationError(problem, argument=argument)
    return f"+{_COUNTRY}{national}"


def _named_line(text: str, argument: str) -> str:
    name = re.sub(r"^(?:\+98|0098|98)", "", text).strip()
    if not _NAME.fullmatch(name):
        problem = "not a sender line: give digits, or a name of Latin letters and digits, such as +983000717 or +98BANK"
        raise ConfigurationError(problem, argument=argument)
    return f"+{_COUNTRY}{name}"


def _without_country(number: str, argument: str) -> str:
    """Take a leading 98, 0098 or +98 off; refuse another country's code."""
    if number.startswith("00"):
        number = f"+{number[2:]}"
    if not number.startswith("+"):
        return number.removeprefix(_COUNTRY)
    if not number[1:].startswith(_COUNTRY):
        raise ConfigurationError("not an Iranian number: the API takes those of +98 only", argument=argument)
    return number[1 + len(_COUNTRY) :]


def _refuse_what_is_no_number(number: str, argument: str) -> None:
    problem = ""
    if not number:
        problem = f"empty: give an Iranian mobile number, {EXAMPLE}"
    elif "+" in number[1:]:
        problem = f"has a + that is not at its start: give one number, {EXAMPLE}"
    elif not _NUMERIC.fullmatch(number):
        # The first foreign character alone is shown: what stands in the wrong place may be a secret.
        foreign = re.sub(r"[0-9+]", "", number)[:1]
        problem = f"has {foreign!r}, which belongs to no number: give digits, {EXAMPLE}" if foreign else "has no digits"
    if problem:
        raise ConfigurationError(problem, argument=argument)


def _wrong_length(count: int) -> str:
    off = abs(count - _MOBILE_DIGITS)
    noun = "digit" if off == 1 else "digits"
    word = "short" if count < _MOBILE_DIGITS else "long"
    return f"too {word} by {off} {noun}: an Iranian mobile has 10 digits after 0 or +98, {EXAMPLE}"


def _no_text(value: object) -> str:
    if value is None:
        return "must be a str, not None"
    if isinstance(value, int | float):
        return f"must be a str, not {type(value).__name__}: a number loses its leading 0 and its +, give '09121234567'"
    return f"must be a str, not {type(value).__name__}"
