from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop.errors import DataError
from backstop.features import asof
from backstop.features.build import SCHEMA, absences, build, from_sums
from backstop.features.outcomes import OUTCOMES
from backstop.features.sums import add_up
from backstop.features.tally import tally
from tests.features.season import FIRST, batter, pitcher, pitches, slate

DAY = 15
CUTOFF = FIRST + dt.timedelta(days=DAY)


@pytest.fixture(scope="module")
def features(tallies):
    games, players = slate(DAY)
    return build(asof.history(tallies.lazy(), CUTOFF), games, players, cutoff=CUTOFF)


def test_every_named_batter_and_starter_has_one_row(features):
    assert features.group_by("role").len().sort("role").rows() == [("batter", 36), ("starter", 4)]
    assert not features.select("game_pk", "player_id_mlbam", "role").is_duplicated().any()
    assert dict(features.schema) == SCHEMA


def test_rates_and_match_ups_are_distributions(features):
    for prefix, rows in (("rate", features), ("vs_starter", features.filter(role="batter"))):
        total = rows.select(pl.sum_horizontal(f"{prefix}_{o}" for o in OUTCOMES)).to_series()
        assert ((total - 1).abs() < 1e-12).all()


def test_chances_of_another_plate_appearance_fall(features):
    reach = features.filter(role="batter").select(f"turns_at_least_{n}" for n in range(1, 8)).to_numpy()
    assert (reach[:, :-1] >= reach[:, 1:]).all()
    assert (reach[:, 0] == 1).all()


def test_the_distribution_of_batters_faced_sums_to_one_around_its_mean(features):
    for row in features.filter(role="starter").iter_rows(named=True):
        assert sum(row["batters_faced_pmf"]) == pytest.approx(1)
        mean = sum(b * p for b, p in enumerate(row["batters_faced_pmf"]))
        assert mean == pytest.approx(row["batters_faced_mean"], abs=1.0)


def test_features_say_until_when_they_saw(features):
    assert features["as_of"].unique().to_list() == [CUTOFF - dt.timedelta(days=1)]


def test_history_that_reaches_the_cutoff_is_refused(tallies):
    games, players = slate(DAY)
    with pytest.raises(DataError, match="nobody knew before the games"):
        build(tallies, games, players, cutoff=CUTOFF)


def test_what_happens_later_changes_no_bit(tallies, features):
    games, players = slate(DAY)
    truncated = tallies.filter(pl.col("game_date") < CUTOFF)
    assert build(truncated, games, players, cutoff=CUTOFF).equals(features)


def test_adding_day_by_day_gives_the_same_bits_as_adding_all_at_once(tallies, features):
    games, players = slate(DAY)
    sums = None
    for _, day in tallies.filter(pl.col("game_date") < CUTOFF).group_by("game_date", maintain_order=True):
        sums = add_up(day) if sums is None else sums.plus(add_up(day))
    assert from_sums(sums, games, players, cutoff=CUTOFF).equals(features)


def test_a_player_without_history_gets_the_prior_and_says_so(tallies):
    games, players = slate(DAY)
    stranger = players.with_columns(
        player_id_mlbam=pl.when(pl.col("player_id_mlbam") == batter(0, 4)).then(99).otherwise("player_id_mlbam")
    )
    rows = build(tallies.filter(pl.col("game_date") < CUTOFF), games, stranger, cutoff=CUTOFF)
    new = rows.filter(player_id_mlbam=99).row(0, named=True)
    assert new["prior_only"]
    assert new["history_pa"] == 0
    assert 0.1 < new["rate_strikeout"] < 0.4


def reasons(tallies, games, players):
    return absences(tallies.filter(pl.col("game_date") < CUTOFF), games, players, cutoff=CUTOFF)["reason"].to_list()


def test_a_line_up_with_eight_names_leaves_the_opposing_starter_out_with_the_reason(tallies):
    games, players = slate(DAY)
    eight = players.filter(pl.col("player_id_mlbam") != batter(0, 4))
    assert reasons(tallies, games, eight) == ["the line-up of AAA has 8 names, not 9"]
    rows = build(tallies.filter(pl.col("game_date") < CUTOFF), games, eight, cutoff=CUTOFF)
    assert rows.group_by("role").len().sort("role").rows() == [("batter", 35), ("starter", 3)]


def test_two_players_in_one_place_are_both_left_out(tallies):
    games, players = slate(DAY)
    twice = players.with_columns(slot=pl.when(pl.col("player_id_mlbam") == batter(0, 4)).then(5).otherwise("slot"))
    found = reasons(tallies, games, twice)
    assert found.count("two players hold place 5 in the batting order of AAA") == 2
    assert "the line-up of AAA has 7 names, not 9" in found


def test_without_a_named_starter_the_other_side_cannot_be_projected(tallies):
    games, players = slate(DAY)
    nobody = players.filter(pl.col("player_id_mlbam") != pitcher(0, DAY))
    unnamed = games.with_columns(home_starter_id_mlbam=pl.lit(None, pl.Int64))
    found = reasons(tallies, unnamed, nobody)
    assert found.count("no starting pitcher of AAA is named") == 9
    assert "no single starting pitcher of AAA is named" in found


def test_the_schedule_names_the_starter_when_the_line_up_does_not(tallies):
    games, players = slate(DAY)
    nobody = players.filter(pl.col("player_id_mlbam") != pitcher(0, DAY))
    assert reasons(tallies, games, nobody) == []


def test_a_postponed_game_is_not_projected(tallies):
    games, players = slate(DAY)
    off = games.with_columns(status=pl.lit("Postponed"))
    assert set(reasons(tallies, off, players)) == {"the game is postponed"}
    assert build(tallies.filter(pl.col("game_date") < CUTOFF), off, players, cutoff=CUTOFF).is_empty()


def test_without_any_history_everybody_is_absent(tallies):
    games, players = slate(0)
    found = absences(tallies.clear(), games, players, cutoff=FIRST)
    assert found.height == 40
    assert set(found["reason"]) == {"the lake holds no game before the cutoff"}


def test_a_day_without_games_has_no_features(tallies):
    games, players = slate(DAY)
    assert build(tallies.filter(pl.col("game_date") < CUTOFF), games.clear(), players.clear(), cutoff=CUTOFF).is_empty()


def test_the_first_day_of_a_season_uses_the_season_before(tallies):
    games, players = slate(0, first=dt.date(2025, 4, 1))
    rows = build(tallies, games, players, cutoff=dt.date(2025, 4, 1))
    assert rows.height == 40
    assert not rows["prior_only"].any()


def test_a_history_of_one_day_that_lacks_a_whole_outcome_gives_no_nan():
    games, players = slate(1)
    played = pitches(1).with_columns(
        events=pl.when(pl.col("events").is_in(["triple", "home_run", "hit_by_pitch"]))
        .then(pl.lit("field_out"))
        .otherwise("events")
    )
    rows = build(tally(played), games, players, cutoff=FIRST + dt.timedelta(days=1))
    floats = rows.select(pl.selectors.float())
    assert not floats.select(pl.all().is_nan().any()).row(0).count(True)
    assert (rows["rate_home_run"] > 0).all()
