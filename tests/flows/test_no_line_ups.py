"""A feed of line-ups that is down altogether: what is published stays and ages, nothing old is published as new."""

from __future__ import annotations

import pytest

from tests.flows.league import EARLY, QUICK, Rooms, sentence
from tests.flows.proxy import DOWN, Proxy

pytestmark = pytest.mark.prefect


@pytest.fixture(scope="module")
def without(prefect_server, league, tmp_path_factory):
    """A published slate, and a second refresh to which nobody tells line-ups."""
    with Proxy(league.base_url) as feed, Rooms.opened(tmp_path_factory.mktemp("without") / "home") as rooms:
        first = rooms.refresh(EARLY, upstream=feed.base_url)
        known = rooms.house.reader.slate(EARLY), rooms.house.lake.read("core_players", EARLY)
        feed.spoil("/boxscore", DOWN)
        feed.spoil("/summary", DOWN)
        yield rooms, feed, first, known, rooms.refresh(EARLY, **QUICK)


def test_the_run_fails_and_says_what_to_do(without):
    _, _, first, _, second = without
    assert first.is_completed()
    assert second.is_failed()
    said = sentence(second)
    assert said.startswith("None of the ")
    assert "so nobody can say who plays" in said
    assert said.endswith("run the day again when the feed answers.")


def test_the_slate_and_the_line_ups_stay_as_they_were(without):
    rooms, _, _, (slate, players), _ = without
    now = rooms.house.reader.slate(EARLY)
    assert (now.version, now.published_at) == (slate.version, slate.published_at)
    assert rooms.house.lake.read("core_players", EARLY).equals(players)


def test_the_day_is_failed_for_the_next_look_and_done_when_the_feed_is_back(without):
    rooms, feed, _, (slate, _), _ = without
    assert rooms.house.ledger.entry("out_props", EARLY.isoformat()).state == "failed"
    feed._rules.clear()
    assert rooms.refresh(EARLY).is_completed()
    assert rooms.house.reader.slate(EARLY).version > slate.version
