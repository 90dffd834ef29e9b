"""Names of recorded players: lists of the Stats API first, then the pitches, then the Chadwick register."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from pathlib import Path
from typing import Final

import polars as pl

from backstop.demo.recorded import files
from backstop.demo.recorded.pitches import PitchFile
from backstop.demo.world import Person
from backstop.sources import chadwick

CLEARLY: Final = 0.98
"""Share of ids with exactly one name from which on a file's `player_name` is taken to be theirs."""

SUFFIXES: Final = ("Jr.", "Sr.", "II", "III", "IV")
"""What the register's `name_suffix` may add to a name; other values in it are given names."""

COLUMNS: Final = ("player_id", "full_name", "first_name", "last_name", "bats", "throws", "position", "birth_date")


class Names:
    """Players by MLBAM id.

    Args:
        folder: The recordings.
        files: Their pitch files.
    """

    def __init__(self, folder: Path, files: list[PitchFile]) -> None:
        self._folder = folder
        self._files = files

    @cached_property
    def table(self) -> pl.DataFrame:
        """One row per player with `COLUMNS`; what no source knows is null."""
        sources = [*self._listed(), *self._pitched(), *self._registered()]
        if not sources:
            return pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String()) | {"player_id": pl.Int64()})
        known = pl.concat(sources, how="diagonal")
        texts = [name for name in COLUMNS if name != "player_id" and name in known.columns]
        # one source's whole name is kept together; the facts may come from another
        whole = known.filter(pl.col("full_name").is_not_null()).unique("player_id", keep="first", maintain_order=True)
        facts = known.group_by("player_id").agg(
            pl.col(name).drop_nulls().first() for name in texts if "name" not in name
        )
        return whole.select("player_id", "full_name", "first_name", "last_name").join(facts, on="player_id", how="left")

    @cached_property
    def savant(self) -> pl.DataFrame:
        """One row per player: player_id and his name as Savant writes it, `Last, First`."""
        full = pl.concat_str("last_name", pl.lit(", "), "first_name")
        return self.table.select("player_id", name=full.fill_null(pl.col("full_name")))

    @cached_property
    def _people(self) -> dict[int, Person]:
        return {row["player_id"]: _person(row) for row in self.table.iter_rows(named=True)}

    def person(self, player_id: int) -> Person | None:
        """Return what is known of a player; `None` when no source names him."""
        return self._people.get(player_id)

    def register(self, shard: str) -> pl.DataFrame:
        """Return the register's people whose UUID begins with a digit."""
        frames = [
            frame
            for path, schema in files.parquet(self._folder / "register")
            if {"key_mlbam", "key_uuid", "name_last"} <= set(schema) and len(frame := pl.read_parquet(path))
        ]
        parts = [frame.filter(pl.col("key_uuid").str.starts_with(shard)) for frame in frames]
        return pl.concat(parts, how="diagonal_relaxed") if parts else pl.DataFrame(schema={"key_mlbam": pl.String()})

    def _listed(self) -> list[pl.DataFrame]:
        """Read lists of people, known by their columns `player_id` and `full_name`."""
        frames = []
        for _, frame in reversed(list(files.csv(self._folder / "mlb_statsapi"))):
            if {"player_id", "full_name", "use_name", "last_name"} <= set(frame.columns):
                positions = {"bat_side": "bats", "pitch_hand": "throws", "position_abbr": "position"}
                listed = frame.rename({old: new for old, new in positions.items() if old in frame.columns})
                listed = listed.with_columns(
                    pl.col("player_id").cast(pl.Int64(), strict=False),
                    first_name=pl.col("use_name"),
                    last_name=_last_name(pl.col("full_name"), pl.col("use_name"), pl.col("last_name")),
                )
                known = [name for name in COLUMNS if name in listed.columns]
                frames.append(listed.filter(pl.col("player_id").is_not_null()).select(known))
        return frames

    def _pitched(self) -> list[pl.DataFrame]:
        return [frame for file in self._files if (frame := _names_in(file)) is not None]

    def _registered(self) -> list[pl.DataFrame]:
        """Read registers, known by their columns `key_mlbam`, `name_first`, `name_last`."""
        frames = []
        for path, schema in files.parquet(self._folder / "register"):
            if {"key_mlbam", "name_first", "name_last"} <= set(schema):
                frames.append(_of_register(pl.read_parquet(path)))
        return frames


def _last_name(full: pl.Expr, use: pl.Expr, last: pl.Expr) -> pl.Expr:
    # `full_name` carries the suffix (Vladimir Guerrero Jr.), `last_name` does not
    return pl.when(full.str.starts_with(use + " ")).then(full.str.slice(use.str.len_chars() + 1)).otherwise(last)


def _names_in(file: PitchFile) -> pl.DataFrame | None:
    scan = pl.scan_parquet(file.path)
    if "player_name" not in scan.collect_schema():
        return None
    rows = scan.select("player_name", pl.col("batter", "pitcher").cast(pl.Int64())).drop_nulls().unique().collect()
    for role in ("pitcher", "batter"):
        names = rows.group_by(role).agg(pl.col("player_name").unique())
        if len(names) and names.select((pl.col("player_name").list.len() == 1).mean()).item() >= CLEARLY:
            return _split(names.select(player_id=role, player_name=pl.col("player_name").list.first()))
    return None


def _split(names: pl.DataFrame) -> pl.DataFrame:
    parts = pl.col("player_name").str.split_exact(", ", 1)
    return names.select(
        "player_id",
        last_name=pl.when(pl.col("player_name").str.contains(", ")).then(parts.struct.field("field_0")),
        first_name=parts.struct.field("field_1"),
        full_name=pl.concat_str(
            parts.struct.field("field_1"), parts.struct.field("field_0"), separator=" ", ignore_nulls=True
        ),
    )


def _of_register(frame: pl.DataFrame) -> pl.DataFrame:
    suffix = pl.col("name_suffix") if "name_suffix" in frame.columns else pl.lit(None, pl.String())
    proper = pl.when(suffix.is_in(SUFFIXES)).then(suffix)
    last = pl.concat_str("name_last", proper, separator=" ", ignore_nulls=True)
    told = {"birth_year", "birth_month", "birth_day"} <= set(frame.columns)
    birth = chadwick.birth_date().cast(pl.String()) if told else pl.lit(None, pl.String())
    return frame.filter(pl.col("key_mlbam").is_not_null()).select(
        player_id=pl.col("key_mlbam").cast(pl.Int64()),
        first_name="name_first",
        last_name=last,
        full_name=pl.concat_str("name_first", last, separator=" ", ignore_nulls=True),
        birth_date=birth,
    )


def _person(row: dict[str, str]) -> Person:
    born = row.get("birth_date")
    return Person(
        int(row["player_id"]),
        row["full_name"],
        row["first_name"],
        row["last_name"],
        row.get("bats"),
        row.get("throws"),
        row.get("position"),
        dt.date.fromisoformat(born) if born else None,
    )
