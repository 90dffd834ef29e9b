"""Games played plate appearance by plate appearance, all of them at once.

A step of the loop is one plate appearance of every game that still runs; the state of a game is a row of arrays. The
same function plays the season and, some thousand times over, the days whose true probabilities are asked for.
"""

# ruff: noqa: PLR2004 - three outs, nine places, three bases

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backstop.demo.league import talent
from backstop.demo.league.outcomes import (
    ERROR,
    GIDP,
    INTENT_WALK,
    NOBODY,
    OUTS_MADE,
    TRUNCATED,
    Flags,
    Ints,
    ball,
    outs_in_detail,
)
from backstop.demo.league.runners import Moves
from backstop.demo.league.talent import BB, DOUBLE, HBP, HOMER, OUT, SINGLE, TRIPLE

LAST_MAN: Final = 1
"""A pitcher who is meant to face no more than this many batters does not begin another inning."""

RELIEVED_MID_INNING: Final = -1
"""Batters beyond his plan after which a pitcher is taken out in the middle of an inning."""

COST_OF_A_RUN: Final = 0.5
"""Batters by which a run shortens the plan: whoever is hit hard goes early.

With these three two thirds of the starts end with the inning, at 15 outs one in five, and longer starts are the better
ones, as in the major leagues of 2025 (66 %, 20.5 %; correlation of batters faced and outs per batter .13).
"""

STARTER_SPREAD: Final = 3.2
RELIEVER_SPREAD: Final = 1.0
"""Standard deviation of the plan in batters; the major leagues' starters vary by 3.1 around their own mean."""

REGULATION: Final = 9
NEVER: Final = 99
INTENT: Final = 0.10
"""Share of walks with first base open and somebody on that are intentional."""


@dataclass(frozen=True, slots=True)
class Cards:
    """Line-up cards of games, one row per game; sides are 0 away, 1 home; players by `Player.index`.

    Attributes:
        club: (games, 2) index of the club.
        lineup: (games, 2, 9) batting order.
        starter: (games, 2) starting pitcher.
        bullpen: (games, 2, n) relievers in the order of their coming.
        substitute: (games, 2, n) who comes in late; `NOBODY` for nobody.
        substitute_place: (games, 2, n) for which place of the order, 0-8.
        substitute_inning: (games, 2, n) from which inning on.
    """

    club: Ints
    lineup: Ints
    starter: Ints
    bullpen: Ints
    substitute: Ints
    substitute_place: Ints
    substitute_inning: Ints

    def repeated(self, times: int) -> Cards:
        """Return every card `times` times over, game by game."""
        return Cards(*(np.repeat(getattr(self, name), times, axis=0) for name in self.__dataclass_fields__))


@dataclass(frozen=True, slots=True)
class Plays:
    """Plate appearances, one row each, in the order in which they were played in a game.

    Columns: game, number (from 1), inning, half (0 top, 1 bottom), batter, pitcher, event (index of `EVENTS`), bb_type,
    outs (before), on (rows of three runners before the first pitch), stole (runner who tries to steal second, or
    `NOBODY`), caught, away_score, home_score (before), runs, rbi, scored (rows of four players), charged (rows of four
    pitchers), earned (rows of four flags), outs_made (on the play itself).
    """

    columns: dict[str, NDArray[Any]]

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column."""
        return self.columns[name]


def play(cards: Cards, rng: np.random.Generator) -> Plays:
    """Play every game to its end.

    Args:
        cards: Who plays.
        rng: The only source of chance.

    Returns:
        The plate appearances, sorted by game and number.
    """
    table = _Table(cards, rng)
    steps = []
    while table.running.any():
        steps.append(table.step())
    columns = {name: np.concatenate([step[name] for step in steps]) for name in steps[0]}
    order = np.lexsort((columns["number"], columns["game"]))
    return Plays({name: values[order] for name, values in columns.items()})


class _Table:
    """The state of all games."""

    def __init__(self, cards: Cards, rng: np.random.Generator) -> None:
        games = len(cards.club)
        self.cards, self.rng, self.talents = cards, rng, talent.talents()
        self.lineup = cards.lineup.copy()
        self.running = np.ones(games, dtype=bool)
        self.number = np.zeros(games, dtype=np.int64)
        self.inning = np.ones(games, dtype=np.int64)
        self.half = np.zeros(games, dtype=np.int64)
        self.outs = np.zeros(games, dtype=np.int64)
        self.on = np.full((games, 3), NOBODY)
        self.charge = np.full((games, 3), NOBODY)
        self.clean = np.ones((games, 3), dtype=bool)
        self.score = np.zeros((games, 2), dtype=np.int64)
        self.place = np.zeros((games, 2), dtype=np.int64)
        self.pitcher = cards.starter.copy()
        self.called = np.zeros((games, 2), dtype=np.int64)
        self.faced = np.zeros((games, 2), dtype=np.int64)
        self.left = self._plan(cards.starter, STARTER_SPREAD)
        self.park = np.array([talent.factors(club) for club in range(int(cards.club.max()) + 1)])

    def _plan(self, pitchers: Ints, spread: float) -> talent.Rates:
        """Draw how many batters pitchers are meant to face."""
        mean = self.talents.stamina[pitchers]
        drawn = np.rint(mean + spread * self.rng.standard_normal(pitchers.shape))
        return np.clip(drawn, LAST_MAN + 1, 33)

    def step(self) -> dict[str, NDArray[Any]]:
        """Play one plate appearance in every running game and return its row."""
        g = np.flatnonzero(self.running)
        side, field = self.half[g], 1 - self.half[g]
        self._relieve(g, field)
        self._substitute(g, side)
        self.number[g] += 1
        batter = self.lineup[g, side, self.place[g, side]]
        pitcher = self.pitcher[g, field]
        row: dict[str, NDArray[Any]] = {
            "game": g, "number": self.number[g].copy(), "inning": self.inning[g].copy(), "half": side.copy(),
            "batter": batter, "pitcher": pitcher, "outs": self.outs[g].copy(), "on": self.on[g].copy(),
            "away_score": self.score[g, 0].copy(), "home_score": self.score[g, 1].copy(),
        }  # fmt: skip
        row["stole"], row["caught"] = self._steal(g)
        cut_short = self.outs[g] == 3
        event = self._draw(g, batter, pitcher, side, field)
        event[cut_short] = TRUNCATED
        row |= self._resolve(g, batter, pitcher, event)
        row["event"] = event
        done = ~cut_short
        self.faced[g[done], field[done]] += 1
        self.left[g[done], field[done]] -= 1
        self.place[g[done], side[done]] = (self.place[g[done], side[done]] + 1) % 9
        self._end_halves(g)
        return row

    def _relieve(self, g: Ints, field: Ints) -> None:
        left = self.left[g, field]
        fresh = (self.outs[g] == 0) & (self.on[g] == NOBODY).all(axis=1)
        change = ((left <= LAST_MAN) & fresh) | (left <= RELIEVED_MID_INNING)
        gc, fc = g[change], field[change]
        depth = self.cards.bullpen.shape[2]
        self.pitcher[gc, fc] = self.cards.bullpen[gc, fc, np.minimum(self.called[gc, fc], depth - 1)]
        last = self.called[gc, fc] >= depth - 1
        self.called[gc, fc] += 1
        self.faced[gc, fc] = 0
        # the last man of the bullpen stays to the end
        self.left[gc, fc] = np.where(last, NEVER, self._plan(self.pitcher[gc, fc], RELIEVER_SPREAD))

    def _substitute(self, g: Ints, side: Ints) -> None:
        cards, place = self.cards, self.place[g, side]
        for number in range(cards.substitute.shape[2]):
            who = cards.substitute[g, side, number]
            due = (who != NOBODY) & (place == cards.substitute_place[g, side, number])
            due &= self.inning[g] >= cards.substitute_inning[g, side, number]
            self.lineup[g[due], side[due], place[due]] = who[due]

    def _steal(self, g: Ints) -> tuple[Ints, Flags]:
        runner = self.on[g, 0]
        free = (runner != NOBODY) & (self.on[g, 1] == NOBODY)
        goes = free & (self.rng.random(len(g)) < self.talents.steals[runner])
        caught = goes & (self.rng.random(len(g)) >= talent.STEAL_SUCCEEDS)
        safe = goes & ~caught
        for state, nobody in ((self.on, NOBODY), (self.charge, NOBODY), (self.clean, True)):
            state[g[safe], 1] = state[g[safe], 0]
            state[g[goes], 0] = nobody
        self.outs[g[caught]] += 1
        return np.where(goes, runner, NOBODY), caught

    def _draw(self, g: Ints, batter: Ints, pitcher: Ints, side: Ints, field: Ints) -> Ints:
        rates = talent.probabilities(
            batter,
            pitcher,
            self.park[self.cards.club[g, 1]],
            side == 1,
            self.faced[g, field] // 9,
        )
        drawn = (self.rng.random((len(g), 1)) > np.cumsum(rates, axis=1)).sum(axis=1)
        event = np.minimum(drawn, OUT)
        chance = (self.on[g, 0] == NOBODY) & (self.on[g, 1:] != NOBODY).any(axis=1)
        intent = (event == BB) & chance & (self.rng.random(len(g)) < INTENT)
        return np.where(intent, INTENT_WALK, event)

    def _resolve(self, g: Ints, batter: Ints, pitcher: Ints, event: Ints) -> dict[str, NDArray[Any]]:
        """Move the runners, count outs and runs, and write the play's kind into `event`."""
        u = self.rng.random((len(g), 6))
        kind = ball(event, u[:, 0])
        outs_in_detail(event, kind, self.on[g] != NOBODY, self.outs[g], u)
        moves = Moves(self.on[g], self.charge[g], self.clean[g], batter, pitcher)
        moves.walk(np.isin(event, (BB, HBP, INTENT_WALK)))
        moves.single(np.isin(event, (SINGLE,)), u)
        moves.double(event == DOUBLE, u)
        moves.triple(event == TRIPLE)
        moves.homer(event == HOMER)
        made = OUTS_MADE[event]
        alive = self.outs[g] + made < 3
        moves.out(event, kind, alive, u)
        self._cap_walk_offs(g, event, moves)
        ends = self.outs[g] + made >= 3
        no_run = ends & ~np.isin(event, (SINGLE, DOUBLE, TRIPLE, HOMER))
        moves.forget(no_run)
        self.on[g], self.charge[g], self.clean[g] = moves.on, moves.charge, moves.clean
        self.outs[g] += made
        runs = (moves.scored != NOBODY).sum(axis=1)
        self.score[g, self.half[g]] += runs
        self.left[g, 1 - self.half[g]] -= COST_OF_A_RUN * runs
        rbi = np.where(np.isin(event, (GIDP, ERROR)), 0, runs)
        return {
            "bb_type": kind, "runs": runs, "rbi": rbi, "scored": moves.scored, "charged": moves.charged,
            "earned": moves.earned, "outs_made": made,
        }  # fmt: skip

    def _cap_walk_offs(self, g: Ints, event: Ints, moves: Moves) -> None:
        """Stop counting once the home club leads in its last inning, except for home runs."""
        needed = self.score[g, 0] - self.score[g, 1] + 1
        last = (self.half[g] == 1) & (self.inning[g] >= REGULATION) & (event != HOMER)
        order = np.cumsum(moves.scored != NOBODY, axis=1)
        moves.scored[last[:, None] & (order > needed[:, None])] = NOBODY

    def _end_halves(self, g: Ints) -> None:
        late = self.inning[g] >= REGULATION
        walked_off = late & (self.half[g] == 1) & (self.score[g, 1] > self.score[g, 0])
        self.running[g[walked_off]] = False
        over = (self.outs[g] >= 3) & ~walked_off
        bottom = over & (self.half[g] == 1)
        settled = (
            over
            & late
            & np.where(self.half[g] == 0, self.score[g, 1] > self.score[g, 0], self.score[g, 1] != self.score[g, 0])
        )
        self.running[g[settled]] = False
        self.inning[g[bottom]] += 1
        changing = g[over]
        self.half[changing] = 1 - self.half[changing]
        self.outs[changing] = 0
        self.on[changing], self.charge[changing], self.clean[changing] = NOBODY, NOBODY, True
        extra = changing[self.inning[changing] > REGULATION]
        side = self.half[extra]
        # in extra innings the last batter of the inning before begins on second, and his run is unearned
        self.on[extra, 1] = self.lineup[extra, side, (self.place[extra, side] - 1) % 9]
        self.charge[extra, 1] = self.pitcher[extra, 1 - side]
        self.clean[extra, 1] = False
