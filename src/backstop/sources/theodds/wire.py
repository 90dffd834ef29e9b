"""What all answers of The Odds API have in common: the historical envelope, instants, teams, prices."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Any

from backstop.errors import UpstreamMalformed, UsageError
from backstop.excerpt import excerpt, names
from backstop.odds import decimal_of
from backstop.sources import jsontext, teams

SPORT = "baseball_mlb"

SNAPSHOT = dt.timedelta(minutes=10)
"""Historical snapshots lie five minutes apart, ten before 2022-09: later than that an answer about an instant stays."""

KNOWN_EVENT = frozenset({
    "id", "sport_key", "sport_title", "commence_time", "home_team", "away_team", "bookmakers",
    "home_rotation_number", "away_rotation_number",
})  # fmt: skip
NEEDED_EVENT = frozenset({"id", "commence_time", "home_team", "away_team"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """The content of an answer and, from the historical endpoints, the instant of its snapshot."""

    data: Any
    snapshot_at: dt.datetime | None


def unwrap(body: bytes, *, source: str) -> Envelope:
    """Decode an answer of a live or a historical endpoint.

    Raises:
        UpstreamMalformed: not JSON, an error object, or a historical answer without its time.
    """
    value = jsontext.decode(body, source=source)
    if isinstance(value, dict) and "data" in value:
        snapshot_at = jsontext.instant(value.get("timestamp"))
        if snapshot_at is None:
            raise UpstreamMalformed(
                f"{source} answered history without a readable timestamp; ask again.", source=source
            )
        return Envelope(value["data"], snapshot_at)
    if isinstance(value, dict) and "id" not in value:
        said = excerpt(str(value.get("message") or "")) or names(sorted(value))
        raise UpstreamMalformed(f"{source} answered an object that is no event ({said}).", source=source)
    return Envelope(value, None)


def stamp(instant: dt.datetime) -> str:
    """Write an instant as the feed wants it: seconds and Z, no fraction, no offset.

    Raises:
        UsageError: the instant has no zone.
    """
    if instant.tzinfo is None:
        raise UsageError(f"The instant {instant} has no zone; The Odds API wants UTC.")
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def team(name: Any) -> str | None:
    """Return the abbreviation of a club by the feed's name, `None` for an unknown one."""
    found = teams.named(name)
    return found.abbreviation if found else None


def decimal_price(price: Any, odds_format: str) -> float | None:
    """Return decimal odds above 1, `None` for a price that cannot be.

    >>> decimal_price(-110, "american"), decimal_price(150, "american"), decimal_price(5, "decimal")
    (1.9090909090909092, 2.5, 5.0)
    >>> decimal_price(1.0, "decimal"), decimal_price(50, "american")
    (None, None)
    """
    if isinstance(price, bool) or not isinstance(price, int | float) or not math.isfinite(price):
        return None
    if odds_format == "american":
        return decimal_of(price)
    return float(price) if price > 1 else None
