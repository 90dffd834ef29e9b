"""The thirty clubs, with the ids and names under which the four feeds list them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Club:
    """One club.

    Attributes:
        team_id: MLB's id.
        abbr: As Savant and the Stats API spell it today.
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
    place: str
    nickname: str
    league_id: int
    division_id: int
    venue_id: int
    venue: str
    utc_offset_h: int
    sportradar_id: str

    @property
    def name(self) -> str:
        """The full name as MLB writes it; the Athletics carry no place."""
        return self.nickname if self.abbr == "ATH" else f"{self.place} {self.nickname}"

    @property
    def odds_name(self) -> str:
        """The full name as The Odds API writes it, which still says Oakland."""
        return "Oakland Athletics" if self.abbr == "ATH" else self.name


_TABLE: Final = """
108|LAA|Los Angeles|Angels|103|200|1|Angel Stadium|7|4f735188-37c8-473d-ae32-1f7e34ccf892
109|AZ|Arizona|Diamondbacks|104|203|15|Chase Field|7|25507be1-6a68-4267-bd82-e097d94b359b
110|BAL|Baltimore|Orioles|103|201|2|Oriole Park at Camden Yards|4|75729d34-bca7-4a0f-b3df-6f26c6ad3719
111|BOS|Boston|Red Sox|103|201|3|Fenway Park|4|93941372-eb4c-4c40-aced-fe3267174393
112|CHC|Chicago|Cubs|104|205|17|Wrigley Field|5|55714da8-fcaf-4574-8443-59bfb511a524
113|CIN|Cincinnati|Reds|104|205|2602|Great American Ball Park|4|c874a065-c115-4e7d-b0f0-235584fb0e6f
114|CLE|Cleveland|Guardians|103|202|5|Progressive Field|4|80715d0d-0d2a-450f-a970-1b9a3b18c7e7
115|COL|Colorado|Rockies|104|203|19|Coors Field|6|29dd9a87-5bcc-4774-80c3-7f50d985068b
116|DET|Detroit|Tigers|103|202|2394|Comerica Park|4|575c19b7-4052-41c2-9f0a-1c5813d02f99
117|HOU|Houston|Astros|103|200|2392|Daikin Park|5|eb21dadd-8f10-4095-8bf3-dfb3b779f107
118|KC|Kansas City|Royals|103|202|7|Kauffman Stadium|5|833a51a9-0d84-410f-bd77-da08c3e5e26e
119|LAD|Los Angeles|Dodgers|104|203|22|Dodger Stadium|7|ef64da7f-cfaf-4300-87b0-9313386b977c
120|WSH|Washington|Nationals|104|204|3309|Nationals Park|4|d89bed32-3aee-4407-99e3-4103641b999a
121|NYM|New York|Mets|104|204|3289|Citi Field|4|f246a5e5-afdb-479c-9aaa-c68beeda7af6
133|ATH|Oakland|Athletics|103|200|2529|Sutter Health Park|7|27a59d3b-ff7c-48ea-b016-4798f560f5e1
134|PIT|Pittsburgh|Pirates|104|205|31|PNC Park|4|481dfe7e-5dab-46ab-a49f-9dcc2b6e2cfd
135|SD|San Diego|Padres|104|203|2680|Petco Park|7|d52d5339-cbdd-43f3-9dfa-a42fd588b9a3
136|SEA|Seattle|Mariners|103|200|680|T-Mobile Park|7|43a39081-52b4-4f93-ad29-da7f329ea960
137|SF|San Francisco|Giants|104|203|2395|Oracle Park|7|a7723160-10b7-4277-a309-d8dd95a8ae65
138|STL|St. Louis|Cardinals|104|205|2889|Busch Stadium|5|44671792-dc02-4fdd-a5ad-f5f17edaa9d7
139|TB|Tampa Bay|Rays|103|201|12|Tropicana Field|4|bdc11650-6f74-49c4-875e-778aeb7632d9
140|TEX|Texas|Rangers|103|200|5325|Globe Life Field|5|d99f919b-1534-4516-8e8a-9cd106c6d8cd
141|TOR|Toronto|Blue Jays|103|201|14|Rogers Centre|4|1d678440-b4b1-4954-9b39-70afb3ebbcfa
142|MIN|Minnesota|Twins|103|202|3312|Target Field|5|aa34e0ed-f342-4ec6-b774-c79b47b60e2d
143|PHI|Philadelphia|Phillies|104|204|2681|Citizens Bank Park|4|2142e1ba-3b40-445c-b8bb-f1f8b1054220
144|ATL|Atlanta|Braves|104|204|4705|Truist Park|4|12079497-e414-450a-8bf2-29f91de646bf
145|CWS|Chicago|White Sox|103|202|4|Rate Field|5|47f490cd-2f58-4ef7-9dfd-2ad6ba6c1ae8
146|MIA|Miami|Marlins|104|204|4169|loanDepot park|4|03556285-bdbb-4576-a06d-42f71f46ddc5
147|NYY|New York|Yankees|103|201|3313|Yankee Stadium|4|a09ec676-f887-43dc-bbb3-cf4bbaee9a18
158|MIL|Milwaukee|Brewers|104|205|32|American Family Field|5|dcfd5266-00ce-442c-bc09-264cd20cf455
"""


def _read(line: str) -> Club:
    team, abbr, place, nickname, league, division, venue_id, venue, offset, sportradar = line.split("|")
    return Club(
        int(team), abbr, place, nickname, int(league), int(division), int(venue_id), venue, int(offset), sportradar
    )


CLUBS: Final[tuple[Club, ...]] = tuple(_read(line) for line in _TABLE.strip().splitlines())
BY_ABBR: Final[dict[str, Club]] = {
    **{club.abbr: club for club in CLUBS},
    **{
        old: club
        for club in CLUBS
        for old in {"ATH": ["OAK"], "AZ": ["ARI"], "CWS": ["CHW"], "WSH": ["WSN"]}.get(club.abbr, [])
    },
}
"""Clubs by abbreviation, also by the ones that older recordings use."""

BY_ID: Final[dict[int, Club]] = {club.team_id: club for club in CLUBS}
BY_NAME: Final[dict[str, Club]] = {name: club for club in CLUBS for name in (club.name, club.odds_name)}
"""Clubs by full name, in MLB's and in The Odds API's spelling."""
