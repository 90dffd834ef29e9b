"""A season of the demo league through the stages, calm and under the storm: every row accounted for, the same lake."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
import zstandard

from backstop import tables
from backstop.clock import days_between
from backstop.demo.upstream import Upstream
from backstop.settings import Settings
from backstop.stages.collect import Job, collect
from backstop.stages.house import House
from backstop.stages.steps import steps_of

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Great Expectations imports modules that Python has deprecated
    from deployments import rules

pytestmark = pytest.mark.slow

SEASON = days_between(dt.date(2025, 4, 2), dt.date(2025, 5, 1))
WANTED = {"savant": SEASON, "statsapi": SEASON[12:15], "theodds": SEASON[14:15]}
"""Every pitch of the season; box scores and prices, the same way for each day, of a few days."""

KEPT = (tables.GAMES, tables.PITCHES, tables.PLAYERS, tables.BOX, tables.QUOTES)
KEY = "a-key-that-must-not-be-found-anywhere-0123456789"
ROUNDS = 4
"""Days that a round left open are asked for again in the next, as by the next run."""


def backfill(server: Upstream, home: Path) -> tuple[House, list[tuple[int, int, int, int]], list[int]]:
    """Fetch the season; return the house, (rows in, loaded, quarantined, failed) by step, and the gaps by round."""
    settings = Settings(
        _env_file=None, home=home, history_first_season=2025, request_budget_s=240, theodds_key=KEY, sportradar_key=KEY
    )
    house = House(settings.pointed_at(server.base_url))
    counts, gaps = [], []
    for number in range(1, ROUNDS + 1):
        outcomes = []
        for what, days in WANTED.items():
            job = Job(house, days, rules.apply, f"round-{number}")
            outcomes += [each for done in collect(house, steps_of(what, job)) for each in done.outcomes]
        counts += [(each.rows_in, each.loaded, each.quarantined, each.failed) for each in outcomes]
        gaps.append(sum(len(each.gaps) for each in outcomes))
        if not gaps[-1]:
            break
    return house, counts, gaps


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with Upstream.start("demo") as server:
        house, counts, gaps = backfill(server, tmp_path_factory.mktemp("calm"))
        assert gaps[-1] == 0
        assert not any(failed for _, _, _, failed in counts)
        yield house
        house.close()


@pytest.fixture(scope="module")
def storm(tmp_path_factory: pytest.TempPathFactory):
    with Upstream.start("demo", faults="storm") as server:
        house, counts, gaps = backfill(server, tmp_path_factory.mktemp("storm"))
        yield house, counts, gaps, server.stats()["faults"]
        house.close()


def test_the_storm_struck_and_every_row_is_accounted_for(storm):
    _, counts, gaps, struck = storm
    assert len(struck) >= 8
    assert all(rows_in == loaded + quarantined + failed for rows_in, loaded, quarantined, failed in counts)
    assert sum(quarantined for _, _, quarantined, _ in counts) > 0
    assert gaps[-1] == 0


@pytest.mark.parametrize("table", KEPT, ids=lambda table: table.name)
def test_what_came_through_the_storm_is_what_came_when_it_was_calm(calm, storm, table):
    expected, found = (house.lake.scan(table.name).collect().sort(table.key) for house in (calm, storm[0]))
    assert found.height > 0
    assert found.drop("fetched_at", strict=False).equals(expected.drop("fetched_at", strict=False))


def test_the_ledger_knows_every_day_and_its_numbers_add_up(storm):
    entries = storm[0].ledger.entries(tables.PITCHES.name)
    assert len(entries) == len(SEASON) - 1  # nobody plays on 21 April
    assert {entry.state.value for entry in entries} == {"complete"}
    for entry in entries:
        assert entry.rows_in == entry.rows_loaded + entry.rows_quarantined + (entry.rows_failed or 0)


def test_no_byte_that_the_run_wrote_holds_a_key(storm):
    home, files = storm[0].settings.home, 0
    for path in home.rglob("*"):
        if not path.is_file():
            continue
        files += 1
        content = path.read_bytes()
        if path.suffix == ".zst":
            content = zstandard.decompress(content)
        assert KEY.encode() not in content, path
        if path.suffix == ".parquet":
            for column in pl.read_parquet(path).select(pl.col(pl.String)).iter_columns():
                assert not column.drop_nulls().str.contains(KEY, literal=True).any(), path
    assert files > 200
