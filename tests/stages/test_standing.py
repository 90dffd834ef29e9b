"""Whether all is right: what was never published, what failed, what nobody asked for."""

from __future__ import annotations

import datetime as dt

import pytest

from backstop import tables
from backstop.clock import FixedClock
from backstop.stages import standing

TODAY = dt.date(2025, 6, 15)


def know(house, day: dt.date) -> None:
    house.ledger.begin(tables.GAMES.name, day.isoformat(), run_id="r")
    house.ledger.complete(tables.GAMES.name, day.isoformat(), run_id="r", rows_in=0, rows_loaded=0)


def test_days_that_nobody_asked_for_are_one_sentence(store, clock):
    store.clock = clock
    store.ledger.expect(tables.PITCHES.name, ["2025-05-01"])
    problems = standing.look(store).problems
    assert sum("is not known" in each for each in problems) == 1
    assert "8 days from 2025-06-08 to 2025-06-15" in problems[0]


@pytest.mark.parametrize("now", ["2025-06-15T16:00:00Z", "2025-12-24T16:00:00Z"])
def test_where_nothing_was_ever_loaded_the_next_command_is_told_also_out_of_season(store, now):
    store.clock = FixedClock(dt.datetime.fromisoformat(now))
    told = standing.look(store).problems[0]
    assert told.startswith(f"Nothing has been loaded yet into {store.settings.home}: `backstop refresh DAY` publishes")
    assert told.endswith(" those of past days. What another home has is shown once BACKSTOP_HOME names it.")
    store.ledger.expect(tables.PITCHES.name, ["2025-05-01"])
    assert not any("Nothing has been loaded" in each for each in standing.look(store).problems)


def test_a_known_day_without_a_slate_is_named_with_the_command_that_makes_it(store, clock):
    store.clock = clock
    for back in range(8):
        know(store, TODAY - dt.timedelta(days=back))
    problems = standing.look(store).problems
    assert len(problems) == 7  # today's is not late before its first game is
    assert "backstop backfill 2025-06-14 2025-06-14" in problems[-1]


def test_a_slate_that_failed_is_named_with_its_reason(store, clock):
    store.clock = clock
    for back in range(8):
        day = TODAY - dt.timedelta(days=back)
        know(store, day)
        store.ledger.begin(tables.PROPS.name, day.isoformat(), run_id="r")
        store.ledger.fail(tables.PROPS.name, day.isoformat(), run_id="r", reason="no feed answered")
    problems = standing.look(store).problems
    assert "The slate of 2025-06-14 failed: no feed answered" in problems
    assert not any("never published" in each for each in problems)
