"""The thirty clubs under every name that a feed gives them.

The Odds API uses MLB's names, but still says Oakland Athletics, and at times St.Louis Cardinals without the space.
SportRadar ids are of 2017 and did not change when a club was renamed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Team:
    """A club.

    Attributes:
        abbreviation: As Savant and the Stats API spell it today.
        id_mlbam: MLB's number.
        name: MLB's name.
        retrosheet: Retrosheet's code of 2024.
        id_sportradar: UUID.
        aliases: Other abbreviations in use, of other feeds or other years.
        names: Other full names in use.
    """

    abbreviation: str
    id_mlbam: int
    name: str
    retrosheet: str
    id_sportradar: str
    aliases: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


TEAMS: Final = (
    Team("ATH", 133, "Athletics", "ATH", "27a59d3b-ff7c-48ea-b016-4798f560f5e1", ("OAK",), ("Oakland Athletics",)),
    Team("ATL", 144, "Atlanta Braves", "ATL", "12079497-e414-450a-8bf2-29f91de646bf"),
    Team("AZ", 109, "Arizona Diamondbacks", "ARI", "25507be1-6a68-4267-bd82-e097d94b359b", ("ARI",)),
    Team("BAL", 110, "Baltimore Orioles", "BAL", "75729d34-bca7-4a0f-b3df-6f26c6ad3719"),
    Team("BOS", 111, "Boston Red Sox", "BOS", "93941372-eb4c-4c40-aced-fe3267174393"),
    Team("CHC", 112, "Chicago Cubs", "CHN", "55714da8-fcaf-4574-8443-59bfb511a524", ("CHN",)),
    Team("CIN", 113, "Cincinnati Reds", "CIN", "c874a065-c115-4e7d-b0f0-235584fb0e6f"),
    Team("CLE", 114, "Cleveland Guardians", "CLE", "80715d0d-0d2a-450f-a970-1b9a3b18c7e7", (), ("Cleveland Indians",)),
    Team("COL", 115, "Colorado Rockies", "COL", "29dd9a87-5bcc-4774-80c3-7f50d985068b"),
    Team("CWS", 145, "Chicago White Sox", "CHA", "47f490cd-2f58-4ef7-9dfd-2ad6ba6c1ae8", ("CHW", "CHA")),
    Team("DET", 116, "Detroit Tigers", "DET", "575c19b7-4052-41c2-9f0a-1c5813d02f99"),
    Team("HOU", 117, "Houston Astros", "HOU", "eb21dadd-8f10-4095-8bf3-dfb3b779f107"),
    Team("KC", 118, "Kansas City Royals", "KCA", "833a51a9-0d84-410f-bd77-da08c3e5e26e", ("KCR", "KCA")),
    Team("LAA", 108, "Los Angeles Angels", "ANA", "4f735188-37c8-473d-ae32-1f7e34ccf892", ("ANA",),
         ("Los Angeles Angels of Anaheim", "Anaheim Angels")),
    Team("LAD", 119, "Los Angeles Dodgers", "LAN", "ef64da7f-cfaf-4300-87b0-9313386b977c", ("LAN", "LA")),
    Team("MIA", 146, "Miami Marlins", "MIA", "03556285-bdbb-4576-a06d-42f71f46ddc5", ("FLA",), ("Florida Marlins",)),
    Team("MIL", 158, "Milwaukee Brewers", "MIL", "dcfd5266-00ce-442c-bc09-264cd20cf455"),
    Team("MIN", 142, "Minnesota Twins", "MIN", "aa34e0ed-f342-4ec6-b774-c79b47b60e2d"),
    Team("NYM", 121, "New York Mets", "NYN", "f246a5e5-afdb-479c-9aaa-c68beeda7af6", ("NYN",)),
    Team("NYY", 147, "New York Yankees", "NYA", "a09ec676-f887-43dc-bbb3-cf4bbaee9a18", ("NYA",)),
    Team("PHI", 143, "Philadelphia Phillies", "PHI", "2142e1ba-3b40-445c-b8bb-f1f8b1054220"),
    Team("PIT", 134, "Pittsburgh Pirates", "PIT", "481dfe7e-5dab-46ab-a49f-9dcc2b6e2cfd"),
    Team("SD", 135, "San Diego Padres", "SDN", "d52d5339-cbdd-43f3-9dfa-a42fd588b9a3", ("SDP", "SDN")),
    Team("SEA", 136, "Seattle Mariners", "SEA", "43a39081-52b4-4f93-ad29-da7f329ea960"),
    Team("SF", 137, "San Francisco Giants", "SFN", "a7723160-10b7-4277-a309-d8dd95a8ae65", ("SFG", "SFN")),
    Team("STL", 138, "St. Louis Cardinals", "SLN", "44671792-dc02-4fdd-a5ad-f5f17edaa9d7", ("SLN",)),
    Team("TB", 139, "Tampa Bay Rays", "TBA", "bdc11650-6f74-49c4-875e-778aeb7632d9", ("TBR", "TBA")),
    Team("TEX", 140, "Texas Rangers", "TEX", "d99f919b-1534-4516-8e8a-9cd106c6d8cd"),
    Team("TOR", 141, "Toronto Blue Jays", "TOR", "1d678440-b4b1-4954-9b39-70afb3ebbcfa"),
    Team("WSH", 120, "Washington Nationals", "WAS", "d89bed32-3aee-4407-99e3-4103641b999a", ("WSN", "WAS")),
)  # fmt: skip

ALL_STARS: Final = {159: "AL", 160: "NL"}
"""The two sides of the All-Star game, which are no clubs."""

BY_ABBREVIATION: Final[dict[str, Team]] = {
    code: team for team in TEAMS for code in (team.abbreviation, team.retrosheet, *team.aliases)
}
BY_ID_MLBAM: Final[dict[int, Team]] = {team.id_mlbam: team for team in TEAMS}
BY_ID_SPORTRADAR: Final[dict[str, Team]] = {team.id_sportradar: team for team in TEAMS}
BY_NAME: Final[dict[str, Team]] = {name: team for team in TEAMS for name in (team.name, *team.names)}

ODDS_API_NAME: Final[dict[str, str]] = {
    team.abbreviation: "Oakland Athletics" if team.abbreviation == "ATH" else team.name for team in TEAMS
}
"""What The Odds API calls a club, by abbreviation."""

ABBREVIATIONS: Final[dict[str, str]] = {code: team.abbreviation for code, team in BY_ABBREVIATION.items()}
"""Every abbreviation in use mapped to today's."""


def _letters(name: str) -> str:
    return re.sub("[^a-z]", "", name.lower())


_BY_LETTERS: Final = {_letters(name): team for name, team in BY_NAME.items()}


def named(name: object) -> Team | None:
    """Return the club of a full name, whatever its case, points and spaces; `None` for another one.

    >>> named("St.Louis Cardinals").abbreviation
    'STL'
    """
    return _BY_LETTERS.get(_letters(name)) if isinstance(name, str) else None


def abbreviation_of(id_mlbam: object, given: object = None) -> str | None:
    """Return today's abbreviation of a team by MLB's number, else the abbreviation given, else `None`.

    A number that is no club's tells of a guest: his abbreviation may be that of a club, which he is not. There is
    none for him then: Colombia (COL) is not Colorado.

    >>> abbreviation_of(133)
    'ATH'
    >>> abbreviation_of(160)
    'NL'
    """
    code = given if isinstance(given, str) and given else None
    if isinstance(id_mlbam, int):
        if team := BY_ID_MLBAM.get(id_mlbam):
            return team.abbreviation
        if id_mlbam in ALL_STARS:
            return ALL_STARS[id_mlbam]
        if code in ABBREVIATIONS:
            return None
    return ABBREVIATIONS.get(code, code) if code else None
