"""Conversion between aware UTC datetimes and the time formats of the API. This module does not read the clock."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ippanel_edge.errors import InvalidArgument

MIN_AHEAD: Final = timedelta(minutes=5)
MAX_AHEAD: Final = timedelta(days=92)
"""The maximum length of three months. The API does not define their length in days, so the longest is accepted here;
if the service rejects the time, no message is sent."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_from_timestamp: Final = datetime.fromtimestamp
_UNIX: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,9})?")
# Stricter than datetime.fromisoformat, which also accepts weeks (2025-W01) and dates without dashes.
_ISO: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?P<time>[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)
_UNIX_DIGITS: Final = 10
"""The number of digits of Unix seconds from 2001 to 2286."""
_MAX_FAST: Final = 2**32
"""Unix seconds below this are in the range of the C functions of every platform."""


def utc(value: datetime, *, argument: str) -> datetime:
    """Convert an aware datetime to UTC.

    Args:
        value: a timezone-aware datetime.
        argument: the argument's name in the error.

    Returns:
        The same instant in UTC.

    Raises:
        InvalidArgument: the value is naive, not a datetime, or outside the years 1 to 9999 in UTC.
    """
    if not isinstance(value, datetime):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        problem = (
            f"expected a timezone-aware datetime, got {type(value).__name__}; use datetime.now(timezone.utc) or similar"
        )
        raise InvalidArgument(problem, argument=argument)
    if value.utcoffset() is None:
        problem = (
            "expected a timezone-aware datetime, got a naive one; use datetime.now(timezone.utc) or set its time zone "
            'with .replace(tzinfo=ZoneInfo("Asia/Tehran"))'
        )
        raise InvalidArgument(problem, argument=argument)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        problem = "out of range; expected a time in the years 1 to 9999 in UTC"
        raise InvalidArgument(problem, argument=argument) from None


def send_time(value: datetime, *, now: datetime, check_limits: bool = True) -> str:
    """Format the time of a scheduled message in UTC, rounded up to the second.

    Args:
        value: an aware datetime, at least 5 minutes and at most 3 months (up to 92 days) after `now`. The service
            compares it with its own clock when the request arrives, so leave a margin above 5 minutes.
        now: the current time, an aware datetime.
        check_limits: whether to check the two limits.

    Returns:
        ``YYYY-MM-DD HH:MM:SS`` in UTC.

    Raises:
        InvalidArgument: the value is naive, not a datetime, too early or too late; the error states by how much.

    Source: send/webservice.md (send_time).
    """
    moment = utc(value, argument="send_time")
    if check_limits:
        ahead = moment - utc(now, argument="now")
        if ahead < timedelta(0):
            problem = f"in the past by {_format_span(-ahead)}; expected at least 5 minutes from now"
            raise InvalidArgument(problem, argument="send_time")
        if ahead < MIN_AHEAD:
            problem = f"too early by {_format_span(MIN_AHEAD - ahead)}; expected at least 5 minutes from now"
            raise InvalidArgument(problem, argument="send_time")
        if ahead > MAX_AHEAD:
            problem = f"too late by {_format_span(ahead - MAX_AHEAD)}; expected at most 3 months (92 days) from now"
            raise InvalidArgument(problem, argument="send_time")
    if moment.microsecond:
        try:
            moment = moment.replace(microsecond=0) + _SECOND
        except OverflowError:
            raise InvalidArgument("out of range; expected a year up to 9999", argument="send_time") from None
    return moment.replace(tzinfo=None).isoformat(sep=" ")


def unix_seconds(value: datetime, *, argument: str) -> str:
    """Format a time for a list filter, in Unix seconds.

    Args:
        value: an aware datetime after 1970-01-01 00:00:00 UTC; fractions of a second are dropped.
        argument: the argument's name in the error.

    Returns:
        Unix seconds as a str, at least ``"1"``, because the API treats 0 as "no time".

    Raises:
        InvalidArgument: the value is naive, not a datetime, or not after 1970-01-01 00:00:00 UTC.

    Source: report/outbox-report.md (create_from_date …).
    """
    seconds = (utc(value, argument=argument) - _EPOCH) // _SECOND
    if seconds < 1:
        problem = f"expected a time after 1970-01-01 00:00:00 UTC, got {value.isoformat()}"
        raise InvalidArgument(problem, argument=argument)
    return str(seconds)


def day(value: date, *, argument: str) -> str:
    """Format a calendar date.

    Args:
        value: a Gregorian date. A datetime is rejected, because its date depends on the time zone.
        argument: the argument's name in the error.

    Returns:
        ``YYYY-MM-DD``.

    Raises:
        InvalidArgument: the value is not a date, or is a datetime.

    Source: user/register-user.md (birth_date, expire_time).
    """
    if isinstance(value, datetime):
        problem = "expected a date, got a datetime, whose date depends on the time zone; pass .date()"
        raise InvalidArgument(problem, argument=argument)
    if not isinstance(value, date):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        problem = f"expected a date, got {type(value).__name__}; use date(1990, 5, 1) or similar"
        raise InvalidArgument(problem, argument=argument)
    return value.isoformat()


def parse_moment(value: object) -> datetime | None:
    """Parse a time from a response, in any of the API's formats.

    Args:
        value: Unix seconds as a number or str, ``2025-07-21 06:15:40`` (UTC), ISO 8601 with an offset or with
            microseconds and Z, a date (midnight in UTC), or an empty value: None, ``""``, 0, ``"0"``.

    Returns:
        An aware datetime in UTC, or None for an empty value.

    Raises:
        ValueError: any other value. No other exception is raised.

    Source: report/outbox-report.md (time), user/list-users.md (created_at), and others.
    """
    if value is None:
        return None
    # The most common formats are tried first, because a page has thousands of times.
    seconds = value
    if type(value) is str and len(value) == _UNIX_DIGITS and value.isascii() and value.isdigit():
        seconds = int(value)
    if type(seconds) is int and 0 < seconds < _MAX_FAST:
        return _from_timestamp(seconds, UTC)
    if isinstance(value, str):
        return _parse_str(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_unix(value)
    raise ValueError(f"expected a time, got {type(value).__name__}")


def _parse_str(text: str) -> datetime | None:
    if not text:
        return None
    if _UNIX.fullmatch(text):
        return _from_unix(float(text) if "." in text else int(text))
    problem = f"expected a time, got {text[:40]!r}"
    found = _ISO.fullmatch(text)
    if not found:
        raise ValueError(problem)
    if found["time"] and not found["zone"]:
        text = f"{text}Z"  # several times faster than to set the time zone afterwards
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is UTC:
            return moment
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(problem) from None


def _from_unix(seconds: float) -> datetime | None:
    if not seconds:
        return None
    try:
        if math.isfinite(seconds):
            return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        pass
    raise ValueError("time out of range; expected Unix seconds in the years 1 to 9999")


def _format_span(length: timedelta) -> str:
    """Return a duration in its two largest units, rounded up to the second, such as ``3 hours 1 second``."""
    seconds = -(-length // _SECOND)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    amounts = (("day", days), ("hour", hours), ("minute", minutes), ("second", seconds))
    words = [f"{amount:,} {unit}{'' if amount == 1 else 's'}" for unit, amount in amounts if amount]
    return " ".join(words[:2])
