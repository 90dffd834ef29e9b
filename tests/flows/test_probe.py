"""Every feed that was left alone is asked for one small thing; one without a key is not asked at all."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from backstop.settings import Feed, Settings
from backstop.stages.house import House
from tasks import upkeep

NOON = dt.datetime(2025, 6, 15, 16, tzinfo=dt.UTC)


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Return what is asked of feeds whose breakers are as given, under an upstream."""

    def ask(upstream, breaker="open", retry_in_s=0.0):
        requests = []

        def fetch(_house, _number, items, _label):
            requests.append((items[0].feed, len(items)))
            return SimpleNamespace(missed=[])

        house = House(Settings(_env_file=None, home=tmp_path, upstream=upstream))
        known = [
            SimpleNamespace(health=SimpleNamespace(feed=feed, breaker=breaker, retry_in_s=retry_in_s)) for feed in Feed
        ]
        monkeypatch.setattr(House, "current", classmethod(lambda _: house))
        monkeypatch.setattr(upkeep.feeds, "status", lambda _: known)
        monkeypatch.setattr(upkeep.fetch, "fetch", fetch)
        monkeypatch.setattr(upkeep.transitions, "attach", lambda: None)
        monkeypatch.setattr(upkeep, "say", lambda _: None)
        told = upkeep.probe_feeds.fn(NOON)
        assert told == [feed for feed, _ in requests]
        return dict(requests)

    return ask


def test_all_feeds_are_asked_for_one_thing_each_where_none_needs_a_key(asked):
    assert asked("http://127.0.0.1:9") == dict.fromkeys(Feed, 1)


def test_without_keys_the_paid_feeds_are_left_alone(asked):
    assert asked("live") == {Feed.SAVANT: 1, Feed.STATSAPI: 1, Feed.CHADWICK: 1}


@pytest.mark.parametrize(("breaker", "retry_in_s"), [("closed", 0.0), ("open", 12.0)])
def test_a_feed_that_is_well_or_has_its_pause_is_not_asked(asked, breaker, retry_in_s):
    assert asked("http://127.0.0.1:9", breaker, retry_in_s) == {}
