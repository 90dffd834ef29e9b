"""SportRadar's MLB feeds in both versions: asked over loopback, kept under one name, read alike."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from backstop.clock import FixedClock
from backstop.demo import DEMO_DAY
from backstop.demo.dialects import sportradar
from backstop.demo.upstream import Upstream
from backstop.net.archive import Archive
from backstop.net.client import Fetcher
from backstop.net.item import Answer
from backstop.settings import Settings
from backstop.sources import registry
from backstop.sources.sportradar import people, playerprops, schedule, season, summary
from tests.net.server import on_loop

NOON = dt.datetime.combine(DEMO_DAY, dt.time(16), dt.UTC)
PLAYED = DEMO_DAY - dt.timedelta(days=2)
PLAYER = sportradar.uuid_of_player(9_100_001)
FEEDS = [
    *schedule.plan(PLAYED), *summary.plan_day(PLAYED), *people.plan_profiles([PLAYER]), *season.plan(2025, ["DET"]),
    *playerprops.plan(DEMO_DAY),
]  # fmt: skip
EMPTY = people.plan_injuries()


async def answers(server: Upstream, home: Path, version: str) -> list[Answer]:
    settings = Settings(_env_file=None, home=home, sportradar_version=version, sportradar_key=SecretStr("k" * 40))
    archive = Archive(home / "archive")
    async with Fetcher(settings.pointed_at(server.base_url), clock=FixedClock(NOON), archive=archive) as fetcher:
        return [await fetcher.fetch(item, inspect=registry.TABLES[item.table].inspect) for item in (*FEEDS, *EMPTY)]


@on_loop
async def test_every_feed_answers_under_both_versions_and_is_read_alike(demo_server: Upstream, tmp_path: Path) -> None:
    old, new = [await answers(demo_server, tmp_path / version, version) for version in ("v7", "v8")]
    for item, seventh, eighth in zip((*FEEDS, *EMPTY), old, new, strict=True):
        before, after = (registry.TABLES[item.table].parse(each) for each in (seventh, eighth))
        assert before.frame.equals(after.frame), item.table
        assert before.rejected_by_rule == after.rejected_by_rule
        assert before.frame.is_empty() is (item in EMPTY)


@on_loop
async def test_what_one_version_archived_is_replayed_under_the_other(demo_server: Upstream, tmp_path: Path) -> None:
    asked = await answers(demo_server, tmp_path, "v7")
    settings = Settings(_env_file=None, home=tmp_path, upstream=f"replay:{tmp_path / 'archive'}")
    async with Fetcher(settings, clock=FixedClock(NOON)) as fetcher:
        replayed = [(await fetcher.fetch(item)).body for item in (*FEEDS, *EMPTY)]
    assert replayed == [answer.body for answer in asked]


@pytest.mark.parametrize("version", ["v6.5", "v9", "8"])
def test_a_version_that_is_not_served_is_a_596(demo: httpx.Client, version: str) -> None:
    answer = demo.get(f"/mlb/trial/{version}/en/league/injuries.json")
    assert (answer.status_code, answer.headers["x-mashery-error-code"]) == (596, "ERR_596_SERVICE_NOT_FOUND")
