"""Instants and cutoffs as scripts compare them."""

import datetime as dt
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.errors import DataError
from backstop.store.drafts import Draft, cutoff_of, instant_of, micros
from backstop.store.packing import Codec

ZONES = st.timezones() | st.just(dt.UTC)
INSTANTS = st.datetimes(min_value=dt.datetime(1900, 1, 2), max_value=dt.datetime(2100, 1, 1), timezones=ZONES)  # noqa: DTZ001


@given(instant=INSTANTS)
def test_an_instant_survives_as_microseconds_whatever_its_zone(instant):
    # an hour that a zone leaves out equals no instant until it is told in UTC
    assert instant_of(b"%d" % micros(instant)) == instant.astimezone(dt.UTC)
    assert cutoff_of(instant) == instant.astimezone(dt.UTC)
    assert cutoff_of(instant).tzinfo is dt.UTC


@given(one=INSTANTS, two=INSTANTS)
def test_microseconds_are_in_the_order_of_the_instants(one, two):
    assert (micros(one) < micros(two)) == (one.astimezone(dt.UTC) < two.astimezone(dt.UTC))


def test_a_date_stands_for_its_first_instant_and_a_cutoff_without_zone_is_refused():
    assert cutoff_of(dt.date(2025, 12, 31)) == dt.datetime(2025, 12, 31, tzinfo=dt.UTC)
    eastern = dt.timezone(-dt.timedelta(hours=4))
    assert cutoff_of(dt.datetime(2025, 6, 15, 22, tzinfo=eastern)) == dt.datetime(2025, 6, 16, 2, tzinfo=dt.UTC)
    with pytest.raises(DataError, match="2025-06-15 22:00:00 has no time zone; expected an instant in UTC"):
        cutoff_of(dt.datetime(2025, 6, 15, 22))  # noqa: DTZ001


def test_a_draft_travels_between_processes_and_knows_all_keys_of_its_rows():
    draft = Draft(
        dt.date(2025, 6, 15), 7, cutoff_of(dt.date(2025, 6, 15)), "r", (("features", 1), ("props", 2)), Codec.ZSTD
    )
    assert pickle.loads(pickle.dumps(draft)) == draft  # noqa: S301 - its own
    prefix = "bs:mlb:{2025-06-15}:v:7"
    assert draft.all_rows() == [f"{prefix}:{name}:draft:r" for name in ("features:0", "props:0", "props:1")]


def test_the_flip_renames_every_key_of_a_draft_to_the_one_that_readers_ask_for_whatever_the_run_is_called():
    draft = Draft(dt.date(2025, 6, 15), 7, cutoff_of(dt.date(2025, 6, 15)), "a:draft:a", (("props", 2),))
    assert draft.published(draft.rows("props", 1)) == draft.keys.rows(7, "props", 1)
    assert draft.published(draft.top("ev", "all")) == draft.keys.top(7, "ev", "all")
