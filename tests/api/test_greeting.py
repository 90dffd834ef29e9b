"""The greeting of the live line says what its messages have told until then, never more."""

from __future__ import annotations

import threading

import pytest
from websockets.sync.client import connect

from backstop.api import live
from tests.api.serving import DAY, publish
from tests.api.test_live import address, take
from tests.store.servers import wait_for


@pytest.fixture
def slow(monkeypatch):
    """Let every comparison wait until it is allowed, as that of a large slate takes long."""
    began, allowed = threading.Event(), threading.Event()
    compare = live.compare

    def waiting(before, after):
        began.set()
        assert allowed.wait(60)
        return compare(before, after)

    monkeypatch.setattr(live, "compare", waiting)
    yield began, allowed
    allowed.set()


def test_who_comes_while_a_difference_is_worked_out_is_told_of_every_version_once_and_in_order(
    api, redis, repriced, meta, slow
):
    began, allowed = slow
    with connect(address(api)) as first:
        take(first)
        publish(redis, repriced(1001, 9.5), run_id="r2", meta=meta)
        assert began.wait(60)
        publish(redis, repriced(1001, 8.5), run_id="r3", meta=meta)
        wait_for(lambda: api.parts.cache.pointers.known(DAY).version == 3)
        with connect(address(api)) as second:
            hello = take(second)
            allowed.set()
            flips = [take(second, "flip") for _ in range(2)]
        assert take(first, "flip")["version"] == 2
    assert (hello["version"], hello["seq"]) == (1, 0)
    assert [(each["previous"], each["version"]) for each in flips] == [(1, 2), (2, 3)]


def test_a_slate_that_was_not_followed_for_a_while_and_is_what_it_was_turns_nothing(api, redis, repriced, meta):
    pointers = api.parts.cache.pointers
    with connect(address(api)) as socket:
        take(socket)
    stream = api.app.state.hub.streams[DAY]
    wait_for(lambda: not stream.readers)
    pointers._known.pop(DAY)  # as for a slate that others have pushed out
    with connect(address(api)) as socket:
        assert take(socket)["version"] == 1
        publish(redis, repriced(1001, 9.5), run_id="r2", meta=meta)
        flip = take(socket)
    assert (flip["type"], flip["seq"], flip["version"], flip["previous"]) == ("flip", 1, 2, 1)
