"""Pitches of simulated games, under Savant's names, with physics that hold together."""

# ruff: noqa: PLR2004 - the slope of win expectancy by hand

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from backstop.demo.clubs import CLUBS
from backstop.demo.league import contact, counts, flight
from backstop.demo.league.calendar import Fixture
from backstop.demo.league.columns import worded
from backstop.demo.league.counts import BALLS, CALLS, IN_PLAY, Flags, Ints, Rows
from backstop.demo.league.outcomes import EVENTS, NOBODY, TRUNCATED
from backstop.demo.league.people import FIELD, FIRST_ID, players
from backstop.demo.league.play import Cards, Plays


def pitches(plays: Plays, cards: Cards, fixtures: list[Fixture], rng: np.random.Generator) -> pl.DataFrame:
    """Return one row per pitch, newest first.

    Args:
        plays: Plate appearances of the fixtures, `game` counting from 0.
        cards: Who played.
        fixtures: When and where.
        rng: The only source of chance.
    """
    row = counts.rows(plays, rng)
    frame = pl.DataFrame(
        _state(row, plays, fixtures)
        | flight.flight(row, plays, rng)
        | _fielders(row, plays, cards)
        | _texts(row, plays)
    )
    return contact.contact(frame, row, plays, rng).sort(
        "game_date", "game_pk", "at_bat_number", "pitch_number", descending=True
    )


def _state(row: Rows, plays: Plays, fixtures: list[Fixture]) -> dict[str, Any]:
    """Return who, when, where and what, per pitch."""
    pa, call, half = row["pa"], row["call"], plays["half"][row["pa"]]
    game = plays["game"][pa]
    people = players()
    bats = np.array(["RLS".index(player.person.bats or "R") for player in people])[plays["batter"]]
    throws = np.array(["RL".index(player.person.throws or "R") for player in people])[plays["pitcher"]]
    stand = np.where(bats == 2, 1 - throws, bats)
    clubs = [club.abbr for club in CLUBS]
    home, away = (np.array([getattr(fixture, side) for fixture in fixtures])[game] for side in ("home", "away"))
    kind = np.where(np.isin(call, BALLS), 0, np.where(call == IN_PLAY, 2, 1))
    outs = plays["outs"][pa] + (plays["caught"][pa] & _stolen(row, plays))
    return {
        "game_date": np.array([fixture.day for fixture in fixtures], dtype="datetime64[D]")[game],
        "game_pk": np.array([fixture.game_pk for fixture in fixtures])[game],
        "game_year": np.array([fixture.day.year for fixture in fixtures])[game],
        "game_type": worded("R", np.zeros(len(pa), dtype=np.int64)),
        "at_bat_number": plays["number"][pa],
        "pitch_number": row["number"],
        "batter": plays["batter"][pa] + FIRST_ID,
        "pitcher": plays["pitcher"][pa] + FIRST_ID,
        "events": worded(EVENTS, plays["event"][pa], row["last"]),
        "description": worded(CALLS, call),
        "type": worded("BSX", kind),
        "stand": worded("RL", stand[pa]),
        "p_throws": worded("RL", throws[pa]),
        "home_team": worded(clubs, home),
        "away_team": worded(clubs, away),
        "balls": row["balls"],
        "strikes": row["strikes"],
        "outs_when_up": outs,
        "inning": plays["inning"][pa],
        "inning_topbot": worded(("Top", "Bot"), half),
        "n_thruorder_pitcher": _times(plays, "pitcher", 9)[pa],
        "n_priorpa_thisgame_player_at_bat": _times(plays, "batter", 1)[pa] - 1,
        **_runners(row, plays),
        **_score(row, plays),
        **_ages(row, plays, fixtures),
    }


def _score(row: Rows, plays: Plays) -> dict[str, Any]:
    """Return runs before and after each pitch, and what they make of the chance to win."""
    pa, half = row["pa"], plays["half"][row["pa"]]
    home, away = plays["home_score"][pa], plays["away_score"][pa]
    runs = np.where(row["last"], plays["runs"][pa], 0)
    bat, field = np.where(half == 1, home, away), np.where(half == 1, away, home)
    win = 1 / (1 + np.exp(-(home - away) * (0.28 + 0.05 * plays["inning"][pa]) - 0.12))
    return {
        "home_score": home, "away_score": away, "bat_score": bat, "fld_score": field,
        "post_home_score": home + runs * (half == 1), "post_away_score": away + runs * (half == 0),
        "post_bat_score": bat + runs, "post_fld_score": field,
        "home_score_diff": home - away, "bat_score_diff": bat - field,
        "home_win_exp": win.round(3), "bat_win_exp": np.where(half == 1, win, 1 - win).round(3),
    }  # fmt: skip


def _ages(row: Rows, plays: Plays, fixtures: list[Fixture]) -> dict[str, Any]:
    """Return ages on the day, and by the year alone as Savant's older columns have them."""
    born = np.array([player.person.birth_date for player in players()], dtype="datetime64[D]")
    today = np.datetime64(fixtures[0].day)
    found = {}
    for short, who in (("pit", "pitcher"), ("bat", "batter")):
        birth = born[plays[who]][row["pa"]]
        found[f"age_{short}"] = ((today - birth).astype(np.int64) / 365.25).astype(np.int64)
        found[f"age_{short}_legacy"] = fixtures[0].day.year - 1970 - birth.astype("datetime64[Y]").astype(np.int64)
    return found


def _times(plays: Plays, who: str, per: int) -> Ints:
    """Return how often a player's turn came in the game so far, in units of `per` plate appearances, from 1."""
    frame = pl.DataFrame({"game": plays["game"], "who": plays[who]})
    return (frame.select(pl.int_range(pl.len()).over("game", "who") // per + 1).to_series()).to_numpy()


def _runners(row: Rows, plays: Plays) -> dict[str, Any]:
    """Return runners before each pitch."""
    pa, on = row["pa"], plays["on"][row["pa"]]
    stole, caught = plays["stole"][pa], plays["caught"][pa]
    gone = _stolen(row, plays) & (stole != NOBODY)
    first = np.where(gone, NOBODY, on[:, 0])
    second = np.where(gone & ~caught, stole, on[:, 1])
    return {
        name: pl.Series(name, np.where(base == NOBODY, 0, base + FIRST_ID)).replace(0, None)
        for name, base in (("on_1b", first), ("on_2b", second), ("on_3b", on[:, 2]))
    }


def _stolen(row: Rows, plays: Plays) -> Flags:
    """Tell on which pitches a steal of the turn is past: it happens on the first, or ends the inning with the last."""
    return np.asarray((row["number"] > 1) & (plays["event"][row["pa"]] != TRUNCATED))


def _fielders(row: Rows, plays: Plays, cards: Cards) -> dict[str, Any]:
    """Return who stood where: the club in the field with its usual eight."""
    game, half = plays["game"][row["pa"]], plays["half"][row["pa"]]
    standard = worded(("Standard",), np.zeros(len(game), dtype=np.int64))
    order = {"C": 2, "1B": 3, "2B": 4, "3B": 5, "SS": 6, "LF": 7, "CF": 8, "RF": 9}
    return {
        f"fielder_{number}": cards.lineup[game, 1 - half, FIELD.index(position)] + FIRST_ID
        for position, number in order.items()
    } | {
        "if_fielding_alignment": standard,
        "of_fielding_alignment": standard,
    }


def _texts(row: Rows, plays: Plays) -> dict[str, Any]:
    """Return the words of the play on its last pitch."""
    said = {
        "home_run": "homers",
        "field_out": "makes an out",
        "field_error": "reaches on a fielding error",
        "strikeout": "strikes out",
        "walk": "walks",
    }
    names = [player.person.full_name for player in players()]
    words = [
        f"{names[batter]} {said.get(EVENTS[event], EVENTS[event].replace('_', ' '))}."
        for batter, event in zip(plays["batter"], plays["event"], strict=True)
    ]
    return {"des": worded(words, row["pa"], row["last"])}
