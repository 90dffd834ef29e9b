"""The day that `benchmarks.replaced` measures without Prefect is the day that the flow publishes."""

from __future__ import annotations

import pytest

from benchmarks import replaced
from tests.flows.league import EARLY, Rooms

pytestmark = [pytest.mark.prefect, pytest.mark.timeout(120)]


def test_batches_in_turn_come_to_the_rows_of_the_flow(rooms, league, embedded_url, tmp_path):
    assert rooms.refresh(EARLY, upstream=league.base_url).is_completed()
    with Rooms.opened(tmp_path / "in-turn") as own:
        own.settings = {"upstream": league.base_url, "redis_url": embedded_url}
        own.house.redis.flushall()
        with own.environment(), replaced.one_run():
            replaced.in_turn(own.house, EARLY, one_by_one=False)
        assert set(own.props(EARLY)["prop_id"]) == set(rooms.props(EARLY)["prop_id"])
