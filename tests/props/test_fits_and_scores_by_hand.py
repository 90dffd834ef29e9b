"""Calibration, scores, ladders and games under way, against enumeration and textbook sums."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backstop.props import ladder
from backstop.props.calibration import FEWEST, Calibration, Platt, fit
from backstop.props.grade import calibration_error, closing_line_value, grade
from backstop.props.ladder import Ladder, Outs
from backstop.props.live import batters_left, over, team_turns_left, turns_left

DAY = dt.date(2024, 10, 1)


def fitted(told: np.ndarray, outcome: np.ndarray) -> Calibration:
    rows = pl.DataFrame({"market": "m", "prob_over": told, "outcome": outcome})
    return fit(rows, version="v", trained_on="by hand", last_day=DAY)


RISING = np.linspace(0.1, 0.9, 900)


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        (RISING, RISING > 0.5), (RISING, RISING < 0.5), (RISING, RISING < 2), (RISING, RISING > 2),
        (np.full(900, 0.37), RISING < 0.5), (np.full(900, 0.5), RISING < 0.3), (np.full(900, 0.9), RISING < 2),
        (RISING[:FEWEST - 1], RISING[:FEWEST - 1] > 0.3), (np.r_[np.zeros(500), np.ones(500)], np.arange(1000) % 2 == 0),
    ],
    ids=["split", "split the other way", "all over", "all under", "alike", "alike at even", "alike and all over", "few", "certain"],
)  # fmt: skip
def test_what_tells_nothing_gives_no_calibration(told: np.ndarray, outcome: np.ndarray):
    assert fitted(told, outcome).markets == {}


@given(slope=st.floats(0.6, 1.6), intercept=st.floats(-0.5, 0.5))
def test_outcomes_as_often_as_told_after_a_known_distortion_give_it_back(slope: float, intercept: float):
    """For each probability so many outcomes of a thousand as the distorted chance says: nothing is left to luck."""
    told = np.linspace(0.2, 0.8, 13)
    true = Platt(slope=slope, intercept=intercept).apply(told)
    share = (np.arange(1000)[None, :] + 0.5) / 1000 < true[:, None]
    found = fitted(np.repeat(told, 1000), share.ravel()).markets["m"]
    assert found.slope == pytest.approx(slope, abs=0.01)
    assert found.intercept == pytest.approx(intercept, abs=0.01)


@pytest.mark.parametrize(("day", "used"), [(DAY, False), (DAY - dt.timedelta(1), False), (DAY + dt.timedelta(1), True)])
def test_a_fit_is_used_from_the_day_after_the_last_one_it_saw(day: dt.date, *, used: bool):
    mine = Calibration(version="v", trained_on="t", last_day=DAY, markets={"m": Platt(slope=2.0)})
    assert (mine.or_none(day).of("m").slope == 2.0) == used
    assert mine.of("another") == Platt()


def scored(p: list[float], won: list[bool]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "market": "m", "model_version": "v", "prob_over": p, "prob_under": [1 - x for x in p],
            "market_prob_over": [None] * len(p), "result": ["over" if w else "under" for w in won],
        }, schema_overrides={"market_prob_over": pl.Float64},
    )  # fmt: skip


@settings(max_examples=40)
@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.booleans()), min_size=1, max_size=40))
def test_scores_are_their_definitions_summed_one_by_one(rows: list[tuple[float, bool]]):
    p, won = [x for x, _ in rows], [w for _, w in rows]
    found = grade(scored(p, won)).row(0, named=True)
    n = len(rows)
    assert found["brier"] == pytest.approx(sum((x - w) ** 2 for x, w in rows) / n)
    assert found["log_loss"] == pytest.approx(-sum(math.log(x if w else 1 - x) for x, w in rows) / n)
    assert found["share_over"] == pytest.approx(sum(won) / n)
    assert abs(found["mean_prob_over"] - found["share_over"]) <= found["ece"] + 1e-12 <= 1 + 1e-12
    assert 0 <= found["ece_floor"] <= 1


def test_a_push_is_taken_out_of_the_chances_before_they_are_scored():
    one = scored([0.5], [True]).with_columns(prob_under=pl.lit(0.25))
    assert grade(one)["brier"].item() == pytest.approx((1 - 2 / 3) ** 2)


def test_a_certain_forecast_that_was_wrong_costs_much_and_not_everything():
    found = grade(scored([1.0, 0.0], [False, True])).row(0, named=True)
    assert found["log_loss"] == pytest.approx(-math.log(1e-6))
    assert found["brier"] == 1


def test_bins_weigh_by_their_size():
    p, won = np.array([0.1] * 9 + [0.9]), np.array([0.0] * 9 + [0.0])
    assert calibration_error(p, won, bins=1) == pytest.approx((9 * 0.1 + 0.9) / 10)
    assert calibration_error(p, np.array([1.0] + [0.0] * 9), bins=10) == pytest.approx((0.9 + 8 * 0.1 + 0.9) / 10)


def test_prices_that_nobody_took_or_closed_have_no_closing_value():
    taken = pl.DataFrame(
        {"prop_id": ["a", "b"], "market": ["m", "m"], "best_side": ["over", "over"], "best_price_decimal": [2.0, 2.0]}
    )
    closing = pl.DataFrame(
        {"prop_id": ["a", "c"], "market_prob_over": [None, 0.5]}, schema_overrides={"market_prob_over": pl.Float64}
    )
    assert closing_line_value(taken, closing).is_empty()


@given(outs=st.integers(1, 27), rate=st.floats(0.3, 1.0))
def test_a_side_bats_again_while_fewer_outs_were_made_than_it_has(outs: int, rate: float):
    most = 45
    reach = team_turns_left(np.array([outs]), np.array([rate]), most)[0]
    for n in range(1, most + 1):
        binomial = [math.comb(n - 1, made) * rate**made * (1 - rate) ** (n - 1 - made) for made in range(min(outs, n))]
        assert reach[n] == pytest.approx(sum(binomial), abs=1e-9)


@given(slot=st.integers(1, 9), due=st.integers(1, 9), turns=st.integers(0, 30), stay=st.floats(0, 1))
def test_a_batters_turns_are_his_sides_counted_on_by_nine(slot: int, due: int, turns: int, stay: float):
    team = (np.arange(31) <= turns).astype(float)[None, :]
    left = turns_left(np.array([slot]), np.array([due]), team, np.array([stay]), 4)[0]
    coming = sum((due - 1 + n) % 9 + 1 == slot for n in range(turns))
    assert left.sum() == pytest.approx(1)
    mean = float(left @ np.arange(5))
    assert mean == pytest.approx(sum(stay**t for t in range(min(coming, 4))))


@given(
    counted=st.integers(0, 5), line=st.sampled_from([0.0, 0.5, 1.0, 2.5, 4.0]),
    chance=st.lists(st.floats(0, 1), min_size=1, max_size=4), tries=st.integers(0, 4),
)  # fmt: skip
def test_a_line_in_play_is_won_where_what_is_missing_comes_yet(
    counted: int, line: float, chance: list[float], tries: int
):
    tries = min(tries, len(chance))
    left = np.zeros((1, len(chance) + 1))
    left[0, tries] = 1
    total = 0.0
    for number in range(2**tries):
        hits = [number >> k & 1 for k in range(tries)]
        p = math.prod(c if hit else 1 - c for c, hit in zip(chance, hits, strict=False))
        total += p * (counted + sum(hits) > line)
    found = over(np.array([counted]), np.array([line]), np.array([chance]), left)
    assert found[0] == pytest.approx(total, abs=1e-12)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=12), st.integers(0, 14))
def test_a_starter_who_is_still_in_faces_at_least_one_more(weights: list[float], faced: int):
    assume(sum(weights) > 0.01)
    pmf = np.array([weights]) / sum(weights)
    left = batters_left(pmf, np.array([faced]))[0]
    assert left.sum() == pytest.approx(1)
    assert left[0] == 0
    later = weights[faced + 1 :]
    if sum(later) > 0:
        mean = sum((n + 1) * w for n, w in enumerate(later)) / sum(later)
        assert left @ np.arange(len(left)) == pytest.approx(mean)
    else:
        assert left[1] == 1


def test_a_rung_is_a_logistic_of_its_terms_and_the_steps_between_are_the_counts():
    mine = Ladder(rungs=(0.5, -1.0), terms={"a": 2.0, "b": -1.0})
    terms = pl.DataFrame({"a": [0.25, 0.0], "b": [0.5, None], "unused": [9.0, 9.0]}, schema_overrides={"b": pl.Float64})
    first, unknown = mine.distribution(terms)
    one, two = 1 / (1 + math.exp(-0.5)), 1 / (1 + math.exp(1.0))
    assert first == pytest.approx([1 - one, one - two, two])
    assert np.isnan(unknown[1:]).all()


@pytest.mark.parametrize(
    ("expected", "shares"),
    [(5.0, [1, 0, 0]), (10.0, [1, 0, 0]), (12.5, [0.75, 0.25, 0]), (20.0, [0, 1, 0]), (29.0, [0, 0.1, 0.9]), (99.0, [0, 0, 1])],
)  # fmt: skip
def test_outs_mix_the_two_nearest_bins(expected: float, shares: list[float]):
    mine = Outs(level=1.0, terms={"x": 2.0}, centres=(10.0, 20.0, 30.0), shares=((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    terms = pl.DataFrame({"x": [(expected - 1) / 2]})
    assert mine.distribution(terms)[0] == pytest.approx(shares)


def test_the_shipped_ladders_fall_and_their_outs_are_shares():
    shipped = ladder.default()
    for name, mine in shipped.markets.items():
        assert list(mine.rungs) == sorted(mine.rungs, reverse=True), name
    assert list(shipped.outs.centres) == sorted(shipped.outs.centres)
    for shares in shipped.outs.shares:
        assert sum(shares) == pytest.approx(1, abs=28 * 0.5e-5), "kept to five digits"
        assert len(shares) == 28
