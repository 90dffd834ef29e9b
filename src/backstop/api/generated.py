"""The documents that props made on request are answered with, for the OpenAPI description."""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import Field

from backstop.api.models import Document, Prop, State


class Timing(Document):
    """Where the time of a generation went, milliseconds."""

    read_ms: float
    generate_ms: float
    encode_ms: float
    total_ms: float


class Counts(Document):
    """What a generation made."""

    players: int
    players_in_slate: int
    batches: int
    props: int
    priced: int
    quotes: int


class Generated(Document):
    """Props that were made and priced now."""

    state: State
    age_s: float
    date: dt.date
    version: int
    features_as_of: dt.datetime = Field(description="What was known until then is in the features.")
    generated_at: dt.datetime
    model_version: str | None
    refresh: dict[str, Any] | None = Field(description="The run that was waited for.")
    counts: Counts
    timing: Timing
    props: list[Prop]


class Started(Document):
    """A run that was started and is not over."""

    id: str
    url: str
    state: str
    date: dt.date
    idempotency_key: str
