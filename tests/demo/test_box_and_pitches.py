"""A game's box score, its pitches, its plays and its score are four tellings of the same game."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import polars as pl
import pytest

from backstop.demo.league.counts import CALLS
from backstop.demo.league.world import LeagueWorld
from backstop.demo.world import Appearance, Game, PitchAsk

DAYS = (dt.date(2025, 4, 12), dt.date(2025, 4, 26))
"""Each with a doubleheader: one made up after rain, one split."""

BASES = {"single": 1, "double": 2, "triple": 3, "home_run": 4}
NO_AT_BAT = {"walk", "intent_walk", "hit_by_pitch", "sac_fly", "sac_bunt"}
STRIKES = {"called_strike", "swinging_strike", "swinging_strike_blocked", "foul_tip", "automatic_strike"}


@pytest.fixture(scope="module", params=[4, 77])
def world(request: pytest.FixtureRequest) -> LeagueWorld:
    return LeagueWorld(request.param, now=dt.datetime(2025, 4, 28, 12, tzinfo=dt.UTC))


@pytest.fixture(scope="module")
def games(world: LeagueWorld) -> list[Game]:
    return [game for day in DAYS for game in world.games(day, day) if game.status == "Final"]


@pytest.fixture(scope="module")
def pitches(world: LeagueWorld) -> pl.DataFrame:
    frames = [world.pitches(PitchAsk(first=day, last=day)) for day in DAYS]
    return pl.concat(frames).sort("game_pk", "at_bat_number", "pitch_number")


def counted(pitches: pl.DataFrame) -> dict[tuple[int, str, int], Counter[str]]:
    """By game, role and player what the pitches tell of plate appearances, row by row."""
    found: dict[tuple[int, str, int], Counter[str]] = defaultdict(Counter)
    ends = pitches.filter(pl.col("events").is_not_null(), pl.col("events") != "truncated_pa")
    for pk, batter, pitcher, event in ends.select("game_pk", "batter", "pitcher", "events").iter_rows():
        walk = event in {"walk", "intent_walk"}
        common = {
            "hits": event in BASES, "doubles": event == "double", "triples": event == "triple",
            "homeRuns": event == "home_run", "baseOnBalls": walk, "intentionalWalks": event == "intent_walk",
            "strikeOuts": event == "strikeout", "hitByPitch": event == "hit_by_pitch", "atBats": event not in NO_AT_BAT,
        }  # fmt: skip
        own = {"plateAppearances": 1, "totalBases": BASES.get(event, 0), "sacFlies": event == "sac_fly"}
        found[pk, "batting", batter].update({k: int(v) for k, v in (common | own).items()})
        found[pk, "pitching", pitcher].update({k: int(v) for k, v in (common | {"battersFaced": 1}).items()})
    return found


def test_every_line_of_every_box_score_is_what_the_pitches_add_up_to(world, games, pitches):
    told = counted(pitches)
    seen = set()
    for game in games:
        for row in world.appearances(game.game_pk):
            for role, counts in (("batting", row.batting), ("pitching", row.pitching)):
                key = (game.game_pk, role, row.player_id)
                if counts:
                    assert {name: counts[name] for name in told[key]} == dict(told[key]), key
                    seen.add(key)
                else:
                    assert not told.get(key)
    assert set(told) <= seen
    assert len(games) == len({game.game_pk for game in games}) > 28


def test_a_score_is_the_sum_of_its_runs_however_it_is_asked(world, games, pitches):
    last = {
        pk: (home, away)
        for pk, home, away in pitches.group_by("game_pk")
        .agg(pl.col("post_home_score", "post_away_score").max())
        .iter_rows()
    }
    for game in games:
        rows, plays = world.appearances(game.game_pk), world.plays_of_game(game.game_pk)
        for side, is_home in ((game.home, True), (game.away, False)):
            mine = [row for row in rows if row.is_home == is_home]
            other = [row for row in rows if row.is_home != is_home]
            of_plays = [play.home_score if is_home else play.away_score for play in plays]
            assert of_plays == sorted(of_plays)
            told = {
                side.score, of_plays[-1], last[game.game_pk][0 if is_home else 1],
                sum(row.batting.get("runs", 0) for row in mine), sum(row.pitching.get("runs", 0) for row in other),
            }  # fmt: skip
            assert len(told) == 1, (game.game_pk, is_home, told)
            assert sum(row.batting.get("rbi", 0) for row in mine) <= side.score
            assert sum(row.pitching.get("earnedRuns", 0) for row in other) <= side.score
        assert game.home.score != game.away.score


def lines(rows: list[Appearance], *, is_home: bool, part: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for row in rows:
        if row.is_home == is_home:
            total.update({k: v for k, v in getattr(row, part).items() if isinstance(v, int)})
    return total


def test_a_box_score_proves_itself(world, games):
    """AB + BB + HBP + sacrifices = runs + left on base + the other side's put-outs, give or take the placed runners."""
    for game in games:
        rows = world.appearances(game.game_pk)
        innings = max(play.inning for play in world.plays_of_game(game.game_pk))
        for is_home in (True, False):
            bat, arms = lines(rows, is_home=is_home, part="batting"), lines(rows, is_home=not is_home, part="pitching")
            came_up = bat["atBats"] + bat["baseOnBalls"] + bat["hitByPitch"] + bat["sacFlies"] + bat["sacBunts"]
            assert came_up == bat["plateAppearances"] == arms["battersFaced"]
            left = came_up + max(0, innings - 9) - bat["runs"] - arms["outs"]
            assert 0 <= left <= 3 * innings + 1
            assert bat["totalBases"] == bat["hits"] + bat["doubles"] + 2 * bat["triples"] + 3 * bat["homeRuns"]
            assert arms["gamesStarted"] == 1
            assert arms["outs"] >= 24
            assert all(row.pitching["inningsPitched"] == f"{row.pitching['outs'] // 3}.{row.pitching['outs'] % 3}"
                       for row in rows if row.pitching)  # fmt: skip


def test_orders_name_nine_who_start_and_whoever_came_for_them(world, games):
    for game in games:
        for is_home, side in ((True, game.home), (False, game.away)):
            mine = [row for row in world.appearances(game.game_pk) if row.is_home == is_home]
            orders = {row.order: row for row in mine if row.order is not None}
            assert [orders[100 * place].player_id for place in range(1, 10)] == list(side.lineup)
            assert all(order % 100 in {0, 1} for order in orders)
            assert all(row.batting for order, row in orders.items() if order % 100)
            assert {row.player_id for row in mine if row.batting} <= {row.player_id for row in orders.values()}
            assert next(row for row in mine if row.pitching).player_id == side.starter


def test_counts_follow_the_calls_pitch_by_pitch(pitches):
    """The count before a pitch is what the calls before it made of it; a fourth ball or a third strike ends the turn."""
    columns = ("game_pk", "at_bat_number", "pitch_number", "balls", "strikes", "description", "events", "type")
    turns: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for row in pitches.select(columns).iter_rows(named=True):
        assert row["description"] in CALLS
        turns[row["game_pk"], row["at_bat_number"]].append(row)
    for thrown in turns.values():
        balls = strikes = 0
        assert [row["pitch_number"] for row in thrown] == list(range(1, len(thrown) + 1))
        for row, following in pairwise([*thrown, None]):
            assert (row["balls"], row["strikes"]) == (balls, strikes)
            assert (row["events"] is None) == (following is not None)
            call = row["description"]
            balls += call in {"ball", "blocked_ball", "automatic_ball"}
            strikes += call in STRIKES or (call == "foul" and strikes < 2)
            assert row["type"] == ("X" if call == "hit_into_play" else "S" if call in STRIKES | {"foul"} else "B"), call
        event = thrown[-1]["events"]
        assert (strikes == 3) == (event == "strikeout")
        assert (balls == 4) == (event in {"walk", "intent_walk"})
        ended_by = {"hit_by_pitch": "hit_by_pitch"}.get(event, "hit_into_play")
        if event not in {"strikeout", "walk", "intent_walk", "truncated_pa"}:
            assert thrown[-1]["description"] == ended_by


def test_runners_and_outs_change_within_a_turn_only_where_somebody_stole(pitches):
    columns = ("game_pk", "at_bat_number", "pitch_number", "on_1b", "on_2b", "on_3b", "outs_when_up")
    for before, row in pairwise(pitches.select(columns).iter_rows(named=True)):
        if (before["game_pk"], before["at_bat_number"]) != (row["game_pk"], row["at_bat_number"]):
            continue
        bases = [(before[name], row[name]) for name in ("on_1b", "on_2b", "on_3b")]
        if all(was == now for was, now in bases):
            assert row["outs_when_up"] == before["outs_when_up"]
            continue
        (first, gone), (empty, second), (third, still) = bases
        assert row["pitch_number"] == 2
        assert (gone, empty, third) == (None, None, still)
        assert first is not None
        caught = second is None
        assert second in {first, None}
        assert row["outs_when_up"] == before["outs_when_up"] + caught
