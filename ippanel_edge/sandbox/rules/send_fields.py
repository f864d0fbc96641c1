"""The fields that several sending types share, with their limits: sender line, message, recipients, send time."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ippanel_edge.sandbox.replies import invalid, invalid_message, label, wrong_type_message
from ippanel_edge.sandbox.rules.segments import length_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ippanel_edge.sandbox.bodies import Fields
    from ippanel_edge.sandbox.records import Line
    from ippanel_edge.sandbox.routes import Call

MIN_SCHEDULE_DELAY: Final = timedelta(minutes=5)
"""The minimum time until a scheduled send; until this long before it, the send can be cancelled."""
_MAX_SCHEDULE_MONTHS: Final = 3

_MOBILE = re.compile(r"\+989[0-9]{9}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def is_recipient(number: str) -> bool:
    """Whether a number is an Iranian mobile number in E.164 form, which has 13 characters."""
    return _MOBILE.fullmatch(number) is not None


def read_line(call: Call, fields: Fields, name: str = "from_number") -> Line:
    """Return the sender line.

    Raises:
        Rejection: 422, with the errors recorded so far, if the caller may not send from this line.
    """
    number = fields.string(name)
    line = call.state.line_for_sending(call.user, number)
    if line is not None:
        return line
    if number:
        fields.add_error(name, invalid_message(label(name)))
    raise invalid(fields.errors)


def read_message(fields: Fields, name: str = "message") -> str:
    """Return a message text and check its length."""
    text = fields.string(name)
    check_length(fields, name, [text])
    return text


def check_length(fields: Fields, name: str, texts: Iterable[str]) -> None:
    """Record an error if a text has more than 1,400 characters or 20 segments."""
    for text in set(texts):
        reason = length_error(text)
        if reason is not None:
            fields.add_error(name, reason)
            return


def read_recipients(
    fields: Fields, name: str = "recipients", *, required: bool = True, max_items: int | None = None
) -> list[str]:
    """Return a list of E.164 numbers."""
    numbers = fields.strings(name, required=required, max_items=max_items)
    for index, number in enumerate(numbers):
        if not is_recipient(number):
            fields.add_error(f"{name}.{index}", invalid_message(label(name)))
    return numbers


def read_send_time(call: Call, fields: Fields) -> datetime | None:
    """Return send_time (UTC), which must be between 5 minutes and 3 months ahead; None if it is missing."""
    value = fields.string_or_none("send_time")
    if value is None:
        return None
    moment = _parse_time(value)
    if moment is None:
        fields.add_error("send_time", wrong_type_message(label("send_time"), "به شکل YYYY-MM-DD HH:MM:SS"))
    elif moment < call.now.replace(microsecond=0) + MIN_SCHEDULE_DELAY:
        fields.add_error("send_time", "زمان ارسال باید حداقل 5 دقیقه بعد باشد")
    elif moment > _months_later(call.now, _MAX_SCHEDULE_MONTHS):
        fields.add_error("send_time", "زمان ارسال باید حداکثر 3 ماه بعد باشد")
    return moment


def _parse_time(value: str) -> datetime | None:
    if not _TIME.fullmatch(value):
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _months_later(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
