"""Each part of a fit against data whose numbers are known."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from backstop.features.opportunity import batters_distribution
from backstop.features.parameters import Parameters, Refinement, Workload, default
from backstop.fitting import ladders, refinement, shrinkage, turns, workload
from backstop.fitting.rows import NOTHING
from backstop.props import ladder
from backstop.props.ladder import Ladder

RANDOM = np.random.default_rng


def logistic(x):
    return 1 / (1 + np.exp(-x))


def counted_turns(level: float, home: float, games: int = 4_000) -> pl.DataFrame:
    """Games by plate appearances: at least 4 with the given log-odds, slot by slot and home by away."""
    rows = []
    for slot in range(1, 10):
        for at_home in (False, True):
            four = round(games * logistic(level - 0.2 * slot + home * at_home))
            rows += [(2024, slot, at_home, 4, four), (2024, slot, at_home, 3, games - four)]
    schema = {"season": pl.Int16, "slot": pl.Int16, "is_home": pl.Boolean, "turns": pl.Int64, "games": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_turns_find_the_log_odds_of_each_slot_and_of_home():
    found = turns.fit(counted_turns(1.5, -0.3), default(), 1e-6)
    assert found["turns_by_slot"][2] == pytest.approx([1.5 - 0.2 * slot for slot in range(1, 10)], abs=0.002)
    assert found["turns_home"][2] == pytest.approx(-0.3, abs=0.002)


def test_what_never_happens_stays_near_what_is_assumed_and_on_a_line():
    base = default()
    found = turns.fit(counted_turns(1.5, -0.3, games=20), base, 50.0)
    steps = np.diff(found["turns_by_slot"][5])
    assert steps == pytest.approx(np.full(8, steps[0]), abs=2e-4)
    assert found["turns_by_slot"][5][0] < base.turns_by_slot[5][0]
    assert all(np.isfinite(found["turns_home"]))


def test_substitutes_do_not_count_as_a_place():
    extra = pl.DataFrame({"season": 2024, "slot": 0, "is_home": True, "turns": 1, "games": 9_999})
    known = counted_turns(1.0, 0.0)
    assert turns.fit(pl.concat([known, extra.cast(dict(known.schema))]), default(), 1.0) == turns.fit(
        known, default(), 1.0
    )


def starts(size: int, seed: int, change: Workload = NOTHING) -> pl.DataFrame:
    """Starts whose batters faced differ from the recent mean by given terms and a symmetric residual."""
    random = RANDOM(seed)
    frame = pl.DataFrame(
        {
            "batters_faced_mean": random.uniform(18, 26, size),
            "is_home": random.random(size) < 0.5,
            "lineup_on_base": random.normal(0, 0.012, size),
            "days_rest": random.choice([3, 5, 20], size),
            "season_age": RANDOM([seed, 1]).choice([0, 21, 22, 90], size),
            "starts": random.choice([0, 1, 9], size),
            "relief_share": np.where(random.random(size) < 0.5, 0.4, np.nan),
        }
    ).with_columns(pl.col("relief_share").fill_nan(None), batters_faced_pmf=pl.lit(None))
    started = frame["starts"].to_numpy() > 0
    relief = frame["relief_share"].to_numpy()
    young = frame["season_age"].to_numpy() <= 21
    expected = (
        frame["batters_faced_mean"].to_numpy()
        + change.level
        + change.home * frame["is_home"].to_numpy()
        + change.lineup_on_base * frame["lineup_on_base"].to_numpy()
        + change.short_rest * (frame["days_rest"].to_numpy() < 5)
        + np.where(young, change.opening, change.long_rest) * (frame["days_rest"].to_numpy() > 12)
        + np.where(started, change.relief_few * np.nan_to_num(relief) / (1 + frame["starts"].to_numpy()), 0)
        + np.where(~started, np.where(np.isnan(relief), change.debut, change.first_from_relief), 0)
    )
    return frame.with_columns(turns=pl.Series(expected + random.normal(0, 3, size)).round().cast(pl.Int64))


def rows_of(frame: pl.DataFrame):
    return SimpleNamespace(joined=lambda _: frame)


TERMS = Workload(
    level=0.5, home=0.4, lineup_on_base=-20.0, short_rest=-4.0, long_rest=-3.0, opening=-1.5, relief_few=-6.0,
    first_from_relief=-7.0, debut=-1.0,
)  # fmt: skip


def test_workload_terms_are_found_again():
    base = NOTHING.model_copy(update={"opening": TERMS.opening})
    found = workload.terms(rows_of(starts(40_000, 1, TERMS)), base, 0.01)
    assert found.opening == TERMS.opening
    for name, value in TERMS.model_dump(exclude={"opening"}).items():
        assert getattr(found, name) == pytest.approx(value, abs=4.0 if name == "lineup_on_base" else 0.25), name


def test_a_fit_that_knows_no_opening_has_one_long_rest():
    base = NOTHING.model_copy(update={"opening": None})
    found = workload.terms(rows_of(starts(40_000, 1, TERMS.model_copy(update={"opening": -3.0}))), base, 0.01)
    assert found.opening is None
    assert found.long_rest == pytest.approx(-3.0, abs=0.25)


def test_residuals_lie_around_what_a_season_that_opens_is_expected_to_bring():
    base = default().model_copy(update={"workload": NOTHING.model_copy(update={"opening": -6.0})})
    young = starts(20_000, 3, base.workload)
    found = base.model_copy(update=workload.residuals(rows_of(young), base))
    pmf = batters_distribution(np.array([22.4]), found)
    assert pmf @ np.arange(pmf.shape[1]) == pytest.approx([22.4], abs=0.2)
    assert pmf @ np.arange(pmf.shape[1]) ** 2 - (pmf @ np.arange(pmf.shape[1])) ** 2 == pytest.approx([9.83], abs=1.0)


def test_a_term_of_which_nothing_is_seen_keeps_its_number():
    frame = starts(3_000, 2).with_columns(days_rest=5, starts=9, relief_share=pl.lit(None, pl.Float64))
    found = workload.terms(rows_of(frame), TERMS, 1.0)
    kept = ("short_rest", "long_rest", "opening", "relief_few", "first_from_relief", "debut")
    assert {name: getattr(found, name) for name in kept} == {name: getattr(TERMS, name) for name in kept}
    assert abs(found.level) < 0.3


def test_residuals_give_a_distribution_with_the_spread_that_was_seen():
    base = default().model_copy(update={"workload": NOTHING})
    found = base.model_copy(update=workload.residuals(rows_of(starts(20_000, 3)), base))
    assert len(found.workload_centres) == workload.BINS
    assert np.diff(found.workload_centres).min() > 0
    pmf = batters_distribution(np.array([19.0, 22.4, 25.0]), found)
    faced = np.arange(pmf.shape[1])
    mean = pmf @ faced
    spread = np.sqrt(pmf @ faced**2 - mean**2)
    assert mean == pytest.approx([19.0, 22.4, 25.0], abs=0.2)
    # 3 of the draw, a uniform residual of rounding, half a batter of smoothing
    assert spread == pytest.approx(np.sqrt(9 + 1 / 12 + 0.5 + 0.25), abs=0.15)


@pytest.mark.parametrize(("size", "bins"), [(0, 0), (199, 0), (200, 2), (350, 3), (5_000, 7)])
def test_few_starts_make_few_bins_or_none(size, bins):
    base = default().model_copy(update={"workload": NOTHING})
    found = workload.residuals(rows_of(starts(size, 4)), base)
    assert len(found.get("workload_centres", ())) == bins


def people(size: int, seed: int, true: Refinement) -> pl.DataFrame:
    """Starters whose strikeouts follow a refinement of their rate."""
    random = RANDOM(seed)
    rate, signal = np.exp(random.normal(0, 0.2, size)), np.exp(random.normal(0, 0.15, size))
    expected = 0.22 * rate
    mean = 24 * expected * np.exp(true.level) * rate**true.rate * signal**true.signal
    return pl.DataFrame(
        {
            "turns": 24, "rate": rate, "signal": signal, "refined_count": random.poisson(mean),
            "lineup_strikeout": [[each] * 9 for each in expected],
        }
    )  # fmt: skip


def test_a_refinement_is_found_again_and_keeps_its_steadiness():
    true = Refinement(level=0.05, rate=-0.4, signal=0.5, signal_k=300.0)
    found = refinement.strikeouts(
        rows_of(people(20_000, 5, true)), Refinement(level=0, rate=0, signal=0, signal_k=300.0), 1.0
    )
    assert found.signal_k == 300.0
    assert (found.level, found.rate, found.signal) == pytest.approx((0.05, -0.4, 0.5), abs=0.05)


def test_without_a_measured_pitch_the_refinement_in_use_stays():
    nobody = people(10, 6, default().strikeouts).with_columns(signal=pl.lit(None, pl.Float64))
    assert refinement.strikeouts(rows_of(nobody), default().strikeouts, 1.0) == default().strikeouts


def test_a_ladder_is_found_again():
    random, size = RANDOM(7), 8_000
    x = random.normal(size=size)
    reach = logistic(1.2 * x[:, None] + np.array([0.5, -1.0]))
    value = (random.random((size, 1)) < reach).sum(axis=1)
    base = Ladder(rungs=(0.0, -0.1), terms={"x": 0.0})
    found = ladders._ladder(base, pl.DataFrame({"x": x}), pl.Series(value), 1.0)
    assert found.terms["x"] == pytest.approx(1.2, abs=0.06)
    assert found.rungs == pytest.approx((0.5, -1.0), abs=0.06)


def test_a_ladder_of_few_games_stays_what_it_is():
    base = ladder.default().markets["pitcher_earned_runs"]
    terms = pl.DataFrame(dict.fromkeys(base.terms, [0.5] * 100))
    assert ladders._ladder(base, terms, pl.Series([1] * 100), 1.0) is base


def players_of(sd: float, size: int, seen: int, ahead: int, seed: int):
    """Players whose true rate of the first outcome varies around .2 by `sd` (Beta), with their records."""
    random = RANDOM(seed)
    k = 0.2 * 0.8 / sd**2 - 1
    rate = random.beta(0.2 * k, 0.8 * k, size)
    x, y = random.binomial(seen, rate), random.binomial(ahead, rate)
    aside = np.zeros((size, 6))
    record = np.column_stack([x, aside, seen - x]).astype(float)
    outcomes = np.column_stack([y, aside, ahead - y]).astype(float)
    prior = np.tile([0.2, *[0.01] * 6, 0.74], (size, 1))
    return shrinkage._Judged(record, prior, outcomes), k


@pytest.mark.parametrize("sd", [0.02, 0.05])
def test_the_stabilisation_point_is_that_of_the_beta_distribution_of_talents(sd):
    judged, k = players_of(sd, 4_000, 300, 300, 8)
    points, _ = shrinkage._stabilise(judged, (k / 3.0, *[0.0] * 7))
    assert points[0] == pytest.approx(k, rel=0.45)


def test_a_point_that_gains_nothing_stays():
    judged, k = players_of(0.04, 60, 200, 40, 9)
    assert shrinkage._stabilise(judged, (round(k, 1), *[0.0] * 7))[0][0] == round(k, 1)


def test_a_fit_on_a_history_without_a_day_before_it_changes_nothing(tallies):
    from backstop.fitting.rows import Window
    from tests.features.season import FIRST

    assert shrinkage.fit([Window(tallies.filter(pl.col("game_date") == FIRST), FIRST, FIRST)], default()) == {}


def test_shrinkage_keeps_zero_points_and_the_weight_of_this_season(window):
    base = default()
    found = base.model_copy(update=shrinkage.fit([window], base))
    assert found.batter_k[-1] == found.pitcher_k[-1] == 0.0
    assert found.season_weights[0] == 1.0
    assert isinstance(found, Parameters)


def test_the_looks_see_each_day_of_the_window_once_and_only_days_before(window):
    looks = shrinkage._histories(window)
    assert len(looks) == shrinkage.LOOKS
    ahead = pl.concat([later for _, _, later in looks])
    assert ahead.sort(ahead.columns).equals(window.played.sort(ahead.columns))
    for _, sums, later in looks:
        assert sums.last_day < later["game_date"].min()
        assert sums.last_day == later["game_date"].min() - dt.timedelta(days=1)
