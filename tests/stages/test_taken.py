"""Terms of published props: added where they change, never replaced, whatever comes of the slate."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop import tables
from backstop.errors import LakeError
from backstop.lake.tables import Lake
from backstop.stages import taken
from backstop.store.loader import Published
from tests.stages.rows import DAY
from tests.store import rows

NOON = dt.datetime(2025, 6, 15, 16, tzinfo=dt.UTC)
PROPS = rows.props(2).with_columns(game_date=pl.lit(DAY))


class Rooms:
    """Of the house the lake alone."""

    def __init__(self, root):
        self.lake = Lake(root)


@pytest.fixture
def lake_only(tmp_path):
    return Rooms(tmp_path)


def note(house, props, version):
    at = NOON + dt.timedelta(minutes=version)
    taken.keep_terms(house, DAY, props, Published(version, DAY, served=True, rows={}, published_at=at))
    return house.lake.read("out_taken", DAY)


def moved(props, prop_id, **values):
    """The props with other terms for one of them."""
    return props.with_columns(
        pl.when(pl.col("prop_id") == prop_id).then(pl.lit(value, props.schema[name])).otherwise(name).alias(name)
        for name, value in values.items()
    )


def test_the_first_version_is_noted_whole_and_the_same_again_adds_nothing(lake_only):
    first = note(lake_only, PROPS, 1)
    assert first.schema == tables.TAKEN.schema
    assert first.drop("version", "published_at").equals(PROPS.sort("prop_id").select(tables.PROPS.schema.keys()))
    assert note(lake_only, PROPS, 1).equals(first)
    assert note(lake_only, PROPS, 2).equals(first)


@pytest.mark.parametrize(
    "terms",
    [{"best_price_decimal": 9.5}, {"best_book": "other"}, {"best_side": None}, {"kelly_quarter": 0.25},
     {"prob_over": 0.123}, {"model_version": "later"}],
    ids=lambda terms: next(iter(terms)),
)  # fmt: skip
def test_a_prop_on_other_terms_is_noted_beside_what_it_was(lake_only, terms):
    first, one = note(lake_only, PROPS, 1), PROPS["prop_id"][1]
    both = note(lake_only, moved(PROPS, one, **terms), 2)
    assert both.filter(version=1).equals(first)
    (new,) = both.filter(version=2).to_dicts()
    assert (new["prop_id"], new["published_at"]) == (one, NOON + dt.timedelta(minutes=2))
    assert {name: new[name] for name in terms} == terms
    # back to the terms of the morning is a change as well
    assert note(lake_only, PROPS, 3).filter(version=3)["prop_id"].to_list() == [one]


def test_how_many_books_quote_it_is_no_term_of_a_prop(lake_only):
    first = note(lake_only, PROPS, 1)
    assert note(lake_only, moved(PROPS, PROPS["prop_id"][1], books=40), 2).equals(first)


def test_props_that_are_gone_stand_on_their_last_terms(lake_only):
    gone = PROPS["prop_id"][1]
    note(lake_only, PROPS, 1)
    note(lake_only, moved(PROPS, gone, best_price_decimal=3.5), 2)
    rest = PROPS.filter(pl.col("prop_id") != gone)
    every = taken.with_withdrawn(rest, note(lake_only, rest, 3))
    assert every.drop("withdrawn").head(rest.height).equals(rest)
    (last,) = every.filter(pl.col("withdrawn")).to_dicts()
    assert (last["prop_id"], last["best_price_decimal"]) == (gone, 3.5)
    assert not taken.with_withdrawn(PROPS, tables.TAKEN.empty())["withdrawn"].any()


@settings(max_examples=25, deadline=None)
@given(stakes=st.lists(st.sampled_from([None, 0.0, 0.1, 0.2]), min_size=1, max_size=6), begins=st.integers(1, 7))
def test_the_first_stake_before_the_game_is_what_was_taken(stakes, begins):
    one = PROPS["prop_id"][1]
    terms = pl.concat(
        moved(PROPS, one, kelly_quarter=stake, best_price_decimal=2.0 + version).with_columns(
            version=pl.lit(version), published_at=NOON + dt.timedelta(minutes=version)
        )
        for version, stake in enumerate(stakes, start=1)
    )
    begin = NOON + dt.timedelta(minutes=begins)
    pitches = terms.select("game_pk").unique().with_columns(first_pitch_at=begin)
    found = taken.first_staked(terms, pitches).filter(prop_id=one)
    # a version is published a minute after the one before it; that of the very minute comes too late
    expected = [version for version, stake in enumerate(stakes, start=1) if stake and version < begins][:1]
    assert found["version"].to_list() == expected
    assert found["best_price_decimal"].to_list() == [2.0 + version for version in expected]
    assert taken.first_staked(terms, pitches.clear()).is_empty()


def test_a_damaged_file_does_not_hold_up_the_slates_to_come(lake_only, tmp_path):
    first = note(lake_only, PROPS, 1)
    (file,) = (tmp_path / "out_taken").rglob("*.parquet")
    file.write_bytes(b"PAR1 torn")
    with pytest.raises(LakeError, match="cannot be read"):
        lake_only.lake.read("out_taken", DAY)
    assert note(lake_only, PROPS, 2).drop("version", "published_at").equals(first.drop("version", "published_at"))
