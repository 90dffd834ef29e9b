"""All numbers of the model from one training window, and whether they are better than those in use."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import polars as pl

from backstop.errors import DataError
from backstop.features.parameters import Parameters
from backstop.features.sums import add_up
from backstop.fitting import ladders, refinement, shrinkage, turns, workload
from backstop.fitting.rows import Rows, Window, gather, no_results, plain, together
from backstop.props import calibration
from backstop.props.calibration import NOT_CALIBRATED
from backstop.props.fitted import Fitted
from backstop.props.generate import generate
from backstop.props.grade import CLIP
from backstop.props.kernel import Floats
from backstop.props.refit import observed

STEADY: Final = 1.0
"""What the numbers in use are worth in a fit: one game, so that what a league never shows stays as it is."""

HELD_BACK: Final = 0.25
"""Share of a window's days on which a fit is judged before it is trusted."""

FEWEST_DAYS: Final = 30
"""Days with games that a window needs: a month, about 450 games."""

SHRINKAGE: Final = {"season_weights", "batter_k", "pitcher_k"}
PROP: Final = ["game_id", "player_id", "market"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A fit against the one in use on days that the fit did not see.

    Attributes:
        first: First of these days.
        last: Last of them.
        markets: `market`, `props`, `log_loss`, `log_loss_in_use`, nats.
        difference: Mean over the props, new minus in use; negative is better.
        error: Its standard error, days drawn with replacement.
        seen_until: Last day that parameters or ladders of the one in use saw, where it is one of these days or a later
            one: the comparison favours them then. Null where neither saw any of these days.
    """

    first: dt.date
    last: dt.date
    markets: pl.DataFrame
    difference: float
    error: float
    seen_until: dt.date | None = None

    @property
    def better(self) -> bool:
        """Whether the new fit is better by more than its standard error."""
        return self.difference < -self.error


def fit(
    windows: Sequence[Window],
    *,
    base: Fitted,
    version: str,
    trained_on: str,
    steady: float = STEADY,
    given: Mapping[str, object] | None = None,
) -> Fitted:
    """Fit the model on the days of one or several windows, each day predicted from the days before it only.

    Taken over from `base` are `turns_on_base`, `workload_first`, `workload_prior`, `starter_experience`,
    `starter_role`, `times_through`, `home`, `april`, `opening` and how many pitches or batted balls steady a
    refinement's rate.

    Args:
        windows: The days to fit on, one at least with today's usage of starters.
        base: The numbers in use: what is assumed where the windows tell nothing.
        version: Name of the fit.
        trained_on: Seasons and source, for the record.
        steady: How much the numbers in use are worth, see `fitting.regression`.
        given: Parameters that are not fitted but taken as they are, by name.
    """
    last = max(window.last for window in windows)
    named: dict[str, Any] = {"version": version, "trained_on": trained_on, "last_day": last}
    fixed = dict(given or {})

    def with_(parameters: Parameters, **numbers: object) -> Parameters:
        return parameters.model_copy(update=numbers | fixed)

    weights = {} if fixed.keys() >= SHRINKAGE else shrinkage.fit(windows, base.parameters)
    found = with_(base.parameters, **named, **weights)
    rows, starts = _gathered(windows, plain(found))
    found = with_(
        found,
        strikeouts=refinement.strikeouts(rows, found.strikeouts, steady),
        home_runs=refinement.home_runs(rows, found.home_runs, found, steady),
        workload=workload.terms(starts, found.workload, steady),
        **turns.fit(pl.concat([add_up(window.batted).turns for window in windows]), found, steady),
    )
    found = with_(found, **workload.residuals(starts, found))
    rows, starts = _gathered(windows, found)
    climbs = ladders.fit(rows, starts, _results(windows), base.ladders, found, steady=steady).model_copy(update=named)
    platt = calibration.fit(_judged(windows, rows, Fitted(found, climbs, NOT_CALIBRATED)), **named)
    return Fitted(found, climbs, platt)


def compare(window: Window, *, new: Fitted, in_use: Fitted) -> Verdict:
    """Judge a fit beside the one in use.

    Args:
        window: Days later than the last that the new fit saw. Those that the calibration of the other saw are judged
            without it; those that its parameters or ladders saw are named in the verdict.
        new: The new fit.
        in_use: The other.

    Raises:
        DataError: nothing that was predicted on these days is known to have happened.
    """
    key = [*PROP, "line"]
    mine, other = (_losses(window, each.judging(window.first)) for each in (new, in_use))
    both = mine.join(other.select(*key, in_use="loss"), on=key, how="inner").sort(key)
    if both.is_empty():
        raise DataError(
            f"From {window.first} to {window.last} there is nothing to judge a fit on; choose days with games."
        )
    by_market = both.group_by("market", maintain_order=True).agg(
        props=pl.len(), log_loss=pl.col("loss").mean(), log_loss_in_use=pl.col("in_use").mean()
    )
    daily = both.group_by("game_date", maintain_order=True).agg(
        gain=(pl.col("loss") - pl.col("in_use")).sum(), props=pl.len()
    )
    gain, props = (daily[name].to_numpy().astype(np.float64) for name in ("gain", "props"))
    mean = gain.sum() / props.sum()
    error = np.sqrt(((gain - mean * props) ** 2).sum()) / props.sum()
    seen_until = in_use.saw if in_use.saw >= window.first else None
    return Verdict(window.first, window.last, by_market.sort("market"), float(mean), float(error), seen_until)


def refit(
    window: Window, *, in_use: Callable[[dt.date], Fitted], version: str, trained_on: str
) -> tuple[Fitted, Verdict]:
    """Fit on a window, and judge that way of fitting on its last quarter, which a trial fit did not see.

    Args:
        window: The days.
        in_use: Gives the fit in use on a day. That of the first day is the base of both fits, that of the last
            quarter's first day is the opponent.
        version: Name of the fit.
        trained_on: Source of the days, for the record.

    Returns:
        The fit on the whole window, and the verdict on the trial; use the fit only where it is better.

    Raises:
        DataError: the window has too few days with games.
    """
    days = window.played["game_date"].unique().sort().to_list()
    if len(days) < FEWEST_DAYS:
        raise DataError(
            f"From {window.first} to {window.last} the lake has {len(days)} days with games, too few to fit the model "
            f"on; expected at least {FEWEST_DAYS}, at best a whole season: choose a longer range.",
            source="core_tallies",
        )
    held = days[int(len(days) * (1 - HELD_BACK))]
    named: dict[str, Any] = {"version": version, "trained_on": trained_on}
    base = in_use(window.first)
    trial = fit([window.until(held)], base=base, **named)
    verdict = compare(replace(window, first=held), new=trial, in_use=in_use(held))
    return fit([window], base=base, **named), verdict


def _gathered(windows: Sequence[Window], parameters: Parameters) -> tuple[Rows, Rows]:
    """Return the rows of all windows, and those of the windows that speak for how long starters are left in."""
    parts = [gather(window, parameters) for window in windows]
    return together(parts), together([part for part, window in zip(parts, windows, strict=True) if window.usage])


def _judged(windows: Sequence[Window], rows: Rows, fitted: Fitted) -> pl.DataFrame:
    """Return predictions that are not calibrated, with what happened: `market`, `prob_over`, `outcome`."""
    props = generate(rows.features, lines={}, fitted=fitted)
    seen = pl.concat([observed(window.played) for window in windows])
    return _beside(props, seen).with_columns(outcome=pl.col("value") > pl.col("line"))


def _losses(window: Window, fitted: Fitted) -> pl.DataFrame:
    props = generate(gather(window, fitted.parameters).features, lines={}, fitted=fitted)
    seen = observed(window.played)
    more = _results([window]).filter(~pl.col("market").is_in(seen["market"].unique().implode()))
    known = _beside(props, pl.concat([seen, more.select(seen.columns)]))
    won = (known["value"] > known["line"]).to_numpy()
    return known.with_columns(loss=pl.Series(_loss(known["prob_over"].to_numpy(), won)))


def _results(windows: Sequence[Window]) -> pl.DataFrame:
    return pl.concat([no_results(), *(window.results for window in windows if window.results is not None)])


def _loss(over: Floats, won: Floats) -> Floats:
    safe = np.clip(over, CLIP, 1 - CLIP)
    return np.asarray(-np.log(np.where(won, safe, 1 - safe)))


def _beside(props: pl.DataFrame, happened: pl.DataFrame) -> pl.DataFrame:
    named = props.with_columns(
        game_id=pl.col("game_pk").cast(pl.String), player_id=pl.col("player_id_mlbam").cast(pl.String)
    )
    return named.join(happened, on=PROP, how="inner")
