"""Model against market on recorded strikeout quotes: the last quote of each book before the first pitch, de-vigged.

    python -m benchmarks.props_market                   # ../shared/realdata; a minute
    python -m benchmarks.props_market --recorded FOLDER

The model predicts each day from the days before it, without looking at any price. What counts on a row is the mean over
books of Shin's probability, and the model's probability of the same pitcher, game and line.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from backstop.clock import EASTERN
from backstop.features.walk import as_played
from backstop.identity.names import normalise
from backstop.odds import decimal_from_american, implied
from backstop.props import backtest
from backstop.props.devig import shin
from backstop.props.grade import brier, log_loss
from backstop.props.refit import observed
from benchmarks.props_kernel import RECORDED, recorded
from benchmarks.props_score import interval, losses
from benchmarks.report import Report, arguments

LINES = (3.5, 4.5, 5.5, 6.5, 7.5)


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


def compared(folder: Path) -> pl.DataFrame:
    """One row per starter, game and line: `prob_over` and `mean` of the model, `fair` of the market, `strikeouts`."""
    quotes = closing(folder)
    first = quotes["game_date"].min()
    tallies = recorded(folder, quotes["game_date"].max())
    last = tallies["game_date"].max()
    predicted = backtest.run(tallies, first, last, markets=["pitcher_strikeouts"])
    days = tallies.filter(pl.col("game_date").is_between(first, last))
    _, players = as_played(days)
    starters = players.filter("is_starting_pitcher").select(
        game_id=pl.col("game_pk").cast(pl.String), player_id=pl.col("player_id_mlbam").cast(pl.String)
    )
    counted = observed(days).filter(market="pitcher_strikeouts").drop("market").rename({"value": "strikeouts"})
    known = names(folder).join(starters.select("player_id").unique(), on="player_id")
    single = known.filter(pl.len().over("key") == 1)
    named = quotes.with_columns(key=normalise(pl.col("player"))).join(single, on="key")
    market = named.group_by("game_date", "player_id", "line").agg(
        fair=pl.col("fair").mean(), books=pl.col("bookmaker").n_unique()
    )
    return (
        predicted.join(starters, on=["game_id", "player_id"])
        .join(counted, on=["game_id", "player_id"])
        .join(market, on=["game_date", "player_id", "line"])
        .filter(pl.col("line") != pl.col("line").floor())
        .sort("game_date", "player_id", "line")
    )


def side_by_side(report: Report, key: str, title: str, rows: pl.DataFrame) -> None:
    """Add a table: the market, then the model, by log loss and Brier score on the same rows."""
    won = (rows["strikeouts"] > rows["line"]).cast(pl.Float64).to_numpy()
    ours, theirs = rows["prob_over"].to_numpy(), rows["fair"].to_numpy()
    base = np.full(len(won), won.mean())
    low, high = interval(losses(ours, won) - losses(theirs, won), rows["game_date"].to_numpy())
    table = report.table(key, f"{title}: {len(won):,} rows, over {won.mean():.3f}", unit="nats (log loss)")
    beyond = log_loss(ours, won) - log_loss(theirs, won)
    table.row("market, de-vigged consensus", log_loss(theirs, won), Brier=f"{brier(theirs, won):.4f}")
    table.row(
        "model",
        log_loss(ours, won),
        Brier=f"{brier(ours, won):.4f}",
        **{"minus market, 95 %": f"{beyond:+.4f} [{low:+.4f}, {high:+.4f}]"},
    )
    table.row("base rate", log_loss(base, won), Brier=f"{brier(base, won):.4f}")


def main() -> None:
    """Compare and print."""
    parser = arguments(__doc__)
    parser.add_argument("--recorded", type=Path, default=RECORDED, help="folder of recordings")
    given = parser.parse_args()
    report = Report("props_market", given.record)
    rows = compared(given.recorded)
    starts, books = rows.select("game_id", "player_id").n_unique(), rows["books"].mean()
    days = f"{rows['game_date'].min()} to {rows['game_date'].max()}"
    report.console.print(f"{rows.height:,} rows of {starts:,} starts, {days}, {books:.1f} books a row")
    nearest = (pl.col("fair") - 0.5).abs()
    main_lines = rows.filter(nearest == nearest.min().over("game_id", "player_id"))
    side_by_side(report, "all", f"All lines, {days}", rows)
    side_by_side(report, "main", "The line nearest to even", main_lines)
    for at in LINES:
        side_by_side(report, f"over {at}", f"Over {at}", rows.filter(line=at))
    missed = report.table("missed", "Mean absolute error on these starts", unit="strikeouts")
    for name, column in (("main line", "line"), ("model's mean", "mean")):
        missed.row(name, float((main_lines[column] - main_lines["strikeouts"]).abs().mean()))
    report.close()


if __name__ == "__main__":
    main()
