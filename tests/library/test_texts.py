"""What of a feed's own text stands in a sentence, and how items are cut into batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstop.batches import batched
from backstop.excerpt import MOST_OF_A_NAME, excerpt, names
from backstop.limits import BATCH_ITEMS


@given(st.text(max_size=500), st.integers(1, 300))
def test_an_excerpt_is_one_printable_line_of_bounded_length(text, most):
    line = excerpt(text, most)
    assert len(line) <= most + 3
    assert line.isprintable()
    assert line.endswith("...") == (len(text) > most) or text[:most].rstrip().endswith("...")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", ""),
        ("  \n\t ", ""),
        ("a\r\nb", "a b"),
        ("\x1b[31mred\x1b[0m", "\ufffd[31mred\ufffd[0m"),  # a terminal would obey it
        ("Peña\u00a0José", "Peña José"),
        ("\u202eevil", "\ufffdevil"),  # right to left from here on
        ("\ud800", "\ufffd"),  # half of a character
    ],
)
def test_what_a_terminal_would_obey_is_a_mark(text, line):
    assert excerpt(text) == line


def test_a_list_of_names_ends_after_twelve_and_says_how_many_more():
    found = [f"column_{number}" for number in range(1_212)]
    assert names(found) == f"{', '.join(found[:12])} and 1,200 more"
    assert names(found[:12]) == ", ".join(found[:12])
    assert names([]) == ""
    assert names(["x" * 1000]) == "x" * MOST_OF_A_NAME + "..."


@given(st.lists(st.integers()), st.integers(1, 60))
def test_batches_put_together_are_the_items_and_all_but_the_last_are_full(items, size):
    batches = list(batched(items, size))
    assert [item for batch in batches for item in batch] == items
    assert all(len(batch) == size for batch in batches[:-1])
    assert all(1 <= len(batch) <= size for batch in batches)


@pytest.mark.parametrize(
    ("items", "batches"), [(0, []), (1, [1]), (49, [49]), (50, [50]), (51, [50, 1]), (150, [50] * 3)]
)
def test_a_batch_is_fifty_items(items, batches):
    assert BATCH_ITEMS == 50
    assert [len(batch) for batch in batched(range(items))] == batches


def test_a_batch_is_taken_from_a_stream_only_when_it_is_wanted():
    taken = []
    stream = batched((taken.append(number) or number for number in range(10)), 4)
    assert next(stream) == [0, 1, 2, 3]
    assert taken == [0, 1, 2, 3]
