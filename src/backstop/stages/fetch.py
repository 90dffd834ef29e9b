"""Fetch: a batch of items through the network into the archive."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from backstop.errors import BackstopError, RowCapReached
from backstop.net.item import Answer, Item
from backstop.sources import registry
from backstop.sources.savant import pitches
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
    """

    item: Item
    content_hash: str
    fetched_at: dt.datetime
    size: int
    from_archive: bool
    attempts: int


@dataclass(frozen=True, slots=True)
class Missed:
    """An item that could not be had, and why."""

    item: Item
    error: str
    sentence: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class FetchedBatch:
    """What a batch of at most 50 items came to: `len(answers by item) + len(missed)` covers every item."""

    number: int
    answers: tuple[Fetched, ...]
    missed: tuple[Missed, ...]

    @property
    def size(self) -> int:
        """Bytes of all bodies."""
        return sum(answer.size for answer in self.answers)


def fetch(house: House, number: int, items: Sequence[Item], label: str) -> FetchedBatch:
    """Fetch a batch; an answer that stops at the row cap is split by game and fetched in parts.

    Args:
        house: The opened rooms.
        number: Of the batch, from 1.
        items: At most 50 items of one table.
        label: What progress is reported under.
    """
    if not items:
        return FetchedBatch(number, (), ())
    inspect = registry.TABLES[items[0].table].inspect

    def done(item: Item, _outcome: Answer | UpstreamError) -> None:
        emit(Progress(label, done=1, note=item.key))

    emit(Progress(label, total=len(items)))
    outcomes = house.bridge.fetch_many(list(items), inspect, done)
    answers: list[Fetched] = []
    missed: list[Missed] = []
    for item, outcome in zip(items, outcomes, strict=True):
        if isinstance(outcome, RowCapReached):
            parts = fetch(house, number, _split(house, item), label)
            # a day is complete or missed as a whole: half a day would pass for one
            answers.extend(() if parts.missed else parts.answers)
            missed.extend(Missed(item, lost.error, lost.sentence, lost.retryable) for lost in parts.missed[:1])
        elif isinstance(outcome, BackstopError):
            missed.append(Missed(item, type(outcome).__name__, outcome.message, outcome.retryable))
        else:
            answers.append(_kept(outcome))
    return FetchedBatch(number, tuple(answers), tuple(missed))


def _kept(answer: Answer) -> Fetched:
    return Fetched(
        answer.item, answer.content_hash, answer.fetched_at, len(answer.body), answer.from_archive, answer.attempts
    )


def _split(house: House, item: Item) -> list[Item]:
    day = dt.date.fromisoformat(item.key)
    games = house.lake.read("core_games", day)
    return pitches.split(item, games["game_pk"].to_list())


def reopen(house: House, fetched: Fetched) -> Answer:
    """Return an answer with its body from the archive."""
    body = house.archive.body(fetched.content_hash)
    return Answer(fetched.item, 200, body, fetched.fetched_at, fetched.content_hash, from_archive=True, attempts=0)
