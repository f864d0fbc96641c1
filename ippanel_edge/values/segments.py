"""How a text is counted: its encoding, its parts and its limits. What they cost is the service's to tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import attrs

from ippanel_edge.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterable

OPT_OUT_SUFFIX: Final = "\nلغو11"
"""What the operators want at the end of a promotional text: 6 characters, its line break included."""
MAX_CHARACTERS: Final = 1400
MAX_PARTS: Final = 20

# GSM 03.38. The table's 128th place, escape, is no character of its own: it announces one of the extension.
_GSM_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
_GSM: Final = _GSM_BASIC | _GSM_EXTENSION

_GSM_SINGLE: Final = 160
_GSM_PART: Final = 153
_UCS2_SINGLE: Final = 70
_UCS2_PART: Final = 67
_LAST_OF_BMP: Final = "\uffff"


@attrs.frozen(slots=True)
class SmsParts:
    """How many text messages a text makes.

    Attributes:
        encoding: ``gsm-7`` where every character is in GSM 03.38, else ``ucs-2``.
        units: the text's length as the network counts: septets (extension characters are 2), or UTF-16 units.
        parts: how many messages are sent and billed.
        left: units still free in the last part.
    """

    encoding: Literal["gsm-7", "ucs-2"]
    units: int
    parts: int
    left: int


def sms_parts(text: str, *, opt_out: bool = False) -> SmsParts:
    """Count the parts of a text.

    A character of two units (an extension character, an emoji) is never cut: where it does not fit, the part ends one
    unit early. An empty text makes one part of no units, though the API refuses to send it. Some lines cut long
    Persian texts at 66 units rather than 67 (`is_66_char` of a number), which is not reckoned with.

    Args:
        text: the text as it is sent.
        opt_out: count `OPT_OUT_SUFFIX` in, which makes every text UCS-2.

    Returns:
        Encoding, units, parts, and what is left of the last part.

    Raises:
        ConfigurationError: the text is no str, or holds half of a surrogate pair, which no phone can show.

    Source: send/calculate-price.md, GSM 03.38.
    """
    _refuse_what_cannot_be_sent(text, "text")
    whole = text + OPT_OUT_SUFFIX if opt_out else text
    if _GSM.issuperset(whole):
        widths = [2 if character in _GSM_EXTENSION else 1 for character in whole]
        units, parts, left = _fill(widths, single=_GSM_SINGLE, part=_GSM_PART)
        return SmsParts("gsm-7", units, parts, left)
    widths = [2 if character > _LAST_OF_BMP else 1 for character in whole]
    units, parts, left = _fill(widths, single=_UCS2_SINGLE, part=_UCS2_PART)
    return SmsParts("ucs-2", units, parts, left)


def check_message(text: str, *, argument: str = "message", check_limits: bool = True) -> str:
    """Refuse a text that the API would refuse.

    Args:
        text: the text to send.
        argument: its name and place for the error, such as ``messages[2].message``.
        check_limits: whether to check the 1,400 characters and 20 parts too.

    Returns:
        The text, unchanged.

    Raises:
        ConfigurationError: it is no str, blank, holds NUL or half of a surrogate pair, or exceeds one of the limits.

    Source: send/webservice.md (message).
    """
    _refuse_what_cannot_be_sent(text, argument)
    if not text.strip():
        raise ConfigurationError("must not be empty or blank", argument=argument)
    if "\0" in text:
        raise ConfigurationError(f"must not hold a NUL (character {text.index(chr(0)) + 1:,})", argument=argument)
    if not check_limits:
        return text
    if len(text) > MAX_CHARACTERS:
        problem = f"must have at most {MAX_CHARACTERS:,} characters, not {len(text):,}"
        raise ConfigurationError(problem, argument=argument)
    counted = sms_parts(text)
    if counted.parts > MAX_PARTS:
        problem = (
            f"must make at most {MAX_PARTS} parts, not {counted.parts} ({counted.units:,} units of {counted.encoding})"
        )
        raise ConfigurationError(problem, argument=argument)
    return text


def _refuse_what_cannot_be_sent(text: str, argument: str) -> None:
    if not isinstance(text, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        raise ConfigurationError(f"must be a str, not {type(text).__name__}", argument=argument)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        problem = f"holds half of a surrogate pair (character {error.start + 1:,}): decode the text anew, as UTF-8"
    else:
        return
    # Outside of the handler: the UnicodeEncodeError carries the text, which may be a one-time code.
    raise ConfigurationError(problem, argument=argument)


def _fill(widths: Iterable[int], *, single: int, part: int) -> tuple[int, int, int]:
    """Lay characters of one or two units into parts: the units, the parts, and what is left of the last."""
    units, parts, used = 0, 1, 0
    for width in widths:
        units += width
        if used + width > part:
            parts += 1
            used = 0
        used += width
    if units <= single:
        return units, 1, single - units
    return units, parts, part - used
