"""Collect: feeds into archive and lake for a range of days, without making slates.

A collection is a list of steps; each is planned when the ones before it are kept, because a day's box scores are only
known from its schedule. What the ledger calls complete is not asked for again unless that is wanted.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backstop import tables
from backstop.errors import DataError, LeaseHeld, UpstreamError
from backstop.stages import receive, schedules
from backstop.stages.fetch import fetch
from backstop.stages.keep import Checked, keep, unread
from backstop.stages.outcome import Gap, Outcome, total
from backstop.stages.receive import Received

if TYPE_CHECKING:
    from backstop.net.item import Item
    from backstop.stages.fetch import Fetched, FetchedBatch
    from backstop.stages.house import House

Rules = Callable[[Received, int | None], Checked]
"""Applies a table's suite to rows; the second value is the day's number of finished games, where it matters."""


@dataclass(frozen=True)
class Job:
    """What is collected.

    Attributes:
        house: The opened rooms.
        days: Days in order, at least one.
        rules: Applies the suites.
        run_id: Under which the ledger notes it.
        again: Whether days that are complete are fetched again.
    """

    house: House
    days: Sequence[dt.date]
    rules: Rules
    run_id: str
    again: bool = False

    def lacking(self, table: str, days: Iterable[dt.date]) -> list[dt.date]:
        """Return the days that the ledger does not call complete; it notes that they are expected."""
        keys = [day.isoformat() for day in days]
        lacking = keys if self.again else self.house.ledger.missing(table, keys)
        self.house.ledger.expect(table, lacking)
        return [dt.date.fromisoformat(key) for key in lacking]

    def keep(self, received: Received) -> Outcome:
        """Check rows and keep them."""
        return self.kept(received.table, received.day, lambda: self.rules(received, None))

    def keep_pitches(self, day: dt.date, answers: Sequence[Fetched]) -> Outcome:
        """Check a day of pitches against its rules and its schedule, and keep it."""

        def checked() -> Checked:
            received = receive.pitches_of(self.house, day, answers)
            finished = receive.known(self.house, tables.GAMES, day).filter(schedules.is_finished()).height
            found = self.rules(received, finished or None)
            return receive.with_lacks(self.house, found)

        return self.kept(tables.PITCHES.name, day, checked)

    def kept(self, table: str, day: dt.date, check: Callable[[], Checked], *, whole: bool = True) -> Outcome:
        """Keep checked rows; a day that another run holds, or that cannot be read, is a gap. See `keep` for `whole`."""
        try:
            return keep(self.house, check(), self.run_id, whole=whole)
        except LeaseHeld as error:
            return Outcome(table, keys=1, gaps=(Gap(table, day.isoformat(), error.message),))
        except (DataError, UpstreamError) as error:
            return unread(self.house, table, day, error, self.run_id)


@dataclass(frozen=True)
class Step:
    """One table's part of a collection.

    Attributes:
        label: What progress is reported under.
        plan: Names the requests, in batches of at most 50, when the steps before are done.
        keep: Takes a fetched batch into the lake.
    """

    label: str
    plan: Callable[[], list[list[Item]]]
    keep: Callable[[FetchedBatch], list[Outcome]]


@dataclass(frozen=True)
class Collected:
    """What a step came to.

    Attributes:
        label: The step.
        items: Requests that were planned.
        size: Bytes of all answers.
        from_archive: Answers that needed no request, or that the feed confirmed as unchanged.
        retried: Requests beyond the first of an item.
        split: Items that stood at a row cap and were fetched in parts.
        failed: Items that could not be had.
        seconds: Time that it took.
        outcomes: Rows by table.
        notes: Who answered instead of whom.
    """

    label: str
    items: int
    size: int
    from_archive: int
    retried: int
    split: int
    failed: int
    seconds: float
    outcomes: tuple[Outcome, ...]
    notes: tuple[str, ...] = ()


def collect(house: House, steps: Iterable[Step]) -> Iterator[Collected]:
    """Do the steps one after the other; while a batch is kept, the next one is fetched.

    Raises:
        BackstopError: not a feed's failure, which is named in the result, but, say, Redis is gone.
        OSError: the disk is full.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="collect") as ahead:
        for step in steps:
            began = time.monotonic()
            batches = step.plan()
            futures = [ahead.submit(fetch, house, number, items, step.label) for number, items in enumerate(batches, 1)]
            try:
                done = [(future.result(), step.keep(future.result())) for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                house.bridge.close()  # a batch under way would be waited for: Ctrl-C ends it now
                raise
            yield _added(step.label, batches, done, time.monotonic() - began)


def _added(
    label: str, batches: list[list[Item]], done: list[tuple[FetchedBatch, list[Outcome]]], seconds: float
) -> Collected:
    answers = [answer for batch, _ in done for answer in batch.answers]
    outcomes = [outcome for _, kept in done for outcome in kept]
    by_table = dict.fromkeys(outcome.table for outcome in outcomes)
    return Collected(
        label=label,
        items=sum(map(len, batches)),
        size=sum(answer.size for answer in answers),
        from_archive=sum(answer.from_archive for answer in answers),
        retried=sum(max(0, answer.attempts - 1) for answer in answers),
        split=sum(batch.split for batch, _ in done),
        failed=sum(len(batch.missed) for batch, _ in done),
        seconds=seconds,
        outcomes=tuple(total(table, (each for each in outcomes if each.table == table)) for table in by_table),
        notes=tuple(dict.fromkeys(note for batch, _ in done for note in batch.notes)),
    )
