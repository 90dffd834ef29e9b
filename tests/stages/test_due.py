"""What is due: asked of calendar and ledger at any instant, the same answer for everybody who asks."""

from __future__ import annotations

import datetime as dt

import pytest

from backstop import tables
from backstop.stages import allowance, due
from tests.stages.gameday import PROPS, at, failed, post, published, refreshed
from tests.stages.rows import DAY, games


def slots(house, now):
    return [(each.flow, each.slot) for each in due.runs(house, now, prices_every=None)]


def test_before_line_ups_are_posted_nothing_is_due(season, clock):
    post(season, clock)
    for hours in (-6, -3, -1, 0, 1):
        assert slots(season, at(hours)) == []


def test_an_off_day_makes_nothing_due(house, clock):
    for back in range(5):
        house.ledger.empty(tables.GAMES.name, (DAY - dt.timedelta(days=back)).isoformat(), run_id="r", reason="none")
    assert slots(house, at(-1)) == []


def test_a_failed_slate_is_tried_again_after_a_pause_that_grows(season, clock):
    clock.at = at(-4)
    post(season, clock, 1)
    failed(season)
    assert slots(season, clock.now() + dt.timedelta(minutes=4)) == []
    assert slots(season, clock.now() + dt.timedelta(minutes=6)) == [("slate-refresh", "try-2-after-r")]
    failed(season, times=3)
    assert slots(season, clock.now() + dt.timedelta(minutes=59)) == []
    assert slots(season, clock.now() + dt.timedelta(minutes=61)) == [("slate-refresh", "try-5-after-r")]


def test_the_first_failure_after_many_refreshes_is_tried_again_as_soon_as_any_first_one(season, clock):
    clock.at = at(-4)
    post(season, clock, 1, 2)
    for _ in range(30):
        refreshed(season, 1, 2)
    failed(season)
    assert slots(season, clock.now() + dt.timedelta(minutes=6)) == [("slate-refresh", "try-2-after-r")]


def test_second_tries_of_one_day_are_runs_of_their_own(season, clock):
    clock.at = at(-4)
    post(season, clock, 1, 2)
    found = []
    for run_id in ("11111111-aaaa", "22222222-bbbb"):
        refreshed(season, 1, 2)
        season.ledger.begin(PROPS, DAY.isoformat(), run_id=run_id)
        season.ledger.fail(PROPS, DAY.isoformat(), run_id=run_id, reason="the feed was down")
        found += [each.key for each in due.runs(season, at(-3), prices_every=None)]
    assert found == [f"slate-refresh:{DAY}:try-2-after-11111111", f"slate-refresh:{DAY}:try-2-after-22222222"]


def test_a_feed_that_is_down_all_day_costs_a_run_an_hour(season, clock):
    clock.at = at(-12)
    post(season, clock, 1)
    started = 0
    while clock.at < at(0):
        started += len(slots(season, clock.at)) and (failed(season) or 1)
        clock.advance(300)
    assert 12 <= started <= 15


def test_a_slate_that_a_run_works_on_is_left_to_it(season, clock):
    post(season, clock, 1)
    season.ledger.begin(PROPS, DAY.isoformat(), run_id="r", lease_s=3 * 3600)
    assert slots(season, at(-1)) == []


def test_a_day_that_was_missed_is_due_the_days_after(season, clock):
    before = DAY - dt.timedelta(days=1)
    season.ledger.begin(tables.GAMES.name, before.isoformat(), run_id="r")
    season.ledger.complete(tables.GAMES.name, before.isoformat(), run_id="r", rows_in=1, rows_loaded=1)
    season.lake.write(tables.GAMES.name, before, games(before, 9))
    assert slots(season, at(-6)) == [("slate-refresh", "missed")]


def test_prices_are_due_by_the_run_before_them_while_games_are_to_begin(season, clock):
    season.__dict__["settings"] = season.settings.model_copy(update={"upstream": "http://127.0.0.1:9"})
    clock.at = at(-3)
    post(season, clock, 1, 2)
    refreshed(season, 1, 2, run="0123456789")
    every = dt.timedelta(minutes=5)

    def asked(now, every=every):
        return due.runs(season, now, prices_every=every)

    assert asked(at(-3) + dt.timedelta(minutes=2)) == []
    (first,) = asked(at(-2))
    assert first.key == f"odds-refresh:{DAY}:prices-after-01234567"
    assert first.parameters == {"day": str(DAY), "after": "0123456789"}
    for waits in (4, 5, 30, 59):
        assert asked(at(-2) + dt.timedelta(minutes=waits)) == [first], "it waits for a worker"
        assert asked(at(-2), every=dt.timedelta(minutes=waits)) == [first], "the pause changes with the credits"
    assert asked(at(0.1)) == []
    assert due.runs(season, at(-2), prices_every=None) == []
    clock.at = at(-1)
    published(season, run="second")
    assert [each.slot for each in asked(at(-0.5))] == ["prices-after-second"]


def test_whoever_looks_every_five_minutes_asks_for_prices_every_time_although_a_refresh_takes_a_minute(season, clock):
    season.__dict__["settings"] = season.settings.model_copy(update={"upstream": "http://127.0.0.1:9"})
    post(season, clock, 1, 2)
    keys = set()
    for look in range(6):
        clock.at = at(-2) + look * dt.timedelta(minutes=5) + dt.timedelta(minutes=1)
        refreshed(season, 1, 2, run=f"run {look}")
        keys |= {each.key for each in due.runs(season, at(-2) + (look + 1) * dt.timedelta(minutes=5))}
    assert len(keys) == 6


@pytest.mark.parametrize(
    ("left", "alternates", "expected"),
    [
        (None, False, 5.0),
        (10_000_000, False, 5.0),
        (20, False, None),
        (20 + 16 * 12 * 6, False, 30.0),
        (20 + 16 * 12 * 6, True, 60.0),
        (20 + 16 * 12, False, 180.0),
        (20 + 16 * 12, True, None),
    ],
)
def test_prices_are_asked_for_as_often_as_the_months_credits_allow(season, monkeypatch, left, alternates, expected):
    """Two games at six markets cost 12 credits; 16 days of June are left, and three hours of this one."""
    monkeypatch.setattr(allowance, "left", lambda *_: left)
    season.__dict__["settings"] = season.settings.model_copy(update={"odds_alternates": alternates})
    every = due.prices_every(season, at(-3))
    assert (every and every.total_seconds() / 60) == expected


def test_the_calendar_is_asked_often_while_games_are_on_and_seldom_otherwise(season, clock):
    assert due.calendar_is_old(season, at(-6))
    season.ledger.begin(tables.GAMES.name, DAY.isoformat(), run_id="r")
    clock.at = at(-10)
    season.ledger.complete(tables.GAMES.name, DAY.isoformat(), run_id="r", rows_in=2, rows_loaded=2)
    assert not due.calendar_is_old(season, at(-9))
    assert due.calendar_is_old(season, at(-4))
    look = at(-4)
    season.ledger.begin(tables.GAMES.name, DAY.isoformat(), run_id="r")
    clock.at = look + dt.timedelta(seconds=20)
    season.ledger.complete(tables.GAMES.name, DAY.isoformat(), run_id="r", rows_in=2, rows_loaded=2)
    assert not due.calendar_is_old(season, look + dt.timedelta(minutes=5))
    assert due.calendar_is_old(season, look + dt.timedelta(minutes=10)), "the second look after it, not the third"


def test_pitches_fetched_before_their_settling_window_are_asked_for_once_more(season, clock):
    clock.at = at(20)
    published(season, table=tables.PITCHES.name)
    assert due.unsettled_pitches(season, at(30)) == []
    assert due.unsettled_pitches(season, at(80)) == [DAY]
    clock.at = at(81)
    published(season, table=tables.PITCHES.name)
    assert due.unsettled_pitches(season, at(82)) == []
