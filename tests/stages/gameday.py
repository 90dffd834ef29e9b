"""A game day in small: its games, its line-ups as they are posted, its slate as runs leave it in the ledger."""

from __future__ import annotations

import datetime as dt
import json

import polars as pl

from backstop import tables
from backstop.sources.statsapi import schedule
from backstop.stages import made_of, rebuild
from tests.stages.rows import DAY, games, listed_game

FIRST_PITCH = dt.datetime(2025, 6, 15, 17, tzinfo=dt.UTC)
PROPS = tables.PROPS.name


def at(hours: float) -> dt.datetime:
    return FIRST_PITCH + dt.timedelta(hours=hours)


def begin(house):
    """Let a house know the day's games, not begun, and that the days before had none."""
    house.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2, status="Scheduled", abstract_status="Preview"))
    for back in (1, 2, 3):
        house.ledger.empty(tables.GAMES.name, (DAY - dt.timedelta(days=back)).isoformat(), run_id="r", reason="none")


def post(house, clock, *pks, home=None):
    """Post both line-ups of some of the games, one player a club; `home` are others for the home clubs, in order."""

    def clubs(pk):
        players = {"homePlayers": home or [batter(pk, 1)], "awayPlayers": [batter(pk, 0)]}
        return {side: [{"id": each, "fullName": "A"} for each in listed] for side, listed in players.items()}

    listed = [listed_game(pk, DAY) | ({"lineups": clubs(pk)} if pk in pks else {}) for pk in (1, 2)]
    body = json.dumps({"dates": [{"date": DAY.isoformat(), "games": listed}]}).encode()
    house.archive.put(schedule.plan_day(DAY)[0], body, fetched_at=clock.now(), headers=(), status=200)


def batter(pk, home):
    """Return who bats first for a club."""
    return 10 * pk + home


def kept(house, *pks, home=None, run="r"):
    """Keep both line-ups of some of the games, as a refresh of the slate does, and whoever fetches box scores."""
    rows = [
        {"game_pk": pk, "game_date": DAY, "is_home": at_home, "slot": slot, "player_id_mlbam": player}
        for pk in pks
        for at_home in (True, False)
        for slot, player in enumerate((home if at_home and home else None) or [batter(pk, at_home)], 1)
    ]
    full = [{name: row.get(name) for name in tables.PLAYERS.schema} for row in rows]
    house.lake.write(tables.PLAYERS.name, DAY, pl.DataFrame(full, schema=tables.PLAYERS.schema))
    published(house, table=tables.PLAYERS.name, run=run)


def refreshed(house, *pks, home=None, run="r"):
    """Keep both line-ups of some of the games, and publish the slate that is made of them."""
    kept(house, *pks, home=home, run=run)
    published(house, run=run)
    meta = json.dumps({made_of.LINEUPS: made_of.digests(house, DAY)})
    told = dict.fromkeys(rebuild.SCHEMA) | {"game_date": DAY, "meta": meta}
    house.lake.write(rebuild.SLATES, DAY, pl.DataFrame([told], schema=rebuild.SCHEMA))


def published(house, *, table=PROPS, day=DAY, run="r"):
    house.ledger.begin(table, day.isoformat(), run_id=run)
    house.ledger.complete(table, day.isoformat(), run_id=run, rows_in=3, rows_loaded=3)


def failed(house, times=1):
    for _ in range(times):
        house.ledger.begin(PROPS, DAY.isoformat(), run_id="r")
        house.ledger.fail(PROPS, DAY.isoformat(), run_id="r", reason="the feed was down")
