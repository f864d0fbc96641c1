"""The time in Tehran and the Jalali date, for the page; both are computed here and need no time zone database."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Final

TEHRAN: Final = timezone(timedelta(hours=3, minutes=30), "Asia/Tehran")
"""The time of Iran since September 2022; before, summers had daylight saving time, which is not applied here."""

MONTHS: Final = (
    "فروردین",
    "اردیبهشت",
    "خرداد",
    "تیر",
    "مرداد",
    "شهریور",
    "مهر",
    "آبان",
    "آذر",
    "دی",
    "بهمن",
    "اسفند",
)
_DIGITS: Final = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_LEAP_YEARS_OF_CYCLE: Final = (1, 5, 9, 13, 17, 22, 26, 30)
_CYCLE: Final = 33
_KNOWN_YEAR: Final = 1403
_KNOWN_START: Final = date(2024, 3, 20)
_DAYS_WITH_31: Final = 186  # the first six months have 31 days, the others 30, except the last


def in_tehran(moment: datetime) -> datetime:
    """Return an aware datetime as the time in Tehran."""
    return moment.astimezone(TEHRAN)


def jalali(day: date) -> tuple[int, int, int]:
    """Return the year, month and day of the Jalali calendar; exact for the Gregorian years 1922 to 2086.

    The leap years follow the 33-year cycle, which agrees with the official calendar in this range.
    """
    year = day.year - 621
    if day < _new_year(year):
        year -= 1
    days = (day - _new_year(year)).days
    if days < _DAYS_WITH_31:
        return year, 1 + days // 31, 1 + days % 31
    days -= _DAYS_WITH_31
    return year, 7 + days // 30, 1 + days % 30


def jalali_text(day: date) -> str:
    """Return a date in Persian, such as «۲۶ دی ۱۴۰۸»."""
    year, month, number = jalali(day)
    return f"{number} {MONTHS[month - 1]} {year}".translate(_DIGITS)


def _new_year(year: int) -> date:
    """Return the Gregorian date of the first day of a Jalali year."""
    days = 365 * (year - _KNOWN_YEAR) + _leap_years_before(year) - _leap_years_before(_KNOWN_YEAR)
    return _KNOWN_START + timedelta(days=days)


def _leap_years_before(year: int) -> int:
    cycles, rest = divmod(year, _CYCLE)
    return cycles * len(_LEAP_YEARS_OF_CYCLE) + sum(leap < rest for leap in _LEAP_YEARS_OF_CYCLE)
