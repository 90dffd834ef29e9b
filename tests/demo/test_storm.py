"""A week of the league fetched through the storm by the engine that fetches real feeds."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from backstop.clock import SystemClock, days_between
from backstop.demo.upstream import Upstream
from backstop.errors import UpstreamError
from backstop.net.client import Fetcher
from backstop.settings import Settings
from backstop.sources.savant import pitches
from backstop.sources.statsapi import boxscore

WEEK = days_between(dt.date(2025, 4, 15), dt.date(2025, 4, 23))
KEY = ["game_pk", "at_bat_number", "pitch_number"]


async def _fetch(server: Upstream, home: Path) -> tuple[pl.DataFrame, int, int, list[bytes]]:
    settings = Settings(upstream=server.base_url, home=home, request_budget_s=240)
    async with Fetcher(settings, clock=SystemClock()) as fetcher:
        days = await fetcher.fetch_many(pitches.plan(WEEK), pitches.inspect)
        failed = [answer for answer in days if isinstance(answer, UpstreamError)]
        assert failed == []
        parsed = [pitches.parse(answer) for answer in days if not isinstance(answer, UpstreamError)]
        frame = pl.concat([one.frame for one in parsed]).sort(KEY)
        sound = frame.filter(pl.col("at_bat_number") < 900)
        boxes = await fetcher.fetch_many(boxscore.plan(sound["game_pk"].unique().sort()), boxscore.inspect)
        assert [answer for answer in boxes if isinstance(answer, UpstreamError)] == []
    rows_in = sum(one.rows_in for one in parsed)
    rejected = sum(len(one.rejected) for one in parsed)
    assert rows_in == len(frame) + rejected
    bodies = [answer.body for answer in boxes if not isinstance(answer, UpstreamError)]
    return sound, rows_in, rejected, bodies


@pytest.mark.slow
def test_what_comes_through_the_storm_is_what_came_when_it_was_calm(tmp_path: Path):
    with Upstream.start("demo") as calm:
        truth, rows, rejected, boxes = asyncio.run(_fetch(calm, tmp_path / "calm"))
        assert rejected == 0
    with Upstream.start("demo", faults="storm") as storm:
        found, more_rows, doubled, stormy_boxes = asyncio.run(_fetch(storm, tmp_path / "storm"))
        struck = storm.stats()["faults"]
    assert len(struck) >= 8
    assert found.equals(truth)
    assert stormy_boxes == boxes
    assert more_rows > rows
    assert doubled > 0
