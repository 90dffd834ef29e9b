"""A range of past days: done once, resumed after a kill, and never done again where it was finished."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import polars as pl
import pytest

from backstop.lake.states import State
from backstop.settings import Settings
from backstop.stages import days, fetch, plan, receive
from backstop.stages.days import Condition
from backstop.stages.house import House
from backstop.stages.keep import keep
from tests.flows.league import EARLY, OPENING, Rooms
from tests.flows.proxy import DOWN, Proxy

pytestmark = pytest.mark.prefect

FIRST, LAST = OPENING, OPENING + dt.timedelta(days=3)

RUN = """
import datetime as dt, sys
from flows.backfill import backfill
backfill(dt.date.fromisoformat(sys.argv[1]), dt.date.fromisoformat(sys.argv[2]), 1, return_state=True)
"""


def backfill(rooms: Rooms, first=FIRST, last=LAST, **parameters):
    from flows.backfill import backfill as flow

    with rooms.environment():
        return flow(first, last, return_state=True, **parameters)


def conditions(rooms: Rooms, first=FIRST, last=LAST):
    return {each.day: each.condition for each in days.of_range(rooms.house, first, last)}


@pytest.fixture(scope="module")
def killed(prefect_server, league, tmp_path_factory):
    """A backfill that was killed in the middle of a day, and the same backfill again."""
    with Proxy(league.base_url) as feed, Rooms.opened(tmp_path_factory.mktemp("killed") / "home") as rooms:
        rooms.settings |= {"upstream": feed.base_url}
        with rooms.environment():
            environment = {**os.environ, "PREFECT_API_URL": prefect_url(), "PREFECT_LOGGING_LEVEL": "CRITICAL"}
            process = subprocess.Popen([sys.executable, "-c", RUN, str(FIRST), str(LAST)], env=environment)
        wait_until(lambda: "/odds?" in " ".join(feed.asked))
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = conditions(rooms), len(feed.asked)
        state = backfill(rooms)
        yield rooms, feed, before, state


def prefect_url():
    from prefect.settings import PREFECT_API_URL

    return PREFECT_API_URL.value()


def wait_until(condition):
    deadline = time.monotonic() + 200
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_a_killed_backfill_leaves_a_day_that_is_known_to_have_died(killed):
    _, _, (before, _), _ = killed
    assert Condition.FAILED in before.values() or Condition.MISSING in before.values()


def test_the_same_command_finishes_without_a_gap(killed):
    rooms, _, _, state = killed
    assert state.is_completed()
    after = conditions(rooms)
    assert after.pop(FIRST) is Condition.EMPTY, "the first day of a league has no history"
    assert set(after.values()) <= {Condition.COMPLETE, Condition.DEGRADED}
    for day in after:
        assert rooms.house.reader.props(day).height > 500


def test_no_pitches_are_asked_for_twice(killed):
    """The days that the killed run had kept are not fetched again; only one that it was fetching may be."""
    _, feed, _, _ = killed
    asked = [each for each in feed.asked if "game_date_gt=" in each]
    assert len(asked) - len(set(asked)) <= 1


def test_box_scores_of_all_days_are_kept_before_the_first_slate_and_never_asked_for_again(killed):
    """Days done side by side, or by several workers, then know the same of the days before them."""
    rooms, feed, (_, count), _ = killed
    first_slate = next(place for place, each in enumerate(feed.asked) if "/odds?" in each)
    boxes = [each for each in feed.asked[:first_slate] if "/boxscore" in each]
    games = rooms.house.lake.scan("core_games", FIRST, LAST).filter(pl.col("status") != "Postponed").collect()
    assert len(boxes) == games.height >= 40
    asked = Counter(feed.asked)
    assert {asked[each] for each in boxes} == {1}
    assert first_slate <= count


def test_a_backfill_of_finished_days_asks_nobody_and_starts_no_day(killed):
    rooms, feed, _, _ = killed
    asked = len(feed.asked)
    state = backfill(rooms)
    assert state.is_completed()
    assert state.result().plan.todo == ()
    assert len(feed.asked) == asked


def test_a_day_that_cannot_be_done_fails_the_run_and_the_next_run_does_only_that_day(killed, league):
    rooms, feed, _, _ = killed
    day = LAST + dt.timedelta(days=1)
    feed.spoil("/boxscore", DOWN)
    feed.spoil("/summary", DOWN)  # the second source's
    rooms.settings |= {"request_budget_s": 4}
    state = backfill(rooms, FIRST, day)
    assert state.is_failed()
    assert "1 days are still to do" in state.message
    feed._rules.clear()
    again = backfill(rooms, FIRST, day)
    assert again.is_completed()
    assert again.result().plan.todo == (day,)


def test_a_range_that_costs_too_much_is_refused_before_anybody_is_asked(rooms):
    with Proxy(None) as nobody:
        rooms.settings |= {"upstream": nobody.base_url}
        state = backfill(rooms, credit_limit=10)
        assert nobody.asked == []
    assert state.is_failed()
    assert "--no-prices" in str(state.result(raise_on_failure=False))


def test_a_later_run_of_an_old_day_replaces_nothing_newer(killed):
    rooms, _, _, _ = killed
    newest = rooms.house.reader.slate(LAST)
    rooms.house.ledger.stale(
        "out_props", [FIRST.isoformat(), (FIRST + dt.timedelta(days=1)).isoformat()], reason="test"
    )
    assert backfill(rooms).is_completed()
    assert rooms.house.reader.slate(LAST).version == newest.version
    entry = rooms.house.ledger.entry("out_props", LAST.isoformat())
    assert entry.state in {State.COMPLETE, State.DEGRADED}


@pytest.fixture
def house(league, tmp_path):
    settings = Settings(_env_file=None, home=tmp_path / "home", history_first_season=2025)
    house = House(settings.pointed_at(league.base_url))
    yield house
    house.close()


@pytest.mark.parametrize("writes_last", ["its own run", "the next day's run"])
def test_a_day_that_two_runs_ask_for_at_once_is_the_same_whoever_writes_last(house, writes_last):
    from deployments import rules

    asked_by = {"its own run": EARLY, "the next day's run": EARLY + dt.timedelta(days=1)}
    # as of two days of a backfill: both have asked before either has kept anything
    batches = {run: fetch.fetch(house, 1, *plan.schedule_batches(house, day), run) for run, day in asked_by.items()}
    left = []
    for run in sorted(batches, key=lambda run: run == writes_last):
        for received in receive.games_by_day(house, [batches[run]]):
            keep(house, rules.apply(received, None), run)
        left.append(house.lake.read("core_games", EARLY))
    assert left[0].equals(left[1])
    assert left[1].select("home_starter_id_mlbam", "away_starter_id_mlbam").null_count().row(0) == (0, 0)
