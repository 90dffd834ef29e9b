"""Slates of real shape for the board: projected from a small simulated season, priced by made-up books."""

from __future__ import annotations

import datetime as dt
import functools

import numpy as np
import polars as pl

from backstop.features.build import build
from backstop.features.tally import tally
from backstop.props.generate import generate
from backstop.props.price import price
from backstop.tables import QUOTES
from tests.features import season

DAY = season.FIRST + dt.timedelta(days=15)
MANY = 4
"""Leagues side by side: four times a thousand props is a real day's number."""

MARKETS = [
    "batter_hits", "batter_total_bases", "batter_home_runs", "batter_strikeouts", "batter_walks", "batter_singles",
    "batter_doubles", "batter_runs_scored", "batter_rbis", "batter_hits_runs_rbis", "batter_stolen_bases",
    "pitcher_strikeouts", "pitcher_outs", "pitcher_earned_runs", "pitcher_walks", "pitcher_hits_allowed",
]  # fmt: skip
"""Of these slates, whatever else is projected: a league's is of a thousand props."""

EVIL = "<img src=x onerror=\"document.title='owned'\"><b>Róbinson</b>"
ACCENTED = "José Núñez"


@functools.cache
def features(leagues: int = 1) -> pl.DataFrame:
    games, players = season.slate(15)
    one = build(tally(season.pitches(15)), games, players, cutoff=DAY)
    copies = [
        one.with_columns(
            player_id_mlbam=pl.col("player_id_mlbam") + 10_000 * n,
            game_pk=pl.col("game_pk") + 10_000 * n,
            player_name=pl.format("{} {}", pl.lit("Wxyz"[n]), "player_name"),
        )
        for n in range(leagues)
    ]
    named = pl.when(pl.col("player_id_mlbam") == 1001).then(pl.lit(EVIL))
    named = named.when(pl.col("player_id_mlbam") == 1002).then(pl.lit(ACCENTED))
    return pl.concat(copies).with_columns(player_name=named.otherwise("player_name"))


@functools.cache
def unpriced(leagues: int) -> pl.DataFrame:
    return generate(features(leagues), markets=MARKETS)


def props(seed: int = 1, *, moved: float = 0.0, leagues: int = 1) -> pl.DataFrame:
    """Return PROPS; two books quote two props in three. A share `moved` of the quotes differs from the seed's own."""
    plain = unpriced(leagues)
    rng, other = np.random.default_rng(seed), np.random.default_rng(seed + 1000)
    noise = rng.normal(0, 0.05, (len(plain), 2))
    again = other.random(len(plain)) < moved
    noise[again] += other.normal(0, 0.05, (int(again.sum()), 2))
    quoted = plain.with_row_index("row").filter(pl.col("row") % 3 != 0)
    sides = []
    for book, name in enumerate(("draftkings", "betmgm")):
        chance = np.clip(quoted["prob_over"].to_numpy() + noise[quoted["row"].to_numpy(), book], 0.03, 0.97)
        for side, p in (("over", chance), ("under", 1 - chance)):
            sides.append(
                quoted.select("game_pk", "game_date", "player_id_mlbam", "player_name", "market", "line").with_columns(
                    side=pl.lit(side),
                    bookmaker=pl.lit(name),
                    price_decimal=pl.Series(np.round(1 / (p * 1.05), 3) + 0.01),
                )
            )
    rows = pl.concat(sides)
    lacking = [pl.lit(None, dtype).alias(name) for name, dtype in QUOTES.schema.items() if name not in rows.columns]
    quotes = rows.with_columns(lacking).select(pl.col(name).cast(dtype) for name, dtype in QUOTES.schema.items())
    return price(plain, quotes)


def games() -> list[dict]:
    pairs = features().filter(pl.col("is_home")).select("game_pk", "team", "opponent").unique().sort("game_pk")
    return [
        {
            "game_pk": pk,
            "home_team": home,
            "away_team": away,
            "start_at": "2024-04-16T23:10:00Z",
            "doubleheader": "N",
            "game_number": 1,
        }
        for pk, home, away in pairs.iter_rows()
    ]


META = {
    "quality": "degraded",
    "games": [],
    "gaps": [{"table": "out_features", "key": "game 151", "reason": "no line-up of AAA is known"}],
}


def settled(seed: int = 3) -> pl.DataFrame:
    """Return props with results drawn from their own probabilities."""
    rows = props(seed)
    won = np.random.default_rng(seed).random(len(rows)) < rows["prob_over"].to_numpy()
    return rows.with_columns(result=pl.Series(np.where(won, "over", "under")), outcome=pl.lit(1, pl.Int32))
