"""Events of The Odds API: which games have prices. Free when live, one credit in history.

`commence_time` moves between snapshots and its minutes are often placeholders: a game is found by its official date
and teams (`identity.games`), not by the instant.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from backstop.clock import DAY_STARTS_AT_HOUR, EASTERN, baseball_day
from backstop.errors import UpstreamMalformed
from backstop.net.item import Answer, Item, Priority, Secret
from backstop.settings import Feed
from backstop.sources import jsontext
from backstop.sources.parsed import Intake, Parsed
from backstop.sources.theodds import wire
from backstop.tables import UTC_INSTANT, Column, Table

SOURCE = "The Odds API events"

EVENTS = Table(
    "core_events",
    "one row per game that has prices",
    ("event_id_theodds",),
    (
        Column("event_id_theodds", pl.String(), "32 hexadecimal characters"),
        Column("commence_at", UTC_INSTANT, "start as the feed lists it; it moves"),
        Column("home_team", pl.String(), "abbreviation"),
        Column("away_team", pl.String(), "abbreviation"),
        Column("game_date", pl.Date(), "baseball day of the start"),
    ),
)
TABLE = EVENTS.name


def plan(day: dt.date, at: dt.datetime | None = None) -> list[Item]:
    """Ask for the events of a baseball day, live or as they were listed at an instant."""
    start = dt.datetime.combine(day, dt.time(DAY_STARTS_AT_HOUR), EASTERN)
    end = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(DAY_STARTS_AT_HOUR), EASTERN) - dt.timedelta(
        seconds=1
    )
    params: tuple[tuple[str, str], ...] = (("commenceTimeFrom", wire.stamp(start)), ("commenceTimeTo", wire.stamp(end)))
    path, key, credit = f"/v4/sports/{wire.SPORT}/events", day.isoformat(), 0
    if at is not None:
        path, key, credit = f"/v4/historical/sports/{wire.SPORT}/events", f"{day}@{wire.stamp(at)}", 1
        params = (("date", wire.stamp(at)), *params)
    return [
        Item(
            Feed.THEODDS,
            TABLE,
            key,
            path,
            params,
            secret=Secret.QUERY_API_KEY,
            credits=credit,
            priority=Priority.PROPS if at is None else Priority.HISTORY,
            settled_at=None if at is None else at + wire.SNAPSHOT,
        )
    ]


def inspect(body: bytes) -> None:
    """Check that the content is a list of events; an empty one is whole.

    Raises:
        UpstreamMalformed: a web page, a cut or empty body, an error object, no list.
    """
    _events(body)


def _events(body: bytes) -> list[Any]:
    data = wire.unwrap(body, source=SOURCE).data
    if not isinstance(data, list):
        raise UpstreamMalformed(
            f"{SOURCE} answered a {type(data).__name__}, expected a list; ask again.", source=SOURCE
        )
    return data


def parse(answer: Answer) -> Parsed:
    """Turn an answer into events, one row per event; `game_date` is the baseball day of the start.

    Rejected: `type`, `missing_key`, `cast` (the start cannot be read), `unknown_team`.

    Raises:
        UpstreamMalformed: see `inspect`.
    """
    intake = Intake(EVENTS)
    events = _events(answer.body)
    for event in events:
        load_event(event, intake)
    return intake.parsed(jsontext.drift_of(events, wire.KNOWN_EVENT, wire.NEEDED_EVENT))


def load_event(event: Any, intake: Intake) -> None:
    """Load one event object, or reject it."""
    if not isinstance(event, dict):
        intake.reject(event, "type", "The event is not an object.")
        return
    commence_at = jsontext.instant(event.get("commence_time"))
    if commence_at is None:
        intake.reject(event, "cast", f"commence_time {event.get('commence_time')!r} cannot be read.")
        return
    home, away = wire.team(event.get("home_team")), wire.team(event.get("away_team"))
    if home is None or away is None:
        reason = f"{event.get('away_team')!r} at {event.get('home_team')!r}: not two clubs that are known."
        intake.reject(event, "unknown_team", reason)
        return
    intake.load(
        {
            "event_id_theodds": event.get("id"),
            "commence_at": commence_at,
            "home_team": home,
            "away_team": away,
            "game_date": baseball_day(commence_at),
        },
        event,
    )
