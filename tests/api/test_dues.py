"""The gauges of what is due: as the last look said, gone when nobody can say."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from backstop.api import dues as room
from backstop.api.app import create_app
from backstop.api.dues import Dues
from backstop.clock import FixedClock
from backstop.errors import LakeError
from backstop.stages.overdue import Overdue
from tests.api.serving import DAY, parts_over, serving
from tests.store.servers import wait_for

NOON = dt.datetime(2024, 4, 16, 16, tzinfo=dt.UTC)


def told(overdue, looks=1):
    """Return what is exported after so many looks, by name without its labels' braces."""
    clock = FixedClock(NOON)
    app = create_app(parts_over("redis://127.0.0.1:1/0", clock=clock, overdue=overdue))
    dues = app.state.metrics.rooms.dues
    for _ in range(looks):
        clock.advance(60)
        asyncio.run(dues.look())
    registry = CollectorRegistry()
    registry.register(app.state.metrics.rooms)
    lines = [line.rsplit(" ", 1) for line in generate_latest(registry).decode().splitlines() if line[0] != "#"]
    return {name: float(value) for name, value in lines}


@pytest.mark.parametrize(
    ("found", "slate", "schedule", "short"),
    [
        (Overdue(DAY), 0, 0, 0),
        (Overdue(DAY, slate="late"), 1, 0, 0),
        (Overdue(DAY, schedule="old"), 0, 1, 0),
        (Overdue(DAY, credits="none"), 0, 0, 1),
    ],
)
def test_each_thing_that_is_overdue_has_a_gauge(found, slate, schedule, short):
    exported = told(lambda: found)
    assert exported[f'backstop_slate_overdue{{slate="{DAY}"}}'] == slate
    assert exported["backstop_schedule_overdue"] == schedule
    assert exported["backstop_credits_short"] == short
    assert exported["backstop_due_known_timestamp_seconds"] == NOON.timestamp() + 60


def test_what_nobody_can_tell_any_more_is_absent_and_the_last_word_grows_old():
    answers = [Overdue(DAY, slate="late"), LakeError("The lake is gone."), LakeError("The lake is gone.")]

    def overdue():
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    exported = told(overdue, looks=3)
    assert not [name for name in exported if "overdue" in name or "short" in name]
    assert exported["backstop_due_known_timestamp_seconds"] == NOON.timestamp() + 60


def test_where_nobody_knows_what_is_due_nothing_is_said_of_it():
    assert not [name for name in told(None) if "overdue" in name or "short" in name or "due_known" in name]


def test_a_served_api_looks_by_itself_and_goes_on_looking(embedded_url, published, monkeypatch):
    monkeypatch.setattr(room, "LOOK_S", 0.02)
    looks = []

    def overdue():
        looks.append(1)
        return Overdue(DAY, slate="late")

    with serving(parts_over(embedded_url, overdue=overdue)) as api:
        wait_for(lambda: len(looks) > 2)
        assert f'backstop_slate_overdue{{slate="{DAY}"}} 1.0' in api.get("/metrics").text


def test_a_look_of_an_unknown_house_is_of_no_dues():
    dues = Dues(None, FixedClock(NOON))
    asyncio.run(dues.look())
    assert (dues.last, dues.looked_at) == (None, NOON)
