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
    runners = players["player_id_mlbam"]
    box = pl.DataFrame(
        {"player_id_mlbam": runners, "plate_appearances": 500, "stolen_bases": runners % 20}
    ).with_columns(game_date=pl.lit(FIRST))
    return build(tally(pitches(DAY)), games, players, cutoff=CUTOFF, box=box)
