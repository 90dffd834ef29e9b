"""The content hash: the same rows have one, whatever carries them, and any other rows have another."""

import datetime as dt
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.lake.content import content_hash, schema_text, schema_version

WHEN = dt.datetime(2025, 6, 15, 23, 59, 59, 1, dt.UTC)
FRAME = pl.DataFrame(
    {
        "n": [1, None, 3],
        "x": [0.1, None, -2.5],
        "text": ["é", "", None],
        "is": [True, None, False],
        "day": [dt.date(2025, 6, 15), None, dt.date(1969, 12, 31)],
        "at": [WHEN, None, WHEN],
        "some": [[1, 2], [], None],
        "pair": [{"a": 1, "b": "x"}, {"a": None, "b": None}, None],
    }
)


def test_chunks_and_the_way_through_a_file_do_not_show(tmp_path):
    chunked = pl.concat([FRAME[:1], FRAME[1:2], FRAME[2:]], rechunk=False)
    assert chunked.n_chunks() == 3
    FRAME.write_parquet(tmp_path / "f.parquet", compression="uncompressed")
    assert {content_hash(each) for each in (FRAME, chunked, pl.read_parquet(tmp_path / "f.parquet"))} == {
        content_hash(FRAME)
    }


def test_what_stands_in_the_place_of_a_null_does_not_show():
    masked = pl.DataFrame({"n": [5, 7]}).select(pl.when(pl.col("n") != 7).then("n"))
    assert content_hash(masked) == content_hash(pl.DataFrame({"n": [5, None]}))


def test_any_nan_is_the_same_and_a_negative_nought_is_not_nought():
    other = pl.Series("x", [0.0]) / pl.Series("x", [0.0])
    assert content_hash(other.to_frame()) == content_hash(pl.DataFrame({"x": [math.nan]}))
    assert content_hash(pl.DataFrame({"x": [-0.0]})) != content_hash(pl.DataFrame({"x": [0.0]}))


CHANGES = {
    "a row less": FRAME[:2],
    "rows in another order": FRAME.reverse(),
    "columns in another order": FRAME.select(reversed(FRAME.columns)),
    "another name": FRAME.rename({"n": "m"}),
    "another type": FRAME.with_columns(pl.col("n").cast(pl.Int32)),
    "another precision of time": FRAME.with_columns(pl.col("at").cast(pl.Datetime("ms", "UTC"))),
    "null for empty": FRAME.with_columns(text=pl.Series(["é", None, None])),
    "empty for null": FRAME.with_columns(text=pl.Series(["é", "", ""])),
    "a null in another place": FRAME.with_columns(n=pl.Series([None, 1, 3])),
    "a letter in the next row": FRAME.with_columns(text=pl.Series(["", "é", None])),
    "an empty list for none": FRAME.with_columns(some=pl.Series([[1, 2], [], []])),
    "a field of a struct": FRAME.with_columns(pair=pl.Series([{"a": 2, "b": "x"}, {"a": None, "b": None}, None])),
    "a boolean": FRAME.with_columns(pl.Series("is", [True, None, True])),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_other_rows_have_another_hash(change):
    assert content_hash(CHANGES[change]) != content_hash(FRAME)


@given(
    texts=st.lists(st.one_of(st.none(), st.text(max_size=3)), max_size=5),
    more=st.lists(st.text(max_size=3), max_size=5),
)
def test_texts_cut_in_another_way_are_other_rows(texts, more):
    one, two = (pl.DataFrame({"t": pl.Series(each, dtype=pl.String)}) for each in (texts, more))
    assert (content_hash(one) == content_hash(two)) == (texts == more)


def test_an_empty_frame_is_told_by_its_columns():
    hashes = [content_hash(pl.DataFrame(schema=schema)) for schema in ({}, {"a": pl.Int64}, {"a": pl.Int32})]
    assert len(set(hashes)) == 3


def test_the_version_of_a_schema_changes_with_its_columns_alone():
    assert schema_version(FRAME.schema) == schema_version(FRAME.clear().schema)
    assert schema_version(FRAME.schema) != schema_version(FRAME.drop("n").schema)
    assert schema_text(pl.Schema({"a": pl.Int64(), "b": pl.Datetime("us", "UTC")})).splitlines()[0] == "a: Int64"
    assert len(schema_version(FRAME.schema)) == 12


NAN, INF = math.nan, math.inf
LISTS = pl.List(pl.Float64)
RECORDS = pl.Struct({"a": pl.Float64, "b": pl.Struct({"c": pl.Int64})})
NESTED = {
    "numbers": (LISTS, [[[NAN]], [[None]], [[INF]], [[-INF]], [None], [[]], [[1.0]]]),
    "where lists are cut": (
        LISTS,
        [[[1.0], [2.0, 3.0]], [[1.0, 2.0], [3.0]], [[1.0, 2.0, 3.0], []], [[], [1.0, 2, 3]]],
    ),
    "lists of lists": (pl.List(LISTS), [[[[1.0], []]], [[[], [1.0]]], [[[1.0]]], [[[1.0], None]], [None], [[None]]]),
    "structs": (
        RECORDS,
        [
            [None],
            [{"a": None, "b": None}],
            [{"a": NAN, "b": None}],
            [{"a": None, "b": {"c": None}}],
            [{"a": None, "b": {"c": 0}}],
            [{"a": 0.0, "b": None}],
        ],
    ),
    "arrays": (pl.Array(pl.Float64, 2), [[[1.0, NAN]], [[1.0, None]], [[NAN, 1.0]], [None], [[None, None]]]),
    "lists of structs": (pl.List(RECORDS), [[[]], [None], [[None]], [[{"a": None, "b": None}]], [[None, None]]]),
}


@pytest.mark.parametrize("kind", NESTED)
def test_values_inside_of_values_are_told_apart(kind):
    dtype, cases = NESTED[kind]
    frames = [pl.DataFrame({"x": pl.Series(case, dtype=dtype)}) for case in cases]
    assert len({content_hash(frame) for frame in frames}) == len(frames)
    rebuilt = [pl.concat([frame[:0], frame], rechunk=False).select(pl.col("x").reverse().reverse()) for frame in frames]
    assert [content_hash(frame) for frame in rebuilt] == [content_hash(frame) for frame in frames]


inner = st.lists(st.lists(st.none() | st.sampled_from([0.0, 1.0, NAN, INF]), max_size=2) | st.none(), max_size=3)


@given(one=inner, other=inner)
def test_two_columns_of_lists_have_one_hash_exactly_when_they_read_the_same(one, other):
    hashes = [content_hash(pl.DataFrame({"x": pl.Series(each, dtype=LISTS)})) for each in (one, other)]
    assert (hashes[0] == hashes[1]) == (repr(one) == repr(other))
