"""Replay: after a rule or a parser was mended, a day's archived answers are read, checked and published again.

There is one pipeline: what was refused goes through it again with everything that came in the same answers. Whoever
passes now joins the partition and leaves the quarantine when that is written (`backstop.stages.keep`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from backstop import tables
from backstop.clock import baseball_day

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstop.stages.house import House


@dataclass(frozen=True, slots=True)
class Waiting:
    """Open rows of one partition."""

    table: str
    day: dt.date
    rows: int


@dataclass(frozen=True, slots=True)
class Todo:
    """What a replay has to run.

    Attributes:
        history: Days of pitches to read again, in order.
        slates: Days whose slates are made again, in order: those that hold the rows, and those to come that were
            projected from the pitches.
    """

    history: tuple[dt.date, ...]
    slates: tuple[dt.date, ...]


def waiting(house: House, table: str | None = None, day: dt.date | None = None) -> list[Waiting]:
    """Return the partitions that have open rows, with their number."""
    rows = house.quarantine.list(table, day)
    counted = rows.group_by("table", "game_date").agg(pl.len()).sort("game_date", "table")
    return [Waiting(*each) for each in counted.iter_rows()]


def plan(house: House, found: Sequence[Waiting]) -> Todo:
    """Return what brings these rows through the pipeline again.

    A slate that is over was projected from what was known then and stays as it is; one that is served and not over yet
    is projected again when pitches before it come back.
    """
    history = sorted({each.day for each in found if each.table == tables.PITCHES.name})
    slates = {each.day for each in found if each.table != tables.PITCHES.name}
    if history:
        today = baseball_day(house.clock.now())
        slates |= {day for day in house.reader.days() if day > history[0] and day >= today}
    return Todo(tuple(history), tuple(sorted(slates)))


def reopen(house: House, todo: Todo) -> None:
    """Mark the days of pitches as outdated in the ledger: the next run asks for them again."""
    keys = [day.isoformat() for day in todo.history]
    house.ledger.stale(tables.PITCHES.name, keys, reason="its quarantined rows are replayed")
