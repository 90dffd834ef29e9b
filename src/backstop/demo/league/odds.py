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
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from backstop.demo.league.calendar import Fixture
from backstop.demo.league.opinions import Floats, further_of, logistic, logit, opinions_of
from backstop.demo.league.people import players
from backstop.demo.league.play import Cards
from backstop.demo.world import QUOTE_COLUMNS


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
ALTERNATE: Final = "_alternate"
_FURTHER: Final = {f"{market}{ALTERNATE}": "over" for market in _ALL if market != "pitcher_outs"}
BOOKS: Final = (
    Book("draftkings", "DraftKings", 0.060, _ALL | {"batter_home_runs": "over"} | _FURTHER),
    Book(
        "fanduel", "FanDuel", 0.055, suffixes=False,
        markets=_STARS | {"batter_hits": "over", "batter_home_runs": "over", "batter_total_bases": "both"},
    ),
    Book(
        "betmgm", "BetMGM", 0.070, accents=True,
        markets=_ALL | {"batter_total_bases_alternate": "both", "pitcher_strikeouts_alternate": "both"},
    ),
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


def event_id(game_pk: int) -> str:
    """Return the 32 hexadecimal characters under which books list a game."""
    return hashlib.md5(f"simulated game {game_pk}".encode(), usedforsecurity=False).hexdigest()


def quotes(fixture: Fixture, cards: Cards, game: int, at: dt.datetime, seed: int, *, stranger: bool) -> pl.DataFrame:
    """Return the last price of every book not later than an instant (`world.QUOTE_COLUMNS`)."""
    opinions, further = opinions_of(cards, game), further_of(cards, game)
    shared = np.random.default_rng([seed, 2, fixture.game_pk]).normal(0, SHARED_ERROR, len(opinions))
    frames = [
        _of_book(book, place, fixture, opinions, further, shared, at, seed, stranger=stranger)
        for place, book in enumerate(BOOKS)
    ]
    return pl.concat([frame for frame in frames if frame is not None] or [pl.DataFrame(schema=QUOTE_COLUMNS)])


def _of_book(
    book: Book,
    place: int,
    fixture: Fixture,
    opinions: pl.DataFrame,
    further: pl.DataFrame,
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
    thought = _thought(opinions, further, shared + own + drift)
    frame = thought.filter(pl.col("market").is_in(list(book.markets)))
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


def _thought(opinions: pl.DataFrame, further: pl.DataFrame, error: Floats) -> pl.DataFrame:
    """Return the probabilities with a book's error; further lines stand in a market of their own.

    Who thinks too much of a player does so at all his further lines alike, so that they keep their order.
    """
    main = opinions.with_columns(over=pl.Series(logistic(logit(opinions["over"].to_numpy()) + error)))
    errors = opinions.select("player", "market", error=pl.Series(error)).unique(["player", "market"], keep="first")
    more = further.join(errors, on=["player", "market"], how="left", maintain_order="left")
    over = pl.Series(logistic(logit(more["over"].to_numpy()) + more["error"].to_numpy()))
    more = more.with_columns(market=pl.col("market") + ALTERNATE, over=over)
    return pl.concat([main, more.select(main.columns)])


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
