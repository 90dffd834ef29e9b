from __future__ import annotations

import pytest

from backstop.limits import MAX_IN_FLIGHT_PER_HOST
from backstop.net.item import Item, Secret
from backstop.net.secrets import require_key
from backstop.net.terms import LARGEST_ANSWER, LIVE_TERMS, OWN_SERVER, terms_of
from backstop.settings import Feed, Settings


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


def test_a_key_is_wanted_only_where_it_is_checked(live: Settings) -> None:
    item = Item(Feed.SPORTRADAR, "t", "k", "/p", secret=Secret.HEADER_X_API_KEY)
    require_key(item, live.pointed_at("http://127.0.0.1:8000"))
    require_key(Item(Feed.STATSAPI, "t", "k", "/p"), live)
