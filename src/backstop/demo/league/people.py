"""The league's invented players: who they are, what they throw and hit with, where they stand.

No id is a real person's: MLB's ids have six digits, these have seven.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from backstop.demo.clubs import CLUBS
from backstop.demo.words import words
from backstop.demo.world import Person

FIRST_ID: Final = 9_100_001
ROSTER_SEED: Final = 20250327
"""Rosters and talents never change with the seed of a season."""

FIELD: Final = ("CF", "SS", "RF", "1B", "DH", "3B", "LF", "2B", "C")
"""Positions in batting order of a typical club."""

BENCH: Final = ("C", "2B", "CF", "1B")
BATTERS_OF_A_CLUB: Final = len(FIELD) + len(BENCH)
STARTERS: Final = 5
RELIEVERS: Final = 8

_FIRST: Final = words(
    """Aldo Anders Barrett Bastian Benoit Brody Calder Camilo Casimir Clemente Colby Dario Dashiell
Deshawn Eamon Edison Elio Emeka Ezra Fabian Fletcher Gideon Goro Harlan Heath Hiroto Ignacio Ivar Jamal Joaquín Jurgen
Kaito Keanu Kellan Lachlan Lazaro Leandro Lonnie Magnus Malachi Marcelo Mateus Nico Noriaki Orlando Osvaldo Pascal
Quentin Rafe Ramiro Raúl Remy Rocco Ruben Silas Stellan Tadeo Tobias Ulises Vance Víctor Wendell Xavi Yadiel Zane"""
)
_LAST: Final = words(
    """Abernethy Achterberg Aguinaldo Albescu Aldecoa Anquetil Arquette Ashgrove Atterbury Baptista Barrow
Bellweather Berglund Birchall Bogaerde Braithwaite Brantmeyer Buenaventura Calloway Cardozo Carranza Castellane
Chamberlin Chukwu Clavering Corrales Coverdale Dalgaard Danforth Delacorte Delgadillo Dempster Dierkes Dombrowski
Drummond Echeverría Eastlake Ellsworth Esterhazy Etcheverry Fairbanks Falkenberg Farrington Fenstermacher Figueredo
Foxworth Galbraith Garibay Gascoigne Giraldo Glendenning Goicoechea Gratton Greenhalgh Grimaldo Haldane Halvorsen
Hargreave Hathersage Havelock Hemsworth Hightower Holmquist Ibáñez Inclán Ironside Izaguirre Jankowicz Jolivet
Kaczmarek Kamakura Kensington Kirkbride Kobayakawa Krzywicki Lamoreaux Langerhans Larrañaga Ledesma Lindqvist
Llewellyn Lockridge Macalister Magallanes Malaspina Marchetti Mbeki Melgarejo Merriweather Montclair Mukherjee
Narváez Nethercott Nordstrom Okonkwo Olazábal Ormsby Oyarzábal Pallister Peñaranda Pemberton Petrosyan Plunkett
Quackenbush Quesenberry Radcliffe Ravenscroft Rensselaer Riquelme Rothschild Saavedra Sakamoto Saldívar Sandoval-Ruiz
Schaeffer Seixas Shackleford Sigurdsson Standifer Stavros Summerfield Szczepanski Tamayo Tannenbaum Thackeray
Tolliver Trethewey Ubaldini Underhill Urrutia Vandermeer Velarde Villanueva Von-Trapp Wadsworth Wainscott
Weatherford Whittemore Winterbourne Wojciech Yamanaka Yarbrough Zaldívar Zimmerle"""
)

YOUNGEST: Final = dt.date(2004, 6, 1)
AGES_DAYS: Final = 5_100
"""Birth dates lie up to so many days before the youngest: players are 20 to 34."""

SAME_NAME: Final = (("NYM", 3), ("SEA", 5))
"""Two batters of one name, by club and place in the batting order; odds name both alike."""

SHARED_NAME: Final = ("Mateo", "Salvatierra")
JUNIORS: Final = (("ATL", 1), ("CHC", 2), ("SD", 3))
INITIALS: Final = (("PHI", 6), ("MIN", 10))
"""Players who go by initials: `J.R.` on the card, `JR` at the books."""


@dataclass(frozen=True, slots=True)
class Player:
    """One of the league.

    Attributes:
        index: Position in every array of the league.
        person: His name, hands and position.
        club: Index of his club in `CLUBS`.
        place: 0-8 usual place in the batting order, 9-12 bench; 13-17 starters, 18-25 bullpen.
    """

    index: int
    person: Person
    club: int
    place: int

    @property
    def is_pitcher(self) -> bool:
        """Whether he pitches."""
        return self.place >= BATTERS_OF_A_CLUB


CLUB_SIZE: Final = BATTERS_OF_A_CLUB + STARTERS + RELIEVERS


@cache
def players() -> tuple[Player, ...]:
    """Return everybody: 26 players of each of the thirty clubs, club by club, place by place."""
    rng = np.random.default_rng(ROSTER_SEED)
    pairs = rng.permutation(len(_FIRST) * len(_LAST))
    everybody = []
    for index in range(len(CLUBS) * CLUB_SIZE):
        club, place = divmod(index, CLUB_SIZE)
        pair = int(pairs[index])
        first, last = _name(CLUBS[club].abbr, place, _FIRST[pair % len(_FIRST)], _LAST[pair // len(_FIRST)])
        everybody.append(Player(index, _person(index, place, first, last, rng), club, place))
    return tuple(everybody)


def _name(club: str, place: int, first: str, last: str) -> tuple[str, str]:
    if (club, place) in SAME_NAME:
        return SHARED_NAME
    if (club, place) in JUNIORS:
        return first, f"{last} Jr."
    if (club, place) in INITIALS:
        return f"{first[0]}.{last[0]}.", last
    return first, last


def _person(index: int, place: int, first: str, last: str, rng: np.random.Generator) -> Person:
    pitcher = place >= BATTERS_OF_A_CLUB
    position = "P" if pitcher else (FIELD + BENCH)[place]
    throws = "L" if rng.random() < (0.28 if pitcher else 0.08) else "R"
    bats = str(rng.choice(["R", "L", "S"], p=[0.52, 0.36, 0.12]))
    born = YOUNGEST - dt.timedelta(days=int(rng.integers(0, AGES_DAYS)))
    return Person(FIRST_ID + index, f"{first} {last}", first, last, bats, throws, position, born)


@cache
def by_id() -> dict[int, Player]:
    """Return everybody by id."""
    return {player.person.player_id: player for player in players()}
