"""How simulated plate appearances end: the vocabulary, and what becomes of plain outs."""

# ruff: noqa: PLR2004 - shares by hand; two outs

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from backstop.demo.league import talent
from backstop.demo.league.talent import OUT, SINGLE, K

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

EVENTS: Final = (
    "strikeout", "walk", "hit_by_pitch", "single", "double", "triple", "home_run", "field_out",
    "intent_walk", "force_out", "grounded_into_double_play", "sac_fly", "sac_bunt", "field_error", "truncated_pa",
)  # fmt: skip
"""What a plate appearance may end with; the first eight in the order of `talent.CLASSES`."""

INTENT_WALK, FORCE_OUT, GIDP, SAC_FLY, SAC_BUNT, ERROR, TRUNCATED = range(8, 15)
BB_TYPES: Final = ("ground_ball", "fly_ball", "line_drive", "popup", "")
GROUND, FLY, LINE, POPUP, NOT_IN_PLAY = range(5)
NOBODY: Final = -1

_TYPE_SHARES: Final = np.array(
    [
        [0.42, 0.08, 0.47, 0.03],  # single
        [0.14, 0.32, 0.54, 0.00],  # double
        [0.05, 0.50, 0.45, 0.00],  # triple
        [0.00, 0.88, 0.12, 0.00],  # home run
        [0.45, 0.31, 0.12, 0.12],  # out
    ]
)
_DOUBLE_PLAY, _FORCED, _FLY_SCORES, _ERROR, _BUNT = 0.48, 0.35, 0.62, 0.018, 0.04

OUTS_MADE: Final = np.array([1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 2, 1, 1, 0, 0])
"""By the index of `EVENTS`."""


def ball(event: Ints, u: talent.Rates) -> Ints:
    """Draw how a ball in play left the bat; `NOT_IN_PLAY` for the others."""
    row = np.clip(event - SINGLE, 0, len(_TYPE_SHARES) - 1)
    drawn = (u[:, None] > np.cumsum(_TYPE_SHARES[row], axis=1)).sum(axis=1)
    return np.where((event >= SINGLE) & (event <= OUT), np.minimum(drawn, POPUP), NOT_IN_PLAY)


def outs_in_detail(event: Ints, kind: Ints, on: Flags, outs: Ints, u: talent.Rates) -> None:
    """Turn plain outs into errors, double plays, force outs, flies and bunts where the bases allow it."""
    out, first = event == OUT, on[:, 0]
    error = out & (u[:, 1] < _ERROR)
    bunt = out & ~error & first & ~on[:, 1] & ~on[:, 2] & (outs == 0) & (u[:, 2] < _BUNT)
    rest = out & ~error & ~bunt
    double = rest & (kind == GROUND) & first & (outs < 2) & (u[:, 3] < _DOUBLE_PLAY)
    forced = rest & (kind == GROUND) & first & ~double & (u[:, 4] < _FORCED)
    fly = rest & (kind == FLY) & on[:, 2] & (outs < 2) & (u[:, 5] < _FLY_SCORES)
    for mask, what in ((error, ERROR), (bunt, SAC_BUNT), (double, GIDP), (forced, FORCE_OUT), (fly, SAC_FLY)):
        event[mask] = what
    kind[bunt | (error & (kind == POPUP))] = GROUND


assert EVENTS[K] == "strikeout" and EVENTS[OUT] == "field_out"  # noqa: S101, PT018 - the two vocabularies share their start
