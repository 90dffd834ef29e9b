"""The suites for rows that no flow keeps: the same ones as the runs apply, and none where a table has none."""

from __future__ import annotations

import polars as pl
import pytest

import tests.docs.conftest  # noqa: F401 - Great Expectations is loaded with its warnings let pass
from backstop import tables
from backstop.sources.parsed import Parsed
from backstop.stages.receive import Received
from deployments import rules
from expectations.games import games_suite
from expectations.pitches import pitches_suite
from expectations.players import box_suite, players_suite
from expectations.quotes import quotes_suite
from tests.expectations import frames

DAY = frames.DAY


def received(table, frame):
    return Received(table, DAY, Parsed(frame, no_rejected(), frame.height), "hash")


def no_rejected():
    return pl.DataFrame(schema={"row": pl.String, "rule": pl.String, "reason": pl.String})


@pytest.mark.parametrize(
    ("table", "suite"),
    [
        (tables.GAMES.name, games_suite()),
        (tables.PLAYERS.name, players_suite()),
        (tables.BOX.name, box_suite()),
        (tables.PITCHES.name, pitches_suite(DAY, 12)),
        (tables.QUOTES.name, quotes_suite(DAY, 0.98)),
        ("core_register", None),
    ],
)
def test_a_table_is_judged_by_its_own_suite_and_one_without_by_its_parser_alone(table, suite):
    rows = next((each.empty() for each in tables.ALL if each.name == table), pl.DataFrame())
    found = rules.suite_of(received(table, rows), 12)
    if suite is None:
        assert found is None
    else:
        assert (found.name, len(found.expectations)) == (suite.name, len(suite.expectations))


def test_rows_that_break_a_rule_are_told_from_those_that_hold():
    sound = frames.games()
    broken = sound.with_columns(home_team=pl.when(pl.col("game_pk") > 0).then("home_team"))
    checked = rules.apply(received(tables.GAMES.name, broken), None)
    assert (checked.kept.height, checked.rejected.height, checked.rows_in) == (sound.height - 1, 1, sound.height)


def test_rows_of_a_table_without_a_suite_all_hold():
    frame = pl.DataFrame({"player_id_mlbam": [1, 2]})
    checked = rules.apply(received("core_register", frame), None)
    assert (checked.kept.height, checked.rejected.height, checked.rules) == (2, 0, {})


def test_the_share_of_unknown_names_that_is_borne_is_the_settings_own(monkeypatch):
    monkeypatch.setenv("BACKSTOP_UNMATCHED_NAMES_LIMIT", "0.5")
    found = rules.suite_of(received(tables.QUOTES.name, tables.QUOTES.empty()), None)
    assert 0.5 in {getattr(each, "mostly", 1.0) for each in found.expectations}
