"""Fixtures of the security tests; the server that fails on demand is the net room's."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from backstop.clock import FixedClock
from backstop.settings import Settings
from tests.net.server import FaultServer


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def settings(server: FaultServer, tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, _env_file=None).pointed_at(server.url)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(dt.datetime(2025, 6, 15, 12, tzinfo=dt.UTC))
