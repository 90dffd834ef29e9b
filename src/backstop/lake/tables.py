"""Parquet tables partitioned by baseball day: one file per table and day, replaced whole.

    <root>/<table>/game_date=YYYY-MM-DD/part.parquet

A reader during a replacement sees the old file or the new one. A file carries the hash of its rows, so that writing the
same rows again changes nothing, and the version of the columns it was written with.
"""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from backstop import tables
from backstop.clock import parse_day
from backstop.errors import DataError, LakeError, SchemaDrift, UsageError
from backstop.lake.bucket import Bucket
from backstop.lake.content import content_hash, schema_version
from backstop.lake.notes import Note
from backstop.lake.places import Folder, Place, place_of

FILE = "part.parquet"
PARTITION = "game_date="
HASH_KEY = "backstop:content_hash"
SCHEMA_KEY = "backstop:schema_version"
NOTE_KEY = "backstop:note"

DECLARED: dict[str, tables.Table] = {table.name: table for table in tables.KEPT}
"""Tables whose columns are declared; others keep the columns they are written with."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did.

    Attributes:
        rows: Rows in the partition now.
        content_hash: SHA-256 over the rows, hexadecimal.
        changed: Whether the file was replaced; `False` when it held the same rows already.
        path: Address of the file.
    """

    rows: int
    content_hash: str
    changed: bool
    path: str


class Lake:
    """The tables under one root.

    Args:
        root: A folder, or an address that fsspec knows (`s3://...`, `memory://...`).
    """

    def __init__(self, root: Path | str | Place) -> None:
        self.place: Place = place_of(root) if isinstance(root, Path | str) else root

    def write(self, table: str, day: dt.date, frame: pl.DataFrame, note: Note | None = None) -> Written:
        """Put rows in place of a table's partition.

        Rows of a declared table are sorted by its key first, so that the order in which batches arrived does not show.

        Args:
            table: Name of the table.
            day: Partition.
            frame: Its rows.
            note: What the ledger will say of them; kept in the file, for a ledger that was lost.

        Raises:
            SchemaDrift: a declared table lacks a column, has one more, or one of another type.
            DataError: a row's `game_date` is not the partition's.
            LakeError: the file could not be replaced; the old one stands.
        """
        frame = self.ordered(table, frame)
        _check_day(table, day, frame)
        path, digest = _path(table, day), content_hash(frame)
        before = self._metadata(table, day)
        if before.get(HASH_KEY) == digest and (note is None or note.says_what(before.get(NOTE_KEY))):
            return Written(len(frame), digest, changed=False, path=self.place.locate(path))
        body = io.BytesIO()
        known = {HASH_KEY: digest, SCHEMA_KEY: schema_version(frame.schema)}
        known |= {} if note is None else {NOTE_KEY: note.dump()}
        frame.write_parquet(body, compression_level=1, metadata=known)
        self.place.replace(path, body.getvalue())
        changed = before.get(HASH_KEY) != digest
        return Written(len(frame), digest, changed=changed, path=self.place.locate(path))

    def ordered(self, table: str, frame: pl.DataFrame) -> pl.DataFrame:
        """Return rows as a partition holds them: those of a declared table with its columns, sorted by its key.

        Raises:
            SchemaDrift: a declared table lacks a column, has one more, or one of another type.
        """
        declared = DECLARED.get(table)
        if declared is None:
            return frame
        return _as_declared(declared, frame).sort(declared.key, nulls_last=True)

    def read(self, table: str, day: dt.date) -> pl.DataFrame:
        """Return a partition's rows, a declared table with its columns of today.

        Raises:
            LakeError: there is no such partition, or it cannot be read.
        """
        content = self.place.read(_path(table, day))
        if content is None:
            raise LakeError(
                f"{table} has no partition for {day}; refresh or backfill that day first.",
                source=table,
            )
        try:
            return self._scan(table, [content]).collect()
        except pl.exceptions.PolarsError as error:
            where = self.place.locate(_path(table, day))
            raise LakeError(
                f"{where} cannot be read ({error}); remove that file, then write that day again.", source=table
            ) from error

    def scan(self, table: str, first: dt.date | None = None, last: dt.date | None = None) -> pl.LazyFrame:
        """Return the partitions from `first` to `last`, both included, as one lazy frame.

        A declared table without any partition is empty with its columns; columns that older files lack are null.

        Raises:
            LakeError: a table without declared columns has no partition in the range.
        """
        chosen = [
            day for day in sorted(self.days(table)) if (first is None or first <= day) and (last is None or day <= last)
        ]
        if not chosen:
            if table in DECLARED:
                return DECLARED[table].empty().lazy()
            raise LakeError(
                f"{table} has no partition from {first or 'the beginning'} to {last or 'the end'}; "
                "refresh or backfill those days first.",
                source=table,
            )
        if isinstance(self.place, Folder):
            return self._scan(table, [self.place.locate(_path(table, day)) for day in chosen])
        return self._scan(table, self.place.read_many([_path(table, day) for day in chosen]))

    def days(self, table: str) -> set[dt.date]:
        """Return the days that have a partition.

        Raises:
            LakeError: a folder of the table is named after no day.
        """
        days = {_day_of(table, name) for name in self.place.list(table) if name.startswith(PARTITION)}
        if isinstance(self.place, Folder):
            # a first write that was killed leaves its folder without the file; object stores have no such thing
            return {day for day in days if Path(self.place.locate(_path(table, day))).is_file()}
        return days

    def tables(self) -> list[str]:
        """Return the names of the tables that have a folder."""
        return self.place.list("")

    def content_hash(self, table: str, day: dt.date) -> str | None:
        """Return the hash that a partition's file carries, `None` without a partition or when it cannot be read."""
        return self._metadata(table, day).get(HASH_KEY)

    def note(self, table: str, day: dt.date) -> Note | None:
        """Return what was noted of a partition when it was written, `None` when nothing was."""
        text = self._metadata(table, day).get(NOTE_KEY)
        return None if text is None else Note.parse(text)

    def _metadata(self, table: str, day: dt.date) -> dict[str, str]:
        path = _path(table, day)
        source: str | io.BytesIO
        if isinstance(self.place, Folder):
            source = self.place.locate(path)
            if not Path(source).is_file():
                return {}
        else:
            content = self.place.read(path)
            if content is None:
                return {}
            source = io.BytesIO(content)
        try:
            return pl.read_parquet_metadata(source)
        except (pl.exceptions.PolarsError, OSError):
            # a damaged file has no hash that anything could equal: it is replaced by the next write
            return {}

    def remove(self, table: str, day: dt.date) -> None:
        """Remove a partition; one that is not there is no error."""
        self.place.remove(_path(table, day))

    def _scan(self, table: str, sources: list[str] | list[bytes]) -> pl.LazyFrame:
        declared = DECLARED.get(table)
        if declared is not None:
            schema = declared.schema
        else:
            # an undeclared table has the columns of its newest partition: older ones lack what came later
            newest = sources[-1]
            schema = pl.read_parquet_schema(io.BytesIO(newest) if isinstance(newest, bytes) else newest)
        return pl.scan_parquet(
            sources,
            hive_partitioning=False,
            schema=schema,
            missing_columns="insert",
            extra_columns="ignore",
            cast_options=pl.ScanCastOptions(integer_cast="upcast", float_cast="upcast"),
        )


__all__ = ["DECLARED", "Bucket", "Folder", "Lake", "Written"]


def _path(table: str, day: dt.date) -> str:
    return f"{table}/{PARTITION}{day.isoformat()}/{FILE}"


def _day_of(table: str, folder: str) -> dt.date:
    written = folder.removeprefix(PARTITION)
    try:
        return parse_day(written)
    except UsageError as error:
        raise LakeError(
            f"The lake's {table}/{folder} is no day's partition: {written!r} is not written YYYY-MM-DD. "
            "Move it out of the lake, or name it after its day.",
            source=table,
        ) from error


def _as_declared(declared: tables.Table, frame: pl.DataFrame) -> pl.DataFrame:
    wanted = declared.schema
    gone = [name for name in wanted if name not in frame.columns]
    added = [name for name in frame.columns if name not in wanted]
    retyped = [
        f"{name} {frame.schema[name]} (expected {dtype})"
        for name, dtype in wanted.items()
        if name in frame.columns and frame.schema[name] != dtype
    ]
    if gone or added or retyped:
        raise SchemaDrift(
            f"{declared.name} is not as declared: missing {gone or 'nothing'}, unknown {added or 'nothing'}, "
            f"other types {retyped or 'none'}. Parse into the declared columns, or declare the new ones.",
            source=declared.name,
        )
    return frame.select(wanted.keys())


def _check_day(table: str, day: dt.date, frame: pl.DataFrame) -> None:
    if frame.schema.get("game_date") != pl.Date():
        return
    strays = frame.get_column("game_date").drop_nulls().unique().sort().to_list()
    strays = [str(other) for other in strays if other != day]
    if strays:
        raise DataError(
            f"{table} for {day} holds rows of {', '.join(strays[:5])}; expected only {day}. "
            "Split the rows by game_date before writing.",
            source=table,
        )
