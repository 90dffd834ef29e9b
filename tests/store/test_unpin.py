"""Pin and unpin beside a publish: whoever comes in between is not lost."""

from __future__ import annotations

import datetime as dt

import pytest

from backstop.errors import UsageError
from backstop.store import scripts
from backstop.store.slates import Slates
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY


class Overtaken:
    """A client before whose next script another process acts."""

    def __init__(self, redis, happens) -> None:
        self.redis, self.happens = redis, happens

    def __getattr__(self, name):
        return getattr(self.redis, name)

    def eval(self, script, *args):
        if script == scripts.TURN:
            self.happens()
        return self.redis.eval(script, *args)


def test_a_version_that_is_published_while_the_day_is_unpinned_is_served(redis, publish, reader):
    publish(seed=1)
    publish(seed=2, run_id="r2", cutoff=CUTOFF + dt.timedelta(hours=1))
    Slates(redis).pin(DAY, 1)

    def third() -> None:
        kept = publish(seed=3, run_id="r3", cutoff=CUTOFF + dt.timedelta(hours=2))
        assert (kept.version, kept.served) == (3, False)

    assert Slates(Overtaken(redis, third)).unpin(DAY) == 3
    assert reader.slate(DAY).version == 3
    assert Slates(redis).held(DAY) is None
    assert [(each.version, each.served, each.pinned) for each in Slates(redis).versions(DAY)][-1] == (3, True, False)


def test_unpinning_tells_those_who_listen_which_version_is_served_now(redis, publish):
    publish(seed=1)
    publish(seed=2, run_id="r2", cutoff=CUTOFF + dt.timedelta(hours=1))
    Slates(redis).pin(DAY, 1)
    with redis.pubsub(ignore_subscribe_messages=True) as heard:
        heard.psubscribe("*")
        heard.get_message(timeout=30)
        assert Slates(redis).unpin(DAY) == 2
        told = heard.get_message(timeout=30)
    assert told["data"] == f"{DAY}=2".encode()


def test_unpinning_a_day_that_was_never_published_is_refused(redis):
    with pytest.raises(UsageError, match=f"The slate of {DAY} was never published, so nothing can be pinned"):
        Slates(redis).unpin(DAY)
