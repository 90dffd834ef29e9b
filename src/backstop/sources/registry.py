"""Every table that can be fetched: how its answers are inspected and parsed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from backstop.sources.savant import pitches
from backstop.sources.statsapi import boxscore, schedule
from backstop.sources.theodds import events, props


class Source(NamedTuple):
    """The two functions of a table.

    Attributes:
        inspect: Raises when the content of a body is not what was asked for.
        parse: Turns an answer into `Parsed`; a box score needs `core_games` too and gives `BoxParsed`.
    """

    inspect: Callable[[bytes], None]
    parse: Callable[..., Any]


TABLES: Final[dict[str, Source]] = {
    pitches.TABLE: Source(pitches.inspect, pitches.parse),
    schedule.TABLE: Source(schedule.inspect, schedule.parse),
    boxscore.TABLE: Source(boxscore.inspect, boxscore.parse),
    events.TABLE: Source(events.inspect, events.parse),
    props.TABLE: Source(props.inspect, props.parse),
}
"""Table name, as in `Item.table`, to its functions."""
