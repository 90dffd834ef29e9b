"""The simulated books: their margins, which sides they quote, when they change their minds and how they write names."""

from __future__ import annotations

import datetime as dt
import itertools
import unicodedata
from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.demo import DEMO_DAY
from backstop.demo.league import odds, opinions
from backstop.demo.league.calendar import LAST_DAY, OPENING_DAY, Fixture, season
from backstop.demo.league.campaign import GAME_LASTS
from backstop.demo.league.cards import cards
from backstop.demo.league.odds import ALTERNATE, BOOKS, STRANGER
from backstop.demo.league.people import players
from backstop.demo.world import QUOTE_COLUMNS
from backstop.odds import decimal_of

SEEDS = (3, 20250402)
KEY = ["book", "market", "player", "point"]
ROWS = [row for row, fixture in enumerate(season()) if fixture.day == DEMO_DAY][:3]


def quoted(row: int, seed: int, at: dt.timedelta, *, stranger: bool = False) -> pl.DataFrame:
    """What stands at an instant, counted from the first pitch."""
    fixture = season()[row]
    return odds.quotes(fixture, cards(seed), row, fixture.start_at + at, seed, stranger=stranger)


def before(minutes: float) -> dt.timedelta:
    return dt.timedelta(minutes=-minutes)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("row", ROWS)
def test_the_margin_of_two_sides_is_the_books_own_within_the_rounding_of_prices(row: int, seed: int):
    table = quoted(row, seed, before(1)).with_columns(
        implied=pl.col("american").map_elements(lambda price: 1 / decimal_of(price), return_dtype=pl.Float64)
    )
    pairs = table.group_by(KEY).agg(pl.len(), pl.col("implied").sum(), pl.col("side").n_unique())
    assert (pairs["len"] == pairs["side"]).all(), "no side stands twice"
    margins = {book.key: book.margin for book in BOOKS}
    both = pairs.filter(pl.col("len") == 2)
    off = both["implied"] - 1 - both["book"].replace_strict(margins, return_dtype=pl.Float64)
    assert len(both) > 200
    assert (both["implied"] > 1).all()
    assert off.abs().max() < 0.03
    assert abs(off.mean()) < 0.004


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.key)
def test_a_book_quotes_its_markets_and_sides_and_no_others(book: odds.Book):
    mine = quoted(ROWS[0], 3, before(1)).filter(book=book.key)
    assert set(mine["market"]) == set(book.markets)
    assert mine["title"].unique().to_list() == [book.title]
    for market, sides in book.markets.items():
        of_market = mine.filter(market=market)
        assert set(of_market["side"]) == ({"Over", "Under"} if sides == "both" else {"Over"})
        assert (of_market["point"] % 1 == 0.5).all()
    starters = mine.filter(pl.col("market").str.starts_with("pitcher"))["player"].n_unique()
    batters = mine.filter(pl.col("market").str.starts_with("batter"))["player"].n_unique()
    assert (batters, starters) in {(18, 2), (17, 2)}


def test_alternates_of_a_player_and_book_fall_as_the_line_rises():
    table = quoted(ROWS[1], 3, before(1)).filter(pl.col("market").str.ends_with(ALTERNATE), side="Over")
    assert len(table) > 50
    for (book, market, player), ladder in table.sort("point").group_by("book", "market", "player"):
        prices = [decimal_of(price) for price in ladder.sort("point")["american"]]
        assert prices == sorted(prices), (book, market, player)


@pytest.mark.parametrize("seed", SEEDS)
def test_prices_change_only_at_their_hours_and_never_come_from_the_future(seed: int):
    row, fixture = ROWS[2], season()[ROWS[2]]
    last: dict[str, dt.datetime] = {}
    seen: dict[tuple[str, dt.datetime], pl.DataFrame] = {}
    for minutes in range(-25 * 60, int(GAME_LASTS.total_seconds() / 60), 45):
        at = dt.timedelta(minutes=minutes)
        table = quoted(row, seed, at)
        assert dict(table.schema) == QUOTE_COLUMNS
        assert (table["updated_at"] <= fixture.start_at + at).all()
        for (book, stamp), mine in table.group_by("book", "updated_at"):
            assert stamp >= last.get(book, stamp), "a book does not go back to an older price"
            last[book] = stamp
            first = seen.setdefault((book, stamp), mine.sort(pl.all()))
            assert mine.sort(pl.all()).equals(first), "while the stamp stays, the prices do"
    opened = {book.key: len({stamp for name, stamp in seen if name == book.key}) for book in BOOKS}
    assert opened == {book.key: 4 + 3 * book.in_play for book in BOOKS}
    late = {book for book, stamp in seen if stamp >= fixture.start_at}
    assert late == {book.key for book in BOOKS if book.in_play}


def test_before_the_first_hour_nobody_quotes():
    assert quoted(ROWS[0], 3, -dt.timedelta(hours=24, seconds=1)).is_empty()
    assert quoted(ROWS[0], 3, -dt.timedelta(hours=24))["book"].unique().to_list() == [BOOKS[0].key]


def test_one_name_is_nobodys_and_only_where_it_was_asked_for():
    assert STRANGER not in quoted(ROWS[0], 3, before(1))["player"].to_list()
    mine = quoted(ROWS[0], 3, before(1), stranger=True).filter(player=STRANGER)
    assert set(mine.select("book", "market", "point").iter_rows()) == {("fanduel", "batter_hits", 0.5)}


def plain(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))


def test_every_book_writes_names_in_its_own_way():
    for player in players():
        full = player.person.full_name
        ways = {book.key: odds._name(player.index, book) for book in BOOKS}
        assert ways["betmgm"] == full
        assert ways["draftkings"] == ways["bovada"] == plain(full)
        assert ways["fanduel"] == plain(full).removesuffix(" Jr.").replace(".", "")


@settings(max_examples=60)
@given(st.lists(st.floats(0.004, 0.985), min_size=1, max_size=30))
def test_an_american_price_exists_and_is_the_nearest_on_the_books_grid(chances: list[float]):
    prices = odds._american(np.array(chances)).tolist()
    for chance, price in zip(chances, prices, strict=True):
        assert abs(price) >= 100
        exact = -100 * chance / (1 - chance) if chance > 0.5 else 100 * (1 - chance) / chance
        step = 25 if abs(exact) >= 400 else 10 if abs(exact) >= 200 else 5
        assert price % step == 0
        assert abs(price - exact) <= step / 2 + 1e-6
        assert abs(1 / decimal_of(price) - chance) < 0.012


@pytest.mark.parametrize("row", ROWS)
def test_opinions_are_chances_of_everybody_who_starts(row: int):
    table = opinions.opinions_of(cards(3), row)
    assert table["over"].is_between(0.001, 0.999).all()
    assert table.select("player", "market", "point").is_unique().all()
    deck = cards(3)
    batters = set(deck.lineup[row].ravel().tolist())
    assert set(table.filter(pl.col("market").str.starts_with("batter"))["player"]) == batters
    assert set(table.filter(pl.col("market").str.starts_with("pitcher"))["player"]) == set(deck.starter[row].tolist())


def clubs_of(fixture: Fixture) -> set[int]:
    return {fixture.home, fixture.away}


def test_no_club_is_in_two_games_at_once_and_every_pairing_has_two_clubs():
    byclub: dict[int, list[Fixture]] = {}
    for fixture in season():
        assert len(clubs_of(fixture)) == 2
        for club in clubs_of(fixture):
            byclub.setdefault(club, []).append(fixture)
    assert len(byclub) == 30
    for games in byclub.values():
        ordered = sorted(games, key=lambda game: game.start_at)
        for one, following in itertools.pairwise(ordered):
            assert following.start_at - one.start_at > GAME_LASTS, (one, following)
        days = (LAST_DAY - OPENING_DAY).days + 1
        assert 0.7 * days < len(games) < 1.1 * days


def test_a_season_goes_through_its_days_in_order_and_ids_are_never_reused():
    starts = [(game.day, game.start_at, game.game_pk) for game in season()]
    assert starts == sorted(starts)
    assert len({game.game_pk for game in season()}) == len(season())
    for game in season():
        local = game.start_at.astimezone(dt.timezone(dt.timedelta(hours=-5)))
        assert abs((local.date() - game.day).days) <= 1
        assert game.number == 1 or game.doubleheader in {"Y", "S"}


def test_every_club_plays_at_home_and_away_so_that_a_park_is_not_its_club():
    at_home, away = (Counter(getattr(fixture, side) for fixture in season()) for side in ("home", "away"))
    shares = {club: at_home[club] / (at_home[club] + away[club]) for club in at_home | away}
    assert len(shares) == 30
    assert {club: share for club, share in shares.items() if not 0.35 <= share <= 0.65} == {}
