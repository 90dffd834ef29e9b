from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop.features.build import build
from backstop.features.tally import tally
from tests.features.season import FIRST, pitches, slate

DAY = 15
CUTOFF = FIRST + dt.timedelta(days=DAY)


@pytest.fixture(scope="session")
def features() -> pl.DataFrame:
    """The features of one day of the small simulated season."""
    games, players = slate(DAY)
    return build(tally(pitches(DAY)), games, players, cutoff=CUTOFF)
