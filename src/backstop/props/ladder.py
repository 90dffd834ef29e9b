"""Markets that depend on team-mates or on the manager: fitted ladders instead of sums of plate appearances.

Runs, runs batted in and earned runs: proportional odds (McCullagh, 1980), P(Y >= n) = logistic(rung_n + b . x). Outs
recorded end at the end of an inning more often than not: their distribution is the one seen around the expected value
in earlier seasons, with its atoms at 15, 18 and 21.
"""

from __future__ import annotations

import datetime as dt
import functools
from importlib import resources

import numpy as np
import polars as pl
from pydantic import BaseModel, ConfigDict

from backstop.props.kernel import Floats, ordered_sum


class Ladder(BaseModel):
    """Proportional odds of one market.

    Attributes:
        rungs: Intercepts of P(Y >= 1), P(Y >= 2), ...; falling.
        terms: Coefficients by name of the term.
    """

    model_config = ConfigDict(frozen=True)

    rungs: tuple[float, ...]
    terms: dict[str, float]

    def distribution(self, terms: pl.DataFrame) -> Floats:
        """Return P(Y = y), y = 0..number of rungs; the last one holds everything above."""
        x = np.zeros(len(terms))
        for name, coefficient in self.terms.items():
            x = x + coefficient * terms[name].to_numpy()
        reach = 1.0 / (1.0 + np.exp(-(x[:, None] + np.asarray(self.rungs))))
        edges = np.concatenate([np.ones((len(x), 1)), reach, np.zeros((len(x), 1))], axis=1)
        return np.asarray(edges[:, :-1] - edges[:, 1:])


class Outs(BaseModel):
    """Outs recorded around their expected value.

    Attributes:
        level: Constant of the expected value.
        terms: Coefficients of the expected value.
        centres: Expected outs at the centre of each bin, rising.
        shares: Per bin, the share of starts by outs 0..27.
    """

    model_config = ConfigDict(frozen=True)

    level: float
    terms: dict[str, float]
    centres: tuple[float, ...]
    shares: tuple[tuple[float, ...], ...]

    def distribution(self, terms: pl.DataFrame) -> Floats:
        """Return P(outs = n), n = 0..27: the two nearest bins mixed by distance."""
        expected = np.full(len(terms), self.level)
        for name, coefficient in self.terms.items():
            expected = expected + coefficient * terms[name].to_numpy()
        centres, shares = np.asarray(self.centres), np.asarray(self.shares)
        upper = np.clip(np.searchsorted(centres, expected), 1, len(centres) - 1)
        part = np.clip((expected - centres[upper - 1]) / (centres[upper] - centres[upper - 1]), 0.0, 1.0)[:, None]
        return np.asarray(shares[upper - 1] * (1 - part) + shares[upper] * part)


class Ladders(BaseModel):
    """The fitted ladders.

    Attributes:
        version: Name of the fit.
        trained_on: The seasons and source behind it.
        last_day: The last day that the fit saw.
        markets: Ladders of runs, runs batted in, their sum with hits, and earned runs.
        outs: Outs recorded.
    """

    model_config = ConfigDict(frozen=True)

    version: str
    trained_on: str
    last_day: dt.date
    markets: dict[str, Ladder]
    outs: Outs


@functools.cache
def default() -> Ladders:
    """Return the ladders that ship with the package."""
    text = resources.files("backstop.props").joinpath("ladders.json").read_text(encoding="utf-8")
    return Ladders.model_validate_json(text)


def batter_terms(features: pl.DataFrame, turns: Floats, reach: Floats, outcomes: dict[str, list[int]]) -> pl.DataFrame:
    """Return the terms of the batters' ladders; null where no neighbour in the order is known.

    Args:
        features: Batters' rows of `out_features`.
        turns: Outcome probabilities per plate appearance, (rows, 7, outcome).
        reach: P(plate appearances >= k), (rows, 7).
        outcomes: Column indices of the groups `on_base`, `hits`, `home_run`.
    """
    expected = {name: ordered_sum(ordered_sum(turns[:, :, columns]) * reach) for name, columns in outcomes.items()}
    bases = ordered_sum(ordered_sum(turns[:, :, outcomes["hits"]] * np.arange(1.0, 5.0)) * reach)
    return features.select(
        log_on_base=pl.Series(np.log(expected["on_base"])),
        log_home_runs=pl.Series(np.log(expected["home_run"])),
        log_bases=pl.Series(np.log(bases)),
        ahead=pl.col("ahead_on_base"),
        behind=pl.col("behind_bases"),
        home=pl.col("is_home").cast(pl.Float64),
    )


def starter_terms(features: pl.DataFrame) -> pl.DataFrame:
    """Return the terms of the starters' ladders from `out_features`."""
    rate = {name: pl.col(f"lineup_{name}").list.mean() for name in ("hit", "walk", "home_run", "strikeout")}
    faced = pl.col("batters_faced_mean")
    return features.select(
        faced=faced,
        outs_mean="outs_mean",
        reached=rate["hit"] + rate["walk"],
        strikeout=rate["strikeout"],
        log_hits=(rate["hit"] * faced).log(),
        log_walks=(rate["walk"] * faced).log(),
        log_home_runs=(rate["home_run"] * faced).log(),
        log_faced=faced.log(),
    )
