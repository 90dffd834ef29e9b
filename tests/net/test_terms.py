from __future__ import annotations

import pytest

from backstop.clock import FixedClock
from backstop.limits import MAX_IN_FLIGHT_PER_HOST
from backstop.net.client import Fetcher
from backstop.net.item import Item, Secret
from backstop.net.secrets import require_key
from backstop.net.terms import LARGEST_ANSWER, LIVE_TERMS, OWN_SERVER, Terms, terms_of, tightest
from backstop.settings import Feed, Settings
from tests.net.server import FaultServer, on_loop


@pytest.fixture
def live() -> Settings:
    return Settings(_env_file=None, upstream="live")


@pytest.mark.parametrize("feed", list(Feed))
def test_no_feed_is_asked_more_than_the_promise_allows(feed: Feed, live: Settings) -> None:
    terms = terms_of(feed, live)
    assert terms is LIVE_TERMS[feed]
    assert 1 <= terms.first_width <= terms.cap <= MAX_IN_FLIGHT_PER_HOST


@pytest.mark.parametrize("feed", list(Feed))
def test_the_answers_that_a_feed_can_have_under_way_fit_into_memory(feed: Feed, live: Settings) -> None:
    assert terms_of(feed, live).cap * LARGEST_ANSWER[feed] <= 400 * 1024 * 1024


def test_a_trial_key_of_sportradar_allows_one_request_a_second(live: Settings) -> None:
    terms = terms_of(Feed.SPORTRADAR, live)
    assert (terms.per_second, terms.burst) == (1.0, 1)


def test_savant_is_asked_two_at_once_at_most(live: Settings) -> None:
    assert terms_of(Feed.SAVANT, live).cap == 2


@pytest.mark.parametrize("feed", list(Feed))
def test_a_server_of_our_own_is_bound_by_the_promise_only(feed: Feed, live: Settings) -> None:
    assert terms_of(feed, live.pointed_at("http://127.0.0.1:8000")) is OWN_SERVER
    assert OWN_SERVER.cap == 25
    assert OWN_SERVER.per_second is None


@pytest.mark.parametrize("feed", list(Feed))
@pytest.mark.parametrize("url", ["https://feeds.example", "https://feeds.example/sportradar/", "http://10.0.0.7:8080"])
def test_a_proxy_in_front_of_a_feed_is_asked_no_faster_than_the_feed(feed: Feed, url: str, live: Settings) -> None:
    assert terms_of(feed, live.model_copy(update={f"{feed.value}_url": url})) is LIVE_TERMS[feed]


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1:8000/", "http://[::1]:8000"])
def test_what_is_on_this_machine_is_no_feed(url: str, live: Settings) -> None:
    assert terms_of(Feed.SPORTRADAR, live.model_copy(update={"sportradar_url": url})) is OWN_SERVER


def test_the_tightest_terms_keep_within_each() -> None:
    wide, paced = Terms(cap=25, first_width=10), Terms(cap=20, first_width=4, per_second=25.0, burst=5)
    slow = Terms(cap=21, first_width=9, per_second=1.0, burst=7)
    assert tightest([wide]) == wide
    assert tightest([wide, paced]) == paced
    assert tightest([slow, wide, paced]) == Terms(cap=20, first_width=4, per_second=1.0, burst=5)


@on_loop
async def test_feeds_behind_one_proxy_keep_the_tightest_of_their_terms(
    settings: Settings, server: FaultServer, clock: FixedClock
) -> None:
    terms = {Feed.SAVANT: Terms(cap=9), Feed.SPORTRADAR: Terms(cap=3, first_width=2, per_second=4.0)}
    async with Fetcher(settings, clock=clock, terms=terms) as fetcher:
        gates = {id(fetcher._doors.of(feed).gate): fetcher._doors.of(feed).gate for feed in Feed}
    (gate,) = gates.values()
    assert gate.terms == Terms(cap=3, first_width=2, per_second=4.0)


def test_a_key_is_wanted_only_where_it_is_checked(live: Settings) -> None:
    item = Item(Feed.SPORTRADAR, "t", "k", "/p", secret=Secret.HEADER_X_API_KEY)
    require_key(item, live.pointed_at("http://127.0.0.1:8000"))
    require_key(Item(Feed.STATSAPI, "t", "k", "/p"), live)
