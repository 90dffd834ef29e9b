"""One row per player and game of a slate, as of the cutoff: what the model knows before the first pitch."""

from __future__ import annotations

import datetime as dt
from typing import Final

import polars as pl

from backstop.features import asof, steals
from backstop.features.lineups import place
from backstop.features.matchup import batter_rows, starter_rows
from backstop.features.model import Model
from backstop.features.outcomes import OUTCOMES
from backstop.features.parameters import Parameters, default
from backstop.features.sums import Sums, add_up

F64 = pl.Float64()

SCHEMA: Final[dict[str, pl.DataType]] = {
    "game_pk": pl.Int64(),
    "game_date": pl.Date(),
    "player_id_mlbam": pl.Int64(),
    "role": pl.String(),
    "player_name": pl.String(),
    "team": pl.String(),
    "opponent": pl.String(),
    "home_team": pl.String(),
    "is_home": pl.Boolean(),
    "slot": pl.Int16(),
    "opposing_starter_id_mlbam": pl.Int64(),
    "as_of": pl.Date(),
    "history_pa": pl.Int64(),
    "recent_pa": pl.Int64(),
    "prior_only": pl.Boolean(),
    "lineup_on_base": F64,
    "ahead_on_base": F64,
    "behind_bases": F64,
    **{f"rate_{outcome}": F64 for outcome in OUTCOMES},
    **{f"vs_starter_{outcome}": F64 for outcome in OUTCOMES},
    **{f"vs_relief_{outcome}": F64 for outcome in OUTCOMES},
    **{f"turns_at_least_{n}": F64 for n in range(1, 8)},
    **{f"starter_share_{n}": F64 for n in range(1, 8)},
    "batters_faced_mean": F64,
    "batters_faced_pmf": pl.List(F64),
    "lineup_strikeout": pl.List(F64),
    "lineup_walk": pl.List(F64),
    "lineup_hit": pl.List(F64),
    "lineup_home_run": pl.List(F64),
    "outs_mean": F64,
    "starts": pl.Int64(),
    "relief_share": F64,
    "days_rest": pl.Int32(),
    "whiff_rate": F64,
    "swinging_strike_rate": F64,
    "barrel_rate": F64,
    "xba": F64,
    "steals_shape": F64,
    "steals_pa": F64,
}
"""Columns of `out_features`; `docs/data-dictionary.md` says what each means and when it is null."""


def build(
    tallies: pl.LazyFrame | pl.DataFrame,
    games: pl.DataFrame,
    players: pl.DataFrame,
    *,
    cutoff: dt.date,
    parameters: Parameters | None = None,
    box: pl.LazyFrame | pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the features of a slate (`out_features`), one row per game, player and role.

    Args:
        tallies: `core_tallies`, through `features.asof.history`.
        games: GAMES rows of the slate.
        players: PLAYERS rows of these games, with slots and starting pitchers.
        cutoff: The slate's day; nothing dated on or after it may have been seen.
        parameters: Fitted numbers; the shipped ones by default.
        box: BOX rows, for stolen bases; rows dated on or after the cutoff are not looked at.

    Raises:
        DataError: the tallies hold rows dated on or after the cutoff.
    """
    return from_sums(add_up(tallies), games, players, cutoff=cutoff, parameters=parameters, box=box)


def absences(
    tallies: pl.LazyFrame | pl.DataFrame, games: pl.DataFrame, players: pl.DataFrame, *, cutoff: dt.date
) -> pl.DataFrame:
    """Return who of the slate cannot be projected, and why: `game_pk`, `player_id_mlbam`, `role`, `reason`.

    A game whose line-up or starter is not known stands there with a null player.

    Raises:
        DataError: the tallies hold rows dated on or after the cutoff.
    """
    last = tallies.lazy().select(pl.col(asof.day_of(tallies)).max()).collect()
    asof.refuse_later_rows(last, cutoff)
    return place(games, players, has_history=last.item() is not None).absent


def from_sums(
    sums: Sums,
    games: pl.DataFrame,
    players: pl.DataFrame,
    *,
    cutoff: dt.date,
    parameters: Parameters | None = None,
    box: pl.LazyFrame | pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the features of a slate from history that is added up already; equal to `build` bit for bit.

    Raises:
        DataError: the sums reach the cutoff.
    """
    asof.refuse_later_rows(pl.DataFrame({"game_date": [sums.last_day]}, schema={"game_date": pl.Date}), cutoff)
    slate = place(games, players, has_history=sums.last_day is not None)
    if slate.batters.is_empty() and slate.starters.is_empty():
        return pl.DataFrame(schema=SCHEMA)
    model = Model.fit(sums, cutoff, parameters or default())
    rows = pl.concat([batter_rows(slate, model), starter_rows(slate, model)], how="diagonal")
    if box is not None:
        rows = _with_steals(rows, steals.rates(box, cutoff))
    stamped = rows.with_columns(as_of=pl.lit(sums.last_day, dtype=pl.Date))
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in SCHEMA.items() if name not in stamped.columns]
    full = stamped.with_columns(missing)
    return full.select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items()).sort(
        "game_pk", "role", "player_id_mlbam"
    )


def _with_steals(rows: pl.DataFrame, rates: pl.DataFrame) -> pl.DataFrame:
    """Join the batters' rates of stealing; a batter without box scores has the league's."""
    names = ("steals_shape", "steals_pa")
    league = rates.filter(pl.col("player_id_mlbam").is_null())
    joined = rows.join(rates.drop_nulls("player_id_mlbam"), on="player_id_mlbam", how="left", maintain_order="left")
    assumed = (league[name].item() if len(league) else None for name in names)
    filled = (
        pl.when(pl.col("role") == "batter").then(pl.coalesce(pl.col(name), pl.lit(value, pl.Float64))).alias(name)
        for name, value in zip(names, assumed, strict=True)
    )
    return joined.with_columns(filled)
