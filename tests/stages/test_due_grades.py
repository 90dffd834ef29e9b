"""When a day is graded: the next morning, and once more when what it was graded without has come."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.stages import due, settled
from backstop.stages.due import Due
from backstop.stages.grade import GRADES, SETTLED, begin
from tests.stages.gameday import published, refreshed
from tests.stages.rows import DAY, games

MORNING_AFTER = dt.datetime(2025, 6, 16, 13, 5, tzinfo=dt.UTC)
SUSPENDED = {"status": "Suspended: Rain", "abstract_status": "Live"}


@pytest.fixture
def suspended(season, clock):
    """The morning after a published day of two games of which the second was suspended."""
    refreshed(season, 1, 2)
    season.lake.write(tables.GAMES.name, DAY, games(DAY, 1).vstack(games(DAY, 2, **SUSPENDED)))
    clock.at = MORNING_AFTER
    return season


def graded(house, reason="", run="g"):
    """Grade the day as the run does."""
    begin(house, DAY, run, 60)
    counts = {"run_id": run, "rows_in": 3, "rows_loaded": 3}
    house.lake.write(SETTLED, DAY, pl.DataFrame({"prop_id": ["p"]}))
    if reason:
        house.ledger.degrade(GRADES, DAY.isoformat(), reason=reason, **counts)
    else:
        house.ledger.complete(GRADES, DAY.isoformat(), **counts)


def gradings(house, now):
    return [each for each in due.runs(house, now, prices_every=None) if each.flow == "slate-grade"]


def test_grading_is_due_the_next_morning_when_every_game_is_over(season, clock):
    refreshed(season, 1, 2)
    assert gradings(season, MORNING_AFTER) == []
    season.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    assert gradings(season, MORNING_AFTER - dt.timedelta(hours=2)) == []
    assert [each.slot for each in gradings(season, MORNING_AFTER)] == ["first"]
    published(season, table=GRADES)
    assert gradings(season, MORNING_AFTER) == []


def test_a_slate_that_was_graded_without_a_box_score_is_graded_again_after_a_pause(season, clock):
    refreshed(season, 1, 2)
    season.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    clock.at = MORNING_AFTER
    season.ledger.begin(GRADES, DAY.isoformat(), run_id="r")
    counts = {"run_id": "r", "rows_in": 3, "rows_loaded": 3}
    season.ledger.degrade(GRADES, DAY.isoformat(), reason="2: not fetched", **counts)
    assert gradings(season, MORNING_AFTER + dt.timedelta(minutes=4)) == []
    (again,) = due.runs(season, MORNING_AFTER + dt.timedelta(minutes=6), prices_every=None)
    assert (again.flow, again.slot) == ("slate-grade", "try-2-after-r")
    assert again.reason == f"{DAY} was graded without: 2: not fetched"
    published(season, table=GRADES)
    assert gradings(season, MORNING_AFTER + dt.timedelta(hours=1)) == []


@pytest.mark.parametrize("abstract_status", ["Live", None])
def test_a_day_with_a_suspended_game_is_graded_the_next_morning(suspended, abstract_status):
    open_game = games(DAY, 2, status="Suspended: Rain", abstract_status=abstract_status)
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1).vstack(open_game))
    assert gradings(suspended, MORNING_AFTER) == [Due("slate-grade", DAY, "first", "game 2 is not over")]


def test_a_game_that_has_not_begun_by_the_schedule_is_waited_for_one_day_more(suspended, clock):
    behind = games(DAY, 1).vstack(games(DAY, 2, status="Scheduled", abstract_status="Preview"))
    suspended.lake.write(tables.GAMES.name, DAY, behind)
    assert gradings(suspended, MORNING_AFTER + dt.timedelta(hours=23)) == []
    assert [each.slot for each in gradings(suspended, MORNING_AFTER + dt.timedelta(hours=24))] == ["first"]


@pytest.mark.parametrize("days_later", [1, 3, 4, 61])
def test_a_day_is_graded_once_more_when_its_suspended_game_is_over_however_late(suspended, clock, days_later):
    graded(suspended, settled.not_over(suspended, DAY))
    for waited in (0.1, 1, 2, 5, 60):
        assert gradings(suspended, MORNING_AFTER + dt.timedelta(days=waited)) == []
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    clock.at = MORNING_AFTER + dt.timedelta(days=days_later)
    (again,) = gradings(suspended, clock.at)
    assert (again.day, again.slot) == (DAY, "try-2-after-g")
    assert again.reason == f"{DAY} was graded without: game 2 is not over"
    graded(suspended, run="h")
    clock.advance(86400)
    assert gradings(suspended, clock.at) == []


def test_of_two_suspended_games_each_makes_the_day_due_when_it_is_over(suspended, clock):
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2, **SUSPENDED))
    graded(suspended, settled.not_over(suspended, DAY))
    clock.at = MORNING_AFTER + dt.timedelta(days=30)
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1, **SUSPENDED).vstack(games(DAY, 2)))
    assert [each.slot for each in gradings(suspended, clock.at)] == ["try-2-after-g"]
    graded(suspended, settled.not_over(suspended, DAY), run="h")
    clock.advance(86400)
    assert gradings(suspended, clock.at) == []


def test_a_box_score_that_is_owed_beside_a_suspended_game_is_asked_for_again_for_three_days(suspended):
    graded(suspended, "1: not fetched; game 2 is not over")
    found = [bool(gradings(suspended, MORNING_AFTER + dt.timedelta(days=later))) for later in (0.1, 2, 4, 30)]
    assert found == [True, True, False, False]
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    assert len(gradings(suspended, MORNING_AFTER + dt.timedelta(days=30))) == 1


def test_the_grade_of_a_resumed_game_that_failed_is_tried_again_and_one_that_never_was_is_not(suspended, clock):
    graded(suspended, settled.not_over(suspended, DAY))
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    clock.at = MORNING_AFTER + dt.timedelta(days=61)
    for day in (DAY, DAY - dt.timedelta(days=1)):
        suspended.ledger.begin(GRADES, day.isoformat(), run_id="f")
        suspended.ledger.fail(GRADES, day.isoformat(), run_id="f", reason="the feed was down")
    clock.advance(3600)
    assert [(each.day, each.slot) for each in gradings(suspended, clock.at)] == [(DAY, "try-2-after-f")]


def test_a_box_score_that_never_comes_costs_a_run_an_hour_and_after_three_days_none(suspended, clock):
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    started = []
    while clock.at < MORNING_AFTER + dt.timedelta(days=5):
        if gradings(suspended, clock.at):
            graded(suspended, "2: not fetched", run=f"run {len(started)}")
            started.append(clock.at - MORNING_AFTER)
        clock.advance(300)
    assert [int(each.total_seconds() / 60) for each in started[:6]] == [0, 5, 20, 50, 110, 170]
    assert len(started) == 5 + 65, "every hour, as long as the day is one of the three before today"
    assert started[-1] == dt.timedelta(minutes=110, hours=65)


def test_an_old_day_that_lacks_a_box_score_is_left_to_whoever_backfills(suspended):
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    graded(suspended, "2: not fetched")
    assert gradings(suspended, MORNING_AFTER + dt.timedelta(days=4)) == []
