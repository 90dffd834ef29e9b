"""The season of 2024, fetched from the recorded upstream over HTTP as a feed is, adds up to the official totals."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from backstop.clock import days_between
from backstop.demo.upstream import Upstream
from backstop.net.bridge import Bridge
from backstop.net.item import Answer
from backstop.settings import Settings
from backstop.sources.savant import pitches, vocabulary

pytestmark = [pytest.mark.realdata, pytest.mark.slow]

SEASON = days_between(dt.date(2024, 3, 20), dt.date(2024, 9, 30))
OFFICIAL = {"H": 39_823, "HR": 5_453, "SO": 41_197, "PA": 182_449}
RULES = {
    "H": vocabulary.HITS,
    "HR": vocabulary.HOME_RUN,
    "SO": vocabulary.STRIKEOUTS,
    "PA": vocabulary.PLATE_APPEARANCES,
}


def test_every_pitch_of_2024_over_http_gives_the_official_totals(realdata: Path, tmp_path: Path) -> None:
    counted: Counter[str] = Counter()
    with Upstream.start(f"recorded:{realdata}") as server:
        settings = Settings(_env_file=None, home=tmp_path).pointed_at(server.base_url)
        with Bridge(settings, archive=None) as bridge:
            for first in range(0, len(SEASON), 50):
                for answer in bridge.fetch_many(pitches.plan(SEASON[first : first + 50]), pitches.inspect):
                    assert isinstance(answer, Answer)
                    counted += _totals(answer)
    assert counted == {**OFFICIAL, "pitches": 711_898}


def _totals(answer: Answer) -> Counter[str]:
    parsed = pitches.parse(answer)
    assert (len(parsed.rejected), parsed.rows_in) == (0, len(parsed.frame))
    regular = parsed.frame.filter(pl.col("game_type") == "R")
    last = regular.sort("pitch_number").group_by("game_pk", "at_bat_number").last()
    found = {name: int(last["events"].is_in(list(words)).sum()) for name, words in RULES.items()}
    return Counter({**found, "pitches": regular.height})
