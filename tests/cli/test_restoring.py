"""`backstop redis` over a lake of which a day is damaged."""

from __future__ import annotations

import pytest

from backstop.stages import rebuild
from tests.stages.test_killed_publish import PROPS, ROWS
from tests.stages.test_rebuild import DAYS, damage, publish_day, served


@pytest.fixture
def season(store):
    for day in DAYS:
        publish_day(store, day)
    damage(store, PROPS, DAYS[1])
    return store


def test_the_damaged_day_is_named_the_others_are_restored_and_the_command_fails(season, backstop):
    season.redis.flushall()
    ended = backstop("redis", "rebuild")
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert f"1 of 3 slates cannot be restored from the lake, first {DAYS[1]}: it cannot be restored (" in ended.err
    assert f"refresh the day with `backstop refresh {DAYS[1]}`." in ended.err
    assert served(season) == [DAYS[0], DAYS[2]]


def test_a_comparison_names_the_damaged_day_and_what_helps(season, backstop):
    ended = backstop("redis", "verify")
    assert ended.code == 1
    assert f"differ for 1 of 6 comparisons, first {DAYS[1]} props." in ended.err
    assert "cannot be read" in ended.err
    assert f"`backstop refresh {DAYS[1]}` makes it again." in ended.err
    assert f"{ROWS:,}" in ended.out
    assert [each.damaged for each in rebuild.verify(season, [DAYS[0]])] == [False, False]
