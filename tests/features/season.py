"""A small simulated season in the columns of PITCHES: four teams, nine batters and a starter each, chances by seed."""

from __future__ import annotations

import datetime as dt

import numpy as np
import polars as pl

from backstop.tables import GAMES, PITCHES, PLAYERS

TEAMS = ("AAA", "BBB", "CCC", "DDD")
EVENTS = ("strikeout", "walk", "hit_by_pitch", "single", "double", "triple", "home_run", "field_out")
CHANCES = (0.22, 0.08, 0.01, 0.145, 0.045, 0.005, 0.03, 0.465)
FIRST = dt.date(2024, 4, 1)


def batter(team: int, slot: int) -> int:
    return 1000 + 100 * team + slot


def pitcher(team: int, day: int) -> int:
    """Five starters take turns; 6 is the relief pitcher."""
    return 2000 + 100 * team + day % 5


def relief(team: int) -> int:
    return 2000 + 100 * team + 50


def side_of(player: int) -> str:
    return "L" if player % 3 == 0 else "R"


def pairings(day: int) -> list[tuple[int, int]]:
    shift = day % 3 + 1
    order = [0, shift, *[t for t in (1, 2, 3) if t != shift]]
    return [(order[0], order[1]), (order[2], order[3])]


def pitches(days: int, seed: int = 7, first: dt.date = FIRST) -> pl.DataFrame:
    """Play `days` days of two games each, one pitch per turn at bat, 27 turns a side."""
    random = np.random.default_rng(seed)
    rows = []
    for day in range(days):
        for home, away in pairings(day):
            number = 0
            score = {home: 0, away: 0}
            for turn in range(36):
                for bats, fields in ((away, home), (home, away)):
                    number += 1
                    event = str(random.choice(EVENTS, p=CHANCES))
                    score[bats] += event == "home_run"
                    thrower = pitcher(fields, day) if turn < 24 else relief(fields)
                    who = batter(bats, turn % 9 + 1)
                    rows.append(
                        {
                            "game_pk": 10 * day + home + 1,
                            "game_date": first + dt.timedelta(days=day),
                            "at_bat_number": number,
                            "pitch_number": 1,
                            "game_type": "R",
                            "season": first.year,
                            "home_team": TEAMS[home],
                            "away_team": TEAMS[away],
                            "batter_id_mlbam": who,
                            "pitcher_id_mlbam": thrower,
                            "stand": side_of(who),
                            "p_throws": side_of(thrower),
                            "inning": turn // 4 + 1,
                            "inning_topbot": "Bot" if bats == home else "Top",
                            "events": event,
                            "bb_type": None if event in ("strikeout", "walk", "hit_by_pitch") else "ground_ball",
                            "post_home_score": score[home],
                            "post_away_score": score[away],
                        }
                    )
    frame = pl.DataFrame(rows)
    lacking = [pl.lit(None, dtype=dtype).alias(n) for n, dtype in PITCHES.schema.items() if n not in frame.columns]
    return frame.with_columns(lacking).select(pl.col(n).cast(dtype) for n, dtype in PITCHES.schema.items())


def slate(day: int, first: dt.date = FIRST) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The games and line-ups of a day, as the schedule would name them."""
    date = first + dt.timedelta(days=day)
    games, players = [], []
    for home, away in pairings(day):
        pk = 10 * day + home + 1
        games.append(
            {
                "game_pk": pk,
                "game_date": date,
                "season": date.year,
                "game_type": "R",
                "status": "Scheduled",
                "home_team": TEAMS[home],
                "away_team": TEAMS[away],
                "home_starter_id_mlbam": pitcher(home, day),
                "away_starter_id_mlbam": pitcher(away, day),
            }
        )
        for team, other in ((home, away), (away, home)):
            common = {"game_pk": pk, "game_date": date, "team": TEAMS[team], "opponent": TEAMS[other]}
            common |= {"is_home": team == home}
            for slot in range(1, 10):
                who = batter(team, slot)
                players.append(
                    {
                        **common,
                        "player_id_mlbam": who,
                        "full_name": f"B {who}",
                        "slot": slot,
                        "is_starting_pitcher": False,
                    }
                )
            who = pitcher(team, day)
            players.append(
                {**common, "player_id_mlbam": who, "full_name": f"P {who}", "slot": None, "is_starting_pitcher": True}
            )
    return _table(games, GAMES.schema), _table(players, PLAYERS.schema)


def _table(rows: list[dict], schema: dict) -> pl.DataFrame:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    lacking = [pl.lit(None, dtype=dtype).alias(n) for n, dtype in schema.items() if n not in frame.columns]
    return frame.with_columns(lacking).select(pl.col(n).cast(dtype) for n, dtype in schema.items())
