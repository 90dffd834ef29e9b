"""The only speller of the keys of slates.

Sport first, then the day as the cluster hash tag: all keys of one slate share a slot, so that one script may touch
them, and different slates spread over a cluster. `docs/keys.md` is generated from `KEYS`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

SPORT: Final = "mlb"
"""The one that this code serves: an installation has one. The cache's keys and the deployments' names say it too."""

STAGE_TTL_S: Final = 15 * 60
"""A version that nobody writes to for this long is given up: the longest load takes seconds."""

SLATE_TTL_S: Final = 14 * 24 * 3600
"""A published version leaves Redis after two weeks; the lake keeps it for ever."""

GRACE_S: Final = 120
"""A version that fell out of the kept ones stays this long, for readers that pinned it for a request."""


@dataclass(frozen=True, slots=True)
class KeyKind:
    """One kind of key: its pattern, what Redis keeps there, its lifetime and meaning."""

    name: str
    pattern: str
    holds: str
    lifetime: str
    meaning: str


KEYS: Final = (
    KeyKind(
        "days",
        "bs:{sport}:days",
        "sorted set",
        "for ever",
        "every day that was published, scored by its ordinal: listing without SCAN",
    ),
    KeyKind(
        "published",
        "bs:{sport}:published",
        "channel",
        "-",
        "one message `day=version` per flip",
    ),
    KeyKind(
        "sequence",
        "bs:{sport}:{{{day}}}:seq",
        "integer",
        "for ever",
        "last version number given out; after a loss of all data they begin anew",
    ),
    KeyKind(
        "current",
        "bs:{sport}:{{{day}}}:cur",
        "hash",
        "for ever",
        "the pointer: version served, its turn, cutoff, when it was published, shards, newest version, pin",
    ),
    KeyKind(
        "versions",
        "bs:{sport}:{{{day}}}:vs",
        "sorted set",
        "for ever",
        "published versions that are kept, scored by version number",
    ),
    KeyKind(
        "draft",
        "bs:{sport}:{{{day}}}:draft:{run_id}",
        "string",
        "15 minutes after the last write",
        "version that a run is writing: an interrupted run finds it again",
    ),
    KeyKind(
        "meta",
        "bs:{sport}:{{{day}}}:v:{version}:meta",
        "hash",
        "like the version's rows",
        "state, cutoff, run, columns and types per kind, counts, codec, every key of the version",
    ),
    KeyKind(
        "receipts",
        "bs:{sport}:{{{day}}}:v:{version}:receipts:draft:{run_id}",
        "hash",
        "15 minutes after the last write",
        "per rows that were sent together: how many, of which players, and their checksum",
    ),
    KeyKind(
        "draft_rows",
        "bs:{sport}:{{{day}}}:v:{version}:{kind}:{shard}:draft:{run_id}",
        "hash",
        "15 minutes after the last write",
        "rows of a version that is being written; the flip renames it, so no other run can have written to it",
    ),
    KeyKind(
        "draft_top",
        "bs:{sport}:{{{day}}}:v:{version}:top:{order}:{market}:draft:{run_id}",
        "sorted set",
        "15 minutes after the last write",
        "the best rows of a market of a version that is being written; the flip renames it too",
    ),
    KeyKind(
        "rows",
        "bs:{sport}:{{{day}}}:v:{version}:{kind}:{shard}",
        "hash",
        "14 days once published, 2 minutes once replaced",
        "player id to his rows (`backstop.store.codec`); shard = player id modulo the number of shards",
    ),
    KeyKind(
        "top",
        "bs:{sport}:{{{day}}}:v:{version}:top:{order}:{market}",
        "sorted set",
        "like the version's rows",
        "the best rows of a market (or `all`), scored by expected value or edge; a member is a row with its player",
    ),
)
"""Every kind of key there is."""

_PATTERNS: Final = {kind.name: kind.pattern for kind in KEYS}


@dataclass(frozen=True, slots=True)
class SlateKeys:
    """The keys of one day's slate.

    >>> SlateKeys(dt.date(2025, 6, 15)).rows(7, "props", 0)
    'bs:mlb:{2025-06-15}:v:7:props:0'
    """

    day: dt.date

    def _spell(self, name: str, **parts: object) -> str:
        return _PATTERNS[name].format(sport=SPORT, day=self.day.isoformat(), **parts)

    @property
    def sequence(self) -> str:
        """The counter of version numbers."""
        return self._spell("sequence")

    @property
    def current(self) -> str:
        """The pointer."""
        return self._spell("current")

    @property
    def versions(self) -> str:
        """The kept versions."""
        return self._spell("versions")

    def draft(self, run_id: str) -> str:
        """The version that a run is writing."""
        return self._spell("draft", run_id=run_id)

    def meta(self, version: int) -> str:
        """What is known of a version."""
        return self._spell("meta", version=version)

    def receipts(self, version: int, run_id: str) -> str:
        """What a run wrote to a version."""
        return self._spell("receipts", version=version, run_id=run_id)

    def draft_rows(self, version: int, kind: str, shard: int, run_id: str) -> str:
        """One shard of the rows that a run is writing."""
        return self._spell("draft_rows", version=version, kind=kind, shard=shard, run_id=run_id)

    def draft_top(self, version: int, order: str, market: str, run_id: str) -> str:
        """The best rows of a market that a run is writing."""
        return self._spell("draft_top", version=version, order=order, market=market, run_id=run_id)

    def rows(self, version: int, kind: str, shard: int) -> str:
        """One shard of a version's rows."""
        return self._spell("rows", version=version, kind=kind, shard=shard)

    def top(self, version: int, order: str, market: str) -> str:
        """The best rows of a market."""
        return self._spell("top", version=version, order=order, market=market)

    @property
    def version_prefix(self) -> str:
        """What every key of a version starts with, up to the version number: scripts append the rest."""
        return self.meta(0).removesuffix("0:meta")


def days() -> str:
    """Return the key that lists the published days."""
    return _PATTERNS["days"].format(sport=SPORT)


def published() -> str:
    """Return the channel on which flips are announced."""
    return _PATTERNS["published"].format(sport=SPORT)
