"""A simulated season as far as it has come at an instant."""

from __future__ import annotations

import datetime as dt
import threading
from functools import cached_property
from typing import Final

import numpy as np
import polars as pl

from backstop.demo.league.calendar import Fixture, season
from backstop.demo.league.cards import cards
from backstop.demo.league.pitches import pitches
from backstop.demo.league.play import Cards, Plays, play

GAME_LASTS: Final = dt.timedelta(hours=2, minutes=50)
PLATE_APPEARANCES_PER_HOUR: Final = 27
POSTS_BEFORE: Final = dt.timedelta(hours=8, minutes=26)
"""How long before the first pitch line-ups are posted; the latest games of the demo day have none yet."""

COLLECTED_AT_HOUR_UTC: Final = 7
"""Savant collects a day's pitches about 03:00 in New York of the next morning."""


class Campaign:
    """A season: what was played, and how much of it anybody can know yet.

    Args:
        seed: Of everything but the players and their talents.
        now: Where the clock stands.
    """

    def __init__(self, seed: int, now: dt.datetime) -> None:
        self.seed = seed
        self.now = now
        self._plays: Plays | None = None
        self._playing = threading.Lock()
        self._days: dict[dt.date, pl.DataFrame] = {}
        self._lock = threading.Lock()

    @cached_property
    def cards(self) -> Cards:
        """Line-up cards of every game, in the order of `season()`."""
        return cards(self.seed)

    @property
    def plays(self) -> Plays:
        """Every plate appearance of the season, also of games that are still to come."""
        with self._playing:
            if self._plays is None:
                self._plays = play(self.cards, np.random.default_rng([self.seed, 5]))
            return self._plays

    @cached_property
    def rows(self) -> dict[int, int]:
        """Place of a game in `season()` by its id."""
        return {fixture.game_pk: row for row, fixture in enumerate(season())}

    @cached_property
    def scores(self) -> dict[int, tuple[int, int]]:
        """Final score (away, home) by row of the game."""
        last = (
            pl.DataFrame({name: self.plays[name] for name in ("game", "half", "runs")})
            .group_by("game")
            .agg(
                away=pl.col("runs").filter(pl.col("half") == 0).sum(),
                home=pl.col("runs").filter(pl.col("half") == 1).sum(),
            )
        )
        return {game: (away, home) for game, away, home in last.iter_rows()}

    @cached_property
    def records(self) -> dict[tuple[int, int], tuple[int, int]]:
        """Wins and losses of a club up to and with a game, by (row, club)."""
        tally: dict[int, list[int]] = {}
        found: dict[tuple[int, int], tuple[int, int]] = {}
        for row, fixture in enumerate(season()):
            away, home = self.scores[row]
            over = self.state(fixture) == "Final"
            for club, won in ((fixture.home, home > away), (fixture.away, away > home)):
                record = tally.setdefault(club, [0, 0])
                record[0 if won else 1] += over
                found[row, club] = (record[0], record[1])
        return found

    def until(self, row: int) -> Plays:
        """Return a game's plate appearances that happened before the clock's instant."""
        fixture = season()[row]
        first, last = np.searchsorted(self.plays["game"], [row, row + 1])
        if self.state(fixture) == "In Progress":
            hours = (self.now - fixture.start_at).total_seconds() / 3600
            last = min(last, first + int(hours * PLATE_APPEARANCES_PER_HOUR))
        return Plays({name: values[first:last] for name, values in self.plays.columns.items()})

    def state(self, fixture: Fixture) -> str:
        """Return the `detailedState` of a game."""
        if fixture.start_at > self.now:
            return "Scheduled"
        return "In Progress" if fixture.start_at + GAME_LASTS > self.now else "Final"

    def is_posted(self, fixture: Fixture) -> bool:
        """Tell whether the line-ups of a game are known."""
        return fixture.start_at - self.now <= POSTS_BEFORE

    def is_collected(self, day: dt.date) -> bool:
        """Tell whether Savant has the pitches of a day."""
        return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(COLLECTED_AT_HOUR_UTC), dt.UTC) <= self.now

    def pitches(self, day: dt.date) -> pl.DataFrame:
        """Return every pitch of a day with games, also of one that is still to come."""
        with self._lock:
            if day not in self._days:
                fixtures = [fixture for fixture in season() if fixture.day == day]
                rows = [self.rows[fixture.game_pk] for fixture in fixtures]
                first, last = np.searchsorted(self.plays["game"], [rows[0], rows[-1] + 1])
                columns = {name: values[first:last] for name, values in self.plays.columns.items()}
                columns["game"] = columns["game"] - rows[0]
                of_day = Cards(*(getattr(self.cards, name)[rows] for name in Cards.__dataclass_fields__))
                rng = np.random.default_rng([self.seed, 6, day.toordinal()])
                self._days[day] = pitches(Plays(columns), of_day, fixtures, rng)
            return self._days[day]
