import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from backstop import tables
from backstop.errors import DataError, LakeError, SchemaDrift
from backstop.lake.content import content_hash
from backstop.lake.tables import Lake
from tests.lake.conftest import DAY


def test_what_was_written_is_read_back(lake, frame):
    written = lake.write("out_features", DAY, frame)
    assert (written.rows, written.changed) == (3, True)
    assert_frame_equal(lake.read("out_features", DAY), frame)


def test_the_partition_is_one_file_in_a_folder_named_after_the_day(lake, frame, tmp_path):
    written = lake.write("out_features", DAY, frame)
    assert written.path == str(tmp_path / "lake/out_features/game_date=2025-06-15/part.parquet")


def test_writing_the_same_rows_again_changes_nothing(lake, frame):
    first = lake.write("out_features", DAY, frame)
    again = lake.write("out_features", DAY, frame)
    assert not again.changed
    assert again.content_hash == first.content_hash


def test_other_rows_replace_the_partition(lake, frame):
    lake.write("out_features", DAY, frame)
    assert lake.write("out_features", DAY, frame.head(1)).changed
    assert len(lake.read("out_features", DAY)) == 1


def test_rows_of_a_declared_table_may_arrive_in_any_order(lake):
    rows = [dict.fromkeys(tables.GAMES.schema) | {"game_pk": pk, "game_date": DAY} for pk in (3, 1, 2)]
    games = pl.DataFrame(rows, schema=tables.GAMES.schema)
    first = lake.write("core_games", DAY, games)
    assert not lake.write("core_games", DAY, games.reverse()).changed
    assert lake.read("core_games", DAY)["game_pk"].to_list() == [1, 2, 3]
    assert first.rows == 3


def test_a_declared_table_with_another_column_type_is_refused(lake):
    games = tables.GAMES.empty().with_columns(pl.col("game_pk").cast(pl.String))
    with pytest.raises(SchemaDrift, match="game_pk String"):
        lake.write("core_games", DAY, games)


def test_a_declared_table_with_an_unknown_column_is_refused(lake):
    with pytest.raises(SchemaDrift, match="unknown"):
        lake.write("core_games", DAY, tables.GAMES.empty().with_columns(mood=pl.lit("good")))


def test_a_row_of_another_day_is_refused(lake, frame):
    with pytest.raises(DataError, match="2025-06-15"):
        lake.write("out_features", DAY + dt.timedelta(days=1), frame)


def test_a_scan_takes_only_the_days_asked_for(lake, frame):
    for shift in range(4):
        day = DAY + dt.timedelta(days=shift)
        lake.write("out_features", day, frame.with_columns(game_date=pl.lit(day)))
    found = lake.scan("out_features", DAY + dt.timedelta(days=1), DAY + dt.timedelta(days=2)).collect()
    assert sorted(found["game_date"].unique()) == [DAY + dt.timedelta(days=1), DAY + dt.timedelta(days=2)]
    assert len(lake.days("out_features")) == 4


def test_a_declared_table_without_days_is_empty_with_its_columns(lake):
    assert lake.scan("core_pitches").collect().schema == pl.Schema(tables.PITCHES.schema)


def test_an_undeclared_table_without_days_is_a_clear_error(lake):
    with pytest.raises(LakeError, match="out_features has no partition"):
        lake.scan("out_features")


def test_reading_a_day_that_is_not_there_is_a_clear_error(lake):
    with pytest.raises(LakeError, match="refresh or backfill"):
        lake.read("out_features", DAY)


def test_a_damaged_file_is_named_and_can_be_written_again(lake, frame):
    written = lake.write("out_features", DAY, frame)
    Path(written.path).write_bytes(b"PAR1 nothing of use")
    with pytest.raises(LakeError, match="cannot be read"):
        lake.read("out_features", DAY)
    assert lake.write("out_features", DAY, frame).changed
    assert len(lake.read("out_features", DAY)) == 3


def test_columns_declared_later_are_null_in_older_files(lake, tmp_path):
    old = tables.GAMES.empty().drop("venue_id_mlbam", "status")
    old = pl.concat([old, pl.DataFrame({"game_pk": [7], "game_date": [DAY]})], how="diagonal")
    path = tmp_path / "lake/core_games/game_date=2025-06-15/part.parquet"
    path.parent.mkdir(parents=True)
    old.write_parquet(path)
    found = lake.read("core_games", DAY)
    assert found.schema == pl.Schema(tables.GAMES.schema)
    assert found["venue_id_mlbam"].to_list() == [None]


def test_an_undeclared_table_has_the_columns_of_its_newest_partition(lake, frame):
    later = DAY + dt.timedelta(days=1)
    lake.write("out_features", DAY, frame)
    lake.write("out_features", later, frame.with_columns(game_date=pl.lit(later), barrel_rate=pl.lit(0.1)))
    found = lake.scan("out_features").collect()
    assert found["barrel_rate"].null_count() == 3
    assert found["barrel_rate"].drop_nulls().to_list() == [0.1] * 3


def test_a_reader_sees_the_old_rows_or_the_new_ones_while_they_are_replaced(lake):
    whole = [pl.DataFrame({"version": [n] * 5_000, "row": range(5_000)}) for n in (1, 2)]
    lake.write("out_features", DAY, whole[0])
    done = threading.Event()

    def replace() -> None:
        for n in range(60):
            lake.write("out_features", DAY, whole[n % 2])
        done.set()

    writer = threading.Thread(target=replace)
    writer.start()
    seen = set()
    while not done.is_set():
        found = lake.read("out_features", DAY)
        assert len(found) == 5_000
        versions = found["version"].unique().to_list()
        assert len(versions) == 1
        seen.add(versions[0])
    writer.join()
    assert seen <= {1, 2}


# adding 0.0 turns -0.0 into 0.0: Polars calls them equal, the hash does not
cell = st.one_of(st.none(), st.floats(width=64).map(lambda x: x + 0.0), st.integers(-5, 5).map(float))
column = st.lists(cell, min_size=1, max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(one=column, other=column)
def test_two_frames_have_one_hash_exactly_when_their_rows_are_equal(one, other):
    left, right = (pl.DataFrame({"x": pl.Series(values, dtype=pl.Float64)}) for values in (one, other))
    assert (content_hash(left) == content_hash(right)) == left.equals(right)


def test_the_hash_does_not_depend_on_chunks(frame):
    assert content_hash(pl.concat([frame.head(1), frame.tail(2)], rechunk=False)) == content_hash(frame)


def test_the_hash_knows_types_and_names(frame):
    assert content_hash(frame) != content_hash(frame.rename({"rate": "share"}))
    assert content_hash(frame) != content_hash(frame.with_columns(pl.col("player_id_mlbam").cast(pl.Int32)))


def test_a_lake_can_be_kept_at_an_fsspec_address(frame, tmp_path):
    lake = Lake(f"memory://{tmp_path.name}/lake")
    assert lake.write("out_features", DAY, frame).changed
    assert not lake.write("out_features", DAY, frame).changed
    assert lake.days("out_features") == {DAY}
    assert_frame_equal(lake.scan("out_features").collect(), frame)


def test_a_removed_partition_is_a_day_no_more(lake, frame):
    lake.write("t", DAY, frame)
    lake.write("t", DAY + dt.timedelta(days=1), frame.with_columns(game_date=DAY + dt.timedelta(days=1)))
    lake.remove("t", DAY)
    assert lake.days("t") == {DAY + dt.timedelta(days=1)}
    assert lake.write("t", DAY, frame).changed
    assert DAY in lake.days("t")


def test_writers_and_removers_of_one_partition_never_stumble_over_each_others_folder(lake, frame):
    def work(n):
        for _ in range(20):
            lake.remove("t", DAY) if n % 2 else lake.write("t", DAY, frame.head(1 + n % 3))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert lake.write("t", DAY, frame).rows == 3
