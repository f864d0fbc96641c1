"""Phone numbers in any common format are normalised to E.164, and other values are rejected."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ippanel_edge.errors import ConfigurationError
from ippanel_edge.values.phones import digits, normalize_phone, recipient, recipients, sender_line

if TYPE_CHECKING:
    from collections.abc import Iterable

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
E164 = "+989121234567"

# No operator uses 098, and ten digits that start with 98 are rejected, which another test checks.
nationals = st.from_regex(r"9[0-9]{9}", fullmatch=True).filter(lambda number: not number.startswith("98"))
prefixes = st.sampled_from(["+98", "0098", "98", "0", "", "+980", "00980", "980"])
fillers = st.sampled_from(
    [
        "",
        "",
        "",
        *" -().\u00b7\u2010\u2011\u2013\u2014\u2212\u00a0\u2009\u202f",
        *"\u00ad\u200c\u200e\u200f\u202a\u202c\u2066\u2069\ufeff",
    ]
)


def rejection(value: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        normalize_phone(cast("str", value))
    return str(caught.value)


@pytest.mark.parametrize(
    "number",
    [
        "+989121234567",
        "00989121234567",
        "989121234567",
        "09121234567",
        "9121234567",
        "+98 (0) 912 123 4567",
        "+98 0912 123 4567",
        "0912-123-4567",
        "0912.123.4567",
        "0912.1234567",
        "(0912) 123\u20134567",
        "۰۹۱۲۱۲۳۴۵۶۷",
        "٠٩١٢١٢٣٤٥٦٧",
        "+\u06f9\u06f8\u0669\u0661\u0662\u06f1\u06f2\u06f34567",
        "\u202a+98 912 123 4567\u202c",
        "\ufeff09121234567\r\n",
        "\t09121234567 ",
        "0912\u00a0123\u200c4567",
    ],
)
def test_a_number_in_any_common_format_is_normalised_to_e164(number: str) -> None:
    assert normalize_phone(number) == E164


@given(
    st.from_regex(r"(\+98|0098|98|0|\+980|\+|00)?(98|9|989|8|\u06f9)?[0-9]{6,10}[\n ]?", fullmatch=True)
    | st.text("+098 1\u06f9", max_size=14)
)
@example("9812345678")
@example("09812345678")
@example("+989812345678")
def test_a_number_is_normalised_the_same_without_separators(number: str) -> None:
    # A number without separators is matched at once, and any other one is taken apart.
    assert outcome(number) == outcome(f" {number}")


def outcome(number: str) -> str:
    try:
        return normalize_phone(number)
    except ConfigurationError as error:
        return str(error)


class Text(str):
    """A str subclass."""

    __slots__ = ()


@pytest.mark.parametrize("number", ["+989121234567", "09121234567", "9121234567", "00989121234567", "989121234567"])
def test_a_str_subclass_is_normalised_like_a_str(number: str) -> None:
    assert normalize_phone(Text(number)) == E164


@given(national=nationals, prefix=prefixes, script=st.sampled_from([{}, PERSIAN, ARABIC]), data=st.data())
def test_all_formats_of_a_number_are_normalised_to_the_same_e164(
    national: str, prefix: str, script: dict[int, int], data: st.DataObject
) -> None:
    characters = (prefix + national).translate(script)
    gaps = data.draw(st.lists(fillers, min_size=len(characters), max_size=len(characters)))
    # A dot before the last one or two digits makes it a decimal number, which is rejected.
    gaps[-2:] = ["", ""]
    number = "".join(itertools.chain.from_iterable(zip(gaps, characters, strict=True)))
    assert normalize_phone(number) == f"+98{national}"


@given(st.text(alphabet="0123456789+ -().۰۱۲۹٩\u200f", max_size=20) | st.text(max_size=20))
@example("+989121234567")
def test_the_result_is_e164_and_normalisation_is_idempotent(text: str) -> None:
    try:
        number = normalize_phone(text)
    except ConfigurationError:
        return
    assert re.fullmatch(r"\+989[0-9]{9}", number)
    assert normalize_phone(number) == number


@given(nationals, st.integers(min_value=1, max_value=9))
def test_a_number_with_missing_or_extra_digits_is_rejected(national: str, off: int) -> None:
    for prefix in ("+98", "0098", "0"):
        assert f"too short by {off} digit" in rejection(prefix + national[:-off])
        assert f"too long by {off} digit" in rejection(prefix + national + "1" * off)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "empty"),
        (" \u200f- ", "empty"),
        ("0912123456", "too short by 1 digit;"),
        ("091212345", "too short by 2 digits;"),
        ("98912123456", "too short by 1 digit;"),
        ("091212345678", "too long by 1 digit;"),
        ("9121234567 9121234567", "too long by 10 digits;"),
        ("+1 202 555 0123", "country code +98 only"),
        ("0044 7700 900123", "+98 only"),
        ("00", "+98 only"),
        ("+", "without digits"),
        ("+98", "not a mobile number"),
        ("000989121234567", "+98 only"),
        ("021 8877 6655", "not a mobile number"),
        ("+982188776655", "not a mobile number"),
        ("2188776655", "not a mobile number"),
        ("0989121234567", "too long by 2 digits"),
        ("+98 00 912 123 4567", "not a mobile number"),
        ("989121234567+", "unexpected + inside"),
        ("++989121234567", "unexpected + inside"),
        ("0912+1234567", "unexpected + inside"),
        ("0912123456x", "'x'"),
        ("tel:09121234567", "'t'"),
        ("0912/1234567", "'/'"),
        ("0912123\n4567", r"'\n'"),
        ("09121234567\0", r"'\x00'"),
        ("0912\ud8001234567", r"'\ud800'"),
        ("\u0966\u096f12 123 4567", "'\u0966'"),
        ("09121234567,09121234568", "','"),
        ("9121234567.0", "a decimal number"),
        ("9.12E+09", "a decimal number"),
        ("9.121234567e9", "a decimal number"),
        ("989E9", "a decimal number"),
        ("912123456.0", "a decimal number"),
        ("98912123456.7", "a decimal number"),
        ("9.121234567E9", "a decimal number"),
    ],
)
def test_a_value_that_is_not_a_mobile_number_is_rejected_with_the_reason(value: str, problem: str) -> None:
    assert problem in rejection(value)


def test_ten_digits_that_start_with_98_are_a_country_code_with_two_missing_digits() -> None:
    assert "too short by 2 digits" in rejection("9891212345")
    assert normalize_phone("09891212345") == normalize_phone("+989891212345") == "+989891212345"


@pytest.mark.parametrize("value", [9121234567, 9121234567.0, True])
def test_an_int_or_float_is_rejected_because_it_loses_the_leading_zero(value: object) -> None:
    assert "loses its leading 0" in rejection(value)


@pytest.mark.parametrize("value", [None, b"09121234567", ["09121234567"], object()])
def test_a_value_that_is_not_a_str_is_rejected(value: object) -> None:
    assert "expected a str, got" in rejection(value)


def test_the_error_contains_a_remedy_but_not_the_number() -> None:
    problem = rejection("0912987654")
    assert "such as 09121234567" in problem
    assert "987654" not in problem


def test_the_error_names_the_index_of_an_invalid_recipient() -> None:
    with pytest.raises(ConfigurationError, match=r"^messages\[2\]\.recipients\[3\]: too short"):
        recipient("0912", argument="messages[2].recipients[3]")


def test_recipients_keep_their_order_and_duplicates() -> None:
    given_numbers = iter(["09121234567", "۹۱۲۱۲۳۴۵۶۸", "+98 912 123 4567"])
    assert recipients(given_numbers, limit=3) == ["+989121234567", "+989121234568", "+989121234567"]


def test_a_single_str_is_one_recipient() -> None:
    assert recipients("09121234567", limit=1) == [E164]
    with pytest.raises(ConfigurationError) as caught:
        recipients("0912", argument="recipient", limit=1)
    assert caught.value.argument == "recipient"


def test_the_error_names_the_first_invalid_recipient() -> None:
    with pytest.raises(ConfigurationError) as caught:
        recipients(["09121234567", "0912", "x"], limit=None)
    assert caught.value.argument == "recipients[1]"


@pytest.mark.parametrize("values", [b"09121234567", bytearray(b"1"), {"09121234567": "Sara"}, None, 9121234567])
def test_recipients_that_are_not_an_iterable_of_str_are_rejected(values: object) -> None:
    with pytest.raises(ConfigurationError, match="expected a str or an iterable of str, got"):
        recipients(cast("Iterable[str]", values), limit=None)


def test_an_int_in_the_recipients_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match=r"^recipients\[0\]: expected a str, got int"):
        recipients(cast("list[str]", [9121234567]), limit=None)


def test_an_empty_list_of_recipients_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match=r"^recipients: expected at least one recipient"):
        recipients([], limit=None)


def test_more_recipients_than_the_limit_are_rejected_and_the_error_names_the_first_index_beyond_it() -> None:
    numbers = ["09121234567"] * 1000
    assert len(recipients(numbers, limit=1000)) == 1000
    with pytest.raises(ConfigurationError) as caught:
        recipients([*numbers, "x"], limit=1000, remedy="upload them with send.file")
    assert str(caught.value) == (
        "recipients[1000]: too many recipients: at most 1,000 per request; upload them with send.file"
    )


def test_a_limit_of_one_rejects_a_second_recipient() -> None:
    with pytest.raises(ConfigurationError) as caught:
        recipients(["09121234567", "09121234568"], argument="recipient", limit=1)
    assert str(caught.value) == "recipient[1]: too many recipients: at most 1 per request"


def test_an_infinite_iterable_is_consumed_only_up_to_the_limit() -> None:
    with pytest.raises(ConfigurationError, match=r"recipients\[1000\]"):
        recipients(itertools.repeat("09121234567"), limit=1000)


def test_without_a_limit_any_number_of_recipients_is_accepted() -> None:
    assert len(recipients(["09121234567"] * 1001, limit=None)) == 1001


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("+983000717", "+983000717"),
        ("3000717", "+983000717"),
        ("983000717", "+983000717"),
        ("00983000717", "+983000717"),
        ("۳۰۰۰۷۱۷", "+983000717"),
        ("3000 717", "+983000717"),
        ("+98-3000-717\u200f", "+983000717"),
        ("50001234", "+9850001234"),
        ("9000123", "+989000123"),
        ("30001234567890", "+9830001234567890"),
        ("02170000", "+982170000"),
        ("98218800041", "+98218800041"),
        ("+98 (0)21 8800 041", "+98218800041"),
        ("1000", "+981000"),
        ("+981000", "+981000"),
        ("981000", "+981000"),
        ("09121234567", "+989121234567"),
        ("9121234567", "+989121234567"),
        ("+9898123", "+9898123"),
        ("+98BANK", "+98BANK"),
        ("BANK", "+98BANK"),
        (" BANK\u200e ", "+98BANK"),
        ("98PRO", "+98PRO"),
        ("0098PRO", "+98PRO"),
        ("+98votp", "+98votp"),
        ("My Shop-24", "+98My Shop-24"),
        ("SHOP۲۴", "+98SHOP24"),
        ("+9898bot", "+9898bot"),
        ("+98 BANK", "+98BANK"),
    ],
)
def test_a_sender_line_in_any_common_format_is_normalised(value: str, line: str) -> None:
    assert sender_line(value) == line
    assert sender_line(line) == line


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("\u200f", "empty"),
        ("BANK\n", "control characters"),
        ("BANK\r\nX-A: b", "control characters"),
        ("3000\0", "control characters"),
        ("\x85BANK", "control characters"),
        ("98", "at least 4 digits"),
        ("+98", "at least 4 digits"),
        ("123", "at least 4 digits"),
        ("98123", "at least 4 digits"),
        ("00", "+98 only"),
        ("+98000123", "at least 4 digits"),
        ("+14155550123", "+98 only"),
        ("0044770090012", "+98 only"),
        ("+BANK", "not a sender line"),
        ("BANK!", "not a sender line"),
        ("+", "not a sender line"),
        ("بانک", "not a sender line"),
        ("a" * 18, "at most 20 characters including +98, got 21"),
        ("1" * 18, "at most 20 characters including +98, got 21"),
    ],
)
def test_a_value_that_is_not_a_sender_line_is_rejected_with_the_reason(value: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        sender_line(value)
    assert problem in str(caught.value)
    assert caught.value.argument == "from_number"


@pytest.mark.parametrize("value", [3000717, None, b"3000717"])
def test_a_sender_line_that_is_not_a_str_is_rejected(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"^number: expected a str"):
        sender_line(cast("str", value), argument="number")


@given(st.text(alphabet="0983+\u06f0\u06f9aZ -._\u200f", max_size=22) | st.text(max_size=22))
def test_normalising_a_sender_line_is_idempotent(text: str) -> None:
    try:
        line = sender_line(text)
    except ConfigurationError:
        return
    assert line.startswith("+98")
    assert len(line) <= 20
    assert line.isascii()
    assert sender_line(line) == line


@given(st.text())
def test_digits_changes_only_persian_and_arabic_digits(text: str) -> None:
    changed = digits(text)
    assert len(changed) == len(text)
    for before, after in zip(text, changed, strict=True):
        assert before == after or (before in "۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩" and int(before) == int(after) and after.isascii())


def test_digits_replaces_persian_and_arabic_digits_with_ascii() -> None:
    assert digits("کد: ۱۲۳۴۵٦٧٨٩٠") == "کد: 1234567890"
