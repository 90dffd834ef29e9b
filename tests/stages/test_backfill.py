"""What a backfill would do: every day that lacks a slate, what it may cost, and what is refused."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from backstop import tables
from backstop.clock import days_between
from backstop.errors import UsageError
from backstop.stages import backfill, days, forecast
from backstop.stages.days import Condition
from tests.stages.rows import DAY, games

FIRST, LAST = dt.date(2025, 6, 1), dt.date(2025, 6, 14)
PROPS = tables.PROPS.name
SIX = (
    "batter_hits",
    "batter_total_bases",
    "batter_home_runs",
    "batter_strikeouts",
    "batter_walks",
    "pitcher_strikeouts",
)


def close(house, day, how="complete", table=PROPS):
    house.ledger.begin(table, day.isoformat(), run_id="r")
    counts = {"rows_in": 5, "rows_loaded": 5}
    if how == "complete":
        house.ledger.complete(table, day.isoformat(), run_id="r", **counts)
    elif how == "degraded":
        house.ledger.degrade(table, day.isoformat(), run_id="r", reason="one line-up is missing", **counts)
    elif how == "failed":
        house.ledger.fail(table, day.isoformat(), run_id="r", reason="it broke")


def test_days_that_are_done_are_left_alone_and_the_others_are_done(house):
    range_ = days_between(FIRST, LAST)
    close(house, range_[0])
    close(house, range_[1], "degraded")
    close(house, range_[2], "failed")
    house.ledger.begin(PROPS, range_[3].isoformat(), run_id="another")
    house.ledger.empty(tables.GAMES.name, range_[4].isoformat(), run_id="r", reason="none")
    plan = backfill.plan_range(house, FIRST, LAST, prices=False)
    assert plan.todo == (range_[2], *range_[5:])
    assert plan.skipped == {Condition.COMPLETE: 1, Condition.DEGRADED: 1, Condition.RUNNING: 1, Condition.EMPTY: 1}
    again = backfill.plan_range(house, FIRST, LAST, prices=False, degraded=True)
    assert again.todo == (range_[1], range_[2], *range_[5:])


def test_a_day_whose_run_was_killed_is_done_again(house, clock):
    house.ledger.begin(PROPS, FIRST.isoformat(), run_id="killed", lease_s=60)
    assert FIRST not in backfill.plan_range(house, FIRST, FIRST, prices=False).todo
    clock.advance(61)
    (day,) = days.of_range(house, FIRST, FIRST)
    assert (day.condition, day.reason) == (Condition.FAILED, "run killed died before it was published")
    assert backfill.plan_range(house, FIRST, FIRST, prices=False).todo == (FIRST,)


def test_missing_means_every_day_of_the_kept_seasons_up_to_yesterday(house):
    plan = backfill.plan_range(house, None, None, prices=False)
    assert (plan.todo[0], plan.todo[-1]) == (dt.date(2025, 3, 1), DAY - dt.timedelta(days=1))


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (LAST, FIRST, "ends before it begins"),
        (FIRST, DAY, "is not over"),
        (dt.date(2024, 6, 1), LAST, "BACKSTOP_HISTORY_FIRST_SEASON"),
    ],
)
def test_a_range_that_makes_no_sense_is_refused(house, first, last, words):
    with pytest.raises(UsageError, match=words):
        backfill.plan_range(house, first, last)


def test_known_games_are_counted_and_unknown_days_are_taken_for_full(house, monkeypatch):
    monkeypatch.setattr(backfill.plan, "quotes_wanted", lambda *_: "")
    house.lake.write(tables.GAMES.name, FIRST, games(FIRST, 1, 2))
    one = backfill.plan_range(house, FIRST, FIRST).credits
    per_game = (one - 1) // 2
    assert per_game == 10 * len(backfill.plan.MARKETS)
    two = backfill.plan_range(house, FIRST, FIRST + dt.timedelta(days=1)).credits
    assert two == one + 1 + 15 * per_game


def test_alternate_lines_cost_as_much_as_markets_of_their_own_wherever_costs_are_told(house, monkeypatch):
    """Each of six markets has alternates: a game costs twice as much, live and in history."""
    monkeypatch.setattr(backfill.plan, "MARKETS", SIX)
    monkeypatch.setattr(backfill.plan, "quotes_wanted", lambda *_: "")
    house.lake.write(tables.GAMES.name, FIRST, games(FIRST, 1, 2))
    told = {}
    for alternates in (False, True):
        house.__dict__["settings"] = house.settings.model_copy(update={"odds_alternates": alternates})
        asked, sentence = forecast.forecast(house, FIRST)
        told[alternates] = (
            backfill.plan_range(house, FIRST, FIRST).credits,
            next(each.credits for each in asked if each.table == tables.QUOTES.name),
            int(re.search(r"at most (\d+) credits", sentence)[1]),
        )
    assert told == {False: (121, 120, 121), True: (241, 240, 241)}


def test_what_costs_too_much_is_refused_with_the_ways_out(house, monkeypatch):
    monkeypatch.setattr(backfill.plan, "quotes_wanted", lambda *_: "")
    plan = backfill.plan_range(house, FIRST, LAST)
    assert plan.limit == backfill.CREDIT_LIMIT
    with pytest.raises(UsageError, match=rf"--credits {plan.credits}\).*--no-prices"):
        backfill.check_budget(plan)
    backfill.check_budget(backfill.plan_range(house, FIRST, LAST, credit_limit=plan.credits))
    backfill.check_budget(backfill.plan_range(house, FIRST, LAST, prices=False))
    assert "at most" in plan.sentence()


def test_what_is_not_paid_has_no_limit(house):
    house.__dict__["settings"] = house.settings.model_copy(update={"upstream": "http://127.0.0.1:9"})
    plan = backfill.plan_range(house, FIRST, LAST)
    assert plan.limit is None
    backfill.check_budget(plan)


def test_complete_days_are_no_part_of_a_backfill(house):
    range_ = days_between(dt.date(2025, 3, 1), LAST)
    for day in range_:
        close(house, day)
    plan = backfill.plan_range(house, range_[0], LAST, prices=False)
    assert plan.todo == ()
