"""Features and props of the real shape, drawn by a seed."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from backstop import tables

DAY = dt.date(2025, 6, 15)
MARKETS = ("batter_hits", "batter_total_bases", "batter_home_runs", "pitcher_strikeouts")


def features(players: int = 60, *, seed: int = 1, first: int = 600_000) -> pl.DataFrame:
    """One row per player, game and role; every twentieth player plays a doubleheader."""
    rng = np.random.default_rng(seed)
    ids = np.arange(first, first + players)
    frame = pl.DataFrame(
        {
            "game_pk": 777_000 + ids % 15,
            "game_date": [DAY] * players,
            "player_id_mlbam": ids,
            "role": np.where(ids % 10 == 0, "starter", "batter"),
            "team": np.array(["NYY", "BOS", "LAD"])[ids % 3],
            "full_name": [f'José "El {n}" Núñez' for n in ids],
            **{f"rate_{n}": rng.random(players) for n in range(12)},
            "slot": pl.Series(np.where(ids % 10 == 0, 0, 1 + ids % 9), dtype=pl.Int16),
            "days_rest": pl.Series([None if n % 4 else int(n % 6) for n in ids], dtype=pl.Int16),
            "seen_at": pl.Series([dt.datetime(2025, 6, 15, 12, 30, 1, 5, dt.UTC)] * players, dtype=tables.UTC_INSTANT),
        }
    )
    second = frame.filter(pl.col("player_id_mlbam") % 20 == 0).with_columns(game_pk=pl.lit(778_000, pl.Int64))
    return pl.concat([frame.with_columns(pl.col("game_pk").cast(pl.Int64)), second])


def props(players: int = 60, *, seed: int = 1, first: int = 600_000, lines: int = 3) -> pl.DataFrame:
    """One row per player, market and line with the columns of `tables.PROPS`; every third one without a quote."""
    rng = np.random.default_rng(seed)
    rows = players * len(MARKETS) * lines
    ids = np.repeat(np.arange(first, first + players), len(MARKETS) * lines)
    market = np.tile(np.repeat(MARKETS, lines), players)
    line = np.tile(np.arange(lines) + 0.5, players * len(MARKETS))
    over = rng.random(rows)
    quoted = np.arange(rows) % 3 != 0
    game = 777_000 + ids % 15
    text = pl.concat_str("game_pk", "player_id_mlbam", "market", "line", separator=":")

    def when(values: np.ndarray) -> pl.Series:
        return pl.Series([float(v) if q else None for v, q in zip(values, quoted, strict=True)], dtype=pl.Float64)

    frame = pl.DataFrame(
        {
            "game_pk": game,
            "game_date": [DAY] * rows,
            "player_id_mlbam": ids,
            "player_name": [f"José Núñez {n}" for n in ids],
            "team": np.array(["NYY", "BOS", "LAD"])[ids % 3],
            "opponent": np.array(["BOS", "LAD", "NYY"])[ids % 3],
            "market": market,
            "line": line,
            "mean": rng.random(rows) * 2,
            "prob_over": over,
            "prob_push": 0.0,
            "prob_under": 1 - over,
            "fair_over_decimal": 1 / over,
            "fair_under_decimal": 1 / (1 - over),
            "books": np.where(quoted, 4, 0),
            "market_prob_over": when(rng.random(rows)),
            "market_prob_low": when(rng.random(rows)),
            "market_prob_high": when(rng.random(rows)),
            "best_side": pl.Series(["over" if q else None for q in quoted], dtype=pl.String),
            "best_book": pl.Series(["draftkings" if q else None for q in quoted], dtype=pl.String),
            "best_price_decimal": when(1 + rng.random(rows)),
            "ev_per_unit": when(rng.normal(0, 0.1, rows)),
            "edge": when(rng.normal(0, 0.05, rows)),
            "edge_band": when(rng.random(rows) / 50),
            "kelly_quarter": when(rng.random(rows) / 10),
            "model_version": "2025.1",
            "as_of": [DAY - dt.timedelta(days=1)] * rows,
        }
    ).with_columns(prop_id=text)
    return frame.select(pl.col(name).cast(dtype) for name, dtype in tables.PROPS.schema.items())
