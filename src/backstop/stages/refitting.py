"""Fits the model on the lake's own past, on command and by itself, and keeps what is better."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop.errors import BackstopError, DataError
from backstop.features import asof
from backstop.fitting import model
from backstop.fitting.rows import Window, box_results
from backstop.lake.states import State
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

LEASE_S: Final = 3600.0
"""The time limit of the flow that refits: a fit of a season takes longer than the lease of a day's rows."""


@dataclass(frozen=True)
class Refit:
    """What became of a refit.

    Attributes:
        fitted: The new fit.
        in_use: The fit that it was judged against: the one in use when the last quarter of the window began. Of a short
            window the one whose parameters and ladders it keeps.
        verdict: Both on the last quarter of the window; null where the window is short and only the calibration was
            fitted.
        kept: Whether slates after the window use the new fit.
        until_now: The fit that slates after the window used so far. Where it is not `in_use` it saw days of the last
            quarter, so that the two could not be compared on them.
    """

    fitted: Fitted
    in_use: Fitted
    verdict: Verdict | None
    kept: bool
    until_now: Fitted

    @property
    def unseen(self) -> str:
        """How far the days of the verdict were new to what was compared on them."""
        if self.verdict is None or self.verdict.seen_until is None:
            return "which neither saw"
        return f"of which {self.in_use.version} saw those up to {self.verdict.seen_until}, which favours it"

    @property
    def outcome(self) -> str:
        """What later slates use, and why."""
        old, new = self.until_now.version, self.fitted.version
        if not self.kept:
            return f"Not kept: it is not better than {self.in_use.version}; {old} stays in use."
        aside = "" if self.verdict is None or self.until_now == self.in_use else (
            f" It takes the place of {old}, which saw some of the days that were judged and was not compared."
        )  # fmt: skip
        return f"Kept: slates after {self.fitted.calibration.last_day} are projected with {new}.{aside}"


def refit(house: House, first: dt.date, last: dt.date) -> Refit:
    """Fit the model on the lake's own days; slates after `last` use it until a newer one is kept.

    Each of these days is predicted from the days before it only. From `fitting.model.FEWEST_DAYS` days with games on
    parameters, ladders and calibration are fitted, starting from the fit in use on the window's first day, and kept
    where a trial fit beats the one in use when the window's last quarter began on that quarter, which neither had seen.
    A fit that came into use since has seen days of it and cannot be judged there; `Refit.until_now` is that one.
    Of a shorter window only the calibration is fitted.

    Raises:
        DataError: the days hold too few predictions for any market, or a window that is enough for a calibration only
            reaches past a change of the parameters that it would be a calibration of.
    """
    after = last + dt.timedelta(days=1)
    tallies = asof.history(project.tallies(house), after).collect()
    in_use = kept_fits.by_day(house.lake)
    base, until_now = in_use(first), in_use(after)
    name, trained_on = f"lake-{first:%Y%m%d}-{last:%Y%m%d}", f"lake, {first} to {last}"
    days = tallies.filter(pl.col("game_date") >= first)["game_date"].n_unique()
    if days >= model.FEWEST_DAYS:
        box = asof.history(project.box(house, first, last), after).collect()
        window = Window(tallies, first, last, results=box_results(box), lineups=training.lineups_of(house))
        fitted, verdict = model.refit(window, in_use=in_use, version=name, trained_on=trained_on)
        opponent, kept = in_use(verdict.first), verdict.better
    else:
        _refuse_reverting(first, last, base, until_now)
        fitted = kept_fits.calibrate(tallies, first, last, version=name, in_use=base)
        verdict, opponent, kept = None, base, True
    fitted = fitted.signed(name)
    if not fitted.calibration.markets:
        raise DataError(
            f"From {first} to {last} the lake has too few games to fit a calibration; choose a longer range, at best "
            "a whole season.",
            source=project.TALLIES,
        )
    if kept:
        kept_fits.keep(house.lake, fitted)
    return Refit(fitted, opponent, verdict, kept, until_now)


def _refuse_reverting(first: dt.date, last: dt.date, base: Fitted, until_now: Fitted) -> None:
    """Refuse to calibrate parameters that later ones have replaced: keeping that would bring them back."""
    if base.parameters.version != until_now.parameters.version:
        raise DataError(
            f"From {first} to {last} there are games for a calibration only, and parameters {base.parameters.version}, "
            f"in use on {first}, were replaced by {until_now.parameters.version}, which saw days up to "
            f"{until_now.parameters.last_day}. Choose days after that one, or at least {model.FEWEST_DAYS} days with "
            "games.",
            source=project.TALLIES,
        )


def due(house: House, today: dt.date) -> tuple[dt.date, dt.date] | None:
    """Return the window of a refit when it is time for one: `REFIT_AFTER` days with games since the last.

    The window is the newest season of days with games. A refit that was not better counts: its data is weighed again
    only together with as many new days. One that did not come to its end does not count.
    """
    played = sorted(day for day in house.lake.days(project.TALLIES) if day < today)
    tried = house.ledger.entries(kept_fits.TABLE, states=[State.COMPLETE])
    last_day = kept_fits.latest(house.lake, today).calibration.last_day
    seen = max([last_day, *(dt.date.fromisoformat(entry.key) for entry in tried)])
    if sum(day > seen for day in played) < REFIT_AFTER:
        return None
    return played[-SEASON_DAYS:][0], played[-1]


def when_due(house: House, today: dt.date, run_id: str) -> Refit | None:
    """Refit when it is time to, and note in the ledger how that ended.

    Raises:
        LeaseHeld: another run is at it.
        DataError: as in `refit`; the ledger says so, and the next run tries again.
    """
    window = due(house, today)
    if window is None:
        return None
    key = window[1].isoformat()
    house.ledger.begin(kept_fits.TABLE, key, run_id=run_id, lease_s=LEASE_S)
    try:
        done = refit(house, *window)
    except BackstopError as error:
        house.ledger.fail(kept_fits.TABLE, key, run_id=run_id, reason=error.message)
        raise
    house.ledger.complete(kept_fits.TABLE, key, run_id=run_id, rows_in=0)
    return done
