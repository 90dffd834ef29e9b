"""Plan a backfill: which days of a range are still to do, and what they cost at most."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from backstop import tables
from backstop.clock import baseball_day
from backstop.errors import UsageError
from backstop.settings import LIVE_HOSTS, Feed
from backstop.sources.theodds import cost as credits_of
from backstop.sources.theodds.cost import FULL_DAY
from backstop.stages import days, plan, schedules
from backstop.stages.days import Condition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstop.stages.house import House

CREDIT_LIMIT: Final = 5_000
"""Credits that a backfill of live feeds may cost when nobody says otherwise: a quarter of the smallest paid month."""

REDONE: Final = frozenset({Condition.MISSING, Condition.FAILED})


@dataclass(frozen=True, slots=True)
class Backfill:
    """What a backfill is going to do.

    Attributes:
        first: First day.
        last: Last day.
        todo: Days to do, oldest first.
        skipped: Days that need nothing, by condition.
        credits: Credits of paid feeds that it costs at most.
        limit: Credits that it may cost; null when nothing is paid (a demo, a recording, a replay).
    """

    first: dt.date
    last: dt.date
    todo: tuple[dt.date, ...]
    skipped: dict[Condition, int]
    credits: int
    limit: int | None

    def sentence(self) -> str:
        """Say what is going to be done and what it costs."""
        left_alone = ", ".join(f"{number} {condition}" for condition, number in sorted(self.skipped.items()))
        cost = f"at most {self.credits:,} credits" if self.credits else "no credits"
        limit = ", which this upstream does not charge" if self.limit is None else f" of {self.limit:,} allowed"
        return (
            f"{self.first} to {self.last}: {len(self.todo)} days to do, "
            f"{left_alone or 'none'} left alone; {cost}{limit if self.credits else ''}."
        )


def plan_range(
    house: House,
    first: dt.date | None,
    last: dt.date | None,
    *,
    degraded: bool = False,
    prices: bool = True,
    credit_limit: int | None = None,
) -> Backfill:
    """Return what a range of days still needs; the ledger is asked twice, whatever the length of the range.

    Args:
        house: The opened rooms.
        first: First day; that of the first season that is kept by default.
        last: Last day; yesterday by default.
        degraded: Whether days that were published with gaps are done again.
        prices: Whether books are asked.
        credit_limit: Credits that may be spent; `CREDIT_LIMIT` by default where they cost money.

    Raises:
        UsageError: the range is empty, not over, or begins before the first season that is kept.
    """
    yesterday = baseball_day(house.clock.now()) - dt.timedelta(days=1)
    last = last or yesterday
    if first is not None:
        check_range(house, first, last)
        known = days.of_range(house, first, last)
    else:
        known = days.of_seasons(house, last)
    wanted = REDONE | {Condition.DEGRADED} if degraded else REDONE
    todo = tuple(each.day for each in known if each.condition in wanted)
    credits_ = cost(house, todo) if prices and not plan.quotes_wanted(house, last) else 0
    limit = credit_limit if credit_limit is not None else _default_limit(house)
    rest = days.count(each for each in known if each.condition not in wanted)
    return Backfill(known[0].day if known else last, last, todo, rest, credits_, limit)


def check_range(house: House, first: dt.date, last: dt.date) -> None:
    """Refuse a range that makes no sense.

    Raises:
        UsageError: it is empty, not over, or begins before the first season that is kept.
    """
    if last < first:
        raise UsageError(f"The range {first} to {last} ends before it begins; give the earlier date first.")
    today = baseball_day(house.clock.now())
    if last >= today:
        raise UsageError(f"{last} is not over (today is {today}); a backfill ends yesterday, a refresh does today.")
    plan.check_day(house, first)


def check_budget(todo: Backfill) -> None:
    """Refuse a backfill that may cost more than allowed.

    Raises:
        UsageError: it may; the message says how to allow it, or to do without prices.
    """
    if todo.limit is not None and todo.credits > todo.limit:
        raise UsageError(
            f"{len(todo.todo)} days may cost {todo.credits:,} credits and {todo.limit:,} are allowed. Allow them "
            f"(--credits {todo.credits}), take fewer days, or leave prices out (--no-prices)."
        )


def cost(house: House, todo: Sequence[dt.date]) -> int:
    """Return the credits that the prices of past days cost at most.

    A day whose schedule is not known yet counts as if `FULL_DAY` games were played.
    """
    if not todo:
        return 0
    games, markets = _games(house, todo), plan.markets_of(house.settings)
    return sum(credits_of.of_day(day, games.get(day, FULL_DAY), markets, past=True).most for day in todo)


def _games(house: House, todo: Sequence[dt.date]) -> dict[dt.date, int]:
    """Return the number of games to price by day; days without a known schedule are left out."""
    games = house.lake.scan(tables.GAMES.name, todo[0], todo[-1])
    return dict(games.group_by("game_date").agg(schedules.is_to_be_played().sum()).collect().iter_rows())


def _default_limit(house: House) -> int | None:
    return CREDIT_LIMIT if house.settings.url_of(Feed.THEODDS) == LIVE_HOSTS[Feed.THEODDS] else None
