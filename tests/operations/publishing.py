"""Publish a slate without a run."""

from __future__ import annotations

import datetime as dt

import polars as pl

from backstop.stages.house import House
from tests.store import rows

DAY = rows.DAY
NOON = dt.time(12)
"""Before any first pitch: a run of the flow knows more, so its slate is the newer one."""


def publish(house: House, day: dt.date, players: int) -> int:
    """Publish props and features of so many players, close the day in the ledger, and return the version."""
    frames = {"features": rows.features(players), "props": rows.props(players)}
    frames = {kind: frame.with_columns(game_date=pl.lit(day)) for kind, frame in frames.items()}
    draft = house.writer.open(day, cutoff=dt.datetime.combine(day, NOON, dt.UTC), run_id=f"of {players} players")
    for kind, frame in frames.items():
        house.writer.load(draft, kind, frame)
    published = house.writer.publish(draft, {kind: frame.height for kind, frame in frames.items()}, {})
    count = frames["props"].height
    house.ledger.begin("out_props", day.isoformat(), run_id=draft.run_id)
    house.ledger.complete("out_props", day.isoformat(), run_id=draft.run_id, rows_in=count, rows_loaded=count)
    return published.version
