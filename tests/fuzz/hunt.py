"""Throw damaged answers at a parser: each is read with every row accounted for, or refused with an error of the tree.

How many rows there are to account for is counted without the parser (`tests.fuzz.rows`) where the format says it.
"""

from __future__ import annotations

import inspect
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from backstop.errors import ConservationBroken, DataError, UpstreamError
from backstop.net.item import Answer
from backstop.sources import registry
from backstop.sources.parsed import Parsed
from tests.fuzz import rows
from tests.fuzz.damage import damaged

COUNTED, READ = "read, rows counted", "read"


@dataclass
class Hunt:
    """What a parser made of its answers: how each ended, and the seeds of those that it did not survive."""

    table: str
    ends: Counter[str] = field(default_factory=Counter)
    crashes: dict[int, str] = field(default_factory=dict)

    @property
    def tries(self) -> int:
        """Answers thrown."""
        return self.ends.total()

    @property
    def read(self) -> int:
        """Answers read, every row loaded or rejected."""
        return self.ends[READ] + self.ends[COUNTED]

    @property
    def refused(self) -> int:
        """Answers refused by name."""
        return self.tries - self.read - self.ends["crashed"]


def hunt(name: str, answers: Sequence[tuple[Answer, pl.DataFrame]], *, seconds: float, first: int = 0) -> Hunt:
    """Damage the answers in turn, by one seed after the other, until the time is up."""
    found = Hunt(name)
    until = time.monotonic() + seconds
    seed = first
    while time.monotonic() < until:
        answer, games = answers[seed % len(answers)]
        found.ends[once(answer, games, seed, found)] += 1
        seed += 1
    return found


def once(answer: Answer, games: pl.DataFrame, seed: int, found: Hunt) -> str:
    """Return how one damaged answer ended."""
    body = damaged(answer.body, random.Random(seed))
    try:
        source = registry.TABLES[answer.item.table]
        source.inspect(body)
        rest = (games,) if "games" in inspect.signature(source.parse).parameters else ()
        end = _accounted(source.parse(replace(answer, body=body), *rest), rows.counted(answer.item.table, body))
    except ConservationBroken as error:
        found.crashes[seed] = repr(error)
        return "crashed"
    except (UpstreamError, DataError) as error:
        return f"refused: {type(error).__name__}"
    except BaseException as error:  # a panic of Polars is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        found.crashes[seed] = repr(error)
        return "crashed"
    return end


def _accounted(parsed: Any, held: range | None) -> str:
    """Return how an answer was read: its rows counted beside the parser, or not.

    Raises:
        ConservationBroken: there were more rows, or fewer, than the parser tells of.
    """
    parts = [parsed] if isinstance(parsed, Parsed) else [v for v in vars_of(parsed) if isinstance(v, Parsed)]
    for part in parts:
        if part.frame.height + part.rejected.height != part.rows_in:
            raise ConservationBroken(f"{part.rows_in} rows in, {part.frame.height} + {part.rejected.height} out.")
    if held is None:
        return READ
    told = parts[0].frame.height + parts[0].rejected.height
    if told not in held:
        raise ConservationBroken(f"The answer holds {held.start} rows, the parser tells of {told}.")
    return COUNTED


def vars_of(value: Any) -> list[Any]:
    """Return the fields of a tuple or dataclass."""
    return list(value) if isinstance(value, tuple) else [getattr(value, name) for name in value.__dataclass_fields__]
