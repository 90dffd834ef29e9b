"""Whether readers are owed a newer slate: never on a day like any other, always when one was due and did not come."""

from __future__ import annotations

import datetime as dt

import pytest

from backstop import tables
from backstop.clock import SystemClock
from backstop.settings import Feed
from backstop.stages import allowance, days, due, overdue, standing
from backstop.store.loader import SlateWriter
from backstop.store.views import SlateView, State
from tests.stages.gameday import PROPS, at, begin, failed, post, refreshed
from tests.stages.rows import DAY, games


@pytest.fixture
def season(house):
    """The day's games are known, The Odds API has a key, the schedule was asked for just now."""
    begin(house)
    house.__dict__["settings"] = house.settings.model_copy(update={"upstream": "http://127.0.0.1:9"})
    return house


def without_key(house):
    house.__dict__["settings"] = house.settings.model_copy(update={"upstream": "live"})


def served(published_at=None, *, pinned=False):
    if published_at is None:
        return SlateView(DAY, State.MISSING)
    return SlateView(DAY, State.STALE, 1, 0.0, published_at, pinned=pinned)


def told(house, now, published_at=None, *, pinned=False):
    (day,) = days.of_range(house, DAY, DAY)
    return overdue.of_slate(house, day, served(published_at, pinned=pinned), now)


def publish_at(house, clock, hours, lineups=(1, 2)):
    clock.at = at(hours)
    post(house, clock, *lineups)
    refreshed(house, *lineups)
    return clock.at


@pytest.mark.parametrize("hours", [-12, -6, -3, -0.6])
def test_before_line_ups_are_posted_nothing_is_owed(season, clock, hours):
    post(season, clock)
    assert told(season, at(hours)) == ""


def test_a_slate_that_is_not_there_half_an_hour_before_its_first_pitch_is_owed(season, clock):
    post(season, clock)
    assert told(season, at(-0.4)) == "The slate of 2025-06-15 is missing; its first game begins at 13:00 Eastern."


def test_line_ups_that_are_posted_and_in_no_slate_are_owed(season, clock):
    lacks = "The slate of 2025-06-15 is due: line-ups of {} games are posted, those of 1 are not in the slate."
    clock.at = at(-4)
    post(season, clock, 1)
    assert told(season, at(-3.9)) == lacks.format(1)
    at_once = publish_at(season, clock, -3.8, lineups=[1])
    assert told(season, at(-3.7), at_once) == ""
    post(season, clock, 1, 2)
    assert told(season, at(-3.7), at_once) == lacks.format(2)
    refreshed(season, 1)
    assert told(season, at(-3.7), at_once) == lacks.format(2), "also while the next refresh waits its pause"


@pytest.mark.parametrize(("minutes", "owed"), [(4, False), (12, False), (20, False), (21, True), (90, True)])
def test_prices_are_owed_when_their_pause_and_some_patience_are_over(season, clock, minutes, owed):
    before = publish_at(season, clock, -3)
    sentence = told(season, before + dt.timedelta(minutes=minutes), before)
    expected = (
        f"The slate of 2025-06-15 is {minutes} min old, prices are due every 5 min, "
        "and 2 of its games are still to begin."
    )
    assert sentence == (expected if owed else "")


@pytest.mark.parametrize(("minutes", "owed"), [(30, False), (74, False), (76, True)])
def test_prices_an_hour_apart_because_of_credits_are_owed_after_that_hour(season, clock, monkeypatch, minutes, owed):
    monkeypatch.setattr(due, "prices_every", lambda *_: dt.timedelta(hours=1))
    before = publish_at(season, clock, -3)
    assert bool(told(season, before + dt.timedelta(minutes=minutes), before)) is owed


def test_prices_that_no_credits_are_left_for_are_not_owed_and_the_credits_are_told(season, clock, monkeypatch):
    monkeypatch.setattr(allowance, "left", lambda _, feed=Feed.THEODDS: 25 if feed is Feed.THEODDS else None)
    before = publish_at(season, clock, -3)
    assert told(season, at(-1), before) == ""
    clock.at = at(-1)
    assert overdue.of_credits(season, at(-1)).startswith(
        "25 credits of theodds are left, too few for the prices of 2025-06-15"
    )
    assert overdue.of_credits(season, at(0.1)) == "", "no game is to begin: nothing would be asked for"


def test_without_a_key_prices_and_credits_are_nobodys_business(season, clock):
    without_key(season)
    before = publish_at(season, clock, -3)
    assert told(season, at(-1), before) == ""
    assert overdue.of_credits(season, at(-1)) == ""


def test_after_the_last_first_pitch_nothing_is_owed(season, clock):
    before = publish_at(season, clock, -1)
    assert told(season, at(-0.1), before)
    for hours in (0, 0.1, 3, 6):
        assert told(season, at(hours), before) == ""
        assert told(season, at(hours)) == ""


def test_a_version_that_an_operator_holds_is_not_owed(season, clock):
    before = publish_at(season, clock, -3)
    assert told(season, at(-1), before, pinned=True) == ""


def test_a_slate_that_failed_is_owed_before_and_after_it_was_published(season, clock):
    without_key(season)
    clock.at = at(-4)
    post(season, clock, 1)
    failed(season)
    assert told(season, at(-3.9)) == "The slate of 2025-06-15 failed and was never published: the feed was down."
    before = publish_at(season, clock, -3.5)
    assert told(season, at(-3.4), before) == ""
    failed(season)
    assert "failed after it was published, and 2 of its games" in told(season, at(-3.4), before)


def test_a_first_run_that_fetches_whole_seasons_has_an_hour(season, clock):
    clock.at = at(-0.2)
    season.ledger.begin(PROPS, DAY.isoformat(), run_id="r", lease_s=3 * 3600)
    assert told(season, at(-0.1)) == ""
    season.__dict__["settings"] = season.settings.model_copy(update={"upstream": "http://127.0.0.1:9"})
    season.lake.write(
        tables.GAMES.name,
        DAY,
        games(DAY, 1, 2, status="Scheduled", abstract_status="Preview", start_at=at(2)),
    )
    assert told(season, at(0.7)) == ""
    assert told(season, at(1.6)) == "The slate of 2025-06-15 is running; its first game begins at 15:00 Eastern."


def test_an_off_day_and_a_winter_day_owe_nothing(house, clock):
    house.ledger.empty(tables.GAMES.name, DAY.isoformat(), run_id="r", reason="none")
    assert told(house, at(0)) == ""
    for winter in (dt.datetime(2025, 12, 24, 20, tzinfo=dt.UTC), dt.datetime(2026, 2, 10, 20, tzinfo=dt.UTC)):
        clock.at = winter
        (day,) = days.of_range(house, winter.date(), winter.date())
        assert overdue.of_slate(house, day, SlateView(day.day, State.MISSING), winter) == ""
        assert overdue.of_schedule(house, winter) == ""


def test_a_day_in_season_whose_games_nobody_knows_is_owed_from_eleven_eastern(house):
    assert told(house, dt.datetime(2025, 6, 15, 14, 59, tzinfo=dt.UTC)) == ""
    sentence = told(house, dt.datetime(2025, 6, 15, 15, tzinfo=dt.UTC))
    assert sentence == "The schedule of 2025-06-15 is not known; `reconcile` asks for it, is a worker running?"


def test_the_schedule_is_owed_when_it_is_old_in_season(season, clock):
    clock.at = at(-10)
    season.ledger.begin(tables.GAMES.name, DAY.isoformat(), run_id="r")
    season.ledger.complete(tables.GAMES.name, DAY.isoformat(), run_id="r", rows_in=2, rows_loaded=2)
    assert overdue.of_schedule(season, at(-9)) == ""
    assert overdue.of_schedule(season, at(-4)).startswith("The schedule of 2025-06-15 is due")


def test_a_house_in_which_nothing_was_ever_done_owes_nothing_and_gets_no_ledger(house):
    assert overdue.look(house) == overdue.Overdue(DAY)
    assert not house.settings.ledger_file.exists()


def test_a_look_reads_the_slate_that_redis_serves_and_the_status_says_the_same(store, clock):
    begin(store)
    store.__dict__["settings"] = store.settings.model_copy(update={"upstream": "http://127.0.0.1:9"})
    publish_at(store, clock, -2)
    refreshed(store, 1, 2)
    writer = SlateWriter(store.redis, SystemClock())
    draft = writer.open(DAY, cutoff=at(-2), run_id="r")
    writer.publish(draft, {}, {}, published_at=at(-2))
    store.clock = clock
    clock.at = at(-1.9)
    assert overdue.look(store).slate == ""
    clock.at = at(-1)
    found = overdue.look(store)
    assert found.slate.startswith("The slate of 2025-06-15 is 60 min old, prices are due every 5 min")
    assert found.slate in standing.look(store).problems
