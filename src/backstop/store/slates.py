"""Versions of a slate: list, turn back, pin, compare."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from backstop.errors import UsageError
from backstop.store import decode, keys, scripts
from backstop.store.asking import drive
from backstop.store.drafts import instant_of
from backstop.store.faults import explained
from backstop.store.kinds import kind_of
from backstop.store.questions import every_value
from backstop.store.views import read_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Version:
    """A published version that is kept."""

    version: int
    published_at: dt.datetime
    cutoff: dt.datetime
    run_id: str
    served: bool
    pinned: bool


@dataclass(frozen=True, slots=True)
class Held:
    """Why a day is not served as it was published last, or will not be.

    Attributes:
        served: The version that readers get.
        newest: The version that was published last.
        pinned: Whether later versions are kept from readers too.
    """

    served: int
    newest: int
    pinned: bool

    def __str__(self) -> str:
        """Return it as the end of a sentence about the day."""
        return f"{'pinned' if self.pinned else 'turned back'} to version {self.served}, the newest is {self.newest}"


@dataclass(frozen=True, slots=True)
class Diff:
    """What changed from one version to another.

    Attributes:
        added: Rows that only the later version has.
        gone: Rows that only the earlier version has.
        changed: One row per key and field that differs: the key columns, `field`, `before`, `after` as text.
    """

    added: pl.DataFrame
    gone: pl.DataFrame
    changed: pl.DataFrame


class Slates:
    """Looks after the versions of slates.

    Args:
        redis: A client with bytes replies.
    """

    def __init__(self, redis: Any) -> None:
        self.redis: Any = redis

    def versions(self, day: dt.date) -> list[Version]:
        """Return the kept versions of a day, oldest first."""
        slate = keys.SlateKeys(day)
        with explained(f"listing the versions of {day}"):
            numbers = [int(number) for number in self.redis.zrange(slate.versions, 0, -1)]
            pipeline = self.redis.pipeline(transaction=False)
            pipeline.hmget(slate.current, "version", "pinned")
            for number in numbers:
                pipeline.hmget(slate.meta(number), "published_at", "cutoff", "run_id")
            (pointed, pinned), *known = pipeline.execute()
        served = None if pointed is None else int(pointed)
        return [
            Version(
                number,
                instant_of(about[0]),
                instant_of(about[1]),
                about[2].decode(),
                served=number == served,
                pinned=number == served and pinned is not None,
            )
            for number, about in zip(numbers, known, strict=True)
            # a version whose lifetime ran out is still listed until the next flip
            if about[0] is not None
        ]

    def held(self, day: dt.date) -> Held | None:
        """Return what somebody decided of a day: that it stays with a version, or goes back to an earlier one."""
        kept = self.versions(day)
        served = next((each for each in kept if each.served), None)
        if served is None or (served is kept[-1] and not served.pinned):
            return None
        return Held(served.version, kept[-1].version, served.pinned)

    def rollback(self, day: dt.date, version: int | None = None) -> int:
        """Serve an earlier version again, by default the one before the served; returns the version served now.

        The next publish with a later cutoff, or by a later version, is served as usual; pin to prevent that.

        Raises:
            UsageError: there is no such version, or none before the served one.
        """
        if version is None:
            kept = self.versions(day)
            served = next((each.version for each in kept if each.served), None)
            earlier = [each.version for each in kept if served is not None and each.version < served]
            if not earlier:
                raise UsageError(f"The slate of {day} has no version before the served one; there is nothing to go to.")
            version = earlier[-1]
        self._turn(day, version, "")
        return version

    def pin(self, day: dt.date, version: int) -> int:
        """Serve a version and stay with it: later ones are kept, not served, until `unpin`.

        Raises:
            UsageError: there is no such version.
        """
        self._turn(day, version, "1")
        return version

    def unpin(self, day: dt.date) -> int:
        """Serve the newest version again; returns it.

        Raises:
            UsageError: the day has no published version.
        """
        newest = self._turn(day, None, "0")
        if newest is None:
            raise UsageError(f"The slate of {day} was never published, so nothing can be pinned.")
        return newest

    def _turn(self, day: dt.date, version: int | None, pin: str) -> int | None:
        slate, which = keys.SlateKeys(day), "" if version is None else version
        with explained(f"serving version {which or 'newest'} of {day}"):
            about = (which, pin, keys.published(), day.isoformat(), slate.version_prefix)
            served = self.redis.eval(scripts.TURN, 2, slate.current, slate.versions, *about)
        return None if served is None else int(served)

    def rows(self, day: dt.date, version: int, kind: str) -> pl.DataFrame:
        """Return all rows of one kind of one version, sorted by key.

        Raises:
            UsageError: there is no such version.
        """
        what = kind_of(kind)
        with explained(f"reading version {version} of {day}"):
            meta: Mapping[bytes, bytes] = self.redis.hgetall(keys.SlateKeys(day).meta(version))
            shape = read_shapes(meta).get(kind) if meta else None
            if meta and shape is None:
                return pl.DataFrame()
            found = None
            if shape is not None:
                found = drive(self.redis, every_value(day, version, kind, shape, meta[b"published_at"]))
            if shape is None or found is None:
                raise UsageError(f"The slate of {day} has no version {version}; list the versions that are kept.")
            return decode.frame_of(shape.columns, found).sort(what.key)

    def diff(self, day: dt.date, before: int, after: int, kind: str = "props") -> Diff:
        """Compare two versions row by row and field by field."""
        return compare(self.rows(day, before, kind), self.rows(day, after, kind), list(kind_of(kind).key))


def compare(before: pl.DataFrame, after: pl.DataFrame, key: list[str]) -> Diff:
    """Compare two frames by key: one row per added or gone row, and per field that differs.

    Columns that only one of them has are compared as null. Null equals null.
    """
    if before.is_empty() or after.is_empty():
        return Diff(after, before, _no_change(key, after if before.is_empty() else before))
    both = pl.concat([before.head(0), after.head(0)], how="diagonal_relaxed").schema
    fields = [name for name in both if name not in key]
    texts = [
        frame.select(*key, *(_text(frame, name) for name in fields)).unpivot(
            index=key, variable_name="field", value_name=side
        )
        for frame, side in ((before, "before"), (after, "after"))
    ]
    joined = texts[0].join(texts[1], on=[*key, "field"], how="inner")
    changed = joined.filter(pl.col("before").ne_missing(pl.col("after"))).sort(*key, "field")
    return Diff(after.join(before, on=key, how="anti"), before.join(after, on=key, how="anti"), changed)


def _text(frame: pl.DataFrame, name: str) -> pl.Expr:
    if name not in frame.columns:
        return pl.lit(None, pl.String).alias(name)
    return pl.col(name).cast(pl.String)


def _no_change(key: list[str], like: pl.DataFrame) -> pl.DataFrame:
    types = {name: like.schema.get(name, pl.String()) for name in key}
    return pl.DataFrame(schema={**types, "field": pl.String(), "before": pl.String(), "after": pl.String()})
