"""What may be wrong with Savant's rows although the answer itself is whole."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import polars as pl

from backstop.demo.dialects import savant
from backstop.demo.world import PitchAsk, World

DRIFTS_FROM: Final = dt.date(2025, 4, 20)
"""From this date on, unless told otherwise, answers carry the columns of the next era."""

UNKNOWN_COLUMN: Final = "swing_plane_index"
"""A column that nobody announced."""

GONE_COLUMN: Final = "umpire"
"""A dead column that the next era drops."""

REVISED_DAYS: Final = 3
"""Days before the server's clock whose first answer is not the last word."""

IMPOSSIBLE: Final = {"release_speed": 412.0, "plate_z": -57.6, "launch_speed": 219.4, "balls": 7, "inning": 0}
GHOST_AT_BAT: Final = 900
"""First `at_bat_number` of rows that never happened: above any that a game reaches."""


@dataclass(frozen=True)
class RowFaults:
    """Faults in the content of pitch answers.

    Attributes:
        row_cap: Rows after which an answer stops without a word.
        duplicates: Share of rows that stand twice.
        impossible: Rows with values outside of physics, in parts of the real rows, added to them.
        drift: Whether columns come and go.
        drifts_from: First day on which they do.
        era_2020: Whether answers have the columns, repetitions and nulls of 2020.
        revised: Whether the first answer about the last days lacks a game and intentional walks.
        revised_from: First day of which that is so; some days before the server's clock by default.
        shuffled: Whether rows come in another order each time.
    """

    row_cap: int = savant.ROW_CAP
    duplicates: float = 0.0
    impossible: float = 0.0
    drift: bool = False
    drifts_from: dt.date = DRIFTS_FROM
    revised: bool = False
    revised_from: dt.date | None = None
    shuffled: bool = False
    era_2020: bool = False
    _asked: dict[PitchAsk, int] = field(default_factory=dict, compare=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, compare=False, repr=False)

    def csv(self, world: World, ask: PitchAsk) -> bytes:
        """Return the answer to a search with its faults."""
        frame = world.pitches(ask)
        with self._lock:
            times = self._asked[ask] = self._asked.get(ask, 0) + 1
        if self.revised and times == 1 and world.now is not None:
            recent = world.now.date() - dt.timedelta(days=REVISED_DAYS)
            frame = _incomplete(frame, self.revised_from or recent)
        if self.drift and len(frame):
            frame = _drifted(frame, self.drifts_from)
        rng = np.random.default_rng(int(frame["game_pk"].sum()) + len(frame)) if len(frame) else None
        if rng is not None and (self.duplicates or self.impossible):
            frame = _spoiled(frame, self.duplicates, self.impossible, rng)
        if self.shuffled:
            frame = frame.sample(fraction=1.0, shuffle=True, seed=times)
        if self.era_2020:
            return savant.csv_of_2020(frame, cap=self.row_cap)
        gone = frozenset({GONE_COLUMN}) if UNKNOWN_COLUMN in frame.columns else frozenset()
        return savant.csv(frame, cap=self.row_cap, without=gone)


def _incomplete(frame: pl.DataFrame, since: dt.date) -> pl.DataFrame:
    """Leave out what a next-morning recording lacks: one game of a day, intentional walks, automatic calls."""
    recent = pl.col("game_date") >= since
    lacking = (pl.col("game_pk") == pl.col("game_pk").min().over("game_date")) | pl.col("pitch_type").is_null()
    return frame.filter(~(recent & lacking))


def _drifted(frame: pl.DataFrame, since: dt.date) -> pl.DataFrame:
    new = frame["game_date"] >= since
    if not new.any():
        return frame
    whiff = pl.col("description").is_in(["swinging_strike", "swinging_strike_blocked"])
    miss = (pl.col("plate_z").fill_null(0) * 3 % 9).abs().round(1)
    return frame.with_columns(
        pl.when(whiff & new).then(miss).alias("miss_distance"),
        pl.when(pl.Series(new)).then(pl.col("bat_speed") / 100).round(3).alias(UNKNOWN_COLUMN),
    )


def _spoiled(frame: pl.DataFrame, duplicates: float, impossible: float, rng: np.random.Generator) -> pl.DataFrame:
    """Add rows: exact repetitions, and impossible ones with keys of their own."""
    again = frame[np.flatnonzero(rng.random(len(frame)) < duplicates)]
    ghosts = frame[np.flatnonzero(rng.random(len(frame)) < impossible)]
    wrong = [pl.lit(value).cast(frame.schema[name]).alias(name) for name, value in IMPOSSIBLE.items()]
    number = (pl.int_range(pl.len()) + GHOST_AT_BAT).cast(frame.schema["at_bat_number"])
    ghosts = ghosts.with_columns(*wrong, at_bat_number=number)
    return pl.concat([frame, again, ghosts]).sort("game_date", "game_pk", descending=True, maintain_order=True)
