"""History as of a cutoff, turned into the tables that a slate looks up."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from backstop.features import opportunity, park, platoon
from backstop.features.outcomes import OUTCOMES, count_columns
from backstop.features.parameters import Parameters
from backstop.features.rates import (
    RELIEF_K,
    SEASON_WEIGHTS,
    Floats,
    league_rates,
    shrink,
    weighted_counts,
)
from backstop.features.sums import STATCAST, Sums

SLOT_PRIOR_PA = 2_000.0
"""Plate appearances of the league mixed into each slot's prior mean."""


@dataclass(frozen=True, slots=True)
class Model:
    """Everything that is looked up for a slate.

    Attributes:
        season: Season of the slate.
        parameters: Fitted numbers.
        league: The league's rate per outcome.
        slot_prior: Prior mean rates by slot, row 0 for substitutes.
        batters: `batter_id_mlbam`, weighted counts, `history_pa`, Statcast rates, sides.
        pitchers: `pitcher_id_mlbam`, weighted counts, `history_pa`, `recent_pa`, Statcast rates, hand.
        relief: Per team, its relief pitching's shrunken rates; the key "" is the league's.
        cells: Platoon cells.
        swinging: The league's swinging strikes per pitch, this and last season; null without described pitches.
        barrels: The league's barrels per batted ball, likewise.
        parks: Park ratios by home team.
        turns_shift: The season's level of plate appearances, per threshold.
        workload: `pitcher_id_mlbam`, expected batters faced and outs, `last_start`.
        opened: Day of the season's first game; null before it.
        starter_batters: Mean batters faced per start in the league.
        starter_outs: Mean outs per start in the league.
    """

    season: int
    parameters: Parameters
    league: Floats
    slot_prior: Floats
    batters: pl.DataFrame
    pitchers: pl.DataFrame
    relief: dict[str, Floats]
    cells: platoon.Cells
    swinging: float | None
    barrels: float | None
    parks: dict[str, Floats]
    turns_shift: Floats
    workload: pl.DataFrame
    opened: dt.date | None
    starter_batters: float
    starter_outs: float

    @classmethod
    def fit(cls, sums: Sums, day: dt.date, parameters: Parameters) -> Self:
        """Build the tables from history.

        Args:
            sums: Counts before the cutoff; at least one game.
            day: Day of the slate.
            parameters: Fitted numbers.
        """
        season = day.year
        by_season = league_rates(sums.slots, season, parameters.time_of_year(day))
        league = by_season[season] if season in by_season else by_season[max(by_season)]
        recent = sums.starts.filter(pl.col("season").is_between(season - 1, season))
        starts = recent if len(recent) else sums.starts
        faced, outs = (_mean(starts, name) for name in ("batters_faced", "outs_recorded"))
        return cls(
            season=season,
            parameters=parameters,
            league=league,
            slot_prior=_slot_prior(sums.slots, season, league),
            batters=_people(sums.batting, "batter_id_mlbam", season, by_season, parameters.season_weights).join(
                platoon.sides(sums.batting), on="batter_id_mlbam", how="left"
            ),
            pitchers=_people(sums.pitching, "pitcher_id_mlbam", season, by_season, parameters.season_weights)
            .join(platoon.hands(sums.pitching), on="pitcher_id_mlbam", how="left")
            .join(_relief_shares(sums.pitching, season), on="pitcher_id_mlbam", how="left"),
            relief=_relief(sums.team_pitching, season, by_season),
            cells=platoon.cells(sums.batting, season),
            swinging=_league_share(sums.pitching, season, "whiffs", "pitches_described"),
            barrels=_league_share(sums.batting, season, "barrels", "batted_balls_measured"),
            parks=park.ratios(sums.parks, season, league),
            turns_shift=opportunity.turns_shift(sums.turns, season, parameters),
            workload=_workload(sums.starts, faced * parameters.workload_prior, outs * parameters.workload_prior),
            opened=_opened(sums.starts, season),
            starter_batters=faced,
            starter_outs=outs,
        )


def _opened(starts: pl.DataFrame, season: int) -> dt.date | None:
    return starts.filter(season=season).select(pl.col("game_date").min()).item()  # type: ignore[no-any-return]


def _mean(starts: pl.DataFrame, column: str) -> float:
    """Mean of an integer column, from its exact sum."""
    return float(starts[column].sum() / len(starts)) if len(starts) else 0.0


def _slot_prior(slots: pl.DataFrame, season: int, league: Floats) -> Floats:
    """Return prior mean rates for slots 0 (substitutes) to 9: the slot's share of the league's rate."""
    counts = np.zeros((10, len(OUTCOMES)))
    for year, slot, *row in slots.select("season", "slot", *count_columns()).iter_rows():
        age = season - year
        if 0 <= age < len(SEASON_WEIGHTS) and 0 <= slot < len(counts):
            counts[slot] += SEASON_WEIGHTS[age] * np.asarray(row, dtype=np.float64)
    overall = counts.sum(axis=0) / counts.sum() if counts.sum() else league
    by_slot = (counts + SLOT_PRIOR_PA * overall) / (counts.sum(axis=1, keepdims=True) + SLOT_PRIOR_PA)
    prior = np.divide(by_slot, overall, out=np.ones_like(by_slot), where=overall > 0) * league
    return np.asarray(prior / prior.sum(axis=1, keepdims=True))


def _people(
    frame: pl.DataFrame, player: str, season: int, league: dict[int, Floats], weights: tuple[float, ...]
) -> pl.DataFrame:
    """Return one row per player: weighted counts `w_*`, plate appearances of history, Statcast rates."""
    ids, counts = weighted_counts(frame, player, season, _every_season(frame, season, league), weights)
    weighted = pl.DataFrame([ids.alias(player), *(pl.Series(f"w_{o}", counts[:, i]) for i, o in enumerate(OUTCOMES))])
    recent = pl.col("season") >= season - 1
    known = frame.group_by(player).agg(
        history_pa=pl.col("plate_appearances").sum(),
        recent_pa=pl.col("plate_appearances").filter(recent).sum(),
        **{name: pl.col(name).filter(recent).sum() for name in STATCAST},
    )
    rates = known.select(
        player,
        "history_pa",
        "recent_pa",
        "whiffs",
        "pitches_described",
        "barrels",
        "batted_balls_measured",
        whiff_rate=_share("whiffs", "swings"),
        swinging_strike_rate=_share("whiffs", "pitches_described"),
        barrel_rate=_share("barrels", "batted_balls_measured"),
        xba=_share("xba_thousandths", "xba_balls") / 1000,
    )
    return rates.join(weighted, on=player, how="left").with_columns(pl.col("^w_.*$").fill_null(0.0)).sort(player)


def _league_share(frame: pl.DataFrame, season: int, part: str, whole: str) -> float | None:
    """Return a Statcast rate of the league, this and last season; null when nothing was measured."""
    recent = frame.filter(pl.col("season") >= season - 1)
    counted, measured = (int(recent[name].sum()) for name in (part, whole))
    return counted / measured if measured and counted else None


def _relief_shares(pitching: pl.DataFrame, season: int) -> pl.DataFrame:
    """Return per pitcher the share of his batters, this and last season, whom he met in relief."""
    recent = pitching.filter(pl.col("season") >= season - 1).group_by("pitcher_id_mlbam")
    faced = pl.col("plate_appearances")
    return recent.agg(relief_share=faced.filter(~pl.col("pitcher_started")).sum() / faced.sum())


def _every_season(frame: pl.DataFrame, season: int, league: dict[int, Floats]) -> dict[int, Floats]:
    """Give the slate's season a rate even when nothing was ever played before it."""
    latest = league.get(season, league[max(league)])
    return {**dict.fromkeys(frame["season"].unique(), latest), season: latest, **league}


def _share(part: str, whole: str) -> pl.Expr:
    return pl.when(pl.col(whole) > 0).then(pl.col(part) / pl.col(whole))


def _relief(team_pitching: pl.DataFrame, season: int, league: dict[int, Floats]) -> dict[str, Floats]:
    """Return each team's relief rates, shrunken to the league's relief; "" holds the latter."""
    relief = team_pitching.filter(~pl.col("pitcher_started"))
    teams, counts = weighted_counts(relief, "team", season, _every_season(relief, season, league))
    now = league.get(season, league[max(league)])
    total = counts.sum()
    prior = counts.sum(axis=0) / total if total else now
    rates = shrink(counts, np.tile(prior, (len(counts), 1)), RELIEF_K)
    return {"": prior, **dict(zip(teams.to_list(), rates, strict=True))}


def _workload(starts: pl.DataFrame, faced: float, outs: float) -> pl.DataFrame:
    """Return expected batters faced and outs per pitcher who ever started."""
    batters = opportunity.expected_batters(starts, "batters_faced", faced).rename({"expected": "recent_mean"})
    recorded = opportunity.expected_batters(starts, "outs_recorded", outs).rename({"expected": "outs_mean"})
    return batters.join(recorded.select("pitcher_id_mlbam", "outs_mean"), on="pitcher_id_mlbam", how="left")
