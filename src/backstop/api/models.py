"""The documents that the API answers with, for its OpenAPI description: answers are bytes that were ready before."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import polars as pl
from pydantic import BaseModel, ConfigDict, Field, create_model

from backstop import tables

State = Literal["fresh", "stale"]


class Document(BaseModel):
    """A document whose members are all listed."""

    model_config = ConfigDict(extra="forbid")


class ProblemDocument(BaseModel):
    """Why a request was refused (RFC 9457)."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "example": {
                "type": "urn:backstop:no-slate",
                "title": "Not Found",
                "status": 404,
                "detail": "No slate of 2025-06-16 is published; the latest that are: 2025-06-15. Refresh the day, or "
                "ask for one of these.",
                "instance": "/api/v1/slates/2025-06-16",
            }
        },
    )

    type: str
    title: str
    status: int
    detail: str
    instance: str


def _type(dtype: pl.DataType, *, key: bool) -> Any:
    kinds: list[tuple[bool, Any]] = [
        (dtype == pl.String(), str),
        (dtype.is_float(), float),
        (dtype.is_integer(), int),
        (dtype == pl.Boolean(), bool),
        (dtype == pl.Date(), dt.date),
    ]
    kind = next(python for fits, python in kinds if fits)
    return kind if key else kind | None


KEY = (*tables.PROPS.key, "prop_id")
"""Never null; any other column may be."""

Prop = create_model(
    "Prop",
    __base__=Document,
    **{
        column.name: (_type(column.dtype, key=column.name in KEY), Field(description=column.meaning))
        for column in tables.PROPS.columns
    },
)  # type: ignore[call-overload]
"""One prop: the columns of `out_props`."""


class SlateLine(Document):
    """A slate in the list of slates."""

    date: dt.date
    state: State
    version: int
    age_s: float
    published_at: dt.datetime
    cutoff: dt.datetime
    run_id: str
    props_count: int
    features_count: int
    degraded: bool
    pinned: bool


class SlateList(Document):
    """Published slates, newest first."""

    slates: list[SlateLine]


class Gap(Document):
    """Something that a slate lacks."""

    table: str
    key: str
    reason: str


class Game(BaseModel):
    """A game of a slate."""

    model_config = ConfigDict(extra="allow")

    game_pk: int
    away_team: str
    home_team: str
    start_at: str | None = Field(default=None, description="Scheduled first pitch; null while it is to be determined.")


class SlateHead(Document):
    """A version of a slate."""

    date: dt.date
    version: int
    published_at: dt.datetime
    cutoff: dt.datetime
    run_id: str
    degraded: bool
    pinned: bool
    props_count: int
    features_count: int
    games: list[Game]
    gaps: list[Gap]


class Slate(Document):
    """A page of a slate's props."""

    state: State
    age_s: float
    slate: SlateHead
    total: int
    limit: int
    offset: int
    next: str | None = Field(description="Address of the next page, of this version; null on the last one.")
    props: list[Prop]


class VersionLine(Document):
    """A kept version."""

    version: int
    published_at: dt.datetime
    cutoff: dt.datetime
    run_id: str
    served: bool
    pinned: bool


class Versions(Document):
    """The kept versions of a slate, oldest first."""

    date: dt.date
    versions: list[VersionLine]


class Changed(Document):
    """A prop that two versions say different things of."""

    prop_id: str
    fields: dict[str, tuple[Any, Any]]


class DiffDocument(BaseModel):
    """What changed from one version to another."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    date: dt.date
    before: int = Field(alias="from")
    after: int = Field(alias="to")
    added: list[Prop]
    gone: list[Prop]
    changed: list[Changed]
    total: int = Field(description="Props that were added, are gone or changed; lists are cut at the limit.")


class Player(Document):
    """A player in a slate."""

    state: State
    age_s: float
    date: dt.date
    version: int
    player_id_mlbam: int
    features: list[dict[str, Any]]
    props: list[Prop]


class PlayerFeatures(Document):
    """A player's features in a slate, a row per game and role."""

    state: State
    age_s: float
    date: dt.date
    version: int
    player_id_mlbam: int
    features: list[dict[str, Any]]


class Top(Document):
    """The best props of a market."""

    state: State
    age_s: float
    date: dt.date
    version: int
    market: str
    sort: str
    props: list[Prop]


class GameProps(Document):
    """A game with its props."""

    state: State
    age_s: float
    date: dt.date
    version: int
    game: Game
    players: list[int]
    props: list[Prop]


class Health(BaseModel):
    """How something does."""

    model_config = ConfigDict(extra="allow")

    status: Literal["ok", "degraded", "down"]
    detail: str


class DetailedHealth(Document):
    """How every component does."""

    status: Literal["ok", "degraded", "down"]
    components: dict[str, Health]


class Coded(Document):
    """Texts with few values."""

    values: list[str]
    codes: list[int | None]


class BoardDocument(BaseModel):
    """A whole version in columns: lists of equal length, texts with few values by number."""

    model_config = ConfigDict(extra="forbid")

    format: int
    date: dt.date
    version: int
    published_at: dt.datetime
    cutoff: dt.datetime
    run_id: str
    model_version: str | None
    as_of: dt.date | None
    degraded: bool
    props_count: int
    features_count: int
    games: list[Game]
    gaps: list[Gap]
    missing: list[str]
    props: dict[str, Coded | list[Any]]
    distributions: list[list[float]]


class Grades(Document):
    """How past slates turned out, oldest first."""

    days: list[dict[str, Any]]


class Live(Document):
    """The process answers."""

    status: Literal["ok"]


class Figures(BaseModel):
    """Counters by name."""

    model_config = ConfigDict(extra="allow")
