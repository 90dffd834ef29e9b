"""Tasks as plain functions: a home of their own with a Redis that the session shares, no server of Prefect's."""

from __future__ import annotations

import importlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Prefect and Great Expectations import modules that Python has deprecated
    importlib.import_module("great_expectations.expectations")
    importlib.import_module("prefect")

from backstop.stages.house import House
from tests.flows.league import close_houses


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The settings of an empty home, and nothing of the developer's."""
    for name in [name for name in os.environ if name.startswith(("BACKSTOP_", "PREFECT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BACKSTOP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("BACKSTOP_HISTORY_FIRST_SEASON", "2025")
    monkeypatch.setenv("BACKSTOP_UPSTREAM", "http://127.0.0.1:9")  # nobody: what asks a feed fails
    return monkeypatch


@pytest.fixture
def house(environment: pytest.MonkeyPatch, embedded_url: str, tmp_path: Path) -> Iterator[House]:
    """The house that the tasks of the test find, its Redis empty."""
    environment.setenv("BACKSTOP_REDIS_URL", embedded_url)
    house = House.current()
    house.redis.flushall()
    yield house
    close_houses(tmp_path / "home")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the tasks of `maintenance`, `upkeep`, `slate` and `odds` log, `!` before what somebody should read."""
    from tasks import maintenance, odds, slate, upkeep

    lines: list[str] = []
    for module in (maintenance, upkeep, slate, odds):
        monkeypatch.setattr(module, "say", lines.append)
        monkeypatch.setattr(module, "warn", lambda sentence: lines.append(f"! {sentence}"), raising=False)
    return lines
