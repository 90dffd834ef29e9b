"""A slate whose schedule the Stats API owes: made with SportRadar's, and the run's result says so."""

from __future__ import annotations

import pytest

from tests.flows.league import EARLY, QUICK, outcomes
from tests.flows.proxy import DOWN, Proxy

pytestmark = pytest.mark.prefect


def test_a_slate_is_made_with_the_second_sources_schedule_and_the_result_says_why(rooms, league):
    with Proxy(league.base_url) as feed:
        feed.spoil("lineups", DOWN)  # asked for with the day alone: history comes
        state = rooms.refresh(EARLY, upstream=feed.base_url, **QUICK)
    summary = state.result()
    assert summary.version == 1
    (word,) = outcomes(summary)["core_games"].notes
    assert word.startswith("schedule: sportradar, because statsapi ")
    assert "503" in word
    assert rooms.props(EARLY).height > 1000
    assert rooms.house.ledger.missing("core_games", [EARLY.isoformat()]) == [EARLY.isoformat()]
