"""Credits that are out at one paid feed: the other one is asked for prices, as often as its own credits last."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from pydantic import SecretStr

from backstop.settings import Feed
from backstop.sources.sportradar import playerprops
from backstop.sources.theodds import events
from backstop.stages import allowance, due, fetch, forecast, overdue, plan, second
from backstop.stages.house import House
from tests.flows.proxy import Reply
from tests.stages import gameday
from tests.stages.gameday import at
from tests.stages.rows import DAY

FLOOR = 20
A_DAY = 12
"""Credits of one refresh: two games at six markets."""

MONTH = 16 * A_DAY
"""As much for every day from 15 June to the end of the month."""

JSON = {"content-type": "application/json"}
NO_PROPS = json.dumps({"generated_at": "2025-06-15T12:00:00Z", playerprops.ROOTS[0]: []}).encode()

KEYS = {"theodds_key": SecretStr("t" * 24), "sportradar_key": SecretStr("s" * 24)}


@pytest.fixture
def paid(settings, clock, feed):
    """Make a house with the keys of both paid feeds, or of those that are named, that were told what is left."""
    opened = []

    def house(*, theodds=None, sportradar=None, keys=tuple(KEYS)):
        urls = {name.replace("_key", "_url"): feed.base_url for name in keys}
        house = House(settings.model_copy(update=urls | {name: KEYS[name] for name in keys}), clock)
        opened.append(house)
        gameday.begin(house)
        clock.at = at(-3)
        if theodds is not None:
            told = {"x-requests-remaining": str(theodds), "x-requests-used": "1"}
            feed.spoil("/events", Reply(200, JSON | told, b"[]"))
            fetch.fetch(house, 1, events.plan(DAY), "events")
        if sportradar is not None:
            told = {"x-plan-quota-current": str(1000 - sportradar), "x-plan-quota-allotted": "1000"}
            feed.spoil("/oddscomparison", Reply(200, JSON | told, NO_PROPS))
            fetch.fetch(house, 1, playerprops.plan(DAY), "events")
        return house

    yield house
    for each in opened:
        each.close()


def minutes(house):
    every = due.prices_every(house, at(-3))
    return every and every.total_seconds() / 60


@pytest.mark.parametrize(
    ("theodds", "sportradar", "expected"),
    [
        (FLOOR + MONTH, FLOOR + 30, 180.0),
        (FLOOR + MONTH - 1, None, 5.0),
        (FLOOR + MONTH - 1, FLOOR + 30, 180.0),
        (FLOOR, FLOOR + 120, 45.0),
        (FLOOR, 980, 5.625),
        (FLOOR, FLOOR + 29, None),
        (FLOOR, 0, None),
    ],
)
def test_where_credits_of_the_odds_api_do_not_last_those_of_sportradar_say_how_often(
    paid, theodds, sportradar, expected
):
    """Three hours are left until both games begin; one page of SportRadar has them both."""
    assert minutes(paid(theodds=theodds, sportradar=sportradar)) == expected


@pytest.mark.parametrize(("sportradar", "expected"), [(None, 5.0), (FLOOR + 90, 60.0), (FLOOR, None)])
def test_with_its_key_alone_the_credits_of_sportradar_say_how_often(paid, sportradar, expected):
    assert minutes(paid(sportradar=sportradar, keys=["sportradar_key"])) == expected


def test_without_the_second_key_spent_credits_end_the_prices(paid):
    house = paid(theodds=FLOOR + MONTH - 1, keys=["theodds_key"])
    assert minutes(house) is None
    assert overdue.of_credits(house, at(-3)).startswith(f"{FLOOR + MONTH - 1} credits of theodds are left, too few for")


@pytest.mark.parametrize(("left", "expected"), [(FLOOR + 120, 45.0), (FLOOR + 29, 5.0)])
def test_where_a_key_is_refused_the_credits_of_who_stands_in_say_how_often_while_they_last(paid, feed, left, expected):
    house = paid(sportradar=left)
    feed.spoil("/events", Reply(401, JSON, b'{"error_code": "INVALID_KEY"}'))
    batch = fetch.fetch(house, 1, events.plan(DAY), "events")
    assert [answer.item.feed for answer in batch.answers] == [Feed.SPORTRADAR]
    assert minutes(house) == expected


def test_once_the_odds_api_answers_again_its_own_credits_say_how_often(paid, feed):
    house = paid(sportradar=FLOOR + 30)
    assert minutes(house) == 180.0
    told = {"x-requests-remaining": str(FLOOR + 4 * MONTH), "x-requests-used": "1"}
    feed.spoil("/events", Reply(200, JSON | told, b"[]"))
    fetch.fetch(house, 1, events.plan(DAY), "events")
    assert minutes(house) == 45.0


@pytest.mark.parametrize(("short", "asked"), [(0, Feed.THEODDS), (1, Feed.SPORTRADAR)])
def test_whoever_is_asked_by_the_refresh_is_the_one_whose_credits_said_when(paid, short, asked):
    ((item,),) = plan.event_batches(paid(theodds=FLOOR + MONTH - short), DAY)
    assert item.feed is asked


def test_the_run_and_the_plan_say_why_sportradar_is_asked(paid):
    house = paid(theodds=100)
    ((item,),) = plan.event_batches(house, DAY)
    assert second.word(house, [item]) == ("odds: sportradar, because theodds has too few credits left",)
    _, sentence = forecast.forecast(house, DAY)
    assert sentence.startswith(
        "odds: sportradar, because theodds has 100 credits left, 12 a day for 16 days are needed above a floor of 20. "
    )


def test_prices_go_on_when_the_credits_of_one_feed_are_out(paid, clock):
    house = paid(theodds=FLOOR, sportradar=FLOOR + 120)
    gameday.post(house, clock, 1, 2)
    gameday.refreshed(house, 1, 2, run="first")
    now = at(-3) + dt.timedelta(minutes=50)
    asked = due.runs(house, now, prices_every=due.prices_every(house, now))
    assert [each.key for each in asked] == [f"odds-refresh:{DAY}:prices-after-first"]
    assert overdue.of_credits(house, now) == ""


def test_prices_that_no_feed_has_credits_for_are_told_with_what_each_has_left(paid):
    assert overdue.of_credits(paid(theodds=FLOOR, sportradar=FLOOR + 5), at(-3)) == (
        f"20 credits of theodds and 25 credits of sportradar are left, too few for the prices of {DAY} "
        "and of the days after it."
    )


LAST = dt.date(2025, 6, 30)
NEXT = dt.date(2025, 7, 1)
ASKED = plan.MARKETS


@pytest.mark.parametrize(("day", "left", "chosen"), [
    (LAST, FLOOR + A_DAY, Feed.THEODDS), (NEXT, FLOOR + A_DAY, Feed.THEODDS), (NEXT, FLOOR + A_DAY - 1, Feed.SPORTRADAR),
])  # fmt: skip
def test_on_the_last_day_of_a_month_its_credits_pay_tomorrows_prices_too(paid, clock, day, left, chosen):
    """They are spent today: weighed against the 31 days of July, they went unspent."""
    house = paid(theodds=left, sportradar=FLOOR + 30)
    clock.at = dt.datetime(2025, 6, 30, 18, tzinfo=dt.UTC)
    assert allowance.choose(house, day, 2, ASKED).feed is chosen
    assert allowance.refreshes(house, Feed.THEODDS, day, 2, ASKED) == (left - FLOOR) // A_DAY


@pytest.mark.parametrize(("hour", "minute", "refreshes"), [(23, 59, 31), (24, 0, 1)])
def test_the_games_of_the_last_evening_are_paid_by_who_counts_anew_at_midnight(
    paid, clock, monkeypatch, hour, minute, refreshes
):
    """A month's credits came back at 20:00 Eastern, and that evening could spend them all."""
    house = paid()
    monkeypatch.setattr(allowance, "left", lambda *_: FLOOR + 31 * A_DAY)
    clock.at = dt.datetime(2025, 6, 30, tzinfo=dt.UTC) + dt.timedelta(hours=hour, minutes=minute)
    assert allowance.refreshes(house, Feed.THEODDS, LAST, 2, ASKED) == refreshes


@pytest.mark.parametrize(("now", "days"), [
    ("2025-06-01", 30), ("2024-02-28", 2), ("2025-02-28", 1), ("2025-12-31", 1), ("2026-01-01", 31),
])  # fmt: skip
def test_credits_last_from_the_day_on_which_they_are_spent_to_the_end_of_its_month(paid, clock, monkeypatch, now, days):
    monkeypatch.setattr(allowance, "left", lambda *_: FLOOR + days * A_DAY)
    house = paid()
    clock.at = dt.datetime.fromisoformat(f"{now}T12:00:00+00:00")
    today = clock.at.date()
    for day in (today, today + dt.timedelta(days=1)):
        assert allowance.refreshes(house, Feed.THEODDS, day, 2, ASKED) == 1
        monkeypatch.setattr(allowance, "left", lambda *_: FLOOR + days * A_DAY - 1)
        assert allowance.refreshes(house, Feed.THEODDS, day, 2, ASKED) == 0
        monkeypatch.setattr(allowance, "left", lambda *_: FLOOR + days * A_DAY)
