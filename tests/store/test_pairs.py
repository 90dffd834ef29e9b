"""Pairs as RESP: what is spelled is what a server reads, however it is cut, ordered or sent again."""

import zlib

import hiredis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.store.asking import Spelled, packed
from backstop.store.pairs import Pairs

VALUES = st.lists(st.lists(st.binary(max_size=40), min_size=2, max_size=2), min_size=1, max_size=30)


def pairs_of(values, order=None):
    """Fields 1, 20, 300, ... with values of two parts each."""
    names = [b"%d" % (n * 7**n) for n in range(len(values))]
    sizes = [sum(map(len, parts)) for parts in values]
    return names, Pairs.of(names, sizes, [list(part) for part in zip(*values, strict=True)], order)


def read(*buffers):
    """What a server reads of buffers that come one behind the other."""
    reader = hiredis.Reader()
    for each in buffers:
        reader.feed(bytes(each))
    found = []
    while (command := reader.gets()) is not False:
        found.append(command)
    return found


@given(values=VALUES, shuffle=st.randoms(use_true_random=False))
def test_a_server_reads_the_fields_and_values_that_were_meant_in_the_order_that_was_meant(values, shuffle):
    order = list(range(len(values)))
    shuffle.shuffle(order)
    names, pairs = pairs_of(values, np.array(order))
    expected = [part for place in order for part in (names[place], b"".join(values[place]))]
    command = Spelled("HSET", "bs:{d}:kéy", len(pairs), pairs.text())
    assert read(*packed([command])) == [[b"HSET", "bs:{d}:kéy".encode(), *expected]]
    assert command.parts() == ("HSET", "bs:{d}:kéy", *expected)
    assert pairs.first() == (expected[0], expected[1])


@given(values=VALUES, most=st.integers(1, 40))
def test_pairs_cut_in_any_way_are_the_same_pairs_with_the_same_sum(values, most):
    _, pairs = pairs_of(values)
    parts = list(pairs.cut(most))
    assert [len(part) <= most for part in parts] == [True] * len(parts)
    assert sum(map(len, parts)) == len(pairs) == len(values)
    total = 0
    for part in parts:
        total = zlib.crc32(part.text(), total)
    assert total == zlib.crc32(pairs.text())


def test_what_is_left_when_the_first_pair_went_ahead_is_spelled_by_itself():
    names, pairs = pairs_of([[b"a", b"b"], [b"\r\n$1", b""], [b"", b""]])
    rest = memoryview(pairs.text())[len(pairs[:1].text()) :]
    assert Spelled("HSET", "k", 2, rest).parts() == ("HSET", "k", names[1], b"\r\n$1", names[2], b"")


@pytest.mark.parametrize("around", [[], [("SET", "a", "1")], [("SET", "a", "1"), ("HSET", "b", *["x"] * 100)]])
def test_commands_before_and_after_one_that_is_spelled_are_read_whole(around):
    _, pairs = pairs_of([[b"v", b"w"]] * 3)
    spelled = Spelled("HSET", "k", 3, pairs.text())
    sent = [*around, spelled, spelled, *around]
    expected = [[str(part).encode() if isinstance(part, str) else part for part in each] for each in around]
    both = [[b"HSET", b"k", *spelled.parts()[2:]]] * 2
    assert read(*packed(sent)) == [*expected, *both, *expected]


def test_a_value_that_is_large_is_not_copied_into_the_small_ones_around_it():
    names, value = [b"1"], b"v" * 100_000
    text = Pairs.of(names, [len(value)], [[value]]).text()
    buffers = packed([("SET", "a", "1"), Spelled("HSET", "k", 1, text), ("SET", "a", "2")])
    assert buffers[1] is text
    assert [len(each) < 100 for each in buffers] == [True, False, True]
