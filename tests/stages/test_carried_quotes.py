"""Which kept prices stand when prices come again: those of games that have begun, key by key."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest

from backstop import tables
from backstop.sources.parsed import Parsed, rejections
from backstop.stages import carry
from backstop.stages.receive import Received
from tests.stages.rows import DAY, games

START = dt.datetime.combine(DAY, dt.time(17, 5), dt.UTC)
BOOKS = [f"book{number}" for number in range(10)]


def quotes(*books: str, game: int | None = 1, paid: float = 2.0, seen: int = -10, **changes: object) -> pl.DataFrame:
    """Overs of one player's hits, one a book, seen so many minutes after the start."""
    event = {
        "event_id_theodds": f"event{game}", "game_date": DAY, "game_pk": game, "commence_at": START, "home_team": "NYY",
        "away_team": "BOS", "market": "batter_hits", "player_name": "Aaron Judge", "player_id_mlbam": 592450,
        "line": 0.5, "side": "over", "price_decimal": paid, "updated_at": START + dt.timedelta(minutes=seen),
    } | changes  # fmt: skip
    rows = [{name: (event | {"bookmaker": book}).get(name) for name in tables.QUOTES.schema} for book in books]
    return pl.DataFrame(rows, schema=tables.QUOTES.schema)


def after(house, came: pl.DataFrame) -> list[tuple[int, str, float, float]]:
    """What stands once these came, in the order of game, book and line."""
    received = carry.over(house, Received(tables.QUOTES.name, DAY, Parsed(came, rejections(()), came.height), "r"), DAY)
    assert received.parsed.rows_in == received.parsed.frame.height
    assert not received.parsed.frame.select(tables.QUOTES.key).is_duplicated().any()
    return received.parsed.frame.select("game_pk", "bookmaker", "line", "price_decimal").sort(pl.all()).rows()


@pytest.fixture
def kept(house, clock):
    """Ten books' prices of ten minutes before the start, looked at twenty minutes after it; game 2 begins later."""
    clock.at = START + dt.timedelta(minutes=20)
    later = games(DAY, 2, start_at=START + dt.timedelta(hours=3))
    house.lake.write("core_games", DAY, pl.concat([games(DAY, 1, start_at=START), later]))
    house.lake.write("core_quotes", DAY, pl.concat([quotes(*BOOKS), quotes(*BOOKS, game=2)]))
    return house


def test_a_book_that_is_still_told_does_not_take_away_the_other_books_last_prices(kept):
    told = after(kept, quotes("book3", paid=1.8, seen=-2))
    assert told == [(1, book, 0.5, 1.8 if book == "book3" else 2.0) for book in BOOKS]


def test_all_prices_of_a_game_that_began_stand_when_none_come(kept):
    assert after(kept, quotes()) == [(1, book, 0.5, 2.0) for book in BOOKS]


def test_a_game_to_come_has_the_prices_that_came_and_no_others(kept):
    came = pl.concat([quotes("book3", game=2, paid=1.8), quotes(*BOOKS)])
    assert [row for row in after(kept, came) if row[0] == 2] == [(2, "book3", 0.5, 1.8)]


@pytest.mark.parametrize(
    "other",
    [{"line": 1.5}, {"side": "under"}, {"market": "batter_walks"}, {"player_name": "Juan Soto"}],
)
def test_only_the_price_of_the_same_line_side_market_and_player_is_replaced(kept, other):
    kept.lake.write("core_quotes", DAY, quotes("ada"))
    told = after(kept, quotes("ada", paid=1.8, **other))
    assert sorted(price for *_, price in told) == [1.8, 2.0]


def test_a_start_that_the_books_put_off_has_not_come_and_withdrawn_prices_do_not_stand(kept):
    put_off = START + dt.timedelta(hours=2)
    assert after(kept, quotes("book3", paid=1.8, seen=15, commence_at=put_off)) == [(1, "book3", 0.5, 1.8)]


def test_prices_that_match_no_game_neither_stand_nor_take_anything_away(kept):
    kept.lake.write("core_quotes", DAY, pl.concat([quotes("ada"), quotes("bob", game=None)]))
    assert after(kept, quotes("cyd", game=None)) == [(None, "cyd", 0.5, 2.0), (1, "ada", 0.5, 2.0)]


def test_a_price_of_the_other_feed_replaces_the_same_books_under_its_own_event(kept):
    kept.lake.write("core_quotes", DAY, quotes("ada", "bob", event_id_theodds="sr:1"))
    assert after(kept, quotes("ada", paid=1.8)) == [(1, "ada", 0.5, 1.8), (1, "bob", 0.5, 2.0)]
