"""The register's run: sixteen files asked for, kept as of their day, and nothing kept of a part of them."""

from __future__ import annotations

import pytest

from backstop.sources import chadwick
from backstop.stages import register
from tests.flows.league import Rooms, sentence

pytestmark = pytest.mark.prefect


def ran(rooms: Rooms):
    from flows.register import register_refresh
    from tasks.fetch import fetch_batch

    with rooms.environment() as patch:
        patch.setattr(fetch_batch, "retry_delay_seconds", [0.1])
        return register_refresh(return_state=True)


def test_the_register_of_the_league_is_kept_whole_and_a_second_time_is_the_same(rooms, league):
    rooms.settings |= {"upstream": league.base_url}
    first, second = ran(rooms).result(), ran(rooms).result()
    assert first.loaded == second.loaded > 100
    assert (first.gaps, first.failed) == ((), 0)
    day = register.newest(rooms.house)
    assert rooms.house.lake.read(chadwick.TABLE, day)["player_id_mlbam"].n_unique() == first.loaded
    assert register.names(rooms.house).height >= first.loaded


def test_a_register_that_nobody_serves_fails_with_a_sentence_and_keeps_nothing(rooms):
    rooms.settings |= {"upstream": "http://127.0.0.1:9", "request_budget_s": 1}
    state = ran(rooms)
    assert state.is_failed()
    assert "of 16 files of the register could not be had, first 0" in sentence(state)
    assert register.newest(rooms.house) is None
