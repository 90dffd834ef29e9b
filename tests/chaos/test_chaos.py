"""The short form of `make chaos`: every kind of fault once, on one slate each."""

from __future__ import annotations

import pytest

from tests.chaos import schedule
from tests.chaos.season import play

pytestmark = [pytest.mark.prefect, pytest.mark.slow, pytest.mark.timeout(900)]

CHOSEN = [
    (1, "storm", "flow"),
    (2, "schema", "redis"),
    (3, "repeats", "memory"),
    (4, "order", "disk-full"),
    (5, "revised", "file-limit"),
    (6, "read-only"),
    (7, "clock"),
    (8, "upstream"),
    (9, "server"),
    (10, "postgres"),
]
"""Numbers whose draws do strike: one after the last crossing of a run would test nothing."""


def test_every_kind_of_fault_is_among_the_chosen():
    assert {kind for _, *kinds in CHOSEN for kind in kinds} == set(schedule.KINDS)


@pytest.mark.parametrize(("seed", "kinds"), [(seed, kinds) for seed, *kinds in CHOSEN], ids=str)
def test_after_a_fault_and_the_same_command_again_everything_is_as_on_calm_days(site, calm, seed, kinds):
    played = play(site, calm, schedule.of_kinds(seed, *kinds))
    assert played.wrong == [], str(played.schedule)
    assert played.struck == kinds, str(played.schedule)
    assert played.reads > 0


def test_a_seed_draws_the_same_schedule_every_time_and_seeds_differ():
    plans = [schedule.of(seed) for seed in range(200)]
    assert plans == [schedule.of(seed) for seed in range(200)]
    assert {kind for plan in plans for kind in plan.kinds} == set(schedule.KINDS)
    assert len({str(plan) for plan in plans}) > 150
