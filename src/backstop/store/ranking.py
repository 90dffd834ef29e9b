"""The best rows of a load: which they are is found in its frame, before or after they are serialised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np
import polars as pl

from backstop.store.kinds import ALL_MARKETS, TOP_OF_ALL, TOP_PER_MARKET
from backstop.store.queries import begun

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

    from numpy.typing import NDArray

    from backstop.store.kinds import Kind
    from backstop.store.queries import Answer

RANKED_ROWS: Final = 16_384
"""Rows that tell what a score must be at least: enough for hundreds of a market."""


class Ranked(NamedTuple):
    """The best rows of a market in one order.

    Attributes:
        order: Its name.
        market: Or all of them.
        rows: Where they are in the frame; in no order.
        scores: Their scores.
    """

    order: str
    market: str
    rows: NDArray[np.int64]
    scores: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Scores and markets of a frame, being read in another thread.

    Attributes:
        kind: Of the rows.
        frame: The rows, in any order.
        answer: What waits for it; `None` for a kind without orders.
    """

    kind: Kind
    frame: pl.DataFrame
    answer: Answer | None

    @classmethod
    def of(cls, kind: Kind, frame: pl.DataFrame, beside: Executor | None = None) -> Self:
        """Begin to read a frame."""
        if not kind.orders:
            return cls(kind, frame, None)
        # codes of this load alone: which number a market has does not matter
        market = pl.col("market").cast(pl.Categorical(pl.Categories.random())).to_physical()
        # a null would be made a NaN on the way to numpy as well, number by number
        scores = (pl.col(column).cast(pl.Float64).fill_null(math.nan).alias(order) for order, column in kind.orders)
        return cls(kind, frame, begun(frame.lazy().select(market, *scores), beside))

    def best(self) -> list[Ranked]:
        """Return the rows to keep ready; none without a score."""
        if self.answer is None:
            return []
        read = self.answer()
        markets = read.get_column("market")
        highest: Any = markets.max()
        count = 0 if highest is None else highest + 1
        codes = (markets.fill_null(count) if markets.null_count() else markets).to_numpy()
        orders = [(order, read.get_column(order).to_numpy()) for order, _ in self.kind.orders]
        return [some for order, scores in orders for some in self._ranked(order, scores, codes, count)]

    def _ranked(
        self, order: str, scores: NDArray[np.float64], codes: NDArray[np.uint32], count: int
    ) -> Iterator[Ranked]:
        candidates, names = _candidates(scores, codes, count), self.frame.get_column("market")
        markets = codes[candidates]
        # whoever is among the best of all is among as many of his market; a null is no market
        leading = [_leading(candidates[markets == code], scores, TOP_OF_ALL) for code in range(count + 1)]
        chosen = [
            (names[int(rows[0])], _leading(rows, scores, TOP_PER_MARKET)) for rows in leading[:count] if len(rows)
        ]
        chosen.append((ALL_MARKETS, _leading(np.concatenate(leading), scores, TOP_OF_ALL)))
        return (Ranked(order, market, rows, scores[rows]) for market, rows in chosen if len(rows))


def _candidates(scores: NDArray[np.float64], codes: NDArray[np.uint32], count: int) -> NDArray[np.int64]:
    """Return the rows with a score that may be among the best of their market: most fall short of what is known."""
    floors = np.full(count + 1, -np.inf)
    known = np.flatnonzero(~np.isnan(scores[:RANKED_ROWS]))
    some, seen = codes[known], scores[known]
    for code in range(count):
        mine = seen[some == code]
        if len(mine) > TOP_OF_ALL:
            floors[code] = np.partition(mine, -TOP_OF_ALL)[-TOP_OF_ALL]
    # nothing is more than a NaN, nor less
    return np.flatnonzero(scores >= floors.take(codes))


def _leading(rows: NDArray[np.int64], scores: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Return those of the rows with the highest scores, at most so many; in no order."""
    return rows if len(rows) <= count else rows[np.argpartition(scores[rows], -count)[-count:]]
