"""What makes a good user name, password, national code and mobile number, as the service has it. Serves no endpoint."""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ippanel_edge.sandbox.bodies import Fields

_USERNAME: Final = re.compile(r"[A-Za-z0-9.-]+")
_MOBILE: Final = re.compile(r"(?:\+98|0098|98|0)?(9[0-9]{9})")
_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_KINDS: Final = (r"[a-z]", r"[A-Z]", r"[0-9]", r"[^A-Za-z0-9]")
_EARLIEST_YEAR: Final = 1900

USERNAME_TEXT: Final = "نام کاربری باید شامل حروف انگلیسی بزرگ و کوچک و اعداد و - و . باشد"
TAKEN_TEXT: Final = "نام کاربری وارد شده قبلا ثبت شده است"
PASSWORD_TEXT: Final = "گذرواژه باید حداقل 8 کاراکتر و شامل حروف بزرگ و کوچک، عدد و نماد باشد"  # noqa: S105 - a message
NATIONAL_CODE_TEXT: Final = "کد ملی وارد شده معتبر نیست"
MOBILE_TEXT: Final = "شماره تماس وارد شده معتبر نیست"
DAY_TEXT: Final = "تاریخ باید میلادی و به صورت YYYY-MM-DD باشد"


def is_username(text: str) -> bool:
    """Whether this may be a user name."""
    return _USERNAME.fullmatch(text) is not None


def is_password(text: str) -> bool:
    """Whether this is long enough and has all kinds of characters."""
    return len(text) >= 8 and all(re.search(kind, text) for kind in _KINDS)  # noqa: PLR2004 - the documented length


def is_national_code(text: str) -> bool:
    """Whether this is ten digits whose last checks the others."""
    if re.fullmatch(r"[0-9]{10}", text) is None:
        return False
    rest = sum(int(digit) * weight for digit, weight in zip(text, range(10, 1, -1), strict=False)) % 11
    return int(text[9]) == (rest if rest in (0, 1) else 11 - rest)


def mobile_of(text: str) -> str | None:
    """Write a mobile number as E.164, from E.164 or the local form; None where it is none."""
    found = _MOBILE.fullmatch(text)
    return None if found is None else f"+98{found[1]}"


def read_mobile(fields: Fields, name: str) -> str:
    """Read a required mobile number; "" where it is missing or wrong."""
    text = fields.text(name)
    number = mobile_of(text)
    if text and number is None:
        fields.fail(name, MOBILE_TEXT)
    return number or ""


def read_day(fields: Fields, name: str, *, required: bool) -> date | None:
    """Read a Gregorian day; None where it is missing or wrong."""
    text = fields.text(name) if required else fields.text_or_none(name)
    if not text:
        return None
    found = _DAY.fullmatch(text)
    try:
        day = None if found is None else date(*map(int, found.groups()))
    except ValueError:
        day = None
    if day is None or day.year < _EARLIEST_YEAR:
        fields.fail(name, DAY_TEXT)
        return None
    return day
