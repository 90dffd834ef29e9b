"""Player props of The Odds API: the odds of one event in any markets, one row per book, player, line and side.

Costs the number of markets returned times the regions, ten times that in history. Events stay listed while they are
played: a quote updated at or after the start is no price for the game and is set apart. Many books give only one side.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl

from backstop.clock import baseball_day
from backstop.errors import UpstreamMalformed, UsageError
from backstop.net.item import Answer, Item, Priority, Secret
from backstop.settings import Feed
from backstop.sources import jsontext
from backstop.sources.parsed import Drift, Intake, Parsed
from backstop.sources.theodds import markets as market_keys
from backstop.sources.theodds import wire
from backstop.tables import QUOTES

TABLE = QUOTES.name
SOURCE = "The Odds API props"
SIDES = {"Over": "over", "Under": "under", "Yes": "over", "No": "under"}
YES_NO_LINE = 0.5
"""A yes/no market asks for at least one: the over of half a point."""

HISTORY_COSTS = 10
"""Historical odds cost ten times as much as live ones."""

FEWEST_PRICES = 3
"""Of so few prices one cannot tell the format."""

KNOWN_OUTCOME = frozenset({"name", "description", "price", "point", "link", "sid", "bet_limit", "multiplier"})
NEEDED_OUTCOME = frozenset({"name", "description", "price"})


def plan(
    events: pl.DataFrame,
    markets: Sequence[str],
    at: dt.datetime | Literal["commence"] | None = None,
    *,
    regions: Sequence[str] = ("us",),
) -> list[Item]:
    """Ask for the props of each event: live, as they were at an instant, or as they were at each event's start.

    The key of an item is the baseball day and the event.

    Args:
        events: Columns event_id_theodds and commence_at.
        markets: Keys (`markets.KNOWN`); `markets.with_alternates` adds their other lines.
        at: `None` live; an instant, or "commence", for the last snapshot not later.
        regions: Groups of books.

    Raises:
        UsageError: no market or no region, or a market that the feed does not know.
    """
    keys = market_keys.check(markets)
    if not regions:
        raise UsageError("Props need at least one region, for example us.")
    return [
        _item(
            f"{baseball_day(commence_at)}/{event_id}", event_id, keys, regions, commence_at if at == "commence" else at
        )
        for event_id, commence_at in events.select("event_id_theodds", "commence_at").iter_rows()
    ]


def _item(key: str, event_id: str, keys: list[str], regions: Sequence[str], at: dt.datetime | None) -> Item:
    params: tuple[tuple[str, str], ...] = (
        ("regions", ",".join(regions)),
        ("markets", ",".join(keys)),
        ("oddsFormat", "american"),
        ("dateFormat", "iso"),
    )
    cost, history = len(keys) * len(regions), ""
    if at is not None:
        cost, history, key = cost * HISTORY_COSTS, "historical/", f"{key}@{wire.stamp(at)}"
        params = (("date", wire.stamp(at)), *params)
    return Item(
        Feed.THEODDS,
        TABLE,
        key,
        f"/v4/{history}sports/{wire.SPORT}/events/{event_id}/odds",
        params,
        secret=Secret.QUERY_API_KEY,
        credits=cost,
        priority=Priority.PROPS if at is None else Priority.HISTORY,
        settled_at=None if at is None else at + wire.SNAPSHOT,
    )


def inspect(body: bytes) -> None:
    """Check that the content is one event.

    Raises:
        UpstreamMalformed: a web page, a cut or empty body, an error object, no event.
    """
    _event(body)


def _event(body: bytes) -> tuple[dict[str, Any], dt.datetime | None]:
    envelope = wire.unwrap(body, source=SOURCE)
    event = envelope.data
    if not isinstance(event, dict) or not event.keys() >= wire.NEEDED_EVENT:
        raise UpstreamMalformed(
            f"{SOURCE} answered no event object with {', '.join(sorted(wire.NEEDED_EVENT))}; ask again.", source=SOURCE
        )
    return event, envelope.snapshot_at


@dataclass(frozen=True)
class _Quote:
    """One outcome where it stands, and what the levels above say of it."""

    bookmaker: Any
    market: Any
    updated_at: dt.datetime | None
    outcome: Any


def _raw(outcome: Any) -> dict[str, Any]:
    return outcome if isinstance(outcome, dict) else {"outcome": outcome}


def parse(answer: Answer) -> Parsed:
    """Turn an answer into `core_quotes`; `game_pk` and `player_id_mlbam` are null until names are matched.

    Of the same book, player, line and side the newest price counts; of two of one instant the lower one. Rejected:
    `in_play` (updated at or after the start; without a stamp, seen at or after it), `price`, `line`, `side`,
    `player`, `unknown_team`, `type`, `superseded`; `price_format` (most prices cannot be odds of the format asked: a
    decimal 200 among them would be read as +200).

    Raises:
        UpstreamMalformed: see `inspect`.
    """
    event, snapshot_at = _event(answer.body)
    odds_format = dict(answer.item.params).get("oddsFormat", "decimal")
    commence_at = jsontext.instant(event["commence_time"])
    home, away = wire.team(event["home_team"]), wire.team(event["away_team"])
    intake = Intake(QUOTES)
    quotes = sorted(_quotes(event), key=lambda each: _preference(each, odds_format))
    if commence_at is None or home is None or away is None:
        reason = f"{event['away_team']!r} at {event['home_team']!r}, {event['commence_time']!r}: not a known game."
        for quote in quotes:
            intake.reject(quote, "unknown_team", reason)
    elif _in_another_format(quotes, odds_format):
        for quote in quotes:
            intake.reject(quote, "price_format", f"Most prices of the answer cannot be {odds_format} odds, so none is.")
    else:
        fixed = {
            "event_id_theodds": event["id"],
            "game_date": baseball_day(commence_at),
            "commence_at": commence_at,
            "home_team": home,
            "away_team": away,
            "fetched_at": answer.fetched_at,
        }
        for quote in quotes:
            _load(quote, fixed, odds_format, snapshot_at or answer.fetched_at, intake)
    return intake.parsed(_drift(event, quotes), newest="updated_at")


def _quotes(event: dict[str, Any]) -> Iterator[_Quote]:
    """Go through books, markets and outcomes; the market's stamp counts before the book's.

    What is no object where a book or a market should be counts as one row, which is rejected, and so does what is no
    list where a list of them should be.
    """
    for book in _list(event.get("bookmakers")):
        if not isinstance(book, dict):
            yield _Quote(None, None, None, book)
            continue
        for market in _list(book.get("markets")):
            if not isinstance(market, dict):
                yield _Quote(book.get("key"), None, None, market)
                continue
            updated_at = jsontext.instant(market.get("last_update")) or jsontext.instant(book.get("last_update"))
            for outcome in _list(market.get("outcomes")):
                yield _Quote(book.get("key"), market.get("key"), updated_at, outcome)


def _list(value: Any) -> list[Any]:
    """Return a list as it is, an absent one as empty; anything else as one thing that is no object, and so no row."""
    return value if isinstance(value, list) else [] if value is None else [[value]]


def _in_another_format(quotes: Sequence[_Quote], odds_format: str) -> bool:
    """Tell whether most of the numbers that stand for prices are impossible in the format asked."""
    prices = [price for quote in quotes if isinstance(price := _raw(quote.outcome).get("price"), int | float)]
    impossible = sum(wire.decimal_price(price, odds_format) is None for price in prices)
    return impossible * 2 > len(prices) > FEWEST_PRICES


def _preference(quote: _Quote, odds_format: str) -> tuple[bool, float]:
    """Order quotes so that of equal keys and instants the one that counts comes last: base market, lower price."""
    price = wire.decimal_price(_raw(quote.outcome).get("price"), odds_format)
    return not str(quote.market).endswith(market_keys.ALTERNATE), -(price or 0.0)


def _load(quote: _Quote, fixed: dict[str, Any], odds_format: str, seen_at: dt.datetime, intake: Intake) -> None:
    outcome = _raw(quote.outcome)
    stamp, start = quote.updated_at or seen_at, fixed["commence_at"]
    price = wire.decimal_price(outcome.get("price"), odds_format)
    name, player, side = outcome.get("name"), outcome.get("description"), SIDES.get(str(outcome.get("name")))
    point = YES_NO_LINE if name in ("Yes", "No") and outcome.get("point") is None else outcome.get("point")
    if stamp >= start:
        intake.reject(quote, "in_play", f"Priced at {wire.stamp(stamp)}, the game starts at {wire.stamp(start)}.")
    elif side is None:
        intake.reject(quote, "side", f"The side is {name!r}; expected Over, Under, Yes or No.")
    elif not isinstance(player, str) or not player.strip():
        intake.reject(quote, "player", "The outcome names no player.")
    elif point is None:
        intake.reject(quote, "line", "The outcome has no point.")
    elif price is None:
        intake.reject(quote, "price", f"{outcome.get('price')!r} cannot be a price in {odds_format} odds.")
    else:
        intake.load(
            {
                **fixed,
                "bookmaker": quote.bookmaker,
                "market": str(quote.market).removesuffix(market_keys.ALTERNATE) if quote.market else None,
                "player_name": player.strip(),
                "line": point,
                "side": side,
                "price_decimal": price,
                "updated_at": quote.updated_at,
            },
            quote,
        )


def _drift(event: dict[str, Any], quotes: Sequence[_Quote]) -> Drift:
    return jsontext.drift_of([event], wire.KNOWN_EVENT, wire.NEEDED_EVENT) | jsontext.drift_of(
        (quote.outcome for quote in quotes), KNOWN_OUTCOME, NEEDED_OUTCOME
    )
