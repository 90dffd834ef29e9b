"""Legs of which one guarantees the other, pairs as they were measured, and pairs that nobody measured."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.errors import UsageError
from backstop.props.joint import probability
from backstop.props.leg import Leg


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
