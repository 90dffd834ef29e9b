"""Player props of SportRadar's Odds Comparison, version 2: the second source of prices.

Markets are known by name: the ids of baseball could not be found. A page of a schedule holds ten events; the number of
all is in the header `X-Max-Results`. Books and outcomes that were withdrawn stay listed as `removed`.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Iterator
from typing import Any, Final

from backstop.clock import baseball_day
from backstop.net.item import Answer, Item, Priority, Secret
from backstop.settings import Feed
from backstop.sources import jsontext
from backstop.sources.jsontext import dig
from backstop.sources.parsed import Drift, Intake, Parsed
from backstop.sources.sportradar import wire
from backstop.sources.teams import BY_ABBREVIATION, named
from backstop.sources.theodds.wire import decimal_price
from backstop.tables import QUOTES

TABLE = "core_quotes_sportradar"
SPORT = "sr:sport:3"
PAGE_EVENTS = 10
MAX_RESULTS = "x-max-results"

ROOTS = (
    "sport_schedule_sport_events_players_props",
    "competition_sport_events_players_props",
    "sport_event_players_props",
)

MARKETS: Final[dict[str, str]] = {
    "total hits": "batter_hits",
    "hits": "batter_hits",
    "total bases": "batter_total_bases",
    "total home runs": "batter_home_runs",
    "home runs": "batter_home_runs",
    "total runs": "batter_runs_scored",
    "runs scored": "batter_runs_scored",
    "total rbis": "batter_rbis",
    "total rbi": "batter_rbis",
    "rbis": "batter_rbis",
    "runs batted in": "batter_rbis",
    "hits runs rbis": "batter_hits_runs_rbis",
    "total hits runs and rbis": "batter_hits_runs_rbis",
    "total stolen bases": "batter_stolen_bases",
    "stolen bases": "batter_stolen_bases",
    "total singles": "batter_singles",
    "singles": "batter_singles",
    "total doubles": "batter_doubles",
    "doubles": "batter_doubles",
    "batter walks": "batter_walks",
    "batter strikeouts": "batter_strikeouts",
    "total strikeouts": "pitcher_strikeouts",
    "pitcher strikeouts": "pitcher_strikeouts",
    "strikeouts thrown": "pitcher_strikeouts",
    "earned runs allowed": "pitcher_earned_runs",
    "total earned runs": "pitcher_earned_runs",
    "hits allowed": "pitcher_hits_allowed",
    "pitcher walks": "pitcher_walks",
    "walks allowed": "pitcher_walks",
    "pitcher outs": "pitcher_outs",
    "outs recorded": "pitcher_outs",
}
"""Name of a market, words only, and its key at The Odds API. Other names are rejected and reported by name."""

_NUMBER: Final = re.compile(r"[+-]?[0-9]+([.][0-9]+)?")


def plan(day: dt.date, *, start: int = 0) -> list[Item]:
    """Ask for a page of the props of a day; `start` is the number of events already seen."""
    path = f"/oddscomparison-player-props/{wire.ACCESS}/v2/en/sports/{SPORT}/schedules/{day}/players_props.json"
    return [
        Item(
            Feed.SPORTRADAR,
            TABLE,
            f"{day}@{start}",
            path,
            (("start", str(start)),),
            secret=Secret.HEADER_X_API_KEY,
            credits=1,
            priority=Priority.PROPS,
        )
    ]


def total(answer: Answer) -> int | None:
    """Return the number of events over all pages, by the answer's header; `None` for what is no page of props.

    Without the header a full page announces one event more: pages are asked for until one is not full.
    """
    if answer.item.table != TABLE:
        return None
    said = dict(answer.headers).get(MAX_RESULTS, "")
    if (results := jsontext.whole(said)) is not None:
        return results
    start, here = int(dict(answer.item.params)["start"]), len(_events(answer.body))
    return start + here + (here >= PAGE_EVENTS)


def plan_rest(first: Item, results: int) -> list[Item]:
    """Ask for the pages after a page, up to a number of events."""
    start, day = int(dict(first.params)["start"]), first.key.partition("@")[0]
    return [
        dataclasses.replace(first, key=f"{day}@{begin}", params=(("start", str(begin)),))
        for begin in range(start + PAGE_EVENTS, results, PAGE_EVENTS)
    ]


def inspect(body: bytes) -> None:
    """Check that the content lists props.

    Raises:
        UpstreamMalformed: see `wire.decode`.
    """
    _events(body)


def _events(body: bytes) -> list[Any]:
    root = wire.decode(body, "generated_at")
    for name in ROOTS:
        if name in root:
            return root[name] if isinstance(root[name], list) else [root[name]]
    return []


def parse(answer: Answer) -> Parsed:
    """Turn a page into `core_quotes`; the event id is SportRadar's (`sr:sport_event:...`).

    Rejected: `removed` (withdrawn by the book), `in_play` (fetched at or after the start: the feed stamps no price),
    `market` (a name that is not known), `side`, `line`, `price`, `player`, `unknown_team`, `type`, `superseded`.

    Raises:
        UpstreamMalformed: see `inspect`.
    """
    intake = Intake(QUOTES)
    unknown: set[str] = set()
    for event in wire.objects(_events(answer.body), intake):
        for raw in _outcomes(event):
            if _market(raw) is None and isinstance(raw["market"], str):
                unknown.add(raw["market"])
            _load(raw, event, answer, intake)
    return intake.parsed(Drift(added=tuple(sorted(unknown))))


def _outcomes(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Go through players, markets, books and outcomes, each with what the levels above say of it."""
    for prop in _list(event.get("players_props")):
        for market in _list(dig(prop, "markets")):
            for book in _list(dig(market, "books")):
                for outcome in _list(dig(book, "outcomes")):
                    yield {
                        "player": dig(prop, "player", "name"),
                        "market": dig(market, "name"),
                        "book": dig(book, "name"),
                        "book_removed": dig(book, "removed"),
                        "outcome": outcome,
                    }


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _market(raw: dict[str, Any]) -> str | None:
    words = re.sub(r"\([^)]*\)|[^a-z ]", " ", str(raw["market"]).lower()).split()
    return MARKETS.get(" ".join(words))


def _load(raw: dict[str, Any], event: dict[str, Any], answer: Answer, intake: Intake) -> None:
    block = event.get("sport_event")
    start_at = jsontext.instant(dig(block, "start_time"))
    sides = {str(dig(one, "qualifier")): _team(one) for one in _list(dig(block, "competitors"))}
    home, away, player = sides.get("home"), sides.get("away"), _player(raw["player"])
    price, line = _number(dig(raw["outcome"], "odds_decimal")), _number(dig(raw["outcome"], "total"))
    decimal = None if price is None else decimal_price(price, "decimal")
    side = str(dig(raw["outcome"], "type")).lower()
    if start_at is None or home is None or away is None:
        intake.reject(raw, "unknown_team", "The event has no readable start, or a side that is no club.")
    elif raw["book_removed"] or dig(raw["outcome"], "removed"):
        intake.reject(raw, "removed", "The book withdrew this price.")
    elif answer.fetched_at >= start_at:
        intake.reject(
            raw, "in_play", f"Fetched at {answer.fetched_at:%H:%M:%S}, the game starts {start_at:%H:%M:%S} UTC."
        )
    elif (market := _market(raw)) is None:
        intake.reject(raw, "market", f"The market {raw['market']!r} is not known.")
    elif side not in ("over", "under"):
        intake.reject(raw, "side", f"The side is {side!r}; expected over or under.")
    elif line is None:
        intake.reject(raw, "line", "The outcome has no total.")
    elif decimal is None:
        intake.reject(raw, "price", f"{dig(raw['outcome'], 'odds_decimal')!r} cannot be a decimal price.")
    elif player is None:
        intake.reject(raw, "player", "The outcome names no player.")
    else:
        intake.load(
            {
                "event_id_theodds": dig(block, "id"),
                "game_date": baseball_day(start_at),
                "commence_at": start_at,
                "home_team": home,
                "away_team": away,
                "bookmaker": re.sub(r"[^a-z0-9]", "", str(raw["book"]).lower()) or None,
                "market": market,
                "player_name": player,
                "line": line,
                "side": side,
                "price_decimal": decimal,
                "fetched_at": answer.fetched_at,
            },
            raw,
        )


def _team(competitor: Any) -> str | None:
    found = named(dig(competitor, "name")) or BY_ABBREVIATION.get(str(dig(competitor, "abbreviation")))
    return found.abbreviation if found else None


def _player(name: Any) -> str | None:
    """Turn `Judge, Aaron`, as general sports feeds of this vendor write names, into `Aaron Judge`."""
    if not isinstance(name, str) or not name.strip():
        return None
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else name.strip()


def _number(value: Any) -> float | None:
    """Read a number that may be given as text, in the digits and the point of JSON's own."""
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value.strip()) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
