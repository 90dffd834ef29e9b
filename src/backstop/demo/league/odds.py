"""Odds of simulated books: what they think of a prop, their margin, and when they changed their mind.

A book's opinion is the true talent put through a plain formula, an error that all books share, and one of its own. Some
books quote one side only, some leave prices up after the first pitch.
"""

# ruff: noqa: PLR2004 - American odds turn at 100 and at even chances

from __future__ import annotations

import datetime as dt
import hashlib
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from backstop.demo.league import talent
from backstop.demo.league.calendar import Fixture
from backstop.demo.league.people import players
from backstop.demo.league.play import Cards, probabilities
from backstop.demo.league.talent import BB, DOUBLE, HBP, HOMER, SINGLE, TRIPLE, K
from backstop.demo.world import QUOTE_COLUMNS

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Book:
    """A book.

    Attributes:
        key: The Odds API's key.
        title: Its name.
        margin: What the two implied probabilities sum to beyond one.
        markets: What it quotes, each with `both` or `over`.
        accents: Whether it writes names with accents.
        suffixes: Whether it writes Jr. and dots.
        in_play: Whether it leaves props up after the first pitch.
    """

    key: str
    title: str
    margin: float
    markets: dict[str, str]
    accents: bool = False
    suffixes: bool = True
    in_play: bool = False


_ALL: Final = {
    "batter_hits": "both", "batter_total_bases": "both", "batter_home_runs": "both", "batter_strikeouts": "both",
    "batter_walks": "both", "pitcher_strikeouts": "both", "pitcher_outs": "both", "pitcher_hits_allowed": "both",
}  # fmt: skip
_STARS: Final = {"batter_hits": "both", "pitcher_strikeouts": "both"}
BOOKS: Final = (
    Book("draftkings", "DraftKings", 0.060, _ALL | {"batter_home_runs": "over"}),
    Book(
        "fanduel", "FanDuel", 0.055, suffixes=False,
        markets=_STARS | {"batter_hits": "over", "batter_home_runs": "over", "batter_total_bases": "both"},
    ),
    Book("betmgm", "BetMGM", 0.070, _ALL, accents=True),
    Book("betonlineag", "BetOnline.ag", 0.048, _STARS | {"batter_home_runs": "over"}, in_play=True),
    Book("bovada", "Bovada", 0.075, _STARS | {"batter_total_bases": "both", "pitcher_outs": "both"}, in_play=True),
)  # fmt: skip

OPENS_H: Final = (24.0, 6.0, 2.0, 0.4)
"""Hours before the first pitch at which books set prices anew."""

IN_PLAY_H: Final = (0.45, 1.1, 1.9)
"""Hours after it at which some still do."""

SHARED_ERROR: Final = 0.10
OWN_ERROR: Final = 0.05
DRIFT: Final = 0.04
"""Standard deviations, in logits."""

STRANGER: Final = "Arlo Pettibone-Nakata"
"""Quoted by one book on the first game of a day, on nobody's roster."""

PA_AT_LEAST_4: Final = (0.956, 0.962, 0.947, 0.918, 0.874, 0.824, 0.758, 0.673, 0.606)
PA_AT_LEAST_5: Final = (0.560, 0.480, 0.395, 0.311, 0.240, 0.184, 0.134, 0.092, 0.070)
"""By place in the batting order, over 4,200 simulated games."""

BF_SPREAD: Final = 3.3
BF_SHORT_OF_PLAN: Final = 0.7
"""Batters by which a starter falls short of his plan: the runs that he allows cost more than a finished inning adds."""

OUTS_SPREAD: Final = 3.4
TIMES_THROUGH: Final = (9, 9, 4)
"""Of the twenty-two batters whom a starter faces, those of his first, second and third time through the order."""


def event_id(game_pk: int) -> str:
    """Return the 32 hexadecimal characters under which books list a game."""
    return hashlib.md5(f"simulated game {game_pk}".encode(), usedforsecurity=False).hexdigest()


def quotes(fixture: Fixture, cards: Cards, game: int, at: dt.datetime, seed: int, *, stranger: bool) -> pl.DataFrame:
    """Return the last price of every book not later than an instant (`world.QUOTE_COLUMNS`)."""
    opinions = opinions_of(cards, game)
    shared = np.random.default_rng([seed, 2, fixture.game_pk]).normal(0, SHARED_ERROR, len(opinions))
    frames = [
        _of_book(book, place, fixture, opinions, shared, at, seed, stranger=stranger)
        for place, book in enumerate(BOOKS)
    ]
    return pl.concat([frame for frame in frames if frame is not None] or [pl.DataFrame(schema=QUOTE_COLUMNS)])


def opinions_of(cards: Cards, game: int) -> pl.DataFrame:
    """Return what a well-informed book thinks of a game: player (index), market, point, over (probability)."""
    rows: list[tuple[int, str, float, float]] = []
    for side in (0, 1):
        rows += _of_batters(cards, game, side)
        rows += _of_starter(cards, game, side)
    return pl.DataFrame(rows, schema=["player", "market", "point", "over"], orient="row")


def _of_book(
    book: Book,
    place: int,
    fixture: Fixture,
    opinions: pl.DataFrame,
    shared: Floats,
    at: dt.datetime,
    seed: int,
    *,
    stranger: bool,
) -> pl.DataFrame | None:
    hours = [-hour for hour in OPENS_H] + (list(IN_PLAY_H) if book.in_play else [])
    stamps = [fixture.start_at + dt.timedelta(hours=hour, seconds=37 * place) for hour in hours]
    known = [number for number, stamp in enumerate(stamps) if stamp <= at]
    if not known:
        return None
    moment = known[-1]
    rng = np.random.default_rng([seed, 3, fixture.game_pk, place, moment])
    own = np.random.default_rng([seed, 4, fixture.game_pk, place]).normal(0, OWN_ERROR, len(opinions))
    late = moment >= len(OPENS_H)
    drift = rng.normal(0, 0.8 if late else DRIFT, len(opinions))
    p = _logistic(_logit(opinions["over"].to_numpy()) + shared + own + drift)
    frame = opinions.with_columns(over=pl.Series(p)).filter(pl.col("market").is_in(list(book.markets)))
    names = [_name(index, book) for index in frame["player"]]
    frame = frame.with_columns(name=pl.Series(names, dtype=pl.String()))
    if stranger and book.key == "fanduel":
        extra = frame.head(1).with_columns(name=pl.lit(STRANGER), market=pl.lit("batter_hits"), point=pl.lit(0.5))
        frame = pl.concat([frame, extra])
    sides = [_side(frame, book, over=True), _side(frame, book, over=False)]
    return pl.concat(sides).with_columns(
        event_id=pl.lit(event_id(fixture.game_pk)), book=pl.lit(book.key), title=pl.lit(book.title),
        updated_at=pl.lit(stamps[moment]).cast(QUOTE_COLUMNS["updated_at"]),
    ).select(pl.col(name).cast(dtype) for name, dtype in QUOTE_COLUMNS.items())  # fmt: skip


def _side(frame: pl.DataFrame, book: Book, *, over: bool) -> pl.DataFrame:
    both = [market for market, sides in book.markets.items() if over or sides == "both"]
    chosen = frame.filter(pl.col("market").is_in(both))
    p = chosen["over"].to_numpy() if over else 1 - chosen["over"].to_numpy()
    # the margin sits mostly on the side that is less likely, as it does at real books
    implied = np.clip(p + book.margin * (0.35 + 0.3 * (1 - p)), 0.004, 0.985)
    return chosen.select("market", player="name", point="point").with_columns(
        side=pl.lit("Over" if over else "Under"), american=pl.Series(_american(implied))
    )


def _american(implied: Floats) -> NDArray[np.int64]:
    exact = np.where(implied > 0.5, -100 * implied / (1 - implied), 100 * (1 - implied) / implied)
    step = np.where(np.abs(exact) >= 400, 25, np.where(np.abs(exact) >= 200, 10, 5))
    rounded = np.rint(exact / step) * step
    return np.where(np.abs(rounded) < 100, 100, rounded).astype(np.int64)


def _name(index: int, book: Book) -> str:
    name = players()[index].person.full_name
    if not book.accents:
        name = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    return name if book.suffixes else name.removesuffix(" Jr.").replace(".", "")


def _of_batters(cards: Cards, game: int, side: int) -> list[tuple[int, str, float, float]]:
    lineup = cards.lineup[game, side]
    starter, bullpen = cards.starter[game, 1 - side], cards.bullpen[game, 1 - side]
    park = talent.factors(int(cards.club[game, 1]))
    first, second, third = (_rates(lineup, np.full(9, starter), park, side, times) for times in range(3))
    relief = np.mean([_rates(lineup, np.full(9, arm), park, side, 0) for arm in bullpen], axis=0)
    rows: list[tuple[int, str, float, float]] = []
    for place, batter in enumerate(lineup.tolist()):
        turns = np.stack(
            [first[place], second[place], 0.75 * third[place] + 0.25 * relief[place], relief[place], relief[place]]
        )
        share = np.array([1 - PA_AT_LEAST_4[place], PA_AT_LEAST_4[place] - PA_AT_LEAST_5[place], PA_AT_LEAST_5[place]])
        hit = turns[:, [SINGLE, DOUBLE, TRIPLE, HOMER]]
        rows += [
            (batter, "batter_hits", 0.5, _at_least(hit.sum(axis=1), share, 1)),
            (batter, "batter_hits", 1.5, _at_least(hit.sum(axis=1), share, 2)),
            (batter, "batter_total_bases", 1.5, _total_bases_over_one(hit, share)),
            (batter, "batter_home_runs", 0.5, _at_least(turns[:, HOMER], share, 1)),
            (batter, "batter_strikeouts", 0.5, _at_least(turns[:, K], share, 1)),
            (batter, "batter_walks", 0.5, _at_least(turns[:, BB], share, 1)),
        ]
    return rows


def _rates(batters: NDArray[np.int64], arms: NDArray[np.int64], park: Floats, side: int, times: int) -> Floats:
    rows = len(batters)
    return probabilities(batters, arms, np.tile(park, (rows, 1)), np.full(rows, side == 1), np.full(rows, times))


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


def _of_starter(cards: Cards, game: int, side: int) -> list[tuple[int, str, float, float]]:
    starter, lineup = int(cards.starter[game, side]), cards.lineup[game, 1 - side]
    park = talent.factors(int(cards.club[game, 1]))
    turns = [_rates(lineup, np.full(9, starter), park, 1 - side, times) for times in range(3)]
    rates = np.average(turns, axis=0, weights=TIMES_THROUGH).mean(axis=0)
    mean = float(talent.talents().stamina[starter]) - BF_SHORT_OF_PLAN
    faced = np.arange(9, 34)
    weight = np.exp(-(((faced - mean) / BF_SPREAD) ** 2) / 2)
    weight /= weight.sum()
    hits = rates[[SINGLE, DOUBLE, TRIPLE, HOMER]].sum()
    outs = mean * (1 - hits - rates[BB] - rates[HBP]) * 1.03
    rows: list[tuple[int, str, float, float]] = []
    for market, rate in (("pitcher_strikeouts", rates[K]), ("pitcher_hits_allowed", hits)):
        middle = np.floor(mean * rate) + 0.5
        rows += [
            (starter, market, float(line), _binomial_over(faced, weight, float(rate), float(line)))
            for line in (middle - 1, middle)
        ]
    line = float(np.floor(outs) + 0.5)
    rows.append((starter, "pitcher_outs", line, float(_logistic((outs - line) / OUTS_SPREAD * 1.7))))
    return rows


def _binomial_over(faced: NDArray[np.int64], weight: Floats, rate: float, line: float) -> float:
    top = int(line)
    total = np.zeros(len(faced))
    term = (1 - rate) ** faced.astype(float)
    for count in range(top + 1):
        total += term
        term = term * (faced - count) / (count + 1) * rate / (1 - rate)
    return float(1 - np.sum(weight * total))


def _logit(p: Any) -> Any:
    return np.log(np.clip(p, 1e-4, 1 - 1e-4) / (1 - np.clip(p, 1e-4, 1 - 1e-4)))


def _logistic(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))
