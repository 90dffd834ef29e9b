"""Runners of simulated games: who stands where after a play, who scored, and whose run it was."""

from __future__ import annotations

import numpy as np

from backstop.demo.league import talent
from backstop.demo.league.outcomes import ERROR, FORCE_OUT, GIDP, GROUND, NOBODY, SAC_BUNT, SAC_FLY, Flags, Ints
from backstop.demo.league.talent import OUT

SECOND_SCORES, FIRST_TO_THIRD, FIRST_SCORES, GROUNDER_SCORES = 0.62, 0.28, 0.42, 0.45
"""Shares of singles, singles, doubles and grounders on which a runner takes the base more."""


class Moves:
    """Runners on their way: who stands where after the play, and who scored."""

    def __init__(self, on: Ints, charge: Ints, clean: Flags, batter: Ints, pitcher: Ints) -> None:
        self.on, self.charge, self.clean = on.copy(), charge.copy(), clean.copy()
        self.batter, self.pitcher = batter, pitcher
        rows = len(batter)
        self.scored, self.charged = np.full((rows, 4), NOBODY), np.full((rows, 4), NOBODY)
        self.earned = np.zeros((rows, 4), dtype=bool)

    def walk(self, mask: Flags) -> None:
        """Everybody who is forced moves up."""
        first = mask & (self.on[:, 0] != NOBODY)
        second = first & (self.on[:, 1] != NOBODY)
        self._score(second & (self.on[:, 2] != NOBODY), 2)
        self._move(second, 1, 2)
        self._move(first, 0, 1)
        self._bat(mask, 0)

    def single(self, mask: Flags, u: talent.Rates) -> None:
        """Third scores, second usually, first moves one or two."""
        self._score(mask, 2)
        self._score(mask & (u[:, 1] < SECOND_SCORES), 1)
        self._move(mask, 1, 2)
        self._move(mask & (self.on[:, 2] == NOBODY) & (u[:, 2] < FIRST_TO_THIRD), 0, 2)
        self._move(mask, 0, 1)
        self._bat(mask, 0)

    def double(self, mask: Flags, u: talent.Rates) -> None:
        """Third and second score, first often."""
        self._score(mask, 2)
        self._score(mask, 1)
        self._score(mask & (u[:, 1] < FIRST_SCORES), 0)
        self._move(mask, 0, 2)
        self._bat(mask, 1)

    def triple(self, mask: Flags) -> None:
        """Everybody scores."""
        for base in (2, 1, 0):
            self._score(mask, base)
        self._bat(mask, 2)

    def homer(self, mask: Flags) -> None:
        """Everybody scores, and the batter."""
        for base in (2, 1, 0):
            self._score(mask, base)
        self.scored[mask, 3], self.charged[mask, 3], self.earned[mask, 3] = self.batter[mask], self.pitcher[mask], True

    def out(self, event: Ints, kind: Ints, alive: Flags, u: talent.Rates) -> None:
        """Move runners on outs and errors; without `alive` the inning is over and nobody moves."""
        error = event == ERROR
        self._score(error, 2)
        self._move(error, 1, 2)
        self._move(error, 0, 1)
        self._bat(error, 0, clean=False)
        self._score((event == SAC_FLY) & alive, 2)
        self._move((event == SAC_BUNT) & alive, 0, 1)
        grounder = (event == OUT) & (kind == GROUND) & alive
        self._score(grounder & (u[:, 5] < GROUNDER_SCORES), 2)
        self._move(grounder & (self.on[:, 2] == NOBODY) & (u[:, 4] > GROUNDER_SCORES), 1, 2)
        double, forced = event == GIDP, event == FORCE_OUT
        self._clear(double | forced, 0)
        self._score((double | forced) & alive, 2)
        self._move((double | forced) & alive, 1, 2)
        self._bat(forced, 0)

    def forget(self, mask: Flags) -> None:
        """Let nobody score where the third out came first."""
        self.scored[mask], self.charged[mask], self.earned[mask] = NOBODY, NOBODY, False

    def _score(self, mask: Flags, base: int) -> None:
        goes = mask & (self.on[:, base] != NOBODY)
        slot = 2 - base
        self.scored[goes, slot], self.charged[goes, slot] = self.on[goes, base], self.charge[goes, base]
        self.earned[goes, slot] = self.clean[goes, base]
        self._clear(goes, base)

    def _move(self, mask: Flags, start: int, end: int) -> None:
        goes = mask & (self.on[:, start] != NOBODY)
        for state in (self.on, self.charge, self.clean):
            state[goes, end] = state[goes, start]
        self._clear(goes, start)

    def _clear(self, mask: Flags, base: int) -> None:
        self.on[mask, base], self.charge[mask, base], self.clean[mask, base] = NOBODY, NOBODY, True

    def _bat(self, mask: Flags, base: int, *, clean: bool = True) -> None:
        self.on[mask, base], self.charge[mask, base], self.clean[mask, base] = (
            self.batter[mask],
            self.pitcher[mask],
            clean,
        )
