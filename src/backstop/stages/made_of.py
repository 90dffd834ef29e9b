"""The line-ups that a slate was made of: noted beside it, so that a later change in the lake is noticed.

The lake's `core_players` is not enough to tell: whoever fetches a day's box scores renews it without a slate.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Final

import orjson

from backstop.stages import project, rebuild

if TYPE_CHECKING:
    from backstop.stages.house import House

LINEUPS: Final = "lineups"
"""In a slate's meta, and a file of that name in the folder of its run: a digest by game."""

FILE: Final = f"{LINEUPS}.json"


def digests(house: House, day: dt.date) -> dict[str, str]:
    """Return a digest of each game's line-ups and starting pitchers as the lake has them, by `game_pk`."""
    starters = project.starters(house, day).select(
        "game_pk", "is_home", "slot", "is_starting_pitcher", "player_id_mlbam"
    )
    parts = starters.sort(starters.columns).partition_by("game_pk", as_dict=True)
    return {str(pk): hashlib.sha256(part.write_csv().encode()).hexdigest()[:8] for (pk,), part in parts.items()}


def note(house: House, run_id: str, known: dict[str, str]) -> None:
    """Note the line-ups that a run works with."""
    (house.run_dir(run_id) / FILE).write_bytes(orjson.dumps(known))


def told(house: House, run_id: str) -> dict[str, dict[str, str]]:
    """Return what a run's slate tells of its line-ups; nothing where the run noted none."""
    path = house.run_dir(run_id) / FILE
    return {LINEUPS: orjson.loads(path.read_bytes())} if path.exists() else {}


def renewed(house: House, day: dt.date) -> dict[str, str]:
    """Return the games whose line-ups in the lake are not those that the published slate was made of, with a digest.

    Empty where none is published, or where its run noted none.
    """
    known = rebuild.remembered_meta(house, day).get(LINEUPS)
    if known is None:
        return {}
    return {pk: digest for pk, digest in digests(house, day).items() if known.get(pk) != digest}
