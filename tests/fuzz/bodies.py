"""A sound answer of every table, as the simulated league's server gives it, cut to a size that is quickly read again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator

import httpx
import polars as pl

from backstop.demo import DEMO_DAY
from backstop.net.item import Answer, Item, Secret
from backstop.sources import chadwick
from backstop.sources.savant import leaderboards, pitches
from backstop.sources.sportradar import people as sportradar_people
from backstop.sources.sportradar import playerprops, season, summary
from backstop.sources.sportradar import schedule as sportradar_schedule
from backstop.sources.statsapi import boxscore, livefeed, people, schedule
from backstop.sources.theodds import events, props

NOON = dt.datetime.combine(DEMO_DAY, dt.time(16), dt.UTC)
DAY = DEMO_DAY - dt.timedelta(days=2)
LINES = 120
"""Of a CSV that are kept."""
BOARDS = 3
"""Leaderboards that are asked for: all are read by the same function."""


def items(games: pl.DataFrame, listed: pl.DataFrame) -> Iterator[Item]:
    """One request of every kind."""
    pk = games["game_pk"].head(1).to_list()
    yield pitches.plan([DAY])[0]
    yield schedule.plan_day(DAY)[0]
    yield boxscore.plan(pk)[0]
    yield livefeed.plan(pk)[0]
    yield people.plan_rosters(DAY, games["home_team"].head(1))[0]
    yield events.plan(DEMO_DAY)[0]
    yield props.plan(listed.head(1), ["batter_hits", "pitcher_strikeouts"])[0]
    yield sportradar_schedule.plan(DAY)[0]
    yield summary.plan_day(DAY)[0]
    yield season.plan(DAY.year, games["home_team"].head(1))[0]
    yield sportradar_people.plan_injuries()[0]
    yield playerprops.plan(DEMO_DAY)[0]
    yield chadwick.plan()[0]
    yield from leaderboards.plan(DAY.year)[:BOARDS]


def sound(base_url: str) -> dict[str, tuple[Answer, pl.DataFrame]]:
    """Return an answer of every table with the day's games, by a name that says which it is."""
    with httpx.Client(base_url=base_url, timeout=60) as client:
        games = schedule.parse(ask(client, schedule.plan_day(DAY)[0])).frame
        listed = events.parse(ask(client, events.plan(DEMO_DAY)[0])).frame
        return {item.table: (cut(ask(client, item)), games) for item in items(games, listed)}


def ask(client: httpx.Client, item: Item) -> Answer:
    """Ask the server for an item."""
    headers = {"x-api-key": "k"} if item.secret is Secret.HEADER_X_API_KEY else {}
    response = client.get(item.path, params=item.params, headers=headers)
    assert response.status_code == 200, response.text[:200]
    return Answer(item, 200, response.content, NOON, "0" * 64, tuple(response.headers.items()))


def cut(answer: Answer) -> Answer:
    """Keep the first lines of a CSV and the first members of long JSON lists."""
    text = answer.body
    if text.lstrip()[:1] in (b"{", b"["):
        body = json.dumps(_shorter(json.loads(text))).encode()
    else:
        body = b"\n".join(text.split(b"\n")[:LINES]) + b"\n"
    return Answer(answer.item, 200, body, answer.fetched_at, answer.content_hash, answer.headers)


def _shorter(value: object, most: int = 4) -> object:
    if isinstance(value, dict):
        kept = list(value.items())[: most if all(str(key).startswith("ID") for key in value) else None]
        return {key: _shorter(below, most) for key, below in kept}
    return [_shorter(each, most) for each in value[:most]] if isinstance(value, list) else value
