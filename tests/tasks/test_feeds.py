"""A breaker's transition becomes one event, in the worker that caused it."""

from __future__ import annotations

import importlib
import warnings

import pytest

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Prefect imports modules that Python has deprecated
    importlib.import_module("prefect")

from backstop import telemetry
from backstop.net.breaker import Moved, State
from tasks import feeds

OPENED = Moved("savant", State.CLOSED, State.OPEN, "5 of the last 10 requests failed", 1.0)


@pytest.fixture
def sent(monkeypatch):
    events = []
    monkeypatch.setattr(feeds, "emit_event", lambda **event: events.append(event))
    return events


def test_a_transition_is_told_once_however_often_somebody_listens(sent):
    for _ in range(3):
        feeds.attach()
    telemetry.emit(OPENED)
    (event,) = sent
    assert event["event"] == "backstop.breaker.open"
    assert event["resource"]["prefect.resource.id"] == "backstop.feed.savant"
    assert event["payload"]["sentence"] == "The breaker of savant is open: 5 of the last 10 requests failed."


def test_a_transition_that_another_worker_caused_is_told_there(sent):
    feeds.tell(Moved("savant", State.CLOSED, State.OPEN, "5 of the last 10 requests failed", 1.0, here=False))
    assert sent == []
