"""The steps around one slate as plain functions: what a day still needs, when nothing can be published, what is refused."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.clock import FixedClock
from backstop.errors import ConservationBroken, LeaseHeld, UpstreamUnavailable, UsageError, ValidationFailed
from backstop.lake.states import State
from backstop.stages.outcome import Gap, Outcome
from backstop.stages.project import Sifted
from backstop.stages.schedules import season_days
from tasks import slate
from tests.stages.rows import DAY, games

PROPS, GAMES = tables.PROPS.name, tables.GAMES.name
BEFORE = DAY - dt.timedelta(days=1)
KNOWN = Outcome(GAMES, keys=1)
RUN = "the run"


@pytest.fixture(autouse=True)
def _run(house, monkeypatch):
    house.clock = FixedClock(dt.datetime.combine(DAY, dt.time(16), dt.UTC))
    monkeypatch.setattr(slate, "run_id", lambda: RUN)


@pytest.fixture
def listed(house, told):
    """A house that knows a day's two games and one of the day before, none of its pitches; the run holds the day."""
    house.lake.write(GAMES, DAY, games(DAY, 1, 2, status="Scheduled", abstract_status="Preview"))
    house.lake.write(GAMES, BEFORE, games(BEFORE, 3))
    for day in (DAY, BEFORE):
        house.ledger.begin(GAMES, str(day), run_id=RUN)
        house.ledger.complete(GAMES, str(day), run_id=RUN, rows_in=1, rows_loaded=1)
    house.ledger.begin(PROPS, str(DAY), run_id=RUN)
    return house


def entry(house):
    found = house.ledger.entry(PROPS, str(DAY))
    return found.state, found.reason


def test_a_day_needs_the_pitches_before_it_and_its_box_scores_and_no_prices_without_a_key(listed, told, environment):
    environment.setenv("BACKSTOP_UPSTREAM", "live")  # nothing is asked here: steps plan
    slate.House.current().clock = listed.clock
    plan = slate.plan_day.fn(DAY, KNOWN)
    assert plan.games == 2
    assert [[item.key for item in batch] for batch in plan.pitches] == [[str(BEFORE)]]
    assert [[item.key for item in batch] for batch in plan.boxes] == [["1", "2"]]
    assert (plan.events, plan.note) == ([], "")
    assert plan.gaps == (Gap("core_quotes", str(DAY), "no prices: BACKSTOP_THEODDS_KEY is not set"),)
    assert told == [f"{DAY}: 2 games; 1 days of pitches are missing, 1 batches."]


def test_the_books_are_asked_unless_the_run_was_told_not_to(listed):
    asking, told_not_to = slate.plan_day.fn(DAY, KNOWN), slate.plan_day.fn(DAY, KNOWN, prices=False)
    assert [len(batch) for batch in asking.events] == [1]
    assert asking.gaps == ()
    assert told_not_to.events == []
    assert [gap.reason for gap in told_not_to.gaps] == ["no prices: the run was told not to ask for them"]


def test_what_the_prices_of_the_listed_events_cost_at_most_is_said_and_nothing_of_none(listed, told, monkeypatch):
    starts_at = dt.datetime.combine(DAY, dt.time(23), dt.UTC)
    found = {"event_id_theodds": ["e1", "e2"], "commence_at": [starts_at] * 2}
    monkeypatch.setattr(slate.receive, "events_listed", lambda *_: pl.DataFrame(found))
    (batch,) = slate.plan_quotes.fn(DAY, [])
    assert [item.credits for item in batch] == [6, 6]  # a credit for each market that is asked for
    assert told == ["Prices of 2 events are asked for: at most 12 credits."]
    monkeypatch.setattr(slate.receive, "events_listed", lambda *_: pl.DataFrame(found).clear())
    assert slate.plan_quotes.fn(DAY, []) == []
    assert len(told) == 1


def test_a_run_that_is_not_to_fetch_history_names_the_days_it_does_without(listed):
    plan = slate.plan_day.fn(DAY, KNOWN, history=False, prices=False)
    assert plan.pitches == []
    assert plan.gaps[1:] == (Gap("core_pitches", str(BEFORE), "not in the lake"),)


def test_a_day_whose_games_are_all_called_off_is_closed_as_empty(listed):
    listed.lake.write(GAMES, DAY, games(DAY, 1, status="Postponed", abstract_status="Final"))
    assert slate.plan_day.fn(DAY, KNOWN).note == f"{DAY} has no games"
    assert entry(listed) == (State.EMPTY_OK, "no games")


def test_the_first_day_of_a_history_has_nothing_to_project_from_and_is_closed_as_empty(listed):
    listed.lake.write(GAMES, BEFORE, games(BEFORE, 3, status="Postponed"))
    for day in season_days(2025, BEFORE):
        listed.ledger.empty(GAMES, str(day), run_id=RUN, reason="no games")
    assert slate.plan_day.fn(DAY, KNOWN).note == f"{DAY} has no history before it"
    assert entry(listed) == (State.EMPTY_OK, "no game before it is kept as history")


def test_a_day_whose_past_nobody_answered_for_is_not_closed_as_one_without_a_past(listed):
    listed.lake.write(GAMES, BEFORE, games(BEFORE, 3, status="Postponed"))
    lost = Outcome(GAMES, gaps=(Gap(GAMES, "2025-03-01..2025-03-31", "not fetched: 503"),))
    said = rf"^No game before {DAY} is known, .* of 105 days from 2025-03-01 to 2025-06-13 is not \(not fetched: 503\)"
    with pytest.raises(UpstreamUnavailable, match=said):
        slate.plan_day.fn(DAY, lost)
    assert entry(listed) == (State.RUNNING, None)


def test_a_day_whose_schedule_nobody_knows_is_neither_empty_nor_planned(house):
    lost = Outcome(GAMES, gaps=(Gap(GAMES, str(DAY), "not fetched: 503"), Gap(GAMES, str(BEFORE), "another day")))
    with pytest.raises(UpstreamUnavailable, match=rf"schedule of {DAY} is not known \(not fetched: 503\), so nobody"):
        slate.plan_day.fn(DAY, lost)
    assert house.ledger.entry(PROPS, str(DAY)) is None


@pytest.mark.parametrize(
    ("day", "said"),
    [(DAY + dt.timedelta(days=2), "lies in the future"), (dt.date(2024, 9, 1), "the first day kept as history")],
)
def test_a_day_that_cannot_have_a_slate_is_refused_before_it_is_held(house, day, said):
    with pytest.raises(UsageError, match=said):
        slate.plan_schedule.fn(day, hold=True)
    assert house.ledger.entry(PROPS, str(day)) is None


def test_a_day_that_is_held_by_another_run_is_not_begun_and_without_holding_it_is_asked_for_all_the_same(house):
    house.ledger.begin(PROPS, str(DAY), run_id="another", lease_s=3600)
    with pytest.raises(LeaseHeld, match="another"):
        slate.plan_schedule.fn(DAY, hold=True)
    asked = slate.plan_schedule.fn(DAY)
    assert asked
    assert house.ledger.entry(PROPS, str(DAY)).run_id == "another"


def test_the_run_that_holds_a_day_takes_it_again_when_its_step_is_repeated(house):
    for _ in range(2):
        slate.plan_schedule.fn(DAY, hold=True)
    found = house.ledger.entry(PROPS, str(DAY))
    assert (found.run_id, found.state) == (RUN, State.RUNNING)


def test_nothing_left_to_tally_is_no_gap_and_is_not_spoken_of(listed, told):
    assert slate.tally_rest.fn(DAY, []) == ()
    assert told == []


def test_a_batch_that_was_refused_as_a_whole_is_not_loaded(house):
    refused = Sifted(None, Outcome("out_features"), Outcome(PROPS), refused="The props were refused: no rows.")
    with pytest.raises(ValidationFailed, match="The props were refused") as raised:
        slate.load.fn(1, None, refused)
    assert raised.value.source == PROPS
    assert list(house.redis.scan_iter("*")) == []


def test_rows_that_went_missing_stop_a_run_before_it_publishes(house):
    lost = Outcome("core_players", keys=1, rows_in=5, loaded=4)
    with pytest.raises(ConservationBroken, match="core_players: 5 rows came in, but 4 loaded"):
        slate.add_up.fn(DAY, [lost], [], [], [])


def test_a_run_adds_up_every_table_also_those_of_which_it_has_no_batch(house):
    added = slate.add_up.fn(
        DAY,
        [Outcome(GAMES, rows_in=2, loaded=2), Outcome("core_quotes", rows_in=3, quarantined=3)],
        [Outcome("core_pitches", rows_in=4, loaded=4), Outcome("core_pitches", rows_in=1, failed=1)],
        [],
        [],
    )
    assert [(each.table, each.rows_in, each.loaded, each.quarantined, each.failed) for each in added] == [
        (GAMES, 2, 2, 0, 0),
        ("core_quotes", 3, 0, 3, 0),
        ("core_pitches", 5, 4, 0, 1),
        ("out_features", 0, 0, 0, 0),
        (PROPS, 0, 0, 0, 0),
    ]
