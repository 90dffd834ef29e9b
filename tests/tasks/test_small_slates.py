"""Prices of a slate of one game: a name that nobody knows is put in quarantine, and only many are held against all."""

from __future__ import annotations

import json

import polars as pl
import pytest

from backstop import tables
from backstop.lake.states import State
from backstop.sources.theodds import props
from tasks import validate
from tests.stages.rows import DAY, batch, fetched, games
from tests.stages.test_match import START, event, roster

QUOTES = tables.QUOTES.name
KNOWN = [f"Player {chr(ord('a') + n)}" for n in range(11)]


@pytest.fixture
def kept(house, monkeypatch):
    """Keep two sides of a line for each name that is quoted; the roster has `KNOWN`."""
    monkeypatch.setattr(validate, "run_id", lambda: "the run")
    house.lake.write(tables.GAMES.name, DAY, games(DAY, 1))
    house.lake.write(tables.PLAYERS.name, DAY, roster(*((1, 600_000 + n, name) for n, name in enumerate(KNOWN))))
    (item,) = props.plan(pl.DataFrame({"event_id_theodds": ["a" * 32], "commence_at": [START]}), ["batter_hits"])

    def kept(*names):
        body = json.dumps(event("a", "New York Yankees", "Boston Red Sox", *names)).encode()
        return validate.validate_quotes.fn([batch(fetched(house, item, body))], DAY, [])

    return kept


@pytest.mark.parametrize("unknown", [["Nobody"], ["Nobody", "No Body"]])
def test_prices_of_a_small_slate_are_kept_without_the_rows_of_a_name_that_nobody_knows(house, kept, unknown):
    outcome = kept(*KNOWN, *unknown)
    assert (outcome.rows_in, outcome.loaded, outcome.quarantined, outcome.failed) == (
        22 + 2 * len(unknown), 22, 2 * len(unknown), 0,
    )  # fmt: skip
    assert (outcome.gaps, outcome.rules) == ((), {"player is known": 2 * len(unknown)})
    assert set(house.lake.read(QUOTES, DAY)["player_name"]) == set(KNOWN)
    refused = house.quarantine.list(QUOTES)
    assert {json.loads(row)["player_name"] for row in refused["row"]} == set(unknown)
    assert house.ledger.entry(QUOTES, str(DAY)).state is State.COMPLETE


@pytest.mark.parametrize(
    ("known", "unknown"), [(11, ["Nobody", "No Body", "Somebody"]), (2, ["Nobody"])], ids=["three", "one of three"]
)
def test_three_unknown_names_or_a_third_of_all_block_it(house, kept, known, unknown):
    outcome = kept(*KNOWN[:known], *unknown)
    rows = 2 * (known + len(unknown))
    assert (outcome.rows_in, outcome.loaded, outcome.quarantined, outcome.failed) == (rows, 0, 0, rows)
    entry = house.ledger.entry(QUOTES, str(DAY))
    assert entry.state is State.FAILED
    assert "At most 2.0% may, 25% where they are fewer than 3" in entry.reason
    assert DAY not in house.lake.days(QUOTES)


def test_prices_that_were_kept_stand_when_later_ones_are_blocked(house, kept):
    kept(*KNOWN, "Nobody")
    before = house.lake.read(QUOTES, DAY)
    blocked = kept(*KNOWN, "Nobody", "No Body", "Somebody")
    assert blocked.loaded == 0
    assert house.lake.read(QUOTES, DAY).equals(before)
