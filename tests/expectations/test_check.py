"""What becomes of rows: kept, rejected with the reason, or the whole table blocked."""

from __future__ import annotations

import datetime as dt
import gc
import math

import orjson
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backstop.sources.parsed import REJECTED, Parsed
from expectations.check import LARGEST_REJECTED_SHARE, check, unreadable
from expectations.features import features_suite
from expectations.games import games_suite
from expectations.pitches import pitches_suite
from expectations.players import box_suite
from expectations.props import props_suite
from expectations.quotes import quotes_suite
from expectations.rules import WARNING, never, required, suite, within
from gx_polars.face import SUITES_KEPT
from gx_polars.prepared import PreparedSuite
from tests.expectations import frames
from tests.expectations.cases import last
from tests.expectations.frames import DAY, ROWS


def test_a_season_of_days_leaves_no_more_suites_in_memory_than_are_at_work():
    for day in (DAY + dt.timedelta(days=number) for number in range(20)):
        check(frames.quotes(), quotes_suite(day))
        pitches_suite(day, 1)
    gc.collect()  # what only its own circle holds is not alive
    alive = [each for each in gc.get_objects() if type(each) is PreparedSuite and each.name == "core_quotes"]
    assert 0 < len(alive) <= SUITES_KEPT < 20
    for made in (pitches_suite, quotes_suite):
        assert made.cache_info().currsize <= 8


def with_first(frame: pl.DataFrame, count: int, **values: object) -> pl.DataFrame:
    """Put values into the first rows."""
    first = pl.int_range(pl.len()) < count
    return frame.with_columns(
        pl.when(first).then(pl.lit(value, dtype=frame.schema[name])).otherwise(pl.col(name)).alias(name)
        for name, value in values.items()
    )


def test_a_rejected_row_is_kept_as_json_with_every_rule_that_it_breaks():
    bad = last(prob_over=0.7, mean=99.0)(frames.props())
    verdict = check(bad, props_suite())
    assert verdict.rejected.height == 1
    row = orjson.loads(verdict.rejected["row"][0])
    assert row["prob_over"] == 0.7
    assert row["game_date"] == "2025-05-02"
    assert row["edge"] is None
    assert verdict.rejected["rule"][0] == "mean from 0.0 to 60.0; probabilities add up to one"
    assert verdict.rules == {"mean from 0.0 to 60.0": 1, "probabilities add up to one": 1}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("column", ["prob_over", "mean", "ev_per_unit", "kelly_quarter", "market_prob_over"])
def test_a_number_that_is_none_is_rejected_alone_and_stays_visible(column, value):
    verdict = check(last(**{column: value})(frames.props()), props_suite())
    assert verdict.blocked == ()
    assert verdict.kept.height == ROWS - 1
    assert "numbers are finite" in verdict.rules
    assert orjson.loads(verdict.rejected["row"][0])[column] == str(value)


def test_nan_in_a_feature_is_rejected_alone():
    verdict = check(last(whiff_rate=math.nan)(frames.features()), features_suite())
    assert verdict.blocked == ()
    assert verdict.kept.height == ROWS - 1


def test_one_impossible_line_of_a_box_score_does_not_take_the_others_with_it():
    verdict = check(last(hits=5)(frames.box()), box_suite())
    assert verdict.blocked == ()
    assert verdict.kept.height == ROWS - 1


def test_one_player_that_nobody_knows_is_forgiven_and_still_rejected():
    whole = pl.concat([frames.quotes()] * 10).with_columns(
        event_id_theodds=pl.int_range(pl.len()).cast(pl.String), line=pl.lit(0.5)
    )
    verdict = check(last(player_id_mlbam=None)(whole), quotes_suite(DAY))
    assert verdict.blocked == ()
    assert verdict.rejected["rule"].to_list() == ["player is known"]
    assert verdict.kept.height == whole.height - 1


def test_too_many_unknown_players_block_the_table():
    verdict = check(last(player_id_mlbam=None)(frames.quotes()), quotes_suite(DAY))
    assert verdict.blocked == (
        "expected player is known in 98.0% of rows, saw 91.7% (a quote for a player nobody knows)",
    )


def test_up_to_a_quarter_of_rejected_rows_is_a_matter_of_rows():
    allowed = int(ROWS * LARGEST_REJECTED_SHARE)
    verdict = check(with_first(frames.props(), allowed, mean=99.0), props_suite())
    assert verdict.blocked == ()
    assert verdict.rejected.height == allowed


def test_more_than_a_quarter_of_rejected_rows_blocks_the_table():
    verdict = check(with_first(frames.props(), int(ROWS * LARGEST_REJECTED_SHARE) + 1, mean=99.0), props_suite())
    (sentence,) = verdict.blocked
    assert sentence.startswith("expected at most 25% of rows in quarantine, saw 33.3% (")


def test_warnings_reject_nothing_however_many_rows_they_concern():
    slow = frames.pitches().with_columns(release_speed_mph=pl.lit(5.0))
    verdict = check(slow, pitches_suite(DAY, 1))
    assert verdict.kept.height == slow.height
    assert verdict.rejected.is_empty()
    assert verdict.blocked == verdict.degraded == ()
    assert verdict.rules == {"warning: release_speed_mph from 20.0 to 107.0": slow.height}


def test_a_rule_that_cannot_run_blocks_and_says_why():
    verdict = check(frames.games().drop("start_at"), games_suite())
    assert len(verdict.blocked) == 2
    assert any(each.startswith("expected columns as declared, saw missing: start_at") for each in verdict.blocked)
    assert any("start_at is known, saw a rule that could not be evaluated" in each for each in verdict.blocked)
    assert all("\n" not in each for each in verdict.blocked)


def test_a_rule_that_cannot_run_blocks_also_beside_rows_that_break_another():
    bad = last(prob_over=0.7)(frames.props()).drop("mean")
    verdict = check(bad, props_suite())
    assert any("mean is known, saw a rule that could not be evaluated" in each for each in verdict.blocked)
    assert verdict.kept.height == bad.height
    assert verdict.rules["probabilities add up to one"] == 1


def test_a_warning_that_cannot_run_only_degrades():
    rules = suite("t", [required("a", "why"), within("gone", 0, 1, "why", severity=WARNING)])
    verdict = check(pl.DataFrame({"a": [1, 2, 3, 4, None]}), rules)
    assert verdict.blocked == ()
    assert len(verdict.degraded) == 1
    assert verdict.rejected["rule"].to_list() == ["a is known"]


def test_no_rows_break_no_row_rule():
    verdict = check(frames.props().clear(), props_suite())
    assert verdict.broken == ()
    assert verdict.rejected.is_empty()


values = st.one_of(st.none(), st.floats(-2, 4, allow_nan=False), st.just(math.nan))
RULES = suite("t", [required("a", "must be"), within("a", 0, 1, "share"), never("a + b > 3", "small", "sum")])


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(values, values), min_size=1, max_size=30))
def test_every_row_is_either_kept_or_rejected_and_for_the_reason_it_has(rows):
    frame = pl.DataFrame(rows, schema={"a": pl.Float64, "b": pl.Float64}, orient="row")
    verdict = check(frame, RULES)
    assert verdict.kept.height + verdict.rejected.height == verdict.rows_in == frame.height
    for a, b in verdict.kept.rows():
        assert a is not None
        assert 0 <= a <= 1
        assert b is None or a + b <= 3
    assert sum(verdict.rules.values()) == sum(rule.count(";") + 1 for rule in verdict.rejected["rule"])
    assert bool(verdict.blocked) == (verdict.rejected.height / frame.height > LARGEST_REJECTED_SHARE)


def parsed(sound: int, **rejected: int) -> Parsed:
    rows = [("{}", rule, "why") for rule, count in rejected.items() for _ in range(count)]
    frame = pl.DataFrame({"a": range(sound)})
    return Parsed(frame, pl.DataFrame(rows, schema=REJECTED, orient="row"), sound + len(rows))


def test_a_table_of_which_much_cannot_be_parsed_is_blocked_although_the_rest_is_sound():
    assert unreadable(parsed(7, type=3))[0].startswith("expected at most 25% of rows in quarantine, saw 30.0%")
    assert unreadable(parsed(0, type=2)) != ()


def test_rows_that_were_not_asked_for_block_nothing_however_many_they_are():
    assert unreadable(parsed(1, other_day=9, superseded=9, in_play=9)) == ()
    assert unreadable(parsed(8, type=2)) == ()
    assert unreadable(parsed(0)) == ()
