"""How the sandbox counts a text: its own count, so that a wrong one of the SDK is seen. Prices are elsewhere."""

from __future__ import annotations

from typing import Final

import attrs

MOST_CHARACTERS: Final = 1400
MOST_PARTS: Final = 20

_BASIC = set(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = set("\f^{}\\[~]|€")
_LAST_OF_ONE_UNIT = "\uffff"


@attrs.frozen
class Count:
    """How many parts a text makes, and whether it is priced as Persian (anything that is not GSM 03.38)."""

    parts: int
    is_persian: bool


def count(text: str) -> Count:
    """Count a text's parts: 160 or 153 GSM characters, else 70 or 67 UTF-16 units; no character is torn in two."""
    is_persian = not all(character in _BASIC or character in _ESCAPED for character in text)
    single, several = (70, 67) if is_persian else (160, 153)
    sizes = [1 + (it > _LAST_OF_ONE_UNIT if is_persian else it in _ESCAPED) for it in text]
    if sum(sizes) <= single:
        return Count(1, is_persian)
    parts, room = 1, several
    for size in sizes:
        if size > room:
            parts, room = parts + 1, several
        room -= size
    return Count(parts, is_persian)


def why_too_long(text: str) -> str | None:
    """Say why a text is refused: more than 1,400 characters or 20 parts. None where it is not."""
    if len(text) > MOST_CHARACTERS:
        return f"متن پیام نباید بیشتر از {MOST_CHARACTERS} کاراکتر باشد"
    if count(text).parts > MOST_PARTS:
        return f"متن پیام نباید بیشتر از {MOST_PARTS} بخش باشد"
    return None
