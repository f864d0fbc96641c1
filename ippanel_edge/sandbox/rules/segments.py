"""The segment count of a message text, implemented independently of the SDK so that errors of the SDK are detected."""

from __future__ import annotations

from typing import Final

import attrs

MAX_CHARACTERS: Final = 1400
MAX_PARTS: Final = 20
OPT_OUT_SUFFIX: Final = "\nلغو11"
"""What the service appends to the texts of promotional lines."""

_GSM_BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_EXTENSION = set("\f^{}\\[~]|€")
_MAX_BMP_CHARACTER = "\uffff"


@attrs.frozen
class SegmentCount:
    """The number of SMS segments of a text, and whether it is priced as Persian (not encodable in GSM 03.38)."""

    parts: int
    is_persian: bool


def count_segments(text: str, *, is_66_char: bool = False) -> SegmentCount:
    """Count segments of 160 or 153 GSM characters, or of 70 or 67 UTF-16 units; no character is split.

    `is_66_char` is that of the line: it splits long texts of other characters after 66 units.
    """
    is_persian = not all(character in _GSM_BASIC or character in _GSM_EXTENSION for character in text)
    single, multiple = (70, 66 if is_66_char else 67) if is_persian else (160, 153)
    sizes = [1 + (character > _MAX_BMP_CHARACTER if is_persian else character in _GSM_EXTENSION) for character in text]
    if sum(sizes) <= single:
        return SegmentCount(1, is_persian)
    parts, remaining = 1, multiple
    for size in sizes:
        if size > remaining:
            parts, remaining = parts + 1, multiple
        remaining -= size
    return SegmentCount(parts, is_persian)


def delivered_text(text: str, *, is_service: bool) -> str:
    """Return a text as a phone receives it: a promotional line appends the opt-out suffix to a text without it."""
    return text if is_service or text.rstrip().endswith(OPT_OUT_SUFFIX.strip()) else text + OPT_OUT_SUFFIX


def length_error(text: str) -> str | None:
    """Return the error of a text with more than 1,400 characters or 20 segments; None if it is valid."""
    if len(text) > MAX_CHARACTERS:
        return f"متن پیام نباید بیشتر از {MAX_CHARACTERS} کاراکتر باشد"
    if count_segments(text).parts > MAX_PARTS:
        return f"متن پیام نباید بیشتر از {MAX_PARTS} بخش باشد"
    return None
