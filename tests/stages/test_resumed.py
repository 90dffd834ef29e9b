"""A game that was suspended and finished on a later day: nothing of it is known before the day after that one."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.features import asof, steals
from backstop.features.tally import tally
from backstop.sources.statsapi import schedule
from backstop.stages import project, refitting, schedules, training
from tests.features.season import FIRST, pitches
from tests.sources.answers import answer
from tests.stages.rows import listed_game, listing

DAYS = 36
SUSPENDED, RESUMED, LAST = (FIRST + dt.timedelta(days=number) for number in (20, 24, DAYS - 1))
GAME = 10 * 20 + 1
ONGOING = {"abstractGameState": "Live", "detailedState": "Suspended: Rain"}
MONTH = schedule.plan(dt.date(2024, 4, 1), dt.date(2024, 4, 30))[0]


@pytest.fixture(scope="module")
def tallies():
    return tally(pitches(DAYS))


def fill(house, tallies, **said):
    """Keep a season, and the schedule of one of its games as the feed tells it."""
    for (day,), rows in tallies.group_by("game_date"):
        house.lake.write(project.TALLIES, day, rows)
    listed = schedule.parse(answer(MONTH, listing(listed_game(GAME, SUSPENDED, **said)))).frame
    house.lake.write(tables.GAMES.name, SUSPENDED, listed)
    return house


def days_after(number):
    return RESUMED + dt.timedelta(days=number)


def features(house, first, last):
    return training.rows(house, first, last, rebuild=True).rows


@pytest.fixture
def resumed(house, tallies):
    return fill(house, tallies, resumeDate="2024-04-25T18:05:00Z", resumeGameDate=RESUMED.isoformat())


def without_it(house, tallies):
    """Make the lake one that never heard of the game."""
    others = tallies.filter((pl.col("game_pk") != GAME) & (pl.col("game_date") == SUSPENDED))
    house.lake.write(project.TALLIES, SUSPENDED, others)
    house.lake.write(tables.GAMES.name, SUSPENDED, tables.GAMES.empty())


def test_features_of_the_days_between_hold_nothing_of_it(resumed, tallies):
    between = features(resumed, days_after(-3), RESUMED)
    assert between["game_date"].n_unique() == 4
    without_it(resumed, tallies)
    assert between.equals(features(resumed, days_after(-3), RESUMED))


def test_the_features_of_the_game_itself_stay_those_of_its_own_day(resumed):
    rows = features(resumed, SUSPENDED, SUSPENDED)
    assert GAME in rows["game_pk"]
    assert rows["as_of"].unique().to_list() == [SUSPENDED - dt.timedelta(days=1)]


def test_from_the_day_after_its_resumption_on_it_counts_like_any_other(resumed):
    later = features(resumed, days_after(1), LAST)
    resumed.lake.write(tables.GAMES.name, SUSPENDED, tables.GAMES.empty())
    assert later.equals(features(resumed, days_after(1), LAST))


def test_while_it_is_suspended_nothing_of_it_is_history(house, tallies):
    fill(house, tallies, status=ONGOING)
    history = asof.history(project.tallies(house), LAST).collect()
    assert GAME not in history["game_pk"]
    assert history.height == tallies.filter((pl.col("game_pk") != GAME) & (pl.col("game_date") < LAST)).height


def test_a_lake_without_such_a_game_gives_the_rows_as_they_are(house, tallies):
    fill(house, tallies)
    assert schedules.resumed_games(house).is_empty()
    assert project.tallies(house).collect().equals(tallies.sort("game_date", maintain_order=True))


def box(day, pk, stolen):
    row = {"game_pk": pk, "game_date": day, "player_id_mlbam": 1, "plate_appearances": 6000, "stolen_bases": stolen}
    return pl.DataFrame([{name: row.get(name) for name in tables.BOX.schema}], schema=tables.BOX.schema)


def test_steals_of_the_later_part_are_not_known_either(resumed):
    resumed.lake.write(tables.BOX.name, SUSPENDED, box(SUSPENDED, GAME, 3))
    resumed.lake.write(tables.BOX.name, FIRST, box(FIRST, 1, 90))
    known = {day: project.box(resumed).pipe(asof.history, day).collect()["game_pk"].to_list() for day in (
        SUSPENDED, days_after(0), days_after(1))}  # fmt: skip
    assert known == {SUSPENDED: [1], RESUMED: [1], days_after(1): [1, GAME]}
    early, both = box(FIRST, 1, 90), pl.concat([box(FIRST, 1, 90), box(SUSPENDED, GAME, 3)])
    for day, scores in ((RESUMED, early), (days_after(1), both)):
        expected = steals.rates(scores, LAST).filter(pl.col("player_id_mlbam").is_null())["steals_pa"]
        assert features(resumed, day, day)["steals_pa"].drop_nulls().unique().to_list() == expected.to_list()


@pytest.mark.parametrize("last", [RESUMED - dt.timedelta(days=1), RESUMED])
def test_a_refit_of_days_before_the_resumption_is_that_of_a_league_without_the_game(resumed, tallies, last):
    def calibrated():
        return refitting.refit(resumed, last - dt.timedelta(days=15), last).fitted

    with_it = calibrated()
    without_it(resumed, tallies)
    assert (with_it == calibrated()) is (last < RESUMED)
