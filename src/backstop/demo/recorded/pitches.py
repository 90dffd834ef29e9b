"""Recorded pitches: found by folder and columns, merged, and kept by month.

The same pitch can stand in several files: the row of the file with most columns is taken, other files fill in pitches
that it lacks. Where a file recorded before November 2024 (it still spells base running as `caught_stealing_2b` and the
like) meets a later one, the later one decides what happened: scoring is corrected for weeks.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import polars as pl

from backstop.demo.dialects.savant import HEADER
from backstop.demo.recorded import files
from backstop.demo.words import words
from backstop.demo.world import PitchAsk

KEY: Final = ("game_pk", "at_bat_number", "pitch_number")
REQUIRED: Final = frozenset({*KEY, "game_date", "batter", "pitcher", "inning_topbot"})
"""Columns by which a Parquet file is known to hold pitches."""

TOLD: Final = ("events", "game_type", "home_team", "away_team")
"""Columns that games and box scores are told from; null where no file has them."""

ARTEFACTS: Final = frozenset(
    {"month", "day", "__index_level_0__", "pitcher_1", "fielder_2_1", "pitcher.1", "fielder_2.1", "Unnamed: 0"}
)
"""Columns that were added by who stored a file; Savant's second `pitcher` and `fielder_2` ended in July 2024."""

EVENTS_BEFORE_NOVEMBER_2024: Final = frozenset(
    words("""caught_stealing_2b caught_stealing_3b caught_stealing_home other_out pickoff_1b pickoff_2b pickoff_3b
    pickoff_caught_stealing_2b pickoff_caught_stealing_3b pickoff_caught_stealing_home stolen_base_2b stolen_base_3b
    wild_pitch""")
)
OUTCOME: Final = (
    "events",
    "bb_type",
    "woba_value",
    "woba_denom",
    "bat_score",
    "post_bat_score",
    "post_home_score",
    "post_away_score",
)
KNOWN: Final = frozenset({*HEADER, "miss_distance"})

MONTHS_KEPT: Final = 4
"""A merged month takes about 60 MB."""

ENOUGH: Final = 100_000
"""Rows beyond which older months are not read: no row cap was ever above 40,000."""

NULLS: Final = ("", "null", "NA", "--")
"""How the eras spell that nothing was measured."""

TEXTS: Final = frozenset(
    words(
        """pitch_type game_date player_name events description des game_type stand p_throws home_team away_team type
        bb_type inning_topbot pitch_name if_fielding_alignment of_fielding_alignment sv_id"""
    )
)
"""Savant's columns that are text; a file may keep others as text too."""


@dataclass(frozen=True, eq=False)
class PitchFile:
    """One Parquet file of pitches.

    Attributes:
        path: Where it is.
        width: Number of its columns that are Savant's.
        first: Earliest date in it, whatever its name says.
        last: Latest date in it.
        day: Expression that gives its rows' date.
    """

    path: Path
    width: int
    first: dt.date
    last: dt.date
    day: pl.Expr

    @classmethod
    def open(cls, path: Path, schema: pl.Schema) -> PitchFile | None:
        """Look into a Parquet file; `None` when it holds no pitches."""
        columns = set(schema.names())
        if not columns >= REQUIRED:
            return None
        date = pl.col("game_date")
        day = date.str.slice(0, 10).str.to_date() if schema["game_date"] == pl.String() else date.cast(pl.Date())
        first, last = pl.scan_parquet(path).select(first=day.min(), last=day.max()).collect().row(0)
        return cls(path, len(columns - ARTEFACTS), first, last, day) if first is not None else None

    @cached_property
    def is_old(self) -> bool:
        """Whether it was recorded before Savant renamed base-running events."""
        scan = pl.scan_parquet(self.path)
        if "events" not in scan.collect_schema():
            return True
        return bool(scan.select(pl.col("events").is_in(EVENTS_BEFORE_NOVEMBER_2024).any()).collect().item())

    def read(self, first: dt.date, last: dt.date) -> pl.DataFrame:
        """Return its rows of some days, with keys and date in one type, and `TOLD` whether it has them or not."""
        scan = pl.scan_parquet(self.path).filter(self.day.is_between(first, last))
        schema = scan.collect_schema()
        measured = [name for name, dtype in schema.items() if dtype == pl.String() and name in KNOWN - TEXTS]
        numbers = [pl.col(name).replace(dict.fromkeys(NULLS)).cast(pl.Float64(), strict=False) for name in measured]
        absent = [pl.lit(None, pl.String()).alias(name) for name in TOLD if name not in schema]
        scan = scan.drop(ARTEFACTS & set(schema.names())).with_columns(self.day, *numbers, *absent)
        return scan.with_columns(pl.col(*KEY, "batter", "pitcher").cast(pl.Int64())).collect()


class Pitches:
    """All pitches of a folder.

    Args:
        folder: Where Parquet files lie, at any depth.
    """

    def __init__(self, folder: Path) -> None:
        found = [PitchFile.open(path, schema) for path, schema in files.parquet(folder)]
        self.files = sorted((file for file in found if file), key=lambda file: -file.width)
        self._months: OrderedDict[dt.date, pl.DataFrame] = OrderedDict()
        self._lock = threading.Lock()

    @cached_property
    def game_index(self) -> pl.DataFrame:
        """One row per game: game_pk, game_date (its first), game_type, home_team, away_team."""
        wanted = ("game_pk", "game_date", "game_type", "home_team", "away_team")
        frames = [
            pl.DataFrame(schema=dict.fromkeys(wanted, pl.String()) | {"game_pk": pl.Int64(), "game_date": pl.Date()})
        ]
        for file in self.files:
            scan = pl.scan_parquet(file.path)
            have = [name for name in wanted if name in scan.collect_schema()]
            frames.append(
                scan.select(have).with_columns(file.day, pl.col("game_pk").cast(pl.Int64())).unique().collect()
            )
        return (
            pl.concat(frames, how="diagonal_relaxed")
            .sort("game_pk", "game_date")
            .group_by("game_pk", maintain_order=True)
            .agg(pl.col("game_date").min(), pl.col("game_type", "home_team", "away_team").drop_nulls().first())
        )

    def days(self, first: dt.date, last: dt.date) -> pl.DataFrame:
        """Return the merged pitches of some days, not sorted."""
        months = [self._month(month) for month in _months(first, last) if self._holds(month)]
        parts = [month.filter(pl.col("game_date").is_between(first, last)) for month in months]
        return pl.concat([part for part in parts if len(part)] or parts[:1] or [_nothing()], how="diagonal_relaxed")

    def select(self, ask: PitchAsk) -> pl.DataFrame:
        """Return what was asked for, newest first."""
        if ask.games and ask.first is None:
            dates = self.game_index.filter(pl.col("game_pk").is_in(ask.games))["game_date"]
            first, last = (dates.min(), dates.max()) if len(dates) else (None, None)
        else:
            first, last = self._bounds(ask)
        if not isinstance(first, dt.date) or not isinstance(last, dt.date):
            return _nothing()
        parts: list[pl.DataFrame] = []
        for month in reversed(_months(first, last)):
            if self._holds(month):
                inside = pl.col("game_date").is_between(first, last)
                part = self._month(month).filter(inside, *_filters(ask))
                parts.append(part.sort("game_date", *KEY, descending=True))
            if sum(map(len, parts)) >= ENOUGH:
                break
        return pl.concat([part for part in parts if len(part)] or parts[:1] or [_nothing()], how="diagonal_relaxed")

    def _bounds(self, ask: PitchAsk) -> tuple[dt.date | None, dt.date | None]:
        if not self.files:
            return None, None
        first = max(ask.first or dt.date.min, min(file.first for file in self.files))
        last = min(ask.last or dt.date.max, max(file.last for file in self.files))
        if ask.seasons:
            first = max(first, dt.date(min(ask.seasons), 1, 1))
            last = min(last, dt.date(max(ask.seasons), 12, 31))
        return (first, last) if first <= last else (None, None)

    def _holds(self, month: dt.date) -> bool:
        return any(file.first <= _month_end(month) and file.last >= month for file in self.files)

    def _month(self, month: dt.date) -> pl.DataFrame:
        with self._lock:
            if month not in self._months:
                self._months[month] = self._merge(month, _month_end(month))
            self._months.move_to_end(month)
            while len(self._months) > MONTHS_KEPT:
                self._months.popitem(last=False)
            return self._months[month]

    def _merge(self, first: dt.date, last: dt.date) -> pl.DataFrame:
        overlapping = [file for file in self.files if file.first <= last and file.last >= first]
        frames = [(file.is_old, file.read(first, last)) for file in overlapping]
        frames = [(old, frame) for old, frame in frames if len(frame)]
        if not frames:
            return _nothing()
        merged = _stack([frame for _, frame in frames])
        newer = [frame for old, frame in frames if not old]
        return _correct(merged, _stack(newer)) if newer and len(newer) < len(frames) else merged


def _stack(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Put frames under each other and keep the first row of every pitch."""
    stacked = _distinct(frames[0])
    for frame in frames[1:]:
        # only rows that are new are copied: most months two files hold the same pitches
        new = _distinct(frame.join(stacked.select(KEY), on=KEY, how="anti"))
        if len(new):
            stacked = pl.concat([stacked, new], how="diagonal_relaxed")
    return stacked


def _distinct(frame: pl.DataFrame) -> pl.DataFrame:
    if frame.select(KEY).is_unique().all():
        return frame
    return frame.unique(KEY, keep="first", maintain_order=True)


def _correct(merged: pl.DataFrame, newer: pl.DataFrame) -> pl.DataFrame:
    """Take outcomes, and which pitches there were, from the newer recording of a plate appearance."""
    outcome = [name for name in OUTCOME if name in newer.columns and name in merged.columns]
    appearances = newer.select(KEY[:2]).unique().with_columns(seen_again=pl.lit(value=True))
    pitches = newer.select(
        *KEY, *(pl.col(name).alias(f"{name}_newer") for name in outcome), is_newer=pl.lit(value=True)
    )
    # joined apart from the hundred columns that do not change, row by row in the same order
    joined = (
        merged.select(*KEY, *outcome)
        .join(appearances, on=KEY[:2], how="left", maintain_order="left")
        .join(pitches, on=KEY, how="left", maintain_order="left")
    )
    newest = [
        pl.when("is_newer").then(f"{name}_newer").otherwise(name).alias(name).cast(merged.schema[name], strict=False)
        for name in outcome
    ]
    is_kept = joined.select(pl.col("is_newer").is_not_null() | pl.col("seen_again").is_null()).to_series()
    corrected = merged.with_columns(joined.select(newest))
    return corrected if is_kept.all() else corrected.filter(is_kept)


def _filters(ask: PitchAsk) -> list[pl.Expr]:
    wanted = [
        (pl.col("game_type"), ask.game_types),
        (pl.col("batter"), ask.batters),
        (pl.col("pitcher"), ask.pitchers),
        (pl.col("game_pk"), ask.games),
        (pl.col("game_date").dt.year(), ask.seasons),
    ]
    tests = [column.is_in(list(values)) for column, values in wanted if values]
    if ask.team:
        tests.append((pl.col("home_team") == ask.team) | (pl.col("away_team") == ask.team))
    return tests


def _nothing() -> pl.DataFrame:
    text, whole = pl.String(), pl.Int64()
    return pl.DataFrame(
        schema={
            "game_date": pl.Date(),
            "game_type": text,
            "home_team": text,
            "away_team": text,
            "batter": whole,
            "pitcher": whole,
        }
        | dict.fromkeys(KEY, whole)
    )


def _months(first: dt.date, last: dt.date) -> list[dt.date]:
    months = []
    month = first.replace(day=1)
    while month <= last:
        months.append(month)
        month = _month_end(month) + dt.timedelta(days=1)
    return months


def _month_end(month: dt.date) -> dt.date:
    return (month.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)
