"""Fits the model on the lake's own past, on command and by itself, and keeps what is better."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop import tables
from backstop.errors import DataError
from backstop.features import asof
from backstop.fitting import model
from backstop.fitting.rows import Window, box_results
from backstop.props import refit as kept_fits
from backstop.stages import project, training

if TYPE_CHECKING:
    from backstop.fitting.model import Verdict
    from backstop.props.fitted import Fitted
    from backstop.stages.house import House

REFIT_AFTER: Final = 60
"""Days with games after which the model is fitted anew: two months."""

SEASON_DAYS: Final = 185
"""Days with games of a season; a refit looks at so many."""


@dataclass(frozen=True)
class Refit:
    """What became of a refit.

    Attributes:
        fitted: The new fit.
        in_use: The fit that was in use on the first day of its window.
        verdict: Both on the last quarter of the window; null where the window is short and only the calibration was
            fitted.
        kept: Whether later slates use the new fit.
    """

    fitted: Fitted
    in_use: Fitted
    verdict: Verdict | None
    kept: bool


def refit(house: House, first: dt.date, last: dt.date) -> Refit:
    """Fit the model on the lake's own days; slates after `last` use it until a newer one is kept.

    Each of these days is predicted from the days before it only. From `fitting.model.FEWEST_DAYS` days with games on
    everything is fitted, and kept where it beats the fit in use on the window's last quarter, which a trial fit did not
    see; of a shorter window only the calibration is fitted.

    Raises:
        DataError: the days hold too few predictions for any market.
    """
    tallies = asof.history(project.tallies(house), last + dt.timedelta(days=1)).collect()
    in_use, version, trained_on = kept_fits.latest(house.lake, first), f"lake-{last:%Y%m%d}", f"lake, {first} to {last}"
    days = tallies.filter(pl.col("game_date") >= first)["game_date"].n_unique()
    if days >= model.FEWEST_DAYS:
        box = house.lake.scan(tables.BOX.name, first, last).collect()
        window = Window(tallies, first, last, results=box_results(box), lineups=training.lineups_of(house))
        fitted, verdict = model.refit(window, in_use=in_use, version=version, trained_on=trained_on)
        kept = verdict.better
    else:
        fitted, verdict, kept = kept_fits.calibrate(tallies, first, last, version=version, in_use=in_use), None, True
    if not fitted.calibration.markets:
        raise DataError(
            f"From {first} to {last} the lake has too few games to fit a calibration; choose a longer range, at best "
            "a whole season.",
            source=project.TALLIES,
        )
    if kept:
        kept_fits.keep(house.lake, fitted)
    return Refit(fitted, in_use, verdict, kept)


def due(house: House, today: dt.date) -> tuple[dt.date, dt.date] | None:
    """Return the window of a refit when it is time for one: `REFIT_AFTER` days with games since the last.

    The window is the newest season of days with games. A refit that was not better counts: its data is weighed again
    only together with as many new days.
    """
    played = sorted(day for day in house.lake.days(project.TALLIES) if day < today)
    tried = [dt.date.fromisoformat(entry.key) for entry in house.ledger.entries(kept_fits.TABLE)]
    seen = max([kept_fits.latest(house.lake, today).calibration.last_day, *tried])
    if sum(day > seen for day in played) < REFIT_AFTER:
        return None
    return played[-SEASON_DAYS:][0], played[-1]


def when_due(house: House, today: dt.date, run_id: str) -> Refit | None:
    """Refit when it is time to, and note in the ledger that it was tried.

    Raises:
        LeaseHeld: another run is at it.
        DataError: as in `refit`.
    """
    window = due(house, today)
    if window is None:
        return None
    key = window[1].isoformat()
    house.ledger.begin(kept_fits.TABLE, key, run_id=run_id)
    done = refit(house, *window)
    house.ledger.complete(kept_fits.TABLE, key, run_id=run_id, rows_in=0)
    return done
