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
from backstop.props.joint import Leg, exact, probability, tetrachoric
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


def of(market, line, p, side="over", *, game=1, player=7, team="AAA", slot=1):
    return Leg(game, player, team, slot, market, line, side, p)


NO_FEATURES = pl.DataFrame()
H, R, RBI, HRR = "batter_hits", "batter_runs_scored", "batter_rbis", "batter_hits_runs_rbis"
HR, TB = "batter_home_runs", "batter_total_bases"
K, OUTS, EARNED, ALLOWED = "pitcher_strikeouts", "pitcher_outs", "pitcher_earned_runs", "pitcher_hits_allowed"


@pytest.mark.parametrize(
    ("legs", "expected"),
    [
        ([of(HR, 0.5, 0.15), of(R, 0.5, 0.40)], 0.15),
        ([of(HR, 0.5, 0.15), of(RBI, 0.5, 0.35)], 0.15),
        ([of(HR, 0.5, 0.15), of(HRR, 2.5, 0.30)], 0.15),
        ([of(HR, 0.5, 0.15), of(TB, 3.5, 0.17)], 0.15),
        ([of(H, 1.5, 0.25), of(HRR, 1.5, 0.45)], 0.25),
        ([of(R, 1.5, 0.10), of(HRR, 1.5, 0.45)], 0.10),
        ([of(RBI, 0.5, 0.30), of(HRR, 0.5, 0.70)], 0.30),
        # four bases may be two doubles: two of hits, runs and runs batted in
        ([of(TB, 3.5, 0.20), of(HRR, 1.5, 0.45)], 0.20),
        ([of(H, 0.5, 0.64), of(TB, 0.5, 0.64)], 0.64),
        # the under of the wider count takes that of the narrower with it
        ([of(HR, 0.5, 0.85, "under"), of(R, 0.5, 0.60, "under")], 0.60),
        ([of(H, 1.5, 0.75, "under"), of(HRR, 1.5, 0.55, "under")], 0.55),
        # no homer and a run: .40 that score, less .15 that homer
        ([of(HR, 0.5, 0.85, "under"), of(R, 0.5, 0.40)], 0.25),
        ([of(HR, 0.5, 0.85, "under"), of(H, 0.5, 0.64)], 0.49),
        # a homer without a run cannot be
        ([of(HR, 0.5, 0.15), of(R, 0.5, 0.60, "under")], 0.0),
        ([of(H, 1.5, 0.25), of(HRR, 2, 0.40, "under")], 0.0),
        # one market at two lines, with a push at 5: five is neither more nor less than 5
        ([of(K, 4.5, 0.60), of(K, 6.5, 0.25)], 0.25),
        ([of(K, 4.5, 0.60), of(K, 6.5, 0.75, "under")], 0.35),
        ([of(K, 4.5, 0.40, "under"), of(K, 6.5, 0.25)], 0.0),
        ([of(K, 5, 0.45), of(K, 5.5, 0.44)], 0.44),
        ([of(R, 0.5, 0.40), of(R, 1.5, 0.10), of(HR, 0.5, 0.15), of(HRR, 1.5, 0.5)], None),
        ([of(HR, 0.5, 0.15), of(H, 0.5, 0.64), of(R, 0.5, 0.40), of(HRR, 2.5, 0.30)], 0.15),
        # calibrated apart, the rarer event may come out likelier: it is no likelier than what it needs
        ([of(HR, 0.5, 0.15), of(R, 0.5, 0.14)], 0.14),
        ([of(R, 0.5, 0.40), of(R, 0.5, 0.40, game=2)], 0.16),
        ([of(HR, 0.5, 0.15), of(R, 0.5, 0.40), of(K, 4.5, 0.5, game=2, player=8)], 0.075),
    ],
)
def test_legs_that_guarantee_each_other_are_joined_exactly_and_other_games_multiply(legs, expected):
    for order in (legs, legs[::-1]):
        if expected is None:
            # a run at .5 and the sum at 1.5 follow; two runs and a homer hang together unmeasured
            with pytest.raises(UsageError, match="was not measured"):
                probability(order, NO_FEATURES)
        else:
            assert probability(order, NO_FEATURES) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (of(ALLOWED, 4.5, 0.45, slot=None), of(EARNED, 2.5, 0.45, slot=None)),
        (of(K, 5.5, 0.5, slot=None), of("pitcher_walks", 1.5, 0.5, slot=None)),
        (of(H, 0.5, 0.64), of(HRR, 1.5, 0.45)),
        (of(HR, 0.5, 0.15), of(R, 1.5, 0.10)),
        (of("batter_walks", 0.5, 0.3), of(R, 0.5, 0.4)),
        (of("batter_stolen_bases", 0.5, 0.1), of(R, 0.5, 0.4, "under")),
        (of(HR, 0.5, 0.15), of(EARNED, 2.5, 0.45, player=8, team="BBB", slot=None)),
        (of(R, 0.5, 0.4), of(RBI, 0.5, 0.3, player=8, slot=4)),
        (of(K, 5.5, 0.5, slot=None), of(K, 5.5, 0.5, player=8, team="BBB", slot=None)),
    ],
)
def test_a_pair_of_one_game_that_was_not_measured_is_refused_with_both_named(first, second):
    for legs in ([first, second], [second, first], [first, second, of(H, 0.5, 0.6, game=2)]):
        with pytest.raises(UsageError, match=r"was not measured.*Leave one of them out") as told:
            probability(legs, NO_FEATURES)
        for leg in (first, second):
            assert f"Player {leg.player_id_mlbam}'s {leg.market} {leg.side} {leg.line:g}" in str(told.value)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        # at the shares they were measured at the joint is p q + r sqrt(p (1 - p) q (1 - q))
        (of(H, 0.5, 0.64), of(R, 0.5, 0.40), 0.256 + 0.43 * (0.64 * 0.36 * 0.4 * 0.6) ** 0.5),
        (of(H, 0.5, 0.64), of(RBI, 0.5, 0.31), 0.1984 + 0.41 * (0.64 * 0.36 * 0.31 * 0.69) ** 0.5),
        (of(R, 0.5, 0.40), of(RBI, 0.5, 0.31), 0.124 + 0.38 * (0.4 * 0.6 * 0.31 * 0.69) ** 0.5),
        (of(K, 5.5, 0.52), of(OUTS, 16.5, 0.45), 0.234 + 0.29 * (0.52 * 0.48 * 0.45 * 0.55) ** 0.5),
        (of(EARNED, 2.5, 0.47), of(OUTS, 16.5, 0.45), 0.2115 - 0.33 * (0.47 * 0.53 * 0.45 * 0.55) ** 0.5),
        (
            of(H, 0.5, 0.64), of(ALLOWED, 4.5, 0.55, player=8, team="BBB"),
            0.352 + 0.20 * (0.64 * 0.36 * 0.55 * 0.45) ** 0.5,
        ),
        (
            of(R, 0.5, 0.40, slot=9), of(RBI, 0.5, 0.31, player=8, slot=2),
            0.124 + 0.29 * (0.4 * 0.6 * 0.31 * 0.69) ** 0.5,
        ),
        (of(H, 0.5, 0.64), of(H, 0.5, 0.64, player=8, team="BBB"), 0.64**2),
    ],
)  # fmt: skip
def test_a_pair_at_the_shares_it_was_measured_at_has_the_joint_that_was_measured(first, second, expected):
    assert probability([first, second], NO_FEATURES) == pytest.approx(expected, abs=1e-6)


ONE_PLAYER = st.sampled_from([(HR, 0.5), (R, 0.5), (RBI, 0.5), (H, 0.5), (HRR, 0.5), (R, 1.5), (HRR, 2.5), (HR, 1.5)])


@given(
    questions=st.lists(ONE_PLAYER, min_size=2, max_size=4, unique=True),
    sides=st.lists(st.sampled_from(["over", "under"]), min_size=4, max_size=4),
    chances=st.lists(st.floats(0.01, 0.99), min_size=4, max_size=4),
)
def test_the_joint_lies_within_the_bounds_of_frechet_or_is_refused(questions, sides, chances):
    legs = [of(*question, p, side) for question, side, p in zip(questions, sides, chances, strict=False)]
    try:
        joint = probability(legs, NO_FEATURES)
    except UsageError:
        return
    p = [leg.probability for leg in legs]
    # an over and an under that exclude each other are 0, whatever room chances that were calibrated apart leave
    least = 0.0 if {leg.side for leg in legs} == {"over", "under"} else sum(p) - len(p) + 1
    assert max(0.0, least) - 1e-9 <= joint <= min(p) + 1e-9
