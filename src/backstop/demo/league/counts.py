"""The pitches of simulated plate appearances: how many, and what the umpire said of each.

The count is laid out backwards from the end of the plate appearance: how many balls and strikes stood, and in which
order they came.
"""

# ruff: noqa: PLR2004 - shares of calls by hand; each stands once, beside what it does

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backstop.demo.league.outcomes import INTENT_WALK, TRUNCATED
from backstop.demo.league.play import Plays
from backstop.demo.league.talent import BB, HBP, LEAGUE, K, talents

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Rows = dict[str, NDArray[Any]]
"""Columns of one row per pitch: pa (its plate appearance), number, last, balls, strikes, call."""

CALLS: Final = (
    "ball", "blocked_ball", "called_strike", "swinging_strike", "swinging_strike_blocked", "foul", "foul_tip",
    "hit_into_play", "hit_by_pitch", "automatic_ball", "automatic_strike",
)  # fmt: skip
BALL, BLOCKED, CALLED, SWINGING, SWINGING_BLOCKED, FOUL, TIP, IN_PLAY, HIT_BY, AUTO_BALL, AUTO_STRIKE = range(
    len(CALLS)
)

SWINGS: Final = (SWINGING, SWINGING_BLOCKED, FOUL, TIP, IN_PLAY)
BALLS: Final = (BALL, BLOCKED, HIT_BY, AUTO_BALL)
AUTOMATIC: Final = (AUTO_BALL, AUTO_STRIKE)

_BALLS_AT_END: Final = np.array([0.36, 0.30, 0.21, 0.13])
_STRIKES_AT_END: Final = np.array([0.32, 0.31, 0.37])


def rows(plays: Plays, rng: np.random.Generator) -> Rows:
    """Lay out the pitches of every plate appearance: which strikes and balls came in which order."""
    event = plays["event"]
    size = len(event)
    balls = rng.choice(4, size, p=_BALLS_AT_END)
    strikes = rng.choice(3, size, p=_STRIKES_AT_END)
    walk, fan, given = event == BB, event == K, event == INTENT_WALK
    balls = np.where(walk, 3, np.where(given, 3, balls))
    strikes = np.where(fan, 2, np.where(given, 0, strikes))
    short = event == TRUNCATED
    balls, strikes = (
        np.where(short, rng.integers(0, 2, size), balls),
        np.where(short, rng.integers(0, 2, size), strikes),
    )
    fouls = np.where((strikes == 2) & ~short, np.minimum(rng.geometric(0.62, size) - 1, 6), 0)
    count = balls + strikes + fouls + 1
    pa = np.repeat(np.arange(size), count)
    number = np.arange(len(pa)) - np.repeat(np.cumsum(count) - count, count) + 1
    last = number == count[pa]
    # first strikes, then fouls with two strikes, then balls, then the end; a random key puts them in order
    part = np.where(number <= strikes[pa], 0, np.where(number <= (strikes + fouls)[pa], 1, 2))
    key = rng.random(len(pa))
    second = np.zeros(size)
    np.maximum.at(second, pa[part == 0], key[part == 0])
    key = np.where(part == 1, second[pa] + (1 - second[pa]) * key, key)
    key = np.where(last, 2.0, key)
    order = np.lexsort((key, pa))
    part, last = part[order], last[order]
    before = _before(part, last, pa, number)
    return (
        {"pa": pa, "number": number, "last": last, "part": part} | before | {"call": _calls(part, last, pa, plays, rng)}
    )


def _before(part: Ints, last: Flags, pa: Ints, number: Ints) -> Rows:
    """Return balls and strikes before each pitch."""
    ball, strike = (part == 2) & ~last, (part == 0) & ~last
    start = np.flatnonzero(number == 1)
    found = {}
    for name, flag in (("balls", ball), ("strikes", strike)):
        so_far = np.cumsum(flag) - flag
        found[name] = so_far - so_far[start][pa]
    return found


def _calls(part: Ints, last: Flags, pa: Ints, plays: Plays, rng: np.random.Generator) -> Ints:
    """Return the result of each pitch, an index of `CALLS`.

    Who strikes many out makes many miss before the third strike too: swinging strikes tell of him sooner.
    """
    u = rng.random(len(part))
    ball = np.where(u < 0.06, BLOCKED, np.where(u > 0.9985, AUTO_BALL, BALL))
    event, missed = plays["event"], 0.23 * _misses(plays)[pa]
    strike = np.select(
        [u < 0.40, u < 0.39 + missed, u < 0.40 + missed, u < 0.9985],
        [CALLED, SWINGING, SWINGING_BLOCKED, FOUL],
        AUTO_STRIKE,
    )
    third = np.select([u < 0.24, u < 0.90, u < 0.97], [CALLED, SWINGING, TIP], SWINGING_BLOCKED)
    call = np.select([part == 0, part == 1], [strike, FOUL], ball)
    ends = event[pa]
    finish = np.select(
        [ends == BB, ends == K, ends == HBP, ends == INTENT_WALK, ends == TRUNCATED],
        [np.where(ball == AUTO_BALL, BALL, ball), third, HIT_BY, AUTO_BALL, BALL],
        IN_PLAY,
    )
    return np.where(ends == INTENT_WALK, AUTO_BALL, np.where(last, finish, call))


def _misses(plays: Plays) -> NDArray[np.float64]:
    """Return how many more swings than usual miss, by the strikeout rates of pitcher and batter."""
    skills = talents()
    batter = skills.batting[plays["batter"], K] / LEAGUE[K]
    return np.asarray(np.clip(skills.pitching[plays["pitcher"], K] * batter, 0.3, 2.2))
