"""The counting rules, on every pitch of 2024 read through the parser, give the official totals of the season."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from backstop.sources.savant import pitches, vocabulary
from tests.sources.answers import answer

pytestmark = pytest.mark.realdata

OFFICIAL_2024 = {
    "PA": 182_449, "H": 39_823, "2B": 7_771, "3B": 697, "HR": 5_453, "BB": 14_929, "IBB": 509, "SO": 41_197,
    "HBP": 2_020, "SF": 1_261, "SH": 452,
}  # fmt: skip
"""Retrosheet's totals of the 2024 regular season."""


@pytest.fixture(scope="module")
def last_pitches(realdata: Path) -> pl.DataFrame:
    """The last pitch of each plate appearance of 2024, after a way through CSV and the parser."""
    raw = pl.read_parquet(realdata / "savant/pitches/statcast_2024_all_pitches_21cols.parquet")
    raw = raw.with_columns(pl.col("game_date").dt.date(), month=pl.col("game_date").dt.month())
    item = pitches.split(pitches.plan([raw["game_date"][0]])[0], [0])[0]
    parts = []
    for month in raw.partition_by("month", include_key=False):
        body = month.write_csv().encode()
        pitches.inspect(body)
        parsed = pitches.parse(answer(item, body))
        assert (parsed.rows_in, len(parsed.rejected)) == (len(month), 0)
        parts.append(parsed.frame)
    frame = pl.concat(parts)
    assert len(frame) == 711_898
    return frame.sort("pitch_number").group_by("game_pk", "at_bat_number").last()


@pytest.mark.slow
def test_the_official_totals_of_2024_are_reproduced_exactly(last_pitches: pl.DataFrame) -> None:
    rules = {
        "PA": vocabulary.PLATE_APPEARANCES,
        "H": vocabulary.HITS,
        "2B": vocabulary.DOUBLE,
        "3B": vocabulary.TRIPLE,
        "HR": vocabulary.HOME_RUN,
        "BB": vocabulary.WALKS,
        "IBB": frozenset({"intent_walk"}),
        "SO": vocabulary.STRIKEOUTS,
        "HBP": vocabulary.HIT_BY_PITCH,
        "SF": vocabulary.SACRIFICE_FLIES,
        "SH": vocabulary.SACRIFICE_BUNTS,
    }
    counted = {name: int(last_pitches["events"].is_in(list(words)).sum()) for name, words in rules.items()}
    assert counted == OFFICIAL_2024


@pytest.mark.slow
def test_every_word_for_a_result_is_known(last_pitches: pl.DataFrame) -> None:
    assert set(last_pitches["events"].drop_nulls()) <= vocabulary.EVENTS
    assert last_pitches["events"].null_count() == 104
