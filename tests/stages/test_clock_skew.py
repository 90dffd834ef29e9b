"""Machines whose clocks are an hour apart publish a day that is not over: what was opened later wins, whoever's clock says what."""

from __future__ import annotations

import datetime as dt

import pytest

from backstop.clock import FixedClock, SystemClock, baseball_day
from backstop.errors import StaleVersion
from backstop.stages import publish
from backstop.stages.house import House
from tests.store.rows import props


class Off(SystemClock):
    """The clock of a machine that is so many hours off."""

    def __init__(self, hours: float) -> None:
        self.off = dt.timedelta(hours=hours)

    def now(self) -> dt.datetime:
        return super().now() + self.off


@pytest.fixture
def machine(store):
    """Another machine on the same Redis, whose clock is off."""
    houses = []

    def machine(hours: float) -> House:
        houses.append(House(store.settings, Off(hours)))
        return houses[-1]

    yield machine
    for house in houses:
        house.close()


TOMORROW = baseball_day(dt.datetime.now(dt.UTC)) + dt.timedelta(days=1)


def opened(house: House, run_id: str):
    draft = publish.open_draft(house, TOMORROW, run_id)
    house.writer.load(draft, "props", props(5))
    return draft


def flipped(house: House, draft):
    return house.writer.publish(draft, {"props": len(props(5))})


@pytest.mark.parametrize(("first", "second"), [(1, 0), (0, -1), (1, -1), (-1, 1), (0, 0)])
def test_the_machine_that_publishes_later_is_served_whatever_its_clock_says(machine, first, second):
    for number, hours in enumerate((first, second), 1):
        house = machine(hours)
        published = flipped(house, opened(house, f"r{number}"))
        assert (published.version, published.served) == (number, True)
        assert house.reader.slate(TOMORROW).version == number


def test_the_machine_that_opened_its_slate_earlier_is_refused_though_its_clock_runs_ahead(machine):
    ahead, right = machine(1), machine(0)
    early, late = opened(ahead, "early"), opened(right, "late")
    assert early.cutoff < late.cutoff
    flipped(right, late)
    with pytest.raises(StaleVersion):
        flipped(ahead, early)


def test_a_cutoff_is_never_ahead_of_the_servers_clock(machine, store):
    before = store.writer.server_now(TOMORROW)
    cutoff = opened(machine(1), "r1").cutoff
    assert before <= cutoff <= store.writer.server_now(TOMORROW)


def test_a_simulated_clock_decides_the_cutoff_of_its_own_days(store):
    at = dt.datetime.combine(TOMORROW + dt.timedelta(days=400), dt.time(16), dt.UTC)
    house = House(store.settings, FixedClock(at))
    assert publish.open_draft(house, at.date(), "r1").cutoff == at
    house.close()
