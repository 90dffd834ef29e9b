"""Every table that a feed plans can be inspected and parsed."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop.errors import UpstreamMalformed
from backstop.sources import chadwick, registry
from backstop.sources.savant import leaderboards, pitches
from backstop.sources.sportradar import people as sportradar_people
from backstop.sources.sportradar import playerprops, season, summary
from backstop.sources.sportradar import schedule as sportradar_schedule
from backstop.sources.statsapi import boxscore, livefeed, people, schedule
from backstop.sources.theodds import events, props

DAY = dt.date(2025, 6, 15)
LISTED = pl.DataFrame({"event_id_theodds": ["x"], "commence_at": [dt.datetime(2025, 6, 15, 17, tzinfo=dt.UTC)]})
PLANNED = [
    *pitches.plan([DAY]), *schedule.plan(DAY, DAY), *schedule.plan_day(DAY), *boxscore.plan([1]),
    *events.plan(DAY), *props.plan(LISTED, ["batter_hits"]), *people.plan_season(2025), *people.plan_rosters(DAY, ["DET"]),
    *livefeed.plan([1]), *leaderboards.plan(2025)[:3], *chadwick.plan()[:1], *sportradar_schedule.plan(DAY),
    *summary.plan_day(DAY), *season.plan(2025, ["DET"]), *sportradar_people.plan_profiles(["u"]),
    *sportradar_people.plan_injuries(), *playerprops.plan(DAY),
]  # fmt: skip


@pytest.mark.parametrize("item", PLANNED, ids=lambda item: item.table)
def test_a_planned_item_names_a_registered_table(item: object) -> None:
    assert item.table in registry.TABLES  # type: ignore[attr-defined]


@pytest.mark.parametrize("table", registry.TABLES)
def test_a_web_page_is_refused_by_every_table(table: str) -> None:
    with pytest.raises(UpstreamMalformed, match="web page"):
        registry.TABLES[table].inspect(b"<!DOCTYPE html><html><head><title>Maintenance</title></head></html>")


@pytest.mark.parametrize("item", PLANNED, ids=lambda item: item.table)
def test_no_planned_request_carries_a_secret(item: object) -> None:
    assert not {name.lower() for name, _ in item.params} & {"apikey", "api_key", "key", "x-api-key"}  # type: ignore[attr-defined]
