"""Training sets: the features of past days as they were served, or would have been."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from backstop import tables
from backstop.clock import days_between
from backstop.errors import DataError
from backstop.features import asof, build
from backstop.features.walk import Lineups, as_played, walk
from backstop.fitting import model
from backstop.fitting.rows import Window, box_results
from backstop.props import refit as kept_fits
from backstop.stages import plan, project

if TYPE_CHECKING:
    from backstop.fitting.model import Verdict
    from backstop.props.fitted import Fitted
    from backstop.stages.house import House


@dataclass(frozen=True)
class Training:
    """Point-in-time rows of a range of days.

    Attributes:
        rows: Columns of `out_features`, each row as of the day before its game; sorted by day, game, role, player.
        served: Days whose rows are those that were published.
        rebuilt: Days whose rows were built now, from the days before each.
        without_history: Days with finished games of which the lake holds no pitches; they have no rows.
    """

    rows: pl.DataFrame
    served: tuple[dt.date, ...]
    rebuilt: tuple[dt.date, ...]
    without_history: tuple[dt.date, ...]


def rows(house: House, first: dt.date, last: dt.date, *, rebuild: bool = False) -> Training:
    """Return the features of every slate from `first` to `last`, each as of its own day.

    A published day gives the rows that were served. Other days are built by the code that serves, from the days before
    each only: line-ups as posted where the lake has them, else as played.

    Args:
        house: The opened rooms.
        first: First day.
        last: Last day.
        rebuild: Build published days as well, for instance after late corrections of their history.
    """
    days = set(days_between(first, last))
    published = set() if rebuild else _published(house, days)
    tallies = asof.history(project.tallies(house), last + dt.timedelta(days=1))
    walked = walk(tallies, first, last, lineups=_lineups(house), box=house.lake.scan(tables.BOX.name))
    built = {day: frame for day, frame in walked if day not in published}
    # a slate whose games have not been tallied yet is not on the walk
    for day in sorted((days & house.lake.days(project.FEATURES)) - published - built.keys()):
        built[day] = _built(house, day)
    frames = built | {day: house.lake.read(project.FEATURES, day) for day in published}
    found = [_as_declared(frames[day]) for day in sorted(frames)]
    everything = pl.concat(found) if found else pl.DataFrame(schema=build.SCHEMA)
    kept = house.lake.days(project.TALLIES)
    lacking = sorted(day for day in _played(house, first, last) if day not in kept and day not in published)
    return Training(everything, tuple(sorted(published)), tuple(sorted(built)), tuple(lacking))


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
        window = Window(tallies, first, last, results=box_results(box), lineups=_lineups(house))
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


def _published(house: House, days: set[dt.date]) -> set[dt.date]:
    """Return the days whose served features have the columns of today."""
    listed = days & house.lake.days(project.FEATURES)
    return {day for day in listed if set(house.lake.read(project.FEATURES, day).columns) == set(build.SCHEMA)}


def _built(house: House, day: dt.date) -> pl.DataFrame:
    history, box = asof.history(project.tallies(house), day), house.lake.scan(tables.BOX.name)
    return build.build(history, plan.games_of(house, day), project.starters(house, day), cutoff=day, box=box)


def _lineups(house: House) -> Lineups:
    """Return what gives a day's games and line-ups as posted; as played where the lake has none."""
    posted = house.lake.days(tables.PLAYERS.name) & house.lake.days(tables.GAMES.name)

    def of(day: dt.date) -> tuple[pl.DataFrame, pl.DataFrame]:
        if day in posted:
            return plan.games_of(house, day), project.starters(house, day)
        return as_played(house.lake.read(project.TALLIES, day))

    return of


def _played(house: House, first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the days whose regular-season games are over."""
    over = (pl.col("game_type") == "R") & (pl.col("abstract_status") == "Final")
    found = house.lake.scan(tables.GAMES.name, first, last).filter(over).select("game_date").unique().collect()
    return found["game_date"].to_list()


def _as_declared(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in build.SCHEMA.items()).sort(
        "game_pk", "role", "player_id_mlbam"
    )
