"""Pauses follow the breakers as they stand, whatever was heard of them; a person's pause, and a person's word, stay."""

from __future__ import annotations

import asyncio
import datetime as dt
from types import SimpleNamespace

import pytest
from prefect.client.orchestration import get_client

from backstop.clock import days_between
from backstop.net.breaker import State
from backstop.settings import Feed, Settings
from backstop.sources.savant import pitches
from backstop.stages.house import House
from deployments import apply as applying
from deployments.catalog import CATALOG
from tasks import pauses, upkeep
from tasks.tags import PAUSED
from tests.flows.league import EARLY, OPENING
from tests.flows.proxy import DOWN, Proxy
from tests.operations.waiting import until

pytestmark = pytest.mark.prefect

NEEDING = {feed: {each.full_name for each in CATALOG if feed in each.feeds} for feed in Feed}
HISTORY = "history-refresh/mlb"
PRICES = "odds-refresh/mlb"


class Standing:
    """Deployments as they are after the breakers of some feeds were seen."""

    def __init__(self, client, deployed, monkeypatch):
        self.client, self.deployed, self.monkeypatch = client, deployed, monkeypatch
        self.told = []
        monkeypatch.setattr(pauses, "say", self.told.append)
        monkeypatch.setattr(pauses, "warn", self.told.append)
        self.house(sportradar_key=None)

    def house(self, **settings):
        """Let the deployments be of a house with these settings, whose feeds are those that are seen."""
        self.left = None
        bridge = SimpleNamespace(health=lambda: self.health)
        house = SimpleNamespace(settings=Settings(_env_file=None, upstream="live", **settings), bridge=bridge)
        self.monkeypatch.setattr(pauses.House, "current", classmethod(lambda _: house))

    def see(self, **breakers):
        """Tend pauses while these feeds' breakers stand so, and the others are closed; return who is paused."""
        rest = {"open_since": None, "last_error": None, "credits_left": self.left}
        self.health = [SimpleNamespace(feed=feed, breaker=breakers.get(feed, State.CLOSED), **rest) for feed in Feed]
        known = [SimpleNamespace(health=each) for each in self.health]
        self.monkeypatch.setattr(pauses.feeds, "status", lambda _: known)
        pauses.tend_pauses.fn()
        return self.paused()

    def paused(self):
        return {name for name, each in self.each() if each.paused}

    def tagged(self):
        return {name for name, each in self.each() if PAUSED in each.tags}

    def each(self):
        known = {each.id: each for each in self.client.read_deployments()}
        return [(name, known[id_]) for name, id_ in self.deployed.items()]

    def by_hand(self, name, *, paused):
        change = self.client.pause_deployment if paused else self.client.resume_deployment
        change(self.deployed[name])


@pytest.fixture
def standing(deployed, monkeypatch):
    with get_client(sync_client=True) as client:
        standing = Standing(client, deployed, monkeypatch)
        yield standing
        standing.see()
        for name in standing.paused():
            standing.by_hand(name, paused=False)


@pytest.mark.parametrize(
    ("feed", "state"), [(feed, [State.OPEN, State.HALF_OPEN][n % 2]) for n, feed in enumerate(Feed)]
)
def test_exactly_what_needs_a_feed_is_paused_while_its_breaker_is_not_closed_and_resumed_after(standing, feed, state):
    assert standing.see(**{feed: state}) == standing.tagged() == NEEDING[feed]
    assert standing.see(**{feed: state}) == NEEDING[feed]
    assert standing.see() == standing.tagged() == set()
    assert len(standing.told) == 2 * len(NEEDING[feed]), "each is told once"


def test_what_needs_two_feeds_waits_for_both(standing):
    both = standing.see(statsapi=State.OPEN, savant=State.OPEN)
    assert f"{HISTORY} is paused until savant and statsapi answers again." in standing.told
    assert standing.see(savant=State.OPEN) == {HISTORY} < both
    assert standing.see() == set()
    assert standing.told[-1] == f"{HISTORY} is resumed: its feeds answer again."


@pytest.mark.parametrize(
    ("other", "left", "paused"),
    [(State.CLOSED, None, set()), (State.CLOSED, 21, set()), (State.CLOSED, 20, {PRICES}), (State.OPEN, 21, {PRICES})],
)
def test_prices_go_on_while_the_second_source_can_give_them(standing, other, left, paused):
    standing.house(sportradar_key="s" * 24)
    standing.left = left
    assert standing.see(theodds=State.OPEN, sportradar=other) == standing.tagged() == paused
    assert standing.see() == set()


def test_a_person_who_paused_something_finds_it_paused_and_one_who_resumed_it_resumed(standing):
    standing.by_hand(HISTORY, paused=True)
    assert standing.see(savant=State.OPEN) == standing.see() == {HISTORY}
    standing.by_hand(HISTORY, paused=False)
    assert standing.see(savant=State.OPEN) == {HISTORY}
    standing.by_hand(HISTORY, paused=False)
    assert standing.see(savant=State.OPEN) == set(), "somebody wants it to go on"
    assert standing.see() == standing.tagged() == set()
    assert standing.see(savant=State.OPEN) == {HISTORY}, "the next outage is another one"


def test_a_release_that_is_applied_while_a_feed_is_down_keeps_the_pause_and_who_made_it(standing, monkeypatch):
    monkeypatch.setattr(applying.automations, "wanted", lambda *_: [])  # other modules' breakers start nothing
    standing.by_hand("canary/mlb", paused=True)
    paused = standing.see(theodds=State.OPEN)
    asyncio.run(applying.apply())
    assert standing.paused() == paused == {"canary/mlb", PRICES}
    assert standing.tagged() == {PRICES}
    assert standing.see() == {"canary/mlb"}


def test_a_pause_and_its_end_leave_tags_schedule_and_limit_as_they_were(standing):
    def rest():
        found = standing.client.read_deployment(standing.deployed[HISTORY])
        return sorted(found.tags), [(each.slug, each.active) for each in found.schedules], found.concurrency_options

    before = rest()
    standing.see(savant=State.OPEN)
    assert rest()[1:] == before[1:]
    standing.see()
    assert rest() == before


@pytest.mark.parametrize("call", ["pause_deployment", "resume_deployment", "update_deployment"])
def test_killed_half_way_nothing_stays_paused_once_the_feed_is_back(standing, monkeypatch, call):
    def killed(*_):
        raise KeyboardInterrupt

    for state in (State.OPEN, State.CLOSED):
        with monkeypatch.context() as patch:
            patch.setattr(f"prefect.client.orchestration.SyncPrefectClient.{call}", killed)
            try:
                standing.see(savant=state)
            except KeyboardInterrupt:
                standing.told.append("killed")
    assert "killed" in standing.told
    assert standing.see() == standing.tagged() == set()


def test_what_a_breaker_paused_is_resumed_by_the_run_whose_probe_closes_it(standing, rooms, league, monkeypatch):
    monkeypatch.undo()  # real feeds from here on
    noon = dt.datetime.combine(EARLY, dt.time(16), dt.UTC)
    with Proxy(league.base_url) as feed:
        rooms.settings |= {"upstream": feed.base_url, "request_budget_s": 2}
        feed.spoil("statcast_search", DOWN)
        with rooms.environment():
            bridge = House.current().bridge
            for _ in range(2):
                bridge.fetch_many(pitches.plan(days_between(OPENING, OPENING + dt.timedelta(days=11))))
            upkeep.probe_feeds.fn(noon)
            pauses.tend_pauses.fn()
            assert standing.paused() == {HISTORY}
            feed._rules.clear()
            until(lambda: all(not each.retry_in_s for each in bridge.health()), "the breaker's pause to be over", 30)
            assert upkeep.probe_feeds.fn(noon) == [Feed.SAVANT]
            pauses.tend_pauses.fn()
            assert standing.paused() == standing.tagged() == set()
