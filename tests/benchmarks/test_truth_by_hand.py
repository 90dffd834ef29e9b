"""What the simulated season truly held, against its own box scores and pitches, player by player."""

from __future__ import annotations

import datetime as dt
import io
from statistics import fmean, median

import polars as pl
import pytest

from backstop.demo.dialects import statsapi
from backstop.demo.league.world import LeagueWorld
from backstop.demo.world import PitchAsk
from backstop.props.settle import settle
from backstop.sources.statsapi import boxscore, schedule
from benchmarks import truth
from tests.sources.answers import answer

SEED = 12
DAY = dt.date(2025, 4, 12)
"""With a game that was made up after rain."""


@pytest.fixture(scope="module")
def world() -> LeagueWorld:
    return LeagueWorld(SEED, now=dt.datetime(2025, 4, 14, 12, tzinfo=dt.UTC))


@pytest.fixture(scope="module")
def listed(world: LeagueWorld) -> pl.DataFrame:
    games = world.games(DAY, DAY)
    return schedule.parse(answer(schedule.plan_day(DAY)[0], statsapi.schedule(games, world.person))).frame


@pytest.fixture(scope="module")
def box(world: LeagueWorld, listed: pl.DataFrame) -> pl.DataFrame:
    games = world.games(DAY, DAY)
    parts = [
        boxscore.parse(answer(boxscore.plan([game.game_pk])[0], statsapi.boxscore(game, world.appearances(game.game_pk), world.person)), listed)
        for game in games
        if game.status == "Final"
    ]  # fmt: skip
    return pl.concat([part.box.frame for part in parts])


def test_props_settle_on_what_truly_happened_in_every_market(box: pl.DataFrame, listed: pl.DataFrame):
    told = truth.happened(SEED).with_columns(
        pl.col("game_id").cast(pl.Int64).alias("game_pk"), pl.col("player_id").cast(pl.Int64).alias("player_id_mlbam")
    )
    mine = told.join(box.select("game_pk", "player_id_mlbam"), on=["game_pk", "player_id_mlbam"], how="semi")
    assert set(mine["market"]) == set(truth.MARKETS)
    settled = settle(mine.with_columns(line=pl.lit(0.5)), box, listed)
    decided = settled.filter(pl.col("reason").is_null())
    assert (decided["outcome"].cast(pl.Int64) == decided["value"]).all()
    assert ((decided["result"] == "over") == (decided["value"] > 0)).all()
    assert set(decided["market"]) == set(truth.MARKETS)
    # relievers do not start, and a runner who came late may not have batted
    assert set(settled["reason"].drop_nulls()) <= {"he did not start", "he did not bat"}
    assert len(decided) > 0.5 * len(settled)


def read(body: bytes | None) -> list[dict]:
    assert body is not None
    return pl.read_csv(io.BytesIO(body)).to_dicts()


@pytest.mark.parametrize("who", ["batter", "pitcher"])
def test_a_board_of_exit_velocity_is_what_each_mans_batted_balls_were(world: LeagueWorld, who: str):
    board = {
        row["player_id"]: row for row in read(world.leaderboard("/leaderboard/statcast", {"type": who, "year": "2025"}))
    }
    pitches = world.pitches(PitchAsk())
    by_man: dict[int, list[dict]] = {}
    turns: dict[int, int] = {}
    for row in pitches.iter_rows(named=True):
        turns[row[who]] = turns.get(row[who], 0) + (row["events"] is not None)
        if row["launch_speed"] is not None and row["bb_type"] is not None:
            by_man.setdefault(row[who], []).append(row)
    assert set(board) == set(by_man)
    for man in sorted(by_man)[::25]:
        balls, told = by_man[man], board[man]
        speeds = [ball["launch_speed"] for ball in balls]
        hard = sum(speed >= 95 for speed in speeds)
        barrels = sum(ball["launch_speed_angle"] == 6 for ball in balls)
        assert (told["attempts"], told["ev95plus"], told["barrels"]) == (len(balls), hard, barrels)
        assert told["avg_hit_speed"] == pytest.approx(fmean(speeds), abs=0.051)
        assert told["max_hit_speed"] == max(speeds)
        assert told["ev50"] == pytest.approx(fmean(s for s in speeds if s >= median(speeds)), abs=0.051)
        assert told["ev95percent"] == pytest.approx(100 * hard / len(balls), abs=0.051)
        assert told["brl_pa"] == pytest.approx(100 * barrels / turns[man], abs=0.051)
        sweet = sum(8 <= ball["launch_angle"] <= 32 for ball in balls)
        assert told["anglesweetspotpercent"] == pytest.approx(100 * sweet / len(balls), abs=0.051)


def test_expected_statistics_count_at_bats_by_the_rules(world: LeagueWorld):
    board = read(world.leaderboard("/leaderboard/expected_statistics", {"type": "batter", "year": "2025"}))
    ends = world.pitches(PitchAsk()).filter(pl.col("events").is_not_null(), pl.col("events") != "truncated_pa")
    hits = {"single": 1, "double": 2, "triple": 3, "home_run": 4}
    by_man: dict[int, list[str]] = {}
    for batter, event in ends.select("batter", "events").iter_rows():
        by_man.setdefault(batter, []).append(event)
    assert {row["player_id"] for row in board} == set(by_man)
    for row in board:
        events = by_man[row["player_id"]]
        at_bats = [e for e in events if e not in {"walk", "intent_walk", "hit_by_pitch", "sac_fly", "sac_bunt"}]
        assert row["pa"] == len(events)
        assert row["ba"] == pytest.approx(sum(e in hits for e in at_bats) / max(len(at_bats), 1), abs=0.00051)
        assert row["slg"] == pytest.approx(sum(hits.get(e, 0) for e in at_bats) / max(len(at_bats), 1), abs=0.00051)
        assert row["est_ba_minus_ba_diff"] == pytest.approx(row["est_ba"] - row["ba"], abs=0.00151)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/leaderboard/statcast", {"year": "2014"}),
        ("/leaderboard/statcast", {"year": "next"}),
        ("/leaderboard/nothing", {}),
    ],
)
def test_a_board_that_savant_does_not_have_is_none(world: LeagueWorld, path: str, query: dict[str, str]):
    assert world.leaderboard(path, query) is None


def test_of_a_season_that_was_not_played_a_board_lists_nobody(world: LeagueWorld):
    assert read(world.leaderboard("/leaderboard/statcast", {"year": "2019"})) == []
