"""A folder of recordings in small: invented games in the shapes in which real ones are kept."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from pathlib import Path

import polars as pl

GAME = 910001
DAY = dt.date(2031, 5, 4)
HOME_IDS, AWAY_IDS = list(range(9_500_001, 9_500_012)), list(range(9_500_101, 9_500_112))
EVENT = "0" * 31 + "a"
START = dt.datetime(2031, 5, 4, 23, 6, tzinfo=dt.UTC)


def plate_appearances(game: int = GAME, day: dt.date = DAY) -> list[dict]:
    """One game of three innings: every half has three outs, the home club wins on the last play."""
    rows, number = [], 0
    turns = {"Top": 0, "Bot": 0}
    script = {
        ("Top", 1): ["strikeout", "single", "grounded_into_double_play"],
        ("Bot", 1): ["walk", "home_run", "strikeout", "field_out", "field_out"],
        ("Top", 2): ["field_out", "double", "field_out", "truncated_pa"],
        ("Bot", 2): ["field_out", "field_out", "strikeout"],
        ("Top", 3): ["home_run", "home_run", "sac_fly", "field_out", "strikeout"],
        ("Bot", 3): ["triple", "single"],
    }
    score = {"Top": 0, "Bot": 0}
    runs = {"home_run": 1}
    scored = {(("Bot", 1), 1): 2, (("Bot", 3), 1): 1, (("Top", 3), 0): 1, (("Top", 3), 1): 1}
    for half, events in script.items():
        outs = 0
        side = half[0]
        batters, arms = (AWAY_IDS, HOME_IDS) if side == "Top" else (HOME_IDS, AWAY_IDS)
        for place, event in enumerate(events):
            number += 1
            batter = batters[turns[side] % 9]
            pitcher = arms[9] if half[1] < 3 or place < 2 else arms[10]
            before = score[side]
            score[side] += scored.get((half, place), runs.get(event, 0) if side == "Top" else 0)
            rows += [
                    {
                        "game_pk": game, "game_date": day, "game_type": "R", "at_bat_number": number, "pitch_number": pitch,
                        "batter": batter, "pitcher": pitcher, "events": event if pitch == 2 else None,
                        "stand": "R", "p_throws": "L", "home_team": "SEA", "away_team": "NYM", "inning": half[1],
                        "inning_topbot": side, "outs_when_up": outs, "bb_type": None, "bat_score": before,
                        "post_bat_score": score[side] if pitch == 2 else before,
                        "post_home_score": score["Bot"], "post_away_score": score["Top"],
                        "woba_value": None, "woba_denom": None, "description": "ball" if pitch == 1 else "hit_into_play",
                        "plate_x": 0.25, "zone": 5.0, "player_name": f"Hurler, {pitcher}", "game_year": day.year,
                    }
                    for pitch in (1, 2)
            ]  # fmt: skip
            outs += {"grounded_into_double_play": 2, "strikeout": 1, "field_out": 1, "sac_fly": 1}.get(event, 0)
            turns[side] += event != "truncated_pa"
    return rows


NARROW = [
    "game_pk",
    "game_date",
    "game_type",
    "home_team",
    "away_team",
    "pitcher",
    "batter",
    "p_throws",
    "stand",
    "events",
    "bb_type",
    "inning",
    "inning_topbot",
    "at_bat_number",
    "pitch_number",
    "bat_score",
    "post_bat_score",
    "post_home_score",
    "post_away_score",
    "woba_value",
    "woba_denom",
]


def pitches(rows: list[dict] | None = None) -> pl.DataFrame:
    schema = {"events": pl.String(), "bb_type": pl.String(), "woba_value": pl.Float64(), "woba_denom": pl.Float64()}
    return pl.DataFrame(rows or plate_appearances(), schema_overrides=schema)


def write(folder: Path, *, wide: pl.DataFrame | None = None, narrow: pl.DataFrame | None = None) -> Path:
    """Write the pitch files: one with many columns and small integers, one with 21 columns and dates as instants."""
    (folder / "savant" / "pitches").mkdir(parents=True)
    if wide is not None:
        small = wide.with_columns(
            pl.col("game_pk", "batter", "pitcher", "at_bat_number", "pitch_number").cast(pl.Int32())
        )
        small.write_parquet(folder / "savant" / "pitches" / "season_of_another_year.parquet")
    if narrow is not None:
        dated = narrow.select(NARROW).with_columns(pl.col("game_date").cast(pl.Datetime("ns")))
        dated.write_parquet(folder / "savant" / "pitches" / "everything.parquet")
    return folder


def write_odds(folder: Path) -> Path:
    """Write quotes in both shapes."""
    odds = folder / "odds"
    odds.mkdir(parents=True)
    game = {"event_id": EVENT, "home_team": "Seattle Mariners", "away_team": "New York Mets"}

    def outcome(book: str, at: dt.timedelta, side: str, price: int, commence: dt.datetime = START) -> dict:
        return game | {
            "commence_time": commence, "bookmaker": book, "last_update": START + at, "market": "batter_hits",
            "description": "José Núñez", "raw_name": side, "line": 0.5, "odds": price, "committed_at": START + at,
        }  # fmt: skip

    hour = dt.timedelta(hours=1)
    earlier = START - dt.timedelta(minutes=30)
    rows = [
        outcome("BetOnline.ag", -5 * hour, "Over", -150, earlier),
        outcome("BetOnline.ag", -1 * hour, "Over", -160),
        outcome("BetOnline.ag", -1 * hour, "Under", 130),
        outcome("BetOnline.ag", 1 * hour, "Over", -900),
        outcome("FanDuel", -2 * hour, "Over", -140),
    ]
    pl.DataFrame(rows).write_parquet(odds / "batters.parquet")
    pairs = [
        {"over": -120, "under": 100, "first_seen_at": START - 4 * hour, "last_seen_at": START - 3 * hour},
        {"over": 110, "under": None, "first_seen_at": START - 2 * hour, "last_seen_at": START + hour},
    ]
    frame = pl.DataFrame(
        [
            game | {"commence_time": START, "player": "T.J. Thrower", "line": 5.5, "bookmaker": "MyBookie.ag"} | p
            for p in pairs
        ]
    )
    frame.write_parquet(odds / "some_strikeout_props.parquet")
    return folder


def write_schedule(folder: Path) -> Path:
    """Write a recorded schedule of the day: the game of the pitches, with a start that no book knew."""
    team = lambda number, score: {"team": {"id": number}, "score": score}  # noqa: E731
    game = {
        "gamePk": GAME, "gameType": "R", "gameDate": "2031-05-04T20:10:00Z", "officialDate": DAY.isoformat(),
        "status": {"detailedState": "Completed Early", "abstractGameState": "Final", "startTimeTBD": False},
        "teams": {"home": team(136, 4), "away": team(121, 3)}, "doubleHeader": "N", "gameNumber": 1,
    }  # fmt: skip
    (folder / "mlb_statsapi").mkdir(parents=True)
    body = json.dumps({"dates": [{"date": DAY.isoformat(), "games": [game]}]}).encode()
    (folder / "mlb_statsapi" / "some.json.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + body))
    return folder
