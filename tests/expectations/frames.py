"""Sound rows of every table: each value that a rule speaks of is there, and every rule holds."""

from __future__ import annotations

import datetime as dt
from typing import Any

import polars as pl

from backstop import tables
from backstop.features.build import SCHEMA as FEATURES
from backstop.features.outcomes import OUTCOMES

DAY = dt.date(2025, 5, 2)
BEFORE = DAY - dt.timedelta(days=1)
NOON = dt.datetime(2025, 5, 2, 16, tzinfo=dt.UTC)
ROWS = 12
PITCHES = 120


def framed(rows: list[dict[str, Any]], schema: dict[str, Any]) -> pl.DataFrame:
    """Rows in the columns of a table; what a row does not name is null."""
    return pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)


def pitches() -> pl.DataFrame:
    measured = {
        "pitch_type": "FF", "release_speed_mph": 95.0, "release_spin_rpm": 2300.0, "plate_x_ft": 0.1,
        "plate_z_ft": 2.5, "launch_speed_mph": 101.0, "launch_angle_deg": 12.0, "xba": 0.5, "bat_speed_mph": 72.0,
    }  # fmt: skip
    counted = {"balls": 1, "strikes": 2, "outs_when_up": 1, "description": "hit_into_play", "events": "single"}
    rows = [
        {
            "game_pk": 1,
            "game_date": DAY,
            "at_bat_number": 1 + n // 4,
            "pitch_number": 1 + n % 4,
            "game_type": "R",
            "home_team": "NYY",
            "away_team": "BOS",
            "batter_id_mlbam": 600_001,
            "pitcher_id_mlbam": 500_001,
            "stand": "L",
            "p_throws": "R",
            "inning": 1 + n // 15,
            "inning_topbot": "Top",
            **measured,
            **counted,
        }
        for n in range(PITCHES)
    ]
    return framed(rows, tables.PITCHES.schema)


def games() -> pl.DataFrame:
    rows = [
        {
            "game_pk": n,
            "game_date": DAY,
            "start_at": NOON,
            "game_type": "R",
            "abstract_status": "Final",
            "status": "Final",
            "doubleheader": "N",
            "game_number": 1,
            "home_team": "NYY",
            "away_team": "BOS",
            "home_score": 5,
            "away_score": 3,
        }
        for n in range(ROWS)
    ]
    return framed(rows, tables.GAMES.schema)


def players() -> pl.DataFrame:
    rows = [
        {
            "game_pk": 1,
            "game_date": DAY,
            "player_id_mlbam": 600_000 + n,
            "full_name": f"Player {n}",
            "team": "NYY",
            "opponent": "BOS",
            "is_home": True,
            "slot": n if 1 <= n <= 9 else None,
            "is_starting_pitcher": n == 0,
        }
        for n in range(ROWS)
    ]
    return framed(rows, tables.PLAYERS.schema)


def box() -> pl.DataFrame:
    line = {
        "plate_appearances": 4, "at_bats": 4, "hits": 2, "doubles": 1, "triples": 0, "home_runs": 0, "total_bases": 3,
        "outs_recorded": 18, "pitcher_strikeouts": 6,
    }  # fmt: skip
    rows = [{"game_pk": 1, "game_date": DAY, "player_id_mlbam": 600_000 + n, **line} for n in range(ROWS)]
    return framed(rows, tables.BOX.schema)


def quotes() -> pl.DataFrame:
    rows = [
        {
            "event_id_theodds": f"{n:032x}",
            "game_date": DAY,
            "game_pk": 1,
            "commence_at": NOON,
            "bookmaker": "draftkings",
            "market": "batter_hits",
            "player_name": "Player",
            "player_id_mlbam": 600_001,
            "line": 0.5,
            "side": "over",
            "price_decimal": 1.8,
            "updated_at": NOON - dt.timedelta(hours=1),
            "fetched_at": NOON,
        }
        for n in range(ROWS)
    ]
    return framed(rows, tables.QUOTES.schema)


def features() -> pl.DataFrame:
    rates = {f"rate_{outcome}": 1 / len(OUTCOMES) for outcome in OUTCOMES}
    rows = [
        {
            "game_pk": 1,
            "game_date": DAY,
            "player_id_mlbam": 600_000 + n,
            "role": "batter" if n else "starter",
            "slot": 1 + n % 9,
            "as_of": BEFORE,
            "history_pa": 900,
            "batters_faced_mean": 23.0,
            **rates,
        }
        for n in range(ROWS)
    ]
    return framed(rows, FEATURES)


def props() -> pl.DataFrame:
    rows = [
        {
            "prop_id": f"1:600001:batter_hits:{n}.5",
            "game_pk": 1,
            "game_date": DAY,
            "player_id_mlbam": 600_001,
            "player_name": "Player",
            "market": "batter_hits",
            "line": n + 0.5,
            "mean": 0.9,
            "prob_over": 0.6,
            "prob_push": 0.0,
            "prob_under": 0.4,
            "fair_over_decimal": 1 / 0.6,
            "best_side": "over",
            "best_price_decimal": 1.9,
            "kelly_quarter": 0.02,
            "model_version": "1",
            "as_of": BEFORE,
        }
        for n in range(ROWS)
    ]
    return framed(rows, tables.PROPS.schema)
