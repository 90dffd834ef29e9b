"""SportRadar's format of player props (Odds Comparison v2): player by player, market by market, book by book."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Final

import polars as pl

from backstop.demo.dialects.theodds import decimal_price
from backstop.demo.world import Event

Json = dict[str, Any]

EVENTS_PER_PAGE: Final = 10
PROP_NAMES: Final = {
    "batter_hits": "total hits (incl. overtime)",
    "batter_total_bases": "total bases (incl. overtime)",
    "batter_home_runs": "total home runs (incl. overtime)",
    "batter_strikeouts": "batter strikeouts (incl. overtime)",
    "batter_walks": "batter walks (incl. overtime)",
    "pitcher_strikeouts": "pitcher strikeouts (incl. overtime)",
    "pitcher_outs": "pitcher outs (incl. overtime)",
    "pitcher_hits_allowed": "hits allowed (incl. overtime)",
}


def player_props(events: Iterable[tuple[Event, pl.DataFrame]], now: dt.datetime) -> Json:
    """Return prices of a page of events, player by player."""
    return {
        "generated_at": now.isoformat(),
        "sport_schedule_sport_events_players_props": [_event_props(event, quotes) for event, quotes in events],
    }


def _event_props(event: Event, quotes: pl.DataFrame) -> Json:
    known = quotes.filter(pl.col("market").is_in(list(PROP_NAMES)) & pl.col("player").is_not_null())
    players = [
        {
            "player": {"id": f"sr:player:{place}", "name": _last_first(str(name))},
            "markets": [
                {"id": f"sr:market:{kind}", "name": PROP_NAMES[str(kind)], "books": _books(of_market)}
                for (kind,), of_market in of_player.group_by(["market"], maintain_order=True)
            ],
        }
        for place, ((name,), of_player) in enumerate(known.group_by(["player"], maintain_order=True))
    ]
    sides = (("home", event.home_team), ("away", event.away_team))
    return {
        "sport_event": {
            "id": f"sr:sport_event:{int(event.event_id[:8], 16)}",
            "start_time": event.commence_at.isoformat(),
            "status": "not_started",
            "competitors": [{"id": f"sr:competitor:{name}", "name": name, "qualifier": side} for side, name in sides],
        },
        "players_props": players,
    }


def _books(quotes: pl.DataFrame) -> list[Json]:
    return [
        {
            "id": f"sr:book:{key}",
            "name": title,
            "removed": False,
            "outcomes": [
                {
                    "id": f"sr:outcome:{row['side'].lower()}",
                    "type": row["side"].lower(),
                    "odds_decimal": str(decimal_price(row["american"])),
                    "odds_american": str(row["american"]),
                    "total": row["point"],
                    "removed": False,
                }
                for row in of_book.iter_rows(named=True)
            ],
        }
        for (key, title), of_book in quotes.group_by(["book", "title"], maintain_order=True)
    ]


def _last_first(name: str) -> str:
    first, _, last = name.partition(" ")
    return f"{last}, {first}" if last else name
