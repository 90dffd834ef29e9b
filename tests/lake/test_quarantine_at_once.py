"""Quarantine of one partition written by several processes at once: no change of a row is lost."""

from __future__ import annotations

import contextlib
import multiprocessing
import threading
from pathlib import Path

import polars as pl
import pytest

from backstop.lake import bucket
from backstop.lake.bucket import Bucket
from backstop.lake.places import Folder
from backstop.lake.quarantine import Quarantine
from backstop.lake.tables import Lake
from tests.lake.conftest import DAY

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.lake.test_quarantine_at_once"])
TABLE, ROWS, WRITERS = "out_props", 40, 4


def refused(numbers: range) -> pl.DataFrame:
    rows = [f'{{"n": {n}}}' for n in numbers]
    return pl.DataFrame({"row": rows, "rule": ["line_within"] * len(rows), "reason": ["too high"] * len(rows)})


def share(writer: int) -> range:
    return range(writer * ROWS // WRITERS, (writer + 1) * ROWS // WRITERS)


class Apart(dict):
    """Locks of threads that know nothing of one another, as if each were a process of its own."""

    def __getitem__(self, folder):
        return threading.Lock()


@pytest.fixture(params=["folder", "bucket", "bucket of several processes"])
def place(request, tmp_path, monkeypatch):
    if request.param == "bucket of several processes":
        monkeypatch.setattr(bucket, "_TURNS", Apart())
    return Folder(tmp_path / "lake") if request.param == "folder" else Bucket(f"memory://{tmp_path.name}/lake")


@pytest.fixture
def compacted(place):
    """Forty rows in one file, all of which had left the quarantine."""
    quarantine = Quarantine(Lake(place))
    for writer in range(WRITERS):
        quarantine.put(TABLE, DAY, refused(share(writer)), run_id="r1", raw_ref=None)
    assert quarantine.compact(TABLE, DAY) == WRITERS - 1
    assert quarantine.settle(TABLE, DAY, refused(range(0)), run_id="r2") == ROWS
    return quarantine


def slowly(quarantine: Quarantine, together: threading.Barrier) -> Quarantine:
    """A view of a quarantine whose every look at the files waits until all others have looked, if they may."""
    looked = quarantine._files

    def files(*which):
        found = list(looked(*which))
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(0.2)
        return iter(found)

    quarantine._files = files
    return quarantine


def at_once(*work) -> None:
    threads = [threading.Thread(target=each) for each in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_batches_that_refuse_rows_again_at_once_all_have_them_opened(compacted):
    together = threading.Barrier(2)

    def batch(numbers):
        slow = slowly(Quarantine(Lake(compacted.place)), together)
        return lambda: slow.put(TABLE, DAY, refused(numbers), run_id="r3", raw_ref=None)

    at_once(batch(range(20)), batch(range(20, 40)))
    assert compacted.list(TABLE, DAY).height == ROWS
    assert compacted.list(TABLE, DAY, state=None).height == ROWS


def test_a_row_that_is_dropped_while_files_are_put_together_stays_dropped(place):
    quarantine = Quarantine(Lake(place))
    for numbers in (range(2), range(2, 4)):
        quarantine.put(TABLE, DAY, refused(numbers), run_id="r1", raw_ref=None)
    first = quarantine.list(TABLE, DAY)["row_id"][0]
    dropping = threading.Thread(target=lambda: Quarantine(Lake(place)).drop([first], because="never will be"))
    looked = quarantine._files

    def files(*which):
        found = list(looked(*which))
        dropping.start()
        dropping.join(0.3)
        return iter(found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quarantine, "_files", files)
        quarantine.compact(TABLE, DAY)
    dropping.join(60)
    assert quarantine.show(first)["state"] == "dropped"
    assert quarantine.list(TABLE, DAY).height == 3
    assert quarantine.list(TABLE, DAY, state=None).height == 4


def put_again(root: Path, writer: int, start) -> None:
    start.wait(60)
    for n in share(writer):
        Quarantine(Lake(root)).put(TABLE, DAY, refused(range(n, n + 1)), run_id="r3", raw_ref=None)


def test_processes_too_take_turns(tmp_path):
    root = tmp_path / "lake"
    quarantine = Quarantine(Lake(root))
    quarantine.put(TABLE, DAY, refused(range(ROWS)), run_id="r1", raw_ref=None)
    quarantine.settle(TABLE, DAY, refused(range(0)), run_id="r2")
    start = PROCESSES.Barrier(WRITERS)
    writers = [PROCESSES.Process(target=put_again, args=(root, writer, start)) for writer in range(WRITERS)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0] * WRITERS
    assert quarantine.list(TABLE, DAY).height == ROWS


def test_what_turns_are_taken_by_is_no_table(tmp_path):
    lake = Lake(tmp_path / "lake")
    quarantine = Quarantine(lake)
    quarantine.put(TABLE, DAY, refused(range(1)), run_id="r1", raw_ref=None)
    assert lake.place.list("quarantine") == [TABLE]
    assert lake.tables() == ["quarantine"]
    assert quarantine.list().height == 1
