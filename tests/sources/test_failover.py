"""The first feed that can answer is chosen, and the sentence says why not the one before."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl
import pytest

from backstop.net.health import FeedHealth
from backstop.settings import Feed
from backstop.sources.failover import (
    ORDER,
    Purpose,
    choose,
    parse_odds,
    parse_schedule,
    plan_odds,
    plan_schedule,
)
from backstop.tables import GAMES, QUOTES
from tests.sources.answers import answer

SINCE = dt.datetime(2025, 6, 15, 12, 0, 5, tzinfo=dt.UTC)


def state(feed: Feed, **changes: Any) -> FeedHealth:
    sound: dict[str, Any] = {
        "feed": feed.value, "host": "https://x", "breaker": "closed", "open_since": None, "retry_in_s": 0.0,
        "gate_width": 25, "gate_cap": 25, "in_flight": 0, "waiting": 0, "last_success_at": None, "last_error": None,
        "credits_left": None,
    }  # fmt: skip
    return FeedHealth(**(sound | changes))


@pytest.mark.parametrize("purpose", Purpose)
def test_the_preferred_feed_is_chosen_while_it_is_sound_or_was_never_asked(purpose: Purpose) -> None:
    preferred = ORDER[purpose][0]
    for health in ([], [state(preferred)]):
        chosen = choose(purpose, health)
        assert (chosen.feed, chosen.usable, chosen.passed_over) == (preferred, True, ())
        assert chosen.sentence() == f"{purpose.value}: {preferred.value}"


def test_an_open_breaker_leads_to_the_second_source_with_the_time_and_the_error() -> None:
    broken = state(Feed.STATSAPI, breaker="open", open_since=SINCE, last_error="It answered 503.")
    chosen = choose(Purpose.SCHEDULE, [broken])
    assert (chosen.feed, chosen.usable) == (Feed.SPORTRADAR, True)
    assert chosen.sentence() == (
        "schedule: sportradar, because statsapi breaker is open since 12:00:05 UTC (It answered 503)"
    )


def test_a_half_open_breaker_is_left_to_its_probe() -> None:
    assert choose(Purpose.SCHEDULE, [state(Feed.STATSAPI, breaker="half-open")]).feed is Feed.SPORTRADAR


def test_spent_credits_lead_to_the_second_source_of_odds() -> None:
    poor = state(Feed.THEODDS, credits_left=100)
    assert choose(Purpose.ODDS, [poor], credits_needed=80, credit_floor=20).feed is Feed.THEODDS
    chosen = choose(Purpose.ODDS, [poor], credits_needed=81, credit_floor=20)
    assert chosen.feed is Feed.SPORTRADAR
    assert "100 credits left, 81 are needed above a floor of 20" in chosen.sentence()


def test_a_second_source_at_its_floor_is_not_asked_either() -> None:
    broken, spent = state(Feed.STATSAPI, breaker="open", open_since=SINCE), state(Feed.SPORTRADAR, credits_left=20)
    chosen = choose(Purpose.SCHEDULE, [broken, spent], credit_floor=20)
    assert not chosen.usable
    assert "sportradar has 20 credits left, 1 is needed above a floor of 20" in chosen.sentence()
    assert choose(Purpose.SCHEDULE, [broken, state(Feed.SPORTRADAR, credits_left=21)], credit_floor=20).usable


def test_without_a_key_the_second_source_cannot_answer_either() -> None:
    broken = state(Feed.STATSAPI, breaker="open", open_since=SINCE)
    chosen = choose(Purpose.SCHEDULE, [broken], keys={Feed.THEODDS})
    assert (chosen.feed, chosen.usable) == (Feed.STATSAPI, False)
    assert chosen.sentence() == (
        "schedule: no feed can answer, because statsapi breaker is open since 12:00:05 UTC and sportradar has no key"
    )


DAY = dt.date(2025, 6, 15)
LISTED = pl.DataFrame({"event_id_theodds": ["e"], "commence_at": [SINCE]})


@pytest.mark.parametrize("breaker", ["closed", "open"])
def test_the_chosen_feed_is_asked_and_its_answer_has_the_same_columns(breaker: str) -> None:
    health = [state(Feed.STATSAPI, breaker=breaker), state(Feed.THEODDS, breaker=breaker)]
    games = plan_schedule(choose(Purpose.SCHEDULE, health), DAY)
    odds = plan_odds(choose(Purpose.ODDS, health), DAY, LISTED, ["batter_hits"])
    expected = {Feed.STATSAPI, Feed.THEODDS} if breaker == "closed" else {Feed.SPORTRADAR}
    assert {item.feed for item in (*games, *odds)} == expected
    no_games = {"dates": [], "league": {"id": "l"}}
    assert parse_schedule(answer(games[0], no_games), GAMES.empty()).frame.schema == GAMES.schema
    no_odds = {"generated_at": "2025-06-15T12:00:00Z", "id": "e", "commence_time": "2025-06-15T17:40:00Z",
               "home_team": "Detroit Tigers", "away_team": "Cincinnati Reds"}  # fmt: skip
    assert parse_odds(answer(odds[0], no_odds)).frame.schema == QUOTES.schema


def test_the_odds_feed_without_a_key_is_passed_over() -> None:
    chosen = choose(Purpose.ODDS, [], keys={Feed.SPORTRADAR})
    assert chosen.sentence() == "odds: sportradar, because theodds has no key"
