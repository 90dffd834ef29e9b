"""Servers and worlds that the tests of the demo room share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backstop.demo.league.world import LeagueWorld
from backstop.demo.recorded.world import RecordedWorld
from backstop.demo.upstream import Upstream


@pytest.fixture(scope="session")
def league() -> LeagueWorld:
    return LeagueWorld()


@pytest.fixture(scope="session")
def demo_server() -> Iterator[Upstream]:
    with Upstream.start("demo") as server:
        yield server


@pytest.fixture
def demo(demo_server: Upstream) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=demo_server.base_url, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def recordings(realdata: Path) -> RecordedWorld:
    return RecordedWorld(realdata)


@pytest.fixture(scope="session")
def recorded_server(realdata: Path) -> Iterator[Upstream]:
    with Upstream.start(f"recorded:{realdata}") as server:
        yield server


@pytest.fixture
def recorded(recorded_server: Upstream) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=recorded_server.base_url, timeout=60) as client:
        yield client
