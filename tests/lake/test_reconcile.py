import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from backstop import tables
from backstop.errors import LakeError
from backstop.lake.bucket import Bucket
from backstop.lake.places import Folder
from backstop.lake.quarantine import Quarantine
from backstop.lake.reconcile import reconcile
from backstop.lake.states import State
from backstop.lake.tables import Lake
from tests.here import only_here
from tests.lake.conftest import DAY

KEY = DAY.isoformat()
TABLE = "core_games"


@pytest.fixture
def quarantine(lake, clock):
    return Quarantine(lake, clock)


def games(*pks: int) -> pl.DataFrame:
    rows = [dict.fromkeys(tables.GAMES.schema) | {"game_pk": pk, "game_date": DAY} for pk in pks]
    return pl.DataFrame(rows, schema=tables.GAMES.schema)


def refused(*pks: int) -> pl.DataFrame:
    return pl.DataFrame({"row": [f'{{"game_pk": {pk}}}' for pk in pks], "rule": "venue_known", "reason": "no venue"})


KILLED_AFTER_THE_WRITE = """
import datetime as dt, os, signal, sys
from backstop.lake.closing import Closing
from backstop.lake.content import content_hash
from backstop.lake.entries import Counts
from backstop.lake.ledger import Ledger
from backstop.lake.quarantine import Quarantine
from backstop.lake.tables import Lake
from tests.lake.test_reconcile import DAY, KEY, TABLE, games, refused
lake, ledger = Lake(sys.argv[1]), Ledger.connect(sys.argv[2])
ledger.begin(TABLE, KEY, run_id="killed")
Quarantine(lake).put(TABLE, DAY, refused(9), run_id="killed", raw_ref="abc")
rows = lake.ordered(TABLE, games(1, 2, 3))
ledger.renew(TABLE, KEY, run_id="killed", closing=Closing("killed", Counts(4, 3, 1), "", content_hash(rows)))
lake.write(TABLE, DAY, rows)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_crash_between_data_and_ledger_is_repaired_with_every_row_counted(lake, ledger, quarantine, tmp_path):
    arguments = [
        sys.executable,
        "-c",
        KILLED_AFTER_THE_WRITE,
        str(tmp_path / "lake"),
        ledger.engine.url.render_as_string(hide_password=False),
    ]
    root = str(Path(__file__).resolve().parents[2])
    assert subprocess.run(arguments, check=False, cwd=root, env={**os.environ, "PYTHONPATH": root}).returncode == -9
    assert ledger.entry(TABLE, KEY).state is State.RUNNING
    repairs = reconcile(lake, ledger, quarantine, [TABLE], run_id="r2")
    assert [(each.key, each.before, each.after) for each in repairs] == [(KEY, State.RUNNING, State.COMPLETE)]
    entry = ledger.entry(TABLE, KEY)
    assert (entry.rows_in, entry.rows_loaded, entry.rows_quarantined) == (4, 3, 1)
    assert entry.content_hash == lake.content_hash(TABLE, DAY)
    assert reconcile(lake, ledger, quarantine, [TABLE], run_id="r3") == []


def test_a_partition_that_changed_behind_the_ledger_wins(lake, ledger, quarantine):
    written = lake.write(TABLE, DAY, games(1, 2))
    ledger.begin(TABLE, KEY, run_id="r1")
    ledger.complete(TABLE, KEY, run_id="r1", rows_in=2, rows_loaded=2, content_hash=written.content_hash)
    lake.write(TABLE, DAY, games(1, 2, 3))
    reconcile(lake, ledger, quarantine, [TABLE], run_id="r2")
    assert ledger.entry(TABLE, KEY).rows_loaded == 3


def test_an_entry_whose_partition_is_gone_is_done_again(lake, ledger, quarantine):
    written = lake.write(TABLE, DAY, games(1))
    ledger.begin(TABLE, KEY, run_id="r1")
    ledger.complete(TABLE, KEY, run_id="r1", rows_in=1, rows_loaded=1, content_hash=written.content_hash)
    lake.remove(TABLE, DAY)
    assert reconcile(lake, ledger, quarantine, [TABLE], run_id="r2")[0].after is State.STALE
    assert ledger.missing(TABLE, [KEY]) == [KEY]


def test_a_living_run_is_left_alone(lake, ledger, quarantine):
    ledger.begin(TABLE, KEY, run_id="r1")
    lake.write(TABLE, DAY, games(1))
    assert reconcile(lake, ledger, quarantine, [TABLE], run_id="r2") == []
    assert ledger.entry(TABLE, KEY).run_id == "r1"


def test_a_run_whose_lease_ran_out_before_it_wrote_anything_has_failed(lake, ledger, quarantine, clock):
    ledger.begin(TABLE, KEY, run_id="r1", lease_s=10)
    clock.advance(11)
    assert reconcile(lake, ledger, quarantine, [TABLE], run_id="r2")[0].after is State.FAILED


def test_a_failed_day_and_a_key_that_is_no_day_stay_as_they_are(lake, ledger, quarantine):
    lake.write(TABLE, DAY, games(1))
    ledger.begin(TABLE, KEY, run_id="r1")
    ledger.fail(TABLE, KEY, run_id="r1", reason="blocked by a rule", rows_in=5)
    ledger.begin(TABLE, "777001", run_id="r1")
    ledger.complete(TABLE, "777001", run_id="r1", rows_in=0, rows_loaded=0)
    assert reconcile(lake, ledger, quarantine, [TABLE], run_id="r2") == []


class Failing:
    """A file system that refuses every write after the n-th."""

    def __init__(self, filesystem, writes):
        self.filesystem, self.writes = filesystem, writes

    def __getattr__(self, name):
        return getattr(self.filesystem, name)

    def pipe_file(self, path, content):
        self.writes -= 1
        if self.writes < 0:
            raise OSError("503 Slow Down")
        self.filesystem.pipe_file(path, content)


def test_an_object_store_that_fails_leaves_the_old_rows(tmp_path):
    from fsspec.implementations.memory import MemoryFileSystem

    lake = Lake(Bucket(f"memory://{tmp_path.name}", Failing(MemoryFileSystem(), 1)))
    lake.write(TABLE, DAY, games(1))
    with pytest.raises(LakeError, match=r"503 Slow Down.*old content stands"):
        lake.write(TABLE, DAY, games(1, 2))
    assert lake.read(TABLE, DAY)["game_pk"].to_list() == [1]


def test_a_full_disk_leaves_the_old_rows_and_no_half_file(lake, monkeypatch, tmp_path):
    lake.write(TABLE, DAY, games(1))

    def full(_):
        raise OSError(28, "No space left on device")

    only_here(monkeypatch, os, "fsync", full)
    with pytest.raises(LakeError, match="No space left"):
        lake.write(TABLE, DAY, games(1, 2))
    monkeypatch.undo()
    assert lake.read(TABLE, DAY)["game_pk"].to_list() == [1]
    assert [path.name for path in (tmp_path / "lake/core_games/game_date=2025-06-15").iterdir()] == ["part.parquet"]


def test_a_file_left_by_a_killed_writer_is_not_seen(tmp_path):
    folder = Folder(tmp_path)
    folder.replace("t/a", b"1")
    (tmp_path / "t" / ".tmp-1-ab").write_bytes(b"half")
    assert folder.list("t") == ["a"]
    assert folder.list("nowhere") == []
    assert folder.read("t/b") is None
    folder.remove("t/b")
