"""What a home holds after its runs, and how it differs from what an undisturbed run left: rows lost, rows doubled."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import polars as pl

from backstop import tables
from backstop.lake.states import State
from backstop.stages import rebuild
from backstop.stages.house import House
from backstop.stages.project import FEATURES

KEYS = {
    **{table.name: list(table.key) for table in tables.ALL},
    FEATURES: ["game_pk", "player_id_mlbam", "role"],
}
"""Tables of the lake with what makes a row of each unique."""

OF_THE_RUN = {"fetched_at", "run_id"}
"""Columns that say when and by whom, not what."""

CLOSED = {State.COMPLETE, State.DEGRADED, State.EMPTY_OK}


@dataclass
class Books:
    """Rows of every table, as loaded; rows refused, by table and rule; what does not add up, in words."""

    rows: dict[str, pl.DataFrame]
    whole: dict[str, pl.DataFrame]
    refused: dict[tuple[str, str], int]
    wrong: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, house: House, day: dt.date) -> Books:
        """Read them; Redis is compared with the lake row by row, the ledger with both."""
        rows, whole = {}, {}
        for name, key in KEYS.items():
            days = sorted(house.lake.days(name))
            frames = [house.lake.read(name, each) for each in days]
            if frames:
                whole[name] = pl.concat(frames, how="diagonal_relaxed").sort(key)
                rows[name] = whole[name].select(key)
        refused = house.quarantine.list().group_by("table", "rule").len().rows()
        return cls(rows, whole, {(table, rule): count for table, rule, count in refused}, _wrong(house, day))

    def lost(self, reference: Books) -> int:
        """Return how many rows the reference has that are not here."""
        return sum(
            frame.join(self._of(name, frame), on=frame.columns, how="anti", nulls_equal=True).height
            for name, frame in reference.rows.items()
        )

    def doubled(self, reference: Books) -> int:
        """Return how many rows are here twice, or here and not in the reference; refused rows count as rows."""
        extra = 0
        for name, frame in self.rows.items():
            known = reference.rows.get(name, frame.clear())
            extra += frame.height - frame.unique().height
            extra += frame.unique().join(known, on=frame.columns, how="anti", nulls_equal=True).height
        more = {key: count - reference.refused.get(key, 0) for key, count in self.refused.items()}
        return extra + sum(count for count in more.values() if count > 0)

    def values_that_differ(self, reference: Books) -> list[str]:
        """Return table and column of every value that is not exactly what the reference has."""
        return [
            f"{name}.{column}"
            for name, frame in reference.whole.items()
            for column in frame.columns
            if column not in OF_THE_RUN and not frame[column].equals(self.whole[name][column], null_equal=True)
        ]

    def _of(self, name: str, like: pl.DataFrame) -> pl.DataFrame:
        return self.rows.get(name, like.clear())

    @property
    def count(self) -> int:
        """Rows of all tables."""
        return sum(frame.height for frame in self.rows.values())


def _wrong(house: House, day: dt.date) -> list[str]:
    """Return what does not add up between ledger, lake and Redis."""
    wrong = []
    for entry in house.ledger.entries():
        if entry.state not in CLOSED and not _open_schedule(entry.table, entry.state):
            wrong.append(f"the ledger has {entry.table} {entry.key} as {entry.state}: {entry.reason}")
        parts = (entry.rows_loaded or 0) + (entry.rows_quarantined or 0) + (entry.rows_failed or 0)
        if (entry.rows_in or 0) != parts:
            wrong.append(f"{entry.table} {entry.key}: {entry.rows_in} rows in, {parts} accounted for")
        if entry.table in KEYS and entry.rows_loaded:
            held = house.lake.read(entry.table, dt.date.fromisoformat(entry.key)).height
            if held != entry.rows_loaded:
                wrong.append(
                    f"{entry.table} {entry.key}: the ledger says {entry.rows_loaded} rows, the lake has {held}"
                )
    served = [each for each in rebuild.verify(house, [day]) if not each.equal or not each.rows]
    return [*wrong, *(f"{each.kind} of {day}: Redis and the lake differ ({each})" for each in served)]


def _open_schedule(table: str, state: State) -> bool:
    """The schedule of a day whose games are not over is asked again by design."""
    return table == tables.GAMES.name and state is State.STALE
