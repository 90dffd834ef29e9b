"""Training sets: the features of past days as they were served, or would have been."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from backstop import tables
from backstop.clock import days_between
from backstop.features import asof, build
from backstop.features.walk import Lineups, as_played, walk
from backstop.props import refit
from backstop.props.fitted import Fitted
from backstop.stages import project, schedules

if TYPE_CHECKING:
    from backstop.features.parameters import Parameters
    from backstop.stages.house import House


@dataclass(frozen=True)
class Training:
    """Point-in-time rows of a range of days.

    Attributes:
        rows: Columns of `out_features`, each row as of the day before its game; sorted by day, game, role, player.
        served: Days whose rows are those that were published.
        rebuilt: Days whose rows were built now, from the days before each.
        in_sample: Days that the numbers behind their rows were fitted on, or earlier ones: nobody could have had these
            rows then.
            A served day of the shipped numbers' own seasons is among them whatever fit it was served with.
        without_history: Days with finished games of which the lake holds no pitches; they have no rows.
    """

    rows: pl.DataFrame
    served: tuple[dt.date, ...]
    rebuilt: tuple[dt.date, ...]
    in_sample: tuple[dt.date, ...]
    without_history: tuple[dt.date, ...]


def rows(house: House, first: dt.date, last: dt.date, *, rebuild: bool = False) -> Training:
    """Return the features of every slate from `first` to `last`, each as of its own day.

    A published day gives the rows that were served. Other days are built by the code that serves, from the days before
    each only and with the fit that a slate of the day uses: line-ups as posted where the lake has them, else as played.

    Args:
        house: The opened rooms.
        first: First day.
        last: Last day.
        rebuild: Build published days as well, for instance after late corrections of their history.
    """
    days = set(days_between(first, last))
    published = set() if rebuild else _published(house, days)
    resumed = schedules.resumed_games(house)
    fits, box = refit.by_day(house.lake), project.box(house, resumed=resumed)
    walked = walk(
        project.tallies(house, resumed),
        first,
        last,
        lineups=lineups_of(house),
        parameters=lambda day: fits(day).parameters,
        box=box,
    )
    built = {day: frame for day, frame in walked if day not in published}
    # a slate whose games have not been tallied yet is not on the walk
    for day in sorted((days & house.lake.days(project.FEATURES)) - published - built.keys()):
        built[day] = _built(house, day, fits(day).parameters)
    frames = built | {day: house.lake.read(project.FEATURES, day) for day in published}
    found = [_as_declared(frames[day]) for day in sorted(frames)]
    everything = pl.concat(found) if found else pl.DataFrame(schema=build.SCHEMA)
    kept = house.lake.days(project.TALLIES)
    lacking = sorted(day for day in _played(house, first, last) if day not in kept and day not in published)
    shipped = Fitted.shipped().parameters.last_day
    seen = {day for day in frames if day <= fits(day).parameters.last_day or (day in published and day <= shipped)}
    served, rebuilt, in_sample = (tuple(sorted(days)) for days in (published, built, seen))
    return Training(everything, served, rebuilt, in_sample, tuple(lacking))


def _published(house: House, days: set[dt.date]) -> set[dt.date]:
    """Return the days whose served features have the columns of today."""
    listed = days & house.lake.days(project.FEATURES)
    return {day for day in listed if set(house.lake.read(project.FEATURES, day).columns) == set(build.SCHEMA)}


def _built(house: House, day: dt.date, parameters: Parameters) -> pl.DataFrame:
    resumed = schedules.resumed_games(house)
    history, box = asof.history(project.tallies(house, resumed), day), project.box(house, resumed=resumed)
    games, players = schedules.games_of(house, day), project.starters(house, day)
    return build.build(history, games, players, cutoff=day, box=box, parameters=parameters)


def lineups_of(house: House) -> Lineups:
    """Return what gives a day's games and line-ups as posted; as played where the lake has none."""
    posted = house.lake.days(tables.PLAYERS.name) & house.lake.days(tables.GAMES.name)

    def of(day: dt.date) -> tuple[pl.DataFrame, pl.DataFrame]:
        if day in posted:
            return schedules.games_of(house, day), project.starters(house, day)
        return as_played(house.lake.read(project.TALLIES, day))

    return of


def _played(house: House, first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the days whose regular-season games are over."""
    over = (pl.col("game_type") == "R") & schedules.is_finished()
    found = house.lake.scan(tables.GAMES.name, first, last).filter(over).select("game_date").unique().collect()
    return found["game_date"].to_list()


def _as_declared(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in build.SCHEMA.items()).sort(
        "game_pk", "role", "player_id_mlbam"
    )
