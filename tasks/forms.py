"""The parameters of flows, each with a title and a sentence: the Prefect UI shows them as forms."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field

Day = Annotated[dt.date, Field(title="Baseball day", description="Official date of the games, Eastern.")]
SomeDay = Annotated[
    dt.date | None,
    Field(title="Baseball day", description="Official date of the games, Eastern. Empty is the run's own day."),
]
First = Annotated[
    dt.date | None, Field(title="First day", description="Empty is the first day of the first season that is kept.")
]
Last = Annotated[dt.date | None, Field(title="Last day", description="Included. Empty is yesterday.")]
Instant = Annotated[
    dt.datetime | None, Field(title="Instant", description="What counts as now, with its time zone. Empty is now.")
]
History = Annotated[
    bool, Field(title="Fetch missing history", description="Whether days of pitches that the lake lacks are fetched.")
]
Prices = Annotated[bool, Field(title="Ask for prices", description="Whether books are asked, which may cost credits.")]
Parallel = Annotated[
    int, Field(title="Days at once", ge=1, le=25, description="Days that are worked on at the same time in this run.")
]
Spread = Annotated[
    int,
    Field(
        title="Spread over workers",
        ge=0,
        description="Days per run of their own, started on the same deployment; 0 keeps every day in this run.",
    ),
]
Credits = Annotated[
    int | None,
    Field(
        title="Credit limit",
        ge=0,
        description="Credits of paid feeds that may be spent; the run is refused when it may need more.",
    ),
]
Again = Annotated[
    bool, Field(title="Degraded days too", description="Whether days that were published with gaps are done again.")
]
Player = Annotated[
    int | None, Field(title="Player", description="MLBAM id. Empty is the first starter of the day's first game.")
]
RunDays = Annotated[
    int | None,
    Field(
        title="Keep runs", ge=0, description="Days that folders of runs are kept. Empty: variable backstop_run_days."
    ),
]
ArchiveDays = Annotated[
    int | None,
    Field(title="Keep answers", ge=0, description="Days of raw answers. Empty: variable backstop_archive_days."),
]
Newest = Annotated[
    int, Field(title="Slates to compare", ge=1, description="The newest slates are compared with the lake.")
]
