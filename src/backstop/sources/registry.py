"""Every table that can be fetched: how its answers are inspected and parsed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from backstop.sources import chadwick
from backstop.sources.savant import leaderboards, pitches
from backstop.sources.savant.boards import BOARDS
from backstop.sources.sportradar import people as sportradar_people
from backstop.sources.sportradar import playerprops, season, summary
from backstop.sources.sportradar import schedule as sportradar_schedule
from backstop.sources.statsapi import boxscore, livefeed, people, schedule
from backstop.sources.theodds import events, props
from backstop.tables import Table


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
    people.PEOPLE.name: Source(people.inspect, people.parse),
    people.ROSTERS.name: Source(people.inspect_roster, people.parse_roster),
    livefeed.TABLE: Source(livefeed.inspect, livefeed.parse),
    sportradar_schedule.TABLE: Source(sportradar_schedule.inspect, sportradar_schedule.parse),
    summary.TABLE: Source(summary.inspect, summary.parse),
    season.TABLE: Source(season.inspect, season.parse),
    sportradar_people.PROFILES.name: Source(sportradar_people.inspect_profile, sportradar_people.parse_profile),
    sportradar_people.INJURIES.name: Source(sportradar_people.inspect_injuries, sportradar_people.parse_injuries),
    playerprops.TABLE: Source(playerprops.inspect, playerprops.parse),
    chadwick.TABLE: Source(chadwick.inspect, chadwick.parse),
    **{board.table.name: Source(leaderboards.inspect, leaderboards.parse) for board in BOARDS.values()},
}
"""Table name, as in `Item.table`, to its functions."""

PARTS: Final[dict[str, Table]] = {
    table.name: table
    for table in (
        livefeed.PLAYS,
        people.PEOPLE,
        season.SEASON,
        sportradar_people.PROFILES,
        *(board.table for board in BOARDS.values()),
    )
}
"""Tables of which an answer holds a part of the day's rows: of one game, one player, one season."""
