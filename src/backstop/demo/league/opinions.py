"""What a well-informed book thinks of the props of a game: the true talent put through plain formulas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from backstop.demo.league import talent
from backstop.demo.league.play import Cards
from backstop.demo.league.talent import BB, DOUBLE, HBP, HOMER, SINGLE, TRIPLE, K

Floats = NDArray[np.float64]
Opinion = tuple[int, str, float, float]

PA_AT_LEAST_4: Final = (0.956, 0.962, 0.947, 0.918, 0.874, 0.824, 0.758, 0.673, 0.606)
PA_AT_LEAST_5: Final = (0.560, 0.480, 0.395, 0.311, 0.240, 0.184, 0.134, 0.092, 0.070)
"""By place in the batting order, over 4,200 simulated games."""

BF_SPREAD: Final = 3.3
BF_SHORT_OF_PLAN: Final = 0.7
"""Batters by which a starter falls short of his plan: the runs that he allows cost more than a finished inning adds."""

OUTS_SPREAD: Final = 3.4
TIMES_THROUGH: Final = (9, 9, 4)
"""Of the twenty-two batters whom a starter faces, those of his first, second and third time through the order."""

HITS: Final = (SINGLE, DOUBLE, TRIPLE, HOMER)
FURTHER: Final[dict[str, tuple[tuple[int, ...], tuple[float, ...]]]] = {
    "batter_hits": (HITS, (2.5, 3.5)),
    "batter_total_bases": (HITS, (0.5, 2.5, 3.5, 4.5)),
    "batter_home_runs": ((HOMER,), (1.5,)),
    "batter_strikeouts": ((K,), (1.5, 2.5)),
    "batter_walks": ((BB,), (1.5,)),
}
"""What counts in a batter's market, and the lines besides the main ones."""

FURTHER_OF_STARTERS: Final = (-3.0, -2.0, 1.0, 2.0, 3.0)
"""Lines besides the main ones, from the middle one."""


class Turns(NamedTuple):
    """The turns of one batter: outcome rates of the first five, and how likely three, four and five of them are."""

    batter: int
    place: int
    rates: Floats
    share: Floats


class Start(NamedTuple):
    """A starting pitcher: rates per batter, the mean of the batters faced, and how likely each number of them is."""

    pitcher: int
    rates: Floats
    mean: float
    faced: NDArray[np.int64]
    weight: Floats


def opinions_of(cards: Cards, game: int) -> pl.DataFrame:
    """Return the main lines of a game: player (index), market, point, over (probability)."""
    rows: list[Opinion] = []
    for side in (0, 1):
        for turns in _turns(cards, game, side):
            rows += _of_batter(turns)
        rows += _of_starter(_start(cards, game, side))
    return _frame(rows)


def further_of(cards: Cards, game: int) -> pl.DataFrame:
    """Return the other lines of the same markets, in the same columns."""
    rows: list[Opinion] = []
    for side in (0, 1):
        for turns in _turns(cards, game, side):
            rows += _further_of_batter(turns)
        start = _start(cards, game, side)
        for market, rate in _counted(start.rates):
            middle = _middle(start, rate)
            lines = [line for step in FURTHER_OF_STARTERS if (line := middle + step) > 0]
            rows += _lines(start, market, rate, lines)
    return _frame(rows)


def _frame(rows: list[Opinion]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["player", "market", "point", "over"], orient="row")


def _turns(cards: Cards, game: int, side: int) -> Iterator[Turns]:
    lineup = cards.lineup[game, side]
    starter, bullpen = cards.starter[game, 1 - side], cards.bullpen[game, 1 - side]
    park = talent.factors(int(cards.club[game, 1]))
    first, second, third = (_rates(lineup, np.full(9, starter), park, side, times) for times in range(3))
    relief = np.mean([_rates(lineup, np.full(9, arm), park, side, 0) for arm in bullpen], axis=0)
    for place, batter in enumerate(lineup.tolist()):
        rates = np.stack(
            [first[place], second[place], 0.75 * third[place] + 0.25 * relief[place], relief[place], relief[place]]
        )
        share = np.array([1 - PA_AT_LEAST_4[place], PA_AT_LEAST_4[place] - PA_AT_LEAST_5[place], PA_AT_LEAST_5[place]])
        yield Turns(batter, place, rates, share)


def _of_batter(turns: Turns) -> list[Opinion]:
    batter, share = turns.batter, turns.share
    hit = turns.rates[:, HITS]
    return [
        (batter, "batter_hits", 0.5, _at_least(hit.sum(axis=1), share, 1)),
        (batter, "batter_hits", 1.5, _at_least(hit.sum(axis=1), share, 2)),
        (batter, "batter_total_bases", 1.5, _total_bases_over_one(hit, share)),
        (batter, "batter_home_runs", 0.5, _at_least(turns.rates[:, HOMER], share, 1)),
        (batter, "batter_strikeouts", 0.5, _at_least(turns.rates[:, K], share, 1)),
        (batter, "batter_walks", 0.5, _at_least(turns.rates[:, BB], share, 1)),
    ]


def _further_of_batter(turns: Turns) -> list[Opinion]:
    rows: list[Opinion] = []
    for market, (classes, lines) in FURTHER.items():
        chances = turns.rates[:, classes]
        bases = market == "batter_total_bases"
        exactly = count_of(chances if bases else chances.sum(axis=1, keepdims=True), turns.share)
        rows += [(turns.batter, market, line, float(exactly[int(line) + 1 :].sum())) for line in lines]
    return rows


def count_of(chances: Floats, share: Floats) -> Floats:
    """Return how likely each sum over a batter's turns is.

    Args:
        chances: Of one, of two, ... counted in a turn; one row per turn.
        share: Chance of three, four and five turns.
    """
    exactly = np.ones(1)
    total = np.zeros(len(chances) * chances.shape[1] + 1)
    for turn, row in enumerate(chances, start=1):
        exactly = np.convolve(exactly, np.concatenate([[1 - row.sum()], row]))
        if turn >= 3:  # noqa: PLR2004 - the fewest turns of a batter who starts
            total[: len(exactly)] += share[turn - 3] * exactly
    return total


def _rates(batters: NDArray[np.int64], arms: NDArray[np.int64], park: Floats, side: int, times: int) -> Floats:
    rows = len(batters)
    return talent.probabilities(batters, arms, np.tile(park, (rows, 1)), np.full(rows, side == 1), np.full(rows, times))


def _at_least(chance: Floats, share: Floats, count: int) -> float:
    """Return P(at least 1 or 2 successes) over three, four or five turns."""
    total = 0.0
    for turns, weight in zip((3, 4, 5), share, strict=True):
        none = np.prod(1 - chance[:turns])
        one = none * np.sum(chance[:turns] / (1 - chance[:turns]))
        total += weight * (1 - none - (one if count > 1 else 0))
    return float(total)


def _total_bases_over_one(hit: Floats, share: Floats) -> float:
    total = 0.0
    for turns, weight in zip((3, 4, 5), share, strict=True):
        some, single = hit[:turns].sum(axis=1), hit[:turns, 0]
        none = np.prod(1 - some)
        total += weight * (1 - none - none * np.sum(single / (1 - some)))
    return float(total)


def _start(cards: Cards, game: int, side: int) -> Start:
    starter, lineup = int(cards.starter[game, side]), cards.lineup[game, 1 - side]
    park = talent.factors(int(cards.club[game, 1]))
    turns = [_rates(lineup, np.full(9, starter), park, 1 - side, times) for times in range(3)]
    rates = np.average(turns, axis=0, weights=TIMES_THROUGH).mean(axis=0)
    mean = float(talent.talents().stamina[starter]) - BF_SHORT_OF_PLAN
    faced = np.arange(9, 34)
    weight = np.exp(-(((faced - mean) / BF_SPREAD) ** 2) / 2)
    return Start(starter, rates, mean, faced, weight / weight.sum())


def _counted(rates: Floats) -> tuple[tuple[str, Any], ...]:
    return ("pitcher_strikeouts", rates[K]), ("pitcher_hits_allowed", rates[list(HITS)].sum())


def _middle(start: Start, rate: float) -> float:
    return float(np.floor(start.mean * rate) + 0.5)


def _of_starter(start: Start) -> list[Opinion]:
    rates = start.rates
    rows: list[Opinion] = []
    for market, rate in _counted(rates):
        middle = _middle(start, rate)
        rows += _lines(start, market, rate, (middle - 1, middle))
    outs = start.mean * (1 - rates[list(HITS)].sum() - rates[BB] - rates[HBP]) * 1.03
    line = float(np.floor(outs) + 0.5)
    rows.append((start.pitcher, "pitcher_outs", line, float(logistic((outs - line) / OUTS_SPREAD * 1.7))))
    return rows


def _lines(start: Start, market: str, rate: float, lines: Iterable[float]) -> list[Opinion]:
    return [
        (start.pitcher, market, float(line), _binomial_over(start.faced, start.weight, float(rate), float(line)))
        for line in lines
    ]


def _binomial_over(faced: NDArray[np.int64], weight: Floats, rate: float, line: float) -> float:
    top = int(line)
    total = np.zeros(len(faced))
    term = (1 - rate) ** faced.astype(float)
    for count in range(top + 1):
        total += term
        term = term * (faced - count) / (count + 1) * rate / (1 - rate)
    return float(1 - np.sum(weight * total))


def logit(p: Any) -> Any:
    """Return the log odds of probabilities, those of 1e-4 and 1 - 1e-4 at the ends."""
    return np.log(np.clip(p, 1e-4, 1 - 1e-4) / (1 - np.clip(p, 1e-4, 1 - 1e-4)))


def logistic(x: Any) -> Any:
    """Return the probabilities of log odds."""
    return 1 / (1 + np.exp(-x))
