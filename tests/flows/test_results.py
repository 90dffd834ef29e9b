"""Mapped tasks of which one fails: the others count, and the gap has the sentence of the task that failed."""

from __future__ import annotations

import pytest
from prefect import flow, task

from backstop.errors import DataError, LeaseHeld
from tasks.results import bounded, gather

pytestmark = pytest.mark.prefect


@task
def fetched(number):
    if number == 2:
        raise LeaseHeld("Another run works on it. Wait for it.")
    return number


@task
def checked(number):
    if number == 3:
        raise ValueError("surprise")
    return number


@task
def loaded(number):
    return 10 * number


@flow
def mapped():
    chains = []
    for number in (1, 2, 3, 4):
        first = fetched.submit(number)
        second = checked.submit(first)
        chains.append([first, second, loaded.submit(second)])
    return gather(chains, "core_pitches")


def test_batches_that_fail_are_named_by_number_with_the_cause_and_the_others_go_on(prefect_server):
    results, gaps = mapped()
    assert results == [10, 40]
    assert [(gap.table, gap.key, gap.reason) for gap in gaps] == [
        ("core_pitches", "batch 2", "Another run works on it. Wait for it."),
        ("core_pitches", "batch 3", "ValueError: surprise"),
    ]


@flow
def nothing():
    return gather([], "core_pitches")


def test_no_batches_have_no_results_and_no_gaps(prefect_server):
    assert nothing() == ([], [])


@task
def halved(number, log):
    log.append(("begins", number))
    if number % 2:
        raise DataError(f"{number} is odd.")
    log.append(("ends", number))
    return number // 2


@flow
def few_at_once(numbers, at_once):
    log = []
    ended = [(call[0], result) for call, result in bounded(halved, [(number, log) for number in numbers], at_once)]
    return ended, log


@pytest.mark.parametrize("at_once", [1, 3, 9])
def test_every_call_ends_with_its_result_or_with_the_sentence_of_what_it_raised(prefect_server, at_once):
    ended, log = few_at_once([2, 3, 4, 6, 7], at_once)
    assert sorted(ended) == [(2, 1), (3, "3 is odd."), (4, 2), (6, 3), (7, "7 is odd.")]
    if at_once == 1:
        assert [number for number, _ in ended] == [2, 3, 4, 6, 7], "one after the other, in their order"
        assert log == [
            ("begins", 2), ("ends", 2), ("begins", 3), ("begins", 4), ("ends", 4), ("begins", 6), ("ends", 6), ("begins", 7)
        ]  # fmt: skip


def test_of_no_calls_there_is_no_result(prefect_server):
    assert few_at_once([], 4) == ([], [])
