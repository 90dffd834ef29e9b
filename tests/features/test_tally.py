from __future__ import annotations

import polars as pl
import pytest

from backstop.errors import DataError
from backstop.features.outcomes import OUTCOMES
from backstop.features.tally import KEY, SCHEMA, tally
from backstop.tables import PITCHES


def test_a_tally_counts_every_plate_appearance_once(played, tallies):
    assert tallies["plate_appearances"].sum() == played.height
    assert tallies.select(pl.sum_horizontal(f"n_{o}" for o in OUTCOMES).sum()).item() == played.height


def test_the_key_of_a_tally_is_unique_and_its_columns_are_the_schema(tallies):
    assert dict(tallies.schema) == SCHEMA
    assert not tallies.select(KEY).is_duplicated().any()


def test_the_first_nine_batters_of_a_side_hold_its_slots(tallies):
    slots = tallies.group_by("game_pk", "is_home").agg(pl.col("slot").unique().sort())
    assert slots["slot"].to_list() == [list(range(1, 10))] * slots.height
    assert (tallies["slot"] == tallies["batter_id_mlbam"] % 100).all()


def test_the_first_pitcher_of_a_side_started(tallies):
    assert (tallies["pitcher_started"] == (tallies["pitcher_id_mlbam"] % 100 != 50)).all()


def test_a_whole_history_equals_the_days_counted_one_by_one(played, tallies):
    days = [tally(day) for _, day in played.group_by("game_date", maintain_order=True)]
    assert pl.concat(days).sort("game_date", *KEY).equals(tallies)


def test_an_inning_that_ended_has_three_outs(played):
    inning = played.filter((pl.col("game_pk") == 1) & (pl.col("inning") == 1) & (pl.col("inning_topbot") == "Top"))
    counted = tally(inning.with_columns(events=pl.lit("single")))
    assert counted["outs_recorded"].sum() == 3


def test_no_outs_are_added_to_a_game_that_the_home_team_won_in_its_last_turn(played):
    inning = played.filter((pl.col("game_pk") == 1) & (pl.col("inning") == 9) & (pl.col("inning_topbot") == "Bot"))
    won = inning.with_columns(events=pl.lit("single"), post_home_score=pl.lit(9, pl.Int16))
    assert tally(won)["outs_recorded"].sum() == 0


def test_a_truncated_turn_is_no_plate_appearance(played):
    turned = played.with_columns(
        events=pl.when(pl.col("at_bat_number") == 3).then(pl.lit("truncated_pa")).otherwise("events")
    )
    games = played["game_pk"].n_unique()
    assert tally(turned)["plate_appearances"].sum() == played.height - games


def test_an_event_outside_the_vocabulary_stops_the_day(played):
    with pytest.raises(DataError, match="'moon_landing'"):
        tally(played.head(5).with_columns(events=pl.lit("moon_landing")))


def test_spring_training_is_not_counted(played):
    assert tally(played.with_columns(game_type=pl.lit("S"))).is_empty()


def test_no_pitches_give_no_rows():
    assert dict(tally(PITCHES.empty()).schema) == SCHEMA


def test_missing_descriptions_are_not_counted_as_swings(played):
    assert tally(played)["pitches_described"].sum() == 0
    described = tally(played.with_columns(description=pl.lit("swinging_strike")))
    assert (
        described["whiffs"].sum() == described["swings"].sum() == described["pitches_described"].sum() == played.height
    )


@pytest.mark.realdata
def test_the_season_2024_reproduces_the_official_totals(realdata):
    recorded = pl.scan_parquet(realdata / "savant" / "pitches" / "statcast_2024_all_pitches_21cols.parquet")
    known = set(recorded.collect_schema().names())
    columns = [
        pl.col(c.upstream or c.name).cast(c.dtype).alias(c.name)
        if (c.upstream or c.name) in known
        else pl.lit(None, dtype=c.dtype).alias(c.name)
        for c in PITCHES.columns
    ]
    total = tally(recorded.select(columns)).sum()
    official = {
        "n_double": 7771,
        "n_triple": 697,
        "n_home_run": 5453,
        "n_walk": 14929,
        "n_strikeout": 41197,
        "n_hbp": 2020,
    }
    assert total.select(*official).row(0, named=True) == official
    assert total["plate_appearances"].item() == 182_449
