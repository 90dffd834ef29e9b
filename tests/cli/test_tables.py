"""Tables and lines of the terminal: ages, dashes for what there is none of, names that are no markup."""

from __future__ import annotations

import datetime as dt
import io
from types import SimpleNamespace

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from backstop.cli import tables
from backstop.odds import Form

DAY = dt.date(2025, 6, 15)


def drawn(table):
    console = Console(file=io.StringIO(), width=200, force_terminal=False)
    console.print(table)
    return console.file.getvalue()


def cells(table):
    lines = [line for line in drawn(table).splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "unknown age"),
        (0, "0 s"),
        (59.99, "59 s"),
        (60, "1 min 0 s"),
        (3_599, "59 min 59 s"),
        (3_600, "1 h 0 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d 0 h"),
        (10 * 86_400 + 3_600, "10 d 1 h"),
    ],
)
def test_an_age_is_said_in_the_two_units_that_matter(seconds, said):
    assert tables.age(seconds) == said


@given(st.integers(0, 10**7))
def test_an_age_never_says_more_than_it_is_and_less_by_under_one_of_its_smaller_unit(seconds):
    units = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
    parts = tables.age(seconds).split()
    told = [(int(number), units[unit]) for number, unit in zip(parts[::2], parts[1::2], strict=True)]
    assert 0 <= seconds - sum(number * unit for number, unit in told) < told[-1][1]


def prop(**changes):
    return {
        "player_name": "José [red] Núñez", "team": "NYY", "market": "batter_total_bases", "line": 1.5, "prob_over": 0.4567,
        "fair_over_decimal": 2.189, "fair_under_decimal": 1.841, "best_side": "over", "best_price_decimal": 2.4,
        "best_book": "draftkings", "ev_per_unit": 0.0961, "edge": 0.05, "edge_band": 0.01, "kelly_quarter": 0.02,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "price", "ev", "edge"),
    [
        ({}, "over 2.40 draftkings", "+0.096", "+0.050 ± 0.010"),
        ({"edge": 0.01}, "over 2.40 draftkings", "+0.096", "+0.010 ± 0.010 none"),
        ({"edge": -0.05}, "over 2.40 draftkings", "+0.096", "-0.050 ± 0.010"),
        ({"edge": None, "edge_band": None}, "over 2.40 draftkings", "+0.096", "–"),
        ({"best_price_decimal": None, "ev_per_unit": None, "edge": None}, "–", "–", "–"),
        ({"ev_per_unit": -0.0001}, "over 2.40 draftkings", "-0.000", "+0.050 ± 0.010"),
    ],
)
def test_a_prop_shows_what_is_known_of_its_price_and_a_dash_for_what_is_not(changes, price, ev, edge):
    (row,) = cells(tables.player_props([prop(**changes)]))
    assert row[:6] == ["José [red] Núñez (NYY)", "total bases", "1.5", "0.457", "2.19", "1.84"]
    assert row[6:] == [price, ev, edge]


@pytest.mark.parametrize(
    ("odds", "over", "under", "best"),
    [
        (Form.DECIMAL, "2.19", "1.84", "over 2.40 draftkings"),
        (Form.AMERICAN, "+119", "-119", "over +140 draftkings"),
        (Form.FRACTIONAL, "107/90", "37/44", "over 7/5 draftkings"),
    ],
)
def test_prices_are_written_as_asked(odds, over, under, best):
    first, second = cells(tables.player_props([prop(), prop(best_price_decimal=None)], odds=odds))
    assert (first[4], first[5], first[6], second[6]) == (over, under, best, "–")


def test_the_best_props_are_those_with_the_largest_stake_then_value_then_probability_and_no_price_comes_last():
    rows = [
        prop(player_name="none", kelly_quarter=None, ev_per_unit=None),
        prop(player_name="second", ev_per_unit=0.05),
        prop(player_name="third", ev_per_unit=0.05, prob_over=0.1),
        prop(player_name="first", kelly_quarter=0.03, ev_per_unit=0.01),
        prop(player_name="long shot", kelly_quarter=None, ev_per_unit=3.0),
    ]
    table = tables.best_props(pl.DataFrame(rows), 4)
    assert [row[0].removesuffix(" (NYY)") for row in cells(table)] == ["first", "second", "third", "long shot"]
    assert table.title == "Best-priced props (4 of 5)"


def view(**changes):
    game = {"game_pk": 777, "away_team": "BOS", "home_team": "NYY", "start_at": "2025-06-15T17:05:00+00:00"}
    return SimpleNamespace(
        **{"day": DAY, "version": 3, "state": "fresh", "meta": {"games": [game]}, "age_s": 75.0, "props_count": 1_404}
        | changes
    )


def test_a_slate_is_headed_by_its_version_its_age_and_its_counts():
    assert tables.slate_heading(view(meta={})).plain == (
        "Slate 2025-06-15 · version 3 · fresh, 1 min 15 s old · unknown quality · 0 games · 1,404 props"
    )
    told = view(state="stale", age_s=None, meta={"games": [1, 2], "quality": "degraded"})
    assert tables.slate_heading(told).plain.endswith("stale, unknown age old · degraded · 2 games · 1,404 props")


def test_games_are_listed_with_their_first_pitch_to_the_minute():
    assert cells(tables.games(view())) == [["777", "BOS", "NYY", "2025-06-15T17:05"]]
    assert cells(tables.games(view(meta={}))) == []


def test_a_start_that_is_to_be_determined_is_called_that():
    game = {"game_pk": 778, "away_team": "BOS", "home_team": "NYY", "start_at": None}
    assert cells(tables.games(view(meta={"games": [game]}))) == [["778", "BOS", "NYY", "TBD"]]


def test_a_player_is_headed_by_every_name_that_rows_give_him():
    player = SimpleNamespace(
        player_id=592_450, state="fresh", age_s=5, slate=view(),
        features=[{"player_name": "Aaron Judge"}], props=[{"player_name": "A. Judge"}, {"player_name": "Aaron Judge"}],
    )  # fmt: skip
    assert tables.player_heading(player).plain == (
        "A. Judge, Aaron Judge (592450) · slate 2025-06-15 · version 3 · fresh, 5 s old"
    )


def test_features_are_a_line_each_but_for_lists_which_json_has():
    row = {"role": "batter", "game_pk": 777, "rate": 0.123456, "slot": 3, "team": "[b]", "none": None, "lines": [1, 2]}
    table = tables.features(row)
    assert table.title == "Features · batter · game 777"
    assert cells(table) == [["rate", "0.1235"], ["slot", "3"], ["team", "[b]"], ["none", "–"]]


@pytest.mark.parametrize(("columns", "width"), [("80", tables.WIDTH), ("60", tables.WIDTH), ("81", 81), ("300", 300)])
def test_a_pipe_is_as_wide_as_the_widest_table_unless_somebody_set_a_width(monkeypatch, columns, width):
    monkeypatch.setenv("COLUMNS", columns)
    assert tables.terminal().width == width
