"""The baseball day: which evening an instant belongs to, through midnights, clock changes and year ends."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.clock import EASTERN, FixedClock, SystemClock, baseball_day, days_between, parse_day
from backstop.errors import UsageError

UTC = dt.UTC
EPOCH = dt.datetime(2008, 1, 1, tzinfo=UTC)
INSTANTS = st.integers(0, 28 * 365 * 86_400).map(lambda seconds: EPOCH + dt.timedelta(seconds=seconds))
"""Of the seasons that pitches are tracked in."""


def utc(text):
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2025-06-15T23:05", "2025-06-15"),  # first pitch at 19:05 in New York
        ("2025-06-16T03:59", "2025-06-15"),  # 23:59 there
        ("2025-06-16T04:00", "2025-06-15"),  # midnight there: an extra inning
        ("2025-06-16T07:59", "2025-06-15"),  # 03:59, the last minute
        ("2025-06-16T08:00", "2025-06-16"),  # 04:00, the next day
        ("2025-03-09T06:59", "2025-03-08"),  # clocks go forward at 2: 01:59 EST
        ("2025-03-09T07:00", "2025-03-08"),  # 03:00 EDT
        ("2025-03-09T08:00", "2025-03-09"),  # 04:00 EDT
        ("2025-11-02T05:30", "2025-11-01"),  # 01:30 EDT, the first time
        ("2025-11-02T06:30", "2025-11-01"),  # 01:30 EST, the second time
        ("2025-11-02T08:59", "2025-11-01"),  # 03:59 EST
        ("2025-11-02T09:00", "2025-11-02"),  # 04:00 EST
        ("2026-01-01T08:59", "2025-12-31"),  # New Year's night
        ("2026-01-01T09:00", "2026-01-01"),
        ("2024-02-29T12:00", "2024-02-29"),
    ],
)
def test_a_day_runs_from_four_in_the_morning_in_new_york(instant, day):
    assert baseball_day(utc(instant)).isoformat() == day


@given(INSTANTS, st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati"]))
def test_the_zone_that_an_instant_is_written_in_does_not_matter(instant, zone):
    from zoneinfo import ZoneInfo

    assert baseball_day(instant.astimezone(ZoneInfo(zone))) == baseball_day(instant)


@given(INSTANTS)
def test_later_is_never_an_earlier_day_and_a_day_has_23_to_25_hours(instant):
    day = baseball_day(instant)
    assert baseball_day(instant + dt.timedelta(hours=1)) in {day, day + dt.timedelta(days=1)}
    assert baseball_day(instant + dt.timedelta(hours=25)) > day
    assert baseball_day(instant - dt.timedelta(hours=25)) < day


@given(INSTANTS)
def test_the_day_is_the_calendars_in_new_york_but_for_the_first_four_hours(instant):
    there = instant.astimezone(EASTERN)
    assert baseball_day(instant) == there.date() - dt.timedelta(days=there.hour < 4)


@pytest.mark.parametrize(
    "text",
    [
        "", "2025-6-15", "20250615", "2025-06-15 ", " 2025-06-15", "2025-W24-7", "2025-06-31", "2025-02-29", "15.06.2025",
        "2025-06-15T00:00", "٢٠٢٥-٠٦-١٥", "today", "2025-13-01", "0000-01-01",
    ],
)  # fmt: skip
def test_only_year_month_day_is_a_date(text):
    with pytest.raises(UsageError) as refused:
        parse_day(text)
    assert refused.value.message == f"{text!r} is not a date; expected YYYY-MM-DD, for example 2025-06-15."
    assert refused.value.exit_code == 2


@given(st.dates())
def test_every_date_that_python_writes_is_read_back(day):
    assert parse_day(day.isoformat()) == day


def test_a_range_has_both_ends_and_none_when_it_is_backwards():
    first = dt.date(2024, 2, 27)
    assert [day.isoformat() for day in days_between(first, dt.date(2024, 3, 1))] == [
        "2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"
    ]  # fmt: skip
    assert days_between(first, first) == [first]
    assert days_between(first, first - dt.timedelta(days=1)) == []


def test_a_fixed_clock_stands_still_until_it_is_moved_either_way():
    clock = FixedClock(utc("2025-12-31T23:59"))
    assert clock.now() == clock.now() == utc("2025-12-31T23:59")
    clock.advance(90)
    assert clock.now() == utc("2026-01-01T00:00") + dt.timedelta(seconds=30)
    clock.advance(-90)
    assert clock.now() == utc("2025-12-31T23:59")


def test_the_machines_clock_says_utc():
    before = dt.datetime.now(UTC)
    assert before <= SystemClock().now() <= dt.datetime.now(UTC)
    assert SystemClock().now().utcoffset() == dt.timedelta(0)
