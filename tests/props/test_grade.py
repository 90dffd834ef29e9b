from __future__ import annotations

import zlib

import numpy as np
import polars as pl
import pytest

from backstop.props.grade import (
    SCHEMA,
    calibration_error,
    calibration_floor,
    closing_line_value,
    grade,
    reliability,
)
from backstop.props.plot import HEIGHT, WIDTH, calibration_png


def settled(p, won, market_p=None):
    n = len(p)
    return pl.DataFrame(
        {
            "market": ["batter_hits"] * n,
            "model_version": ["v"] * n,
            "prob_over": p,
            "prob_under": 1 - np.asarray(p),
            "market_prob_over": pl.Series([market_p] * n, dtype=pl.Float64),
            "result": ["over" if w else "under" for w in won],
        }
    )


def test_brier_and_log_loss_are_those_of_the_definition():
    row = grade(settled([0.8, 0.4], [True, False])).row(0, named=True)
    assert row["brier"] == pytest.approx((0.04 + 0.16) / 2)
    assert row["log_loss"] == pytest.approx(-(np.log(0.8) + np.log(0.6)) / 2)
    assert row["market_props"] == 0
    assert row["market_brier"] is None


def test_the_market_is_graded_on_the_rows_where_it_stood():
    table = pl.concat([settled([0.8, 0.4], [True, False]), settled([0.6], [True], market_p=0.7)])
    row = grade(table).row(0, named=True)
    assert (row["props"], row["market_props"]) == (3, 1)
    assert row["market_brier"] == pytest.approx(0.09)
    assert row["model_brier_there"] == pytest.approx(0.16)


def test_pushes_voids_and_open_props_do_not_count():
    table = settled([0.5] * 3, [True] * 3).with_columns(result=pl.Series(["push", "void", "open"]))
    assert grade(table).is_empty()
    assert dict(grade(table).schema) == SCHEMA


def test_a_forecaster_who_is_right_is_at_the_noise_floor_and_one_who_is_not_is_above_it():
    random = np.random.default_rng(3)
    p = random.uniform(0.2, 0.8, 5000)
    won = (random.random(5000) < p).astype(float)
    floor = calibration_floor(p)
    assert calibration_error(p, won) < 2 * floor
    assert calibration_error(np.clip(p + 0.1, 0, 1), won) > 4 * floor


def test_bins_hold_equal_counts_by_rising_probability():
    table = reliability(np.linspace(0, 1, 100), np.ones(100))
    assert table["props"].to_list() == [10] * 10
    assert table["mean_prob_over"].is_sorted()


def test_closing_line_value_compares_the_price_taken_with_the_closing_probability():
    taken = pl.DataFrame(
        {
            "prop_id": ["a", "b", "c"],
            "market": ["m"] * 3,
            "best_side": ["over", "under", None],
            "best_price_decimal": [2.2, 1.9, None],
        }
    )
    closing = pl.DataFrame({"prop_id": ["a", "b", "c"], "market_prob_over": [0.5, 0.4, 0.5]})
    rows = closing_line_value(taken, closing)
    assert rows["clv_probability"].to_list() == pytest.approx([0.5 - 1 / 2.2, 0.6 - 1 / 1.9])
    assert rows["clv_return"].to_list() == pytest.approx([0.1, 0.14])


def test_the_calibration_plot_is_a_png_of_its_size_with_points():
    png = calibration_png(reliability(np.linspace(0.1, 0.9, 50), np.ones(50)), "BATTER_HITS")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(png[16:20]) == WIDTH
    assert int.from_bytes(png[20:24]) == HEIGHT
    start = png.index(b"IDAT") + 4
    pixels = np.frombuffer(zlib.decompress(png[start:]), dtype=np.uint8).reshape(HEIGHT, 1 + 3 * WIDTH)[:, 1:]
    colours = np.unique(pixels.reshape(-1, 3), axis=0)
    assert [28, 98, 184] in colours.tolist()
