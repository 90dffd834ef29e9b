"""The thirty clubs: what the feeds say about them beyond ids and names, which `sources.teams` holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from backstop.sources.teams import BY_ABBREVIATION, ODDS_API_NAME
from backstop.sources.teams import BY_NAME as TEAM_BY_NAME


@dataclass(frozen=True, slots=True)
class Club:
    """One club.

    Attributes:
        team_id: MLB's id.
        abbr: As Savant and the Stats API spell it today.
        name: The full name as MLB writes it; the Athletics carry no place.
        odds_name: The full name as The Odds API writes it.
        place: Where it plays, as SportRadar's `market`.
        nickname: The short name.
        league_id: 103 American, 104 National.
        division_id: MLB's id of the division.
        venue_id: MLB's id of the park.
        venue: Name of the park.
        utc_offset_h: Hours that its evening lies before UTC in summer.
        sportradar_id: SportRadar's id.
    """

    team_id: int
    abbr: str
    name: str
    odds_name: str
    place: str
    nickname: str
    league_id: int
    division_id: int
    venue_id: int
    venue: str
    utc_offset_h: int
    sportradar_id: str


_TABLE: Final = """
LAA|Los Angeles|Angels|103|200|1|Angel Stadium|7
AZ|Arizona|Diamondbacks|104|203|15|Chase Field|7
BAL|Baltimore|Orioles|103|201|2|Oriole Park at Camden Yards|4
BOS|Boston|Red Sox|103|201|3|Fenway Park|4
CHC|Chicago|Cubs|104|205|17|Wrigley Field|5
CIN|Cincinnati|Reds|104|205|2602|Great American Ball Park|4
CLE|Cleveland|Guardians|103|202|5|Progressive Field|4
COL|Colorado|Rockies|104|203|19|Coors Field|6
DET|Detroit|Tigers|103|202|2394|Comerica Park|4
HOU|Houston|Astros|103|200|2392|Daikin Park|5
KC|Kansas City|Royals|103|202|7|Kauffman Stadium|5
LAD|Los Angeles|Dodgers|104|203|22|Dodger Stadium|7
WSH|Washington|Nationals|104|204|3309|Nationals Park|4
NYM|New York|Mets|104|204|3289|Citi Field|4
ATH|Oakland|Athletics|103|200|2529|Sutter Health Park|7
PIT|Pittsburgh|Pirates|104|205|31|PNC Park|4
SD|San Diego|Padres|104|203|2680|Petco Park|7
SEA|Seattle|Mariners|103|200|680|T-Mobile Park|7
SF|San Francisco|Giants|104|203|2395|Oracle Park|7
STL|St. Louis|Cardinals|104|205|2889|Busch Stadium|5
TB|Tampa Bay|Rays|103|201|12|Tropicana Field|4
TEX|Texas|Rangers|103|200|5325|Globe Life Field|5
TOR|Toronto|Blue Jays|103|201|14|Rogers Centre|4
MIN|Minnesota|Twins|103|202|3312|Target Field|5
PHI|Philadelphia|Phillies|104|204|2681|Citizens Bank Park|4
ATL|Atlanta|Braves|104|204|4705|Truist Park|4
CWS|Chicago|White Sox|103|202|4|Rate Field|5
MIA|Miami|Marlins|104|204|4169|loanDepot park|4
NYY|New York|Yankees|103|201|3313|Yankee Stadium|4
MIL|Milwaukee|Brewers|104|205|32|American Family Field|5
"""


def _read(line: str) -> Club:
    abbr, place, nickname, league, division, venue_id, venue, offset = line.split("|")
    team = BY_ABBREVIATION[abbr]
    return Club(
        team.id_mlbam,
        abbr,
        team.name,
        ODDS_API_NAME[abbr],
        place,
        nickname,
        int(league),
        int(division),
        int(venue_id),
        venue,
        int(offset),
        team.id_sportradar,
    )


CLUBS: Final[tuple[Club, ...]] = tuple(_read(line) for line in _TABLE.strip().splitlines())
_OF: Final = {club.abbr: club for club in CLUBS}
BY_ABBR: Final[dict[str, Club]] = {code: _OF[team.abbreviation] for code, team in BY_ABBREVIATION.items()}
"""Clubs by abbreviation, also by the ones that older recordings use."""

BY_ID: Final[dict[int, Club]] = {club.team_id: club for club in CLUBS}
BY_NAME: Final[dict[str, Club]] = {name: _OF[team.abbreviation] for name, team in TEAM_BY_NAME.items()}
"""Clubs by every full name in use, also by the ones that books still write."""
