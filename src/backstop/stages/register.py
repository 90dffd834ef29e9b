"""Register: the Chadwick register in the lake, and the names by which it knows a player."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import polars as pl

from backstop.sources import chadwick
from backstop.sources.savant.leaderboards import retrieved_on
from backstop.stages import receive
from backstop.stages.fetch import reopen
from backstop.stages.keep import Checked, keep
from backstop.stages.outcome import Gap, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstop.stages.fetch import FetchedBatch
    from backstop.stages.house import House

TABLE: Final = chadwick.TABLE

NAMES: Final = {"player_id_mlbam": pl.Int64(), "full_name": pl.String()}
"""Columns of the names: one row per player and name that he is known by."""


def keep_register(house: House, batches: Sequence[FetchedBatch], run_id: str) -> Outcome:
    """Keep all files of the register as of the day of their retrieval; of a part of them nothing is kept.

    Raises:
        UpstreamMalformed, SchemaDrift: a file cannot be turned into rows.
        LeaseHeld: another run keeps it at the moment.
    """
    gaps = tuple(Gap(TABLE, lost.item.key, f"not fetched: {lost.sentence}") for each in batches for lost in each.missed)
    answers = [answer for batch in batches for answer in batch.answers]
    if gaps or not answers:
        return Outcome(TABLE, gaps=gaps)
    whole = chadwick.whole([chadwick.parse(reopen(house, answer)) for answer in answers])
    day = max(retrieved_on(answer.fetched_at) for answer in answers)
    drift = (whole.drift.sentence(),) if whole.drift else ()
    checked = Checked(
        TABLE,
        day,
        whole.rows_in,
        whole.frame,
        whole.rejected,
        rules=whole.rejected_by_rule,
        drift=drift,
        raw_ref=receive.refs(answers),
    )
    return keep(house, checked, run_id)


def newest(house: House) -> dt.date | None:
    """Return the day as of which the register is kept; `None` when it never was."""
    return max(house.lake.days(TABLE), default=None)


def names(house: House) -> pl.DataFrame:
    """Return the names that the register knows players by: the one they go by, and all given names with the last.

    One row per player and name; empty while no register is kept.
    """
    day = newest(house)
    if day is None:
        return pl.DataFrame(schema=NAMES)
    people = house.lake.read(TABLE, day)
    first = people.select("player_id_mlbam", full_name=chadwick.full_name())
    given = people.select("player_id_mlbam", full_name=pl.col("name_given") + " " + pl.col("name_last"))
    return pl.concat([first, given]).drop_nulls().unique(maintain_order=True)
