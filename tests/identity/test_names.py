"""Names of one player are one text, names of two players are two."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.identity import names


def compared(name: str | None) -> str | None:
    return pl.select(names.normalise(pl.lit(name, pl.String))).item()  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("J.T. Realmuto", "JT Realmuto"),
        ("C. J. Kayfus", "C.J. Kayfus"),
        ("Ronald Acuña Jr.", "Ronald Acuna"),
        ("Luis García Jr.", "Luis Garcia, Jr."),
        ("Pete Crow-Armstrong", "Pete Crow Armstrong"),
        ("Logan O'Hoppe", "Logan O’Hoppe"),
        ("Michael Harris II", "Michael Harris"),
        ("Max Muncy (2002)", "Max Muncy"),
        ("Yu  Darvish ", "yu darvish"),
        ("Łukasz Øster", "Lukasz Oster"),
    ],
)
def test_spellings_of_one_name_compare_equal(one: str, other: str) -> None:
    assert compared(one) == compared(other)


@pytest.mark.parametrize(("one", "other"), [("Josh Lowe", "Nathaniel Lowe"), ("Jose Ramirez", "Jose Ramos")])
def test_names_of_two_players_differ(one: str, other: str) -> None:
    assert compared(one) != compared(other)


def test_a_suffix_is_dropped_only_at_the_end() -> None:
    assert compared("Sr Junior Jr") == "srjunior"
    assert compared("Ivan Iiic") == "ivaniiic"


def test_null_stays_null() -> None:
    assert compared(None) is None


@settings(deadline=None)
@given(st.text(max_size=30))
def test_comparing_a_compared_name_changes_nothing_but_a_suffix_that_it_now_ends_with(text: str) -> None:
    once = compared(text)
    assert once is not None
    assert compared(once) == once


def test_a_middle_initial_can_be_left_out() -> None:
    frame = pl.select(a=names.without_middle(pl.lit("Michael A. Taylor")), b=names.normalise(pl.lit("Michael Taylor")))
    assert frame["a"].item() == frame["b"].item()


@pytest.mark.parametrize(
    ("one", "other"), [("Matthew Boyd", "Matt Boyd"), ("Jake Latz", "Jacob Latz"), ("Mike King", "Michael King")]
)
def test_given_names_that_stand_for_one_another_compare_equal_in_the_last_pass(one: str, other: str) -> None:
    row = pl.select(a=names.by_given_name(pl.lit(one)), b=names.by_given_name(pl.lit(other))).row(0)
    assert row[0] == row[1]


def test_no_given_name_stands_in_two_groups() -> None:
    every = [name for group in names.GIVEN_NAMES for name in group]
    assert len(every) == len(set(every))
