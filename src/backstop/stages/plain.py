"""Plain tables: those whose rows need no other table, of a day that was asked for or as they stand when fetched."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import polars as pl

from backstop.sources import registry
from backstop.sources.parsed import Parsed, merge
from backstop.sources.savant import leaderboards
from backstop.stages import receive
from backstop.stages.collect import Job, Step
from backstop.stages.fetch import reopen
from backstop.stages.outcome import Gap, Outcome
from backstop.stages.receive import Received

if TYPE_CHECKING:
    from backstop.net.item import Item
    from backstop.stages.fetch import Fetched, FetchedBatch
    from backstop.stages.keep import Checked

DayOf = Callable[["Fetched"], dt.date]


def step(label: str, job: Job, batches: Callable[[], list[list[Item]]], day_of: DayOf | None = None) -> Step:
    """Return the step that fetches a table and keeps it as it comes.

    Args:
        label: What progress is reported under.
        job: What is collected.
        batches: Names the requests; those about one day in one batch, when their keys begin with it.
        day_of: The day of an answer whose key does not begin with one; that of its retrieval by default.
    """
    return Step(label, batches, lambda batch: _kept(job, batch, day_of or retrieved))


def missed(table: str, batch: FetchedBatch) -> list[Outcome]:
    """Return what of a batch could not be had, and who answered instead of whom."""
    gaps = tuple(Gap(table, lost.item.key, f"not fetched: {lost.sentence}") for lost in batch.missed)
    return [Outcome(table, gaps=gaps, notes=batch.notes)] if gaps or batch.notes else []


def retrieved(answer: Fetched) -> dt.date:
    """Return the day on which an answer was had."""
    return leaderboards.retrieved_on(answer.fetched_at)


def _kept(job: Job, batch: FetchedBatch, day_of: DayOf) -> list[Outcome]:
    by_day: dict[dt.date, list[Fetched]] = {}
    for answer in batch.answers:
        by_day.setdefault(_day_asked(answer) or day_of(answer), []).append(answer)
    kept = [_keep_day(job, day, answers) for day, answers in by_day.items()]
    return [*kept, *(missed(batch.missed[0].item.table, batch) if batch.missed else [])]


def _day_asked(answer: Fetched) -> dt.date | None:
    try:
        return dt.date.fromisoformat(answer.item.key[:10])
    except ValueError:
        return None


def _keep_day(job: Job, day: dt.date, answers: Sequence[Fetched]) -> Outcome:
    """Keep a day's rows in place of those before; of a table that comes in parts, beside the other parts."""
    table = answers[0].item.table

    def read() -> Checked:
        parts = [registry.TABLES[table].parse(reopen(job.house, answer)) for answer in answers]
        whole = registry.PARTS.get(table)
        found = _beside(job, day, table, merge(parts, whole) if whole else receive.together(parts))
        return job.rules(Received(table, day, found, receive.refs(answers)), None)

    return job.kept(table, day, read, whole=table not in registry.PARTS)


def _beside(job: Job, day: dt.date, table: str, new: Parsed) -> Parsed:
    """Add the day's rows that other answers brought: of another season, other players, other games."""
    if table not in registry.PARTS or day not in job.house.lake.days(table):
        return new
    others = job.house.lake.read(table, day).join(new.frame, on=registry.PARTS[table].key, how="anti")
    frame = pl.concat([others.select(new.frame.columns), new.frame])
    return Parsed(frame, new.rejected, others.height + new.rows_in, new.drift)
