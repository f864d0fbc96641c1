"""Validation of usernames, passwords, national codes, mobile numbers and dates by the rules of the service."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields

_USERNAME: Final = re.compile(r"[A-Za-z0-9.-]+")
_MOBILE: Final = re.compile(r"(?:\+98|0098|98|0)?(9[0-9]{9})")
_DATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_CHARACTER_CLASSES: Final = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")
_EARLIEST_YEAR: Final = 1900

USERNAME_MESSAGE: Final = "نام کاربری باید شامل حروف انگلیسی بزرگ و کوچک و اعداد و - و . باشد"
TAKEN_MESSAGE: Final = "نام کاربری وارد شده قبلا ثبت شده است"
PASSWORD_MESSAGE: Final = "گذرواژه باید حداقل 8 کاراکتر و شامل حروف بزرگ و کوچک، عدد و نماد باشد"  # noqa: S105 - an error message
NATIONAL_CODE_MESSAGE: Final = "کد ملی وارد شده معتبر نیست"
MOBILE_MESSAGE: Final = "شماره تماس وارد شده معتبر نیست"
DATE_MESSAGE: Final = "تاریخ باید میلادی و به صورت YYYY-MM-DD باشد"


def is_username(text: str) -> bool:
    """Whether a str is a valid username."""
    return _USERNAME.fullmatch(text) is not None


def is_password(text: str) -> bool:
    """Whether a password has at least 8 characters and all required kinds of characters."""
    return len(text) >= 8 and all(re.search(character_class, text) for character_class in _CHARACTER_CLASSES)  # noqa: PLR2004 - the documented length


def is_national_code(text: str) -> bool:
    """Whether a str is a national code: ten digits, the last of which is a check digit."""
    if re.fullmatch(r"[0-9]{10}", text) is None:
        return False
    remainder = sum(int(digit) * weight for digit, weight in zip(text, range(10, 1, -1), strict=False)) % 11
    return int(text[9]) == (remainder if remainder in (0, 1) else 11 - remainder)


def normalise_mobile(text: str) -> str | None:
    """Return a mobile number in E.164 form, from E.164 or the local form; None if it is invalid."""
    match = _MOBILE.fullmatch(text)
    return None if match is None else f"+98{match[1]}"


def read_mobile(fields: Fields, name: str) -> str:
    """Return a required mobile number in E.164 form; "" if it is missing or invalid."""
    text = fields.string(name)
    number = normalise_mobile(text)
    if text and number is None:
        fields.add_error(name, MOBILE_MESSAGE)
    return number or ""


def read_date(fields: Fields, name: str, *, required: bool) -> date | None:
    """Return a Gregorian date; None if it is missing or invalid."""
    text = fields.string(name) if required else fields.string_or_none(name)
    if not text:
        return None
    match = _DATE.fullmatch(text)
    try:
        parsed = None if match is None else date(*map(int, match.groups()))
    except ValueError:
        parsed = None
    if parsed is None or parsed.year < _EARLIEST_YEAR:
        fields.add_error(name, DATE_MESSAGE)
        return None
    return parsed
