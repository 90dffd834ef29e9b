"""Prices during the day: the books are asked again and nobody else, the slate is republished, until its games begin."""

from __future__ import annotations

import dataclasses
import datetime as dt

import polars as pl
import pytest

from backstop.clock import FixedClock
from backstop.demo.upstream import Upstream
from backstop.props import refit
from backstop.props.calibration import Calibration, Platt
from backstop.props.fitted import Fitted
from tests.flows.league import EARLY, Rooms, sentence
from tests.flows.proxy import Proxy

pytestmark = pytest.mark.prefect

NOON = dt.datetime.combine(EARLY, dt.time(16), dt.UTC)
EVENING = NOON + dt.timedelta(hours=5)
NIGHT = NOON + dt.timedelta(hours=16)


def fitted(version: str, last_day: dt.date, slope: float) -> Fitted:
    platt = Calibration(version=version, trained_on="", last_day=last_day, markets={"batter_hits": Platt(slope=slope)})
    return dataclasses.replace(Fitted.shipped(), calibration=platt)


MORNING_FIT = fitted("morning", EARLY - dt.timedelta(days=2), 0.9)


@pytest.fixture(scope="module")
def day(prefect_server, tmp_path_factory):
    """A slate that was published at noon, and what its prices were asked from."""
    with Rooms.opened(tmp_path_factory.mktemp("day") / "home") as rooms, upstream(NOON) as feed:
        rooms.settings |= {"upstream": feed.base_url}
        rooms.house.clock = FixedClock(NOON)
        refit.keep(rooms.house.lake, MORNING_FIT)
        assert rooms.refresh(EARLY).is_completed()
        yield rooms


def upstream(now: dt.datetime):
    return Upstream.start("demo", extra=["--now", now.isoformat()])


def prices(rooms: Rooms, at: dt.datetime, upstream_url: str):
    from flows.odds import odds_refresh

    rooms.settings |= {"upstream": upstream_url}
    rooms.house.clock = FixedClock(at)
    with rooms.environment():
        return odds_refresh(EARLY, return_state=True)


def test_a_day_without_a_slate_is_refused(rooms):
    state = prices(rooms, NOON, "http://127.0.0.1:9")
    assert state.is_failed()
    assert "No slate of 2025-04-04 is published" in sentence(state)


def test_the_books_alone_are_asked_and_every_prop_is_republished_with_new_prices(day):
    before = day.props(EARLY)
    refit.keep(day.house.lake, fitted("meanwhile", EARLY - dt.timedelta(days=1), 0.5))
    with upstream(EVENING) as later, Proxy(later.base_url) as feed:
        state = prices(day, EVENING, feed.base_url)
        asked = feed.asked
    assert state.is_completed(), sentence(state)
    assert state.result().version == 2
    assert asked
    assert [each for each in asked if "/v4/sports/baseball_mlb/" not in each] == []
    after = day.props(EARLY)
    stands = ["player_id_mlbam", "market", "line", "prob_over"]
    unpriced = before.filter(pl.col("books") == 0).select(stands)
    assert unpriced.join(after, on=stands, how="anti").is_empty(), "a projection changed"
    assert after.filter(pl.col("books") > 0).height > 100
    assert not before.equals(after)
    assert set(after["model_version"]) == set(before["model_version"]) == {MORNING_FIT.version}
    assert Fitted.of_meta(day.house.reader.slate(EARLY).meta) == MORNING_FIT
    recorded = day.house.lake.scan(refit.MODELS).collect()["version"].to_list()
    assert "morning" in recorded
    assert "meanwhile" not in recorded


def test_when_every_game_has_begun_nobody_is_asked_and_the_slate_stands(day):
    version = day.house.reader.slate(EARLY).version
    with Proxy(None) as nobody:
        state = prices(day, NIGHT, nobody.base_url)
        assert nobody.asked == []
    assert (state.type.value, state.name) == ("COMPLETED", "AllBegun")
    assert day.house.reader.slate(EARLY).version == version
