"""A batter's lines and their joint chances, by going through everything that he can do in his turns."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.features.outcomes import OUTCOMES
from backstop.props.fitted import Fitted
from backstop.props.generate import generate
from backstop.props.joint import exact, probability
from backstop.props.leg import Leg

TURNS = 3
BASES = {"single": 1, "double": 2, "triple": 3, "home_run": 4}
WORTH = {
    "batter_hits": dict.fromkeys(BASES, 1), "batter_total_bases": BASES, "batter_home_runs": {"home_run": 1},
    "batter_strikeouts": {"strikeout": 1}, "batter_walks": {"walk": 1}, "batter_singles": {"single": 1},
    "batter_doubles": {"double": 1},
}  # fmt: skip


@pytest.fixture(scope="module")
def batter(features: pl.DataFrame) -> pl.DataFrame:
    """One who comes up at most three times."""
    never = {f"turns_at_least_{n}": pl.lit(0.0) for n in range(TURNS + 1, 8)}
    return features.filter(role="batter").head(1).with_columns(**never)


def games(batter: pl.DataFrame, fitted: Fitted) -> Iterator[tuple[tuple[str, ...], float]]:
    """Everything that can happen to him in a game, with its chance."""
    row = batter.row(0, named=True)
    reach = [1.0, *(row[f"turns_at_least_{n}"] for n in range(1, TURNS + 1)), 0.0]
    times = fitted.parameters.times_through
    for turns in range(TURNS + 1):
        stops = reach[turns] - reach[turns + 1]
        for outcomes in itertools.product(OUTCOMES, repeat=turns):
            chance = stops
            for k, outcome in enumerate(outcomes):
                factors = times[min(k, len(times) - 1)]
                against = {o: row[f"vs_starter_{o}"] * f for o, f in zip(OUTCOMES, factors, strict=True)}
                share = row[f"starter_share_{k + 1}"]
                relief = row[f"vs_relief_{outcome}"]
                chance *= share * against[outcome] / sum(against.values()) + (1 - share) * relief
            yield outcomes, chance


def counts(batter: pl.DataFrame, fitted: Fitted) -> list[tuple[dict[str, int], float]]:
    """His counts in every market, with their chances."""
    return [
        ({market: sum(worth.get(o, 0) for o in outcomes) for market, worth in WORTH.items()}, chance)
        for outcomes, chance in games(batter, fitted)
    ]


@pytest.fixture(scope="module")
def told(batter: pl.DataFrame) -> list[tuple[dict[str, int], float]]:
    return counts(batter, Fitted.shipped())


def chance_of(told: list[tuple[dict[str, int], float]], wins: list[tuple[str, float, str]]) -> float:
    def won(counts: dict[str, int]) -> bool:
        return all(counts[m] > line if side == "over" else counts[m] < line for m, line, side in wins)

    return math.fsum(chance for counts, chance in told if won(counts))


@pytest.mark.parametrize("market", list(WORTH))
def test_every_line_has_the_chance_of_the_games_in_which_it_wins(batter: pl.DataFrame, told, market: str):
    lines = {market: [n / 2 for n in range(27)]}
    raw = generate(batter, markets=[market], lines=lines, fitted=Fitted.shipped().uncalibrated())
    assert math.fsum(chance for _, chance in told) == pytest.approx(1)
    for row in raw.iter_rows(named=True):
        assert row["prob_over"] == pytest.approx(chance_of(told, [(market, row["line"], "over")]), abs=1e-12)
        assert row["prob_under"] == pytest.approx(chance_of(told, [(market, row["line"], "under")]), abs=1e-12)
        assert row["prob_over"] + row["prob_push"] + row["prob_under"] == pytest.approx(1, abs=1e-12)
        assert (row["prob_push"] > 0) == (row["line"].is_integer() and chance_of(told, [
            (market, row["line"] - 0.5, "over"), (market, row["line"] + 0.5, "under")]) > 0)  # fmt: skip
        assert row["mean"] == pytest.approx(math.fsum(p * counts[market] for counts, p in told), abs=1e-12)


QUESTION = st.tuples(
    st.sampled_from(list(WORTH)), st.sampled_from([0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 4.0]), st.sampled_from(["over", "under"])
)  # fmt: skip


@settings(max_examples=40)
@given(st.lists(QUESTION, min_size=1, max_size=3, unique_by=lambda one: one[:2]))
def test_joint_chances_are_those_of_the_games_in_which_every_leg_wins(batter: pl.DataFrame, told, wins):
    row = batter.row(0, named=True)
    who = (row["game_pk"], row["player_id_mlbam"], row["team"], row["slot"])
    joint, own = exact([Leg(*who, *question, 0.5) for question in wins], batter)
    assert joint == pytest.approx(chance_of(told, wins), abs=1e-12)
    assert own == pytest.approx([chance_of(told, [question]) for question in wins], abs=1e-12)


def test_joint_chances_are_those_of_the_fit_that_made_the_features(batter: pl.DataFrame):
    shipped = Fitted.shipped()
    # starters who tire: home runs five times as likely the third time through
    tired = tuple(
        tuple(factor * (5.0 if outcome == "home_run" and n else 1.0) for outcome, factor in zip(OUTCOMES, row, strict=True))
        for n, row in enumerate(shipped.parameters.times_through)
    )  # fmt: skip
    fitted = replace(shipped, parameters=shipped.parameters.model_copy(update={"times_through": tired}))
    row = batter.row(0, named=True)
    who = (row["game_pk"], row["player_id_mlbam"], row["team"], row["slot"])
    wins = [("batter_home_runs", 0.5, "over"), ("batter_strikeouts", 1.5, "under")]
    told = counts(batter, fitted)
    joint, own = exact([Leg(*who, *question, 0.5) for question in wins], batter, fitted)
    assert joint == pytest.approx(chance_of(told, wins), abs=1e-12)
    assert own == pytest.approx([chance_of(told, [question]) for question in wins], abs=1e-12)
    # legs that are not calibrated come out as they went in
    legs = [Leg(*who, *question, p) for question, p in zip(wins, own, strict=True)]
    assert probability(legs, batter, fitted) == pytest.approx(joint, abs=1e-12)
    assert abs(probability(legs, batter) - joint) > 1e-5
