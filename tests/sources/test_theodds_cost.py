"""Credits are known before they are spent."""

from __future__ import annotations

import datetime as dt

import polars as pl

from backstop.sources.savant import pitches
from backstop.sources.theodds import cost, events, markets, props

DAY = dt.date(2025, 6, 15)
LISTED = pl.DataFrame({
    "event_id_theodds": [f"{n:032x}" for n in range(15)],
    "commence_at": [dt.datetime(2025, 6, 15, 17, tzinfo=dt.UTC)] * 15,
})  # fmt: skip
MARKETS = list(markets.BATTER[:8])


def test_a_sweep_of_eight_markets_over_fifteen_games_costs_120_credits() -> None:
    plan = [*events.plan(DAY), *props.plan(LISTED, MARKETS), *pitches.plan([DAY])]
    found = cost.estimate(plan)
    assert (found.requests, found.most) == (16, 120)
    assert found.by_table == (("core_events", 0), ("core_quotes", 120))


def test_history_costs_ten_times_as_much() -> None:
    assert cost.estimate(props.plan(LISTED, MARKETS, at="commence")).most == 1200


def test_the_sentence_says_whether_the_floor_holds() -> None:
    found = cost.estimate(props.plan(LISTED, MARKETS))
    assert (
        found.sentence(left=500, floor=20)
        == "theodds: 15 requests, at most 120 credits of 500, within the floor of 20."
    )
    assert "NOT within" in found.sentence(left=130, floor=20)
    assert "not known yet" in found.sentence()


def test_a_day_costs_what_its_own_requests_would_cost() -> None:
    live, over = (cost.of_day(DAY, 15, MARKETS, past=past) for past in (False, True))
    assert (live.requests, live.most) == (16, 120)
    assert (over.requests, over.most) == (16, 1201)  # ten times as much, and a credit for the list of events
    assert dict(over.by_table) == {"core_events": 1, "core_quotes": 1200}
    assert cost.of_day(DAY, 0, MARKETS, past=True).most == 1
