"""The commands of a read, and how their answers are put together again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from backstop.store import keys

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from backstop.store.asking import Command, Plan
    from backstop.store.views import About, Shape

SCAN_FIELDS: Final = 2000
"""Fields in one answer of a scan: Redis is held for about a millisecond."""


def flipped(days: list[dt.date]) -> Plan[list[dt.date]]:
    """Ask which of some days have a pointer: a day is listed just before its first flip."""
    there = yield [("HEXISTS", keys.SlateKeys(day).current, "version") for day in days]
    return [day for day, found in zip(days, there, strict=True) if found]


def rows_of(slate: keys.SlateKeys, version: int, about: About, ids: Sequence[int]) -> list[Command]:
    """Return the commands for players' rows, one per kind and shard; without players, for whether the version lives."""
    if not ids:
        return [("EXISTS", slate.meta(version))]
    commands: list[Command] = []
    for kind, shape in about.shapes.items():
        if len(ids) == 1:
            commands.append(("HGET", slate.rows(version, kind, ids[0] % shape.shards), ids[0]))
            continue
        for shard, some in _by_shard(ids, shape.shards).items():
            commands.append(("HMGET", slate.rows(version, kind, shard), *some))
    return commands


def by_player(about: About, ids: Sequence[int], answers: list[Any]) -> dict[str, dict[int, bytes | None]]:
    """Return the answers to `rows_of` by kind and player."""
    if len(ids) == 1:
        return {kind: {ids[0]: value} for kind, value in zip(about.shapes, answers, strict=True)}
    found: dict[str, dict[int, bytes | None]] = {kind: {} for kind in about.shapes}
    waiting = iter(answers)
    for kind, shape in about.shapes.items():
        for some in _by_shard(ids, shape.shards).values():
            found[kind].update(zip(some, next(waiting), strict=True))
    return found


def _by_shard(ids: Sequence[int], shards: int) -> dict[int, list[int]]:
    places: dict[int, list[int]] = {}
    for player_id in ids:
        places.setdefault(player_id % shards, []).append(player_id)
    return places


def stamp_of(slate: keys.SlateKeys, version: int) -> Command:
    """Return the command that tells whether a version is still the one whose meta was read."""
    return ("HGET", slate.meta(version), "published_at")


def every_value(
    day: dt.date, version: int, kind: str, shape: Shape, stamp: bytes
) -> Plan[list[tuple[int, bytes]] | None]:
    """Ask for all players of a kind in one version with their values, without holding Redis for long.

    Returns:
        `None` when the version with this stamp went away meanwhile.
    """
    values: list[tuple[int, bytes]] = []
    slate = keys.SlateKeys(day)
    for shard in range(shape.shards):
        found: dict[bytes, bytes] = {}
        cursor, key = 0, slate.rows(version, kind, shard)
        while True:
            # a scan may give a field twice
            (cursor, some), now = yield [("HSCAN", key, cursor, "COUNT", SCAN_FIELDS), stamp_of(slate, version)]
            if now != stamp:
                return None
            found.update(some)
            if not cursor:
                break
        values += zip(map(int, found), shape.packing.unpack(list(found.values())), strict=True)
    return values
