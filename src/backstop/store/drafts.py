"""A version while it is written, and what a publish did: plain values that travel between processes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

from backstop.errors import DataError
from backstop.store import keys
from backstop.store.packing import Codec

EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True)
class Draft:
    """A version that is being written; may be pickled.

    Attributes:
        day: The slate.
        version: Given out once; after a loss of data once more, which is why all keys of a draft name the run as well.
        cutoff: What was known until then is in the rows.
        run_id: The run that writes.
        shards: Number of hashes per kind.
        codec: How values are packed.
    """

    day: dt.date
    version: int
    cutoff: dt.datetime
    run_id: str
    shards: tuple[tuple[str, int], ...]
    codec: Codec = Codec.PLAIN

    @property
    def keys(self) -> keys.SlateKeys:
        """The keys of the slate."""
        return keys.SlateKeys(self.day)

    def shards_of(self, kind: str) -> int:
        """Return how many hashes hold a kind's rows."""
        return dict(self.shards)[kind]

    def all_rows(self) -> list[str]:
        """Return every key that may hold rows."""
        return [key for kind, _ in self.shards for key in self.rows_of(kind)]

    def rows_of(self, kind: str) -> list[str]:
        """Return the keys that may hold a kind's rows."""
        return [self.rows(kind, shard) for shard in range(self.shards_of(kind))]

    def rows(self, kind: str, shard: int) -> str:
        """Return the key of one shard of its rows, until the flip renames it."""
        return self.keys.draft_rows(self.version, kind, shard, self.run_id)

    def top(self, order: str, market: str) -> str:
        """Return the key of the best rows of a market, until the flip renames it."""
        return self.keys.draft_top(self.version, order, market, self.run_id)

    @property
    def receipts(self) -> str:
        """The key of what was written."""
        return self.keys.receipts(self.version, self.run_id)

    def published(self, key: str) -> str:
        """Return what the flip renames a key of rows to."""
        return key.removesuffix(f":draft:{self.run_id}")


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish did.

    Attributes:
        version: The version that was published.
        day: Its slate.
        served: Whether readers get it now; `False` while another version is pinned.
        rows: Rows per kind.
        published_at: By the writer's clock.
        again: Whether it had been published before, so that nothing changed.
    """

    version: int
    day: dt.date
    served: bool
    rows: dict[str, int]
    published_at: dt.datetime
    again: bool = False


def cutoff_of(cutoff: dt.datetime | dt.date) -> dt.datetime:
    """Return a cutoff as an instant in UTC; a date stands for its first instant.

    Raises:
        DataError: an instant without a zone.
    """
    if not isinstance(cutoff, dt.datetime):
        return dt.datetime.combine(cutoff, dt.time(), dt.UTC)
    if cutoff.tzinfo is None:
        raise DataError(f"The cutoff {cutoff} has no time zone; expected an instant in UTC.")
    return cutoff.astimezone(dt.UTC)


def micros(instant: dt.datetime) -> int:
    """Return an instant as microseconds since 1970: what scripts compare."""
    return (instant - EPOCH) // dt.timedelta(microseconds=1)


def instant_of(text: bytes) -> dt.datetime:
    """Return microseconds as an instant."""
    return EPOCH + dt.timedelta(microseconds=int(text))
