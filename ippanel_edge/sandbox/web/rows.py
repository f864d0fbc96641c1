"""The rows that the templates show, computed from the JSON objects of the control address."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import attrs

from ippanel_edge.sandbox.faults import Fault, PlannedFault
from ippanel_edge.sandbox.web.tehran import in_tehran, jalali_text

Json = Mapping[str, Any]

_HUES: Final = 8
_IRAN: Final = "+98"
_MOBILE_LENGTH: Final = len("+989123456789")
_MIN_STREAK_MINUTES: Final = 10

NOTES: Final[Mapping[str, tuple[str, str]]] = {
    "delivered": ("", "good"),
    "received": ("", "good"),
    "sending": ("Sending", "good"),
    "queued": ("Scheduled", "wait"),
    "review": ("In review", "wait"),
    "not_delivered": ("Not delivered", "bad"),
    "blacklisted": ("Blocked by the blacklist", "bad"),
    "rejected": ("Rejected", "bad"),
    "cancelled": ("Cancelled", "bad"),
    "no_credit": ("No credit", "bad"),
    "error": ("Error", "bad"),
}
"""The note of a message and its tone, by status; a delivered message needs no note."""

TICKS: Final[Mapping[str, str]] = {"received": "✓", "delivered": "✓✓"}

TONES: Final[Mapping[str, str]] = {
    "sent": "good",
    "sending": "good",
    "creating": "wait",
    "review": "wait",
    "queued": "wait",
}
"""The tone of an outbox message, by state; "bad" for the others."""


@attrs.frozen
class Moment:
    """One time as the page shows it, in Tehran.

    Attributes:
        iso: ISO 8601, UTC, for machines.
        clock: such as 13:05.
        seconds: such as 13:05:09.
        jalali: the Jalali date in Persian.
        gregorian: such as 15 January 2030.
        day: the date in Tehran.
    """

    iso: str
    clock: str
    seconds: str
    jalali: str
    gregorian: str
    day: date

    @property
    def full(self) -> str:
        """The date and the time, for a tooltip."""
        return f"{self.gregorian}, {self.seconds} in Tehran"

    def when(self, now: Moment) -> str:
        """The time if it is today, else the day and month, such as 14 Jan."""
        return self.clock if self.day == now.day else f"{self.day.day} {self.day:%b}"


def moment(value: str) -> Moment:
    """Return the parts of an ISO 8601 time."""
    local = in_tehran(datetime.fromisoformat(value))
    day = local.date()
    return Moment(value, f"{local:%H:%M}", f"{local:%H:%M:%S}", jalali_text(day), f"{day.day} {day:%B %Y}", day)


def shown_number(number: str) -> str:
    """Return a number as people write it: 0912 345 6789, 3000100200, SANDBOX; a foreign number is unchanged."""
    if not number.startswith(_IRAN):
        return number
    rest = number.removeprefix(_IRAN)
    if len(number) == _MOBILE_LENGTH and rest.isdigit() and rest.startswith("9"):
        return f"0{rest[:3]} {rest[3:6]} {rest[6:]}"
    return rest


def phone(number: str, newest: Json | None, count: int, now: Moment | None = None) -> dict[str, Any]:
    """Return a phone: its number, its avatar, the count of its messages and the newest one, if it is shown."""
    entry: dict[str, Any] = {
        "number": number,
        "shown": shown_number(number),
        "hue": zlib.crc32(number.encode()) % _HUES,
        "ending": number[-2:],
        "messages": count,
    }
    if newest is not None and now is not None:
        at = moment(newest["time"])
        entry["last"] = {"text": _one_line(newest["text"]), "iso": at.iso, "when": at.when(now)}
    return entry


def messages(rows: Iterable[Json]) -> list[dict[str, Any]]:
    """Return the bubbles of a conversation; `rows` and the bubbles are oldest first.

    A bubble is the first of a group if the line, the side or the day changes, or after ten minutes.
    """
    bubbles: list[dict[str, Any]] = []
    before: tuple[Json, Moment] | None = None
    for row in rows:
        at = moment(row["time"])
        is_new_day = before is None or before[1].day != at.day
        is_first = is_new_day or before is None or not _belongs_to(row, before[0])
        if is_first and bubbles:
            bubbles[-1]["is_last"] = True
        bubbles.append(_bubble(row, at, is_first=is_first, day=at if is_new_day else None))
        before = row, at
    if bubbles:
        bubbles[-1]["is_last"] = True
    return bubbles


def _belongs_to(row: Json, before: Json) -> bool:
    gap = datetime.fromisoformat(row["time"]) - datetime.fromisoformat(before["time"])
    return (
        row["line"] == before["line"]
        and row["direction"] == before["direction"]
        and gap.total_seconds() < _MIN_STREAK_MINUTES * 60
    )


def _bubble(row: Json, at: Moment, *, is_first: bool, day: Moment | None) -> dict[str, Any]:
    is_sent = row["direction"] == "in"
    note, tone = ("", "good") if is_sent else NOTES.get(row["status"], (_words(row["status"]), "bad"))
    return {
        "key": f"{row['direction']}-{row['id']}-{row['number']}",
        "side": "sent" if is_sent else "received",
        "line": shown_number(row["line"]) if row["line"] else "IPPanel",
        "text": row["text"],
        "iso": at.iso,
        "clock": at.clock,
        "full": at.full,
        "parts": row["parts"],
        "encoding": row["encoding"],
        "otp": row["otp"],
        "note": note,
        "tone": tone,
        "ticks": "" if is_sent else TICKS.get(row["status"], ""),
        "is_first": is_first,
        "is_last": False,
        "day": day,
    }


def outbox_row(row: Json, now: Moment) -> dict[str, Any]:
    """Return a row of the outbox table."""
    at = moment(row["time"])
    send_at = moment(row["send_at"]) if row["send_at"] and row["send_at"] != row["time"] else None
    return {
        "id": row["id"],
        "type": row["type"],
        "line": shown_number(row["line"]),
        "text": _one_line(row["text"]),
        "recipients": row["recipients"],
        "state": _words(row["state"]),
        "tone": TONES.get(row["state"], "bad"),
        "cost": rials(row["cost"]),
        "iso": at.iso,
        "when": at.when(now),
        "send_at": f"{send_at.when(now)} {send_at.clock}" if send_at else "",
    }


def fault(planned: PlannedFault) -> dict[str, Any]:
    """Return the entry of a pending fault."""
    details = {Fault.STATUS: f"HTTP {planned.status}", Fault.DELAY: f"{planned.delay:g} s"}
    detail = f"{planned.cut} bytes" if planned.cut is not None else details.get(planned.fault, "")
    return {
        "id": planned.fault_id,
        "kind": planned.fault.value,
        "target": planned.call or planned.path or "any call",
        "times": planned.times,
        "detail": detail,
    }


def rials(amount: float) -> str:
    """Return an amount with separators; a fraction of a Rial has one digit."""
    return f"{amount:,.1f}".removesuffix(".0")


def newest_line(rows: Sequence[Json]) -> str | None:
    """Return the line of the newest message of a conversation, to which a phone replies; `rows` are oldest first."""
    return next((row["line"] for row in reversed(rows) if row["line"]), None)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()
