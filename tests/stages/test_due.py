"""What is due: asked of calendar and ledger at any instant, the same answer for everybody who asks."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.sources.theodds.markets import BATTER
from backstop.stages import days, due, settled
from backstop.stages.due import Due
from backstop.stages.grade import GRADES, SETTLED
from tests.stages.gameday import PROPS, at, begin, failed, post, published, refreshed
from tests.stages.rows import DAY, games

MORNING_AFTER = dt.datetime(2025, 6, 16, 13, 5, tzinfo=dt.UTC)


@pytest.fixture
def season(house):
    """A house that knows the day's games, not begun, and that the days before had none."""
    begin(house)
    return house


def slots(house, now):
    return [(each.flow, each.slot) for each in due.runs(house, now, prices_every=None)]


def test_before_line_ups_are_posted_nothing_is_due(season, clock):
    post(season, clock)
    for hours in (-6, -3, -1, 0, 1):
        assert slots(season, at(hours)) == []


def refreshes(house, now):
    """The runs that line-ups make due, each by the refresh that came before it, with a mark for what was posted."""
    found = [each for each in due.runs(house, now, prices_every=None) if each.flow == "slate-refresh"]
    return [tuple(each.slot.split("-after-")) for each in found]


def test_the_first_posted_line_ups_make_the_slate_due_once_whoever_asks(season, clock):
    post(season, clock, 1)
    ((mark, before),) = refreshes(season, at(-0.9))
    assert before == "none"
    assert mark.startswith("lineups-")
    assert refreshes(season, at(-0.5)) == refreshes(season, at(-0.9))


def test_further_line_ups_make_it_due_again_and_known_ones_do_not(season, clock):
    post(season, clock, 1)
    ((first, _),) = refreshes(season, at(-1))
    refreshed(season, 1)
    assert refreshes(season, at(-1)) == []
    clock.advance(60)
    post(season, clock, 1, 2)
    (again,) = due.runs(season, at(-0.9), prices_every=None)
    assert again.slot.endswith("-after-r")
    assert not again.slot.startswith(first)
    assert again.reason == "line-ups of 2 games are posted, those of 1 are not in the slate"
    refreshed(season, 1, 2)
    assert refreshes(season, at(-0.9)) == []


def test_line_ups_that_a_refresh_could_not_have_are_asked_for_again_until_the_last_game_begins(season, clock):
    clock.at = at(-4)
    post(season, clock, 1, 2)
    refreshed(season, 1)
    soon, later = clock.at + dt.timedelta(minutes=29), clock.at + dt.timedelta(minutes=30)
    assert refreshes(season, soon) == [], "the refresh of just now asked for them"
    assert refreshes(season, later) == refreshes(season, at(-2))
    assert [before for _, before in refreshes(season, later)] == ["r"]
    clock.at = later
    refreshed(season, 1, run="s")
    assert refreshes(season, later + dt.timedelta(minutes=29)) == []
    assert [before for _, before in refreshes(season, later + dt.timedelta(minutes=30))] == ["s"]
    assert refreshes(season, at(0.5)) == []
    refreshed(season, 1, 2, run="t")
    assert refreshes(season, at(-1)) == []


def test_prices_that_are_published_meanwhile_do_not_put_off_line_ups_that_a_refresh_could_not_have(season, clock):
    clock.at = at(-4)
    post(season, clock, 1, 2)
    refreshed(season, 1)
    for minutes in range(5, 35, 5):
        clock.at = at(-4) + dt.timedelta(minutes=minutes)
        published(season, run=f"prices {minutes}")
    assert [before for _, before in refreshes(season, clock.at)] == ["r"]


def test_the_run_that_new_line_ups_make_due_is_the_same_while_it_waits_for_a_worker(season, clock):
    clock.at = at(-4)
    post(season, clock, 1)
    refreshed(season, 1)
    clock.at = at(-3.6)
    post(season, clock, 1, 2)
    looks = [refreshes(season, at(-3.6) + dt.timedelta(minutes=minutes)) for minutes in range(0, 60, 5)]
    assert looks == [looks[0]] * 12
    assert [before for _, before in looks[0]] == ["r"]


def test_a_postponed_game_whose_line_ups_were_known_does_not_hide_those_of_the_next(season, clock):
    post(season, clock, 1)
    refreshed(season, 1)
    called_off = games(DAY, 1, status="Postponed", abstract_status="Final")
    to_come = games(DAY, 2, status="Scheduled", abstract_status="Preview")
    season.lake.write(tables.GAMES.name, DAY, called_off.vstack(to_come))
    clock.advance(60)
    assert refreshes(season, at(-0.9)) == [], "a game less is nothing posted"
    post(season, clock, 1, 2)
    assert [before for _, before in refreshes(season, at(-0.9))] == ["r"]


@pytest.mark.parametrize("home", [[11, 98], [12, 99], [99, 12]], ids=["one is scratched", "the first is", "they swap"])
def test_a_line_up_that_is_changed_before_its_game_begins_makes_the_slate_due_again(season, clock, home):
    post(season, clock, 1, home=[12, 99] if home == [99, 12] else [11, 99])
    refreshed(season, 1, home=[12, 99] if home == [99, 12] else [11, 99])
    assert refreshes(season, at(-1)) == []
    clock.advance(60)
    post(season, clock, 1, home=home)
    assert [before for _, before in refreshes(season, at(-0.9))] == ["r"]
    assert refreshes(season, at(0)) == [], "its game has begun"
    refreshed(season, 1, home=home)
    assert refreshes(season, at(-0.9)) == []


def test_a_line_up_whose_order_the_feeds_two_answers_tell_otherwise_is_not_asked_for_all_day(season, clock):
    clock.at = at(-4)
    post(season, clock, 1, home=[11, 99])
    refreshed(season, 1, home=[99, 11])
    assert refreshes(season, at(-3)) == []


def test_a_game_of_which_one_club_has_posted_waits_for_the_other(season, clock):
    post(season, clock, 1, home=[None])
    assert refreshes(season, at(-1)) == []


def test_a_slate_that_was_graded_without_a_box_score_is_graded_again_after_a_pause(season, clock):
    refreshed(season, 1, 2)
    season.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    clock.at = MORNING_AFTER
    season.ledger.begin(GRADES, DAY.isoformat(), run_id="r")
    counts = {"run_id": "r", "rows_in": 3, "rows_loaded": 3}
    season.ledger.degrade(GRADES, DAY.isoformat(), reason="2: not fetched", **counts)
    assert slots(season, MORNING_AFTER + dt.timedelta(minutes=4)) == []
    (again,) = due.runs(season, MORNING_AFTER + dt.timedelta(minutes=6), prices_every=None)
    assert (again.flow, again.slot) == ("slate-grade", "try-2-after-r")
    assert again.reason == f"{DAY} was graded without: 2: not fetched"
    published(season, table=GRADES)
    assert slots(season, MORNING_AFTER + dt.timedelta(hours=1)) == []


SUSPENDED = {"status": "Suspended: Rain", "abstract_status": "Live"}


@pytest.fixture
def suspended(season, clock):
    """The morning after a published day of two games of which the second was suspended."""
    refreshed(season, 1, 2)
    season.lake.write(tables.GAMES.name, DAY, games(DAY, 1).vstack(games(DAY, 2, **SUSPENDED)))
    clock.at = MORNING_AFTER
    return season


def graded(house, reason="", run="g"):
    """Grade the day as the run does."""
    house.ledger.begin(GRADES, DAY.isoformat(), run_id=run)
    counts = {"run_id": run, "rows_in": 3, "rows_loaded": 3}
    house.lake.write(SETTLED, DAY, pl.DataFrame({"prop_id": ["p"]}))
    if reason:
        house.ledger.degrade(GRADES, DAY.isoformat(), reason=reason, **counts)
    else:
        house.ledger.complete(GRADES, DAY.isoformat(), **counts)


def gradings(house, now):
    return [each for each in due.runs(house, now, prices_every=None) if each.flow == "slate-grade"]


def test_a_day_with_a_suspended_game_is_graded_the_next_morning(suspended):
    assert gradings(suspended, MORNING_AFTER) == [Due("slate-grade", DAY, "first", "game 2 is not over")]


def test_a_game_that_has_not_begun_by_the_schedule_is_waited_for_one_day_more(suspended, clock):
    behind = games(DAY, 1).vstack(games(DAY, 2, status="Scheduled", abstract_status="Preview"))
    suspended.lake.write(tables.GAMES.name, DAY, behind)
    assert gradings(suspended, MORNING_AFTER + dt.timedelta(hours=23)) == []
    assert [each.slot for each in gradings(suspended, MORNING_AFTER + dt.timedelta(hours=24))] == ["first"]


@pytest.mark.parametrize("days_later", [1, 3, 4, 61])
def test_a_day_is_graded_once_more_when_its_suspended_game_is_over_however_late(suspended, clock, days_later):
    graded(suspended, settled.not_over(suspended, DAY))
    for waited in (0.1, 1, 2, 5, 60):
        assert gradings(suspended, MORNING_AFTER + dt.timedelta(days=waited)) == []
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    clock.at = MORNING_AFTER + dt.timedelta(days=days_later)
    (again,) = gradings(suspended, clock.at)
    assert (again.day, again.slot) == (DAY, "try-2-after-g")
    assert again.reason == f"{DAY} was graded without: game 2 is not over"
    graded(suspended, run="h")
    clock.advance(86400)
    assert gradings(suspended, clock.at) == []


def test_of_two_suspended_games_each_makes_the_day_due_when_it_is_over(suspended, clock):
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2, **SUSPENDED))
    graded(suspended, settled.not_over(suspended, DAY))
    clock.at = MORNING_AFTER + dt.timedelta(days=30)
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1, **SUSPENDED).vstack(games(DAY, 2)))
    assert [each.slot for each in gradings(suspended, clock.at)] == ["try-2-after-g"]
    graded(suspended, settled.not_over(suspended, DAY), run="h")
    clock.advance(86400)
    assert gradings(suspended, clock.at) == []


def test_a_box_score_that_is_owed_beside_a_suspended_game_is_asked_for_again_for_three_days(suspended):
    graded(suspended, "1: not fetched; game 2 is not over")
    found = [bool(gradings(suspended, MORNING_AFTER + dt.timedelta(days=later))) for later in (0.1, 2, 4, 30)]
    assert found == [True, True, False, False]
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    assert len(gradings(suspended, MORNING_AFTER + dt.timedelta(days=30))) == 1


def test_the_grade_of_a_resumed_game_that_failed_is_tried_again_and_one_that_never_was_is_not(suspended, clock):
    graded(suspended, settled.not_over(suspended, DAY))
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    clock.at = MORNING_AFTER + dt.timedelta(days=61)
    for day in (DAY, DAY - dt.timedelta(days=1)):
        suspended.ledger.begin(GRADES, day.isoformat(), run_id="f")
        suspended.ledger.fail(GRADES, day.isoformat(), run_id="f", reason="the feed was down")
    clock.advance(3600)
    assert [(each.day, each.slot) for each in gradings(suspended, clock.at)] == [(DAY, "try-2-after-f")]


def test_an_old_day_that_lacks_a_box_score_is_left_to_whoever_backfills(suspended):
    suspended.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    graded(suspended, "2: not fetched")
    assert gradings(suspended, MORNING_AFTER + dt.timedelta(days=4)) == []


def test_an_off_day_makes_nothing_due(house, clock):
    for back in range(5):
        house.ledger.empty(tables.GAMES.name, (DAY - dt.timedelta(days=back)).isoformat(), run_id="r", reason="none")
    assert slots(house, at(-1)) == []


def closed_before_its_games_were_listed(house):
    """Close the day as one without games, then list them; the day before it had one."""
    house.ledger.begin(PROPS, DAY.isoformat(), run_id="r")
    house.ledger.empty(PROPS, DAY.isoformat(), run_id="r", reason="no games")
    yesterday = DAY - dt.timedelta(days=1)
    house.lake.write(tables.GAMES.name, yesterday, games(yesterday, 9))


def test_a_day_that_was_closed_before_its_games_were_listed_is_due_when_line_ups_are_posted(season, clock):
    closed_before_its_games_were_listed(season)
    post(season, clock)
    assert refreshes(season, at(-1)) == []
    clock.advance(60)
    post(season, clock, 1)
    assert [before for _, before in refreshes(season, at(-0.9))] == ["none"]
    (day,) = days.of_range(season, DAY, DAY)
    assert day == days.Day(DAY, days.Condition.MISSING, reason="never published")
    season.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2, status="Postponed"))
    assert slots(season, at(-0.9)) == [], "all of them were called off"


@pytest.mark.parametrize("game_type", ["S", "A"])
def test_a_day_whose_games_do_not_count_stays_empty(season, clock, game_type):
    closed_before_its_games_were_listed(season)
    season.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2, game_type=game_type))
    (day,) = days.of_range(season, DAY, DAY)
    assert (day.condition, day.reason) == (days.Condition.EMPTY, "no games")


def test_a_day_before_which_nothing_was_played_stays_empty(season, clock):
    closed_before_its_games_were_listed(season)
    yesterday = DAY - dt.timedelta(days=1)
    season.lake.write(tables.GAMES.name, yesterday, games(yesterday, 9, status="Postponed"))
    post(season, clock, 1)
    assert slots(season, at(-0.9)) == []


def test_a_failed_slate_is_tried_again_after_a_pause_that_grows(season, clock):
    clock.at = at(-4)
    post(season, clock, 1)
    failed(season)
    assert slots(season, clock.now() + dt.timedelta(minutes=4)) == []
    assert slots(season, clock.now() + dt.timedelta(minutes=6)) == [("slate-refresh", "try-2-after-r")]
    failed(season, times=3)
    assert slots(season, clock.now() + dt.timedelta(minutes=59)) == []
    assert slots(season, clock.now() + dt.timedelta(minutes=61)) == [("slate-refresh", "try-5-after-r")]


def test_the_first_failure_after_many_refreshes_is_tried_again_as_soon_as_any_first_one(season, clock):
    clock.at = at(-4)
    post(season, clock, 1, 2)
    for _ in range(30):
        refreshed(season, 1, 2)
    failed(season)
    assert slots(season, clock.now() + dt.timedelta(minutes=6)) == [("slate-refresh", "try-2-after-r")]


def test_second_tries_of_one_day_are_runs_of_their_own(season, clock):
    clock.at = at(-4)
    post(season, clock, 1, 2)
    found = []
    for run_id in ("11111111-aaaa", "22222222-bbbb"):
        refreshed(season, 1, 2)
        season.ledger.begin(PROPS, DAY.isoformat(), run_id=run_id)
        season.ledger.fail(PROPS, DAY.isoformat(), run_id=run_id, reason="the feed was down")
        found += [each.key for each in due.runs(season, at(-3), prices_every=None)]
    assert found == [f"slate-refresh:{DAY}:try-2-after-11111111", f"slate-refresh:{DAY}:try-2-after-22222222"]


def test_a_feed_that_is_down_all_day_costs_a_run_an_hour(season, clock):
    clock.at = at(-12)
    post(season, clock, 1)
    started = 0
    while clock.at < at(0):
        started += len(slots(season, clock.at)) and (failed(season) or 1)
        clock.advance(300)
    assert 12 <= started <= 15


def test_a_slate_that_a_run_works_on_is_left_to_it(season, clock):
    post(season, clock, 1)
    season.ledger.begin(PROPS, DAY.isoformat(), run_id="r", lease_s=3 * 3600)
    assert slots(season, at(-1)) == []


def test_a_day_that_was_missed_is_due_the_days_after(season, clock):
    before = DAY - dt.timedelta(days=1)
    season.ledger.begin(tables.GAMES.name, before.isoformat(), run_id="r")
    season.ledger.complete(tables.GAMES.name, before.isoformat(), run_id="r", rows_in=1, rows_loaded=1)
    season.lake.write(tables.GAMES.name, before, games(before, 9))
    assert slots(season, at(-6)) == [("slate-refresh", "missed")]


def test_grading_is_due_the_next_morning_when_every_game_is_over(season, clock):
    refreshed(season, 1, 2)
    assert slots(season, MORNING_AFTER) == []
    season.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    assert slots(season, MORNING_AFTER - dt.timedelta(hours=2)) == []
    assert slots(season, MORNING_AFTER) == [("slate-grade", "first")]
    published(season, table=GRADES)
    assert slots(season, MORNING_AFTER) == []


def test_prices_are_due_in_slots_while_games_are_to_begin(season, clock):
    season.__dict__["settings"] = season.settings.model_copy(update={"upstream": "http://127.0.0.1:9"})
    clock.at = at(-3)
    refreshed(season, 1, 2)
    post(season, clock, 1, 2)
    every = dt.timedelta(minutes=5)

    def asked(now):
        return [each.key for each in due.runs(season, now, prices_every=every)]

    assert asked(at(-3) + dt.timedelta(minutes=2)) == []
    first = asked(at(-2))
    assert first == asked(at(-2) + dt.timedelta(minutes=4))
    assert len(first) == 1
    assert first != asked(at(-2) + dt.timedelta(minutes=5))
    assert asked(at(0.1)) == []
    assert [each.key for each in due.runs(season, at(-2), prices_every=None)] == []


def test_whoever_looks_every_five_minutes_asks_for_prices_every_time_although_a_refresh_takes_a_minute(season, clock):
    season.__dict__["settings"] = season.settings.model_copy(update={"upstream": "http://127.0.0.1:9"})
    post(season, clock, 1, 2)
    keys = set()
    for look in range(6):
        clock.at = at(-2) + look * dt.timedelta(minutes=5) + dt.timedelta(minutes=1)
        refreshed(season, 1, 2)
        keys |= {each.key for each in due.runs(season, at(-2) + (look + 1) * dt.timedelta(minutes=5))}
    assert len(keys) == 6


@pytest.mark.parametrize(
    ("left", "alternates", "expected"),
    [
        (None, False, 5.0),
        (10_000_000, False, 5.0),
        (20, False, None),
        (20 + 16 * 12 * 6, False, 30.0),
        (20 + 16 * 12 * 6, True, 60.0),
        (20 + 16 * 12, False, 180.0),
        (20 + 16 * 12, True, None),
    ],
)
def test_prices_are_asked_for_as_often_as_the_months_credits_allow(season, monkeypatch, left, alternates, expected):
    """Two games at six markets cost 12 credits; 16 days of June are left, and three hours of this one."""
    monkeypatch.setattr(due, "credits_left", lambda _house: left)
    season.__dict__["settings"] = season.settings.model_copy(update={"odds_alternates": alternates})
    monkeypatch.setattr(due.plan, "MARKETS", BATTER[:6])
    every = due.prices_every(season, at(-3))
    assert (every and every.total_seconds() / 60) == expected


def test_the_calendar_is_asked_often_while_games_are_on_and_seldom_otherwise(season, clock):
    assert due.calendar_is_old(season, at(-6))
    season.ledger.begin(tables.GAMES.name, DAY.isoformat(), run_id="r")
    clock.at = at(-10)
    season.ledger.complete(tables.GAMES.name, DAY.isoformat(), run_id="r", rows_in=2, rows_loaded=2)
    assert not due.calendar_is_old(season, at(-9))
    assert due.calendar_is_old(season, at(-4))
    look = at(-4)
    season.ledger.begin(tables.GAMES.name, DAY.isoformat(), run_id="r")
    clock.at = look + dt.timedelta(seconds=20)
    season.ledger.complete(tables.GAMES.name, DAY.isoformat(), run_id="r", rows_in=2, rows_loaded=2)
    assert not due.calendar_is_old(season, look + dt.timedelta(minutes=5))
    assert due.calendar_is_old(season, look + dt.timedelta(minutes=10)), "the second look after it, not the third"


def test_pitches_fetched_before_their_settling_window_are_asked_for_once_more(season, clock):
    clock.at = at(20)
    published(season, table=tables.PITCHES.name)
    assert due.unsettled_pitches(season, at(30)) == []
    assert due.unsettled_pitches(season, at(80)) == [DAY]
    clock.at = at(81)
    published(season, table=tables.PITCHES.name)
    assert due.unsettled_pitches(season, at(82)) == []
