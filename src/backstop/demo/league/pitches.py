"""Pitches of simulated games, under Savant's names, with physics that hold together.

The count of every plate appearance is drawn backwards from its end: how many balls and strikes stood, in which order
they came, which pitches they were, where those crossed the plate, and what the bat did to the last one.
"""

# ruff: noqa: PLR2004 - shares, speeds and angles by hand; each stands once, beside what it does

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from backstop.demo.clubs import CLUBS
from backstop.demo.league.calendar import Fixture
from backstop.demo.league.people import FIELD, FIRST_ID, ROSTER_SEED, players
from backstop.demo.league.play import (
    BB_TYPES,
    ERROR,
    EVENTS,
    FLY,
    FORCE_OUT,
    GIDP,
    GROUND,
    INTENT_WALK,
    LINE,
    NOBODY,
    NOT_IN_PLAY,
    SAC_BUNT,
    SAC_FLY,
    TRUNCATED,
    Cards,
    Plays,
)
from backstop.demo.league.talent import BB, DOUBLE, HBP, HOMER, OUT, SINGLE, TRIPLE, K

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ARSENAL: Final = ("FF", "SI", "SL", "CH", "CU", "ST", "FC")
NAMES: Final = ("4-Seam Fastball", "Sinker", "Slider", "Changeup", "Curveball", "Sweeper", "Cutter")
VELOCITY_MPH: Final = np.array([94.6, 93.8, 86.2, 86.0, 80.2, 82.4, 89.8])
SPIN_RPM: Final = np.array([2320, 2160, 2450, 1780, 2580, 2620, 2400])
RUN_FT: Final = np.array([-0.62, -1.22, 0.28, -1.15, 0.72, 1.22, 0.18])
RISE_FT: Final = np.array([1.32, 0.62, 0.12, 0.48, -0.85, 0.08, 0.66])
AXIS_DEG: Final = np.array([208, 224, 150, 238, 45, 85, 185])
SHARES: Final = np.array([0.34, 0.16, 0.17, 0.12, 0.08, 0.07, 0.06])

WOBA: Final = {
    "walk": 0.69,
    "intent_walk": 0.0,
    "hit_by_pitch": 0.72,
    "single": 0.88,
    "double": 1.24,
    "triple": 1.56,
    "home_run": 2.0,
}
RUN_VALUE: Final = {
    "walk": 0.31,
    "intent_walk": 0.17,
    "hit_by_pitch": 0.34,
    "single": 0.45,
    "double": 0.77,
    "triple": 1.05,
    "home_run": 1.40,
}
NOT_AN_OUT: Final = -0.26
GRAVITY: Final = 32.174
PLATE_HALF_FT: Final = 0.83
SWINGS: Final = ("swinging_strike", "swinging_strike_blocked", "foul", "foul_tip", "hit_into_play")

_BALLS_AT_END: Final = np.array([0.36, 0.30, 0.21, 0.13])
_STRIKES_AT_END: Final = np.array([0.32, 0.31, 0.37])
_LAUNCH: Final = np.array(
    # mean and spread of exit velocity (mph), mean and spread of launch angle (deg): ground, fly, line, popup
    [[86.0, 13.0, -9.0, 11.0], [91.5, 8.5, 37.0, 7.5], [94.5, 8.0, 17.0, 5.5], [78.0, 11.0, 62.0, 7.0]]
)


def pitches(plays: Plays, cards: Cards, fixtures: list[Fixture], rng: np.random.Generator) -> pl.DataFrame:
    """Return one row per pitch, newest first.

    Args:
        plays: Plate appearances of the fixtures, `game` counting from 0.
        cards: Who played.
        fixtures: When and where.
        rng: The only source of chance.
    """
    row = _rows(plays, rng)
    frame = pl.DataFrame(
        _state(row, plays, fixtures) | _flight(row, plays, rng) | _fielders(row, plays, cards) | _texts(row, plays)
    )
    return _batted(frame, row, plays, rng).sort(
        "game_date", "game_pk", "at_bat_number", "pitch_number", descending=True
    )


def _rows(plays: Plays, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
    """Lay out the pitches of every plate appearance: which strikes and balls came in which order."""
    event = plays["event"]
    size = len(event)
    balls = rng.choice(4, size, p=_BALLS_AT_END)
    strikes = rng.choice(3, size, p=_STRIKES_AT_END)
    walk, fan, given = event == BB, event == K, event == INTENT_WALK
    balls = np.where(walk, 3, np.where(given, 3, balls))
    strikes = np.where(fan, 2, np.where(given, 0, strikes))
    short = event == TRUNCATED
    balls, strikes = (
        np.where(short, rng.integers(0, 2, size), balls),
        np.where(short, rng.integers(0, 2, size), strikes),
    )
    fouls = np.where((strikes == 2) & ~short, np.minimum(rng.geometric(0.62, size) - 1, 6), 0)
    count = balls + strikes + fouls + 1
    pa = np.repeat(np.arange(size), count)
    number = np.arange(len(pa)) - np.repeat(np.cumsum(count) - count, count) + 1
    last = number == count[pa]
    # first strikes, then fouls with two strikes, then balls, then the end; a random key puts them in order
    part = np.where(number <= strikes[pa], 0, np.where(number <= (strikes + fouls)[pa], 1, 2))
    key = rng.random(len(pa))
    second = np.zeros(size)
    np.maximum.at(second, pa[part == 0], key[part == 0])
    key = np.where(part == 1, second[pa] + (1 - second[pa]) * key, key)
    key = np.where(last, 2.0, key)
    order = np.lexsort((key, pa))
    part, last = part[order], last[order]
    before = _before(part, last, pa, number)
    return (
        {"pa": pa, "number": number, "last": last, "part": part} | before | {"call": _calls(part, last, pa, event, rng)}
    )


def _before(part: Ints, last: NDArray[np.bool_], pa: Ints, number: Ints) -> dict[str, NDArray[Any]]:
    """Return balls and strikes before each pitch."""
    ball, strike = (part == 2) & ~last, (part == 0) & ~last
    start = np.flatnonzero(number == 1)
    found = {}
    for name, flag in (("balls", ball), ("strikes", strike)):
        so_far = np.cumsum(flag) - flag
        found[name] = so_far - so_far[start][pa]
    return found


CALLS: Final = (
    "ball", "blocked_ball", "called_strike", "swinging_strike", "swinging_strike_blocked", "foul", "foul_tip",
    "hit_into_play", "hit_by_pitch", "automatic_ball", "automatic_strike",
)  # fmt: skip
BALL, BLOCKED, CALLED, SWINGING, SWINGING_BLOCKED, FOUL, TIP, IN_PLAY, HIT_BY, AUTO_BALL, AUTO_STRIKE = range(
    len(CALLS)
)


def _calls(part: Ints, last: NDArray[np.bool_], pa: Ints, event: Ints, rng: np.random.Generator) -> Ints:
    """Return the result of each pitch, an index of `CALLS`."""
    u = rng.random(len(part))
    ball = np.where(u < 0.06, BLOCKED, np.where(u > 0.9985, AUTO_BALL, BALL))
    strike = np.select(
        [u < 0.40, u < 0.62, u < 0.63, u < 0.9985], [CALLED, SWINGING, SWINGING_BLOCKED, FOUL], AUTO_STRIKE
    )
    third = np.select([u < 0.24, u < 0.90, u < 0.97], [CALLED, SWINGING, TIP], SWINGING_BLOCKED)
    call = np.select([part == 0, part == 1], [strike, FOUL], ball)
    ends = event[pa]
    finish = np.select(
        [ends == BB, ends == K, ends == HBP, ends == INTENT_WALK, ends == TRUNCATED],
        [np.where(ball == AUTO_BALL, BALL, ball), third, HIT_BY, AUTO_BALL, BALL],
        IN_PLAY,
    )
    return np.where(ends == INTENT_WALK, AUTO_BALL, np.where(last, finish, call))


def _state(row: dict[str, NDArray[Any]], plays: Plays, fixtures: list[Fixture]) -> dict[str, Any]:
    """Return who, when, where and the score, per pitch."""
    pa, last = row["pa"], row["last"]
    game = plays["game"][pa]
    half = plays["half"][pa]
    people = players()
    bats = np.array([player.person.bats for player in people])[plays["batter"]]
    throws = np.array([player.person.throws for player in people])[plays["pitcher"]]
    stand = np.where(bats == "S", np.where(throws == "L", "R", "L"), bats)[pa]
    abbr = np.array([club.abbr for club in CLUBS])
    home, away = (np.array([getattr(fixture, side) for fixture in fixtures])[game] for side in ("home", "away"))
    before = {"home": plays["home_score"][pa], "away": plays["away_score"][pa]}
    runs = np.where(last, plays["runs"][pa], 0)
    after = {"home": before["home"] + runs * (half == 1), "away": before["away"] + runs * (half == 0)}
    bat, field = (np.where(half == flag, before["home"], before["away"]) for flag in (1, 0))
    post_bat = bat + runs
    on = _runners(row, plays)
    outs = plays["outs"][pa] + (plays["caught"][pa] & (row["number"] > 1))
    call = row["call"]
    kind = np.where(np.isin(call, (BALL, BLOCKED, HIT_BY, AUTO_BALL)), "B", np.where(call == IN_PLAY, "X", "S"))
    win = 1 / (1 + np.exp(-(before["home"] - before["away"]) * (0.28 + 0.05 * plays["inning"][pa]) - 0.12))
    return {
        "game_date": np.array([fixture.day for fixture in fixtures], dtype="datetime64[D]")[game],
        "game_pk": np.array([fixture.game_pk for fixture in fixtures])[game],
        "game_year": np.array([fixture.day.year for fixture in fixtures])[game],
        "game_type": np.full(len(pa), "R"),
        "at_bat_number": plays["number"][pa],
        "pitch_number": row["number"],
        "batter": plays["batter"][pa] + FIRST_ID,
        "pitcher": plays["pitcher"][pa] + FIRST_ID,
        "events": _words(EVENTS, plays["event"][pa], last),
        "description": np.array(CALLS)[call],
        "type": kind,
        "stand": stand,
        "p_throws": throws[pa],
        "home_team": abbr[home],
        "away_team": abbr[away],
        "balls": row["balls"],
        "strikes": row["strikes"],
        "outs_when_up": np.minimum(outs, 2),
        "inning": plays["inning"][pa],
        "inning_topbot": np.where(half == 0, "Top", "Bot"),
        **on,
        "home_score": before["home"], "away_score": before["away"], "bat_score": bat, "fld_score": field,
        "post_home_score": after["home"], "post_away_score": after["away"],
        "post_bat_score": post_bat, "post_fld_score": field,
        "home_score_diff": before["home"] - before["away"], "bat_score_diff": bat - field,
        "home_win_exp": win.round(3), "bat_win_exp": np.where(half == 1, win, 1 - win).round(3),
        "n_thruorder_pitcher": _times(plays, "pitcher", 9)[pa],
        "n_priorpa_thisgame_player_at_bat": _times(plays, "batter", 1)[pa] - 1,
    }  # fmt: skip


def _times(plays: Plays, who: str, per: int) -> Ints:
    """Return how often a player's turn came in the game so far, in units of `per` plate appearances, from 1."""
    frame = pl.DataFrame({"game": plays["game"], "who": plays[who]})
    return (frame.select(pl.int_range(pl.len()).over("game", "who") // per + 1).to_series()).to_numpy()


def _runners(row: dict[str, NDArray[Any]], plays: Plays) -> dict[str, Any]:
    """Return runners before each pitch; a steal happens on the first pitch."""
    pa, later = row["pa"], row["number"] > 1
    on = plays["on"][pa]
    stole, caught = plays["stole"][pa], plays["caught"][pa]
    gone = later & (stole != NOBODY)
    first = np.where(gone, NOBODY, on[:, 0])
    second = np.where(gone & ~caught, stole, on[:, 1])
    return {
        name: pl.Series(name, np.where(base == NOBODY, 0, base + FIRST_ID)).replace(0, None)
        for name, base in (("on_1b", first), ("on_2b", second), ("on_3b", on[:, 2]))
    }


def _flight(row: dict[str, NDArray[Any]], plays: Plays, rng: np.random.Generator) -> dict[str, Any]:
    """Return what was thrown and how it flew, per pitch; automatic calls have no flight."""
    pa, call = row["pa"], row["call"]
    size = len(pa)
    pitcher = plays["pitcher"][pa]
    arms, hand = _arms(), np.where(np.array([p.person.throws == "L" for p in players()])[pitcher], -1.0, 1.0)
    kind = np.minimum((rng.random((size, 1)) > np.cumsum(arms["mix"][pitcher], axis=1)).sum(axis=1), len(ARSENAL) - 1)
    noise = rng.standard_normal((size, 9))
    speed = VELOCITY_MPH[kind] + arms["speed"][pitcher] + 0.9 * noise[:, 0]
    top, bottom = _zone_of(plays)
    x, z = _location(call, top[pa], bottom[pa], noise[:, 1], noise[:, 2], rng)
    pfx_x = (RUN_FT[kind] + 0.18 * noise[:, 3]) * hand
    pfx_z = RISE_FT[kind] + 0.18 * noise[:, 4]
    release_x = (-1.9 + arms["side"][pitcher]) * hand + 0.12 * noise[:, 5]
    release_z = 5.75 + arms["height"][pitcher] + 0.10 * noise[:, 6]
    extension = 6.45 + 0.25 * noise[:, 7]
    motion = _motion(speed, release_x, release_z, extension, x, z, pfx_x, pfx_z)
    swung = np.isin(call, [CALLS.index(name) for name in SWINGS])
    bat = 71.5 + arms["bat"][plays["batter"][pa]] + 5.2 * noise[:, 8]
    thrown = ~np.isin(call, (AUTO_BALL, AUTO_STRIKE))
    axis = np.where(hand > 0, AXIS_DEG[kind], 360 - AXIS_DEG[kind])
    values: dict[str, Floats | Ints] = {
        "release_speed": speed.round(1), "effective_speed": (speed + 0.6 * (extension - 6.3)).round(1),
        "release_pos_x": release_x.round(2), "release_pos_z": release_z.round(2),
        "release_pos_y": (60.5 - extension).round(2), "release_extension": extension.round(1),
        "release_spin_rate": np.rint(SPIN_RPM[kind] + arms["spin"][pitcher] + 70 * noise[:, 4]).astype(np.int64),
        "spin_axis": np.rint(axis + 6 * noise[:, 3]).astype(np.int64) % 360,
        "pfx_x": pfx_x.round(2), "pfx_z": pfx_z.round(2), "plate_x": x, "plate_z": z,
        "zone": _zone(x, z, top[pa], bottom[pa]), "sz_top": top[pa], "sz_bot": bottom[pa],
        "api_break_z_with_gravity": (2.6 - pfx_z + (94 - speed) * 0.06).round(2),
        "api_break_x_arm": (-pfx_x * hand).round(2), "api_break_x_batter_in": pfx_x.round(2),
        "arm_angle": (40 + 12 * arms["height"][pitcher] + 2 * noise[:, 6]).round(1), **motion,
    }  # fmt: skip
    shown: dict[str, Any] = {name: _where(thrown, value, name) for name, value in values.items()}
    swing = {
        "bat_speed": bat.clip(30, 88).round(1),
        "swing_length": (7.2 + 0.05 * (bat - 71) + 0.4 * noise[:, 2]).clip(3, 11).round(1),
    }
    shown |= {name: _where(swung & thrown, value, name) for name, value in swing.items()}
    texts = {"pitch_type": ARSENAL, "pitch_name": NAMES}
    return shown | {name: _words(words, kind, thrown) for name, words in texts.items()}


def _arms() -> dict[str, Floats]:
    """Return what is a pitcher's own (and a batter's swing), the same in every season."""
    rng = np.random.default_rng(ROSTER_SEED + 2)
    size = len(players())
    mix = SHARES * np.exp(0.7 * rng.standard_normal((size, len(SHARES))))
    return {
        "mix": mix / mix.sum(axis=1, keepdims=True),
        "speed": 1.8 * rng.standard_normal(size), "spin": 110 * rng.standard_normal(size),
        "side": 0.4 * rng.standard_normal(size), "height": 0.35 * rng.standard_normal(size),
        "bat": 2.2 * rng.standard_normal(size), "top": 3.32 + 0.12 * rng.standard_normal(size),
    }  # fmt: skip


def _zone_of(plays: Plays) -> tuple[Floats, Floats]:
    top = _arms()["top"][plays["batter"]].clip(2.95, 3.7).round(2)
    return top, (top * 0.48).round(2)


def _location(
    call: Ints, top: Floats, bottom: Floats, a: Floats, b: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return where pitches cross the plate: strikes that were taken inside the zone, balls outside."""
    middle, half = (top + bottom) / 2, (top - bottom) / 2
    angle, u = 2 * np.pi * rng.random(len(call)), rng.random(len(call))
    taken = call == CALLED
    wide = np.isin(call, (BALL, BLOCKED))
    hit = call == HIT_BY
    reach = np.select([taken, wide, hit], [0.95 * np.sqrt(u), 1.18 + 0.9 * u**1.5, 2.2 + u], 0.0)
    x, z = reach * np.cos(angle), reach * np.sin(angle)
    # a point of a circle, stretched until it lies on the same ring of the zone's rectangle
    stretch = np.where(reach > 0, reach / np.maximum(np.maximum(np.abs(x), np.abs(z)), 1e-9), 1.0)
    x, z = np.where(reach > 0, x * stretch, 0.62 * a), np.where(reach > 0, z * stretch, 0.62 * b)
    low = call == BLOCKED
    z = np.where(low, -np.abs(z) - 0.9, z)
    return PLATE_HALF_FT * x, middle + half * z


def _zone(x: Floats, z: Floats, top: Floats, bottom: Floats) -> Ints:
    column = np.digitize(x, [-PLATE_HALF_FT, -PLATE_HALF_FT / 3, PLATE_HALF_FT / 3, PLATE_HALF_FT])
    height = (top - bottom) / 3
    line = np.digitize((z - bottom) / height, [0.0, 1.0, 2.0, 3.0])
    inside = (column >= 1) & (column <= 3) & (line >= 1) & (line <= 3)
    outside = np.where(z >= (top + bottom) / 2, np.where(x < 0, 11, 12), np.where(x < 0, 13, 14))
    return np.where(inside, (3 - line) * 3 + column, outside)


def _motion(
    speed: Floats, x0: Floats, z0: Floats, extension: Floats, x: Floats, z: Floats, pfx_x: Floats, pfx_z: Floats
) -> dict[str, Floats]:
    """Return velocities (ft/s) and accelerations (ft/s2) at y = 50 ft that lead from the hand to the plate."""
    vy = -speed * 1.4667 * 0.995
    drag = 0.0021 * vy**2 / 1.45
    time = (60.5 - extension - 1.42) / (-vy - 0.5 * drag * 0.42)
    ax, az = 2 * pfx_x / time**2 * 0.82, 2 * pfx_z / time**2 * 0.82 - GRAVITY
    return {
        "vx0": (x - x0 - 0.5 * ax * time**2) / time, "vy0": vy, "vz0": (z - z0 - 0.5 * az * time**2) / time,
        "ax": ax, "ay": drag, "az": az,
    }  # fmt: skip


def _fielders(row: dict[str, NDArray[Any]], plays: Plays, cards: Cards) -> dict[str, Any]:
    """Return who stood where: the club in the field with its usual eight."""
    game, half = plays["game"][row["pa"]], plays["half"][row["pa"]]
    order = {"C": 2, "1B": 3, "2B": 4, "3B": 5, "SS": 6, "LF": 7, "CF": 8, "RF": 9}
    return {
        f"fielder_{number}": cards.lineup[game, 1 - half, FIELD.index(position)] + FIRST_ID
        for position, number in order.items()
    } | {
        "if_fielding_alignment": np.full(len(game), "Standard"),
        "of_fielding_alignment": np.full(len(game), "Standard"),
    }


def _texts(row: dict[str, NDArray[Any]], plays: Plays) -> dict[str, Any]:
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
    return {"des": _words(words, row["pa"], row["last"])}


def _batted(frame: pl.DataFrame, row: dict[str, NDArray[Any]], plays: Plays, rng: np.random.Generator) -> pl.DataFrame:
    """Add what happened to the ball in play, and the value of the play."""
    event, kind = plays["event"][row["pa"]], plays["bb_type"][row["pa"]]
    size = len(event)
    hit = (kind != NOT_IN_PLAY) & row["last"]
    foul = (row["call"] == FOUL) & (rng.random(size) < 0.75)
    mean = _LAUNCH[np.where(kind == NOT_IN_PLAY, GROUND, kind)]
    noise = rng.standard_normal((size, 2))
    bonus = np.select([event == HOMER, event == TRIPLE, event == DOUBLE, event == SINGLE], [12.0, 6.0, 5.0, 2.0], -2.0)
    speed = np.where(foul, 74 + 14 * noise[:, 0], mean[:, 0] + bonus + mean[:, 1] * noise[:, 0])
    speed = np.where(event == HOMER, speed.clip(94.0, 119.0), speed).clip(18.0, 119.5).round(1)
    angle = np.where(foul, 25 + 30 * noise[:, 1], mean[:, 2] + mean[:, 3] * noise[:, 1])
    angle = np.where(event == HOMER, angle.clip(19, 43), angle).clip(-85, 88)
    distance = _distance(speed, angle) + np.where(event == HOMER, 25, 0)
    distance = np.where(event == HOMER, distance.clip(340, 495), distance.clip(2, 420))
    tracked = (hit & (rng.random(size) > 0.004)) | foul
    spray = np.deg2rad(rng.normal(0, 22, size))
    expected = _expected(speed, angle)
    final = row["last"] & (plays["event"][row["pa"]] != TRUNCATED)
    names = np.array(EVENTS)[event]
    woba = np.array([WOBA.get(name, 0.0) for name in EVENTS])[event]
    value = np.array([RUN_VALUE.get(name, NOT_AN_OUT) for name in EVENTS])[event]
    delta = np.where(final, value, np.where(np.isin(row["call"], (BALL, BLOCKED, AUTO_BALL)), 0.045, -0.055)).round(3)
    is_hit = np.isin(event, (SINGLE, DOUBLE, TRIPLE, HOMER))
    counts_not = np.isin(event, (BB, HBP, INTENT_WALK, SAC_FLY, SAC_BUNT, K))
    return frame.with_columns(
        _words(BB_TYPES, kind, hit).alias("bb_type"),
        _where(tracked, speed, "launch_speed"),
        _where(tracked, np.rint(angle).astype(np.int64), "launch_angle"),
        _where(tracked, np.rint(distance).astype(np.int64), "hit_distance_sc"),
        _where(tracked, speed.clip(88, None), "hyper_speed"),
        _where(hit, (125.42 + 0.4 * distance * np.sin(spray)).round(2), "hc_x"),
        _where(hit, (198.27 - 0.4 * distance * np.cos(spray)).round(2), "hc_y"),
        _where(hit, _where_to(event, kind, rng), "hit_location"),
        _where(hit & tracked, expected.round(3), "estimated_ba_using_speedangle"),
        _where(
            hit & tracked,
            (expected * (1.0 + 0.9 * (distance > 360))).clip(0, 2).round(3),
            "estimated_woba_using_speedangle",
        ),
        _where(
            hit & tracked,
            (expected * (1.3 + 1.6 * (distance > 360))).clip(0, 4).round(3),
            "estimated_slg_using_speedangle",
        ),
        _where(hit & tracked, _quality(speed, angle), "launch_speed_angle"),
        _where(final, woba, "woba_value"),
        _where(final, np.where(np.isin(names, ("intent_walk", "sac_bunt")), 0, 1), "woba_denom"),
        _where(final, np.where(is_hit & (event != HOMER), 1, 0), "babip_value"),
        _where(
            final,
            np.where(counts_not, 0, np.select([event == DOUBLE, event == TRIPLE, event == HOMER], [1, 2, 3], 0)),
            "iso_value",
        ),
        pl.Series("delta_run_exp", delta),
        pl.Series("delta_pitcher_run_exp", -delta),
        pl.Series("delta_home_win_exp", (np.where(plays["half"][row["pa"]] == 1, 1, -1) * delta * 0.09).round(3)),
    )


def _words(vocabulary: Sequence[str], index: Ints, mask: NDArray[np.bool_]) -> pl.Series:
    """Return words by their index, null where the mask does not hold."""
    words = pl.Series(vocabulary, dtype=pl.String()).gather(index)
    return words.zip_with(pl.Series(mask), pl.Series([None], dtype=pl.String()))


def _where(mask: NDArray[np.bool_], values: NDArray[Any], name: str) -> pl.Series:
    series = pl.Series(name, values)
    return series.zip_with(pl.Series(mask), pl.Series(name, [None]).cast(series.dtype))


def _distance(speed: Floats, angle: Floats) -> Floats:
    """Return feet that a ball flies: a parabola with drag taken off in proportion to its speed."""
    lift = np.deg2rad(np.clip(angle, 1, 80))
    flight = (speed * 1.4667) ** 2 * np.sin(2 * lift) / GRAVITY
    return np.asarray(np.where(angle < 1, 8 + speed * 0.5, flight * (1 - speed / 235)))


def _expected(speed: Floats, angle: Floats) -> Floats:
    """Return a plausible expected batting average of exit velocity and launch angle."""
    good = np.exp(-(((angle - 14) / 13) ** 2)) * (0.25 + 0.65 / (1 + np.exp(-(speed - 86) / 5)))
    gone = np.exp(-(((angle - 28) / 8) ** 2)) / (1 + np.exp(-(speed - 101) / 3))
    grounder = 0.30 / (1 + np.exp(-(speed - 98) / 6)) * (angle < 8)
    return np.asarray(np.clip(np.maximum(np.maximum(good, gone), grounder), 0.005, 0.99))


def _quality(speed: Floats, angle: Floats) -> Ints:
    barrel = (speed >= 98) & (np.abs(angle - 28) <= 4 + (speed - 98))
    solid = (speed >= 95) & (angle >= 8) & (angle <= 40)
    return np.select([barrel, solid, (angle >= 8) & (angle < 32), angle < 8, speed < 60], [6, 5, 4, 2, 1], 3)


def _where_to(event: Ints, kind: Ints, rng: np.random.Generator) -> Ints:
    infield, outfield = rng.integers(1, 7, len(event)), rng.integers(7, 10, len(event))
    near = (
        np.isin(event, (GIDP, FORCE_OUT, SAC_BUNT))
        | (kind == GROUND) & np.isin(event, (OUT, ERROR))
        | (kind > LINE) & (event == OUT)
    )
    return np.where(near & (kind != FLY), np.where(infield == 2, 4, infield), outfield)
