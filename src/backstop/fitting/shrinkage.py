"""How much of a player's record is skill: season weights and stabilisation points by likelihood.

At some days of the window everybody's rates are made from the days before, and judged on the plate appearances up to
the next of these days: sum of x log(theta) + (n - x) log(1 - theta) over players, outcome by outcome.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from backstop.features import asof
from backstop.features.matchup import WEIGHTED, known_batters, known_pitchers, starter_prior
from backstop.features.model import Model
from backstop.features.outcomes import OUTCOMES, count_columns
from backstop.features.parameters import Parameters
from backstop.features.sums import Sums, add_up
from backstop.fitting.rows import Window
from backstop.props.kernel import Floats

LOOKS: Final = 6
"""Days of the window on which rates are made."""

CHANGES: Final = (0.25, 0.35, 0.5, 0.71, 1.0, 1.41, 2.0, 2.83, 4.0, 5.66, 8.0)
"""Multiples of a stabilisation point that are tried."""

AGEING: Final = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5)
"""Powers of the weights of earlier seasons that are tried: 0 is talent that never changes."""

WORTH: Final = 2.0
"""Nats that a number must gain over the one in use: half of AIC's rule on top of chance."""

FLOOR: Final = 1e-9


@dataclass(frozen=True, slots=True)
class _Judged:
    """Players' records before a look and their outcomes after it, one row each."""

    record: Floats
    prior: Floats
    outcomes: Floats


def fit(windows: Sequence[Window], base: Parameters) -> dict[str, tuple[float, ...]]:
    """Return `season_weights`, `batter_k` and `pitcher_k`.

    Args:
        windows: The days to fit on.
        base: The numbers in use, kept where no other is better by `WORTH`.
    """
    found, histories = [], [each for window in windows for each in _histories(window)]
    for power in AGEING:
        weights = tuple(round(weight**power, 4) for weight in base.season_weights)
        looks = _looks(histories, base.model_copy(update={"season_weights": weights}))
        if not looks[0].record.size and not looks[1].record.size:
            return {}
        fits = [_stabilise(judged, k) for judged, k in zip(looks, (base.batter_k, base.pitcher_k), strict=True)]
        found.append((fits[0][1] + fits[1][1], power, weights, fits[0][0], fits[1][0]))
    best, in_use = max(found), next(each for each in found if each[1] == 1.0)
    _, _, weights, batter_k, pitcher_k = best if best[0] > in_use[0] + WORTH else in_use
    return {"season_weights": weights, "batter_k": batter_k, "pitcher_k": pitcher_k}


def _histories(window: Window) -> list[tuple[dt.date, Sums, pl.DataFrame]]:
    """Return, per look of the window, its first day, what was counted before it, and the tallies up to the next one."""
    tallies, days = window.tallies, window.played["game_date"].unique().sort().to_list()
    starts = [days[len(days) * look // LOOKS] for look in range(LOOKS)] if len(days) >= LOOKS else days[:1]
    found = []
    for start, end in zip(starts, [*starts[1:], window.last + dt.timedelta(days=1)], strict=True):
        before = asof.history(tallies, start)
        ahead = tallies.filter((pl.col("game_date") >= start) & (pl.col("game_date") < end))
        if not before.is_empty():
            found.append((start, add_up(before), ahead))
    return found


def _looks(histories: list[tuple[dt.date, Sums, pl.DataFrame]], parameters: Parameters) -> tuple[_Judged, _Judged]:
    """Return (batters, starters) over all looks of the window."""
    models = [(Model.fit(sums, day, parameters), ahead) for day, sums, ahead in histories]
    batters = [_batters(ahead, model) for model, ahead in models]
    return _together(batters), _together([_starters(ahead, model) for model, ahead in models])


def _batters(ahead: pl.DataFrame, model: Model) -> _Judged:
    grouped = _outcomes(ahead.filter(pl.col("slot") > 0), "batter_id_mlbam", "slot")
    people = known_batters(grouped.rename({"batter_id_mlbam": "player_id_mlbam"}), model)
    return _Judged(_floats(people, WEIGHTED), model.slot_prior[people["slot"].to_numpy()], _floats(people, ASIDE))


def _starters(ahead: pl.DataFrame, model: Model) -> _Judged:
    grouped = _outcomes(ahead.filter("pitcher_started"), "pitcher_id_mlbam")
    context = {"game_date": pl.lit(None, pl.Date), "is_home": pl.lit(value=False), "lineup_on_base": pl.lit(0.0)}
    people = known_pitchers(grouped.with_columns(**context), model)
    return _Judged(_floats(people, WEIGHTED), starter_prior(people, model), _floats(people, ASIDE))


ASIDE: Final = [f"ahead_{outcome}" for outcome in OUTCOMES]


def _outcomes(rows: pl.DataFrame, *key: str) -> pl.DataFrame:
    named = dict(zip(count_columns(), ASIDE, strict=True))
    return rows.group_by(key).agg(pl.col(count_columns()).sum()).sort(key).rename(named)


def _floats(frame: pl.DataFrame, columns: list[str]) -> Floats:
    return np.asarray(frame.select(columns).to_numpy(), dtype=np.float64)


def _together(parts: list[_Judged]) -> _Judged:
    empty = np.zeros((0, len(OUTCOMES)))
    columns = [[getattr(part, name) for part in parts] or [empty] for name in ("record", "prior", "outcomes")]
    return _Judged(*(np.concatenate(column) for column in columns))


def _stabilise(judged: _Judged, k: tuple[float, ...]) -> tuple[tuple[float, ...], float]:
    """Return the best stabilisation points and the log-likelihood that they reach."""
    n, ahead = judged.record.sum(axis=1), judged.outcomes.sum(axis=1)
    points, total = [], 0.0
    for outcome, used in enumerate(k):
        if not used:
            points.append(used)
            continue
        x = judged.outcomes[:, outcome]
        reached = {}
        for change in CHANGES:
            theta = (judged.record[:, outcome] + used * change * judged.prior[:, outcome]) / (n + used * change)
            safe = np.clip(theta, FLOOR, 1 - FLOOR)
            reached[change] = float((x * np.log(safe) + (ahead - x) * np.log1p(-safe)).sum())
        best = max(reached, key=lambda change: reached[change])
        chosen = best if reached[best] > reached[1.0] + WORTH else 1.0
        points.append(round(used * chosen, 1))
        total += reached[chosen]
    return tuple(points), total
