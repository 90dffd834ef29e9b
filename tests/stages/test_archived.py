"""What was asked day by day is found again by a run that begins with nothing."""

from __future__ import annotations

import datetime as dt

import pytest

from backstop import tables
from backstop.clock import days_between
from backstop.sources.statsapi import schedule
from backstop.stages import archived, plan, receive, schedules
from backstop.stages.house import House
from tests.stages.rows import DAY, Fetched, batch, listed_game, listing

FIRST = dt.date(2025, 6, 1)
MAY = days_between(dt.date(2025, 5, 1), dt.date(2025, 5, 31))


def june(day: int) -> dt.date:
    return dt.date(2025, 6, day)


def at(day: int) -> dt.datetime:
    return dt.datetime(2025, 6, day, 16, tzinfo=dt.UTC)


@pytest.fixture
def replay(house):
    """A house that replays the archive of another."""
    return House(house.settings.model_copy(update={"upstream": f"replay:{house.archive.root}"}), house.clock)


def kept(house, item, fetched_at, *games):
    body = listing(*games)
    name = house.archive.put(item, body, fetched_at=fetched_at, headers=(), status=200)
    return Fetched(item, name, fetched_at, len(body), from_archive=True, attempts=0)


def ranged(first, last):
    (item,) = schedule.plan(first, last)
    return item


def keys(items):
    return [item.key for item in items]


def test_every_day_is_answered_by_the_request_that_spoke_of_it_last(house):
    kept(house, ranged(FIRST, june(9)), at(10))
    kept(house, schedule.plan_day(june(10))[0], at(10))
    kept(house, ranged(june(9), june(10)), at(11))
    kept(house, schedule.plan_day(june(11))[0], at(11))
    kept(house, ranged(june(12), june(14)), at(15))
    items, known = archived.schedule_requests(house.archive, days_between(FIRST, june(14)))
    assert keys(items) == ["2025-06-01..2025-06-09", "2025-06-09..2025-06-10", "2025-06-11", "2025-06-12..2025-06-14"]
    assert known == set(days_between(FIRST, june(14)))


def test_days_of_which_nothing_is_archived_are_asked_for_as_ever(replay, house):
    kept(house, ranged(june(3), june(5)), at(6))
    kept(house, ranged(june(8), june(8)), at(9))
    wanted = [*MAY, *days_between(FIRST, june(10))]
    assert keys(plan.schedule_requests(replay, wanted)) == [
        "2025-06-03..2025-06-05", "2025-06-08..2025-06-08",
        "2025-05-01..2025-05-31", "2025-06-01..2025-06-02", "2025-06-06..2025-06-07", "2025-06-09..2025-06-10",
    ]  # fmt: skip


def test_a_range_that_speaks_of_one_wanted_day_among_others_is_taken(replay, house):
    kept(house, ranged(FIRST, june(14)), at(15))
    assert keys(plan.schedule_requests(replay, [june(7)])) == ["2025-06-01..2025-06-14"]
    assert plan.schedule_requests(replay, []) == []


def test_only_a_replay_looks_into_the_archive(house):
    kept(house, ranged(FIRST, june(9)), at(10))
    assert keys(plan.schedule_requests(house, [june(8)])) == ["2025-06-08..2025-06-08"]


def test_a_lost_body_does_not_answer(replay, house):
    answer = kept(house, ranged(FIRST, june(9)), at(10))
    house.archive._object_path(answer.content_hash).unlink()
    assert keys(plan.schedule_requests(replay, [june(8)])) == ["2025-06-08..2025-06-08"]


@pytest.mark.parametrize("later_first", [False, True])
def test_of_two_answers_about_a_day_the_later_one_counts_whichever_is_read_first(house, later_first):
    state = {"abstractGameState": "Preview", "detailedState": "Scheduled"}
    early = kept(house, ranged(FIRST, june(30)), at(2), listed_game(7, june(9), status=state), listed_game(8, june(20)))
    late = kept(house, ranged(june(9), june(9)), at(10), listed_game(7, june(9)))
    answers = [late, early] if later_first else [early, late]
    found = {each.day: each.parsed.frame for each in receive.games_by_day(house, [batch(*answers)])}
    assert found[june(9)]["status"].to_list() == ["Final"]
    assert found[june(20)]["game_pk"].to_list() == [8]


def test_a_replay_of_a_home_that_grew_day_by_day_asks_for_nothing_that_was_never_asked(replay, house):
    """First run on the 12th with the whole season, then every noon: the day, and yesterday once more."""
    first = [item for span in plan.spans(schedules.season_days(2025, june(12))) for item in schedule.plan(*span)]
    for item in first:
        kept(house, item, at(12))
    for day in (12, 13, 14, 15):
        kept(house, schedule.plan_day(june(day))[0], at(day))
        if day > 12:
            kept(house, ranged(june(day - 1), june(day - 1)), at(day))
    (items,) = plan.schedule_batches(replay, DAY)
    assert all(replay.archive.last(item) for item in items)
    covered = set(
        receive.days_covered([batch(*(Fetched(item, "", at(15), 0, from_archive=True, attempts=0) for item in items))])
    )
    assert covered >= {*schedules.season_days(2025, DAY), DAY}
    assert "2025-06-14..2025-06-14" in keys(items)
    assert tables.GAMES.name == items[0].table
