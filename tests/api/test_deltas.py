"""The difference of two versions: what is applied to the one makes the other."""

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.api.deltas import compare

VALUES = st.tuples(st.one_of(st.none(), st.floats(0, 1)), st.sampled_from([None, "over", "under"]), st.booleans())
VERSION = st.dictionaries(st.sampled_from("abcdefg"), VALUES)
SCHEMA = {"prop_id": pl.String, "edge": pl.Float64, "side": pl.String, "quoted": pl.Boolean}


def frame_of(version):
    return pl.DataFrame([(key, *values) for key, values in version.items()], schema=SCHEMA, orient="row")


def applied(rows, message):
    """A reader's rows after a message."""
    known = {row["prop_id"]: row for row in rows if row["prop_id"] not in message["gone"]}
    for row in message["rows"]:
        known[row["prop_id"]] = known[row["prop_id"]] | row
    return known | {row["prop_id"]: row for row in message["added"]}


@settings(max_examples=200)
@given(before=VERSION, after=VERSION)
def test_a_reader_who_applies_the_difference_has_the_later_version(before, after):
    old, new = frame_of(before), frame_of(after)
    delta = compare(old, new)
    assert applied(old.to_dicts(), delta.message()) == {row["prop_id"]: row for row in new.to_dicts()}
    both = before.keys() & after.keys()
    assert set(delta.changed) == {key for key in both if before[key] != after[key]}
    assert delta.size == len(before.keys() ^ after.keys()) + len(delta.changed)


@given(version=VERSION)
def test_a_version_does_not_differ_from_itself_in_another_order(version):
    frame = frame_of(version)
    assert compare(frame, frame.reverse()).size == 0


@given(before=VERSION, after=VERSION, limit=st.integers(0, 3))
def test_what_is_told_is_cut_at_the_limit_and_says_how_much_there_is(before, after, limit):
    delta = compare(frame_of(before), frame_of(after))
    told = delta.told(limit)
    assert [len(told[name]) for name in ("added", "gone", "changed")] == [
        min(limit, size) for size in (delta.added.height, delta.gone.height, len(delta.changed))
    ]
    assert told["total"] == delta.size


def test_each_field_that_differs_is_told_with_both_values_and_no_other():
    before = frame_of({"a": (0.1, "over", True), "b": (None, None, False), "c": (0.5, "over", True)})
    after = frame_of({"c": (0.5, "over", True), "b": (0.2, None, False), "a": (0.1, "under", False)})
    assert compare(before, after).changed == {
        "a": {"side": ("over", "under"), "quoted": (True, False)},
        "b": {"edge": (None, 0.2)},
    }


def test_a_column_that_came_with_a_release_was_null_before():
    before = frame_of({"a": (0.1, "over", True), "b": (0.1, "over", True)})
    after = before.with_columns(hold=pl.Series([0.04, None]))
    assert compare(before, after).changed == {"a": {"hold": (None, 0.04)}}


def test_a_column_that_went_with_a_release_is_no_change():
    after = frame_of({"a": (0.1, "over", True)})
    assert compare(after.with_columns(hold=pl.lit(0.04)), after).size == 0
