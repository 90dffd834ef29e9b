"""Mapped tasks of which one fails: the others count, and the gap has the sentence of the task that failed."""

from __future__ import annotations

import pytest
from prefect import flow, task

from backstop.errors import LeaseHeld
from tasks.results import gather

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
