"""A house of its own for every test: lake, ledger, archive and quarantine in a folder, Redis once per session."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from backstop.clock import FixedClock
from backstop.settings import Settings
from backstop.stages.house import House
from tests.flows.proxy import Proxy
from tests.stages import gameday


@pytest.fixture
def clock() -> FixedClock:
    """Noon in New York on the day of the slate, 2025-06-15."""
    return FixedClock(dt.datetime(2025, 6, 15, 16, tzinfo=dt.UTC))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, home=tmp_path / "home", history_first_season=2025)


@pytest.fixture
def house(settings: Settings, clock: FixedClock) -> Iterator[House]:
    house = House(settings, clock)
    yield house
    house.close()


@pytest.fixture
def redis_url(embedded_url: str) -> str:
    return embedded_url


@pytest.fixture
def store(settings: Settings, redis_url: str) -> Iterator[House]:
    """A house with an empty Redis, on the machine's clock: the server's own clock takes part in every age."""
    house = House(settings.model_copy(update={"redis_url": redis_url}))
    house.redis.flushall()
    yield house
    house.close()


@pytest.fixture
def feed() -> Iterator[Proxy]:
    """An upstream of its own that says what a test wants said."""
    with Proxy(None) as feed:
        yield feed


@pytest.fixture
def online(settings: Settings, clock: FixedClock, feed: Proxy) -> Iterator[House]:
    """A house over that upstream, with little patience."""
    quick = {"upstream": feed.base_url, "request_budget_s": 1.0, "request_timeout_s": 10.0}
    house = House(settings.model_copy(update=quick), clock)
    yield house
    house.close()


@pytest.fixture
def season(house: House) -> House:
    """A house that knows the day's games, not begun, and that the days before had none."""
    gameday.begin(house)
    return house
