from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.errors import UsageError
from backstop.props.fitted import Fitted
from backstop.props.generate import generate
from backstop.props.joint import exact, probability, tetrachoric
from backstop.props.leg import Leg
from backstop.props.normal import both_below


@pytest.fixture(scope="module")
def leg(features):
    """Make a leg of a batter or starter of the small season with its calibrated probability."""
    props = generate(features)

    def make(market, line, side="over", *, who=0, role="batter"):
        row = features.filter(role=role).row(who, named=True)
        prop = props.filter(player_id_mlbam=row["player_id_mlbam"], market=market, line=line).row(0, named=True)
        identity = (row["game_pk"], row["player_id_mlbam"], row["team"], row["slot"])
        return Leg(*identity, market, line, side, prop[f"prob_{side}"])

    return make


def test_nested_legs_of_a_batter_are_as_likely_as_the_rarer_one(leg, features):
    homer, hit = leg("batter_home_runs", 0.5), leg("batter_hits", 0.5)
    assert probability([homer, hit], features) == pytest.approx(homer.probability)


def test_the_joint_of_one_batter_is_exact(leg, features):
    hit, strikeout = leg("batter_hits", 0.5), leg("batter_strikeouts", 0.5)
    parts = [
        exact([leg("batter_hits", 0.5, a), leg("batter_strikeouts", 0.5, b)], features)[0]
        for a, b in itertools.product(("over", "under"), repeat=2)
    ]
    assert sum(parts) == pytest.approx(1)
    joint, own = exact([hit, strikeout], features)
    assert joint < own[0] * own[1]


def test_the_marginals_of_the_exact_joint_are_those_of_the_projection(leg, features):

    raw = generate(features, fitted=Fitted.shipped().uncalibrated())
    hit, bases = leg("batter_hits", 0.5), leg("batter_total_bases", 1.5)
    _, own = exact([hit, bases], features)
    for one, p in zip((hit, bases), own, strict=True):
        row = raw.filter(player_id_mlbam=one.player_id_mlbam, market=one.market, line=one.line)
        assert row["prob_over"].item() == pytest.approx(p)


def test_two_bases_need_a_hit_so_their_joint_is_their_own_chance(leg, features):
    joint, own = exact([leg("batter_hits", 0.5), leg("batter_total_bases", 1.5)], features)
    assert joint == pytest.approx(own[1])


def test_a_batter_striking_out_goes_with_the_opposing_starter_over(leg, features):
    batter = leg("batter_strikeouts", 0.5)
    starters = features.filter(role="starter")
    number = starters.with_row_index().filter(pl.col("opponent") == batter.team)["index"][0]
    starter = leg("pitcher_strikeouts", 4.5, who=number, role="starter")
    joint = probability([batter, starter], features)
    assert 1.02 < joint / (batter.probability * starter.probability) < 1.3
    under = leg("pitcher_strikeouts", 4.5, "under", who=number, role="starter")
    assert joint + probability([batter, under], features) == pytest.approx(batter.probability, abs=1e-6)


def test_opponents_hits_and_other_games_are_independent(leg, features):
    first = leg("batter_hits", 0.5)
    others = features.filter(role="batter")
    opponent = next(i for i, team in enumerate(others["team"]) if team != first.team)
    second = leg("batter_hits", 0.5, who=opponent)
    assert probability([first, second], features) == pytest.approx(first.probability * second.probability, abs=1e-6)


def test_three_legs_lie_between_the_bounds_and_below_each_pair(leg, features):
    legs = [leg("batter_hits", 0.5), leg("batter_rbis", 0.5), leg("batter_runs_scored", 0.5)]
    three = probability(legs, features)
    assert three <= min(probability(list(pair), features) for pair in itertools.combinations(legs, 2))
    assert three > np.prod([one.probability for one in legs])


def test_a_leg_named_twice_or_no_leg_is_refused(leg, features):
    with pytest.raises(UsageError, match="twice"):
        probability([leg("batter_hits", 0.5)] * 2, features)
    with pytest.raises(UsageError, match="0 legs"):
        probability([], features)


@given(st.floats(-0.95, 0.95))
def test_the_bivariate_normal_at_the_middle_has_its_closed_form(r):
    zero = np.array([0.0])
    expected = 0.25 + np.arcsin(r) / (2 * np.pi)
    assert both_below(zero, zero, np.array([r]))[0] == pytest.approx(expected, abs=1e-9)


@given(st.floats(-0.9, 0.9))
def test_the_tetrachoric_correlation_finds_its_way_back(r):
    x, y = np.array([0.3]), np.array([-0.5])
    joint = both_below(x, y, np.array([r]))[0]
    assert tetrachoric(0.6179114, 0.3085375, joint) == pytest.approx(r, abs=1e-4)


def test_legs_of_a_batter_who_is_not_on_the_slate_are_refused_with_his_number(leg, features):
    strangers = [
        dataclasses.replace(leg(market, 0.5), player_id_mlbam=99) for market in ("batter_hits", "batter_walks")
    ]
    with pytest.raises(UsageError, match="Player 99 has no batter's features in game"):
        probability(strangers, features)


@pytest.mark.parametrize(
    ("first", "second", "sign"),
    [
        (("pitcher_strikeouts", 4.5), ("pitcher_outs", 16.5), 1),
        (("pitcher_outs", 16.5), ("pitcher_earned_runs", 2.5), -1),
    ],
    ids=["strikeouts keep him in", "runs take him out"],
)
def test_two_legs_of_a_starter_hang_together_as_measured(leg, features, first, second, sign):
    legs = [leg(*each, role="starter") for each in (first, second)]
    both = probability(legs, features)
    apart = legs[0].probability * legs[1].probability
    assert (both - apart) * sign > 0.01
    assert max(0.0, legs[0].probability + legs[1].probability - 1) <= both <= min(each.probability for each in legs)
    under = dataclasses.replace(legs[1], side="under", probability=1 - legs[1].probability)
    assert probability([legs[0], under], features) == pytest.approx(legs[0].probability - both, abs=0.02)
