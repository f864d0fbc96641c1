"""The Jalali calendar and the time in Tehran, against known dates and against the other common algorithm."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ippanel_edge.sandbox.web.tehran import in_tehran, jalali, jalali_text


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (date(1979, 2, 11), (1357, 11, 22)),
        (date(2000, 3, 20), (1379, 1, 1)),
        (date(2021, 3, 20), (1399, 12, 30)),
        (date(2021, 3, 21), (1400, 1, 1)),
        (date(2024, 3, 19), (1402, 12, 29)),
        (date(2024, 3, 20), (1403, 1, 1)),
        (date(2025, 3, 20), (1403, 12, 30)),
        (date(2025, 3, 21), (1404, 1, 1)),
        (date(2030, 1, 15), (1408, 10, 26)),
    ],
)
def test_known_dates(day: date, expected: tuple[int, int, int]) -> None:
    assert jalali(day) == expected


def test_every_day_follows_the_day_before() -> None:
    day = date(1922, 1, 1)
    before = jalali(day)
    while day < date(2086, 1, 1):
        day += timedelta(days=1)
        year, month, number = jalali(day)
        last = 31 if before[1] <= 6 else 30
        is_same_month = (year, month, number) == (before[0], before[1], before[2] + 1) and number <= last
        is_next_month = (year, month, number) == (before[0], before[1] + 1, 1) and before[2] == last
        is_next_year = (year, month, number) == (before[0] + 1, 1, 1) and before[1] == 12 and before[2] in {29, 30}
        assert is_same_month or is_next_month or is_next_year, day
        before = year, month, number


def test_a_date_is_written_in_persian() -> None:
    assert jalali_text(date(2024, 3, 20)) == "۱ فروردین ۱۴۰۳"  # noqa: RUF001 - Persian


def test_tehran_is_three_and_a_half_hours_ahead() -> None:
    assert f"{in_tehran(datetime(2030, 1, 15, 21, 0, tzinfo=UTC)):%Y-%m-%d %H:%M}" == "2030-01-16 00:30"
