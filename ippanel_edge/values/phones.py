"""Normalisation of mobile numbers to E.164 and of sender lines, from any common format. Numbers are not looked up."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

from ippanel_edge.errors import InvalidArgument

EXAMPLE: Final = "such as 09121234567 or +989121234567"
MAX_SENDER_LINE: Final = 20
"""Maximum length of a sender line including +98. Not an API limit: it detects a message passed as a sender line."""

_COUNTRY: Final = "98"
_MOBILE_DIGITS: Final = 10
_MIN_LINE_DIGITS: Final = 4

_DIGITS: Final = str.maketrans("۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩", "01234567890123456789")
# Invisible characters that copying from a web page or from right-to-left text leaves between digits: soft hyphen,
# zero-width characters, directional marks, embeddings and isolates, and the byte order mark.
_INVISIBLE: Final = (
    "\u00ad\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
# Hyphen-minus to horizontal bar, the mathematical minus, and the small and full-width variants.
_DASHES: Final = "-\u058a\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff0d"
_SPACES: Final = " \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_REMOVE_INVISIBLE: Final = str.maketrans("", "", _INVISIBLE)
_REMOVE_SEPARATORS: Final = str.maketrans("", "", _INVISIBLE + _DASHES + _SPACES + "().\u00b7")

# The common formats without separators, in ASCII and in Persian digits. Ten digits that start with 98 are a country
# code with missing digits.
_PATTERN: Final = r"(?:\+98|0098|98|0|(?!98))(9" + "[0-9]" * 9 + ")"
_PLAIN: Final = re.compile(_PATTERN)
_PERSIAN: Final = re.compile(_PATTERN.translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")))
_DECIMAL: Final = re.compile(r"\+?[0-9]+\.[0-9]{1,2}|\+?[0-9]+(?:\.[0-9]*)?[eE][+-]?[0-9]{1,2}")
_NUMERIC: Final = re.compile(r"\+?[0-9]+")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._&-]*[A-Za-z0-9])?")


def digits(value: str) -> str:
    """Replace Persian and Arabic digits with ASCII digits.

    Args:
        value: any str, such as the one-time password ``"۱۲۳۴"``.

    Returns:
        The str with the digits of these two scripts replaced by ``0`` to ``9``; other characters are unchanged.
    """
    return value.translate(_DIGITS)


def normalize_phone(value: str) -> str:
    """Normalise an Iranian mobile number in any common format to E.164.

    Accepted are ``+98912…``, ``0098912…``, ``98912…``, ``0912…`` and ``912…``, a 0 after the country code
    (``+98 (0)912…``), Persian and Arabic digits, and spaces, dashes, dots, parentheses and invisible characters between
    the digits. Ten digits that start with 98 are treated as a country code with missing digits, because no operator
    uses the prefix 098.

    Args:
        value: the number.

    Returns:
        ``+989`` and nine digits: 13 characters. The function is idempotent.

    Raises:
        InvalidArgument: the value is not an Iranian mobile number; the error states why, without the number itself.

    Source: send/webservice.md (numbers are E.164).
    """
    return recipient(value, argument="value")


def recipient(value: object, *, argument: str) -> str:
    """Normalise one recipient to E.164, like `normalize_phone`.

    Args:
        value: the number, in any common format.
        argument: the argument's name and index in the error, such as ``recipients[3]``.

    Returns:
        ``+989`` and nine digits.

    Raises:
        InvalidArgument: the value is not an Iranian mobile number.
    """
    if not isinstance(value, str):
        raise InvalidArgument(_not_a_str(value), argument=argument)
    # The common formats are matched first, because a campaign may normalise a million rows.
    if plain := _PLAIN.fullmatch(value):
        return value if value[0] == "+" else f"+{_COUNTRY}{plain[1]}"
    if persian := _PERSIAN.fullmatch(value):
        return f"+{_COUNTRY}{int(persian[1])}"  # int reads Persian digits
    if spaced := _PLAIN.fullmatch(value.replace(" ", "").replace("-", "")):
        return f"+{_COUNTRY}{spaced[1]}"
    text = digits(value).translate(_REMOVE_INVISIBLE).strip()
    if _DECIMAL.fullmatch(text):
        problem = (
            "expected a phone number, got a decimal number; read the spreadsheet column as text to keep all digits"
        )
        raise InvalidArgument(problem, argument=argument)
    number = text.translate(_REMOVE_SEPARATORS)
    _check_is_number(number, argument)
    national = _without_country(number, argument).removeprefix("0")
    if not national.startswith("9"):
        problem = f"not a mobile number; expected an Iranian number that starts with 09 or +989, {EXAMPLE}"
        raise InvalidArgument(problem, argument=argument)
    if len(national) != _MOBILE_DIGITS:
        raise InvalidArgument(_wrong_length(len(national)), argument=argument)
    return f"+{_COUNTRY}{national}"


def recipients(
    values: Iterable[str] | str, *, argument: str = "recipients", limit: int | None, remedy: str = ""
) -> list[str]:
    """Normalise recipients to E.164; the order and duplicates are kept.

    Args:
        values: numbers in any common format; a single str is one recipient. At most ``limit + 1`` items are consumed.
        argument: the argument's name in the error.
        limit: the maximum number of recipients in the request; None to skip the check.
        remedy: a hint that is appended to the error if there are more than `limit`.

    Returns:
        At least one E.164 number.

    Raises:
        InvalidArgument: there are no recipients, one is not a mobile number (the error names the first index), or
            there are more than `limit`.

    Source: send/webservice.md (1,000), send/pattern.md, send/votp.md and send/url.md (one).
    """
    if isinstance(values, str):
        return [recipient(values, argument=argument)]
    kind = type(values).__name__
    if isinstance(values, bytes | bytearray | memoryview | Mapping) or not isinstance(values, Iterable):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        problem = f"expected a str or an iterable of str, got {kind}"
        raise InvalidArgument(problem, argument=argument)
    numbers: list[str] = []
    for index, value in enumerate(values):
        if index == limit:
            problem = f"too many recipients: at most {limit:,} per request"
            raise InvalidArgument(
                f"{problem}; {remedy}" if remedy else problem,
                argument=f"{argument}[{index}]",
            )
        numbers.append(recipient(value, argument=f"{argument}[{index}]"))
    if not numbers:
        raise InvalidArgument("expected at least one recipient, got none", argument=argument)
    return numbers


def sender_line(value: str, *, argument: str = "from_number") -> str:
    """Normalise a sender line to the format of the API: ``+98`` followed by the line's digits or name.

    A numeric line is accepted in the same formats as a mobile number: ``3000717``, ``983000717``, ``+983000717``,
    ``021…``, with Persian digits and separators. A leading 98 is always the country code, so pass a line or name that
    itself starts with 98 with the +98 in front (``+9898…``). A name keeps its case and consists of Latin letters,
    digits and, between them, spaces and ``. _ & -``.

    Args:
        value: the sender line.
        argument: the argument's name in the error.

    Returns:
        The line, such as ``+983000717`` or ``+98BANK``, at most 20 characters. The function is idempotent.

    Raises:
        InvalidArgument: the value is not a sender line; the error states why.

    Source: send/webservice.md (from_number), numbers/list-numbers.md.
    """
    if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise InvalidArgument(_not_a_str(value), argument=argument)
    if any(unicodedata.category(character) == "Cc" for character in value):
        raise InvalidArgument("must not contain control characters (line breaks, tabs)", argument=argument)
    text = digits(value).translate(_REMOVE_INVISIBLE).strip()
    number = text.translate(_REMOVE_SEPARATORS)
    if not number:
        raise InvalidArgument("empty; pass one of your sender lines, such as +983000717 or +98BANK", argument=argument)
    line = _numeric_line(number, argument) if _NUMERIC.fullmatch(number) else _named_line(text, argument)
    if len(line) > MAX_SENDER_LINE:
        problem = f"expected at most {MAX_SENDER_LINE} characters including +98, got {len(line)}"
        raise InvalidArgument(problem, argument=argument)
    return line


def _numeric_line(number: str, argument: str) -> str:
    national = _without_country(number, argument).removeprefix("0")
    if len(national) < _MIN_LINE_DIGITS or national.startswith("0"):
        problem = f"not a sender line; expected at least {_MIN_LINE_DIGITS} digits after +98, such as +983000717"
        raise InvalidArgument(problem, argument=argument)
    return f"+{_COUNTRY}{national}"


def _named_line(text: str, argument: str) -> str:
    name = re.sub(r"^(?:\+98|0098|98)", "", text).strip()
    if not _NAME.fullmatch(name):
        problem = (
            "not a sender line; expected digits or a name of Latin letters and digits, such as +983000717 or +98BANK"
        )
        raise InvalidArgument(problem, argument=argument)
    return f"+{_COUNTRY}{name}"


def _without_country(number: str, argument: str) -> str:
    """Remove a leading 98, 0098 or +98; reject the code of another country."""
    if number.startswith("00"):
        number = f"+{number[2:]}"
    if not number.startswith("+"):
        return number.removeprefix(_COUNTRY)
    if not number[1:].startswith(_COUNTRY):
        problem = "not an Iranian number; the API accepts the country code +98 only"
        raise InvalidArgument(problem, argument=argument)
    return number[1 + len(_COUNTRY) :]


def _check_is_number(number: str, argument: str) -> None:
    problem = ""
    if not number:
        problem = f"empty; pass an Iranian mobile number, {EXAMPLE}"
    elif "+" in number[1:]:
        problem = f"unexpected + inside the phone number; pass a single number, {EXAMPLE}"
    elif not _NUMERIC.fullmatch(number):
        # Only the first unexpected character is shown, because a value passed by mistake may be a secret.
        unexpected = re.sub(r"[0-9+]", "", number)[:1]
        found = f"unexpected character {unexpected!r} in phone number" if unexpected else "phone number without digits"
        problem = f"{found}; pass digits only, {EXAMPLE}"
    if problem:
        raise InvalidArgument(problem, argument=argument)


def _wrong_length(count: int) -> str:
    off = abs(count - _MOBILE_DIGITS)
    noun = "digit" if off == 1 else "digits"
    word = "short" if count < _MOBILE_DIGITS else "long"
    return f"too {word} by {off} {noun}; expected {_MOBILE_DIGITS} digits after 0 or +98, {EXAMPLE}"


def _not_a_str(value: object) -> str:
    problem = f"expected a str, got {'None' if value is None else type(value).__name__}"
    if isinstance(value, int | float):
        return f"{problem}; a number loses its leading 0 and its +, so pass a str such as '09121234567'"
    return problem
