"""Plan: only what is missing is asked for, and a day that makes no sense is refused with the reason."""

from __future__ import annotations

import datetime as dt
import itertools

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.clock import days_between, parse_day
from backstop.errors import UpstreamUnavailable, UsageError
from backstop.lake.states import State
from backstop.net.item import Priority
from backstop.props.markets import MARKETS
from backstop.settings import Feed
from backstop.sources.theodds import markets as market_keys
from backstop.stages import plan, schedules
from backstop.stages.house import House
from backstop.stages.outcome import Gap, Outcome
from tests.stages.rows import DAY, games

BEFORE = DAY - dt.timedelta(days=1)
days = st.dates(dt.date(2020, 1, 1), dt.date(2027, 12, 31))


def complete(house, table, *keys, rows=0):
    for key in keys:
        house.ledger.begin(table, key, run_id="r")
        house.ledger.complete(
            table,
            key,
            run_id="r",
            rows_in=rows,
            rows_loaded=rows,
            rows_quarantined=0,
            content_hash="x",
            suite_version="1",
        )


@given(st.integers(2020, 2026), days)
def test_history_is_every_season_day_before_the_slate_and_never_the_slate_itself(first_season, day):
    wanted = schedules.season_days(first_season, day)
    assert wanted == sorted(set(wanted))
    assert all(first_season <= each.year and each < day for each in wanted)
    assert all((3, 1) <= (each.month, each.day) <= (11, 15) for each in wanted)
    yesterday = day - dt.timedelta(days=1)
    if yesterday.year >= first_season and 4 <= yesterday.month <= 10:
        assert wanted[-1] == yesterday


@given(st.lists(st.dates(dt.date(2025, 3, 1), dt.date(2025, 5, 1)), unique=True))
def test_spans_cover_exactly_the_days_and_no_two_of_them_touch(chosen):
    spans = plan.spans(sorted(chosen))
    assert [day for first, last in spans for day in days_between(first, last)] == sorted(chosen)
    assert all(later[0] - earlier[1] > dt.timedelta(days=1) for earlier, later in itertools.pairwise(spans))


def test_the_first_plan_asks_for_the_day_and_for_the_season_by_month(house):
    (items,) = plan.schedule_batches(house, DAY)
    assert items[0].key == DAY.isoformat()
    assert "probablePitcher" in dict(items[0].params)["hydrate"]
    assert [item.key for item in items[1:]] == [
        "2025-03-01..2025-03-31",
        "2025-04-01..2025-04-30",
        "2025-05-01..2025-05-31",
        "2025-06-01..2025-06-14",
    ]


def test_settled_days_are_not_asked_for_again(house):
    every = [day.isoformat() for day in schedules.season_days(2025, DAY)]
    complete(house, "core_games", *(key for key in every if key not in {"2025-04-10", "2025-04-11", "2025-06-14"}))
    (items,) = plan.schedule_batches(house, DAY)
    assert [item.key for item in items[1:]] == ["2025-04-10..2025-04-11", "2025-06-14..2025-06-14"]


def test_a_settled_past_leaves_the_day_alone_to_be_asked_for(house):
    complete(house, "core_games", *(day.isoformat() for day in schedules.season_days(2025, DAY)))
    (items,) = plan.schedule_batches(house, DAY)
    assert [item.key for item in items] == [DAY.isoformat()]


def test_tomorrow_can_be_asked_for_and_the_day_after_cannot(house):
    plan.check_day(house, DAY + dt.timedelta(days=1))
    with pytest.raises(UsageError, match=r"2025-06-17 lies in the future.*ask for a date up to 2025-06-16"):
        plan.check_day(house, DAY + dt.timedelta(days=2))


def test_after_midnight_in_new_york_it_is_still_the_evening_before(house, clock):
    clock.at = dt.datetime(2025, 6, 16, 6, tzinfo=dt.UTC)
    with pytest.raises(UsageError, match="Today is 2025-06-15"):
        plan.check_day(house, DAY + dt.timedelta(days=2))


def test_a_day_before_the_first_season_kept_is_refused_with_the_setting_that_helps(house):
    with pytest.raises(UsageError, match=r"2024-06-15 lies before 2025-03-01.*BACKSTOP_HISTORY_FIRST_SEASON to 2024"):
        plan.check_day(house, dt.date(2024, 6, 15))


@pytest.mark.parametrize("text", ["2025-6-15", "15.06.2025", "20250615", "2025-06-31", "today", "", "2025-06-15 "])
def test_a_malformed_date_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match="is not a date; expected YYYY-MM-DD"):
        parse_day(text)


OUT_OF_COUNT = ({"game_type": "S"}, {"abstract_status": "Live"}, {"status": "Postponed"}, {"status": "Cancelled: Snow"})


def test_a_day_of_pitches_is_asked_for_when_its_games_count_and_are_over(house):
    house.lake.write("core_games", BEFORE, games(BEFORE, 1, 2))
    for back, changes in enumerate(OUT_OF_COUNT, 2):
        day = DAY - dt.timedelta(days=back)
        house.lake.write("core_games", day, games(day, back * 10, **changes))
    house.lake.write("core_games", DAY, games(DAY, 9))
    assert [item.key for batch in plan.pitch_batches(house, DAY) for item in batch] == [BEFORE.isoformat()]
    assert schedules.finished_games(house, DAY).rows() == [(BEFORE, 2)]
    complete(house, "core_pitches", BEFORE.isoformat())
    assert plan.pitch_batches(house, DAY) == []


def test_history_comes_in_batches_of_fifty(house):
    for day in days_between(dt.date(2025, 4, 1), dt.date(2025, 6, 14)):
        house.lake.write("core_games", day, games(day, day.toordinal()))
    assert [len(batch) for batch in plan.pitch_batches(house, DAY)] == [50, 25]


OFF = ("Postponed", "Cancelled", "Canceled", "Postponed: Rain", "Cancelled: Wet Grounds")


def test_box_scores_are_asked_for_games_that_are_to_be_played(house):
    off = [games(DAY, 3 + n, status=status) for n, status in enumerate(OFF)]
    rows = pl.concat([games(DAY, 1), games(DAY, 2, status=None), *off, games(DAY, 9, game_type="E")])
    house.lake.write("core_games", DAY, rows)
    (items,) = plan.box_batches(house, DAY)
    assert [item.key for item in items] == ["1", "2"]


@pytest.mark.parametrize(
    ("said", "alternates", "asked"),
    [
        (None, False, list(plan.MARKETS)),
        ("batter_rbis", False, ["batter_rbis"]),
        ("pitcher_outs, batter_hits,pitcher_outs", False, ["pitcher_outs", "batter_hits"]),
        ("pitcher_outs,batter_hits", True, ["pitcher_outs", "batter_hits", "batter_hits_alternate"]),
        ("all", False, list(MARKETS)),
    ],
)
def test_the_books_are_asked_for_the_markets_that_are_set_once_each(house, said, alternates, asked):
    wanted = house.settings.model_copy(update={"odds_markets": said, "odds_alternates": alternates})
    assert plan.markets_of(wanted) == asked
    # the feed refuses the whole call for one key that it does not know
    assert market_keys.check(asked) == asked


@pytest.mark.parametrize("said", ["batter_triples", "batter_hits,pitcher_record_a_win", "hits"])
def test_a_market_that_is_not_projected_is_not_paid_for(house, said):
    with pytest.raises(UsageError, match="is not a market that is projected; the markets are batter_doubles, "):
        plan.markets_of(house.settings.model_copy(update={"odds_markets": said}))


def test_what_is_asked_about_a_day_that_is_over_waits_for_what_is_asked_about_today(house):
    """Live games before props before history: line-ups of today do not stand behind a backfill."""
    feed = House(house.settings.model_copy(update={"upstream": "http://127.0.0.1:9"}), house.clock)
    ranks = {}
    for day in (BEFORE, DAY):
        feed.lake.write("core_games", day, games(day, day.toordinal()))
        listed = pl.DataFrame(
            {"event_id_theodds": ["x"], "commence_at": [dt.datetime.combine(day, dt.time(17), dt.UTC)]}
        )
        batches = [
            *plan.schedule_batches(feed, day), *plan.box_batches(feed, day), *plan.event_batches(feed, day),
            *plan.quote_batches(feed, day, listed), *plan.pitch_batches(feed, day),
        ]  # fmt: skip
        ranks[day] = {item.table: item.priority for batch in batches for item in batch[:1]}
    assert set(ranks[BEFORE].values()) == {Priority.HISTORY}
    assert ranks[DAY] == {
        "core_games": Priority.LIVE, "core_box": Priority.LIVE, "core_events": Priority.PROPS,
        "core_quotes": Priority.PROPS, "core_pitches": Priority.HISTORY,
    }  # fmt: skip


def test_without_a_key_live_prices_are_not_asked_for_and_the_reason_is_named(house):
    assert plan.event_batches(house, DAY) == []
    assert plan.quotes_wanted(house) == "no prices: BACKSTOP_THEODDS_KEY is not set"
    keyed = House(house.settings.model_copy(update={"upstream": "http://127.0.0.1:9"}), house.clock)
    assert plan.quotes_wanted(keyed) == ""
    ((item,),) = plan.event_batches(keyed, DAY)
    assert item.feed is Feed.THEODDS


def test_prices_of_a_past_day_are_those_at_its_first_pitch(house, clock):
    event = {
        "event_id_theodds": "e" * 32,
        "commence_at": dt.datetime(2025, 6, 15, 17, 40, tzinfo=dt.UTC),
        "home_team": "NYY",
        "away_team": "BOS",
        "game_date": DAY,
    }
    listed = pl.DataFrame([event], schema_overrides={"commence_at": pl.Datetime("us", "UTC")})
    ((live,),) = plan.quote_batches(house, DAY, listed)
    assert "historical" not in live.path
    clock.advance(86_400)
    ((past,),) = plan.quote_batches(house, DAY, listed)
    assert "historical" in past.path
    assert dict(past.params)["date"] == "2025-06-15T17:40:00Z"


def test_days_without_games_are_settled_as_empty_and_days_with_open_games_come_again(house):
    final, still_open, off = (DAY - dt.timedelta(days=back) for back in (3, 2, 1))
    house.lake.write("core_games", final, games(final, 1))
    house.lake.write("core_games", still_open, games(still_open, 2, abstract_status="Live", status="In Progress"))
    complete(house, "core_games", final.isoformat(), still_open.isoformat(), rows=1)
    plan.settle_schedule(house, [final, still_open, off], "r")
    keys = [day.isoformat() for day in (final, still_open, off)]
    assert [house.ledger.entry("core_games", key).state for key in keys] == [
        State.COMPLETE, State.STALE, State.EMPTY_OK,
    ]  # fmt: skip
    assert house.ledger.missing("core_games", keys) == [still_open.isoformat()]


def test_an_off_day_is_told_from_a_schedule_that_was_not_answered(house):
    with pytest.raises(UpstreamUnavailable, match=r"not known \(it was not answered\)"):
        schedules.check_schedule_known(house, DAY, Outcome("core_games"))
    lost = Outcome("core_games", gaps=(Gap("core_games", DAY.isoformat(), "not fetched: HTTP 503"),))
    with pytest.raises(UpstreamUnavailable, match=r"not fetched: HTTP 503"):
        schedules.check_schedule_known(house, DAY, lost)
    plan.settle_schedule(house, [DAY], "r")
    schedules.check_schedule_known(house, DAY, lost)


def test_a_day_without_games_has_no_games_no_box_scores_and_no_pitches(house):
    assert schedules.games_of(house, DAY).is_empty()
    assert plan.box_batches(house, DAY) == []
    assert plan.pitch_batches(house, DAY) == []
