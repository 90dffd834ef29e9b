"""What is never asked for and never kept, because it is known to go wrong."""

from __future__ import annotations

import datetime as dt

import polars as pl

from backstop import tables
from backstop.sources.savant import leaderboards, vocabulary
from backstop.sources.statsapi import schedule

DAY = dt.date(2025, 6, 15)


def test_no_column_that_looks_into_the_future_is_kept() -> None:
    assert "until_next_game" in str(vars(vocabulary))  # the feed has them
    assert not [name for name in tables.PITCHES.schema if "until" in name]


def test_no_leaderboard_is_asked_with_a_threshold_that_drops_most_players_or_gives_a_page() -> None:
    asked = pl.DataFrame(
        [(item.table, name, value) for item in leaderboards.plan(2025) for name, value in item.params],
        schema=["table", "name", "value"],
        orient="row",
    )
    assert asked.filter(pl.col("value").is_in(["None", "nan"])).is_empty()
    assert asked.filter(pl.col("name") == "min", pl.col("value") == "q").is_empty()


def test_the_schedule_is_not_asked_for_what_the_server_fails_at() -> None:
    for item in (*schedule.plan(DAY, DAY), *schedule.plan_day(DAY)):
        assert "seriesStatus" not in dict(item.params).get("hydrate", "")
