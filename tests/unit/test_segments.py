"""Encoding, parts (SMS segments) and limits of message texts, compared with an independent implementation."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ippanel_edge.errors import ConfigurationError
from ippanel_edge.values.segments import MAX_CHARACTERS, MAX_PARTS, OPT_OUT_SUFFIX, SmsParts, check_message, sms_parts

# The basic table of GSM 03.38 by code, in the order of the standard, and its extension table.
GSM_BASIC = (
    "@\u00a3$\u00a5\u00e8\u00e9\u00f9\u00ec\u00f2\u00c7\n\u00d8\u00f8\r\u00c5\u00e5"
    "\u0394_\u03a6\u0393\u039b\u03a9\u03a0\u03a8\u03a3\u0398\u039e\x1b\u00c6\u00e6\u00df\u00c9"
    " !\"#\u00a4%&'()*+,-./"
    "0123456789:;<=>?"
    "\u00a1ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZ\u00c4\u00d6\u00d1\u00dc\u00a7"
    "\u00bfabcdefghijklmno"
    "pqrstuvwxyz\u00e4\u00f6\u00f1\u00fc\u00e0"
)
GSM_EXTENSION = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
} | {0x65: "\u20ac"}
EMOJI = "\U0001f600"

# Characters of each width and alphabet, so that all kinds of characters occur at part boundaries.
characters = st.sampled_from("aZ9 \n@{}[]~|^\\\u20ac\f" + "\u0633\u0644\u06f1" + EMOJI)
texts = st.text(st.one_of(characters, st.characters(exclude_categories=["Cs"])), max_size=60)


def repeated(alphabet: st.SearchStrategy[str] | str, max_repetitions: int) -> st.SearchStrategy[str]:
    """Draw texts of a few repeated units, long enough to fill several parts and to end anywhere in a part."""
    runs = st.lists(st.tuples(st.text(alphabet, max_size=4), st.integers(0, max_repetitions)), max_size=6)
    return runs.map(lambda drawn: "".join(unit * times for unit, times in drawn))


long_texts = repeated(characters, 90)
gsm_texts = repeated("ab{\u20ac", 170)


def gsm_bytes(character: str) -> bytes:
    if character in GSM_BASIC and character != "\x1b":
        return bytes([GSM_BASIC.index(character)])
    for code, extension in GSM_EXTENSION.items():
        if extension == character:
            return bytes([0x1B, code])
    raise LookupError(character)


def split(text: str) -> tuple[str, list[str]]:
    """Split a text into its parts by encoding it. The implementation under test only adds up character widths."""
    try:
        size, single, part, encoding = 1, 160, 153, "gsm-7"
        encoded = [gsm_bytes(character) for character in text]
    except LookupError:
        size, single, part, encoding = 2, 70, 67, "ucs-2"
        encoded = [character.encode("utf-16-be") for character in text]
    if len(b"".join(encoded)) <= single * size:
        return encoding, [text]
    parts: list[str] = []
    rest = text
    while rest:
        fitting = max(n for n in range(1, part + 1) if len(b"".join(encoded[:n])) <= part * size)
        parts.append(rest[:fitting])
        rest, encoded = rest[fitting:], encoded[fitting:]
    return encoding, parts


def length(text: str, encoding: str) -> int:
    if encoding == "gsm-7":
        return sum(len(gsm_bytes(character)) for character in text)
    return len(text.encode("utf-16-be")) // 2


def test_every_gsm_character_is_counted_as_gsm_7() -> None:
    assert len(GSM_BASIC) == len(set(GSM_BASIC)) == 128
    every = (GSM_BASIC + "".join(GSM_EXTENSION.values())).replace("\x1b", "")
    assert sms_parts(every) == SmsParts("gsm-7", 127 + 20, 1, 13)


@given(st.characters(exclude_categories=["Cs"]))
def test_a_character_is_gsm_7_exactly_if_the_table_contains_it(character: str) -> None:
    try:
        units = len(gsm_bytes(character))
    except LookupError:
        units = len(character.encode("utf-16-be")) // 2
        assert sms_parts(character) == SmsParts("ucs-2", units, 1, 70 - units)
    else:
        assert sms_parts(character) == SmsParts("gsm-7", units, 1, 160 - units)


@given(texts | long_texts | gsm_texts, st.booleans())
def test_the_count_equals_that_of_encoding_and_splitting_the_text(text: str, opt_out: bool) -> None:  # noqa: FBT001 - drawn by hypothesis
    counted = sms_parts(text, opt_out=opt_out)
    encoding, parts = split(text + OPT_OUT_SUFFIX if opt_out else text)
    assert counted.encoding == encoding
    assert counted.parts == len(parts)
    assert counted.units == sum(length(part, encoding) for part in parts)
    single, part = (160, 153) if encoding == "gsm-7" else (70, 67)
    assert counted.left == (single if len(parts) == 1 else part) - length(parts[-1], encoding)


def by_widths(text: str) -> SmsParts:
    """Count the parts by adding up the width of each character."""
    basic = set(GSM_BASIC) - {"\x1b"}
    if set(text) <= basic | set(GSM_EXTENSION.values()):
        encoding, single, part = "gsm-7", 160, 153
        widths = [2 if character in GSM_EXTENSION.values() else 1 for character in text]
    else:
        encoding, single, part = "ucs-2", 70, 67
        widths = [2 if character > "\uffff" else 1 for character in text]
    units, parts, used = 0, 1, 0
    for width in widths:
        units += width
        if used + width > part:
            parts += 1
            used = 0
        used += width
    counted = (1, single - units) if units <= single else (parts, part - used)
    return SmsParts(cast("Any", encoding), units, *counted)


@given(
    st.lists(
        st.tuples(st.sampled_from(["a", "{", "\u0633", EMOJI, "\u20ac]", "\x1b"]), st.integers(0, 160)), max_size=9
    )
)
def test_the_count_equals_that_of_adding_up_the_widths(runs: list[tuple[str, int]]) -> None:
    text = "".join(unit * times for unit, times in runs)
    assert sms_parts(text) == by_widths(text)


@given(st.sampled_from(["a{", "\u0633" + EMOJI]), st.integers(1, 20), st.integers(-3, 3))
def test_the_count_is_right_around_each_end_of_a_part(pair: str, part: int, off: int) -> None:
    size = 153 if pair.isascii() else 67
    for begin in range(size * part - 3, size * part + 4):
        text = pair[0] * max(begin, 0) + pair[1] + pair[0] * (size + off)
        assert sms_parts(text) == by_widths(text)


@given(long_texts, st.integers(1, 20))
def test_the_units_left_can_be_filled_without_another_part(text: str, more: int) -> None:
    counted = sms_parts(text)
    filled = sms_parts(text + "a" * counted.left)
    assert (filled.parts, filled.left) == (counted.parts, 0)
    assert sms_parts(text + "a" * (counted.left + more)).parts > counted.parts


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("a" * 159, SmsParts("gsm-7", 159, 1, 1)),
        ("a" * 160, SmsParts("gsm-7", 160, 1, 0)),
        ("a" * 161, SmsParts("gsm-7", 161, 2, 145)),
        ("a" * 306, SmsParts("gsm-7", 306, 2, 0)),
        ("a" * 307, SmsParts("gsm-7", 307, 3, 152)),
        ("a" * 153 * 20, SmsParts("gsm-7", 3060, 20, 0)),
        ("س" * 69, SmsParts("ucs-2", 69, 1, 1)),
        ("س" * 70, SmsParts("ucs-2", 70, 1, 0)),
        ("س" * 71, SmsParts("ucs-2", 71, 2, 63)),
        ("س" * 134, SmsParts("ucs-2", 134, 2, 0)),
        ("س" * 135, SmsParts("ucs-2", 135, 3, 66)),
        ("س" * 67 * 20, SmsParts("ucs-2", 1340, 20, 0)),
        ("a" * 70 + "س", SmsParts("ucs-2", 71, 2, 63)),
        ("ç", SmsParts("ucs-2", 1, 1, 69)),
        ("\x1b", SmsParts("ucs-2", 1, 1, 69)),
    ],
)
def test_parts_end_at_the_limits_of_the_standard(text: str, counted: SmsParts) -> None:
    assert sms_parts(text) == counted


def test_an_extension_character_counts_as_two_units() -> None:
    assert sms_parts("{" * 80) == SmsParts("gsm-7", 160, 1, 0)
    assert sms_parts("{" * 80 + "a") == SmsParts("gsm-7", 161, 2, 153 - 9)


def test_an_extension_character_is_not_split_between_parts() -> None:
    # If the extension character starts at septet 153, the first part ends early, so 306 septets need three parts.
    assert sms_parts("a" * 151 + "{" + "a" * 153) == SmsParts("gsm-7", 306, 2, 0)
    assert sms_parts("a" * 152 + "{" + "a" * 152) == SmsParts("gsm-7", 306, 3, 152)


def test_an_emoji_counts_as_two_units_and_is_not_split_between_parts() -> None:
    assert sms_parts(EMOJI * 35) == SmsParts("ucs-2", 70, 1, 0)
    assert sms_parts("س" * 65 + EMOJI + "س" * 67) == SmsParts("ucs-2", 134, 2, 0)
    assert sms_parts("س" * 66 + EMOJI + "س" * 66) == SmsParts("ucs-2", 134, 3, 66)


def test_the_opt_out_suffix_has_six_characters_and_requires_ucs_2() -> None:
    assert len(OPT_OUT_SUFFIX) == 6
    assert sms_parts("sale", opt_out=True) == SmsParts("ucs-2", 10, 1, 60)
    assert sms_parts("a" * 64, opt_out=True) == SmsParts("ucs-2", 70, 1, 0)
    assert sms_parts("a" * 65, opt_out=True) == SmsParts("ucs-2", 71, 2, 63)
    assert sms_parts("a" * 160, opt_out=True).parts == 3


def test_an_empty_text_is_one_part_with_zero_units() -> None:
    assert sms_parts("") == SmsParts("gsm-7", 0, 1, 160)


@pytest.mark.parametrize("text", ["ab\ud83d", "ab\ude00c", "ab\ude00\ud83d"])
def test_a_lone_surrogate_is_rejected_and_the_error_names_its_position(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^text: contains a lone surrogate at character 3;") as caught:
        sms_parts(text)
    assert caught.value.__context__ is None
    with pytest.raises(ConfigurationError, match=r"^message: contains a lone surrogate"):
        check_message(text)


@pytest.mark.parametrize("text", [None, b"hello", 5])
def test_a_message_that_is_not_a_str_is_rejected(text: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^text: expected a str, got"):
        sms_parts(cast("str", text))
    with pytest.raises(ConfigurationError, match=r"^messages\[2\]\.message: expected a str, got"):
        check_message(cast("str", text), argument="messages[2].message", check_limits=False)


@pytest.mark.parametrize("text", ["", " ", "\n\t \u00a0"])
def test_a_blank_message_is_rejected(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^message: must not be empty or blank"):
        check_message(text, check_limits=False)


def test_nul_is_rejected_and_the_error_names_its_position() -> None:
    with pytest.raises(ConfigurationError, match=r"contains NUL at character 3;"):
        check_message("ab\0c", check_limits=False)


def test_a_valid_message_is_returned_unchanged() -> None:
    assert check_message(" سلام\n ") == " سلام\n "


def test_a_message_can_have_at_most_1400_characters() -> None:
    assert MAX_CHARACTERS == 1400
    assert check_message("a" * 1400)
    with pytest.raises(ConfigurationError, match=r"at most 1,400 characters, got 1,401"):
        check_message("a" * 1401)


def test_a_message_can_have_at_most_20_parts() -> None:
    assert MAX_PARTS == 20
    assert check_message("س" * 1340)
    with pytest.raises(ConfigurationError, match=r"at most 20 parts \(SMS segments\), got 21 \(1,341 ucs-2 units\)"):
        check_message("س" * 1341)


def test_checking_the_limits_can_be_disabled() -> None:
    text = "س" * 5000
    assert check_message(text, check_limits=False) == text
