from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop.features.tally import tally
from backstop.fitting.rows import Window
from tests.features.season import FIRST, pitches


@pytest.fixture(scope="session")
def tallies() -> pl.DataFrame:
    """Forty days of the small simulated season."""
    return tally(pitches(40))


@pytest.fixture(scope="session")
def window(tallies) -> Window:
    """Its last thirty days; what happened is made up where pitches do not tell."""
    return Window(tallies, FIRST + dt.timedelta(days=10), FIRST + dt.timedelta(days=39))
