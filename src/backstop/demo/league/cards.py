"""Line-up cards of the simulated season: who rests, whose turn it is to start, in which order relievers come."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np

from backstop.demo.league.calendar import season
from backstop.demo.league.people import BATTERS_OF_A_CLUB, BENCH, CLUB_SIZE, FIELD, RELIEVERS, STARTERS
from backstop.demo.league.play import NEVER, NOBODY, Cards

STANDS_IN: Final = (2, 1, 2, 3, 3, 1, 2, 1, 0)
"""Who of the bench stands in for each place of the usual batting order."""

RESTS: Final = 0.45
"""Share of cards on which one of the nine rests."""

PINCH: Final = 0.35
"""Share of cards with somebody to bat for the ninth place from the seventh inning on."""

PINCH_INNING: Final = 7


@cache
def cards(seed: int) -> Cards:
    """Return the cards of every game of `season()`, in its order."""
    rng = np.random.default_rng([seed, 1])
    club = np.array([[game.away, game.home] for game in season()])
    games = len(club)
    base = club * CLUB_SIZE
    lineup = np.repeat((base[:, :, None] + np.arange(len(FIELD))), 1, axis=2)
    rests = np.where(rng.random((games, 2)) < RESTS, rng.integers(0, len(FIELD), (games, 2)), NOBODY)
    for game, side in zip(*np.nonzero(rests != NOBODY), strict=True):
        place = rests[game, side]
        lineup[game, side, place] = base[game, side] + len(FIELD) + STANDS_IN[place]
    free = np.where(rests == NOBODY, 1, (np.array(STANDS_IN)[rests] + 1) % len(BENCH))
    pinch = np.where(rng.random((games, 2)) < PINCH, base + len(FIELD) + free, NOBODY)
    bullpen = (
        base[:, :, None]
        + BATTERS_OF_A_CLUB
        + STARTERS
        + rng.permuted(np.tile(np.arange(RELIEVERS), (games, 2, 1)), axis=2)
    )
    return Cards(
        club,
        lineup,
        base + BATTERS_OF_A_CLUB + _turns(club),
        bullpen,
        pinch,
        np.where(pinch == NOBODY, NEVER, PINCH_INNING),
    )


def _turns(club: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return whose turn it is to start: five men, one after the other."""
    turns = np.zeros_like(club)
    played: dict[int, int] = {}
    for game, side in np.ndindex(*club.shape):
        who = int(club[game, side])
        turns[game, side] = played.get(who, 0) % STARTERS
        played[who] = played.get(who, 0) + 1
    return turns
