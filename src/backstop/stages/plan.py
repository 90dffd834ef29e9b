"""Plan: what a slate needs that the lake does not hold yet, as items in batches of 50."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import polars as pl

from backstop import tables
from backstop.batches import batched
from backstop.clock import baseball_day
from backstop.errors import UsageError
from backstop.net.item import Priority
from backstop.props.markets import MARKETS as PROJECTED
from backstop.props.markets import market
from backstop.settings import Feed
from backstop.sources.savant import pitches
from backstop.sources.sportradar import playerprops, summary
from backstop.sources.statsapi import boxscore, schedule
from backstop.sources.theodds import cost, events, props
from backstop.sources.theodds.markets import with_alternates
from backstop.stages import allowance, archived, schedules, second, turn

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from backstop.net.item import Item
    from backstop.settings import Settings
    from backstop.stages.fetch import FetchedBatch
    from backstop.stages.house import House


MARKETS = (
    "batter_hits", "batter_total_bases", "batter_home_runs", "batter_strikeouts", "batter_walks", "pitcher_strikeouts",
)  # fmt: skip
"""Markets that the books are asked for unless others are set; more are projected."""


def markets_of(settings: Settings) -> Sequence[str]:
    """Return the keys that the books are asked for: `MARKETS` or those set, with their alternate lines where wanted.

    Raises:
        UsageError: one of those set is not projected: its prices would be paid for and compared with nothing.
    """
    said = settings.odds_markets
    wanted = PROJECTED if said == "all" else dict.fromkeys(key.strip() for key in said.split(",")) if said else MARKETS
    chosen = [market(key).key for key in wanted]
    return with_alternates(chosen) if settings.odds_alternates else chosen


def check_day(house: House, day: dt.date) -> None:
    """Refuse a day for which there can be no slate yet.

    Raises:
        UsageError: the day lies more than one day ahead, or before the first season kept.
    """
    today = baseball_day(house.clock.now())
    last = today + dt.timedelta(days=1)
    if day > last:
        raise UsageError(
            f"{day} lies in the future: line-ups and prices exist at the earliest the day before. "
            f"Today is {today}; ask for a date up to {last}."
        )
    first = dt.date(house.settings.history_first_season, *schedules.SEASON_OPENS)
    if day < first:
        raise UsageError(
            f"{day} lies before {first}, the first day kept as history. Ask for a later date, or set "
            f"BACKSTOP_HISTORY_FIRST_SEASON to {day.year} or earlier."
        )


def schedule_batches(house: House, day: dt.date) -> list[list[Item]]:
    """Return schedule requests for the slate's day and for earlier days whose games are not settled in the ledger."""
    wanted = schedules.season_days(house.settings.history_first_season, day)
    missing = set(house.ledger.missing(tables.GAMES.name, [each.isoformat() for each in wanted]))
    items = schedule_requests(house, [each for each in wanted if each.isoformat() in missing])
    return list(batched([*ranked(house, day, schedule.plan_day(day)), *items]))


def schedule_requests(house: House, days: Sequence[dt.date]) -> list[Item]:
    """Return requests for the schedule of days, by month; from an archive those that were made when it was filled."""
    answered, known = archived.schedule_requests(house.archive, days) if house.replays else ([], set())
    return [
        *answered,
        *(item for span in spans([day for day in days if day not in known]) for item in schedule.plan(*span)),
    ]


def ranked(house: House, day: dt.date, items: Iterable[Item]) -> list[Item]:
    """Return requests about a day with their place at the gate: those about a day that is over are history."""
    if day >= baseball_day(house.clock.now()):
        return list(items)
    return [replace(item, priority=Priority.HISTORY) for item in items]


def spans(days: list[dt.date]) -> list[tuple[dt.date, dt.date]]:
    """Join consecutive days into (first, last) pairs."""
    joined: list[tuple[dt.date, dt.date]] = []
    for day in days:
        if joined and day - joined[-1][1] == dt.timedelta(days=1):
            joined[-1] = (joined[-1][0], day)
        else:
            joined.append((day, day))
    return joined


def pitch_batches(house: House, day: dt.date) -> list[list[Item]]:
    """Return requests for the days of history whose pitches the ledger lacks, one day an item."""
    days = schedules.finished_games(house, day)["game_date"].to_list()
    missing = house.ledger.missing(tables.PITCHES.name, [each.isoformat() for each in days])
    return list(batched(pitches.plan([dt.date.fromisoformat(key) for key in missing])))


def box_batches(house: House, day: dt.date) -> list[list[Item]]:
    """Return box-score requests for the day's games: rosters, line-ups when posted, lines when final."""
    return list(batched(ranked(house, day, boxscore.plan(schedules.games_of(house, day)["game_pk"].to_list()))))


def quotes_wanted(house: House, day: dt.date | None = None) -> str:
    """Return an empty text when prices can be asked for, otherwise the reason why not."""
    keys = second.keys(house.settings)
    past = day is not None and day < baseball_day(house.clock.now())
    if Feed.THEODDS in keys or (Feed.SPORTRADAR in keys and not past):
        return ""
    if Feed.SPORTRADAR in keys:
        return "no prices: BACKSTOP_THEODDS_KEY is not set, and SportRadar has none of days that are over"
    return "no prices: BACKSTOP_THEODDS_KEY is not set"


def event_batches(house: House, day: dt.date) -> list[list[Item]]:
    """Return the request for the day's events, or for SportRadar's prices where it is asked; empty without keys."""
    if quotes_wanted(house, day):
        return []
    if day < baseball_day(house.clock.now()):
        return [events.plan(day, cost.history_instant(day))]
    to_begin = schedules.games_of(house, day).filter(pl.col("start_at") > house.clock.now()).height
    choice = allowance.choose(house, day, to_begin, markets_of(house.settings))
    return [playerprops.plan(day) if choice.feed is Feed.SPORTRADAR else events.plan(day)]


def quote_batches(house: House, day: dt.date, listed: pl.DataFrame) -> list[list[Item]]:
    """Return one request per event: at its start for a day that is over, now for a day to come."""
    at: Literal["commence"] | None = "commence" if day < baseball_day(house.clock.now()) else None
    return list(batched(props.plan(listed, markets_of(house.settings), at)))


def settle_schedule(house: House, covered: Iterable[dt.date], run_id: str, stood_in: Collection[dt.date] = ()) -> None:
    """Close the schedule's days in the ledger: days without games are empty, days with open games come again.

    Args:
        house: The opened rooms.
        covered: Days that the schedule answers speak of.
        run_id: The run that fetched them.
        stood_in: Days of which the second source spoke: the preferred one is asked again next time.
    """
    listed = house.lake.days(tables.GAMES.name)
    for day in covered:
        if day not in listed and day in stood_in:
            continue  # the second source knows of none, or none that it could name: not enough to call the day empty
        if day not in listed:
            turn.take(house, tables.GAMES.name, day.isoformat(), run_id)
            house.ledger.empty(tables.GAMES.name, day.isoformat(), run_id=run_id, reason="no games on the schedule")
        elif day in stood_in:
            house.ledger.stale(tables.GAMES.name, [day.isoformat()], reason="the second source's word on the day")
        elif not _settled(house.lake.read(tables.GAMES.name, day)):
            house.ledger.stale(tables.GAMES.name, [day.isoformat()], reason="games are not final yet")


def settle_scores(house: House, day: dt.date, batches: Iterable[FetchedBatch]) -> None:
    """Mark a day whose box scores the second source told, or nobody: the preferred one is asked again next time."""
    if missed := [lost for batch in batches for lost in batch.missed]:
        reason = f"{len(missed)} of its box scores were not had: {missed[0].sentence}"
        for table in (tables.PLAYERS, tables.BOX):
            house.ledger.stale(table.name, [day.isoformat()], reason=reason)
    elif any(fetched.item.table == summary.TABLE for batch in batches for fetched in batch.answers):
        house.ledger.stale(tables.BOX.name, [day.isoformat()], reason="the second source's word on the day")


def _settled(games: pl.DataFrame) -> bool:
    """Return whether every game of a day is over or will not be played then."""
    return bool(games.select(((pl.col("abstract_status") == "Final") | schedule.is_off()).all()).item())
