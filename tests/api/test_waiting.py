"""Readers of the live line who wait for a slate that is not published yet: they hear of it whatever the messages do."""

from __future__ import annotations

import datetime as dt

import pytest
from websockets.sync.client import connect

from backstop.cache import pointers
from tests.api.serving import DAY, publish
from tests.api.test_live import address, take
from tests.store.servers import wait_for


def at(api, day):
    return address(api).replace(str(DAY), str(day))


def make_newest_known(api):
    assert api.get(f"/api/v1/slates/{DAY}").is_success


@pytest.fixture
def cut(api, redis, monkeypatch):
    """Cut the API's line of messages, for good: what is published from then on is seen by polls or never."""
    monkeypatch.setattr(pointers, "RECONNECT_S", 3600)
    line = api.parts.cache.line

    def cut():
        losses = line.losses
        redis.execute_command("ACL", "SETUSER", "default", "-subscribe")
        redis.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        wait_for(lambda: line.losses > losses and line.up)

    yield cut
    redis.execute_command("ACL", "SETUSER", "default", "+subscribe")


def test_a_missed_day_that_is_published_behind_the_newest_one_is_told(api, redis, frames, meta):
    make_newest_known(api)
    missed = DAY - dt.timedelta(days=3)
    with connect(at(api, missed)) as socket:
        assert take(socket)["state"] == "missing"
        publish(redis, frames, day=missed, run_id="r2", meta=meta)
        flip = take(socket, "flip")
    assert (flip["date"], flip["version"], flip["previous"]) == (str(missed), 1, None)


@pytest.mark.parametrize("days", [-3, 1], ids=["missed", "tonight"])
def test_a_day_that_is_published_while_no_message_is_heard_is_told(api, cut, redis, frames, meta, days):
    make_newest_known(api)
    day = DAY + dt.timedelta(days=days)
    with connect(at(api, day)) as socket:
        assert take(socket)["state"] == "missing"
        cut()
        publish(redis, frames, day=day, run_id="r2", meta=meta)
        assert take(socket, "flip")["version"] == 1


def test_a_slate_with_a_reader_is_followed_however_many_others_are_asked_for(
    api, redis, frames, repriced, meta, monkeypatch
):
    monkeypatch.setattr(pointers, "FOLLOWED", 3)
    others = [DAY - dt.timedelta(days=n) for n in range(1, 6)]
    few = {"props": frames["props"].head(1)}
    for n, day in enumerate(others):
        publish(redis, few, day=day, run_id=f"o{n}", meta=meta)
    followed = api.parts.cache.pointers
    with connect(at(api, DAY)) as socket, connect(at(api, others[-1])) as second:
        take(socket), take(second)
        for day in others:
            assert api.get(f"/api/v1/slates/{day}").is_success
        assert len(followed.followed()) == 3 + 2
        publish(redis, repriced(1001, 9.5), run_id="r2", meta=meta)
        publish(redis, {"props": frames["props"].head(2)}, day=others[-1], run_id="r3", meta=meta)
        assert [take(each, "flip")["version"] for each in (socket, second)] == [2, 2]


def test_nobody_is_waited_for_who_has_left(api):
    followed = api.parts.cache.pointers
    days = [DAY + dt.timedelta(days=400 + n) for n in range(3)]
    for day in (*days, days[0]):
        with connect(at(api, day)) as socket:
            take(socket)
    wait_for(lambda: not followed.waiting())
    assert not followed.followed() or followed.followed() == [DAY]
