"""What an upstream server has to tell: the same values whether a league is simulated or games were recorded.

The modules in `dialects/` put these values into the words of each feed; the server in `app` sends them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from backstop.demo.clubs import Club


@dataclass(frozen=True, slots=True)
class PitchAsk:
    """What a request to Savant's search narrows pitches to; an empty filter lets all through.

    Attributes:
        first: Earliest official date, `None` without a bound.
        last: Latest official date, included.
        game_types: Letters of game types.
        batters: MLBAM ids.
        pitchers: MLBAM ids.
        games: MLB ids of games.
        team: Abbreviation of a club on either side.
        seasons: Years.
        named: Whose name `player_name` holds: `pitcher` or `batter`.
    """

    first: dt.date | None = None
    last: dt.date | None = None
    game_types: frozenset[str] = frozenset()
    batters: frozenset[int] = frozenset()
    pitchers: frozenset[int] = frozenset()
    games: frozenset[int] = frozenset()
    team: str | None = None
    seasons: frozenset[int] = frozenset()
    named: str = "pitcher"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two clubs of a game.

    Attributes:
        club: Who plays.
        starter: MLBAM id of the starting pitcher, probable or actual; `None` until named.
        lineup: Nine MLBAM ids in batting order; empty until posted.
        score: Runs; `None` before the game.
        wins: Games won up to and with this one; `None` when not known.
        losses: Games lost likewise.
    """

    club: Club
    starter: int | None = None
    lineup: tuple[int, ...] = ()
    score: int | None = None
    wins: int | None = None
    losses: int | None = None


@dataclass(frozen=True, slots=True)
class Game:
    """A game as a schedule lists it.

    Attributes:
        game_pk: MLB's id, also after a postponement.
        day: Official date.
        start_at: Scheduled first pitch, UTC.
        start_tbd: Whether `start_at` is a placeholder.
        game_type: R, S, E, A, F, D, L or W.
        status: `detailedState`.
        abstract: Preview, Live or Final.
        doubleheader: N, Y or S.
        number: 1, or 2 for the second of a doubleheader.
        home: Who bats last.
        away: Who bats first.
        reason: Why it was postponed.
        moved_to: Date of a postponed game's new try.
        moved_from: Date under which it was first scheduled.
        recorded: The game as an answer of the Stats API held it, where one was recorded.
    """

    game_pk: int
    day: dt.date
    start_at: dt.datetime
    start_tbd: bool
    game_type: str
    status: str
    abstract: str
    doubleheader: str
    number: int
    home: Side
    away: Side
    reason: str | None = None
    moved_to: dt.date | None = None
    moved_from: dt.date | None = None
    recorded: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A player; whatever is not known is `None`."""

    player_id: int
    full_name: str
    first_name: str | None = None
    last_name: str | None = None
    bats: str | None = None
    throws: str | None = None
    position: str | None = None
    birth_date: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Appearance:
    """A player in a game's box score.

    Attributes:
        player_id: MLBAM id.
        is_home: Whether his club bats last.
        order: 100-900 for who starts in that place of the batting order, 101.. for who comes after; `None` otherwise.
        position: Abbreviation of the position played first; `None` when not known.
        batting: The Stats API's counts by its own names; empty when he did not play or only pitched.
        pitching: Likewise; empty when he did not pitch.
    """

    player_id: int
    is_home: bool
    order: int | None = None
    position: str | None = None
    batting: dict[str, Any] = field(default_factory=dict)
    pitching: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Play:
    """A plate appearance as a live feed tells it.

    Attributes:
        number: In the game, from 1, both clubs.
        inning: From 1.
        is_top: Whether the visitors bat.
        batter: MLBAM id.
        pitcher: MLBAM id.
        stand: Side batted, L or R.
        throws: Hand thrown with, L or R.
        event: Savant's word; `None` while it goes on, or when an inning ended on the bases.
        rbi: Runs batted in; `None` when not known.
        pitches: How many were thrown.
        home_score: Runs after it.
        away_score: Runs after it.
        is_complete: Whether it is over.
    """

    number: int
    inning: int
    is_top: bool
    batter: int
    pitcher: int
    stand: str
    throws: str
    event: str | None
    rbi: int | None
    pitches: int
    home_score: int
    away_score: int
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Event:
    """A game as The Odds API lists it, with full names and the start that was known."""

    event_id: str
    commence_at: dt.datetime
    home_team: str
    away_team: str


QUOTE_COLUMNS = {
    "event_id": pl.String(),
    "book": pl.String(),
    "title": pl.String(),
    "market": pl.String(),
    "player": pl.String(),
    "point": pl.Float64(),
    "side": pl.String(),
    "american": pl.Int32(),
    "updated_at": pl.Datetime("us", "UTC"),
}
"""One row per event, book, market, player, point and side: the last price not later than the instant asked for."""


class NotRecorded(LookupError):
    """A folder of recordings holds nothing of what was asked."""


class World(Protocol):
    """Everything that a server can be asked about."""

    @property
    def now(self) -> dt.datetime | None:
        """The instant at which the world stands; `None` when all of it lies in the past."""

    def warm(self) -> None:
        """Work out beforehand what the first answers need."""

    def pitches(self, ask: PitchAsk) -> pl.DataFrame:
        """Return pitches under Savant's column names in its order, newest first."""

    def games(self, first: dt.date, last: dt.date) -> list[Game]:
        """Return the games listed under the official dates from `first` to `last`, in order of their start."""

    def game(self, game_pk: int) -> Game | None:
        """Return a game under its latest date; `None` when nobody knows it."""

    def appearances(self, game_pk: int) -> list[Appearance]:
        """Return who stands in the game's box score; empty before line-ups are known."""

    def plays_of_game(self, game_pk: int) -> list[Play]:
        """Return the plate appearances of a game so far, in order."""

    def season_players(self, season: int) -> list[Person]:
        """Return who is known to have been in the majors in a season."""

    def register(self, shard: str) -> pl.DataFrame:
        """Return the people of the Chadwick register whose UUID begins with a hexadecimal digit."""

    def leaderboard(self, path: str, query: dict[str, str]) -> bytes | None:
        """Return a leaderboard of Savant as CSV; `None` when Savant has none like it.

        Raises:
            NotRecorded: Savant may have it, the recordings do not.
        """

    def recorded(self, path: str) -> bytes | None:
        """Return an answer of the Stats API to this very path, where one was recorded."""

    def person(self, player_id: int) -> Person | None:
        """Return what is known of a player; `None` when nothing is."""

    def roster(self, team_id: int, day: dt.date) -> list[Person]:
        """Return the players of a club on a day."""

    def events(self, at: dt.datetime | None) -> list[Event]:
        """Return the games that books listed at the instant (`None`: now), by start."""

    def event(self, event_id: str, at: dt.datetime | None) -> Event | None:
        """Return a listed game by its id; `None` for one that nobody knows."""

    def quotes(self, event_id: str, at: dt.datetime | None) -> pl.DataFrame | None:
        """Return `QUOTE_COLUMNS` at the instant (`None`: now); `None` for an event that nobody knows."""
