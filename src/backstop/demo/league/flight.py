"""How simulated pitches fly: which one, how fast, with which spin, and where it crosses the plate."""

# ruff: noqa: PLR2004 - speeds and angles by hand; each stands once, beside what it does

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from backstop.demo.league.columns import shown, worded
from backstop.demo.league.contact import GRAVITY
from backstop.demo.league.counts import AUTOMATIC, BALL, BLOCKED, CALLED, HIT_BY, SWINGS, Ints, Rows
from backstop.demo.league.people import ROSTER_SEED, players
from backstop.demo.league.play import Plays

Floats = NDArray[np.float64]

ARSENAL: Final = ("FF", "SI", "SL", "CH", "CU", "ST", "FC")
NAMES: Final = ("4-Seam Fastball", "Sinker", "Slider", "Changeup", "Curveball", "Sweeper", "Cutter")
VELOCITY_MPH: Final = np.array([94.6, 93.8, 86.2, 86.0, 80.2, 82.4, 89.8])
SPIN_RPM: Final = np.array([2320, 2160, 2450, 1780, 2580, 2620, 2400])
RUN_FT: Final = np.array([-0.62, -1.22, 0.28, -1.15, 0.72, 1.22, 0.18])
RISE_FT: Final = np.array([1.32, 0.62, 0.12, 0.48, -0.85, 0.08, 0.66])
AXIS_DEG: Final = np.array([208, 224, 150, 238, 45, 85, 185])
SHARES: Final = np.array([0.34, 0.16, 0.17, 0.12, 0.08, 0.07, 0.06])
PLATE_HALF_FT: Final = 0.83


def flight(row: Rows, plays: Plays, rng: np.random.Generator) -> dict[str, pl.Series]:
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
    swung = np.isin(call, SWINGS)
    bat = 71.5 + arms["bat"][plays["batter"][pa]] + 5.2 * noise[:, 8]
    thrown = ~np.isin(call, AUTOMATIC)
    axis = np.where(hand > 0, AXIS_DEG[kind], 360 - AXIS_DEG[kind])
    values: dict[str, Floats | Ints] = {
        "release_speed": speed.round(1), "effective_speed": (speed + 0.6 * (extension - 6.3)).round(1),
        "release_pos_x": release_x.round(2), "release_pos_z": release_z.round(2),
        "release_pos_y": (60.5 - extension).round(2), "release_extension": extension.round(1),
        "release_spin_rate": np.rint(SPIN_RPM[kind] + arms["spin"][pitcher] + 70 * noise[:, 4]).astype(np.int64),
        "spin_axis": np.rint(axis + 6 * noise[:, 3]).astype(np.int64) % 360,
        "pfx_x": pfx_x.round(2), "pfx_z": pfx_z.round(2), "plate_x": x.round(6), "plate_z": z.round(6),
        "zone": _zone(x, z, top[pa], bottom[pa]), "sz_top": top[pa], "sz_bot": bottom[pa],
        "api_break_z_with_gravity": (2.6 - pfx_z + (94 - speed) * 0.06).round(2),
        "api_break_x_arm": (-pfx_x * hand).round(2), "api_break_x_batter_in": pfx_x.round(2),
        "arm_angle": (40 + 12 * arms["height"][pitcher] + 2 * noise[:, 6]).round(1), **motion,
    }  # fmt: skip
    columns = {name: shown(thrown, value, name) for name, value in values.items()}
    swing = {
        "bat_speed": bat.clip(30, 88).round(1),
        "swing_length": (7.2 + 0.05 * (bat - 71) + 0.4 * noise[:, 2]).clip(3, 11).round(1),
    }
    columns |= {name: shown(swung & thrown, value, name) for name, value in swing.items()}
    texts = {"pitch_type": ARSENAL, "pitch_name": NAMES}
    return columns | {name: worded(words, kind, thrown).alias(name) for name, words in texts.items()}


@cache
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
        "vx0": ((x - x0 - 0.5 * ax * time**2) / time).round(6), "vy0": vy.round(6),
        "vz0": ((z - z0 - 0.5 * az * time**2) / time).round(6),
        "ax": ax.round(6), "ay": drag.round(6), "az": az.round(6),
    }  # fmt: skip
