"""What is measured beside the store's peers: every read is whole, and a pattern counts only the keys that it should."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import cache_memory, redis_peers


@dataclass
class View:
    props: list
    features: list


class Reading:
    """Answers for any players: two props and one row of features each."""

    def players(self, players, _day):
        return [View([{}, {}], [{}]) for _ in players]


@pytest.mark.parametrize(("kind", "rows"), [("props", 6), ("features", 3)])
def test_all_rows_of_all_players_that_are_asked_for_are_decoded_and_counted(kind, rows):
    assert redis_peers.decoded(Reading(), kind, [1, 2, 3]) == rows


def test_a_read_that_lacks_a_player_is_no_measurement():
    assert redis_peers._median_us(len, [[1, 2], [3, 4], [5, 6]]) > 0
    with pytest.raises(AssertionError, match="1 rows of 2 players"):
        redis_peers._median_us(lambda some: len(some) - 1, [[1, 2]])


@given(st.text("ab*?[]{}:-0", max_size=12), st.text("ab*?[]{}:-0", max_size=12))
def test_a_pattern_made_of_a_text_fits_this_text_alone(text, other):
    pattern = cache_memory._glob(text)
    assert fnmatch.fnmatchcase(text, pattern)
    assert fnmatch.fnmatchcase(other, pattern) == (other == text)


def test_a_pattern_that_fits_no_key_is_an_error_and_not_nothing_at_all():
    class Empty:
        def scan_iter(self, _pattern, count):
            assert count > 0
            return iter(())

    with pytest.raises(AssertionError, match="no key like plain"):
        cache_memory.in_redis(Empty(), "plain:*")


def test_a_program_that_holds_nothing_is_no_measurement():
    assert cache_memory.process_mb("held = [1, 2]") > 1
    with pytest.raises(AssertionError, match="it holds nothing"):
        cache_memory.process_mb("held = []")
