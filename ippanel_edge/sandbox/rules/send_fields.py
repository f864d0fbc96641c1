"""The fields that several ways of sending share: sender line, text, recipients and time, each with its limits."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from ippanel_edge.sandbox.replies import invalid, label, not_valid_text, wrong_type_text
from ippanel_edge.sandbox.rules.text import why_too_long

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ippanel_edge.sandbox.bodies import Fields
    from ippanel_edge.sandbox.records import Line
    from ippanel_edge.sandbox.routes import Call

SOONEST: Final = timedelta(minutes=5)
"""A scheduled send is at least this far ahead, and may be cancelled until this long before."""
_LATEST_MONTHS: Final = 3

_MOBILE = re.compile(r"\+989[0-9]{9}")
_ABROAD = re.compile(r"\+(?!98)[1-9][0-9]{7,14}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def is_recipient(number: str) -> bool:
    """Whether a number is E.164: an Iranian mobile of 13 characters, or a foreign number."""
    return bool(_MOBILE.fullmatch(number) or _ABROAD.fullmatch(number))


def read_line(call: Call, fields: Fields, name: str = "from_number") -> Line:
    """Read the sender line, which must be one that the caller may send from.

    Raises:
        Refusal: 422, together with what else is wrong so far.
    """
    number = fields.text(name)
    line = call.world.line_for_sending(call.user, number)
    if line is not None:
        return line
    if number:
        fields.fail(name, not_valid_text(label(name)))
    raise invalid(fields.errors)


def read_message(fields: Fields, name: str = "message") -> str:
    """Read a text within its limits."""
    text = fields.text(name)
    check_length(fields, name, [text])
    return text


def check_length(fields: Fields, name: str, texts: Iterable[str]) -> None:
    """Refuse a text of more than 1,400 characters or 20 parts."""
    for text in set(texts):
        reason = why_too_long(text)
        if reason is not None:
            fields.fail(name, reason)
            return


def read_recipients(
    fields: Fields, name: str = "recipients", *, required: bool = True, most: int | None = None
) -> list[str]:
    """Read a list of E.164 numbers."""
    numbers = fields.texts(name, required=required, most=most)
    for place, number in enumerate(numbers):
        if not is_recipient(number):
            fields.fail(f"{name}.{place}", not_valid_text(label(name)))
    return numbers


def read_send_time(call: Call, fields: Fields) -> datetime | None:
    """Read send_time, UTC, 5 minutes to 3 months ahead; None where it is left out."""
    written = fields.text_or_none("send_time")
    if written is None:
        return None
    moment = _moment(written)
    if moment is None:
        fields.fail("send_time", wrong_type_text(label("send_time"), "به شکل YYYY-MM-DD HH:MM:SS"))
    elif moment < call.now.replace(microsecond=0) + SOONEST:
        fields.fail("send_time", "زمان ارسال باید حداقل 5 دقیقه بعد باشد")
    elif moment > _months_later(call.now, _LATEST_MONTHS):
        fields.fail("send_time", "زمان ارسال باید حداکثر 3 ماه بعد باشد")
    return moment


def _moment(written: str) -> datetime | None:
    if not _TIME.fullmatch(written):
        return None
    try:
        return datetime.strptime(written, "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _months_later(moment: datetime, months: int) -> datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
