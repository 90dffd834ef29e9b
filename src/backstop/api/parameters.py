"""Parameters of requests, each bounded, with examples."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import Header, Path, Query
from pydantic import AfterValidator

from backstop.props.markets import MARKETS

LARGEST_ID = 9_999_999_999
"""More than any id of a player or game has digits; within what a column of 64 bits holds."""


def _known(market: str) -> str:
    """Refuse a market that is none."""
    if market != ALL and market not in MARKETS:
        raise ValueError(f"it is no market; expected one of {', '.join(MARKETS)}")
    return market


ALL = "all"
Market = Annotated[str, AfterValidator(_known)]
Order = Literal["ev", "edge", "line", "prob_over", "player"]
Direction = Literal["desc", "asc"]
Format = Literal["json", "arrow", "parquet"]

Day = Annotated[dt.date, Path(description="Baseball day.", examples=["2025-06-15"])]
SomeDay = Annotated[dt.date | None, Query(description="Baseball day; the latest published one by default.")]
PlayerId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="MLBAM id of the player.", examples=[592450])]
GamePk = Annotated[int, Path(ge=1, le=LARGEST_ID, description="MLB id of the game.", examples=[777001])]
Version = Annotated[
    int | None, Query(ge=1, le=LARGEST_ID, description="A kept version instead of the one that is served.")
]
WantedMarket = Annotated[
    Market | None, Query(description="Only this market.", json_schema_extra={"enum": [*MARKETS, ALL, None]})
]
PathMarket = Annotated[
    Market,
    Path(description="A market, or `all`.", json_schema_extra={"enum": [*MARKETS, ALL]}, examples=["batter_hits"]),
]
Team = Annotated[
    str | None, Query(min_length=2, max_length=3, pattern="^[A-Z]{2,3}$", description="Only players of this team.")
]
WantedPlayer = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only this player, MLBAM id.")]
WantedGame = Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Only this game.")]
MinEdge = Annotated[
    float | None, Query(ge=-1, le=1, allow_inf_nan=False, description="Only props with at least this edge.")
]
Sort = Annotated[Order, Query(description="Props without a value to sort by come last.")]
Wanted = Annotated[Direction, Query(description="Largest or smallest first.")]
Limit = Annotated[
    int | None,
    Query(ge=1, le=5000, description="Rows in an answer: 50 by default, all of them in the columnar formats."),
]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="Rows to skip.")]
Columnar = Annotated[Format | None, Query(description="Instead of the header Accept: JSON, Arrow IPC file or Parquet.")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1, max_length=128, pattern="^[A-Za-z0-9._:-]+$", description="Requests with one key start one run."
    ),
]
