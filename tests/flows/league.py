"""Running the flow as the command line does: settings from the environment, a home of its own, then asking what came."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from backstop.stages.house import House
from backstop.store import embedded
from expectations import rules

OPENING = dt.date(2025, 4, 2)
EARLY = dt.date(2025, 4, 4)
"""A day with two days of history: the smallest slate that is projected."""

OFF = dt.date(2025, 4, 21)

QUICK = {"request_budget_s": 4}
"""Patience for tests in which a request never succeeds."""


@dataclass
class Rooms:
    """A home, and the settings that point the flow at it; they are in the environment only while the flow runs."""

    home: Path
    settings: dict[str, object] = field(default_factory=dict)

    @classmethod
    @contextlib.contextmanager
    def opened(cls, home: Path) -> Iterator[Rooms]:
        rooms = cls(home)
        try:
            yield rooms
        finally:
            rooms.leave()

    @contextlib.contextmanager
    def environment(self) -> Iterator[pytest.MonkeyPatch]:
        self.home.parent.mkdir(parents=True, exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.home.parent)  # away from a developer's `.env`
            for name in [name for name in os.environ if name.startswith("BACKSTOP_")]:
                patch.delenv(name)
            for name, value in {"home": self.home, "history_first_season": 2025, **self.settings}.items():
                patch.setenv(f"BACKSTOP_{name.upper()}", str(value))
            yield patch

    def refresh(self, day: Any, **settings: object) -> Any:
        """Run the flow with these settings from now on; return its final state."""
        from flows.slate import slate_refresh
        from tasks.fetch import fetch_batch

        self.settings |= settings
        with self.environment() as patch:
            patch.setattr(fetch_batch, "retry_delay_seconds", [0.1])
            return slate_refresh(day, return_state=True)

    @property
    def house(self) -> House:
        with self.environment():
            return House.current()

    def props(self, day: dt.date) -> pl.DataFrame:
        return self.house.reader.props(day, sort="ev").sort("prop_id")

    def leave(self) -> None:
        """Close everything that runs have opened here, as the end of their process would, and a Redis that was kept."""
        close_houses(self.home)
        embedded.stop(self.home / "redis")


def close_houses(home: Path) -> None:
    """Close every house that was opened on a home, whatever its other settings were."""
    for key, house in list(House._houses.items()):
        if house.settings.home == home:
            house.close()
            del House._houses[key]


def outcomes(summary: Any) -> dict[str, Any]:
    return {each.table: each for each in summary.outcomes}


def gaps(summary: Any, table: str) -> dict[str, str]:
    return {gap.key: gap.reason for gap in summary.gaps if gap.table == table}


def sentence(state: Any) -> str:
    """What a failed run says."""
    error = state.result(raise_on_failure=False)
    return str(error)


def with_rule(make: Any, *more: Any) -> Any:
    """What makes a table's suite with further rules; suites are kept between days, so theirs stay as they are."""

    def suite(*args: Any, **given: Any) -> Any:
        made = make(*args, **given)
        return rules.suite(made.name, [*made.expectations, *more])

    return suite
