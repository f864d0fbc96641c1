"""Encoding, number of parts (SMS segments) and limits of a message text. For prices, query the service."""

from __future__ import annotations

import re
from typing import Final, Literal

import attrs

from ippanel_edge.errors import InvalidArgument

OPT_OUT_SUFFIX: Final = "\nلغو11"
"""The opt-out suffix of promotional messages: 6 characters including its line break."""
MAX_CHARACTERS: Final = 1400
"""The maximum number of characters of a message."""
MAX_PARTS: Final = 20
"""The maximum number of parts (SMS segments) of a message."""

# GSM 03.38. The table's 128th code, escape, is not included: it only introduces a character of the extension table.
_GSM_BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_BASIC: Final = re.compile(f"[{re.escape(_GSM_BASIC)}]*+")
_GSM_EXTENSION: Final = re.escape("\f^{}\\[~]|€")
_GSM: Final = re.compile(f"[{re.escape(_GSM_BASIC)}{_GSM_EXTENSION}]*+")
# The characters of two units of each encoding.
_WIDE_GSM: Final = re.compile(f"[{_GSM_EXTENSION}]")
_WIDE_UCS2: Final = re.compile("[\U00010000-\U0010ffff]")
_FIRST_UNIT: Final = "\ud83d"
"""The first unit of a character of two. No text contains it, because lone surrogates are rejected."""
_TWO_UNITS: Final = f"{_FIRST_UNIT}."

_GSM_SINGLE: Final = 160
_GSM_PART: Final = 153
_UCS2_SINGLE: Final = 70
_UCS2_PART: Final = 67
_ALWAYS_FITS: Final = MAX_PARTS * (_UCS2_PART // 2)
"""The characters that never exceed the maximum of parts: each takes at most two units, and is never split."""


@attrs.frozen(slots=True)
class SmsParts:
    """The encoding of a message text and the number of SMS segments (the API's "parts") that it takes.

    Attributes:
        encoding: ``gsm-7`` if every character is in GSM 03.38, otherwise ``ucs-2``.
        units: the encoded length in septets (``gsm-7``; 2 for an extension character) or UTF-16 code units (``ucs-2``).
        parts: the number of segments that are sent and billed.
        left: the number of unused units in the last part.
    """

    encoding: Literal["gsm-7", "ucs-2"]
    units: int
    parts: int
    left: int


def sms_parts(text: str, *, opt_out: bool = False) -> SmsParts:
    """Count the parts (SMS segments) of a message text.

    A character of two units (an extension character, an emoji) is never split: if it does not fit, the part ends one
    unit early. An empty text counts as one part with 0 units, although the API rejects it. `Number.is_66_char` is not
    taken into account.

    Args:
        text: the message text.
        opt_out: whether to include `OPT_OUT_SUFFIX`, which requires UCS-2.

    Returns:
        The encoding, the number of units and parts, and the unused units of the last part.

    Raises:
        InvalidArgument: the text is not a str or contains a lone surrogate, which cannot be encoded, or `opt_out` is
            not a bool.

    Source: send/calculate-price.md, GSM 03.38.
    """
    _check_encodable(text, "text")
    if not isinstance(opt_out, bool):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise InvalidArgument(f"expected a bool, got {type(opt_out).__name__}", argument="opt_out")
    return _count(text + OPT_OUT_SUFFIX if opt_out else text)


def check_message(text: str, *, argument: str = "message", check_limits: bool = True) -> str:
    """Validate a message text against the rules of the API.

    Args:
        text: the message text.
        argument: the argument's name and index in the error, such as ``messages[2].message``.
        check_limits: whether to also check the limits of 1,400 characters and 20 parts.

    Returns:
        The text, unchanged.

    Raises:
        InvalidArgument: the text is not a str, is blank, contains NUL or a lone surrogate, or exceeds a limit.

    Source: send/webservice.md (message).
    """
    _check_encodable(text, argument)
    if not text or text.isspace():
        raise InvalidArgument("must not be empty or blank", argument=argument)
    if "\0" in text:
        problem = f"contains NUL at character {text.index(chr(0)) + 1:,}; remove it"
        raise InvalidArgument(problem, argument=argument)
    if not check_limits:
        return text
    if len(text) > MAX_CHARACTERS:
        problem = f"expected at most {MAX_CHARACTERS:,} characters, got {len(text):,}"
        raise InvalidArgument(problem, argument=argument)
    if len(text) <= _ALWAYS_FITS:
        return text
    counted = _count(text)
    if counted.parts > MAX_PARTS:
        problem = (
            f"expected at most {MAX_PARTS} parts (SMS segments), got {counted.parts} "
            f"({counted.units:,} {counted.encoding} units)"
        )
        raise InvalidArgument(problem, argument=argument)
    return text


def _check_encodable(text: str, argument: str) -> None:
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise InvalidArgument(f"expected a str, got {type(text).__name__}", argument=argument)
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        problem = f"contains a lone surrogate at character {error.start + 1:,}; decode the text again as UTF-8"
    else:
        return
    # Raised outside the handler, because the UnicodeEncodeError contains the text, which may be a one-time code.
    raise InvalidArgument(problem, argument=argument)


def _count(text: str) -> SmsParts:
    """Count the parts of a text without lone surrogates."""
    if _GSM.fullmatch(text):
        wide = 0 if _BASIC.fullmatch(text) else len(_WIDE_GSM.findall(text))
        parts, left = _fill(text, len(text) + wide, _WIDE_GSM, single=_GSM_SINGLE, part=_GSM_PART)
        return SmsParts("gsm-7", len(text) + wide, parts, left)
    units = len(text.encode("utf-16-le")) // 2
    parts, left = _fill(text, units, _WIDE_UCS2, single=_UCS2_SINGLE, part=_UCS2_PART)
    return SmsParts("ucs-2", units, parts, left)


def _fill(text: str, units: int, wide: re.Pattern[str], *, single: int, part: int) -> tuple[int, int]:
    """Distribute the characters of a text over parts.

    Args:
        text: the text.
        units: its length in units.
        wide: the characters of two units; the others have one.
        single: the maximum number of units of a text that is one part.
        part: the maximum number of units of a part, if there are several.

    Returns:
        The number of parts and of the units left in the last one.
    """
    if units <= single:
        return 1, single - units
    if units == len(text):
        parts = -(-units // part)
        return parts, parts * part - units
    # One character for each unit. A part ends one unit early if a character of two would be split.
    encoded = wide.sub(_TWO_UNITS, text)
    start, parts = 0, 1
    while units - start > part:
        start += part - (encoded[start + part - 1] == _FIRST_UNIT)
        parts += 1
    return parts, part - (units - start)
