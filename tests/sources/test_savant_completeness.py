"""A day of pitches against the schedule: missing games, parts of games, games that nobody listed."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from backstop.sources.savant import completeness
from backstop.tables import GAMES, PITCHES

DAY = dt.date(2025, 6, 15)


def games(*rows: dict[str, Any]) -> pl.DataFrame:
    base = dict.fromkeys(GAMES.schema) | {"game_date": DAY, "status": "Final", "abstract_status": "Final"}
    return pl.DataFrame([base | row for row in rows], schema=GAMES.schema)


def pitches(game_pk: int, innings: list[int] | None = None, per_inning: int = 32, home: int = 3) -> pl.DataFrame:
    base = dict.fromkeys(PITCHES.schema) | {"game_date": DAY, "game_pk": game_pk, "post_away_score": 1}
    rows = [
        base | {"inning": inning, "at_bat_number": inning, "pitch_number": n, "post_home_score": home}
        for inning in (innings or list(range(1, 10)))
        for n in range(1, per_inning + 1)
    ]
    return pl.DataFrame(rows, schema=PITCHES.schema)


def test_a_day_with_all_finished_games_is_whole() -> None:
    found = completeness.check(DAY, pitches(1), games({"game_pk": 1, "home_score": 3, "away_score": 1}))
    assert found.is_whole
    assert found.sentence() == "2025-06-15: all 1 finished games are there."


def test_a_finished_game_without_a_pitch_is_missing() -> None:
    found = completeness.check(DAY, pitches(1), games({"game_pk": 1}, {"game_pk": 2}))
    assert found.missing == (2,)
    assert "no pitch of 2" in found.sentence()


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (pitches(1, per_inning=5), "has 45 pitches"),
        (pitches(1, innings=[1, 2, 3, 4, 6, 7, 8, 9]), "8 innings of 9"),
        (pitches(1, home=4), "counts 4 home runs, the schedule 3"),
        (pitches(1, innings=[1, 2, 3, 4, 5, 6], home=2), "counts 2 home runs, the schedule 3"),
    ],
)
def test_a_finished_game_of_which_a_part_is_missing_is_partial(frame: pl.DataFrame, why: str) -> None:
    found = completeness.check(DAY, frame, games({"game_pk": 1, "home_score": 3}))
    assert not found.is_whole
    assert why in found.sentence()


@pytest.mark.parametrize(
    "status", ["Scheduled", "Postponed", "Postponed: Rain", "Suspended: Rain", "In Progress", None]
)
def test_a_game_that_is_not_finished_is_not_missed(status: str) -> None:
    listed = games(
        {"game_pk": 1, "status": status, "abstract_status": "Live" if status == "In Progress" else "Preview"}
    )
    assert completeness.check(DAY, PITCHES.empty(), listed).is_whole


@pytest.mark.parametrize("status", ["Final", "Completed Early", "Completed Early: Rain", "Game Over"])
def test_games_played_to_their_end_are_missed(status: str) -> None:
    assert completeness.check(DAY, PITCHES.empty(), games({"game_pk": 1, "status": status})).missing == (1,)


def test_a_day_without_games_is_whole() -> None:
    assert completeness.check(DAY, PITCHES.empty(), GAMES.empty()).is_whole


@pytest.mark.realdata
def test_what_next_morning_recordings_of_2024_lack_is_found(realdata: Path) -> None:
    """The schedule is derived from the whole season; 746942 was suspended and finished two months later.

    Eleven games are missing; of 746541 one pitch is, the walk that won it.
    """
    columns = ["game_pk", "game_date", "inning", "post_home_score", "post_away_score"]
    folder = realdata / "savant/pitches"
    whole = pl.read_parquet(folder / "statcast_2024_all_pitches_21cols.parquet", columns=columns)
    morning = pl.read_parquet(folder / "statcast_2024_regular.parquet", columns=columns)
    whole, morning = (frame.with_columns(pl.col("game_date").cast(pl.Date)) for frame in (whole, morning))
    listed = whole.group_by("game_pk").agg(
        pl.col("game_date").first(),
        home_score=pl.col("post_home_score").max(),
        away_score=pl.col("post_away_score").max(),
    )
    listed = listed.with_columns(status=pl.lit("Final"), abstract_status=pl.lit("Final"))
    missing: list[int] = []
    partial: list[tuple[int, str]] = []
    for (day,), of_day in listed.group_by("game_date"):
        assert isinstance(day, dt.date)
        assert completeness.check(day, whole.filter(game_date=day), of_day).is_whole
        found = completeness.check(day, morning.filter(game_date=day), of_day)
        partial += found.partial
        missing += found.missing
    assert partial == [(746541, "counts 7 home runs, the schedule 8")]
    assert sorted(missing) == [
        745382, 745444, 746107, 746175, 746454, 746669, 746755, 746757, 746774, 746924, 746942,
    ]  # fmt: skip
