"""Times as the API takes and gives them, to and from aware UTC datetimes. The clock is read elsewhere."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ippanel_edge.errors import ConfigurationError

MIN_AHEAD: Final = timedelta(minutes=5)
MAX_AHEAD: Final = timedelta(days=92)
"""Three months at their longest: which three months the service means is not established, and what it refuses was
not sent, so nothing is refused here that some reading allows."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,9})?")
# Stricter than datetime.fromisoformat, which also takes weeks (2025-W01) and forms without dashes.
_WRITTEN: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)


def utc(value: datetime, *, argument: str) -> datetime:
    """Convert an aware datetime to UTC.

    Args:
        value: a datetime with a time zone.
        argument: its name for the error.

    Returns:
        The same moment, in UTC.

    Raises:
        ConfigurationError: it has no time zone, is no datetime, or leaves the years 1 to 9999 in UTC.
    """
    if not isinstance(value, datetime):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        problem = f"must be an aware datetime, not {type(value).__name__}, such as datetime.now(timezone.utc)"
        raise ConfigurationError(problem, argument=argument)
    if value.utcoffset() is None:
        problem = (
            "must have a time zone, because nobody can tell which moment it means: make it with "
            'datetime.now(timezone.utc) or give it one with .replace(tzinfo=ZoneInfo("Asia/Tehran"))'
        )
        raise ConfigurationError(problem, argument=argument)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ConfigurationError("out of range: in UTC it is not in the years 1 to 9999", argument=argument) from None


def send_time(value: datetime, *, now: datetime, check_limits: bool = True) -> str:
    """Write the time of a scheduled message: UTC, in whole seconds, fractions rounded up.

    Args:
        value: an aware datetime, at least 5 minutes and at most 3 months (92 days at most) after `now`. The service
            compares it with its own clock when the request arrives, so leave a margin above 5 minutes.
        now: the present, aware.
        check_limits: whether to check those two limits.

    Returns:
        ``YYYY-MM-DD HH:MM:SS`` in UTC.

    Raises:
        ConfigurationError: naive, no datetime, or too early or late; it says by how much.

    Source: send/webservice.md (send_time).
    """
    moment = utc(value, argument="send_time")
    if check_limits:
        ahead = moment - utc(now, argument="now")
        if ahead < timedelta(0):
            problem = f"in the past, {_span(-ahead)} ago: must be at least 5 minutes ahead"
            raise ConfigurationError(problem, argument="send_time")
        if ahead < MIN_AHEAD:
            problem = f"too early by {_span(MIN_AHEAD - ahead)}: must be at least 5 minutes ahead"
            raise ConfigurationError(problem, argument="send_time")
        if ahead > MAX_AHEAD:
            problem = f"too late by {_span(ahead - MAX_AHEAD)}: must be at most 3 months (92 days) ahead"
            raise ConfigurationError(problem, argument="send_time")
    if moment.microsecond:
        try:
            moment = moment.replace(microsecond=0) + _SECOND
        except OverflowError:
            raise ConfigurationError("out of range: beyond the year 9999", argument="send_time") from None
    return moment.replace(tzinfo=None).isoformat(sep=" ")


def unix_seconds(value: datetime, *, argument: str) -> str:
    """Write a moment for a list filter.

    Args:
        value: an aware datetime after 1970-01-01 00:00:00 UTC; fractions of a second are dropped.
        argument: its name for the error.

    Returns:
        Unix seconds as text, at least ``"1"``, since 0 means "no time" to the API.

    Raises:
        ConfigurationError: naive, no datetime, or not after 1970 began.

    Source: report/outbox-report.md (create_from_date …).
    """
    seconds = (utc(value, argument=argument) - _EPOCH) // _SECOND
    if seconds < 1:
        raise ConfigurationError("must be after 1970-01-01 00:00:00 UTC", argument=argument)
    return str(seconds)


def day(value: date, *, argument: str) -> str:
    """Write a calendar day.

    Args:
        value: a Gregorian date. A datetime is refused: its day depends on the time zone.
        argument: its name for the error.

    Returns:
        ``YYYY-MM-DD``.

    Raises:
        ConfigurationError: it is no date, or a datetime.

    Source: user/register-user.md (birth_date, expire_time).
    """
    if isinstance(value, datetime):
        problem = "must be a date, not a datetime, whose day depends on the time zone: give .date()"
        raise ConfigurationError(problem, argument=argument)
    if not isinstance(value, date):  # pyright: ignore[reportUnnecessaryIsInstance] - callers without a type checker
        problem = f"must be a date, not {type(value).__name__}, such as date(1990, 5, 1)"
        raise ConfigurationError(problem, argument=argument)
    return value.isoformat()


def parse_moment(value: object) -> datetime | None:
    """Read a time out of a reply, in any of the API's ways.

    Args:
        value: Unix seconds as a number or as text, ``2025-07-21 06:15:40`` (UTC), ISO 8601 with an offset or with
            microseconds and Z, a day (its midnight in UTC), or nothing: None, ``""``, 0, ``"0"``.

    Returns:
        An aware datetime in UTC, None for nothing.

    Raises:
        ValueError: anything else, and nothing but ValueError.

    Source: report/outbox-report.md (time), user/list-users.md (created_at), and others.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return _read(value.strip())
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_unix(value)
    raise ValueError(f"not a time: a {type(value).__name__}")


def _read(text: str) -> datetime | None:
    if not text:
        return None
    if _NUMBER.fullmatch(text):
        return _from_unix(float(text) if "." in text else int(text))
    wrong = f"not a time: {text[:40]!r}"
    if not _WRITTEN.fullmatch(text):
        raise ValueError(wrong)
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(wrong) from None


def _from_unix(seconds: float) -> datetime | None:
    if not seconds:
        return None
    try:
        if math.isfinite(seconds):
            return _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        pass
    raise ValueError("a time out of range: not in the years 1 to 9999 as Unix seconds")


def _span(length: timedelta) -> str:
    """Say a length of time in its two largest units, rounded up to the second."""
    seconds = -(-length // _SECOND)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    amounts = (("day", days), ("hour", hours), ("minute", minutes), ("second", seconds))
    said = [f"{amount:,} {unit}{'' if amount == 1 else 's'}" for unit, amount in amounts if amount]
    return " ".join(said[:2])
