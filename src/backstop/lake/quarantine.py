"""Rows that were refused, each with the rule that refused it, why, the run and the raw answer it came from.

A put is a set of rows: putting the same rows again changes nothing, and no put can overwrite another's rows, because a
file is named after its content. Two equal rows of one put stay two rows. When and in which answer a row came is no part
of what it is: a row that comes again in an answer that changed elsewhere is the same row.

Who changes the state of rows, or puts files together, takes turns with whoever else does, in this process or another:
on a disk by a lock, in an object store by objects that one process alone can create (`turns`).

Open are the rows that a partition lacks now. When the partition is written anew, those that were not refused again have
left the quarantine (`settle`), and a row that had left it and is refused again is open again.

    <root>/quarantine/<table>/game_date=YYYY-MM-DD/<content>.parquet
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
from typing import TYPE_CHECKING, Final

import orjson
import polars as pl

from backstop.clock import Clock, SystemClock
from backstop.errors import LakeError, SchemaDrift, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from backstop.lake.tables import Lake

ROOM: Final = "quarantine"
SUFFIX: Final = ".parquet"
GIVEN: Final = ("row", "rule", "reason")
FETCHED_AT: Final = "fetched_at"
SCHEMA: Final[dict[str, pl.DataType]] = {
    "row_id": pl.String(),
    "table": pl.String(),
    "game_date": pl.Date(),
    "row": pl.String(),
    "rule": pl.String(),
    "reason": pl.String(),
    "run_id": pl.String(),
    "raw_ref": pl.String(),
    "put_at": pl.Datetime("us", "UTC"),
    "state": pl.String(),
    "closed_at": pl.Datetime("us", "UTC"),
    "closed_because": pl.String(),
}
"""One row per refused row. `state` is open, replayed or dropped; both `closed_` columns are null while it is open."""

STATES: Final = ("open", "replayed", "dropped")


class Quarantine:
    """The refused rows of a lake.

    Args:
        lake: Where the rows are kept.
        clock: Tells when a row was put or closed.
    """

    def __init__(self, lake: Lake, clock: Clock | None = None) -> None:
        self.place = lake.place
        self.clock = clock or SystemClock()

    def put(self, table: str, day: dt.date, rows: pl.DataFrame, *, run_id: str, raw_ref: str | None) -> int:
        """Keep refused rows and return how many there are.

        Args:
            table: The table that the rows were meant for.
            day: Baseball day of the partition that they are missing from.
            rows: Columns `row` (the raw row as JSON text), `rule`, `reason`.
            run_id: The run that refused them.
            raw_ref: Content hash of the raw answer, `None` when there is none.

        Raises:
            SchemaDrift: a column is missing.
            LakeError: the rows could not be written.
        """
        missing = [name for name in GIVEN if name not in rows.columns]
        if missing:
            raise SchemaDrift(f"Refused rows lack {missing}; expected the columns {list(GIVEN)}.", source=table)
        if rows.is_empty():
            return 0
        kept = self._identified(table, day, rows.select(GIVEN), run_id, raw_ref)
        with self.place.turn(ROOM) as renew:
            known = self.list(table, day, state=None).select("row_id", "state")
            again = set(known.filter(state="replayed")["row_id"]) & set(kept["row_id"])
            self._mark(again, "open", "", table, day, renew)
            new = kept.join(known, on="row_id", how="anti")
            if new.height:
                renew()
                self.place.replace(f"{_folder(table, day)}/{_name(new)}", _parquet(new))
        return len(kept)

    def settle(self, table: str, day: dt.date, refused: pl.DataFrame, *, run_id: str) -> int:
        """Close the open rows of a partition that was just written, save those that it refused; returns how many left.

        Args:
            table: The table that the rows were meant for.
            day: Baseball day of the partition.
            refused: All rows that were refused when the partition was written, as `put` takes them.
            run_id: The run that wrote it.
        """
        waiting = set(self.list(table, day)["row_id"])
        if not waiting:
            return 0
        again = self._identified(table, day, refused.select(GIVEN), run_id, None)["row_id"]
        return self.close(waiting - set(again), "replayed", f"not refused by run {run_id}", table=table, day=day)

    def compact(self, table: str, day: dt.date) -> int:
        """Put a partition's files into one; returns how many there were less one.

        A row that a crash leaves in two files is one row all the same.

        Raises:
            LakeError: a file cannot be read or replaced.
        """
        with self.place.turn(ROOM) as renew:
            files = list(self._files(table, day))
            if len(files) < 2:  # noqa: PLR2004 - one file cannot be put together with another
                return 0
            whole = _merged([frame for _, frame in files])
            path = f"{_folder(table, day)}/{_name(whole)}"
            renew()
            self.place.replace(path, _parquet(whole))
            for each, _ in files:
                if each != path:
                    renew()
                    self.place.remove(each)
            return len(files) - 1

    def list(
        self,
        table: str | None = None,
        day: dt.date | None = None,
        *,
        rule: str | None = None,
        state: str | None = "open",
    ) -> pl.DataFrame:
        """Return refused rows, oldest first, each once; `state=None` returns closed ones too.

        Raises:
            LakeError: a file cannot be read.
        """
        frames = [frame for _, frame in self._files(table, day)]
        if not frames:
            return pl.DataFrame(schema=SCHEMA)
        found = _merged(frames)
        if rule is not None:
            found = found.filter(pl.col("rule") == rule)
        return found if state is None else found.filter(pl.col("state") == state)

    def show(self, row_id: str) -> dict[str, object]:
        """Return one refused row with everything known of it.

        Raises:
            UsageError: no row has this id.
        """
        found = self.list(state=None).filter(pl.col("row_id") == row_id)
        if found.is_empty():
            raise _unknown(row_id)
        return found.row(0, named=True)

    def drop(self, row_ids: Collection[str], *, because: str) -> int:
        """Close rows that nobody will need; they stay on record as dropped. Returns how many were open.

        Raises:
            UsageError: no row has one of these ids; none was dropped.
        """
        found = self.list(state=None).filter(pl.col("row_id").is_in(list(row_ids)))
        unknown = set(row_ids) - set(found["row_id"])
        if unknown:
            raise _unknown(min(unknown))
        # turn by turn: one in which all files were read would take longer than others wait
        partitions = found.select("table", "game_date").unique(maintain_order=True).iter_rows()
        return sum(self.close(row_ids, "dropped", because, table=table, day=day) for table, day in partitions)

    def close(
        self,
        row_ids: Collection[str],
        state: str,
        because: str,
        *,
        table: str | None = None,
        day: dt.date | None = None,
    ) -> int:
        """Mark open rows as replayed or dropped, or replayed ones as open again, and return how many were.

        Raises:
            LakeError: a file cannot be read or replaced.
            UsageError: the state is none that a row may have.
        """
        if state not in STATES:
            raise UsageError(f"{state!r} is not the state of a row; expected one of {STATES}.")
        if not row_ids:
            return 0
        with self.place.turn(ROOM) as renew:
            return self._mark(row_ids, state, because, table, day, renew)

    def _mark(
        self,
        row_ids: Collection[str],
        state: str,
        because: str,
        table: str | None,
        day: dt.date | None,
        renew: Callable[[], None],
    ) -> int:
        before = "replayed" if state == "open" else "open"
        wanted = pl.col("row_id").is_in(list(row_ids)) & (pl.col("state") == before)
        closed_at = None if state == "open" else self.clock.now()
        closed: set[str] = set()
        for path, frame in list(self._files(table, day)):
            hit = frame.filter(wanted)
            if hit.is_empty():
                continue
            closed |= set(hit.get_column("row_id"))
            changed = frame.with_columns(
                state=pl.when(wanted).then(pl.lit(state)).otherwise("state"),
                closed_at=pl.when(wanted).then(pl.lit(closed_at, SCHEMA["closed_at"])).otherwise("closed_at"),
                closed_because=pl.when(wanted).then(pl.lit(because or None, pl.String())).otherwise("closed_because"),
            )
            renew()
            self.place.replace(path, _parquet(changed.select(SCHEMA.keys())))
        return len(closed)

    def _identified(
        self, table: str, day: dt.date, rows: pl.DataFrame, run_id: str, raw_ref: str | None
    ) -> pl.DataFrame:
        texts = rows.select(pl.col(GIVEN).cast(pl.String))
        same = pl.Series("row", [_identity(row) for row in texts["row"]], pl.String())
        occurrence = texts.select(same, "rule").select(pl.int_range(pl.len()).over("row", "rule")).to_series()
        prefix = f"{table}\x1f{day.isoformat()}\x1f"
        ids = [
            hashlib.sha256(f"{prefix}{row}\x1f{rule}\x1f{nth}".encode()).hexdigest()[:16]
            for row, rule, nth in zip(same, texts["rule"], occurrence, strict=True)
        ]
        return texts.select(
            pl.Series("row_id", ids, pl.String()),
            pl.lit(table).alias("table"),
            pl.lit(day).alias("game_date"),
            *GIVEN,
            pl.lit(run_id).alias("run_id"),
            pl.lit(raw_ref, pl.String()).alias("raw_ref"),
            pl.lit(self.clock.now(), SCHEMA["put_at"]).alias("put_at"),
            pl.lit("open").alias("state"),
            pl.lit(None, SCHEMA["closed_at"]).alias("closed_at"),
            pl.lit(None, pl.String()).alias("closed_because"),
        )

    def _files(self, table: str | None, day: dt.date | None) -> Iterator[tuple[str, pl.DataFrame]]:
        for name in [table] if table else self.place.list(ROOM):
            folders = [f"game_date={day}"] if day else self.place.list(f"{ROOM}/{name}")
            for folder in folders:
                where = f"{ROOM}/{name}/{folder}"
                for file in self.place.list(where):
                    content = self.place.read(f"{where}/{file}") if file.endswith(SUFFIX) else None
                    if content is not None:
                        yield f"{where}/{file}", self._rows_of(f"{where}/{file}", content)

    def _rows_of(self, path: str, content: bytes) -> pl.DataFrame:
        try:
            return pl.read_parquet(io.BytesIO(content), hive_partitioning=False)
        except pl.exceptions.PolarsError as error:
            raise LakeError(
                f"The refused rows in {self.place.locate(path)} cannot be read ({error}). Put the file back from a "
                "backup, or move it away: the next run over that day refuses its rows again.",
                source=path,
            ) from error


def _unknown(row_id: str) -> UsageError:
    return UsageError(f"No row {row_id!r} is in quarantine; list them to see the ids.")


def _merged(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return rows of several files, oldest first, each once."""
    return pl.concat(frames).sort("put_at", "row_id").unique("row_id", keep="first", maintain_order=True)


def _identity(row: str | None) -> str | None:
    """Return a row without the instant at which it was fetched; text that is no JSON object stays as it is."""
    if row is None or f'"{FETCHED_AT}"' not in row:
        return row
    try:
        fields = orjson.loads(row)
    except orjson.JSONDecodeError:
        return row
    if not isinstance(fields, dict):
        return row
    fields.pop(FETCHED_AT, None)
    return orjson.dumps(fields).decode()


def _folder(table: str, day: dt.date) -> str:
    return f"{ROOM}/{table}/game_date={day.isoformat()}"


def _name(rows: pl.DataFrame) -> str:
    return hashlib.sha256("".join(sorted(rows.get_column("row_id"))).encode()).hexdigest()[:32] + SUFFIX


def _parquet(rows: pl.DataFrame) -> bytes:
    body = io.BytesIO()
    rows.write_parquet(body)
    return body.getvalue()
