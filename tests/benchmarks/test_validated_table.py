"""The table that validators are measured on: sound where it says so, spoilt in exactly the places it says."""

from __future__ import annotations

import polars as pl
import pytest

from benchmarks.gx_polars_table import CATEGORIES, COLUMNS, clean, dirty, write


@pytest.mark.parametrize("rows", [1, 50, 2_500])
def test_a_clean_table_has_so_many_rows_and_is_the_same_each_time(rows):
    frame = clean(rows)
    assert (frame.height, frame.columns) == (rows, list(COLUMNS))
    assert frame.equals(clean(rows))


def test_a_clean_table_keeps_what_the_checks_ask():
    frame = clean(2_500)
    assert frame["id"].n_unique() == 2_500
    assert frame.select("key_a", "key_b").n_unique() == 2_500
    assert frame.select(
        (pl.col("n4") >= pl.col("n3")).all(), pl.col("f1").is_between(0, 1).all(), pl.col("f2").is_between(-100, 100).all(),
        pl.col("f3").is_between(0, 20).all(), pl.col("code").str.contains(r"^A\d{4}$").all(),
        pl.col("category").is_in(list(CATEGORIES)).all(), (pl.col("ends_at") > pl.col("starts_at")).all(),
    ).row(0) == (True,) * 7  # fmt: skip
    assert 0.15 < frame["f5"].null_count() / 2_500 < 0.25
    assert 0.45 < frame["optional"].null_count() / 2_500 < 0.55


def test_a_dirty_table_is_the_clean_one_with_one_row_in_a_hundred_spoilt_for_each_of_ten_checks():
    sound, spoilt = clean(2_500), dirty(2_500)
    columns = ("n2", "n3", "f2", "code", "category", "name", "ends_at")
    changed = {name: (sound[name] != spoilt[name]).sum() for name in columns}
    assert changed == dict.fromkeys(columns, 25)
    assert spoilt["f1"].null_count() == 25
    assert (spoilt["f5"] == -1.0).sum() == 25
    assert 2_475 <= spoilt["id"].n_unique() <= 2_476
    untouched = [name for name in COLUMNS if name not in {*columns, "f1", "f5", "id"}]
    assert sound.select(untouched).equals(spoilt.select(untouched))


def test_a_small_table_has_at_least_one_row_spoilt():
    assert (clean(50)["n2"] != dirty(50)["n2"]).sum() == 1


def test_a_table_is_written_once(tmp_path):
    path = write(tmp_path, 50, "clean")
    assert pl.read_parquet(path).equals(clean(50))
    path.write_bytes(b"kept")
    assert write(tmp_path, 50, "clean") == path
    assert path.read_bytes() == b"kept"
    assert pl.read_parquet(write(tmp_path, 50, "dirty")).equals(dirty(50))
