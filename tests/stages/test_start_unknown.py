"""A game whose start is to be determined: listed at 3:33 Eastern of its day, it has not begun before it is under way."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.stages import days, due, overdue, publish, schedules
from backstop.store.views import SlateView, State
from tests.stages.gameday import at, begin, post, refreshed
from tests.stages.rows import DAY, games

PLACEHOLDER = dt.datetime.combine(DAY, dt.time(7, 33), dt.UTC)
"""As the Stats API lists the games of the 2026 Wild Card Series."""


@pytest.fixture
def second_unknown(house):
    """Two games, of which the second begins nobody knows when; prices can be asked for."""
    begin(house)
    house.__dict__["settings"] = house.settings.model_copy(update={"upstream": "http://127.0.0.1:9"})
    keep(house, abstract_status="Preview", status="Scheduled")
    return house


def keep(house, **state):
    known = games(DAY, 1, start_is_tbd=False, **state)
    unknown = games(DAY, 2, start_is_tbd=True, start_at=PLACEHOLDER, **state)
    house.lake.write(tables.GAMES.name, DAY, pl.concat([known, unknown]))


def test_the_slate_is_not_late_in_the_morning(second_unknown, clock):
    post(second_unknown, clock)
    (day,) = days.of_range(second_unknown, DAY, DAY)
    assert overdue.of_slate(second_unknown, day, SlateView(DAY, State.MISSING), at(-4)) == ""


def test_its_prices_and_line_ups_are_wanted_when_the_first_game_is_under_way(second_unknown, clock):
    clock.at = at(-1)
    post(second_unknown, clock, 1, 2)
    refreshed(second_unknown, 1, 2)
    later = at(2)
    (asked,) = due.runs(second_unknown, later)
    assert (asked.flow, asked.reason) == ("odds-refresh", f"1 games of {DAY} are still to begin")
    clock.at = later
    post(second_unknown, clock, 1, 2, home=[90, 91])
    assert "slate-refresh" in {each.flow for each in due.runs(second_unknown, at(2.1))}


def test_a_start_that_was_never_told_is_left_as_it_stands_once_the_game_is_played(second_unknown):
    unknown = schedules.games_of(second_unknown, DAY)
    assert unknown["start_at"].to_list() == [at(0), dt.datetime(2025, 6, 16, 8, tzinfo=dt.UTC)]
    assert unknown.schema == tables.GAMES.schema
    keep(second_unknown)
    assert schedules.games_of(second_unknown, DAY)["start_at"].to_list() == [at(0), PLACEHOLDER]


@pytest.mark.parametrize("state", [{"abstract_status": "Preview", "status": "Scheduled"}, {}], ids=["to come", "over"])
def test_nobody_is_told_a_start_that_is_to_be_determined(second_unknown, state):
    keep(second_unknown, **state)
    told = publish.meta_of(second_unknown, DAY, "run", 0, ())["games"]
    assert [(game["game_pk"], game["start_at"]) for game in told] == [(1, "2025-06-15T17:00:00Z"), (2, None)]
    assert schedules.first_pitch(schedules.games_of(second_unknown, DAY)) == at(0)


def test_a_feed_that_does_not_say_whether_a_start_is_determined_is_believed():
    listed = games(DAY, 1, 2, start_is_tbd=None)
    assert listed.select(schedules.known_start())["start_at"].to_list() == [at(0), at(0)]


def test_of_a_day_without_any_start_none_is_said(second_unknown):
    """Before: `its first game begins at 04:00 Eastern`."""
    states = {"abstract_status": "Preview", "status": "Scheduled"}
    unknown = games(DAY, 1, 2, start_is_tbd=True, start_at=PLACEHOLDER, **states)
    second_unknown.lake.write(tables.GAMES.name, DAY, unknown)
    end = at(15)
    (day,) = days.of_range(second_unknown, DAY, DAY)
    said = overdue.of_slate(second_unknown, day, SlateView(DAY, State.MISSING), end - dt.timedelta(minutes=29))
    assert said == "The slate of 2025-06-15 is missing; the start of its first game is to be determined."
    assert schedules.first_pitch(schedules.games_of(second_unknown, DAY)) is None
    assert schedules.first_pitch(tables.GAMES.empty()) is None
