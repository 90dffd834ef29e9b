"""The types of flows' parameters with their bounds: the Prefect UI shows a form and refuses what is outside.

What a parameter means is said in its flow's docstring, from which Prefect takes the form's text.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field

SomeDay = dt.date | None
Instant = dt.datetime | None
Parallel = Annotated[int, Field(ge=1, le=25)]
Spread = Annotated[int, Field(ge=0, le=400)]
Credits = Annotated[int | None, Field(ge=0)]
Player = Annotated[int | None, Field(ge=1)]
KeptDays = Annotated[int | None, Field(ge=0)]
Newest = Annotated[int, Field(ge=1, le=400)]
