"""Restore what Redis serves from the lake, and prove row by row that both hold the same."""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import orjson
import polars as pl

from backstop import tables
from backstop.errors import DataError, IncompleteVersion, LakeError, StaleVersion, StoreError
from backstop.lake.closing import Closing
from backstop.lake.states import State
from backstop.stages.days import is_dead
from backstop.stages.project import FEATURES, served
from backstop.store.kinds import kind_of
from backstop.store.slates import Slates, compare

if TYPE_CHECKING:
    from collections.abc import Iterable

    from backstop.stages.house import House
    from backstop.store.loader import Draft, Published
    from backstop.store.slates import Held

SLATES: Final = "out_slates"
"""One row per day: what was last published of it."""

CLOSING: Final = "closing"
"""Where a slate's meta tells how its day closes in the ledger."""

KINDS: Final = (("features", FEATURES), ("props", tables.PROPS.name))
"""What is served, with the lake's table of it."""

SCHEMA: Final[dict[str, pl.DataType]] = {
    "game_date": pl.Date(),
    "version": pl.Int64(),
    "cutoff": tables.UTC_INSTANT,
    "published_at": tables.UTC_INSTANT,
    "run_id": pl.String(),
    "meta": pl.String(),
    **{f"{kind}_hash": pl.String() for kind, _ in KINDS},
}
"""The hashes are those of the lake's partitions that hold the rows."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What became of one day.

    Attributes:
        day: The slate.
        version: The version that is served now, null when the day was left alone.
        rows: Rows published, 0 when the day was left alone.
        left_because: Why it was left alone, empty when it was not.
        restorable: Whether the lake holds what a slate is made of; only a refresh helps where it does not.
        damaged: Whether the lake holds something of it that cannot be read or served.
    """

    day: dt.date
    version: int | None
    rows: int
    left_because: str = ""
    restorable: bool = True
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class Verified:
    """How Redis and the lake compare for one kind of one day.

    Attributes:
        day: The slate.
        kind: Features or props.
        version: The version compared, null when Redis has none: the served one, or the newest where a day is held.
        rows: Rows in the lake.
        absent: Rows that only the lake has.
        extra: Rows that only Redis has.
        changed: Rows that differ in a field.
        example: One difference in words, empty when there is none.
        held: That the day was turned back or is pinned, in words, empty when it is neither; a rebuild would undo it.
        damaged: Whether the lake's rows cannot be read; `example` says why.
    """

    day: dt.date
    kind: str
    version: int | None
    rows: int
    absent: int
    extra: int
    changed: int
    example: str = ""
    held: str = ""
    damaged: bool = False

    @property
    def equal(self) -> bool:
        """Whether both hold the same rows."""
        return not (self.absent or self.extra or self.changed or self.damaged)


def remember(house: House, draft: Draft, published: Published, meta: dict[str, Any]) -> None:
    """Note in the lake what was published, so that a rebuild can say it again: cutoff, time, run, meta and content."""
    row = (
        draft.day,
        published.version,
        draft.cutoff,
        published.published_at,
        draft.run_id,
        orjson.dumps(meta).decode(),
        *(house.lake.content_hash(table, draft.day) for _, table in KINDS),
    )
    house.lake.write(SLATES, draft.day, pl.DataFrame([row], schema=SCHEMA, orient="row"))


def meta(house: House, day: dt.date) -> dict[str, Any]:
    """Return what readers of a day's slate are told beside its rows; as the lake remembers it where Redis has none."""
    return dict(house.reader.slate(day).meta) or remembered_meta(house, day)


def remembered_meta(house: House, day: dt.date) -> dict[str, Any]:
    """Return what readers of a slate are told beside its rows as the lake remembers it, empty where it does not."""
    row = _remembered(house, day)
    return {} if row is None else dict(orjson.loads(row["meta"]))


def closing(house: House, day: dt.date) -> Closing | None:
    """Return how the run that wrote the lake's props of a day closes it, as it left it in the lake or in Redis."""
    found = house.lake.content_hash(tables.PROPS.name, day)
    known = _remembered(house, day)
    metas = [] if known is None else [orjson.loads(known["meta"])]
    with contextlib.suppress(StoreError):
        metas.append(dict(house.reader.slate(day).meta))
    # the later one first: a run may have written the very rows of the one before it
    told = [Closing.parse(meta[CLOSING]) for meta in reversed(metas) if CLOSING in meta]
    return next((each for each in told if each.content_hash == found), None)


def rebuild(house: House, days: Iterable[dt.date] | None = None) -> list[Rebuilt]:
    """Publish days again from the lake, by default every day that it holds props of; of those none that is held.

    A rebuilt slate keeps its cutoff, and is as old as it was: restoring it does not make it fresh. A newer slate that
    is served already stays, and so does a day that a run is publishing. The newest day comes first; one that cannot be
    restored is told in the result, which is by day, and keeps no other from being so.

    Raises:
        StoreError: Redis refused.
    """
    wanted = sorted(house.lake.days(tables.PROPS.name) if days is None else set(days), reverse=True)
    slates = Slates(house.redis)
    held = {day: slates.held(day) for day in wanted} if days is None else {}
    done = [_left(day, why) if (why := held.get(day)) else _rebuild(house, day) for day in wanted]
    return done[::-1]


def _left(day: dt.date, held: Held) -> Rebuilt:
    return Rebuilt(day, None, 0, f"it is {held}; name the day to publish it all the same")


def _rebuild(house: House, day: dt.date) -> Rebuilt:
    try:
        return _restored(house, day)
    except (DataError, LakeError, IncompleteVersion) as error:
        because = f"it cannot be restored ({error.message.rstrip('.')}); refresh the day"
        return Rebuilt(day, None, 0, because, restorable=False, damaged=True)


def _restored(house: House, day: dt.date) -> Rebuilt:
    if day not in house.lake.days(tables.PROPS.name):
        return _lost(day, f"the lake holds no {tables.PROPS.name} of it")
    known = _remembered(house, day)
    if known is None:
        return _lost(day, "it was never published from here")
    frames = {kind: _lake_rows(house, table, day) for kind, table in KINDS}
    counts = {kind: frame.height for kind, frame in frames.items()}
    # of its own: two that restore a day at once must not write into one draft
    run_id = f"rebuild-{secrets.token_hex(8)}"
    draft = house.writer.open(day, cutoff=known["cutoff"], run_id=run_id, rows=counts)
    try:
        # asked once the draft has its number: a run that begins from now on gets a later one, which wins
        if left := _not_to_be_restored(house, day, known):
            return left
        for kind, frame in frames.items():
            house.writer.load(draft, kind, frame)
        meta = orjson.loads(known["meta"])
        published = house.writer.publish(draft, counts, meta, published_at=known["published_at"])
    except StaleVersion:
        return Rebuilt(day, None, 0, "a newer slate is served already")
    finally:
        house.writer.abandon(draft)
    return Rebuilt(day, published.version, sum(counts.values()))


def _lost(day: dt.date, why: str) -> Rebuilt:
    return Rebuilt(day, None, 0, f"{why}; refresh the day", restorable=False)


def _not_to_be_restored(house: House, day: dt.date, known: dict[str, Any]) -> Rebuilt | None:
    """Return why a day must not be restored as it is known: its rows are being replaced, or were not all."""
    entry = house.ledger.entry(tables.PROPS.name, day.isoformat())
    if entry is not None and entry.state is State.RUNNING and not is_dead(entry, house.clock.now()):
        return Rebuilt(day, None, 0, f"run {entry.run_id} is publishing it")
    served = house.reader.slate(day)
    by = served.meta.get(CLOSING, {}).get("run_id", known["run_id"])
    if by != known["run_id"] and Slates(house.redis).held(day) is None:
        return _lost(day, f"version {served.version} of run {by} is served, which the lake does not hold")
    for kind, table in KINDS:
        found = house.lake.content_hash(table, day)
        # a release before noted no hashes
        if found is None or known.get(f"{kind}_hash") not in {None, found}:
            return _lost(day, f"{table} in the lake is not what was published of it last")
    return None


def verify(house: House, days: Iterable[dt.date] | None = None) -> list[Verified]:
    """Compare what Redis serves with the lake, row by row and field by field; a kind and day per result.

    The lake holds what was published last. So of a day that was turned back or is pinned the newest version is
    compared, not the one that is served.

    Raises:
        StoreError: Redis does not answer.
    """
    in_both = house.lake.days(tables.PROPS.name) | set(house.reader.days())
    slates, found = Slates(house.redis), []
    for day in sorted(set(days or in_both)):
        held = slates.held(day)
        version = held.newest if held else house.reader.slate(day).version
        told = str(held) if held else ""
        found += [replace(_verify(house, day, version, kind, table), held=told) for kind, table in KINDS]
    return found


def _verify(house: House, day: dt.date, version: int | None, kind: str, table: str) -> Verified:
    damaged = ""
    try:
        ours = _lake_rows(house, table, day)
    except LakeError as error:
        ours, damaged = pl.DataFrame(), error.message
    # as Redis has them, however many: a reader refuses a version that lost some
    theirs = pl.DataFrame() if version is None else Slates(house.redis).rows(day, version, kind)
    difference = compare(ours, theirs, list(kind_of(kind).key))
    keys = list(kind_of(kind).key)
    changed = difference.changed.select(keys).unique().height if difference.changed.height else 0
    example = damaged
    if changed:
        row = difference.changed.row(0, named=True)
        place = ", ".join(str(row[name]) for name in keys)
        example = f"{place}: {row['field']} is {row['before']} in the lake, {row['after']} in Redis"
    counts = (difference.gone.height, difference.added.height, changed)
    return Verified(day, kind, version, ours.height, *counts, example, damaged=bool(damaged))


def _lake_rows(house: House, table: str, day: dt.date) -> pl.DataFrame:
    if day not in house.lake.days(table):
        return pl.DataFrame()
    rows = house.lake.read(table, day)
    return served(rows) if table == FEATURES else rows


def _remembered(house: House, day: dt.date) -> dict[str, Any] | None:
    if day not in house.lake.days(SLATES):
        return None
    return house.lake.read(SLATES, day).row(0, named=True)
