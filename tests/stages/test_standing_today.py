"""How today stands: late or in time, with feeds and a store that can or cannot be reached, and what was closed last."""

from __future__ import annotations

import datetime as dt

import pytest

from backstop import tables
from backstop.clock import SystemClock
from backstop.lake.states import State
from backstop.net.health import FeedHealth
from backstop.net.meter import Counts
from backstop.stages import standing
from backstop.stages.days import Condition, Day, count, in_season
from backstop.stages.feeds import FeedStatus
from backstop.stages.house import House
from backstop.store.loader import SlateWriter
from tests.stages.gameday import at, begin, failed, post
from tests.stages.rows import games

TODAY = dt.date(2025, 6, 15)
NOON = dt.datetime(2025, 6, 15, 16, tzinfo=dt.UTC)


@pytest.fixture
def known(store: House, clock) -> House:
    """A house that knows every day of the week and has published the days before today."""
    store.clock = clock
    for back in range(8):
        day = (TODAY - dt.timedelta(days=back)).isoformat()
        for table in (tables.GAMES.name, tables.PROPS.name) if back else (tables.GAMES.name,):
            store.ledger.begin(table, day, run_id=f"r{back}")
            store.ledger.complete(table, day, run_id=f"r{back}", rows_in=5, rows_loaded=5)
    return store


def schedule(house: House, *minutes: int) -> None:
    """Let today's games begin so many minutes from now."""
    starts = [NOON + dt.timedelta(minutes=each) for each in minutes]
    parts = [games(TODAY, number, start_at=at, status="Scheduled") for number, at in enumerate(starts, start=1)]
    house.lake.write(tables.GAMES.name, TODAY, parts[0].vstack(parts[1]) if len(parts) > 1 else parts[0])


@pytest.mark.parametrize(
    ("minutes", "late"), [((31, 90), False), ((30, 90), False), ((29, 90), True), ((90, 5), True), ((-20, 60), True)]
)
def test_a_slate_is_late_half_an_hour_before_its_first_game(known: House, minutes: tuple[int, ...], *, late: bool):
    schedule(known, *minutes)
    found = standing.look(known)
    first = NOON + dt.timedelta(minutes=min(minutes))
    assert (found.at, found.games, found.first_pitch_at) == (NOON, len(minutes), first)
    clock = (first - dt.timedelta(hours=4)).strftime("%H:%M")
    assert found.problems == (
        [f"The slate of 2025-06-15 is missing; its first game begins at {clock} Eastern."] if late else []
    )


def test_a_start_that_is_to_be_determined_is_not_the_first(known: House):
    """The feed lists it before all others; where no other is known none is told."""
    unknown = games(TODAY, 2, start_is_tbd=True, start_at=NOON - dt.timedelta(hours=9), abstract_status="Preview")
    first = NOON + dt.timedelta(hours=3)
    for listed, told in ((games(TODAY, 1, start_at=first).vstack(unknown), first), (unknown, None)):
        known.lake.write(tables.GAMES.name, TODAY, listed)
        found = standing.look(known)
        assert (found.games, found.first_pitch_at, found.problems) == (listed.height, told, [])


def test_an_off_day_is_never_late(known: House):
    found = standing.look(known)
    assert (found.games, found.first_pitch_at, found.problems) == (0, None, [])
    assert found.recent[-1] == Day(TODAY, Condition.MISSING, reason="never published")
    assert [each.condition for each in found.recent[:-1]] == [Condition.COMPLETE] * 7


def test_a_slate_that_is_served_without_a_key_for_prices_is_no_problem_and_one_that_redis_lost_is(known: House):
    schedule(known, 10, 60)
    known.ledger.begin(tables.PROPS.name, TODAY.isoformat(), run_id="now")
    known.ledger.degrade(
        tables.PROPS.name,
        TODAY.isoformat(),
        run_id="now",
        rows_in=5,
        rows_loaded=4,
        rows_quarantined=1,
        reason="one name",
    )
    lost = "The slate of 2025-06-15 is degraded by the ledger, and Redis serves none; "
    assert standing.look(known).problems == [
        f"{lost}`backstop redis rebuild --slate 2025-06-15` loads it from the lake."
    ]
    writer = SlateWriter(known.redis, SystemClock())
    writer.publish(writer.open(TODAY, cutoff=NOON, run_id="now"), {}, {}, published_at=NOON)
    found = standing.look(known)
    assert found.problems == []
    assert found.recent[-1].condition is Condition.DEGRADED
    assert found.season[Condition.COMPLETE] == 7


def test_what_was_closed_last_stands_first_and_five_are_enough(known: House, clock):
    clock.advance(60)
    known.ledger.begin(tables.PITCHES.name, "2025-06-14", run_id="pitches")
    known.ledger.fail(tables.PITCHES.name, "2025-06-14", run_id="pitches", reason="no feed answered")
    closed = standing.look(known).closed
    assert len(closed) == 5
    assert closed[0] == (tables.PITCHES.name, "2025-06-14", State.FAILED, "pitches")
    assert {table for table, *_ in closed[1:]} == {tables.PROPS.name}


@pytest.mark.parametrize(("error", "why"), [(None, ""), ("no answer within 5 s", ": no answer within 5 s")])
def test_a_breaker_that_is_open_is_a_problem_with_its_last_error(error: str | None, why: str):
    health = FeedHealth(
        "savant", "http://127.0.0.1:1", "open", NOON, 41.6, 25, 25, 0, 0, None, error, None
    )  # fmt: skip
    said = standing._down(FeedStatus(health, Counts()))
    assert said == f"The breaker of savant is open, asked again in 42 s{why}"


@pytest.mark.parametrize(
    ("day", "expected"),
    [("02-28", False), ("03-01", True), ("07-15", True), ("11-15", True), ("11-16", False), ("12-31", False), ("01-01", False)],
)  # fmt: skip
def test_a_season_is_from_march_to_the_middle_of_november(day: str, *, expected: bool):
    assert in_season(dt.date.fromisoformat(f"2025-{day}")) is expected


def test_days_are_counted_by_condition_and_none_is_made_up():
    found = count([Day(TODAY, Condition.EMPTY), Day(TODAY, Condition.FAILED), Day(TODAY, Condition.EMPTY)])
    assert found == {Condition.EMPTY: 2, Condition.FAILED: 1}
    assert count([]) == {}


@pytest.fixture
def season(store, clock):
    """A house that knows the day's games, to begin at 17:00, and the days before, and has no key for prices."""
    begin(store)
    store.clock = store.ledger.clock = clock
    for back in range(8):
        store.ledger.empty(tables.GAMES.name, (TODAY - dt.timedelta(days=back)).isoformat(), run_id="r", reason="none")
    return store


def status_at(house, clock, hours):
    """Return today's problems, its schedule asked for just now."""
    clock.at = at(hours)
    house.ledger.begin(tables.GAMES.name, TODAY.isoformat(), run_id="r")
    house.ledger.complete(tables.GAMES.name, TODAY.isoformat(), run_id="r", rows_in=2, rows_loaded=2)
    return standing.look(house).problems


def test_line_ups_that_nobody_makes_a_slate_of_are_told_hours_before_the_first_pitch(season, clock):
    clock.at = at(-4)
    post(season, clock, 1)
    assert status_at(season, clock, -3.8) == [], "reconcile looks every five minutes, and the run takes its time"
    due = "The slate of 2025-06-15 is due: line-ups of 1 games are posted, those of 1 are not in the slate."
    assert status_at(season, clock, -3.7) == [due]
    assert status_at(season, clock, -0.6) == [due]
    assert status_at(season, clock, -0.4) == [
        "The slate of 2025-06-15 is missing; its first game begins at 13:00 Eastern."
    ]


def test_a_slate_that_failed_is_told_once_with_its_reason(season, clock):
    clock.at = at(-4)
    post(season, clock, 1)
    failed(season)
    assert status_at(season, clock, -3) == ["The slate of 2025-06-15 failed: the feed was down"]


def test_a_schedule_that_nobody_asks_for_any_more_is_told_after_some_patience(season, clock):
    assert status_at(season, clock, -7) == []
    for hours, late in ((-4.8, False), (-4.7, True)):
        clock.at = at(hours)
        told = "The schedule of 2025-06-15 is due; `reconcile` asks for it, is a worker running?"
        assert standing.look(season).problems == ([told] if late else [])


def test_without_redis_a_slate_that_is_due_is_told_all_the_same(season, clock):
    clock.at = at(-4)
    post(season, clock, 1)
    assert status_at(season, clock, -3) == [
        "The slate of 2025-06-15 is due: line-ups of 1 games are posted, those of 1 are not in the slate."
    ]
    nowhere = House(season.settings.model_copy(update={"redis_url": "redis://127.0.0.1:9/0"}), clock)
    try:
        problems = standing.look(nowhere).problems
    finally:
        nowhere.close()
    assert (
        "The slate of 2025-06-15 is due: line-ups of 1 games are posted, those of 1 are not in the slate." in problems
    )
    assert any("Redis" in each for each in problems)
