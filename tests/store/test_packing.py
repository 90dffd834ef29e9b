"""Packing: what goes in comes out, with a dictionary or without, and too few values make none."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.store.packing import DICTIONARY_BYTES, FEWEST, SAMPLE_BYTES, Codec, Packing, train

ALIKE = [
    b'{"player": %d, "team": "NYY", "market": "batter_hits", "line": %d.5}' % (n * 7919, n % 4) for n in range(500)
]


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("trained", [False, True])
@given(values=st.lists(st.binary(max_size=300), max_size=20))
def test_values_come_back_as_they_were(codec, trained, values):
    packing = Packing(codec, train(ALIKE) if trained else b"")
    packed = packing.pack(values)
    assert packing.unpack(packed) == values
    assert len(packed) == len(values)


def test_a_dictionary_of_like_values_halves_what_one_of_them_takes():
    plain, trained = Packing(Codec.ZSTD), Packing(Codec.ZSTD, train(ALIKE))
    fresh = b'{"player": 999999, "team": "NYY", "market": "batter_hits", "line": 9.5}'
    assert len(trained.pack([fresh])[0]) < len(plain.pack([fresh])[0]) / 2
    assert len(train(ALIKE)) <= DICTIONARY_BYTES


@pytest.mark.parametrize(
    "values",
    [
        [],
        ALIKE[: FEWEST - 1],
        [os.urandom(9) for _ in range(FEWEST)],
        [b""] * 100,
        [b"x"] * 100,
        [os.urandom(SAMPLE_BYTES // 4) for _ in range(FEWEST)],
    ],
    ids=["none", "few", "random", "empty", "one letter", "large"],
)
def test_values_that_teach_nothing_are_packed_all_the_same(values):
    packing = Packing(Codec.ZSTD, train(values))
    assert packing.unpack(packing.pack([b"a value", b""])) == [b"a value", b""]


def test_a_packing_is_told_from_another_by_codec_and_dictionary_alone():
    assert Packing(Codec.ZSTD, train(ALIKE)) == Packing(Codec.ZSTD, train(ALIKE))
    assert Packing(Codec.ZSTD) != Packing(Codec.PLAIN)
    assert "dictionary=b''" in repr(Packing(Codec.ZSTD))
