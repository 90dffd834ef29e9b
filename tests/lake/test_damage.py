"""What crashes, operators and other programs leave in a lake's folders: read around it, or told in a sentence."""

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backstop import tables
from backstop.errors import LakeError
from backstop.lake.ledger import Ledger
from backstop.lake.quarantine import Quarantine
from backstop.lake.reconcile import reconcile
from backstop.lake.states import State
from backstop.lake.tables import Lake
from tests.here import only_here
from tests.lake.conftest import DAY

NEXT = DAY + dt.timedelta(days=1)
ROOT = str(Path(__file__).resolve().parents[2])

KILLED_WHILE_IT_WROTE = """
import datetime as dt, os, signal, sys
import polars as pl
from backstop.lake.tables import Lake
os.fsync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
day = dt.date.fromisoformat(sys.argv[2])
Lake(sys.argv[1]).write("out_features", day, pl.DataFrame({"game_date": [day], "n": [1]}))
"""


def killed_while_it_wrote(folder, day):
    command = [sys.executable, "-c", KILLED_WHILE_IT_WROTE, str(folder), day.isoformat()]
    assert subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": ROOT}).returncode == -9


def test_a_first_write_that_was_killed_is_no_day_and_does_not_stop_the_readers_of_the_others(lake, frame, tmp_path):
    lake.write("out_features", DAY, frame)
    killed_while_it_wrote(tmp_path / "lake", NEXT)
    (left,) = (tmp_path / f"lake/out_features/game_date={NEXT}").iterdir()
    assert left.name.startswith(".tmp-")
    assert lake.days("out_features") == {DAY}
    assert_frame_equal(lake.scan("out_features").collect(), frame)
    with pytest.raises(LakeError, match=f"no partition for {NEXT}"):
        lake.read("out_features", NEXT)
    later = frame.with_columns(game_date=pl.lit(NEXT))
    assert lake.write("out_features", NEXT, later).changed
    assert lake.days("out_features") == {DAY, NEXT}
    assert_frame_equal(lake.scan("out_features", NEXT).collect(), later)


def test_a_second_write_that_was_killed_leaves_the_first_ones_rows(lake, frame, tmp_path):
    lake.write("out_features", DAY, frame)
    killed_while_it_wrote(tmp_path / "lake", DAY)
    assert_frame_equal(lake.scan("out_features").collect(), frame)
    assert not lake.write("out_features", DAY, frame).changed


def test_the_key_of_a_first_write_that_was_killed_is_to_be_done_again(lake, tmp_path, clock):
    ledger = Ledger.connect(f"sqlite:///{tmp_path}/ledger.sqlite", clock)
    ledger.begin("out_features", NEXT.isoformat(), run_id="killed", lease_s=0)
    killed_while_it_wrote(tmp_path / "lake", NEXT)
    (repair,) = reconcile(lake, ledger, Quarantine(lake, clock), ["out_features"], run_id="r2")
    assert (repair.before, repair.after, repair.reason) == (
        State.RUNNING,
        State.FAILED,
        "run killed died before anything was written",
    )
    ledger.close()


@pytest.mark.parametrize("name", ["game_date=junk", "game_date=", "game_date=20250616", "game_date=2025-06-15 (copy)"])
def test_a_folder_that_is_named_after_no_day_is_named_to_whoever_may_move_it(lake, frame, tmp_path, name):
    lake.write("out_features", DAY, frame)
    (tmp_path / "lake/out_features" / name).mkdir()
    with pytest.raises(LakeError) as refused:
        lake.scan("out_features")
    assert f"out_features/{name} is no day's partition" in refused.value.message
    assert "Move it out of the lake" in refused.value.message
    assert_frame_equal(lake.read("out_features", DAY), frame)


def test_files_that_other_programs_leave_are_no_partitions(lake, frame, tmp_path):
    lake.write("out_features", DAY, frame)
    for folder in ("", "out_features", f"out_features/game_date={DAY}"):
        (tmp_path / "lake" / folder / ".DS_Store").write_bytes(b"Bud1")
    assert lake.days("out_features") == {DAY}
    assert_frame_equal(lake.scan("out_features").collect(), frame)


def refused(*rows):
    return pl.DataFrame(
        {"row": rows, "rule": "r", "reason": "x"}, schema=dict.fromkeys(("row", "rule", "reason"), pl.String)
    )


@pytest.fixture
def quarantine(lake, clock):
    kept = Quarantine(lake, clock)
    kept.put("core_pitches", DAY, refused("a", "b"), run_id="r1", raw_ref=None)
    kept.put("core_games", DAY, refused("c"), run_id="r1", raw_ref=None)
    return kept


def test_files_beside_the_refused_rows_are_none_of_them(quarantine, tmp_path):
    for folder in ("", "core_pitches", f"core_pitches/game_date={DAY}"):
        (tmp_path / "lake/quarantine" / folder / ".DS_Store").write_bytes(b"Bud1")
    assert sorted(quarantine.list()["row"]) == ["a", "b", "c"]
    assert quarantine.compact("core_pitches", DAY) == 0


@pytest.mark.parametrize("damage", [b"", b"PAR1", b"PAR1 half of a file PAR1", b"\x00" * 400])
def test_refused_rows_that_cannot_be_read_are_named_with_a_way_out(quarantine, tmp_path, damage):
    (file,) = (tmp_path / f"lake/quarantine/core_pitches/game_date={DAY}").iterdir()
    file.write_bytes(damage)
    for ask in (
        quarantine.list,
        lambda: quarantine.show("0" * 16),
        lambda: quarantine.put("core_pitches", DAY, refused("d"), run_id="r2", raw_ref=None),
        lambda: quarantine.settle("core_pitches", DAY, refused(), run_id="r2"),
    ):
        with pytest.raises(LakeError) as told:
            ask()
        assert str(file) in told.value.message
        assert "move it away" in told.value.message
    assert quarantine.list("core_games")["row"].to_list() == ["c"]
    file.unlink()
    assert quarantine.put("core_pitches", DAY, refused("a", "b"), run_id="r2", raw_ref=None) == 2
    assert sorted(quarantine.list()["row"]) == ["a", "b", "c"]


STEPS = {
    "opening": (Path, "open"),
    "syncing": (os, "fsync"),
    "renaming": (Path, "replace"),
    "making": (Path, "mkdir"),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_write_that_fails_at_any_step_leaves_the_old_rows_and_no_half_file(lake, frame, monkeypatch, tmp_path, step):
    lake.write("out_features", DAY, frame)

    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        only_here(patch, *STEPS[step], fail)
        with pytest.raises(LakeError, match=r"No space left.*old content stands.*run again"):
            lake.write("out_features", DAY, frame.head(1))
    assert_frame_equal(lake.read("out_features", DAY), frame)
    assert [each.name for each in (tmp_path / f"lake/out_features/game_date={DAY}").iterdir()] == ["part.parquet"]
    assert lake.write("out_features", DAY, frame.head(1)).changed


def test_a_partition_of_another_program_without_a_hash_is_replaced_by_the_next_write(lake, tmp_path):
    games = pl.DataFrame(
        [dict.fromkeys(tables.GAMES.schema) | {"game_pk": 7, "game_date": DAY}], schema=tables.GAMES.schema
    )
    path = tmp_path / f"lake/core_games/game_date={DAY}/part.parquet"
    path.parent.mkdir(parents=True)
    games.write_parquet(path)
    assert lake.content_hash("core_games", DAY) is None
    assert lake.write("core_games", DAY, games).changed
    assert lake.content_hash("core_games", DAY) is not None


def test_a_narrower_number_of_an_older_file_reads_as_the_wider_one_of_today_and_text_does_not(lake, tmp_path):
    path = tmp_path / f"lake/core_games/game_date={DAY}/part.parquet"
    path.parent.mkdir(parents=True)
    wide = tables.GAMES.schema["game_pk"]
    pl.DataFrame({"game_pk": pl.Series([7], dtype=pl.Int32), "game_date": [DAY], "mood": ["good"]}).write_parquet(path)
    found = lake.read("core_games", DAY)
    assert (found.schema["game_pk"], found["game_pk"].to_list()) == (wide, [7])
    assert "mood" not in found.columns
    pl.DataFrame({"game_pk": ["7"], "game_date": [DAY]}).write_parquet(path)
    with pytest.raises(LakeError, match=r"part\.parquet cannot be read .*write that day again"):
        lake.read("core_games", DAY)


def test_rows_that_are_damaged_under_a_whole_footer_are_told_with_what_brings_them_back(lake, frame):
    """The footer holds the hash, so the same rows are not written over them: the file has to go first, as it is said."""
    path = Path(lake.write("out_features", DAY, frame).path)
    content = bytearray(path.read_bytes())
    content[8:40] = bytes(32)
    path.write_bytes(content)
    assert not lake.write("out_features", DAY, frame).changed
    with pytest.raises(
        LakeError, match=r"part\.parquet cannot be read .*; remove that file, then write that day again"
    ):
        lake.read("out_features", DAY)
    lake.remove("out_features", DAY)
    assert lake.write("out_features", DAY, frame).changed
    assert_frame_equal(lake.read("out_features", DAY), frame)


def test_days_in_the_bucket_are_the_same_days(frame, tmp_path):
    lake = Lake(f"memory://{tmp_path.name}/lake")
    lake.write("out_features", DAY, frame)
    lake.place.replace("out_features/game_date=2025-6-1/part.parquet", b"x")
    with pytest.raises(LakeError, match="2025-6-1 is no day's partition"):
        lake.days("out_features")
    lake.remove("out_features", DAY)
    lake.place.remove("out_features/game_date=2025-6-1/part.parquet")
    assert lake.days("out_features") == set()


@pytest.mark.parametrize("what", ["read", "remove"])
def test_what_the_disk_refuses_is_an_error_of_the_lake_with_what_to_do(lake, what):
    path = lake.place.root / f"core_games/game_date={DAY}/part.parquet"
    path.mkdir(parents=True)  # a folder where the file should be: the system refuses, whoever asks
    (path / "kept").touch()
    with pytest.raises(
        LakeError, match=r"part\.parquet could not be (read|removed) \(.*\); nothing was changed\. Look"
    ):
        getattr(lake, what)("core_games", DAY)
    assert (path / "kept").is_file()


def test_a_name_that_no_disk_takes_cannot_be_listed_and_a_file_has_nothing_in_it(lake):
    lake.place.replace("a file", b"")
    assert lake.place.list("a file") == []
    assert lake.place.list("no such folder") == []
    with pytest.raises(LakeError, match=r"could not be listed \(File name too long\)"):
        lake.place.list("x" * 300)
