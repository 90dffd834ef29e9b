"""The second source: whom to ask when the preferred feed did not give a slate's schedule, box scores or live prices.

Only what a slate cannot be made without is asked for again, a day at a time: a season's schedule would cost a trial
key its month. History keeps its gap, which is named, and is asked for in the next run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop import tables
from backstop.errors import UpstreamRefused
from backstop.settings import LIVE_HOSTS, Feed, Settings
from backstop.sources import failover
from backstop.sources.failover import Choice, Purpose
from backstop.sources.sportradar import playerprops, summary
from backstop.sources.sportradar import schedule as sportradar_schedule
from backstop.sources.statsapi import boxscore, schedule
from backstop.sources.theodds import events, props

if TYPE_CHECKING:
    from backstop.net.item import Item
    from backstop.stages.fetch import Missed
    from backstop.stages.house import House

TABLES: Final = frozenset({sportradar_schedule.TABLE, summary.TABLE, playerprops.TABLE})
"""Tables of answers that stand in for those of the preferred feed."""

PURPOSES: Final = {
    schedule.TABLE: Purpose.SCHEDULE,
    boxscore.TABLE: Purpose.BOX,
    events.TABLE: Purpose.ODDS,
    props.TABLE: Purpose.ODDS,
    playerprops.TABLE: Purpose.ODDS,
}
"""What an item of a table is asked for; the others have one source only."""


@dataclass(frozen=True)
class Instead:
    """What the second source is asked.

    Attributes:
        choice: Who, and why not the preferred feed.
        items: Requests; none when the second source cannot answer either.
        stands_for: What was missed and is covered by these requests.
    """

    choice: Choice
    items: tuple[Item, ...]
    stands_for: tuple[Missed, ...]


def keys(settings: Settings) -> frozenset[Feed]:
    """Return the paid feeds that answer here: a key is set, or they are found at a server that asks for none."""
    elsewhere = settings.upstream != "live"
    return frozenset(
        feed
        for feed in failover.KEYED
        if elsewhere or settings.key_of(feed) is not None or settings.url_of(feed) != LIVE_HOSTS[feed]
    )


def choose(
    house: House, purpose: Purpose, failed: dict[Feed, str] | None = None, *, credits_needed: int = 0, days: int = 1
) -> Choice:
    """Choose who is asked, by what is known of the feeds now; a replay knows nothing of them."""
    return failover.choose(
        purpose,
        house.bridge.health(),
        keys=keys(house.settings),
        credits_needed=credits_needed,
        days=days,
        credit_floor=house.settings.credit_floor,
        failed=failed or {},
    )


def instead(house: House, missed: Sequence[Missed]) -> list[Instead]:
    """Return what to ask the second source for the items that the preferred feed did not give."""
    by_need: dict[tuple[Purpose, dt.date], list[Missed]] = {}
    of_games = _days_of_games(house, [lost for lost in missed if lost.item.table == boxscore.TABLE])
    for lost in missed:
        purpose = PURPOSES.get(lost.item.table)
        if purpose is None or lost.item.table in TABLES:
            continue
        day = of_games.get(lost.item.key) if purpose is Purpose.BOX else _day(lost)
        if day is not None:
            by_need.setdefault((purpose, day), []).append(lost)
    return [_instead(house, purpose, day, lost) for (purpose, day), lost in by_need.items()]


def _instead(house: House, purpose: Purpose, day: dt.date, lost: list[Missed]) -> Instead:
    choice = choose(house, purpose, {lost[0].item.feed: lost[0].sentence})
    items: list[Item] = []
    if choice.usable and purpose is Purpose.SCHEDULE:
        items = failover.plan_schedule(choice, day)
    elif choice.usable and purpose is Purpose.BOX:
        items = summary.plan_day(day)
    elif choice.usable:
        items = failover.plan_odds(choice, day, pl.DataFrame(), ())
    return Instead(choice, tuple(items), tuple(lost))


def _days_of_games(house: House, lost: Sequence[Missed]) -> dict[str, dt.date]:
    """Return the days of the games whose box scores were missed, by the key of the item."""
    if not lost or not house.lake.days(tables.GAMES.name):
        return {}
    games = house.lake.scan(tables.GAMES.name).filter(pl.col("game_pk").is_in([int(each.item.key) for each in lost]))
    return {str(game_pk): day for game_pk, day in games.select("game_pk", "game_date").collect().iter_rows()}


def _day(lost: Missed) -> dt.date | None:
    """Return the day that an item asks about now; `None` for history and for an event that is merely over."""
    first, _, last = lost.item.key.partition("..")
    if lost.item.table == props.TABLE:
        first, last = lost.item.key.partition("/")[0], ""
        if lost.error == UpstreamRefused.__name__:
            return None
    if "@" in lost.item.key or last not in ("", first):
        return None
    return dt.date.fromisoformat(first)


def word(house: House, items: Iterable[Item]) -> tuple[str, ...]:
    """Say who answers and why, for items that were planned for the second source from the start."""
    planned = {PURPOSES[item.table] for item in items if item.table in PURPOSES and item.table in TABLES}
    return tuple(_why(house, purpose) for purpose in sorted(planned))


def _why(house: House, purpose: Purpose) -> str:
    choice = choose(house, purpose)
    if choice.feed is Feed.SPORTRADAR:
        return choice.sentence()
    # nothing keeps the preferred one from answering, so its credits did not last
    return f"{purpose.value}: {Feed.SPORTRADAR.value}, because {choice.feed.value} has too few credits left"
