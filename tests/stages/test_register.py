"""The register: kept whole or not at all, and the names that it adds to those of the rosters."""

from __future__ import annotations

import pytest

from backstop.sources import chadwick
from backstop.stages import register
from backstop.stages.fetch import Missed
from tests.stages.rows import batch, fetched

HEADER = "key_uuid,key_mlbam,name_last,name_first,name_given,name_suffix,birth_year"


@pytest.fixture
def answers(house):
    rows = {"0": "u0,592450,Judge,Aaron,Aaron James,,1992", "1": "u1,,Nobody,Was,Was Never,,1990"}
    return [fetched(house, item, f"{HEADER}\n{rows.get(item.key, rows['1'])}\n".encode()) for item in chadwick.plan()]


def test_the_register_is_kept_as_of_its_day_and_gives_the_names_that_players_are_known_by(house, answers):
    assert register.newest(house) is None
    assert register.names(house).is_empty()
    outcome = register.keep_register(house, [batch(*answers)], "r")
    assert (outcome.rows_in, outcome.loaded, outcome.gaps) == (1, 1, ())
    assert str(register.newest(house)) == "2025-06-15"
    assert register.names(house).rows() == [(592450, "Aaron Judge"), (592450, "Aaron James Judge")]


def test_of_a_part_of_the_register_nothing_is_kept(house, answers):
    lost = Missed(answers[3].item, "UpstreamUnavailable", "no answer")
    outcome = register.keep_register(house, [batch(*answers[:3], missed=(lost,))], "r")
    assert [gap.key for gap in outcome.gaps] == ["3"]
    assert register.newest(house) is None
