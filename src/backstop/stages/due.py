"""What is due now, asked of the calendar and the ledger: which slate, which prices, which grade.

Every answer carries a slot, a word that two schedulers who look at the same state spell alike: as part of an
idempotency key it makes the second start of the same work impossible.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop import tables
from backstop.clock import baseball_day, days_between
from backstop.lake.states import State
from backstop.stages import allowance, days, lineups, plan, schedules, settled
from backstop.stages.days import Condition
from backstop.stages.grade import GRADES, SETTLED
from backstop.stages.settled import SETTLED_AFTER, morning_after, settled_at

if TYPE_CHECKING:
    from backstop.lake.ledger import Entry
    from backstop.stages.days import Day
    from backstop.stages.house import House

LOOK_BACK_DAYS: Final = 3
"""Days before today whose slate or grade is started by itself when it is missing; older ones are a backfill's, but for
grades that waited for a suspended game."""

LINEUPS_FROM: Final = dt.timedelta(hours=5)
"""Clubs post line-ups two to four hours before first pitch; before this nobody asks for them."""

LINEUPS_AGAIN: Final = dt.timedelta(minutes=30)
"""Pause after a refresh that could not have all line-ups that were posted: the next one asks for prices too."""

CALENDAR_EVERY: Final = dt.timedelta(hours=6)
CALENDAR_EVERY_LIVE: Final = dt.timedelta(minutes=10)
"""How old the day's schedule may be: on a quiet day, and from the first line-ups to the last out."""

LONGEST_GAME: Final = dt.timedelta(hours=6)
"""After this a game is over, or suspended."""

RETRY_AFTER: Final = tuple(dt.timedelta(minutes=minutes) for minutes in (5, 15, 30, 60))
"""Pauses after a failed try, the last one repeated: a feed that is down all day costs a run an hour, not a storm."""

PRICES_EVERY: Final = dt.timedelta(minutes=5)
"""How often prices are asked for when credits allow it."""

RUN_TAKES: Final = dt.timedelta(minutes=2)
"""At the most, as a rule. Pauses are counted from the end of a run, so whoever looks every five minutes would always
come seconds too early: prices every ten minutes, the schedule every fifteen."""


@dataclass(frozen=True, slots=True)
class Due:
    """One run that should be started.

    Attributes:
        flow: Name of the flow.
        day: Its day.
        slot: What makes this run different from the day's other runs of the flow.
        reason: A sentence for the log.
        after: The run whose work it renews; it does nothing once another has. Empty where that is no matter.
    """

    flow: str
    day: dt.date
    slot: str
    reason: str
    after: str = ""

    @property
    def key(self) -> str:
        """The idempotency key."""
        return f"{self.flow}:{self.day}:{self.slot}"

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the flow, as JSON."""
        return {"day": self.day.isoformat()} | ({"after": self.after} if self.after else {})


def calendar_is_old(house: House, now: dt.datetime) -> bool:
    """Return whether today's schedule should be asked for again."""
    today = baseball_day(now)
    entry = house.ledger.entry(tables.GAMES.name, today.isoformat())
    if entry is None or entry.closed_at is None:
        return True
    every = CALENDAR_EVERY_LIVE if _is_live(house, today, now) else CALENDAR_EVERY
    return now - entry.closed_at >= every - RUN_TAKES


def _is_live(house: House, today: dt.date, now: dt.datetime) -> bool:
    starts = schedules.games_of(house, today)["start_at"]
    if starts.is_empty():
        return False
    first, last = starts.min(), starts.max()
    assert isinstance(first, dt.datetime)  # noqa: S101 - the column's type
    assert isinstance(last, dt.datetime)  # noqa: S101
    return first - LINEUPS_FROM <= now <= last + LONGEST_GAME


def runs(house: House, now: dt.datetime, *, prices_every: dt.timedelta | None = PRICES_EVERY) -> list[Due]:
    """Return the runs that are due at an instant; none on an off day, none before line-ups are posted.

    Args:
        house: The opened rooms.
        now: The instant.
        prices_every: How often credits allow prices to be asked for; `None` when there are none to spend.
    """
    today = baseball_day(now)
    recent = days.of_range(house, today - dt.timedelta(days=LOOK_BACK_DAYS), today)
    due = [each for day in recent if (each := slate(house, day, now))]
    due += [each for day in [*resumed(house, recent[0].day), *recent] if (each := grading(house, day, now))]
    if prices_every is not None and (each := prices(house, recent[-1], now, prices_every)):
        due.append(each)
    return due


def slate(house: House, day: Day, now: dt.datetime) -> Due | None:
    """Return the refresh that a day's slate needs: line-ups were posted, it failed, or it was missed."""
    if day.condition in {Condition.EMPTY, Condition.RUNNING}:
        return None
    games = schedules.games_of(house, day.day)
    if games.is_empty():
        return None
    if day.condition is Condition.FAILED:
        return _again(day, now) if now <= _last_start(games) or day.day < baseball_day(now) else None
    if day.day < baseball_day(now):
        missed = day.condition is Condition.MISSING
        return Due("slate-refresh", day.day, "missed", f"{day.day} was never published") if missed else None
    return _line_ups(house, day, now, _last_start(games))


def _line_ups(house: House, day: Day, now: dt.datetime, last_start: dt.datetime) -> Due | None:
    """Return the refresh that line-ups make due which were posted since the last one, or which it could not have."""
    owed = lineups.owed(house, day, now)
    if owed is None:
        return None
    # the refresh before it asked for these very line-ups in vain: the next one asks for prices too
    in_vain_at = None if owed.is_new else owed.asked_at
    if in_vain_at is not None and (now - in_vain_at < LINEUPS_AGAIN or now > last_start):
        return None
    return Due("slate-refresh", day.day, owed.slot, owed.reason)


def _again(day: Day, now: dt.datetime) -> Due | None:
    """Return another try of a failed slate once its pause is over."""
    pause = pause_after(day.attempts)
    if day.closed_at is not None and now - day.closed_at < pause:
        return None
    return Due("slate-refresh", day.day, _try(day.attempts, day.run_id), f"{day.day} failed: {day.reason}")


def _try(attempts: int, run_id: str | None) -> str:
    """Return the slot of the try after a run that failed; a second try may come more than once a day."""
    return f"try-{attempts + 1}-after-{(run_id or 'none')[:8]}"


def pause_after(attempts: int) -> dt.timedelta:
    """Return how long nobody tries again after so many tries that failed."""
    return RETRY_AFTER[min(max(attempts, 1), len(RETRY_AFTER)) - 1]


def grading(house: House, day: Day, now: dt.datetime) -> Due | None:
    """Return the grading that a day needs: published, the next morning, and not graded yet or with less than there is.

    A game that is not over the next morning is suspended, and the day is graded without it, then once more when it is.
    Where one has not even begun the schedule may be behind: the day waits for it until the morning after.
    """
    if day.condition not in {Condition.COMPLETE, Condition.DEGRADED} or now < morning_after(day.day):
        return None
    games = schedules.games_of(house, day.day)
    if games.is_empty():
        return None
    entry = house.ledger.entry(GRADES, day.day.isoformat())
    if entry is not None:
        return _grade_again(house, day, entry, now)
    to_begin = (games["abstract_status"] == "Preview").any()
    if to_begin and now < morning_after(day.day + dt.timedelta(days=1)):
        return None
    left = settled.not_over(house, day.day)
    return Due("slate-grade", day.day, "first", left or f"all games of {day.day} are over")


def _grade_again(house: House, day: Day, entry: Entry, now: dt.datetime) -> Due | None:
    """Return the grading after one that had gaps or died, once its pause is over."""
    with_gaps = entry.state is State.DEGRADED
    if entry.state is State.COMPLETE or not (with_gaps or days.is_dead(entry, now)):
        return None
    if entry.closed_at is not None and now - entry.closed_at < pause_after(entry.attempts):
        return None
    if with_gaps and entry.reason == settled.not_over(house, day.day):
        return None  # it was graded with all there is
    why = "was graded without" if with_gaps else "was not graded"
    return Due("slate-grade", day.day, _try(entry.attempts, entry.run_id), f"{day.day} {why}: {entry.reason}")


def resumed(house: House, before: dt.date) -> list[Day]:
    """Return the days before a date that were graded without a game which is over now, however long ago they were.

    Also those whose grade failed then: their results are still the ones without it.
    """
    graded = house.ledger.entries(GRADES, states=[State.DEGRADED, State.FAILED])
    settled_days = house.lake.days(SETTLED)
    found = []
    for entry in graded:
        day = dt.date.fromisoformat(entry.key)
        if day < before and (day in settled_days if entry.state is State.FAILED else _is_resumed(house, day, entry)):
            found += days.of_range(house, day, day)
    return found


def _is_resumed(house: House, day: dt.date, graded: Entry) -> bool:
    reason = graded.reason or ""
    if not reason.endswith(settled.NOT_OVER):
        return False
    still = settled.not_over(house, day)
    return not still or not reason.endswith(still)


def prices(house: House, day: Day, now: dt.datetime, every: dt.timedelta) -> Due | None:
    """Return the refresh of prices that a published slate needs while games are still to begin."""
    if day.condition not in {Condition.COMPLETE, Condition.DEGRADED} or plan.quotes_wanted(house):
        return None
    games = schedules.games_of(house, day.day)
    to_begin = games.filter(pl.col("start_at") > now).height
    if not to_begin or (day.closed_at is not None and now - day.closed_at < every - RUN_TAKES):
        return None
    # the pause changes with every look, the run that closed the day does not: one run waits for a worker, not many
    after = day.run_id or ""
    reason = f"{to_begin} games of {day.day} are still to begin"
    return Due("odds-refresh", day.day, f"prices-after-{after[:8] or 'none'}", reason, after)


def prices_every(house: House, now: dt.datetime) -> dt.timedelta | None:
    """Return how often today's prices can be asked for with the credits that are left to the feed that would be asked.

    A day's share of them (`allowance`) is spread over the hours until its last game begins. Where nothing is paid, or
    the feed never told what is left, prices are asked for every `PRICES_EVERY`.

    Returns:
        The pause between two refreshes; `None` when the credits do not cover one today.
    """
    today = baseball_day(now)
    to_begin = schedules.games_of(house, today).filter(pl.col("start_at") > now)
    if to_begin.is_empty():
        return PRICES_EVERY
    markets = plan.markets_of(house.settings)
    feed = allowance.asked(house, today, to_begin.height, markets)
    refreshes = allowance.refreshes(house, feed, today, to_begin.height, markets)
    if refreshes is None:
        return PRICES_EVERY
    return max(PRICES_EVERY, (_last_start(to_begin) - now) / refreshes) if refreshes else None


def unsettled_pitches(house: House, now: dt.datetime) -> list[dt.date]:
    """Return days whose pitches were fetched before their settling window was over, which it is now."""
    today = baseball_day(now)
    keys = [day.isoformat() for day in days_between(today - 7 * SETTLED_AFTER, today)]
    closed = house.ledger.entries(tables.PITCHES.name, keys, states=[State.COMPLETE, State.DEGRADED])
    return [
        dt.date.fromisoformat(entry.key)
        for entry in closed
        if entry.closed_at is not None and entry.closed_at < settled_at(dt.date.fromisoformat(entry.key)) <= now
    ]


def _last_start(games: pl.DataFrame) -> dt.datetime:
    last = games["start_at"].max()
    assert isinstance(last, dt.datetime)  # noqa: S101 - the column's type
    return last
