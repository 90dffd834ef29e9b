"""Line-up cards of the simulated season: who rests, whose turn it is to start, in which order relievers come."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from backstop.demo.league.calendar import season
from backstop.demo.league.outcomes import NOBODY, Ints
from backstop.demo.league.people import BATTERS_OF_A_CLUB, BENCH, CLUB_SIZE, FIELD, RELIEVERS, STARTERS
from backstop.demo.league.play import Cards

STANDS_IN: Final = (2, 1, 2, 3, 3, 1, 2, 1, 0)
"""Who of the bench stands in for each place of the usual batting order."""

RESTS: Final = 0.45
"""Share of cards on which one of the nine rests."""

SUBSTITUTES: Final = (0.60, 0.40)
"""Share of cards with a first and with a second of the bench who comes in late."""

LATE_INNINGS: Final = (6, 7, 8, 9)
PLACE_WEIGHTS: Final = np.array([0.04, 0.04, 0.06, 0.08, 0.10, 0.13, 0.16, 0.19, 0.20])
"""For which place of the order a substitute comes in: rarely for the best."""


@cache
def cards(seed: int) -> Cards:
    """Return the cards of every game of `season()`, in its order."""
    rng = np.random.default_rng([seed, 1])
    club = np.array([[game.away, game.home] for game in season()])
    base = club * CLUB_SIZE
    lineup = base[:, :, None] + np.arange(len(FIELD))
    rests = np.where(rng.random(club.shape) < RESTS, rng.integers(0, len(FIELD), club.shape), NOBODY)
    stands_in = np.where(rests == NOBODY, NOBODY, np.array(STANDS_IN)[rests])
    for game, side in zip(*np.nonzero(rests != NOBODY), strict=True):
        lineup[game, side, rests[game, side]] = base[game, side] + len(FIELD) + stands_in[game, side]
    bullpen = _bullpen(base, rng)
    starter = base + BATTERS_OF_A_CLUB + _turns(club)
    return Cards(club, lineup, starter, bullpen, *_substitutes(base, stands_in, rng))


def redrawn(posted: Cards, rng: np.random.Generator) -> Cards:
    """Return the cards with what nobody can know before the game drawn anew: relievers' order and substitutes.

    Line-ups and starting pitchers, which are posted, stay.
    """
    base = posted.club * CLUB_SIZE
    on_bench = posted.lineup - base[:, :, None] - len(FIELD)
    stands_in = np.where((on_bench >= 0).any(axis=2), on_bench.max(axis=2), NOBODY)
    drawn = (_bullpen(base, rng), *_substitutes(base, stands_in, rng))
    return Cards(posted.club, posted.lineup, posted.starter, *drawn)


def _bullpen(base: Ints, rng: np.random.Generator) -> Ints:
    """Return in which order the relievers of each side come."""
    order = np.tile(np.arange(RELIEVERS), (*base.shape, 1))
    return np.asarray(base[:, :, None] + BATTERS_OF_A_CLUB + STARTERS + rng.permuted(order, axis=2))


def _substitutes(base: Ints, stands_in: Ints, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """Return who comes in late, for which places, from which innings on; nobody twice, and no two for one place."""
    shape = (*base.shape, len(SUBSTITUTES))
    bench = rng.permuted(np.tile(np.arange(len(BENCH)), (*base.shape, 1)), axis=2)
    # who stands in from the start is moved to the end of the bench
    bench = np.take_along_axis(bench, np.argsort(bench == stands_in[:, :, None], axis=2, kind="stable"), axis=2)
    who = base[:, :, None] + len(FIELD) + bench[:, :, : len(SUBSTITUTES)]
    first = rng.choice(len(FIELD), base.shape, p=PLACE_WEIGHTS)
    second = (first + rng.integers(1, len(FIELD), base.shape)) % len(FIELD)
    comes = rng.random(shape) < np.array(SUBSTITUTES)
    return np.where(comes, who, NOBODY), np.stack([first, second], axis=2), rng.choice(LATE_INNINGS, shape)


def _turns(club: Ints) -> Ints:
    """Return whose turn it is to start: five men, one after the other."""
    turns = np.zeros_like(club)
    played: dict[int, int] = {}
    for game, side in np.ndindex(*club.shape):
        who = int(club[game, side])
        turns[game, side] = played.get(who, 0) % STARTERS
        played[who] = played.get(who, 0) + 1
    return turns
