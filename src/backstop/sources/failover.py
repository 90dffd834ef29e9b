"""Which feed gives schedule, box scores and odds now: the first one that can answer, said in a sentence for the run."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import polars as pl

from backstop.net.health import FeedHealth
from backstop.net.item import Answer, Item
from backstop.settings import Feed
from backstop.sources.parsed import Parsed
from backstop.sources.sportradar import playerprops
from backstop.sources.sportradar import schedule as sportradar_schedule
from backstop.sources.statsapi import schedule
from backstop.sources.theodds import props


class Purpose(StrEnum):
    """What is wanted."""

    SCHEDULE = "schedule"
    BOX = "box scores"
    ODDS = "odds"


ORDER: Final[dict[Purpose, tuple[Feed, ...]]] = {
    Purpose.SCHEDULE: (Feed.STATSAPI, Feed.SPORTRADAR),
    Purpose.BOX: (Feed.STATSAPI, Feed.SPORTRADAR),
    Purpose.ODDS: (Feed.THEODDS, Feed.SPORTRADAR),
}
"""The feeds of a purpose, the preferred one first."""

KEYED: Final = frozenset({Feed.THEODDS, Feed.SPORTRADAR})
"""Feeds that answer nobody without a key."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The feed chosen for a purpose.

    Attributes:
        purpose: What is wanted.
        feed: Who is asked; the preferred feed when none can answer.
        usable: Whether it can answer now.
        passed_over: The feeds before it, each with the reason.
    """

    purpose: Purpose
    feed: Feed
    usable: bool
    passed_over: tuple[tuple[Feed, str], ...] = ()

    def sentence(self) -> str:
        """Say who and why, e.g. `schedule: sportradar, because statsapi breaker is open since 12:00:05 UTC`."""
        why = " and ".join(f"{feed.value} {reason}" for feed, reason in self.passed_over)
        if not self.usable:
            return f"{self.purpose.value}: no feed can answer, because {why}"
        return f"{self.purpose.value}: {self.feed.value}" + (f", because {why}" if why else "")


def choose(
    purpose: Purpose, health: Iterable[FeedHealth], *, keys: Collection[Feed] = KEYED, credits_needed: int = 0,
    days: int = 1, credit_floor: int = 0, failed: Mapping[Feed, str] | None = None,
) -> Choice:  # fmt: skip
    """Choose the first feed of a purpose that can answer.

    Args:
        purpose: What is wanted.
        health: What is known of the feeds; one that was never asked counts as well.
        keys: The paid feeds for which a key is set.
        credits_needed: What the plan costs at most on the preferred feed of odds.
        days: Days on which as much will be needed, this one included.
        credit_floor: Credits that are never spent.
        failed: Feeds that were asked and did not give it, each with the sentence that it failed with.

    Returns:
        The choice with the reasons why feeds before it were passed over.
    """
    known = {state.feed: state for state in health}
    passed: list[tuple[Feed, str]] = []
    for feed in ORDER[purpose]:
        why = _obstacle(feed, known.get(feed.value), keys, (credits_needed, days), credit_floor)
        if why is None and failed and feed in failed:
            why = f"did not give it ({failed[feed].rstrip('.')})"
        if why is None:
            return Choice(purpose, feed, usable=True, passed_over=tuple(passed))
        passed.append((feed, why))
    return Choice(purpose, ORDER[purpose][0], usable=False, passed_over=tuple(passed))


def plan_schedule(choice: Choice, day: dt.date) -> list[Item]:
    """Ask the chosen feed for the games of a day."""
    return sportradar_schedule.plan(day) if choice.feed is Feed.SPORTRADAR else schedule.plan_day(day)


def parse_schedule(answer: Answer, known: pl.DataFrame) -> Parsed:
    """Turn the answer of either feed into `core_games`.

    Args:
        answer: To an item of `plan_schedule`.
        known: `core_games` as listed before: SportRadar's games get their gamePk from it.

    Raises:
        UpstreamMalformed: see the feed's `inspect`.
    """
    if answer.item.table == sportradar_schedule.TABLE:
        return sportradar_schedule.as_games(sportradar_schedule.parse(answer), known)
    return schedule.parse(answer)


def plan_odds(choice: Choice, day: dt.date, events: pl.DataFrame, markets: Sequence[str]) -> list[Item]:
    """Ask the chosen feed for prices: one request per event, or the first page of the day."""
    return playerprops.plan(day) if choice.feed is Feed.SPORTRADAR else props.plan(events, markets)


def parse_odds(answer: Answer) -> Parsed:
    """Turn the answer of either feed into `core_quotes`.

    Raises:
        UpstreamMalformed: see the feed's `inspect`.
    """
    return playerprops.parse(answer) if answer.item.table == playerprops.TABLE else props.parse(answer)


def _obstacle(
    feed: Feed, state: FeedHealth | None, keys: Collection[Feed], needs: tuple[int, int], credit_floor: int
) -> str | None:
    """Say what keeps a feed from answering, `None` when nothing does."""
    if feed in KEYED and feed not in keys:
        return "has no key"
    if state is None:
        return None
    if state.breaker != "closed":
        since = f" since {state.open_since:%H:%M:%S} UTC" if state.open_since else ""
        last = f" ({state.last_error.rstrip('.')})" if state.last_error else ""
        return f"breaker is {state.breaker}{since}{last}"
    needed, days = (1, 1) if feed is Feed.SPORTRADAR else needs
    if feed in KEYED and state.credits_left is not None and state.credits_left - needed * days < credit_floor:
        are = "is" if needed == 1 else "are"
        a_day = f" a day for {days} days" if days > 1 else ""
        return f"has {state.credits_left} credits left, {needed}{a_day} {are} needed above a floor of {credit_floor}"
    return None
