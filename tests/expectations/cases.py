"""For every rule of every suite a change of sound rows that breaks it and no other."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import great_expectations as gx
import polars as pl

from backstop import tables
from backstop.features.outcomes import OUTCOMES
from expectations.features import features_suite
from expectations.games import games_suite
from expectations.pitches import pitches_suite
from expectations.players import box_suite, players_suite
from expectations.props import props_suite
from expectations.quotes import quotes_suite
from tests.expectations import frames
from tests.expectations.frames import DAY, NOON

Change = Callable[[pl.DataFrame], pl.DataFrame]


@dataclass(frozen=True)
class Broken:
    """A rule, what breaks it, and how many rows break it then (0 for a rule about the table).

    `also` names rules that cannot hold when this one does not.
    """

    rule: str
    change: Change
    rows: int = 1
    warns: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suite:
    """A suite with sound rows for it."""

    suite: gx.ExpectationSuite
    sound: Change
    broken: tuple[Broken, ...] = field(default=())


def last(**values: Any) -> Change:
    """Put values into the last row."""

    def change(frame: pl.DataFrame) -> pl.DataFrame:
        is_last = pl.int_range(pl.len()) == pl.len() - 1
        return frame.with_columns(
            pl.when(is_last).then(pl.lit(value, dtype=frame.schema[name])).otherwise(pl.col(name)).alias(name)
            for name, value in values.items()
        )

    return change


def twins(columns: tuple[str, ...]) -> Change:
    """Give the last row the key of the first."""
    return lambda frame: last(**{name: frame[name][0] for name in columns})(frame)


def strange(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(surprise=pl.lit(1))


def columns() -> Broken:
    return Broken("columns as declared", strange, rows=0)


def key(of: tuple[str, ...]) -> Broken:
    return Broken(f"{', '.join(of)} unique", twins(of), rows=2)


def unknown(*names: str, warns: bool = False) -> list[Broken]:
    return [Broken(f"{name} is known", last(**{name: None}), warns=warns) for name in names]


def strangers(names: Mapping[str, str], *, warns: bool = False) -> list[Broken]:
    return [Broken(f"{name} is a known value", last(**{name: value}), warns=warns) for name, value in names.items()]


def outside(rule: str, *, warns: bool = False, **values: Any) -> Broken:
    return Broken(rule, last(**values), warns=warns)


VOLUME = ("every finished game is there", "100 to 700 rows a game")

PITCHES = Suite(
    pitches_suite(DAY, 1),
    lambda _: frames.pitches(),
    (
        columns(),
        key(tables.PITCHES.key),
        *unknown(*tables.PITCHES.key, "batter_id_mlbam", "pitcher_id_mlbam"),
        *strangers({"inning_topbot": "Mid", "stand": "S", "p_throws": "B", "home_team": "XXX", "away_team": "XXX"}),
        *strangers({"events": "eaten_by_dog"}),
        *strangers({"description": "eaten_by_dog", "pitch_type": "??"}, warns=True),
        outside("game_date is the day asked for", game_date=dt.date(2025, 5, 1)),
        outside("at_bat_number from 1 to 250", at_bat_number=251),
        outside("pitch_number from 1 to 40", pitch_number=41),
        outside("inning from 1 to 30", inning=31),
        outside("home_team is not away_team", home_team="BOS"),
        outside("batter_id_mlbam is not pitcher_id_mlbam", batter_id_mlbam=500_001),
        outside("balls from 0 to 3", balls=4, warns=True),
        outside("strikes from 0 to 2", strikes=3, warns=True),
        outside("outs_when_up from 0 to 2", outs_when_up=3, warns=True),
        outside("release_speed_mph from 20.0 to 107.0", release_speed_mph=132.0, warns=True),
        outside("release_spin_rpm from 0.0 to 4000.0", release_spin_rpm=-1.0, warns=True),
        outside("plate_x_ft from -8.0 to 8.0", plate_x_ft=30.0, warns=True),
        outside("plate_z_ft from -4.0 to 12.0", plate_z_ft=-9.0, warns=True),
        outside("launch_speed_mph from 0.0 to 125.0", launch_speed_mph=140.0, warns=True),
        outside("launch_angle_deg from -90.0 to 90.0", launch_angle_deg=91.0, warns=True),
        outside("xba from 0.0 to 1.0", xba=1.5, warns=True),
        outside("bat_speed_mph from 0.0 to 95.0", bat_speed_mph=120.0, warns=True),
        Broken("every finished game is there", last(game_pk=2), rows=0, warns=True),
        Broken("100 to 700 rows a game", lambda frame: frame.head(99), rows=0, warns=True),
        Broken("any rows", lambda frame: frame.clear(), rows=0, also=VOLUME),
    ),
)

GAMES = Suite(
    games_suite(),
    lambda _: frames.games(),
    (
        columns(),
        key(tables.GAMES.key),
        *unknown("game_pk", "game_date", "start_at", "home_team", "away_team"),
        *strangers({"abstract_status": "Maybe", "game_type": "Q", "doubleheader": "T"}),
        outside("home_team is not away_team", home_team="BOS"),
        outside("game_number from 1 to 2", game_number=3, warns=True),
        outside("home_score from 0 to 49", home_score=50, warns=True),
        outside("away_score from 0 to 49", away_score=-1, warns=True),
    ),
)

PLAYERS = Suite(
    players_suite(),
    lambda _: frames.players(),
    (
        columns(),
        key(tables.PLAYERS.key),
        *unknown("game_pk", "player_id_mlbam", "full_name", "team"),
        outside("team is not opponent", team="BOS"),
        outside("slot from 1 to 9", slot=10),
        Broken("one starter per slot", last(slot=1), rows=2),
    ),
)

BOX = Suite(
    box_suite(),
    lambda _: frames.box(),
    (
        columns(),
        key(tables.BOX.key),
        *unknown("game_pk", "player_id_mlbam"),
        outside("plate_appearances from 0 to 12", plate_appearances=13),
        outside("hits from 0 to 9", hits=10, at_bats=10),
        outside("home_runs from 0 to 5", home_runs=6, hits=9, at_bats=9),
        outside("total_bases from 0 to 25", total_bases=26),
        outside("pitcher_strikeouts from 0 to 25", pitcher_strikeouts=26),
        outside("outs_recorded from 0 to 81", outs_recorded=-1),
        outside("hits within at-bats", hits=5),
        outside("extra-base hits within hits", doubles=2, triples=1),
    ),
)

QUOTES = Suite(
    quotes_suite(DAY, 0.5),
    lambda _: frames.quotes(),
    (
        columns(),
        key(tables.QUOTES.key),
        *unknown("event_id_theodds", "bookmaker", "market", "line", "price_decimal"),
        Broken("game is on the schedule", last(game_pk=None)),
        Broken("player is known", last(player_id_mlbam=None)),
        outside("game_date is the day asked for", game_date=dt.date(2025, 5, 3)),
        *strangers({"side": "middle"}),
        outside("price_decimal above 1.0 to 5001.0", price_decimal=1.0),
        outside("line from 0.0 to 60.0", line=-0.5),
        outside("commence_at after updated_at", updated_at=NOON + dt.timedelta(minutes=1)),
    ),
)

A_RATE, ANOTHER = (f"rate_{outcome}" for outcome in OUTCOMES[:2])
SHARE = 1 / len(OUTCOMES)


def negative(rate: str) -> Broken:
    """A rate below zero, made up for by another, so that the sum still holds."""
    other = A_RATE if rate == ANOTHER else ANOTHER
    return Broken(f"{rate} from 0.0 to 1.0", last(**{rate: -0.1, other: 2 * SHARE + 0.1}))


OUT_FEATURES = Suite(
    features_suite(),
    lambda _: frames.features(),
    (
        columns(),
        key(("game_pk", "player_id_mlbam", "role")),
        *unknown("game_pk", "player_id_mlbam", "role"),
        *strangers({"role": "mascot"}),
        *unknown(*(f"rate_{outcome}" for outcome in OUTCOMES)),
        *(negative(f"rate_{outcome}") for outcome in OUTCOMES),
        outside("slot from 1 to 9", slot=10),
        outside("batters_faced_mean from 3.0 to 40.0", batters_faced_mean=60.0),
        outside("history_pa from 0 to 30000", history_pa=30_001, warns=True),
        outside("numbers are finite", xba=float("nan")),
        outside("rates add up to one", **{A_RATE: SHARE + 0.001}),
        outside("features older than the game", as_of=DAY),
    ),
)

OUT_PROPS = Suite(
    props_suite(),
    lambda _: frames.props(),
    (
        columns(),
        key(tables.PROPS.key),
        *unknown(*tables.PROPS.key),
        *unknown("prob_over", "prob_push", "prob_under", "mean", "player_name", "model_version", "as_of"),
        outside("prob_over from 0.0 to 1.0", prob_over=-0.1, prob_under=1.0, prob_push=0.1),
        outside("prob_push from 0.0 to 1.0", prob_push=-0.1, prob_over=0.7),
        outside("prob_under from 0.0 to 1.0", prob_under=-0.1, prob_over=1.0, prob_push=0.1),
        outside("mean from 0.0 to 60.0", mean=61.0),
        outside("fair_over_decimal from 1.0 to None", fair_over_decimal=0.9),
        outside("best_price_decimal above 1.0 to 5001.0", best_price_decimal=1.0),
        outside("kelly_quarter from 0.0 to 0.25", kelly_quarter=0.26),
        *strangers({"best_side": "middle"}),
        outside("numbers are finite", ev_per_unit=float("nan")),
        outside("probabilities add up to one", prob_over=0.61),
        outside("features older than the game", as_of=DAY),
    ),
)

SUITES = {each.suite.name: each for each in (PITCHES, GAMES, PLAYERS, BOX, QUOTES, OUT_FEATURES, OUT_PROPS)}
