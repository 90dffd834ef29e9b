"""The simulated league: its calendar, its people, its games."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.demo import DEMO_DAY
from backstop.demo.clubs import CLUBS
from backstop.demo.league import talent
from backstop.demo.league.calendar import BREAK, LAST_DAY, OPENING_DAY, RAIN, season
from backstop.demo.league.cards import cards
from backstop.demo.league.outcomes import EVENTS, NOBODY, TRUNCATED
from backstop.demo.league.people import BATTERS_OF_A_CLUB, CLUB_SIZE, FIRST_ID, SHARED_NAME, players
from backstop.demo.league.play import Plays, play
from backstop.demo.league.world import LeagueWorld
from backstop.demo.world import PitchAsk


@pytest.fixture(scope="module")
def plays() -> Plays:
    return play(cards(1), np.random.default_rng(1))


def test_nobody_plays_twice_at_once_and_doubleheaders_are_two_games():
    for day in {game.day for game in season()}:
        games = [game for game in season() if game.day == day]
        clubs = Counter(club for game in games for club in (game.home, game.away))
        twice = {club for game in games if game.doubleheader != "N" for club in (game.home, game.away)}
        assert {club for club, count in clubs.items() if count > 1} == twice
        for pair in {(game.home, game.away) for game in games if game.doubleheader != "N"}:
            numbers = [game.number for game in games if (game.home, game.away) == pair]
            assert numbers == [1, 2]


def test_the_calendar_has_off_days_both_doubleheaders_and_rain():
    days = {game.day for game in season()}
    assert (min(days), max(days)) == (OPENING_DAY, LAST_DAY)
    assert BREAK not in days
    assert {game.doubleheader for game in season()} == {"N", "Y", "S"}
    assert {game.moved_from for game in season() if game.moved_from} == set(RAIN)
    assert len({game.game_pk for game in season()}) == len(season())
    assert min(Counter(game.day for game in season()).values()) < 15
    assert 25 <= (DEMO_DAY - OPENING_DAY).days <= 31


def test_players_carry_ids_that_nobody_has_and_one_name_is_borne_by_two():
    ids = [player.person.player_id for player in players()]
    assert len(set(ids)) == len(CLUBS) * CLUB_SIZE
    assert min(ids) >= 9_000_000
    names = Counter(player.person.full_name for player in players())
    assert [name for name, count in names.items() if count > 1] == [" ".join(SHARED_NAME)]
    assert any(name.endswith(" Jr.") for name in names)
    assert any(not name.isascii() for name in names)
    assert any(name[1:4] == "." + name[2] + "." for name in names)


@pytest.mark.realdata
def test_no_invented_player_bears_the_name_or_the_id_of_a_real_one(realdata: Path):
    register = pl.read_parquet(realdata / "register" / "chadwick_register_mlbam.parquet")
    real = set(register.select(pl.col("name_first") + " " + pl.col("name_last")).to_series())
    assert not real & {player.person.full_name for player in players()}
    assert register["key_mlbam"].max() < FIRST_ID


def test_talents_are_shares_and_the_same_in_every_season():
    skills = talent.talents()
    assert np.allclose(skills.batting.sum(axis=1), 1)
    batters = [player.index for player in players() if not player.is_pitcher]
    homers = skills.batting[batters, talent.HOMER]
    assert 0.005 < homers.min() < homers.max() < 0.12
    assert homers.std() > 0.008


def test_the_league_hits_like_the_majors(plays: Plays):
    events = Counter(np.array(EVENTS)[plays["event"]].tolist())
    total = sum(count for event, count in events.items() if event != "truncated_pa")
    games = len(season())
    assert 72 < total / games < 80
    assert 7.5 < plays["runs"].sum() / games < 10
    for event, share in (("strikeout", 0.222), ("home_run", 0.0305), ("single", 0.142), ("walk", 0.084)):
        assert events[event] / total == pytest.approx(share, rel=0.08)


def test_half_innings_end_with_three_outs_unless_the_home_club_wins_there(plays: Plays):
    frame = pl.DataFrame(
        {name: plays[name] for name in ("game", "inning", "half", "outs_made", "runs", "home_score", "away_score")}
    )
    frame = frame.with_columns(caught=plays["caught"])
    halves = frame.group_by("game", "inning", "half", maintain_order=True).agg(
        (pl.col("outs_made") + pl.col("caught")).sum().alias("outs"),
        (pl.col("home_score").last() + pl.col("runs").last() - pl.col("away_score").last()).alias("lead"),
    )
    short = halves.filter(pl.col("outs") != 3)
    assert (short["half"] == 1).all()
    assert (short["inning"] >= 9).all()
    assert (short["lead"] > 0).all()
    last = halves.group_by("game").agg(pl.col("inning").max(), pl.col("half").last())
    assert (last["inning"] >= 9).all()


def test_every_run_was_somebodys_and_was_charged_to_somebody(plays: Plays):
    scored, charged = plays["scored"], plays["charged"]
    assert ((scored != NOBODY).sum(axis=1) == plays["runs"]).all()
    assert (charged[scored != NOBODY] != NOBODY).all()
    assert (plays["rbi"] <= plays["runs"]).all()
    assert (plays["runs"][plays["event"] == TRUNCATED] == 0).all()


def test_runners_are_of_the_batting_club_and_nobody_stands_on_two_bases(plays: Plays):
    clubs = np.array([player.club for player in players()])
    on = plays["on"]
    for base in range(3):
        there = on[:, base] != NOBODY
        assert (clubs[on[there, base]] == clubs[plays["batter"][there]]).all()
    for one, other in ((0, 1), (0, 2), (1, 2)):
        both = (on[:, one] != NOBODY) & (on[:, other] != NOBODY)
        assert (on[both, one] != on[both, other]).all()


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_a_seed_decides_everything(seed: int):
    first, second = (play(cards(seed), np.random.default_rng(seed)) for _ in range(2))
    assert all((first[name] == second[name]).all() for name in first.columns)
    assert first["at_bat" if "at_bat" in first.columns else "number"].min() == 1


def test_pitches_follow_physics_and_counts(league: LeagueWorld):
    frame = league.pitches(PitchAsk(first=dt.date(2025, 4, 8), last=dt.date(2025, 4, 8)))
    assert frame["balls"].max() == 3
    assert frame["strikes"].max() == 2
    thrown = frame.filter(pl.col("pitch_type").is_not_null())
    assert thrown["release_speed"].is_between(68, 106).all()
    assert thrown["zone"].is_in([*range(1, 10), 11, 12, 13, 14]).all()
    taken = thrown.filter(description="called_strike")
    assert taken["zone"].is_between(1, 9).all()
    assert (thrown.filter(description="ball")["zone"] > 10).all()
    homers = frame.filter(events="home_run")
    assert homers["launch_speed"].drop_nulls().min() >= 94
    assert homers["hit_distance_sc"].drop_nulls().min() >= 330
    played = frame.filter(pl.col("events").is_not_null())
    assert played.select("game_pk", "at_bat_number").is_unique().all()
    walks = frame.filter(events="walk")
    assert (walks["balls"] == 3).all()
    fans = frame.filter(events="strikeout")
    assert (fans["strikes"] == 2).all()
    ordered = frame.sort("game_pk", "at_bat_number", "pitch_number")
    step = ordered.select(
        (pl.col("balls") + pl.col("strikes"))
        .diff()
        .over("game_pk", "at_bat_number")
        .drop_nulls()
        .is_between(0, 1)
        .all()
    )
    assert step.item()
    assert (
        frame.filter(description="automatic_ball")["pitch_type"].null_count()
        == frame.filter(description="automatic_ball").height
    )


def test_later_the_demo_day_is_over_and_its_pitches_are_collected():
    later = LeagueWorld(now=dt.datetime(2025, 5, 3, 12, tzinfo=dt.UTC))
    states = Counter(game.status for game in later.games(DEMO_DAY, DEMO_DAY))
    assert states == {"Final": 15, "Postponed": 1}
    assert later.pitches(PitchAsk(first=DEMO_DAY, last=DEMO_DAY))["game_pk"].n_unique() == 15


def test_starters_take_turns_and_substitutes_come_from_the_bench():
    deck = cards(3)
    places = deck.starter % CLUB_SIZE
    assert ((places >= BATTERS_OF_A_CLUB) & (places < BATTERS_OF_A_CLUB + 5)).all()
    for side in (0, 1):
        for number in range(deck.substitute.shape[2]):
            who = deck.substitute[:, side, number]
            there = who != NOBODY
            assert not (deck.lineup[there, side] == who[there, None]).any()
            assert (who[there] // CLUB_SIZE == deck.club[there, side]).all()
