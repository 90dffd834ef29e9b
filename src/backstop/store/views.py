"""What a reader answers with: a slate or a player, each with its state and age; and how a version's rows are read."""

from __future__ import annotations

import datetime as dt
import functools
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import orjson

from backstop.errors import StoreError
from backstop.store import decode
from backstop.store.codec import FORM
from backstop.store.columns import Columns
from backstop.store.drafts import instant_of
from backstop.store.kinds import FEATURES, KINDS, PROPS
from backstop.store.packing import Codec, Packing

if TYPE_CHECKING:
    from collections.abc import Mapping


class State(StrEnum):
    """How far an answer may be relied on."""

    FRESH = "fresh"
    STALE = "stale"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class SlateView:
    """A published slate. With state `missing` everything else is null or empty.

    Attributes:
        day: The slate.
        state: Fresh, stale or missing.
        version: The version served.
        age_s: Seconds since it was published, by the reader's clock or the server's, whichever says longer.
        published_at: By the writer's clock.
        cutoff: What was known until then is in the rows.
        run_id: The run that wrote it.
        meta: What the writer gave with it.
        props_count: Rows of props.
        features_count: Rows of features.
        pinned: Whether an operator holds this version.
    """

    day: dt.date
    state: State
    version: int | None = None
    age_s: float | None = None
    published_at: dt.datetime | None = None
    cutoff: dt.datetime | None = None
    run_id: str | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    props_count: int = 0
    features_count: int = 0
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """How a version's rows of one kind are to be read; it never changes."""

    columns: Columns
    packing: Packing
    shards: int


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a version; it never changes, so a reader asks for it once.

    A Redis that lost its data gives the same number again: `stamp`, which the pointer repeats, tells the two apart.
    """

    stamp: bytes
    cutoff: dt.datetime
    published_at: dt.datetime
    run_id: str
    meta: Mapping[str, Any]
    rows: Mapping[str, int]
    shapes: Mapping[str, Shape]

    @classmethod
    def parse(cls, meta: Mapping[bytes, bytes]) -> About:
        """Read it off a version's meta."""
        return cls(
            meta[b"published_at"],
            instant_of(meta[b"cutoff"]),
            instant_of(meta[b"published_at"]),
            meta[b"run_id"].decode(),
            orjson.loads(meta[b"meta"]),
            orjson.loads(meta[b"rows"]),
            read_shapes(meta),
        )


def read_shapes(meta: Mapping[bytes, bytes]) -> dict[str, Shape]:
    """Return the shape of each kind that a version's meta tells of.

    Raises:
        StoreError: its values have a form that another release of Backstop wrote.
    """
    form = meta.get(b"form", b"1")
    if form != FORM:
        raise StoreError(
            f"This slate was written in form {form.decode()} by another release of Backstop, expected {FORM.decode()}. "
            "Restore it from the lake with `backstop redis rebuild`, or refresh the day.",
            source="redis",
        )
    shapes: dict[str, Shape] = {}
    for kind in KINDS.values():
        text = meta.get(f"columns:{kind.name}".encode())
        if text is not None:
            dictionary = meta.get(f"dictionary:{kind.name}".encode(), b"")
            packing = Packing(Codec(meta[b"codec"].decode()), dictionary)
            shapes[kind.name] = Shape(Columns.parse(text), packing, int(meta[f"shards:{kind.name}".encode()]))
    return shapes


@dataclass(frozen=True)
class PlayerView:
    """A player's rows in a slate. With state `missing` both lists are empty.

    Attributes:
        player_id: MLBAM id.
        slate: The slate that the rows come from.
        raw: Kind to its shape and the value as Redis holds it, `None` when the player has no row of that kind.
    """

    player_id: int
    slate: SlateView
    raw: Mapping[str, tuple[Shape, bytes | None]]

    @property
    def state(self) -> State:
        """The slate's state, or missing when the slate has no row of the player."""
        found = any(value is not None for _, value in self.raw.values())
        return self.slate.state if found else State.MISSING

    @property
    def age_s(self) -> float | None:
        """Seconds since the slate was published, null when missing."""
        return self.slate.age_s if self.state is not State.MISSING else None

    @functools.cached_property
    def features(self) -> list[dict[str, Any]]:
        """One dict per game and role."""
        return self._rows(FEATURES.name)

    @functools.cached_property
    def props(self) -> list[dict[str, Any]]:
        """One dict per prop, with the columns of `tables.PROPS`."""
        return self._rows(PROPS.name)

    def _rows(self, kind: str) -> list[dict[str, Any]]:
        shape, value = self.raw.get(kind, (None, None))
        if shape is None or value is None:
            return []
        return decode.rows_of(shape.columns, self.player_id, shape.packing.unpack([value])[0])
