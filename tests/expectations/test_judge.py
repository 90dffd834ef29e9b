"""Received rows under a suite: what the parser and the rules refused is added up, and nothing is lost on the way."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.errors import ConservationBroken
from backstop.sources.parsed import Drift, Parsed, rejections
from backstop.stages.receive import Received
from expectations.check import judge
from expectations.rules import WARNING, required, suite, version_of, volume, within

DAY = dt.date(2025, 6, 15)
RULES = suite("core_speeds", [required("speed", "why"), within("speed", 0, 100, "what arms can do")])


def received(speeds, *, refused=(), drift=None):
    frame = pl.DataFrame({"speed": pl.Series(speeds, dtype=pl.Int64)})
    wrong = rejections([({"speed": n}, rule, "said why") for n, rule in enumerate(refused)])
    parsed = Parsed(frame, wrong, len(speeds) + len(refused), drift or Drift())
    return Received("core_speeds", DAY, parsed, "abc,def")


def test_what_the_parser_refused_stays_refused_beside_what_the_rules_refuse():
    checked = judge(received([50, None, 300, 60, 70, 80, 90, 95, 99], refused=["bad_speed", "other_day"]), RULES)
    assert (checked.table, checked.day, checked.raw_ref) == ("core_speeds", DAY, "abc,def")
    assert checked.rows_in == 11
    assert checked.kept["speed"].to_list() == [50, 60, 70, 80, 90, 95, 99]
    assert checked.rejected["rule"].to_list() == ["bad_speed", "other_day", "speed is known", "speed from 0 to 100"]
    assert checked.rules == {"bad_speed": 1, "other_day": 1, "speed is known": 1, "speed from 0 to 100": 1}
    assert (checked.blocked, checked.degraded, checked.drift) == ((), (), ())
    assert checked.suite_version == version_of(RULES)


def test_a_table_without_a_suite_is_held_to_its_parser_alone():
    checked = judge(received([50, 300], refused=["other_day"]), None)
    assert checked.kept["speed"].to_list() == [50, 300]
    assert checked.rules == {"other_day": 1}
    assert (checked.blocked, checked.suite_version) == ((), "")


@pytest.mark.parametrize(
    ("good", "refused", "is_blocked"),
    [
        (3, ["bad_speed"], False),
        (2, ["bad_speed"], True),
        (1, ["other_day"] * 9, False),
        (0, [], False),
        (0, ["bad_speed"], True),
    ],
)
def test_more_than_a_quarter_that_cannot_be_read_blocks_with_or_without_a_suite(good, refused, is_blocked):
    for rules in (None, RULES):
        checked = judge(received([50] * good, refused=refused), rules)
        assert bool(checked.blocked) is is_blocked
        if is_blocked:
            share = len(refused) / (good + len(refused))
            assert checked.blocked == (
                (
                    f"expected at most 25% of rows in quarantine, saw {share:.1%} (more than that is another feed or "
                    "another rule, not bad rows)"
                ),
            )


def test_columns_that_drifted_are_told_in_one_sentence():
    checked = judge(received([50], drift=Drift(added=("spin",), gone=("axis",))), RULES)
    (sentence,) = checked.drift
    assert "spin" in sentence
    assert "axis" in sentence


def test_a_day_that_lacks_games_is_degraded_and_one_without_rows_is_blocked():
    rules = suite("core_games", volume(2, 1, 3))

    def games(*pks):
        frame = pl.DataFrame({"game_pk": pl.Series(pks, dtype=pl.Int64)})
        return judge(Received("core_games", DAY, Parsed(frame, rejections([]), len(pks)), ""), rules)

    assert games(1, 2).degraded == ()
    lacking = games(1)
    assert lacking.blocked == ()
    assert sorted(sentence.partition(",")[0] for sentence in lacking.degraded) == [
        "expected 1 to 3 rows a game",
        "expected every finished game is there",
    ]
    assert "an empty answer for a day with games is no answer" in games().blocked[0]


def test_the_version_of_a_suite_is_of_its_rules_and_not_of_their_order_or_day():
    rules = [within("x", 0, 1, "a"), required("x", "b")]
    assert version_of(suite("s", rules)) == version_of(suite("s", rules[::-1]))
    others = [
        suite("t", rules),
        suite("s", rules[:1]),
        suite("s", [within("x", 0, 2, "a"), rules[1]]),
        suite("s", [within("x", 0, 1, "another reason"), rules[1]]),
        suite("s", [within("x", 0, 1, "a", severity=WARNING), rules[1]]),
    ]
    assert len({version_of(each) for each in (suite("s", rules), *others)}) == 6
    assert version_of(suite("s", rules)).startswith("s@")


@settings(max_examples=30, deadline=None)
@given(
    speeds=st.lists(st.none() | st.integers(-50, 150), max_size=12),
    refused=st.lists(st.sampled_from(["bad_speed", "other_day", "superseded"]), max_size=5),
)
def test_every_row_that_came_in_is_kept_or_refused_once(speeds, refused):
    checked = judge(received(speeds, refused=refused), RULES)
    assert checked.kept.height + checked.rejected.height == checked.rows_in == len(speeds) + len(refused)
    assert checked.kept["speed"].to_list() == [each for each in speeds if each is not None and 0 <= each <= 100]
    assert sum(checked.rules.values()) == checked.rejected.height


def test_rows_that_a_parser_lost_are_its_fault_and_never_judged():
    with pytest.raises(ConservationBroken, match="held 3 rows, but 1 were taken and 1 rejected"):
        Parsed(pl.DataFrame({"speed": [1]}), rejections([({}, "bad", "why")]), 3)
