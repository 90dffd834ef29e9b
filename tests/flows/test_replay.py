"""A rule that was too strict is mended: what it refused comes back out of the archive, and its slates are made again."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from backstop.stages import replaying
from expectations import pitches, quotes, rules
from tests.flows.league import EARLY, Rooms, with_rule
from tests.flows.proxy import Proxy

pytestmark = pytest.mark.prefect


def counted(house: Any, table: str, day: dt.date) -> tuple[int, int, int]:
    entry = house.ledger.entry(table, day.isoformat())
    return entry.rows_in, entry.rows_loaded, entry.rows_quarantined


def test_what_a_mended_rule_lets_pass_moves_to_the_lake_and_is_published(
    rooms: Rooms, league: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flows.history import history_refresh
    from tasks import validate

    with Proxy(league.base_url) as feed, monkeypatch.context() as strict:
        slow, low = rules.within("inning", 1, 9, "too strict"), rules.within("line", 0.0, 4.5, "too strict")
        strict.setattr(validate, "pitches_suite", with_rule(pitches.pitches_suite, slow))
        strict.setattr(validate, "quotes_suite", with_rule(quotes.quotes_suite, low))
        assert rooms.refresh(EARLY, upstream=feed.base_url).is_completed()
    house = rooms.house
    found = replaying.waiting(house)
    refused = {(each.table, each.day): each.rows for each in found}
    assert {table for table, _ in refused} >= {"core_pitches", "core_quotes"}
    before = {key: counted(house, *key) for key in refused}
    todo = replaying.plan(house, found)
    assert EARLY in todo.slates
    assert all(day < EARLY for day in todo.history)

    replaying.reopen(house, todo)
    archive = Path(rooms.home) / "archive"
    rooms.settings["upstream"] = f"replay:{archive}"
    with rooms.environment():
        assert history_refresh(todo.history[-1] + dt.timedelta(days=1), return_state=True).is_completed()
    assert rooms.refresh(EARLY).is_completed()

    house = rooms.house
    still = {(each.table, each.day): each.rows for each in replaying.waiting(house)}
    assert not house.quarantine.list().filter(pl.col("rule").str.contains("to 4.5|to 9$")).height
    for key in [key for key in refused if key[0] in {"core_pitches", "core_quotes"}]:
        rows_in, loaded, quarantined = counted(house, *key)
        assert (rows_in, quarantined) == (before[key][0], still.get(key, 0))
        assert loaded - before[key][1] == refused[key] - quarantined > 0
        assert house.lake.read(*key).height == loaded
    replayed = house.quarantine.list("core_quotes", EARLY, state="replayed")
    assert replayed.height == refused["core_quotes", EARLY] - still.get(("core_quotes", EARLY), 0)
    assert house.reader.slate(EARLY).version == 2
    assert house.lake.read("core_quotes", EARLY).filter(pl.col("line") > 4.5).height > 0
