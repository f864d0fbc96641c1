"""Times are formatted in UTC as the API requires, and parsed from all formats of the API."""

from __future__ import annotations

import enum
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ippanel_edge.errors import ConfigurationError
from ippanel_edge.values.times import day, parse_moment, send_time, unix_seconds, utc

TEHRAN = ZoneInfo("Asia/Tehran")
NOW = datetime(2026, 3, 1, 8, 30, 0, tzinfo=UTC)

moments = st.datetimes(timezones=st.timezones()).filter(lambda moment: 1970 < moment.year < 9999)


class Unset(tzinfo):
    """A time zone without an offset, so that its datetimes are naive."""

    def utcoffset(self, dt: datetime | None, /) -> None:
        """Return None: the offset is unknown."""

    dst = tzname = utcoffset


@given(moments)
def test_utc_returns_the_same_instant_in_utc(moment: datetime) -> None:
    converted = utc(moment, argument="at")
    assert converted == moment.astimezone(UTC)
    assert converted.tzinfo is UTC


@pytest.mark.parametrize("naive", [datetime(2026, 3, 1, 12), datetime(2026, 3, 1, 12, tzinfo=Unset())])  # noqa: DTZ001 - the case
def test_a_naive_send_time_is_rejected_and_the_error_names_the_remedy(naive: datetime) -> None:
    with pytest.raises(ConfigurationError) as caught:
        send_time(naive, now=NOW, check_limits=False)
    assert caught.value.argument == "send_time"
    assert "datetime.now(timezone.utc)" in str(caught.value)
    assert 'ZoneInfo("Asia/Tehran")' in str(caught.value)


@pytest.mark.parametrize("value", [date(2026, 3, 1), "2026-03-01 12:00:00", 1772355600, None])
def test_a_value_that_is_not_a_datetime_is_rejected(value: object) -> None:
    with pytest.raises(
        ConfigurationError, match=rf"^at: expected a timezone-aware datetime, got {type(value).__name__}"
    ):
        utc(cast("datetime", value), argument="at")


def test_a_time_outside_the_years_1_to_9999_is_rejected() -> None:
    early = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=3)))
    with pytest.raises(ConfigurationError, match=r"^at: out of range"):
        utc(early, argument="at")
    last = datetime(9999, 12, 31, 23, 59, 59, 1, tzinfo=UTC)
    with pytest.raises(ConfigurationError, match=r"^send_time: out of range"):
        send_time(last, now=NOW, check_limits=False)


def test_a_send_time_is_formatted_in_utc() -> None:
    assert send_time(datetime(2026, 3, 2, 12, 0, 0, tzinfo=TEHRAN), now=NOW) == "2026-03-02 08:30:00"
    assert send_time(datetime(5, 3, 2, tzinfo=UTC), now=NOW, check_limits=False) == "0005-03-02 00:00:00"


def test_fractions_of_a_second_in_a_send_time_are_rounded_up() -> None:
    now = NOW.replace(microsecond=1)
    assert send_time(now + timedelta(minutes=5), now=now) == "2026-03-01 08:35:01"
    assert send_time(NOW + timedelta(minutes=5), now=NOW) == "2026-03-01 08:35:00"


@given(moments)
def test_parsing_a_formatted_send_time_returns_the_time_rounded_up(moment: datetime) -> None:
    back = parse_moment(send_time(moment, now=NOW, check_limits=False))
    assert back is not None
    assert timedelta(0) <= back - moment.astimezone(UTC) < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("ahead", "problem"),
    [
        (timedelta(minutes=4, seconds=30), "too early by 30 seconds; expected at least 5 minutes from now"),
        (timedelta(minutes=5, microseconds=-1), "too early by 1 second; expected at least 5 minutes from now"),
        (timedelta(0), "too early by 5 minutes;"),
        (timedelta(hours=-3, seconds=-1), "in the past by 3 hours 1 second; expected at least 5 minutes from now"),
        (timedelta(days=-400, hours=-1, minutes=-1), "in the past by 400 days 1 hour;"),
        (timedelta(days=93), "too late by 1 day; expected at most 3 months (92 days) from now"),
        (timedelta(days=92, microseconds=1), "too late by 1 second;"),
    ],
)
def test_a_send_time_outside_the_limits_is_rejected_and_the_error_states_by_how_much(
    ahead: timedelta, problem: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        send_time(NOW + ahead, now=NOW)
    assert str(caught.value).startswith(f"send_time: {problem}")
    assert send_time(NOW + ahead, now=NOW, check_limits=False)


@given(st.timedeltas(timedelta(minutes=5), timedelta(days=92)), st.timezones())
def test_a_send_time_within_the_limits_is_accepted_in_any_time_zone(ahead: timedelta, zone: tzinfo) -> None:
    assert send_time((NOW + ahead).astimezone(zone), now=NOW.astimezone(TEHRAN))


def test_the_current_time_must_be_aware() -> None:
    with pytest.raises(ConfigurationError, match=r"^now: expected a timezone-aware datetime, got a naive one"):
        send_time(NOW, now=NOW.replace(tzinfo=None))


def test_unix_seconds_drops_fractions_of_a_second() -> None:
    assert unix_seconds(datetime(2026, 3, 1, 12, 0, 0, 999_999, tzinfo=TEHRAN), argument="created_from") == "1772353800"
    assert unix_seconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), argument="created_from") == "1"


@given(moments)
def test_parsing_unix_seconds_returns_the_time_without_fractions(moment: datetime) -> None:
    assert parse_moment(unix_seconds(moment, argument="at")) == moment.astimezone(UTC).replace(microsecond=0)


@pytest.mark.parametrize("seconds", [-1, 0, 0.9])
def test_unix_seconds_rejects_times_up_to_1970_because_zero_means_no_time(seconds: float) -> None:
    with pytest.raises(ConfigurationError, match=r"^created_from: expected a time after 1970-01-01"):
        unix_seconds(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds), argument="created_from")


def test_unix_seconds_rejects_a_naive_datetime() -> None:
    with pytest.raises(ConfigurationError, match=r"^created_from: expected a timezone-aware datetime, got a naive one"):
        unix_seconds(datetime(2026, 3, 1), argument="created_from")  # noqa: DTZ001 - the case


def test_a_date_is_formatted_as_year_month_day() -> None:
    assert day(date(1990, 5, 1), argument="birth_date") == "1990-05-01"
    assert day(date(990, 5, 1), argument="birth_date") == "0990-05-01"


def test_a_datetime_is_rejected_as_a_date() -> None:
    with pytest.raises(ConfigurationError, match=r"^birth_date: expected a date, got a datetime.*\.date\(\)"):
        day(NOW, argument="birth_date")


@pytest.mark.parametrize("value", ["1990-05-01", 1990, None])
def test_a_value_that_is_not_a_date_is_rejected(value: object) -> None:
    with pytest.raises(ConfigurationError, match=rf"^birth_date: expected a date, got {type(value).__name__}"):
        day(cast("date", value), argument="birth_date")


class Seconds(enum.IntEnum):
    """An int subclass."""

    ONE = 1


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (1745406000, datetime(2025, 4, 23, 11, 0, 0, tzinfo=UTC)),
        ("1745406000", datetime(2025, 4, 23, 11, 0, 0, tzinfo=UTC)),
        (" 1745406000\n", datetime(2025, 4, 23, 11, 0, 0, tzinfo=UTC)),
        (1745406000.5, datetime(2025, 4, 23, 11, 0, 0, 500_000, tzinfo=UTC)),
        ("1745406000.5", datetime(2025, 4, 23, 11, 0, 0, 500_000, tzinfo=UTC)),
        (-1, datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (Seconds.ONE, datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)),
        ("2025-07-21 06:15:40", datetime(2025, 7, 21, 6, 15, 40, tzinfo=UTC)),
        ("2025-07-21T06:15:40", datetime(2025, 7, 21, 6, 15, 40, tzinfo=UTC)),
        ("2025-06-30 18:07", datetime(2025, 6, 30, 18, 7, tzinfo=UTC)),
        ("2025-08-09T10:11:12+00:00", datetime(2025, 8, 9, 10, 11, 12, tzinfo=UTC)),
        ("2025-08-09T13:41:12+03:30", datetime(2025, 8, 9, 10, 11, 12, tzinfo=UTC)),
        ("2025-08-09T13:41:12+0330", datetime(2025, 8, 9, 10, 11, 12, tzinfo=UTC)),
        ("2025-08-09 10:11:12+00", datetime(2025, 8, 9, 10, 11, 12, tzinfo=UTC)),
        ("2025-09-02T03:04:05.244000Z", datetime(2025, 9, 2, 3, 4, 5, 244_000, tzinfo=UTC)),
        ("2025-09-02T03:04:05Z", datetime(2025, 9, 2, 3, 4, 5, tzinfo=UTC)),
        ("2025-09-02T03:04:05.123456789Z", datetime(2025, 9, 2, 3, 4, 5, 123_456, tzinfo=UTC)),
        ("2025-06-01", datetime(2025, 6, 1, tzinfo=UTC)),
        ("20250601", datetime(1970, 8, 23, 9, 10, 1, tzinfo=UTC)),
    ],
)
def test_every_time_format_of_the_api_is_parsed(value: object, moment: datetime) -> None:
    parsed = parse_moment(value)
    assert parsed == moment
    assert parsed is not None
    assert parsed.tzinfo is UTC


@pytest.mark.parametrize("value", [None, "", "  ", 0, 0.0, -0.0, "0", "0.0", "00"])
def test_an_empty_value_is_parsed_as_none(value: object) -> None:
    assert parse_moment(value) is None


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        float("nan"),
        float("inf"),
        float("-inf"),
        10**400,
        -(10**400),
        253402300800,
        1745406000000,
        "1745406000000",
        "9" * 20,
        "9" * 5000,
        "1e400",
        "nan",
        "null",
        "soon",
        "2025-W01-1",
        "2025-13-01",
        "2025-02-30",
        "2025-02-28 25:00:00",
        "2025-02-28 10:00:00+99:00",
        "0000-00-00 00:00:00",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2025-07-21 06:15:40 UTC",
        "2025-06-30x18:07:06",
        "2025/06/30",
        "۱۷۴۵۴۰۹۴۱۸",
        "\ud800",
        b"1745406000",
        [],
        {},
        object(),
        NOW,
    ],
)
def test_any_other_value_raises_value_error(value: object) -> None:
    with pytest.raises(ValueError, match="time"):
        parse_moment(value)


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.lists(st.integers())
    | st.text(alphabet="0123456789-:+TZ. ", max_size=34)
    | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?([+-][0-9:]{2,8})?)?")
)
@example(10**5000)
@example("9999-12-31 24:00:00")
def test_parsing_arbitrary_input_raises_only_value_error(value: object) -> None:
    try:
        parsed = parse_moment(value)
    except Exception as error:  # noqa: BLE001 - the test checks the exception's type
        assert type(error) is ValueError  # noqa: PT017 - see above
    else:
        assert parsed is None or parsed.tzinfo is UTC


@given(moments)
def test_an_iso_8601_time_is_parsed_exactly(moment: datetime) -> None:
    expected = moment.astimezone(UTC)
    assert parse_moment(expected.isoformat()) == expected
    assert parse_moment(expected.isoformat().replace("+00:00", "Z")) == expected


@given(st.integers(-(2**40), 2**40) | st.integers(2**32 - 3, 2**32 + 3) | st.integers(-2, 10**10 + 2))
def test_unix_seconds_are_counted_from_the_epoch(seconds: int) -> None:
    try:
        expected = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds) if seconds else None
    except OverflowError:
        assert_not_a_time(seconds)
        assert_not_a_time(str(seconds))
    else:
        assert parse_moment(seconds) == parse_moment(str(seconds)) == parse_moment(f" {seconds}") == expected
        assert parse_moment(f"{seconds:010}") == expected


def assert_not_a_time(value: object) -> None:
    with pytest.raises(ValueError, match="time"):
        parse_moment(value)


@given(st.datetimes(), st.sampled_from(["T", " "]), st.sampled_from(["auto", "minutes", "seconds"]))
def test_a_time_without_an_offset_is_in_utc(moment: datetime, separator: str, precision: str) -> None:
    text = moment.isoformat(separator, precision)
    parsed = parse_moment(text)
    assert parsed == datetime.fromisoformat(text).replace(tzinfo=UTC)
    assert parsed is not None
    assert parsed.tzinfo is UTC
