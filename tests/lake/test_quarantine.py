import contextlib
import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from backstop.errors import SchemaDrift, UsageError
from backstop.lake.quarantine import Quarantine
from backstop.lake.tables import Lake
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


def test_rows_of_several_partitions_are_dropped_without_reading_others_in_a_turn(quarantine, monkeypatch):
    """In an object store a turn that takes long is followed by the next: it must not grow with the quarantine."""
    place, turns, next_day = quarantine.place, [], DAY + dt.timedelta(days=1)
    rooms = [("core_games", DAY), ("core_pitches", DAY), ("core_pitches", next_day)]
    for table, day in rooms:
        quarantine.put(table, day, refused("a", "b"), run_id="r1", raw_ref=None)
    turn, read = place.turn, place.read

    @contextlib.contextmanager
    def counted(folder):
        with turn(folder) as renew, monkeypatch.context() as patch:
            turns.append([])
            patch.setattr(place, "read", lambda path: turns[-1].append(path) or read(path))
            yield renew

    monkeypatch.setattr(place, "turn", counted)
    gone = quarantine.list().filter(pl.col("game_date") == DAY, row="a")["row_id"].to_list()
    assert quarantine.drop(gone, because="a test pitch") == 2
    partitions = [{path.rpartition("/")[0] for path in paths} for paths in turns]
    assert sorted(partitions, key=sorted) == [{f"quarantine/{table}/game_date={DAY}"} for table, _ in rooms[:2]]
    left = quarantine.list().sort("table", "game_date", "row").select("table", "game_date", "row").rows()
    assert left == [(*rooms[0], "b"), (*rooms[1], "b"), (*rooms[2], "a"), (*rooms[2], "b")]


def test_a_row_that_comes_again_in_an_answer_that_changed_elsewhere_is_the_same_row(quarantine):
    for answer in ("abc", "def", None):
        quarantine.put("core_quotes", DAY, refused("a"), run_id=f"r {answer}", raw_ref=answer)
    assert quarantine.list()["raw_ref"].to_list() == ["abc"]


def test_rows_that_a_partition_written_anew_did_not_refuse_have_left(quarantine, clock):
    quarantine.put("core_pitches", DAY, refused("good now", "still bad"), run_id="r1", raw_ref="abc")
    quarantine.put("core_games", DAY, refused("of another table"), run_id="r1", raw_ref="abc")
    assert quarantine.settle("core_pitches", DAY, refused("still bad"), run_id="r2") == 1
    assert sorted(quarantine.list()["row"]) == ["of another table", "still bad"]
    gone = quarantine.list(state="replayed").row(0, named=True)
    assert (gone["row"], gone["closed_at"], gone["closed_because"]) == (
        "good now",
        clock.now(),
        "not refused by run r2",
    )
    assert quarantine.settle("core_pitches", DAY, refused("still bad"), run_id="r3") == 0


def test_a_row_that_had_left_and_is_refused_again_is_open_again(quarantine):
    quarantine.put("core_pitches", DAY, refused("a", "b"), run_id="r1", raw_ref="abc")
    quarantine.settle("core_pitches", DAY, refused(), run_id="r2")
    assert quarantine.list().is_empty()
    quarantine.put("core_pitches", DAY, refused("b"), run_id="r3", raw_ref="def")
    (row,) = quarantine.list().to_dicts()
    assert (row["row"], row["closed_at"], row["closed_because"]) == ("b", None, None)


@settings(deadline=None, max_examples=30)
@given(
    puts=st.lists(st.lists(st.sampled_from("abcde"), max_size=6), min_size=1, max_size=6),
    compacted=st.sets(st.integers(0, 5)),
)
def test_open_are_exactly_the_rows_that_the_last_run_refused(tmp_path_factory, puts, compacted):
    """Conservation: after each run the open rows are the ones its ledger counts, whatever came before."""
    quarantine = Quarantine(Lake(tmp_path_factory.mktemp("lake")))
    for n, rows in enumerate(puts):
        quarantine.put("core_pitches", DAY, refused(*rows), run_id=f"r{n}", raw_ref=f"answer {n}")
        quarantine.settle("core_pitches", DAY, refused(*rows), run_id=f"r{n}")
        if n in compacted:
            quarantine.compact("core_pitches", DAY)
        assert sorted(quarantine.list()["row"]) == sorted(rows)


def test_compacting_leaves_one_file_with_the_same_rows(quarantine, lake):
    for row in "abc":
        quarantine.put("core_pitches", DAY, refused(row), run_id="r1", raw_ref="abc")
    quarantine.drop(quarantine.list().filter(row="b")["row_id"].to_list(), because="a test pitch")
    before = quarantine.list(state=None)
    assert quarantine.compact("core_pitches", DAY) == 2
    assert_frame_equal(quarantine.list(state=None), before)
    assert len(lake.place.list(f"quarantine/core_pitches/game_date={DAY}")) == 1
    assert quarantine.compact("core_pitches", DAY) == 0
    quarantine.put("core_pitches", DAY, refused("a", "b"), run_id="r2", raw_ref="def")
    assert_frame_equal(quarantine.list(state=None), before)


def test_a_row_that_a_crash_left_in_two_files_is_one_row(quarantine, lake):
    """A compaction that dies before it removed the files that it put together."""
    for row in "ab":
        quarantine.put("core_pitches", DAY, refused(row), run_id="r1", raw_ref="abc")
    where = f"quarantine/core_pitches/game_date={DAY}"
    kept = {name: lake.place.read(f"{where}/{name}") for name in lake.place.list(where)}
    quarantine.compact("core_pitches", DAY)
    for name, content in kept.items():
        lake.place.replace(f"{where}/{name}", content)
    assert sorted(quarantine.list()["row"]) == ["a", "b"]
    quarantine.drop(quarantine.list().filter(row="a")["row_id"].to_list(), because="a test pitch")
    assert quarantine.list()["row"].to_list() == ["b"]


def test_rows_without_a_reason_are_refused(quarantine):
    with pytest.raises(SchemaDrift, match="reason"):
        quarantine.put("core_pitches", DAY, refused("a").drop("reason"), run_id="r1", raw_ref=None)


def test_an_unknown_row_is_a_clear_error(quarantine):
    with pytest.raises(UsageError, match="No row"):
        quarantine.show("0000000000000000")
    quarantine.put("core_pitches", DAY, refused("a"), run_id="r1", raw_ref=None)
    with pytest.raises(UsageError, match="No row '0000000000000000'"):
        quarantine.drop([*quarantine.list()["row_id"], "0000000000000000"], because="a slip of the keyboard")
    assert len(quarantine.list()) == 1


def test_nothing_refused_writes_nothing(quarantine, lake):
    assert quarantine.put("core_pitches", DAY, refused(), run_id="r1", raw_ref=None) == 0
    assert lake.tables() == []
