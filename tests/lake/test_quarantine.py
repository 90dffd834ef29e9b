import datetime as dt

import polars as pl
import pytest

from backstop.errors import SchemaDrift, UsageError
from backstop.lake.quarantine import Quarantine
from tests.lake.conftest import DAY


@pytest.fixture
def quarantine(lake, clock):
    return Quarantine(lake, clock)


def refused(*rows: str) -> pl.DataFrame:
    return pl.DataFrame({"row": rows, "rule": ["speed_in_range"] * len(rows), "reason": ["speed is 900"] * len(rows)})


def test_a_refused_row_is_listed_with_rule_reason_run_and_raw_answer(quarantine):
    assert quarantine.put("core_pitches", DAY, refused('{"speed": 900}'), run_id="r1", raw_ref="abc") == 1
    row = quarantine.list().row(0, named=True)
    assert (row["row"], row["rule"], row["run_id"], row["raw_ref"]) == ('{"speed": 900}', "speed_in_range", "r1", "abc")
    assert row["state"] == "open"
    assert quarantine.show(row["row_id"]) == row


def test_putting_the_same_rows_again_changes_nothing(quarantine):
    for run in ("r1", "r2"):
        assert quarantine.put("core_pitches", DAY, refused("a", "b"), run_id=run, raw_ref="abc") == 2
    assert len(quarantine.list()) == 2
    assert quarantine.list()["run_id"].unique().to_list() == ["r1"]


def test_the_same_rows_fetched_later_are_the_same_rows(quarantine, lake):
    def quotes(minute):
        at = f'"fetched_at":"2025-06-15T16:{minute:02}:00Z"'
        return refused(f'{{"player":"A",{at},"price":-110}}', f'{{"player":"B",{at},"price":-110}}')

    for minute, run in ((0, "r1"), (5, "r2")):
        assert quarantine.put("core_quotes", DAY, quotes(minute), run_id=run, raw_ref="abc") == 2
    assert sorted(quarantine.list()["row"]) == sorted(quotes(0)["row"])
    assert quarantine.list()["run_id"].to_list() == ["r1", "r1"]
    assert len(lake.place.list(f"quarantine/core_quotes/game_date={DAY}")) == 1


def test_one_answer_that_holds_a_row_at_two_instants_has_it_twice(quarantine):
    rows = refused('{"price":1,"fetched_at":"a"}', '{"price":1,"fetched_at":"b"}')
    quarantine.put("core_quotes", DAY, rows, run_id="r1", raw_ref="abc")
    assert len(quarantine.list()) == 2


@pytest.mark.parametrize("text", ['not JSON "fetched_at"', '["fetched_at"]', '"fetched_at"'])
def test_a_row_that_is_no_object_is_kept_as_it_is(quarantine, text):
    quarantine.put("core_quotes", DAY, refused(text), run_id="r1", raw_ref="abc")
    assert quarantine.list()["row"].to_list() == [text]


def test_two_equal_rows_of_one_answer_stay_two(quarantine):
    quarantine.put("core_pitches", DAY, refused("a", "a"), run_id="r1", raw_ref="abc")
    assert len(quarantine.list()) == 2


def test_one_put_never_overwrites_another(quarantine):
    quarantine.put("core_pitches", DAY, refused("a"), run_id="r1", raw_ref="abc")
    quarantine.put("core_pitches", DAY, refused("b"), run_id="r1", raw_ref="abc")
    quarantine.put("core_pitches", DAY, refused("c"), run_id="r1", raw_ref=None)
    assert sorted(quarantine.list()["row"]) == ["a", "b", "c"]


def test_rows_are_found_by_table_day_and_rule(quarantine):
    quarantine.put("core_pitches", DAY, refused("a"), run_id="r1", raw_ref="abc")
    quarantine.put("core_games", DAY, refused("b"), run_id="r1", raw_ref="abc")
    assert quarantine.list("core_games")["row"].to_list() == ["b"]
    assert quarantine.list("core_games", DAY + dt.timedelta(days=1)).is_empty()
    assert len(quarantine.list(rule="speed_in_range")) == 2
    assert quarantine.list(rule="another").is_empty()


def test_a_dropped_row_stays_on_record_and_does_not_come_back(quarantine, clock):
    quarantine.put("core_pitches", DAY, refused("a", "b"), run_id="r1", raw_ref="abc")
    gone = quarantine.list().filter(row="a")["row_id"].to_list()
    assert quarantine.drop(gone, because="a test pitch") == 1
    quarantine.put("core_pitches", DAY, refused("a", "b"), run_id="r2", raw_ref="abc")
    assert quarantine.list()["row"].to_list() == ["b"]
    kept = quarantine.show(gone[0])
    assert (kept["state"], kept["closed_because"], kept["closed_at"]) == ("dropped", "a test pitch", clock.now())


def test_replay_closes_exactly_the_rows_that_were_accepted(quarantine):
    quarantine.put("core_pitches", DAY, refused("good now", "still bad"), run_id="r1", raw_ref="abc")
    moved = quarantine.replay(
        "core_pitches", DAY, lambda rows: rows.filter(row="good now")["row_id"].to_list(), run_id="r2"
    )
    assert moved == 1
    assert quarantine.list()["row"].to_list() == ["still bad"]


def test_a_replay_that_crashes_leaves_every_row_open(quarantine):
    quarantine.put("core_pitches", DAY, refused("a"), run_id="r1", raw_ref="abc")

    def crash(rows):
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        quarantine.replay("core_pitches", DAY, crash, run_id="r2")
    assert len(quarantine.list()) == 1


def test_accepting_a_row_that_was_not_offered_is_refused(quarantine):
    quarantine.put("core_pitches", DAY, refused("a"), run_id="r1", raw_ref="abc")
    with pytest.raises(UsageError, match="not offered"):
        quarantine.replay("core_pitches", DAY, lambda _: ["feedfeedfeedfeed"], run_id="r2")


def test_rows_without_a_reason_are_refused(quarantine):
    with pytest.raises(SchemaDrift, match="reason"):
        quarantine.put("core_pitches", DAY, refused("a").drop("reason"), run_id="r1", raw_ref=None)


def test_an_unknown_row_is_a_clear_error(quarantine):
    with pytest.raises(UsageError, match="No row"):
        quarantine.show("0000000000000000")


def test_nothing_refused_writes_nothing(quarantine, lake):
    assert quarantine.put("core_pitches", DAY, refused(), run_id="r1", raw_ref=None) == 0
    assert lake.tables() == []
