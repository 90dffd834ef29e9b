"""A refresh of prices begins with what is published: whether there is anything to ask for, and with which numbers."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.clock import FixedClock
from backstop.errors import DataError, LeaseHeld
from backstop.lake.states import State
from backstop.props.fitted import Fitted
from backstop.stages import fits, project, rebuild
from backstop.stages.outcome import Gap
from tasks import odds
from tests.stages.rows import DAY, games
from tests.store import rows

PROPS, GAMES = tables.PROPS.name, tables.GAMES.name
RUN = "the run"
META = {
    "gaps": [
        {"table": "core_quotes", "key": "an event", "reason": "not fetched"},
        {"table": "core_pitches", "key": "2025-06-01", "reason": "not in the lake"},
    ]
}


def at(hour, minute=0):
    return dt.datetime.combine(DAY, dt.time(hour, minute), dt.UTC)


@pytest.fixture
def published(house, monkeypatch, told):
    """A house in which a slate's features are in the lake; its games begin at 17:00."""
    monkeypatch.setattr(odds, "run_id", lambda: RUN)
    house.clock = house.ledger.clock = FixedClock(at(16))
    house.lake.write(GAMES, DAY, games(DAY, 1, 2, status="Scheduled", abstract_status="Preview"))
    house.lake.write(project.FEATURES, DAY, rows.features(3))
    return house


def test_one_request_lists_the_books_events_and_the_day_is_held_meanwhile(published):
    ((item,),), note = odds.plan_prices.fn(DAY)
    assert note == ""
    assert item.feed == "theodds"
    held = published.ledger.entry(PROPS, str(DAY))
    assert (held.state, held.run_id) == (State.RUNNING, RUN)


def test_a_day_that_another_run_works_on_is_left_to_it(published):
    published.ledger.begin(PROPS, str(DAY), run_id="a refresh", lease_s=3600)
    with pytest.raises(LeaseHeld):
        odds.plan_prices.fn(DAY)


@pytest.mark.parametrize(("hour", "minute", "asked"), [(16, 59, 1), (17, 0, 0), (23, 0, 0)])
def test_prices_stand_once_the_last_game_has_begun(published, told, hour, minute, asked):
    published.clock = FixedClock(at(hour, minute))
    batches, note = odds.plan_prices.fn(DAY)
    assert (len(batches), note) == (asked, "" if asked else f"{DAY} has no games still to begin")
    assert told == ([] if asked else [f"Every game of {DAY} has begun; its prices stand."])
    assert (published.ledger.entry(PROPS, str(DAY)) is not None) is bool(asked)


@pytest.mark.parametrize(("last", "asked"), [("an earlier run", 1), ("a later run", 0), (RUN, 1)])
def test_a_run_that_waited_while_another_renewed_the_prices_spends_no_credits(published, told, last, asked):
    published.ledger.begin(PROPS, str(DAY), run_id=last)
    published.ledger.complete(PROPS, str(DAY), run_id=last, rows_in=3, rows_loaded=3)
    batches, note = odds.plan_prices.fn(DAY, "an earlier run")
    assert len(batches) == asked
    entry = published.ledger.entry(PROPS, str(DAY))
    if asked:
        assert (entry.state, entry.run_id) == (State.RUNNING, RUN)
    else:
        assert (entry.state, entry.run_id) == (State.COMPLETE, last)
        assert note == f"another run has renewed {DAY} since this one was due"
        assert told == [f"Run {last} has worked on {DAY} since this one was due; its prices stand."]
    assert len(odds.plan_prices.fn(DAY)[0]) == 1, "by hand they are asked for whoever was the last"


def test_a_day_that_was_never_published_has_no_prices_to_refresh(published):
    with pytest.raises(DataError, match="has no prices to refresh; refresh the slate first"):
        odds.plan_prices.fn(DAY + dt.timedelta(days=1))


def test_without_a_key_nobody_is_asked_and_the_reason_is_said(published, environment):
    environment.setenv("BACKSTOP_UPSTREAM", "live")  # nothing is asked here: a step plans
    with pytest.raises(DataError, match=rf"prices of {DAY} cannot be asked for: no prices: BACKSTOP_THEODDS_KEY"):
        odds.plan_prices.fn(DAY)


def test_features_are_taken_as_they_were_published_with_every_gap_but_those_of_prices(published, monkeypatch):
    monkeypatch.setattr(rebuild, "meta", lambda *_: META)
    path, gaps = odds.published_features.fn(DAY)
    assert pl.read_parquet(path).equals(published.lake.read(project.FEATURES, DAY))
    assert path.parent == published.run_dir(RUN)
    assert gaps == (Gap("core_pitches", "2025-06-01", "not in the lake"),)
    assert fits.of_run(published, DAY, RUN).dumped() == Fitted.of_meta(META).judging(DAY).dumped()
