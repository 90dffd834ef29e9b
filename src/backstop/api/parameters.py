"""Parameters of requests, each bounded, with examples."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from typing import Annotated, Final, Literal

from fastapi import Header, Path, Query
from fastapi.exceptions import RequestValidationError
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticKnownError
from starlette.requests import HTTPConnection

from backstop.api.sheet import Asked
from backstop.clock import parse_day
from backstop.errors import UsageError
from backstop.props.markets import MARKETS

LARGEST_ID = 9_999_999_999
"""More than any id of a player or game has digits; within what a column of 64 bits holds."""

DIGITS: Final = re.compile("-?[0-9]+")


def _known(market: str) -> str:
    """Refuse a market that is none."""
    if market != ALL and market not in MARKETS:
        raise ValueError(f"it is no market; expected one of {', '.join(MARKETS)}")
    return market


ALL = "all"
Market = Annotated[str, AfterValidator(_known)]


def _iso(text: object) -> object:
    """Refuse everything but YYYY-MM-DD: seconds since 1970 and other forms are no baseball day."""
    if isinstance(text, str):
        try:
            return parse_day(text)
        except UsageError as error:
            raise ValueError(error.message) from error
    return text


def _in_digits(text: object) -> object:
    """Refuse a number's other spellings (`1.0`, `1_000`, ` 1`, `+1`): what reads like an id is not one."""
    if isinstance(text, str) and not DIGITS.fullmatch(text):
        raise PydanticKnownError("int_parsing")
    return text


WHOLE = BeforeValidator(_in_digits)
"""Stands behind the bounds of each integer: in front of them they would be missing from the document."""

IsoDate = Annotated[dt.date, BeforeValidator(_iso)]
Order = Literal["ev", "edge", "line", "prob_over", "player"]
Direction = Literal["desc", "asc"]
Format = Literal["json", "arrow", "parquet"]

Day = Annotated[IsoDate, Path(description="Baseball day.", examples=["2025-06-15"])]
SomeDay = Annotated[IsoDate | None, Query(description="Baseball day; the latest published one by default.")]
PlayerId = Annotated[int, Path(ge=1, le=LARGEST_ID, description="MLBAM id of the player.", examples=[592450]), WHOLE]
GamePk = Annotated[int, Path(ge=1, le=LARGEST_ID, description="MLB id of the game.", examples=[777001]), WHOLE]
Version = Annotated[
    int | None, Query(ge=1, le=LARGEST_ID, description="A kept version instead of the one that is served."), WHOLE
]
PathMarket = Annotated[
    Market,
    Path(description="A market, or `all`.", json_schema_extra={"enum": [*MARKETS, ALL]}, examples=["batter_hits"]),
]


async def only_known(asked: HTTPConnection) -> None:
    """Refuse what the route does not read: it would be answered as if it were not there.

    Raises:
        RequestValidationError: there is a parameter with another name, a misspelled one for example, one that is given
            twice, or a body.
    """
    # the guard lets no body pass that does not say its length
    length = asked.headers.get("content-length", "0")
    if not asked.query_params and length == "0":
        return
    names = sorted(_parameters(asked))
    expected = ", ".join(names) or "none"
    told = f"there is no such parameter; expected {expected}"
    given = asked.query_params.multi_items()
    wrong = [{"loc": ("query", name), "msg": told, "input": value} for name, value in given if name not in names]
    for name, count in Counter(name for name, _ in given if name in names).items():
        if count > 1:
            values = asked.query_params.getlist(name)
            wrong.append({"loc": ("query", name), "msg": "it is given more than once; expected one", "input": values})
    if length != "0":
        told = f"no body is read here; parameters go into the address, after a question mark: {expected}"
        wrong.append({"loc": ("body",), "msg": told, "input": f"{length} bytes"})
    if wrong:
        # a WebSocket's refusal is answered by the same handler
        raise RequestValidationError(wrong)


def _parameters(asked: HTTPConnection) -> set[str]:
    """Return the names of the query parameters of what was asked for."""
    known: set[str] = set()
    for field in asked.scope["route"].dependant.query_params:
        kind = field.field_info.annotation
        known |= set(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else {field.alias}
    return known


class Page(BaseModel):
    """Which of a slate's props, in which order, form and portion."""

    model_config = ConfigDict(extra="forbid")

    market: Market | None = Field(
        default=None, description="Only this market.", json_schema_extra={"enum": [*MARKETS, ALL, None]}
    )
    team: Annotated[str, Field(pattern="^[A-Z]{2,3}$")] | None = Field(
        default=None, description="Only players of this team."
    )
    player: Annotated[int, Field(ge=1, le=LARGEST_ID), WHOLE] | None = Field(
        default=None, description="Only this player, MLBAM id."
    )
    game_pk: Annotated[int, Field(ge=1, le=LARGEST_ID), WHOLE] | None = Field(
        default=None, description="Only this game."
    )
    min_edge: Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)] | None = Field(
        default=None, description="Only props with at least this edge."
    )
    sort: Order = Field(default="ev", description="Props without a value to sort by come last.")
    order: Direction = Field(default="desc", description="Largest or smallest first.")
    limit: Annotated[int, Field(ge=1, le=5000), WHOLE] | None = Field(
        default=None, description="Rows in an answer: 50 by default, all of them in the columnar formats."
    )
    offset: Annotated[int, WHOLE] = Field(default=0, ge=0, le=1_000_000, description="Rows to skip.")
    version: Annotated[int, Field(ge=1, le=LARGEST_ID), WHOLE] | None = Field(
        default=None, description="A kept version instead of the one that is served."
    )
    format: Format | None = Field(
        default=None, description="Instead of the header Accept: JSON, an Arrow IPC file or Parquet."
    )

    def asked(self) -> Asked:
        """Return the question to a version's sheet."""
        market = None if self.market == ALL else self.market
        return Asked(market, self.team, self.player, self.game_pk, self.min_edge, self.sort, self.order == "desc")


IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=128,
        pattern="^[A-Za-z0-9._:-]+$",
        description="Requests for one day with one key start one run.",
    ),
]
