"""Files for other programs: every value comes back, lists are text, and no name is run by a spreadsheet."""

from __future__ import annotations

import csv
import datetime as dt

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from backstop.cli import export

ROWS = pl.DataFrame(
    {
        "player_name": ["=HYPERLINK(1)", 'José, "El" Núñez', None, "", "-"],
        "team": pl.Series(["NYY", "@BOS", None, "+", "\t"], dtype=pl.Categorical),
        "role": pl.Series(["-a", "b", "-a", None, "b"], dtype=pl.Enum(["-a", "b"])),
        "edge": [-0.5, 0.25, None, float("inf"), 1e-12],
        "slot": pl.Series([1, -2, None, 3, 4], dtype=pl.Int16),
        "seen_at": [dt.datetime(2025, 6, 15, 12, 30, 1, 5, dt.UTC)] * 5,
        "rates": [[0.1, None, -3.0], [], None, [1.0], [2.0]],
    }
)


def written(tmp_path, frame, ending):
    out = tmp_path / f"rows{ending}"
    export.write(frame, out)
    return out


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_parquet_is_as_it_was(tmp_path):
    assert_frame_equal(pl.read_parquet(written(tmp_path, ROWS, ".parquet")), ROWS, categorical_as_str=True)


def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe_and_numbers_do_not(tmp_path):
    rows = read(written(tmp_path, ROWS, ".csv"))
    assert [row["player_name"] for row in rows] == ["'=HYPERLINK(1)", 'José, "El" Núñez', "", "", "'-"]
    assert [row["team"] for row in rows] == ["NYY", "'@BOS", "", "'+", "'\t"]
    assert [row["role"] for row in rows] == ["'-a", "b", "'-a", "", "b"]
    assert [row["slot"] for row in rows] == ["1", "-2", "", "3", "4"]
    assert [row["edge"] for row in rows][:2] == ["-0.5", "0.25"]


def test_a_list_is_text_in_brackets_with_every_element_in_its_place_and_no_list_is_nothing(tmp_path):
    assert [row["rates"] for row in read(written(tmp_path, ROWS, ".csv"))] == [
        "[0.1,null,-3.0]",
        "[]",
        "",
        "[1.0]",
        "[2.0]",
    ]


def test_no_rows_are_a_head_line(tmp_path):
    out = written(tmp_path, ROWS.head(0), ".csv")
    assert out.read_text() == ",".join(ROWS.columns) + "\n"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), min_size=1, max_size=20))
def test_any_text_comes_back_but_for_the_apostrophe_and_never_begins_a_formula(tmp_path, texts):
    frame = pl.DataFrame({"n": range(len(texts)), "text": texts})
    back = [row["text"] for row in read(written(tmp_path, frame, ".csv"))]
    for before, after in zip(texts, back, strict=True):
        assert after in {before, f"'{before}"}
        assert after[:1] not in set("=+-@\t\r\n＝＋－＠")


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_folder_that_is_not_there_is_the_operating_systems_word(tmp_path, ending):
    with pytest.raises(OSError, match="No such file"):
        export.write(ROWS, tmp_path / "none" / f"rows{ending}")
