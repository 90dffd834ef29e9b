from __future__ import annotations

import polars as pl
import pytest

from backstop.features.tally import tally
from tests.features.season import pitches


@pytest.fixture(scope="session")
def played() -> pl.DataFrame:
    """Twenty days of pitches of the small simulated season."""
    return pitches(20)


@pytest.fixture(scope="session")
def tallies(played) -> pl.DataFrame:
    return tally(played)
