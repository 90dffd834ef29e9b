"""Which line-ups make a refresh due: new ones, changed ones, and those that the last refresh asked for in vain."""

from __future__ import annotations

import datetime as dt

import pytest

from backstop import tables
from backstop.stages import days, due
from tests.stages.gameday import PROPS, at, kept, post, published, refreshed
from tests.stages.rows import DAY, games


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
    assert refreshes(season, at(-0.9)) == [], "all of them were called off"


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
    assert refreshes(season, at(-0.9)) == []


def test_line_ups_that_were_fetched_without_a_slate_make_it_due_whether_they_are_posted_or_not(season, clock):
    refreshed(season, 1, 2)
    assert refreshes(season, at(-3)) == []
    kept(season, 1, 2, run="fetch-1")
    assert refreshes(season, at(-3)) == [], "they are the same"
    kept(season, 1, 2, home=[99], run="fetch-2")
    (first,) = due.runs(season, at(-3), prices_every=None)
    assert first.reason == "line-ups of 2 games are posted, those of 2 are not in the slate"
    kept(season, 1, 2, home=[98], run="fetch-2")
    (second,) = due.runs(season, at(-3), prices_every=None)
    assert second.key != first.key
    assert refreshes(season, at(0.1)) == [], "both games have begun"
    refreshed(season, 1, 2, home=[98], run="s")
    assert refreshes(season, at(-3)) == []


def test_a_slate_whose_run_noted_no_line_ups_is_judged_by_what_is_posted_alone(season, clock):
    published(season, run="old")
    kept(season, 1, 2, run="fetch-1")
    assert refreshes(season, at(-3)) == []
