"""SportRadar's summary in place of box scores: what it tells of a day is what the Stats API would have told."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.demo.dialects import sportradar, statsapi
from backstop.demo.league.world import LeagueWorld
from backstop.demo.world import Game
from backstop.net.item import Answer
from backstop.sources.parsed import merge
from backstop.sources.sportradar import summary
from backstop.sources.statsapi import boxscore, schedule
from backstop.stages import stand_in
from backstop.stages.house import House
from tests.sources.answers import answer

DAY = dt.date(2025, 4, 26)
"""With a split doubleheader."""

AT = dt.datetime(2025, 4, 28, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def world() -> LeagueWorld:
    return LeagueWorld(5, now=AT)


@pytest.fixture(scope="module")
def games(world: LeagueWorld) -> list[Game]:
    return world.games(DAY, DAY)


@pytest.fixture(scope="module")
def listed(world: LeagueWorld, games: list[Game]) -> pl.DataFrame:
    return schedule.parse(answer(schedule.plan_day(DAY)[0], statsapi.schedule(games, world.person))).frame


def summaries(world: LeagueWorld, games: list[Game], *, numbered: bool = True) -> Answer:
    told = [sportradar.summary(game, world.appearances(game.game_pk), world.person) for game in games]
    for each in told if not numbered else []:
        del each["reference"]
    return answer(summary.plan_day(DAY)[0], sportradar.summaries(DAY, told, AT))


def scored(world: LeagueWorld, games: list[Game], listed: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Players and lines by the Stats API's own box scores."""
    found = [
        boxscore.parse(answer(boxscore.plan([game.game_pk])[0], statsapi.boxscore(game, world.appearances(game.game_pk), world.person)), listed)
        for game in games
    ]  # fmt: skip
    players = merge([each.players for each in found], tables.PLAYERS).frame
    return players.sort(tables.PLAYERS.key), merge([each.box for each in found], tables.BOX).frame.sort(tables.BOX.key)


def test_both_feeds_tell_the_same_players_and_lines(house: House, world, games, listed):
    found = stand_in.box_scores(house, summaries(world, games), listed)
    players, box = scored(world, games, listed)
    assert found.players.frame.sort(tables.PLAYERS.key).equals(players)
    mine = found.box.frame.sort(tables.BOX.key)
    differ = [name for name in box.columns if not mine[name].equals(box[name], null_equal=True)]
    assert differ == []
    assert found.players.rejected.is_empty()
    assert found.box.rejected.is_empty()


def test_only_games_that_are_owed_are_told(house: House, world, games, listed):
    owed = listed.filter(pl.col("game_pk").is_in([games[0].game_pk, games[-1].game_pk]))
    found = stand_in.box_scores(house, summaries(world, games), owed)
    assert set(found.players.frame["game_pk"]) == set(found.box.frame["game_pk"]) == set(owed["game_pk"])
    assert stand_in.box_scores(house, summaries(world, games), listed.clear()).box.frame.is_empty()


def test_without_mlbs_numbers_games_are_told_by_day_and_clubs_and_a_doubleheader_is_not_guessed(
    house: House, world, games, listed
):
    found = stand_in.box_scores(house, summaries(world, games, numbered=False), listed)
    single = listed.filter(doubleheader="N")["game_pk"]
    assert 0 < len(single) == len(listed) - 2
    assert set(found.box.frame["game_pk"]) == set(single)
    players, box = scored(world, games, listed)
    assert found.box.frame.sort(tables.BOX.key).equals(box.filter(pl.col("game_pk").is_in(single.implode())))
    assert len(found.players.frame) == len(players.filter(pl.col("game_pk").is_in(single.implode())))


def test_a_summary_of_no_games_owes_nothing(house: House, world, listed):
    found = stand_in.box_scores(house, summaries(world, []), listed)
    assert (len(found.players.frame), len(found.box.frame), len(found.players.rejected)) == (0, 0, 0)
