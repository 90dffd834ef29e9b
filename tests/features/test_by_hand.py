"""Every column of the features against the formulas worked out slowly on four small seasons."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import polars as pl
import pytest

from backstop.features.build import SCHEMA, build
from backstop.features.outcomes import OUTCOMES
from backstop.features.parameters import Parameters, default
from backstop.features.tally import tally
from tests.features.by_hand import BASES, ON_BASE, Past, turns_of
from tests.features.season import batter, pitcher, pitches, relief, slate

DAYS = 5
CUTOFF = dt.date(2025, 4, 1) + dt.timedelta(days=DAYS)
SEASONS = (2021, 2022, 2023, 2024, 2025)
"""The first is too long ago to count."""

NEW, FROM_RELIEF = 7, relief(1)
"""A batter whom nobody has seen, and a pitcher who starts for the first time after much relief."""

DESCRIBED = ("swinging_strike", "foul", "foul_tip", "called_strike", "hit_into_play", "ball", None)


def lake() -> pl.DataFrame:
    """Five seasons; of 2024 a day counts twice, as a doubleheader; balls in play are measured, mostly."""
    random = np.random.default_rng(6)
    years = []
    for year in SEASONS:
        played = pitches(DAYS, seed=year, first=dt.date(year, 4, 1))
        if year == 2024:
            again = played.filter(pl.col("game_date") == played["game_date"].max())
            played = pl.concat([played, again.with_columns(pl.col("game_pk") + 500)])
        years.append(played.with_columns(pl.col("game_pk") + 10_000 * (year - 2020)))
    frame = pl.concat(years)
    size = len(frame)
    return frame.with_columns(
        description=pl.Series(random.choice(np.array(DESCRIBED, dtype=object), size).tolist(), dtype=pl.String),
        launch_speed_angle=pl.Series([int(q) if q else None for q in random.integers(0, 7, size)], dtype=frame.schema["launch_speed_angle"]),
        xba=pl.Series([x if x < 0.8 else None for x in random.random(size).round(3).tolist()], dtype=frame.schema["xba"]),
        # two hitters take either side
        stand=pl.when(pl.col("batter_id_mlbam").is_in([batter(0, 1), batter(1, 4)]))
        .then(pl.when(pl.col("p_throws") == "L").then(pl.lit("R")).otherwise(pl.lit("L")))
        .otherwise("stand"),
    )  # fmt: skip


@pytest.fixture(scope="module")
def played() -> pl.DataFrame:
    return lake()


@pytest.fixture(scope="module")
def fit() -> Parameters:
    """The shipped numbers, with bounds of experience that small seasons reach."""
    return default().model_copy(update={"starter_experience": (20.0, 60.0, 90.0)})


@pytest.fixture(scope="module")
def past(played: pl.DataFrame, fit: Parameters) -> Past:
    return Past(turns_of(played.iter_rows(named=True)), CUTOFF.year, fit)


@pytest.fixture(scope="module")
def features(played: pl.DataFrame, fit: Parameters) -> pl.DataFrame:
    games, players = slate(DAYS, first=dt.date(2025, 4, 1))
    players = players.with_columns(
        pl.col("player_id_mlbam").replace({batter(0, 9): NEW, pitcher(1, DAYS): FROM_RELIEF})
    )
    games = games.with_columns(
        pl.col("home_starter_id_mlbam", "away_starter_id_mlbam").replace({pitcher(1, DAYS): FROM_RELIEF})
    )
    return build(tally(played), games, players, cutoff=CUTOFF, parameters=fit)


def rows(features: pl.DataFrame, role: str) -> list[dict[str, Any]]:
    return features.filter(role=role).sort("game_pk", "is_home", "slot").to_dicts()


def eight(row: dict[str, Any], prefix: str) -> list[float]:
    return [row[f"{prefix}_{outcome}"] for outcome in OUTCOMES]


def order(features: pl.DataFrame, game: int, *, home: bool) -> list[dict[str, Any]]:
    return features.filter(role="batter", game_pk=game, is_home=home).sort("slot").to_dicts()


def test_own_rates_are_shrunken_counts_of_four_seasons(features: pl.DataFrame, past: Past):
    for row in rows(features, "batter"):
        assert eight(row, "rate") == pytest.approx(past.batter(row["player_id_mlbam"], row["slot"]), rel=1e-9)
    for row in rows(features, "starter"):
        assert eight(row, "rate") == pytest.approx(past.pitcher(row["player_id_mlbam"]), rel=1e-9)


def test_a_match_up_puts_both_sides_hands_park_and_home_together(features: pl.DataFrame, past: Past):
    for row in rows(features, "batter")[::4]:
        own = past.batter(row["player_id_mlbam"], row["slot"])
        arm = row["opposing_starter_id_mlbam"]
        unseen = row["player_id_mlbam"] == NEW
        hands = [1.0] * len(OUTCOMES) if unseen else past.platoon(row["player_id_mlbam"], arm)
        assert eight(row, "vs_starter") == pytest.approx(past.against(own, past.pitcher(arm), row, hands), rel=1e-9)
        assert eight(row, "vs_relief") == pytest.approx(past.against(own, past.relief(row["opponent"]), row), rel=1e-9)


def test_a_starters_list_of_nine_is_what_each_place_does_against_him(features: pl.DataFrame):
    for row in rows(features, "starter"):
        nine = order(features, row["game_pk"], home=not row["is_home"])
        for name, outcomes in (("strikeout", (0,)), ("walk", (1,)), ("hit", tuple(BASES)), ("home_run", (6,))):
            expected = [sum(eight(one, "vs_starter")[o] for o in outcomes) for one in nine]
            assert row[f"lineup_{name}"] == pytest.approx(expected, rel=1e-12)


def test_neighbours_are_the_three_before_and_the_three_behind(features: pl.DataFrame):
    for game, home in {(row["game_pk"], row["is_home"]) for row in rows(features, "batter")}:
        nine = order(features, game, home=home)
        on_base = [sum(eight(one, "vs_starter")[o] for o in ON_BASE) for one in nine]
        bases = [sum(eight(one, "vs_starter")[o] * worth for o, worth in BASES.items()) for one in nine]
        for place, row in enumerate(nine):
            assert row["ahead_on_base"] == pytest.approx(sum(on_base[place - n] for n in (1, 2, 3)) / 3)
            assert row["behind_bases"] == pytest.approx(sum(bases[(place + n) % 9] for n in (1, 2, 3)) / 3)


def test_a_line_up_is_measured_against_the_league(features: pl.DataFrame, past: Past):
    league = sum(past.league[o] for o in ON_BASE)
    for row in features.to_dicts():
        nine = order(features, row["game_pk"], home=row["is_home"] == (row["role"] == "batter"))
        mean = sum(sum(eight(one, "rate")[o] for o in ON_BASE) for one in nine) / 9
        assert row["lineup_on_base"] == pytest.approx(mean - league, abs=1e-12)


def test_turns_at_bat_follow_place_side_and_the_season(features: pl.DataFrame, past: Past):
    for row in rows(features, "batter"):
        found = [row[f"turns_at_least_{n}"] for n in range(1, 8)]
        assert found == pytest.approx(past.reach(row["slot"], row["is_home"]), rel=1e-9)


def test_a_starters_work_is_his_recent_starts_and_what_moves_them(features: pl.DataFrame, past: Past):
    for row in rows(features, "starter"):
        who = row["player_id_mlbam"]
        starts, terms = past.starts(who), past.fit.workload
        share, rest = past.relief_share(who), (CUTOFF - starts[-1][0]).days if starts else None
        mean = past.workload(who, 1) + terms.level + terms.home * row["is_home"]
        mean += terms.lineup_on_base * row["lineup_on_base"]
        mean += terms.short_rest * (rest is not None and rest < 5)
        # five days into the season a long rest is the winter
        mean += terms.opening * (rest is not None and rest > 12)
        mean += share / (1 + len(starts)) * terms.relief_few if starts else 0
        mean += 0 if starts else terms.debut if share is None else terms.first_from_relief
        assert (row["starts"], row["days_rest"]) == (min(len(starts), 40), rest)
        assert row["relief_share"] == pytest.approx(share)
        assert row["outs_mean"] == pytest.approx(past.workload(who, 2))
        assert row["batters_faced_mean"] == pytest.approx(max(mean, 1.0))
        assert row["batters_faced_pmf"] == pytest.approx(past.faced(row["batters_faced_mean"]), abs=1e-12)


def test_a_turn_is_the_starters_where_he_faces_so_many(features: pl.DataFrame):
    arms = {row["player_id_mlbam"]: row["batters_faced_pmf"] for row in rows(features, "starter")}
    for row in rows(features, "batter"):
        pmf = arms[row["opposing_starter_id_mlbam"]]
        shares = [sum(pmf[9 * (k - 1) + row["slot"] :]) for k in range(1, 8)]
        assert [row[f"starter_share_{k}"] for k in range(1, 8)] == pytest.approx(shares, abs=1e-12)


def test_what_was_seen_and_measured_is_counted(features: pl.DataFrame, past: Past):
    for row in features.to_dicts():
        role = "batter" if row["role"] == "batter" else "pitcher"
        mine = past.where(**{role: row["player_id_mlbam"]})
        seen = past.statcast(mine)
        assert row["history_pa"] == len(mine)
        assert row["recent_pa"] == sum(turn["season"] >= 2024 for turn in mine)
        assert row["prior_only"] == (not mine)
        assert row["as_of"] == CUTOFF - dt.timedelta(days=1)
        assert row["whiff_rate"] == (pytest.approx(seen.whiffs / seen.swings) if seen.swings else None)
        assert row["swinging_strike_rate"] == (pytest.approx(seen.whiffs / seen.pitches) if seen.pitches else None)
        if role == "batter":
            assert row["barrel_rate"] == (pytest.approx(seen.barrels / seen.measured) if seen.measured else None)
            assert row["xba"] == (pytest.approx(sum(seen.xba) / len(seen.xba)) if seen.xba else None)


def test_nothing_but_steals_was_left_out(features: pl.DataFrame):
    batters = {"ahead_on_base", "behind_bases", "slot", "opposing_starter_id_mlbam", "barrel_rate", "xba"}
    batters |= {name for name in SCHEMA if name.startswith(("vs_", "turns_", "starter_share_"))}
    starters = {"batters_faced_mean", "batters_faced_pmf", "outs_mean", "starts", "relief_share", "days_rest"}
    starters |= {name for name in SCHEMA if name.startswith("lineup_")} - {"lineup_on_base"}
    steals = {"steals_shape", "steals_pa"}
    for role, others in (("batter", starters), ("starter", batters)):
        mine = features.filter(role=role)
        assert {name for name in SCHEMA if mine[name].null_count() == len(mine)} == others | steals
