"""The simulated season's days: who plays whom, when, and what the weather did to it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Final

from backstop.demo.clubs import CLUBS

OPENING_DAY: Final = dt.date(2025, 4, 2)
DEMO_DAY: Final = dt.date(2025, 5, 2)
"""The simulated game day that `make run` refreshes: a Friday with a doubleheader and a postponement."""

LAST_DAY: Final = dt.date(2025, 5, 11)
BREAK: Final = dt.date(2025, 4, 21)
"""A day on which nobody plays."""

FIRST_GAME_PK: Final = 900_001
"""MLB's ids of games stood below 830,000 in 2026."""

RAIN: Final[dict[dt.date, tuple[int, dt.date, str]]] = {
    dt.date(2025, 4, 11): (4, dt.date(2025, 4, 12), "Y"),
    DEMO_DAY: (9, dt.date(2025, 5, 3), "S"),
}
"""Days of postponed games: which pairing, the day on which it was made up, and as what kind of doubleheader."""

SPLITS: Final[dict[dt.date, int]] = {dt.date(2025, 4, 26): 2, DEMO_DAY: 6}
"""Days of scheduled split doubleheaders: which pairing."""

RAIN_TIME: Final = (12, 35)
"""Local time of a game that was made up."""

MONDAY, THURSDAY, FRIDAY, SUNDAY = 0, 3, 4, 6


@dataclass(frozen=True, slots=True)
class Fixture:
    """A game to be played.

    Attributes:
        game_pk: Its id.
        day: The day on which it is played.
        start_at: Scheduled first pitch, UTC.
        home: Index of the home club.
        away: Index of the other.
        doubleheader: N, Y or S.
        number: 1 or 2.
        moved_from: Day under which it was scheduled before the rain.
    """

    game_pk: int
    day: dt.date
    start_at: dt.datetime
    home: int
    away: int
    doubleheader: str = "N"
    number: int = 1
    moved_from: dt.date | None = None


@cache
def season() -> tuple[Fixture, ...]:
    """Return every game in the order of its day and start."""
    fixtures: list[Fixture] = []
    for n in range((LAST_DAY - OPENING_DAY).days + 1):
        fixtures += _day(OPENING_DAY + dt.timedelta(days=n), FIRST_GAME_PK + 20 * n)
    return tuple(sorted(fixtures, key=lambda game: (game.day, game.start_at, game.game_pk)))


def _day(day: dt.date, first_pk: int) -> list[Fixture]:
    """Return the games first scheduled for a day; one that it rained on is dated where it was made up."""
    if day == BREAK:
        return []
    block = _block(day)
    games: list[Fixture] = []
    for pair, (home, away) in enumerate(_pairs(block)):
        if _rests(day, pair + block):
            continue
        pk = first_pk + pair
        rain = RAIN.get(day)
        if rain and rain[0] == pair:
            start = _start(rain[1], home, *RAIN_TIME)
            games.append(Fixture(pk, rain[1], start, home, away, rain[2], 1, day))
        elif SPLITS.get(day) == pair:
            games.append(Fixture(pk, day, _start(day, home, 13, 5), home, away, "S", 1))
            games.append(Fixture(first_pk + 18, day, _start(day, home, 19, 10), home, away, "S", 2))
        else:
            kind, number = _made_up(day, pair)
            games.append(Fixture(pk, day, _start(day, home, *_time(day, pair)), home, away, kind, number))
    return games


def _start(day: dt.date, home: int, hour: int, minute: int) -> dt.datetime:
    """Return the instant of a local time of day at a club's park."""
    local = dt.datetime.combine(day, dt.time(hour, minute), dt.UTC)
    return local + dt.timedelta(hours=CLUBS[home].utc_offset_h)


def _made_up(day: dt.date, pair: int) -> tuple[str, int]:
    kinds = [kind for of_pair, made_up_on, kind in RAIN.values() if made_up_on == day and of_pair == pair]
    return (kinds[0], 2) if kinds else ("N", 1)


def _block(day: dt.date) -> int:
    """Return the series that a day belongs to: they change on Mondays and Fridays."""
    weeks, weekday = divmod((day - OPENING_DAY).days + OPENING_DAY.weekday(), 7)
    return 2 * weeks + (weekday >= FRIDAY)


def _pairs(block: int) -> list[tuple[int, int]]:
    """Return who plays whom in a series (circle method), home club first.

    A club moves one place on from series to series, so that by the place it is at home in every second one.
    """
    clubs = len(CLUBS)
    ring = [(place + block) % (clubs - 1) for place in range(clubs - 1)]
    pairs = [(ring[0], clubs - 1)] + [(ring[k], ring[-k]) for k in range(1, clubs // 2)]
    return [(a, b) if (place or block) % 2 else (b, a) for place, (a, b) in enumerate(pairs)]


def _rests(day: dt.date, turn: int) -> bool:
    """Tell whether a pairing travels: half of them on Mondays, others on Thursdays."""
    return (day.weekday() == MONDAY and turn % 2 == 0) or (day.weekday() == THURSDAY and turn % 3 == 0)


def _time(day: dt.date, pair: int) -> tuple[int, int]:
    afternoon = (day.weekday() == SUNDAY and pair % 5) or (pair % 7 == day.toordinal() % 7 and day != DEMO_DAY)
    if afternoon:
        return 13, (5, 10, 35)[pair % 3]
    return (18, 40) if pair % 4 == 0 else (19, (5, 7, 10)[pair % 3])
