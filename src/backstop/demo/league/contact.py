"""What simulated bats do to pitches: exit velocity, angle, distance, and what the play was worth."""

# ruff: noqa: PLR2004 - speeds and angles by hand; each stands once, beside what it does

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from backstop.demo.league.columns import shown, worded
from backstop.demo.league.counts import AUTO_BALL, BALL, BLOCKED, FOUL, Ints, Rows
from backstop.demo.league.outcomes import (
    BB_TYPES,
    ERROR,
    EVENTS,
    FLY,
    FORCE_OUT,
    GIDP,
    GROUND,
    INTENT_WALK,
    LINE,
    NOT_IN_PLAY,
    SAC_BUNT,
    SAC_FLY,
    TRUNCATED,
)
from backstop.demo.league.play import Plays
from backstop.demo.league.talent import BB, DOUBLE, HBP, HOMER, LEAGUE, OUT, SINGLE, TRIPLE, K, talents

Floats = NDArray[np.float64]
GRAVITY: Final = 32.174
"""ft/s2."""

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
MPH_PER_LOG_POWER: Final = 4.5
"""With it barrels that stay in the park are about as much more frequent as home runs are."""

_LAUNCH: Final = np.array(
    # mean and spread of exit velocity (mph), mean and spread of launch angle (deg): ground, fly, line, popup
    [[86.0, 13.0, -9.0, 11.0], [91.5, 8.5, 37.0, 7.5], [94.5, 8.0, 17.0, 5.5], [78.0, 11.0, 62.0, 7.0]]
)


def contact(frame: pl.DataFrame, row: Rows, plays: Plays, rng: np.random.Generator) -> pl.DataFrame:
    """Add what happened to the ball in play, and the value of the play."""
    event, kind = plays["event"][row["pa"]], plays["bb_type"][row["pa"]]
    size = len(event)
    hit = (kind != NOT_IN_PLAY) & row["last"]
    foul = (row["call"] == FOUL) & (rng.random(size) < 0.75)
    speed, angle, distance = _flight(event, kind, foul, _strength(plays)[row["pa"]], rng)
    tracked = (hit & (rng.random(size) > 0.004)) | foul
    spray = np.deg2rad(rng.normal(0, 22, size))
    expected, far = _expected(speed, angle), distance > 360
    return frame.with_columns(
        worded(BB_TYPES, kind, hit).alias("bb_type"),
        shown(tracked, speed, "launch_speed"),
        shown(tracked, np.rint(angle).astype(np.int64), "launch_angle"),
        shown(tracked, np.rint(distance).astype(np.int64), "hit_distance_sc"),
        shown(tracked, speed.clip(88, None), "hyper_speed"),
        shown(hit, (125.42 + 0.4 * distance * np.sin(spray)).round(2), "hc_x"),
        shown(hit, (198.27 - 0.4 * distance * np.cos(spray)).round(2), "hc_y"),
        shown(hit, _where_to(event, kind, rng), "hit_location"),
        shown(hit & tracked, expected.round(3), "estimated_ba_using_speedangle"),
        shown(hit & tracked, (expected * (1 + 0.9 * far)).clip(0, 2).round(3), "estimated_woba_using_speedangle"),
        shown(hit & tracked, (expected * (1.3 + 1.6 * far)).clip(0, 4).round(3), "estimated_slg_using_speedangle"),
        shown(hit & tracked, _quality(speed, angle), "launch_speed_angle"),
        *_worth(row, event, plays["half"][row["pa"]] == 1),
    )


def _flight(
    event: Ints, kind: Ints, foul: NDArray[np.bool_], strength: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Return exit velocity (mph), launch angle (deg) and distance (ft) that go with what became of each pitch."""
    homer, mean = event == HOMER, _LAUNCH[np.where(kind == NOT_IN_PLAY, GROUND, kind)]
    noise = rng.standard_normal((len(event), 2))
    bonus = np.select([homer, event == TRIPLE, event == DOUBLE, event == SINGLE], [12.0, 6.0, 5.0, 2.0], -2.0)
    bonus = bonus + strength
    speed = np.where(foul, 74 + 14 * noise[:, 0], mean[:, 0] + bonus + mean[:, 1] * noise[:, 0])
    speed = np.where(homer, speed.clip(94.0, 119.0), speed).clip(18.0, 119.5).round(1)
    angle = np.where(foul, 25 + 30 * noise[:, 1], mean[:, 2] + mean[:, 3] * noise[:, 1])
    angle = np.where(homer, angle.clip(19, 43), angle).clip(-85, 88)
    distance = _distance(speed, angle) + np.where(homer, 25, 0)
    return speed, angle, np.where(homer, distance.clip(340, 495), distance.clip(2, 420))


def _worth(row: Rows, event: Ints, home_bats: NDArray[np.bool_]) -> list[pl.Series]:
    """Return the columns that say what a play was worth; those of a plate appearance stand at its last pitch."""
    final = row["last"] & (event != TRUNCATED)
    names = np.array(EVENTS)[event]
    woba = np.array([WOBA.get(name, 0.0) for name in EVENTS])[event]
    value = np.array([RUN_VALUE.get(name, NOT_AN_OUT) for name in EVENTS])[event]
    delta = np.where(final, value, np.where(np.isin(row["call"], (BALL, BLOCKED, AUTO_BALL)), 0.045, -0.055)).round(3)
    is_hit = np.isin(event, (SINGLE, DOUBLE, TRIPLE, HOMER))
    counts_not = np.isin(event, (BB, HBP, INTENT_WALK, SAC_FLY, SAC_BUNT, K))
    beyond_first = np.select([event == DOUBLE, event == TRIPLE, event == HOMER], [1, 2, 3], 0)
    return [
        shown(final, woba, "woba_value"),
        shown(final, np.where(np.isin(names, ("intent_walk", "sac_bunt")), 0, 1), "woba_denom"),
        shown(final, np.where(is_hit & (event != HOMER), 1, 0), "babip_value"),
        shown(final, np.where(counts_not, 0, beyond_first), "iso_value"),
        pl.Series("delta_run_exp", delta),
        pl.Series("delta_pitcher_run_exp", -delta),
        pl.Series("delta_home_win_exp", (np.where(home_bats, 1, -1) * delta * 0.09).round(3)),
    ]


def _strength(plays: Plays) -> Floats:
    """Return how much harder than others each batter hits: barrels tell of a slugger before his home runs do."""
    own = talents().batting[plays["batter"], HOMER] / LEAGUE[HOMER]
    return np.asarray(MPH_PER_LOG_POWER * np.log(own))


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
