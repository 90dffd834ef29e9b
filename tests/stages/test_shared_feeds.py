"""What one process was told by a feed, another knows: through the Redis that is set, or the home's own."""

from __future__ import annotations

import pytest

from backstop.sources.theodds import events
from backstop.stages import allowance, fetch
from backstop.stages.house import House
from tests.flows.proxy import Reply
from tests.stages.rows import DAY

TOLD = {"content-type": "application/json", "x-requests-remaining": "321", "x-requests-used": "179"}


@pytest.fixture
def opened(settings, feed, clock):
    """Open houses of one home, each with a network of its own as another process has it."""
    houses = []

    def house(patience):
        changes = {"upstream": feed.base_url, "request_budget_s": patience}
        houses.append(House(settings.model_copy(update=changes), clock))
        return houses[-1]

    feed.spoil("/events", Reply(200, TOLD, b"[]"))
    yield house
    for each in houses:
        each.close()


def test_a_home_with_a_redis_of_its_own_shares_what_feeds_said(opened):
    first = opened(1.0)
    assert first.redis.ping()
    fetch.fetch(first, 1, events.plan(DAY), "events")
    assert allowance.left(first) == 321
    assert allowance.left(opened(2.0)) == 321


def test_a_home_that_never_had_one_starts_none_for_the_feeds_alone(opened, settings):
    first = opened(1.0)
    fetch.fetch(first, 1, events.plan(DAY), "events")
    assert allowance.left(first) == 321
    assert allowance.left(opened(2.0)) is None
    assert not (settings.home / "redis").exists()
