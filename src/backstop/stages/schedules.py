"""What the lake's schedule says: which games a day has, which are over, and of which days nobody knows."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl

from backstop import tables
from backstop.clock import DAY_STARTS_AT_HOUR, EASTERN, days_between
from backstop.errors import UpstreamUnavailable, UsageError
from backstop.features import asof
from backstop.lake.states import State
from backstop.settings import Feed
from backstop.sources.statsapi import schedule

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backstop.stages.house import House
    from backstop.stages.outcome import Outcome


SEASON_OPENS = (3, 1)
"""Regular seasons have opened between 18 March (overseas) and early April; spring games before are not history."""

SEASON_CLOSES = (11, 15)
"""The latest World Series ended on 5 November."""

COUNTED_TYPES = ("R", "F", "D", "L", "W")
"""Games of the regular season and the postseason: those with pitches to learn from and props to price."""

SUSPENDED = "Suspended"
"""How the state of a game begins that will be played on, on this day or a later one."""


def season_days(first_season: int, day: dt.date) -> list[dt.date]:
    """Return every day of the seasons from `first_season` up to the day before `day`."""
    spans = (
        days_between(dt.date(season, *SEASON_OPENS), min(dt.date(season, *SEASON_CLOSES), day - dt.timedelta(days=1)))
        for season in range(first_season, day.year + 1)
    )
    return [each for span in spans for each in span]


def games_of(house: House, day: dt.date) -> pl.DataFrame:
    """Return the day's games that count and are to be played, one row per game; empty on an off day.

    A start that is to be determined is the end of the day: the feed lists it at 3:33 Eastern, before all others, and
    the game has not begun until it is under way.
    """
    if day not in house.lake.days(tables.GAMES.name):
        return tables.GAMES.empty()
    over = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(DAY_STARTS_AT_HOUR), EASTERN).astimezone(dt.UTC)
    unknown = pl.col("start_is_tbd") & (pl.col("abstract_status") == "Preview")
    start = pl.when(unknown).then(pl.lit(over, tables.UTC_INSTANT)).otherwise("start_at").alias("start_at")
    return house.lake.read(tables.GAMES.name, day).filter(is_to_be_played()).with_columns(start)


def known_start() -> pl.Expr:
    """When a game begins, null while that is to be determined: what people are told, who would take the end for it."""
    return pl.when(pl.col("start_is_tbd").fill_null(value=False)).then(None).otherwise("start_at").alias("start_at")


def first_pitch(games: pl.DataFrame) -> dt.datetime | None:
    """Return the first known start; `None` of games of which none has one yet, and of no games."""
    first = games.select(known_start()).to_series().min()
    return first if isinstance(first, dt.datetime) else None


def is_to_be_played() -> pl.Expr:
    """Whether a game counts and was not called off."""
    # the second source does not say of what kind a postseason game is: what is not known not to count does
    counts = pl.col("game_type").is_in(COUNTED_TYPES).fill_null(value=True)
    return counts & ~schedule.is_off()


def check_schedule_known(house: House, day: dt.date, calendar: Outcome) -> None:
    """Tell an off day from a day whose schedule could not be had.

    Raises:
        UpstreamUnavailable: neither this run nor an earlier one knows the day's schedule.
    """
    entry = house.ledger.entry(tables.GAMES.name, day.isoformat())
    if entry is not None and (entry.state is State.EMPTY_OK or day in house.lake.days(tables.GAMES.name)):
        return
    reasons = "; ".join(gap.reason for gap in calendar.gaps if gap.key == day.isoformat()) or "it was not answered"
    raise UpstreamUnavailable(
        f"The schedule of {day} is not known ({reasons}), so nobody can say who plays. Run the day again when the "
        "schedule answers.",
        source=Feed.STATSAPI,
    )


def check_past_known(house: House, day: dt.date, calendar: Outcome) -> None:
    """Tell a day before which nothing was played from one whose past nobody answered for.

    Raises:
        UpstreamUnavailable: neither this run nor an earlier one knows the schedule of every day of the seasons before.
    """
    before = [each.isoformat() for each in season_days(house.settings.history_first_season, day)]
    listed = {each.isoformat() for each in house.lake.days(tables.GAMES.name)}
    unknown = [key for key in house.ledger.missing(tables.GAMES.name, before) if key not in listed]
    if not unknown:
        return
    reasons = "; ".join(gap.reason for gap in calendar.gaps if gap.key != day.isoformat()) or "it was not answered"
    raise UpstreamUnavailable(
        f"No game before {day} is known, and the schedule of {len(unknown)} days from {unknown[0]} to {unknown[-1]} is "
        f"not ({reasons}), so nobody can say what was played. Run the day again when the schedule answers.",
        source=Feed.STATSAPI,
    )


def finished_games(house: House, day: dt.date) -> pl.DataFrame:
    """Return earlier days with the number of their finished games that count: `game_date`, `games`."""
    first = dt.date(house.settings.history_first_season, *SEASON_OPENS)
    counted = pl.col("game_type").is_in(COUNTED_TYPES)
    return (
        house.lake.scan(tables.GAMES.name, first, day - dt.timedelta(days=1))
        .filter(counted & is_finished())
        .group_by("game_date")
        .agg(games=pl.len())
        .sort("game_date")
        .collect()
    )


def resumed_games(house: House) -> pl.DataFrame:
    """Return the games that were suspended, and the day on which each was known whole: `game_pk`, `known_on`.

    That of a game which is still suspended is the last of all days.
    """
    ongoing = pl.col("status").str.starts_with(SUSPENDED).fill_null(value=False)
    known = pl.when(ongoing).then(pl.lit(dt.date.max)).otherwise("resumed_on").alias(asof.KNOWN_ON)
    told = house.lake.scan(tables.GAMES.name).select("game_pk", known).drop_nulls(asof.KNOWN_ON)
    return told.group_by("game_pk").agg(pl.col(asof.KNOWN_ON).max()).collect()


def is_finished() -> pl.Expr:
    """Whether a game was played to its end."""
    return (pl.col("abstract_status") == "Final") & ~schedule.is_off()


def days_with_pitches(house: House, days: Iterable[dt.date]) -> list[dt.date]:
    """Return the days on which a game of any kind was finished, and those whose schedule is not known."""
    listed = house.lake.days(tables.GAMES.name)

    def may_have(day: dt.date) -> bool:
        if day in listed:
            return not house.lake.read(tables.GAMES.name, day).filter(is_finished()).is_empty()
        entry = house.ledger.entry(tables.GAMES.name, day.isoformat())
        return entry is None or entry.state is not State.EMPTY_OK

    return [day for day in days if may_have(day)]


def day_of_games(house: House, days: Iterable[dt.date], game_pk: str) -> dt.date:
    """Return the day among `days` whose schedule lists a game.

    Raises:
        UsageError: none does.
    """
    for day in sorted(house.lake.days(tables.GAMES.name) & set(days)):
        if int(game_pk) in house.lake.read(tables.GAMES.name, day)["game_pk"]:
            return day
    raise UsageError(f"No schedule in the lake lists game {game_pk}; fetch the schedule of its day first.")
