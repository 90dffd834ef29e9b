"""How many rows an answer holds, counted without the parsers: records of CSV, places in JSON where a row belongs.

What stands where a list of rows should stand and is none counts as one row: it is not nothing, so a reader who makes
nothing of it has lost something. The same holds for what is no object on the way down.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import Any, Final

from backstop.sources import chadwick
from backstop.sources.savant import pitches
from backstop.sources.savant.boards import BOARDS
from backstop.sources.sportradar import people as sportradar_people
from backstop.sources.sportradar import schedule as sportradar_schedule
from backstop.sources.sportradar import season
from backstop.sources.statsapi import boxscore, livefeed, people, schedule
from backstop.sources.theodds import events, props

LINES: Final = {pitches.TABLE, *(board.table.name for board in BOARDS.values() if not board.metric)}
"""Tables whose rows are the records of a CSV."""

PLACES: Final[dict[str, tuple[str, ...]]] = {
    schedule.TABLE: ("dates[].games[]",),
    boxscore.TABLE: ("teams.home.players{}", "teams.away.players{}"),
    livefeed.TABLE: ("liveData.plays.allPlays[]",),
    people.PEOPLE.name: ("people[]",),
    people.ROSTERS.name: ("roster[]",),
    events.TABLE: ("[]",),
    props.TABLE: ("bookmakers[].markets[].outcomes[]",),
    sportradar_schedule.TABLE: ("games[]",),
    season.TABLE: ("players[]",),
    sportradar_people.INJURIES.name: ("teams[].players[].injuries[]",),
}
"""Tables whose rows stand in JSON, with where."""


def counted(table: str, body: bytes) -> range | None:
    """Return between which numbers of rows an answer holds; None where its format does not say."""
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if table in LINES:
        return records(text)
    if table == chadwick.TABLE or table not in PLACES:
        return None
    try:
        root = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(root, dict) and isinstance(root.get("data"), dict | list):
        root = root["data"]  # the archive of The Odds API wraps what it answered then
    found = sum(places(root, path.split(".")) for path in PLACES[table])
    return range(found, found + 1)


def records(text: bytes) -> range:
    """Count the records of a CSV below its header: by lines, and by quotations, which may hold line ends."""
    lines = sum(bool(line.strip()) for line in text.split(b"\n")) - 1
    decoded = text.decode("utf-8", "replace").replace("\r", " ").replace("\0", " ")
    csv.field_size_limit(10**9)
    logical = sum(any(cell.strip() for cell in row) for row in csv.reader(io.StringIO(decoded))) - 1
    return range(max(min(lines, logical), 0), max(lines, logical, 0) + 1)


def places(value: Any, path: Sequence[str]) -> int:
    """Count what stands at the end of a path; `[]` goes through a list, `{}` through the values of an object."""
    if value is None:
        return 0
    if not path:
        return 1
    step, rest = path[0], path[1:]
    name, kind = (step[:-2], step[-2:]) if step.endswith(("[]", "{}")) else (step, "")
    if name:
        if not isinstance(value, dict):
            return 1
        value = value.get(name)
    if kind and value is not None:
        if not isinstance(value, list if kind == "[]" else dict):
            return 1
        below = value if kind == "[]" else value.values()
        return sum(places(each, rest) if rest and each is not None else 1 for each in below)
    return places(value, rest)
