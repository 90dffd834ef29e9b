"""Fetch: a batch of items through the network into the archive; the second source is asked for what a feed owes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from backstop.errors import BackstopError, LakeError, RowCapReached
from backstop.net.item import Answer, Item
from backstop.sources import registry
from backstop.sources.savant import pitches
from backstop.sources.sportradar import playerprops
from backstop.stages import second
from backstop.telemetry import Progress, emit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from backstop.errors import UpstreamError
    from backstop.stages.house import House


@dataclass(frozen=True, slots=True)
class Fetched:
    """Where the answer to an item lies.

    Attributes:
        item: What was asked.
        content_hash: Name of the body in the archive.
        fetched_at: When the answer was complete, UTC.
        size: Bytes of the body.
        from_archive: Whether no network was needed.
        attempts: Requests that it took.
        total: Results of a paged feed over all of its pages, by its own word; null where it does not say.
    """

    item: Item
    content_hash: str
    fetched_at: dt.datetime
    size: int
    from_archive: bool
    attempts: int
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """An item that could not be had, and why."""

    item: Item
    error: str
    sentence: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class FetchedBatch:
    """What a batch of at most 50 items came to: every item is answered, stood in for, or missed.

    Attributes:
        number: Of the batch, from 1.
        answers: What came, also from the second source.
        missed: What did not, and why.
        notes: Who answered instead of whom, and why.
        split: Items that stood at a row cap and were fetched in parts.
    """

    number: int
    answers: tuple[Fetched, ...]
    missed: tuple[Missed, ...]
    notes: tuple[str, ...] = ()
    split: int = 0

    @property
    def size(self) -> int:
        """Bytes of all bodies."""
        return sum(answer.size for answer in self.answers)


def fetch(house: House, number: int, items: Sequence[Item], label: str) -> FetchedBatch:
    """Fetch a batch; a capped answer is split by game and fetched in parts, a feed that is down is stood in for.

    Args:
        house: The opened rooms.
        number: Of the batch, from 1.
        items: At most 50 items of one table.
        label: What progress is reported under.
    """
    batch = _whole(house, _once(house, number, items, label), label)
    for substitute in second.instead(house, batch.missed):
        batch = _stood_in(batch, substitute, _once(house, number, substitute.items, label))
        batch = _whole(house, batch, label)
    return replace(batch, notes=(*second.word(house, items), *batch.notes))


def _once(house: House, number: int, items: Sequence[Item], label: str) -> FetchedBatch:
    """Ask for each item of one table; what failed is named."""
    if not items:
        return FetchedBatch(number, (), ())

    kept: dict[Item, Fetched] = {}

    def done(item: Item, outcome: Answer | UpstreamError) -> None:
        if isinstance(outcome, Answer):
            kept[item] = _kept(outcome)
        emit(Progress(label, done=1, note=item.key))

    emit(Progress(label, total=len(items)))
    # a day of pitches is 4 MB, and a cold start has six batches of fifty days under way
    outcomes = house.bridge.fetch_many(list(items), registry.TABLES[items[0].table].inspect, done, bodies=False)
    answers = tuple(kept[item] for item in items if item in kept)
    failures = [(item, each) for item, each in zip(items, outcomes, strict=True) if isinstance(each, BackstopError)]
    return FetchedBatch(number, answers, tuple(_missed(item, error) for item, error in failures))


def _whole(house: House, batch: FetchedBatch, label: str) -> FetchedBatch:
    """Fetch the parts of capped answers and the further pages of paged ones."""
    for lost in batch.missed:
        if lost.error == RowCapReached.__name__:
            try:
                games = _split(house, lost.item)
            except LakeError as error:  # the day's games are not there, or damaged: a named gap like any other
                told = replace(lost, sentence=f"{lost.sentence} ({error.message})")
                batch = replace(batch, missed=tuple(told if each is lost else each for each in batch.missed))
                continue
            parts = _once(house, batch.number, games, label)
            # a day is complete or missed as a whole: half a day would pass for one
            found = () if parts.missed else parts.answers
            still = tuple(replace(part, item=lost.item) for part in parts.missed[:1])
            rest = tuple(each for each in batch.missed if each is not lost)
            batch = replace(batch, answers=batch.answers + found, missed=rest + still, split=batch.split + 1)
    while pages := [item for answer in batch.answers for item in _pages(answer, batch)]:
        more = _once(house, batch.number, list(dict.fromkeys(pages)), label)
        batch = replace(batch, answers=batch.answers + more.answers, missed=batch.missed + more.missed)
    return batch


def _stood_in(batch: FetchedBatch, substitute: second.Instead, came: FetchedBatch) -> FetchedBatch:
    """Take the second source's answers for what was missed; it stays missed when that source fails too."""
    if came.answers:
        missed = tuple(lost for lost in batch.missed if lost not in substitute.stands_for)
    else:
        why = "; ".join([substitute.choice.sentence(), *(lost.sentence for lost in came.missed)])
        owed = substitute.stands_for
        missed = tuple(replace(lost, sentence=f"{lost.sentence} ({why})") if lost in owed else lost
                       for lost in batch.missed)  # fmt: skip
    notes = (*batch.notes, substitute.choice.sentence()) if came.answers else batch.notes
    return replace(batch, answers=batch.answers + came.answers, missed=missed, notes=notes)


def _missed(item: Item, error: BackstopError) -> Missed:
    return Missed(item, type(error).__name__, error.message, error.retryable)


def _pages(answer: Fetched, batch: FetchedBatch) -> list[Item]:
    """Return the pages that the first one of a paged answer announces and the batch does not hold."""
    if answer.total is None:
        return []
    known = {each.item for each in batch.answers} | {lost.item for lost in batch.missed}
    return [item for item in playerprops.plan_rest(answer.item, answer.total) if item not in known]


def _kept(answer: Answer) -> Fetched:
    return Fetched(
        answer.item,
        answer.content_hash,
        answer.fetched_at,
        len(answer.body),
        answer.from_archive,
        answer.attempts,
        playerprops.total(answer),
    )


def _split(house: House, item: Item) -> list[Item]:
    day = dt.date.fromisoformat(item.key)
    games = house.lake.read("core_games", day)
    return pitches.split(item, games["game_pk"].to_list())


def reopen(house: House, fetched: Fetched) -> Answer:
    """Return an answer with its body from the archive."""
    body = house.archive.body(fetched.content_hash)
    return Answer(fetched.item, 200, body, fetched.fetched_at, fetched.content_hash, from_archive=True, attempts=0)
