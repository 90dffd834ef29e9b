from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop.demo.league import calendar
from backstop.demo.league.world import SEED, LeagueWorld
from backstop.demo.world import PitchAsk
from backstop.features.build import build
from backstop.features.tally import tally
from backstop.tables import PITCHES
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


def league_tallies(last: dt.date = calendar.LAST_DAY, seed: int = SEED) -> pl.DataFrame:
    """Tallies of the demo league, as from its pitches."""
    world = LeagueWorld(seed, now=dt.datetime.combine(last + dt.timedelta(days=2), dt.time(), dt.UTC))
    raw = world.pitches(PitchAsk(last=last))
    columns = [
        (pl.col(c.upstream or c.name) if (c.upstream or c.name) in raw.columns else pl.lit(None))
        .cast(c.dtype, strict=False)
        .alias(c.name)
        for c in PITCHES.columns
    ]
    return tally(raw.select(columns))


@pytest.fixture(scope="session")
def demo_league() -> pl.DataFrame:
    """Forty days of the demo league."""
    return league_tallies()
