"""A lake in a folder of its own, and rows to put into it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import polars as pl
import pytest

from backstop.clock import FixedClock
from backstop.lake.ledger import Ledger
from backstop.lake.schema import entries
from backstop.lake.tables import Lake
from tests.lake import postgres
from tests.store.servers import deaf_port

DAY = dt.date(2025, 6, 15)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(dt.datetime(2025, 6, 15, 16, tzinfo=dt.UTC))


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(tmp_path / "lake")


@pytest.fixture(scope="session")
def postgres_url():
    with postgres.server() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request, tmp_path, clock):
    """An empty ledger, once in SQLite and once in PostgreSQL."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    else:
        url = request.getfixturevalue("postgres_url")
    ledger = Ledger.connect(url, clock)
    with ledger.engine.begin() as connection:
        connection.execute(entries.delete())
    yield ledger
    ledger.close()


@pytest.fixture
def frame() -> pl.DataFrame:
    return pl.DataFrame({"game_date": [DAY] * 3, "player_id_mlbam": [3, 1, 2], "rate": [0.5, None, 0.25]})


@pytest.fixture
def unused_port() -> Iterator[int]:
    with deaf_port() as port:
        yield port
