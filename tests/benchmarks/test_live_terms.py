"""Savant asked at its live terms on a server of one's own, where these would not hold."""

from __future__ import annotations

import pytest

from backstop.net import doors
from backstop.net.terms import LIVE_TERMS, OWN_SERVER, terms_of
from backstop.settings import Feed, Settings
from benchmarks import live_terms

BASE = "http://127.0.0.1:8000"


@pytest.fixture
def settings(tmp_path):
    return Settings(_env_file=None, home=tmp_path).pointed_at(BASE)


def test_two_requests_at_once_go_to_savant_and_as_many_as_before_to_the_others(settings):
    with live_terms.to_savant():
        terms = {feed: doors.terms_of(feed, settings) for feed in Feed}
    assert terms.pop(Feed.SAVANT) is LIVE_TERMS[Feed.SAVANT]
    assert (LIVE_TERMS[Feed.SAVANT].cap, LIVE_TERMS[Feed.SAVANT].first_width) == (2, 2)
    assert set(terms.values()) == {OWN_SERVER}


def test_savant_has_an_address_of_its_own_so_that_the_others_do_not_share_its_gate(settings):
    with live_terms.to_savant():
        found = {feed: settings.url_of(feed) for feed in Feed}
    assert found.pop(Feed.SAVANT) == "http://localhost:8000"
    assert set(found.values()) == {BASE}


def test_afterwards_everything_is_as_before_also_when_the_work_failed(settings):
    def fail():
        with live_terms.to_savant():
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert settings.url_of(Feed.SAVANT) == BASE
    assert doors.terms_of is terms_of
