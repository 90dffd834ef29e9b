"""Adjusts projections to the state of a game, in closed form: the score so far and the plate appearances left.

Talent is not updated in a game: doing so was measured to hurt (docs/model.md).

    P(final > L | state) = 1 if c > L, else 1 - sum over r of P(R = r) * P(PoissonBinomial(q_1 .. q_r) <= L - c)
"""

from __future__ import annotations

import numpy as np

from backstop.props.kernel import Floats, count_distribution

PLACES = 9


def team_turns_left(outs_left: Floats, out_rate: Floats, most: int) -> Floats:
    """Return P(the side still bats at least n times), n = 0..most (negative binomial: one chance of an out per turn).

    Args:
        outs_left: Outs the side still has, 0 or more.
        out_rate: Chance of an out per plate appearance.
        most: Turns that are followed.
    """
    outs = np.asarray(outs_left, dtype=np.int64)
    rows = len(outs)
    made = np.zeros((rows, int(outs.max(initial=0)) + 1))
    made[:, 0] = 1.0
    reach = np.zeros((rows, most + 1))
    limit = np.arange(made.shape[1])[None, :] < outs[:, None]
    for n in range(most + 1):
        alive = np.where(limit, made, 0.0)
        reach[:, n] = 1.0 if n == 0 else alive.sum(axis=1)
        out = alive * np.asarray(out_rate)[:, None]
        made = alive - out
        made[:, 1:] += out[:, :-1]
    first = outs > 0
    reach[:, 1:] = np.where(first[:, None], np.concatenate([np.ones((rows, 1)), reach[:, 1:-1]], axis=1), 0.0)
    return reach


def turns_left(slot: Floats, next_slot: Floats, team_reach: Floats, stay: Floats, most: int) -> Floats:
    """Return P(a batter still comes up exactly r times), r = 0..most.

    P(R >= t + 1) = P(team turns left >= g + 9t + 1) * stay^t with the gap g = (slot - next slot) mod 9.

    Args:
        slot: The batter's place.
        next_slot: The place that bats next.
        team_reach: Result of `team_turns_left`.
        stay: Chance that he is still in the game a time through later.
        most: Turns that are followed.
    """
    gap = (np.asarray(slot, dtype=np.int64) - np.asarray(next_slot, dtype=np.int64)) % PLACES
    rows = np.arange(len(gap))
    reach = np.ones((len(gap), most + 2))
    for t in range(most + 1):
        needed = gap + PLACES * t + 1
        there = needed < team_reach.shape[1]
        chance = np.where(there, team_reach[rows, np.minimum(needed, team_reach.shape[1] - 1)], 0.0)
        reach[:, t + 1] = chance * np.asarray(stay) ** t
    reach[:, most + 1] = 0.0
    return reach[:, :-1] - reach[:, 1:]


def over(counted: Floats, line: Floats, chance: Floats, left: Floats) -> Floats:
    """Return P(final count > line) given what is counted already.

    Args:
        counted: Count so far.
        line: Points.
        chance: Chance of one more at each coming try, (rows, K).
        left: P(tries left = r), r = 0..K, (rows, K + 1).
    """
    further = count_distribution(chance, left, chance.shape[1])
    needed = np.floor(line).astype(np.int64) + 1 - np.asarray(counted, dtype=np.int64)
    missing = np.arange(further.shape[1])[None, :] >= needed[:, None]
    return np.where(needed <= 0, 1.0, np.minimum((further * missing).sum(axis=1), 1.0))


def batters_left(faced_pmf: Floats, faced: Floats) -> Floats:
    """Return P(a starter who is still in faces exactly r more), r = 0..: P(BF = b | BF > faced).

    Args:
        faced_pmf: P(batters faced = b) before the game, (rows, most + 1).
        faced: Batters faced so far; he stays for at least one more. Beyond the distribution's end he faces one more.
    """
    rows, size = faced_pmf.shape
    out = np.zeros_like(faced_pmf)
    for row in range(rows):
        so_far = int(faced[row])
        rest = faced_pmf[row, so_far + 1 :]
        if rest.sum() > 0:
            out[row, 1 : 1 + len(rest)] = rest / rest.sum()
        else:
            out[row, min(1, size - 1)] = 1.0
    return out
