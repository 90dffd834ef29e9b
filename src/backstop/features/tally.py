"""Counts a day of pitches into sufficient statistics: everything later adds these integers up.

The lake keeps them as `core_tallies` by game date, so that a walk through a season never reads pitches twice.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from backstop.errors import DataError
from backstop.features.outcomes import (
    BARREL,
    EVENT_OUTCOME,
    EVENT_OUTS,
    NO_PLATE_APPEARANCE,
    OUTCOMES,
    SWINGS,
    WHIFFS,
)

KEY: Final = ("game_pk", "batter_id_mlbam", "pitcher_id_mlbam", "stand", "times_through")
"""Key of a row of tallies."""

COUNTED_GAMES: Final = ("R",)
"""Regular season only: the league rates and the fitted numbers are the regular season's."""

LINEUP_PLACES: Final = 9

SCHEMA: Final[dict[str, pl.DataType]] = {
    "game_pk": pl.Int64(),
    "game_date": pl.Date(),
    "season": pl.Int16(),
    "home_team": pl.String(),
    "away_team": pl.String(),
    "is_home": pl.Boolean(),
    "batter_id_mlbam": pl.Int64(),
    "pitcher_id_mlbam": pl.Int64(),
    "stand": pl.String(),
    "p_throws": pl.String(),
    "times_through": pl.Int16(),
    "slot": pl.Int16(),
    "pitcher_started": pl.Boolean(),
    "plate_appearances": pl.Int32(),
    **{f"n_{outcome}": pl.Int32() for outcome in OUTCOMES},
    "outs_recorded": pl.Int32(),
    "pitches": pl.Int32(),
    "pitches_described": pl.Int32(),
    "swings": pl.Int32(),
    "whiffs": pl.Int32(),
    "batted_balls_measured": pl.Int32(),
    "barrels": pl.Int32(),
    "xba_balls": pl.Int32(),
    "xba_thousandths": pl.Int32(),
}
"""Columns of `core_tallies`. `is_home`: the batter's side; `slot`: 1-9 for the first nine batters of a side, else 0."""


def tally(pitches: pl.LazyFrame | pl.DataFrame) -> pl.DataFrame:
    """Count pitches into one row per game, batter, pitcher, side batted and time through the order.

    Needs whole games of PITCHES rows: the line-up is the first nine distinct batters of a side, the starter the first
    pitcher. Nulls in the Statcast columns are not counted: `pitches_described`, `batted_balls_measured` and `xba_balls`
    say how many there were to count. All counts are integers, so sums do not depend on their order.

    Returns:
        Columns of `SCHEMA`, sorted by `game_date` and `KEY`.

    Raises:
        DataError: an event is neither a plate appearance nor known not to be one.
    """
    turns = _turns(pitches.lazy()).collect()
    _refuse_unknown_events(turns["events"])
    counted = _with_outs(_with_order(turns.lazy())).with_columns(_outcome_counts()).group_by(KEY)
    constant = ["game_date", "season", "home_team", "away_team", "is_home", "p_throws", "slot", "pitcher_started"]
    sums = [name for name, dtype in SCHEMA.items() if dtype == pl.Int32()]
    frame = counted.agg(pl.col(constant).first(), pl.col(sums).sum())
    return frame.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()).sort("game_date", *KEY).collect()


def _turns(pitches: pl.LazyFrame) -> pl.LazyFrame:
    """One row per turn at bat, in order: who was at the plate at its last pitch, its event, its pitch counts."""
    swung = pl.col("description").is_in(list(SWINGS))
    missed = pl.col("description").is_in(list(WHIFFS))
    in_play = pl.col("bb_type").is_not_null()
    last = ["game_date", "home_team", "away_team", "batter_id_mlbam", "pitcher_id_mlbam", "stand", "p_throws"]
    last += ["inning", "inning_topbot", "events", "post_home_score", "post_away_score"]
    return (
        pitches.filter(pl.col("game_type").is_in(COUNTED_GAMES))
        .sort("game_pk", "at_bat_number", "pitch_number")
        .group_by("game_pk", "at_bat_number", maintain_order=True)
        .agg(
            pl.col(last).last(),
            pl.len().alias("pitches"),
            pl.col("description").count().alias("pitches_described"),
            swung.sum().alias("swings"),
            missed.sum().alias("whiffs"),
            (in_play & pl.col("launch_speed_angle").is_not_null()).sum().alias("batted_balls_measured"),
            (in_play & (pl.col("launch_speed_angle") == BARREL)).sum().alias("barrels"),
            (in_play & pl.col("xba").is_not_null()).sum().alias("xba_balls"),
            (pl.col("xba").filter(in_play) * 1000).round().sum().alias("xba_thousandths"),
        )
        .with_columns(
            is_home=pl.col("inning_topbot") == "Bot",
            season=pl.col("game_date").dt.year().cast(pl.Int16),
        )
    )


def _refuse_unknown_events(events: pl.Series) -> None:
    known = set(EVENT_OUTCOME) | NO_PLATE_APPEARANCE
    unknown = sorted(set(events.drop_nulls().unique()) - known)
    if unknown:
        raise DataError(
            f"The pitches hold the event {unknown[0]!r}, which is not in the vocabulary of {len(known)} events; decide "
            "in features.outcomes whether it is a plate appearance, then tally the day again.",
            source="core_pitches",
        )


def _with_order(turns: pl.LazyFrame) -> pl.LazyFrame:
    """Add the batter's slot, whether the pitcher started, and the time through the order."""
    side = ["game_pk", "is_home"]
    counts = pl.col("events").is_in(list(EVENT_OUTCOME)).fill_null(value=False)
    first = pl.col("at_bat_number").min().over([*side, "batter_id_mlbam"])
    return (
        turns.with_columns(plate_appearances=counts.cast(pl.Int32), first_turn=first)
        .with_columns(
            place=pl.col("first_turn").rank("dense").over(side),
            pitcher_started=pl.col("pitcher_id_mlbam") == pl.col("pitcher_id_mlbam").first().over(side),
            times_through=pl.col("at_bat_number").cum_count().over(["game_pk", "batter_id_mlbam", "pitcher_id_mlbam"]),
        )
        .with_columns(slot=pl.when(pl.col("place") <= LINEUP_PLACES).then(pl.col("place")).otherwise(0))
    )


def _with_outs(turns: pl.LazyFrame) -> pl.LazyFrame:
    """Add outs: those of the event, and what an inning that ended lacks to three (runners put out) on its last turn.

    The last half inning of a game that the home team won in it may have fewer than three; nothing is added there.
    """
    half = ["game_pk", "inning", "is_home"]
    event_outs = pl.col("events").replace_strict(EVENT_OUTS, default=0, return_dtype=pl.Int32)
    last_in_half = pl.col("at_bat_number") == pl.col("at_bat_number").max().over(half)
    ends_game = pl.col("at_bat_number") == pl.col("at_bat_number").max().over("game_pk")
    walk_off = ends_game & pl.col("is_home") & (pl.col("post_home_score") > pl.col("post_away_score"))
    lacking = (3 - pl.col("outs_recorded").sum().over(half)).clip(0, 3)
    return turns.with_columns(outs_recorded=event_outs).with_columns(
        outs_recorded=pl.col("outs_recorded")
        + pl.when(last_in_half & walk_off.not_().fill_null(value=True)).then(lacking).otherwise(0)
    )


def _outcome_counts() -> list[pl.Expr]:
    """Return one count per outcome class."""
    outcome = pl.col("events").replace_strict(EVENT_OUTCOME, default=None, return_dtype=pl.String)
    return [(outcome == name).fill_null(value=False).cast(pl.Int32).alias(f"n_{name}") for name in OUTCOMES]
