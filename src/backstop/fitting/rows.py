"""What was known before each game of a training window, beside what then happened in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Final

import numpy as np
import polars as pl

from backstop.features import asof
from backstop.features.build import SCHEMA
from backstop.features.lineups import place
from backstop.features.matchup import (
    HOME_RUN,
    STRIKEOUT,
    batter_rates,
    batter_rows,
    known_batters,
    known_pitchers,
    pitcher_rates,
    signal_of,
    starter_rows,
)
from backstop.features.model import Model
from backstop.features.parameters import Parameters, Refinement, Workload
from backstop.features.walk import Lineups, as_played, histories
from backstop.props.kernel import Floats
from backstop.props.markets import MARKETS

NOTHING: Final = Workload(
    level=0.0, home=0.0, lineup_on_base=0.0, short_rest=0.0, long_rest=0.0, opening=0.0, relief_few=0.0,
    first_from_relief=0.0, debut=0.0,
)  # fmt: skip
PLAYER: Final = ["game_pk", "player_id_mlbam", "role"]


@dataclass(frozen=True)
class Window:
    """Days to fit on.

    Attributes:
        tallies: `core_tallies` up to `last`; days before `first` are history.
        first: First day.
        last: Last day.
        results: `box_results` of these days, for runs, runs batted in and earned runs; null without box scores.
        lineups: Line-ups as posted; as played when null.
        left_out: Batters whose games do not count, `game_pk`, `player_id_mlbam`: pitchers who had to bat.
        usage: Whether starters were left in as long as they are today; old seasons do not speak for batters faced and
            outs.
    """

    tallies: pl.DataFrame
    first: dt.date
    last: dt.date
    results: pl.DataFrame | None = None
    lineups: Lineups | None = None
    left_out: pl.DataFrame | None = None
    usage: bool = True

    @property
    def played(self) -> pl.DataFrame:
        """The tallies of the window itself."""
        return self.tallies.filter(pl.col("game_date").is_between(self.first, self.last))

    @property
    def batted(self) -> pl.DataFrame:
        """The tallies of the window without the batters who are left out."""
        if self.left_out is None:
            return self.played
        aside = self.left_out.rename({"player_id_mlbam": "batter_id_mlbam"})
        return self.played.join(aside, on=["game_pk", "batter_id_mlbam"], how="anti", maintain_order="left")

    def until(self, day: dt.date) -> Window:
        """Return the days before a day, without what became known of them on it or later."""
        before = asof.history(self.tallies, day)
        late = self.tallies.filter(pl.col(asof.day_of(self.tallies)) >= day)["game_pk"].unique().cast(pl.String)
        results = None if self.results is None else self.results.filter(~pl.col("game_id").is_in(late.implode()))
        return replace(self, tallies=before, results=results, last=day - dt.timedelta(days=1))


@dataclass(frozen=True)
class Rows:
    """A training window.

    Attributes:
        features: `out_features`, each row as of the day before its game.
        refined: Per row of it, what a refinement may use: `rate` and `signal`, both over the league's; null where
            nothing was measured. Of starters `season_age` too, the days since the season's first game.
        happened: One row per player and role: `turns` (plate appearances or batters faced), `outs`, `refined_count`
            (home runs of batters, strikeouts of starters).
    """

    features: pl.DataFrame
    refined: pl.DataFrame
    happened: pl.DataFrame

    def joined(self, role: str) -> pl.DataFrame:
        """Return a role's features with everything else beside them; players who never came up are left out."""
        wide = self.features.filter(role=role).join(self.refined, on=PLAYER, how="left", maintain_order="left")
        return wide.join(self.happened, on=PLAYER, how="inner", maintain_order="left")


def plain(parameters: Parameters) -> Parameters:
    """Return the parameters without what is fitted on these rows: no refinement, no workload terms."""
    flat = {"level": 0.0, "rate": 0.0, "signal": 0.0}
    return parameters.model_copy(
        update={
            "workload": NOTHING,
            "strikeouts": parameters.strikeouts.model_copy(update=flat),
            "home_runs": parameters.home_runs.model_copy(update=flat),
        }
    )


def together(parts: Sequence[Rows]) -> Rows:
    """Return the rows of several windows; no two may have a game's number in common."""
    return Rows(*(pl.concat([getattr(part, field.name) for part in parts]) for field in fields(Rows)))


def gather(window: Window, parameters: Parameters) -> Rows:
    """Walk through a window.

    Args:
        window: The days.
        parameters: Fitted numbers that the features are built with.
    """
    features, refined = [], []
    for day, sums, played in histories(window.tallies, window.first, window.last):
        games, players = window.lineups(day) if window.lineups else as_played(played)
        slate = place(games, players, has_history=sums.last_day is not None)
        if slate.batters.is_empty() and slate.starters.is_empty():
            continue
        model = Model.fit(sums, day, parameters)
        features.append(pl.concat([batter_rows(slate, model), starter_rows(slate, model)], how="diagonal"))
        batters = known_batters(slate.batters, model)
        named = slate.starters.rename({"player_id_mlbam": "pitcher_id_mlbam"}).with_columns(lineup_on_base=0.0)
        starters = known_pitchers(named, model)
        rates = batter_rates(batters, model)[:, HOME_RUN] / model.league[HOME_RUN]
        barrels = (batters["barrels"], batters["batted_balls_measured"])
        refined.append(_refined(batters, "batter", rates, *barrels, model.barrels, parameters.home_runs))
        rates = pitcher_rates(starters, model)[:, STRIKEOUT] / model.league[STRIKEOUT]
        whiffs = (starters["whiffs"], starters["pitches_described"])
        people = starters.rename({"pitcher_id_mlbam": "player_id_mlbam"})
        refined.append(_refined(people, "starter", rates, *whiffs, model.swinging, parameters.strikeouts))
    found = _features(features)
    if window.left_out is not None:
        aside = window.left_out.with_columns(role=pl.lit("batter"))
        found = found.join(aside, on=PLAYER, how="anti", maintain_order="left")
    return Rows(found, _concat(refined), happened(window.played))


def _refined(
    people: pl.DataFrame,
    role: str,
    rate: Floats,
    counted: pl.Series,
    measured: pl.Series,
    league: float | None,
    fit: Refinement,
) -> pl.DataFrame:
    signal = np.full(len(people), np.nan)
    if league is not None:
        known = signal_of(counted.to_numpy(), measured.to_numpy(), league, fit.signal_k)
        signal = np.where(measured.to_numpy() > 0, known, np.nan)
    age = pl.col("season_age") if role == "starter" else pl.lit(None, pl.Int64)
    return people.select(
        "game_pk", "player_id_mlbam", role=pl.lit(role), rate=pl.Series(rate), signal=pl.Series(signal).fill_nan(None),
        season_age=age,
    )  # fmt: skip


def _features(frames: list[pl.DataFrame]) -> pl.DataFrame:
    if not frames:
        return pl.DataFrame(schema=SCHEMA)
    both = pl.concat(frames, how="diagonal_relaxed")
    lacking = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in SCHEMA.items() if name not in both.columns]
    return both.with_columns(lacking).select(pl.col(name).cast(dtype) for name, dtype in SCHEMA.items())


def no_results() -> pl.DataFrame:
    """Return `box_results` of nobody."""
    return pl.DataFrame(schema={"game_id": pl.String, "player_id": pl.String, "market": pl.String, "value": pl.Int64})


def _concat(frames: list[pl.DataFrame]) -> pl.DataFrame:
    schema = {"game_pk": pl.Int64, "player_id_mlbam": pl.Int64, "role": pl.String, "rate": pl.Float64}
    return (
        pl.concat(frames) if frames else pl.DataFrame(schema={**schema, "signal": pl.Float64, "season_age": pl.Int64})
    )


def happened(tallies: pl.DataFrame) -> pl.DataFrame:
    """Return how often each starting batter came up, and what each starting pitcher did: see `Rows.happened`."""
    counts = {"turns": pl.col("plate_appearances").sum(), "outs": pl.col("outs_recorded").sum()}
    batters = (
        tallies.filter(pl.col("slot") > 0)
        .group_by("game_pk", player_id_mlbam="batter_id_mlbam")
        .agg(**counts, refined_count=pl.col("n_home_run").sum())
        .with_columns(role=pl.lit("batter"))
    )
    starters = (
        tallies.filter("pitcher_started")
        .group_by("game_pk", player_id_mlbam="pitcher_id_mlbam")
        .agg(**counts, refined_count=pl.col("n_strikeout").sum())
        .with_columns(role=pl.lit("starter"))
    )
    return pl.concat([batters, starters]).filter(pl.col("turns") > 0).sort(PLAYER)


def box_results(box: pl.DataFrame) -> pl.DataFrame:
    """Return what box scores settle, one row per game, player and market: `game_id`, `player_id`, `market`, `value`.

    Batters who came up and pitchers who started; a market one of whose counts the feed does not tell is left out.
    """
    played = {
        "batter": pl.col("plate_appearances") > 0,
        "starter": pl.col("is_starter") & (pl.col("batters_faced") > 0),
    }
    parts = []
    for market in MARKETS.values():
        signed = [(-1 if name.startswith("-") else 1, name.removeprefix("-")) for name in market.settles_on]
        value = sum((sign * pl.col(name).cast(pl.Int64) for sign, name in signed), pl.lit(0, pl.Int64))
        parts.append(
            box.filter(played[market.role]).select(
                game_id=pl.col("game_pk").cast(pl.String), player_id=pl.col("player_id_mlbam").cast(pl.String),
                market=pl.lit(market.key), value=value,
            )
        )  # fmt: skip
    return pl.concat(parts).drop_nulls("value")
