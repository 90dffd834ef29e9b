"""The grading step as a plain function: how it closes the day in the ledger, by what is owed."""

from __future__ import annotations

import pytest

from backstop import tables
from backstop.lake.states import State
from backstop.stages.grade import GRADES
from backstop.stages.outcome import Gap, Outcome
from tasks import grade
from tests.stages.rows import DAY, games
from tests.store import rows

SUSPENDED = {"status": "Suspended: Rain", "abstract_status": "Live"}
MISSED = Gap(tables.PLAYERS.name, "1", "not fetched: 503")
RULE = Gap(tables.PLAYERS.name, str(DAY), "too few players")


@pytest.fixture
def begun(house, monkeypatch):
    """A published day of two games whose grading has begun."""
    lines = []
    monkeypatch.setattr(grade, "run_id", lambda: "g")
    monkeypatch.setattr(grade, "warn", lines.append)
    monkeypatch.setattr(grade, "say", lambda _: None)
    for name in ("table", "markdown", "image"):
        monkeypatch.setattr(grade.artifacts, name, lambda *_: None)
    house.lake.write(tables.PROPS.name, DAY, rows.props(3))
    house.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2))
    house.ledger.begin(GRADES, str(DAY), run_id="g")
    return house, lines


def closed(house, *gaps):
    grade.grade_slate.fn(DAY, (Outcome(tables.PLAYERS.name, gaps=gaps), Outcome(tables.BOX.name)))
    entry = house.ledger.entry(GRADES, str(DAY))
    return entry.state, entry.reason


@pytest.mark.parametrize("gaps", [(), (RULE,)], ids=["nothing is owed", "a rule about the day is broken"])
def test_a_day_whose_games_are_over_and_told_is_graded_for_good(begun, gaps):
    house, lines = begun
    assert closed(house, *gaps) == (State.COMPLETE, None)
    assert lines == []


def test_a_box_score_that_did_not_come_is_owed(begun):
    house, lines = begun
    assert closed(house, MISSED) == (State.DEGRADED, "1: not fetched: 503")
    assert lines == ["1 box scores are owed; the slate is graded once more when they come."]


def test_a_game_that_is_not_over_is_owed(begun):
    house, lines = begun
    house.lake.write(tables.GAMES.name, DAY, games(DAY, 1).vstack(games(DAY, 2, **SUSPENDED)))
    assert closed(house) == (State.DEGRADED, "game 2 is not over")
    assert lines == ["game 2 is not over; the slate is graded once more when it can be."]


def test_both_are_told(begun):
    house, lines = begun
    house.lake.write(tables.GAMES.name, DAY, games(DAY, 1, 2, **SUSPENDED))
    assert closed(house, MISSED) == (State.DEGRADED, "1: not fetched: 503; games 1, 2 are not over")
    assert len(lines) == 2
