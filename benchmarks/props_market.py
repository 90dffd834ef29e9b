"""Model against market on recorded strikeout quotes: the last quote of each book before the first pitch, de-vigged.

    python -m benchmarks.props_market FOLDER OF RECORDINGS

The model predicts each day from the days before it, without looking at any price. What counts on a row is the mean over
books of Shin's probability, and the model's probability of the same pitcher, game and line.
"""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import numpy as np
import polars as pl

from backstop.clock import EASTERN
from backstop.features.walk import as_played
from backstop.identity.names import normalise
from backstop.props import backtest
from backstop.props.devig import shin
from backstop.props.grade import brier, log_loss
from backstop.props.odds import decimal_from_american, implied
from benchmarks.props_kernel import recorded

DRAWS = 2000
SEED = 3


def closing(folder: Path) -> pl.DataFrame:
    """One row per event, book, player and line: both prices as last seen before the first pitch."""
    quotes = pl.read_parquet(folder / "odds" / "the_odds_api_mlb_strikeout_props_2025_2026.parquet")
    before = quotes.filter(pl.col("last_seen_at") <= pl.col("commence_time"))
    player = ["event_id", "bookmaker", "player"]
    last = before.filter(pl.col("last_seen_at") == pl.col("last_seen_at").max().over(player))
    sides = last.drop_nulls(["over", "under"]).with_columns(
        game_date=pl.col("commence_time").dt.convert_time_zone(str(EASTERN)).dt.date(),
        a=implied(decimal_from_american(pl.col("over").cast(pl.Float64))),
        b=implied(decimal_from_american(pl.col("under").cast(pl.Float64))),
    )
    fair = sides.with_columns(pl.Series("fair", shin(sides["a"].to_numpy(), sides["b"].to_numpy()))).drop_nulls("fair")
    return fair.filter(pl.col("fair").is_finite()).unique([*player, "line"], keep="last")


def names(folder: Path) -> pl.DataFrame:
    """MLBAM id and compared name of every player of the register."""
    people = pl.read_parquet(folder / "register" / "chadwick_register_mlbam.parquet")
    full = pl.concat_str("name_first", "name_last", separator=" ")
    return people.select(player_id=pl.col("key_mlbam").cast(pl.String), key=normalise(full)).drop_nulls().unique()


def interval(difference: np.ndarray, day: np.ndarray) -> tuple[float, float]:
    """95 % interval of the mean, days drawn with replacement."""
    _, index = np.unique(day, return_inverse=True)
    sums, counts = np.bincount(index, difference), np.bincount(index)
    weights = np.random.default_rng(SEED).multinomial(len(sums), np.ones(len(sums)) / len(sums), size=DRAWS)
    means = (weights @ sums) / (weights @ counts)
    return float(np.quantile(means, 0.025)), float(np.quantile(means, 0.975))


def line(name: str, rows: pl.DataFrame) -> None:
    won = (rows["strikeouts"] > rows["line"]).cast(pl.Float64).to_numpy()
    ours, theirs = rows["prob_over"].to_numpy(), rows["fair"].to_numpy()
    base = np.full(len(won), won.mean())

    def loss(p: np.ndarray) -> np.ndarray:
        safe = np.clip(p, 1e-6, 1 - 1e-6)
        return -(won * np.log(safe) + (1 - won) * np.log(1 - safe))

    low, high = interval(loss(ours) - loss(theirs), rows["game_date"].to_numpy())
    difference = log_loss(ours, won) - log_loss(theirs, won)
    print(
        f"{name:14s} {len(rows):6d} {won.mean():6.3f} {brier(base, won):8.4f} {brier(ours, won):8.4f} "
        f"{brier(theirs, won):8.4f} {log_loss(base, won):8.4f} {log_loss(ours, won):8.4f} {log_loss(theirs, won):8.4f} "
        f"{difference:+8.4f} [{low:+.4f}, {high:+.4f}]"
    )


def main() -> None:
    folder = Path(sys.argv[1])
    tallies = recorded(folder / "savant" / "pitches")
    quotes = closing(folder)
    first, last = quotes["game_date"].min(), min(quotes["game_date"].max(), tallies["game_date"].max())
    assert isinstance(first, dt.date)
    predicted = backtest.run(tallies, first, last, markets=["pitcher_strikeouts"])
    days = tallies.filter(pl.col("game_date").is_between(first, last))
    _, players = as_played(days)
    starters = players.filter("is_starting_pitcher").select(
        game_id=pl.col("game_pk").cast(pl.String), player_id=pl.col("player_id_mlbam").cast(pl.String)
    )
    counted = (
        days.filter("pitcher_started")
        .group_by("game_pk", "pitcher_id_mlbam", "game_date")
        .agg(strikeouts=pl.col("n_strikeout").sum())
        .select(
            "strikeouts",
            game_id=pl.col("game_pk").cast(pl.String),
            player_id=pl.col("pitcher_id_mlbam").cast(pl.String),
        )
    )
    known = names(folder).join(starters.select("player_id").unique(), on="player_id")
    single = known.filter(pl.len().over("key") == 1)
    named = quotes.with_columns(key=normalise(pl.col("player"))).join(single, on="key")
    market = named.group_by("game_date", "player_id", "line").agg(
        fair=pl.col("fair").mean(), books=pl.col("bookmaker").n_unique()
    )
    rows = (
        predicted.join(starters, on=["game_id", "player_id"])
        .join(counted, on=["game_id", "player_id"])
        .join(market, on=["game_date", "player_id", "line"])
        .filter(pl.col("line") != pl.col("line").floor())
        .sort("game_date", "player_id", "line")
    )
    print(f"{quotes.height:,} two-sided closing quotes {first} to {last}, {named.height:,} of a known starter")
    print(
        f"rows with model, market and result {rows.height:,}; starts {rows.select('game_id', 'player_id').n_unique():,}; mean books {rows['books'].mean():.1f}"
    )
    print(
        f"{'':14s} {'n':>6s} {'base':>6s} {'Brier:':>8s} {'model':>8s} {'market':>8s} {'LL:base':>8s} {'model':>8s} {'market':>8s}   model-market, 95 %"
    )
    line("all lines", rows)
    nearest = (pl.col("fair") - 0.5).abs()
    line("main line", rows.filter(nearest == nearest.min().over("game_id", "player_id")))
    for at in (3.5, 4.5, 5.5, 6.5, 7.5):
        line(f"over {at}", rows.filter(line=at))
    main_lines = rows.filter(nearest == nearest.min().over("game_id", "player_id"))
    print(
        f"mean absolute error on these starts: model {(main_lines['mean'] - main_lines['strikeouts']).abs().mean():.3f}, main line {(main_lines['line'] - main_lines['strikeouts']).abs().mean():.3f}"
    )


if __name__ == "__main__":
    main()
