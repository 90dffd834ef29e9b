"""The Odds API's formats, version 4: events, event odds live and historical, quota headers, errors.

Source: https://api.the-odds-api.com, as recorded 2024-2026 and documented.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from backstop.demo.dialects.statsapi import instant
from backstop.demo.words import words
from backstop.demo.world import Event
from backstop.odds import decimal_of

Json = dict[str, Any]
SPORT: Final = "baseball_mlb"

PROP_MARKETS: Final = frozenset(
    words("""batter_home_runs batter_first_home_run batter_hits batter_total_bases batter_rbis batter_runs_scored
    batter_hits_runs_rbis batter_singles batter_doubles batter_triples batter_walks batter_strikeouts
    batter_stolen_bases pitcher_strikeouts pitcher_record_a_win pitcher_hits_allowed pitcher_walks pitcher_earned_runs
    pitcher_outs batter_total_bases_alternate batter_home_runs_alternate batter_hits_alternate batter_rbis_alternate
    batter_walks_alternate batter_strikeouts_alternate batter_runs_scored_alternate batter_singles_alternate
    batter_doubles_alternate batter_triples_alternate pitcher_hits_allowed_alternate pitcher_walks_alternate
    pitcher_strikeouts_alternate""")
)
GAME_MARKETS: Final = frozenset({"h2h", "spreads", "totals", "outrights", "h2h_lay"})
REGIONS: Final[dict[str, frozenset[str]]] = {
    "us": frozenset(
        words("betonlineag betmgm betrivers betus bovada williamhill_us draftkings fanatics fanduel lowvig mybookieag")
    ),
    "us2": frozenset(words("ballybet betanysports betparx espnbet fliff hardrockbet rebet")),
    "us_dfs": frozenset(words("betr_us_dfs pick6 prizepicks underdog")),
    "us_ex": frozenset(words("betopenly kalshi novig polymarket prophetx")),
    "uk": frozenset(),
    "eu": frozenset({"pinnacle"}),
    "fr": frozenset(),
    "se": frozenset(),
    "au": frozenset(),
}
SNAPSHOT_EVERY: Final = dt.timedelta(minutes=5)
_KEYS_UNLIKE_TITLES: Final = {"Caesars": "williamhill_us", "Hard Rock Bet": "hardrockbet", "theScore Bet": "espnbet"}
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """An answer that is an error: status and The Odds API's code and message."""

    status: int
    code: str
    message: str

    def body(self) -> Json:
        """Return the JSON of the error."""
        page = "https://the-odds-api.com/liveapi/guides/v4/api-error-codes.html"
        return {
            "message": self.message,
            "error_code": self.code,
            "details_url": f"{page}#{self.code.lower().replace('_', '-')}",
        }


@dataclass(frozen=True, slots=True)
class OddsAsk:
    """The parameters of an odds request, checked.

    Attributes:
        markets: Keys, in the order asked.
        regions: Regions; each costs.
        books: Keys of books; when given, regions do not matter.
        american: Whether prices are American rather than decimal.
        unix: Whether instants are Unix seconds.
    """

    markets: tuple[str, ...]
    regions: tuple[str, ...]
    books: frozenset[str]
    american: bool
    unix: bool

    @property
    def region_count(self) -> int:
        """Regions that are paid for: every started ten books count as one."""
        return -(-len(self.books) // 10) if self.books else len(self.regions)

    def wants(self, book: str) -> bool:
        """Tell whether the book is asked for; a book that no region lists counts as one of `us`."""
        if self.books:
            return book in self.books
        if not any(book in listed for listed in REGIONS.values()):
            return "us" in self.regions
        return any(book in REGIONS[region] for region in self.regions)


def ask(query: Mapping[str, str], *, props: bool) -> OddsAsk:
    """Read and check the parameters of an odds request.

    Raises:
        Refusal: 422 with the code of what is wrong.
    """
    markets = tuple(dict.fromkeys(part.strip() for part in query.get("markets", "h2h").split(",") if part.strip()))
    known = PROP_MARKETS | GAME_MARKETS if props else GAME_MARKETS
    if wrong := [market for market in markets if market not in known]:
        raise Refusal(422, "INVALID_MARKET", f"Invalid markets parameter: {', '.join(wrong)}")
    regions = tuple(part for part in query.get("regions", "").split(",") if part)
    books = frozenset(part for part in query.get("bookmakers", "").split(",") if part)
    if not regions and not books:
        raise Refusal(422, "MISSING_REGION", "Missing regions or bookmakers parameter")
    if wrong := [region for region in regions if region not in REGIONS]:
        raise Refusal(422, "INVALID_REGION", f"Invalid regions parameter: {', '.join(wrong)}")
    style, dates = query.get("oddsFormat", "decimal"), query.get("dateFormat", "iso")
    if style not in {"decimal", "american"}:
        raise Refusal(422, "INVALID_ODDS_FORMAT", f"Invalid oddsFormat parameter: {style}")
    if dates not in {"iso", "unix"}:
        raise Refusal(422, "INVALID_DATE_FORMAT", f"Invalid dateFormat parameter: {dates}")
    return OddsAsk(markets, regions, books, style == "american", dates == "unix")


def instant_of(query: Mapping[str, str], name: str, missing: str, invalid: str) -> dt.datetime:
    """Read an instant parameter.

    Raises:
        Refusal: 422 with `missing` or `invalid` as the code; fractions and offsets are invalid.
    """
    text = query.get(name)
    if not text:
        raise Refusal(422, missing, f"Missing {name} parameter")
    return _instant(text, name, invalid)


def window(query: Mapping[str, str]) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Read `commenceTimeFrom` and `commenceTimeTo`.

    Raises:
        Refusal: 422, also when they are the wrong way round.
    """
    first, last = query.get("commenceTimeFrom"), query.get("commenceTimeTo")
    start = _instant(first, "commenceTimeFrom", "INVALID_COMMENCE_TIME_FROM") if first else None
    end = _instant(last, "commenceTimeTo", "INVALID_COMMENCE_TIME_TO") if last else None
    if start and end and start > end:
        raise Refusal(422, "INVALID_COMMENCE_TIME_RANGE", "commenceTimeFrom must be before commenceTimeTo")
    return start, end


def event_json(event: Event, *, unix: bool = False) -> Json:
    """Return an event without odds."""
    return {
        "id": event.event_id,
        "sport_key": SPORT,
        "sport_title": "MLB",
        "commence_time": _shown(event.commence_at, unix=unix),
        "home_team": event.home_team,
        "away_team": event.away_team,
    }


def event_odds(event: Event, quotes: pl.DataFrame, ask: OddsAsk, *, book_stamp: bool = False) -> Json:
    """Return an event with its books, markets and outcomes.

    Args:
        event: Whose odds.
        quotes: `world.QUOTE_COLUMNS`.
        ask: What was asked for; only these markets and books appear.
        book_stamp: Whether the book carries a `last_update` too, as in historical and featured odds.
    """
    rows = quotes.filter(pl.col("market").is_in(ask.markets)).sort("title", "market", maintain_order=True)
    books: list[Json] = []
    for (key, title), of_book in rows.group_by(["book", "title"], maintain_order=True):
        if not ask.wants(str(key)):
            continue
        markets = [
            {
                "key": market,
                "last_update": _shown(of_market["updated_at"].max(), unix=ask.unix),
                "outcomes": _outcomes(of_market, american=ask.american),
            }
            for (market,), of_market in of_book.group_by(["market"], maintain_order=True)
        ]
        stamp = {"last_update": _shown(of_book["updated_at"].max(), unix=ask.unix)} if book_stamp else {}
        books.append({"key": key, "title": title, **stamp, "markets": markets})
    return {**event_json(event, unix=ask.unix), "bookmakers": books}


def historical(data: Any, at: dt.datetime, before: dt.datetime | None, after: dt.datetime | None) -> Json:
    """Wrap an answer with the instants of its snapshot and of its neighbours."""
    return {
        "timestamp": instant(at),
        "previous_timestamp": instant(before) if before else None,
        "next_timestamp": instant(after) if after else None,
        "data": data,
    }


def markets_returned(answer: Json) -> int:
    """Return how many different markets an event's odds hold: what is paid for."""
    return len({market["key"] for book in answer["bookmakers"] for market in book["markets"]})


def book_key(title: str) -> str:
    """Return the key under which The Odds API lists a book.

    >>> book_key("BetOnline.ag")
    'betonlineag'
    """
    return _KEYS_UNLIKE_TITLES.get(title) or re.sub(r"[^a-z0-9_]", "", title.lower())


def decimal_price(american: int) -> float:
    """Convert American odds to decimal ones with two places, as the feed prints them.

    >>> decimal_price(-233), decimal_price(196)
    (1.43, 2.96)
    """
    decimal = decimal_of(american)
    if decimal is None:
        raise ValueError(f"{american} is no American price; they are at most -100 or at least +100.")
    return round(decimal, 2)


def seen_event_ids(query: Mapping[str, str]) -> frozenset[str]:
    """Read the `eventIds` filter; empty when there is none."""
    return frozenset(part for part in query.get("eventIds", "").split(",") if part)


def in_window(events: Iterable[Event], first: dt.datetime | None, last: dt.datetime | None) -> list[Event]:
    """Return the events that start between two instants, both included."""
    return [
        event
        for event in events
        if (first is None or event.commence_at >= first) and (last is None or event.commence_at <= last)
    ]


def _instant(text: str, name: str, invalid: str) -> dt.datetime:
    try:
        if _INSTANT.fullmatch(text):
            return dt.datetime.fromisoformat(text)
    except ValueError:
        pass
    raise Refusal(422, invalid, f"Invalid {name} parameter: {text}; the format is YYYY-MM-DDTHH:MM:SSZ")


def _shown(at: Any, *, unix: bool) -> str | int:
    return int(at.timestamp()) if unix else instant(at)


def _outcomes(quotes: pl.DataFrame, *, american: bool) -> list[Json]:
    return [
        {
            "name": row["side"],
            **({"description": row["player"]} if row["player"] is not None else {}),
            "price": row["american"] if american else decimal_price(row["american"]),
            **({"point": row["point"]} if row["point"] is not None else {}),
        }
        for row in quotes.iter_rows(named=True)
    ]
