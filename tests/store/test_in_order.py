"""A load of rows in any order leaves the same in Redis, and one that fails leaves no thread behind."""

import subprocess
import sys
import threading
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backstop.errors import DataError
from backstop.store import blocks
from backstop.store.kinds import PROPS
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, features, props

ORDERS = {
    "as its key": lambda frame: frame,
    "players in order, their props not": lambda frame: frame.sort("player_id_mlbam", "line", descending=[False, True]),
    "backwards": lambda frame: frame.reverse(),
    "woven": lambda frame: frame[[*range(0, len(frame), 2), *range(1, len(frame), 2)]],
}


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """So few rows in a block that a load has many."""
    monkeypatch.setattr(blocks.Rows.blocks, "__defaults__", (120,))


def left_by(redis, writer, frame, run_id):
    """What a load leaves: fields of each hash, members of each sorted set, under their keys without version and run."""
    draft = writer.open(DAY, cutoff=CUTOFF, run_id=run_id)
    writer.load(draft, "props", frame)
    begin = draft.keys.meta(draft.version).removesuffix("meta")
    found = {draft.published(key.decode()).removeprefix(begin): key for key in redis.keys(f"{begin}*")}
    return {
        name: redis.hgetall(key) if redis.type(key) == b"hash" else redis.zrange(key, 0, -1, withscores=True)
        for name, key in found.items()
        if name != "meta"
    }


@pytest.mark.parametrize("order", ORDERS)
def test_rows_in_any_order_leave_the_same(redis, writer, order):
    frame = props(60).sort(PROPS.key)
    expected = left_by(redis, writer, frame, "r1")
    assert {name.split(":")[0] for name in expected} == {"props", "receipts", "top"}
    assert left_by(redis, writer, ORDERS[order](frame), "r2") == expected


@pytest.mark.parametrize("row", [0, 30, 700])
def test_a_load_that_is_refused_in_any_block_leaves_no_thread_behind(writer, row):
    frame = props(60).sort(PROPS.key)
    odd = pl.when(pl.int_range(pl.len()) == row).then(float("nan")).otherwise("mean")
    before = set(threading.enumerate())
    with pytest.raises(DataError, match=r"props holds NaN or infinity: \{'mean': 1\}"):
        writer.load(writer.open(DAY, cutoff=CUTOFF, run_id="r1"), "props", frame.with_columns(mean=odd))
    assert set(threading.enumerate()) <= before


LATE = """
import sys, threading
import redis
from backstop.clock import SystemClock
from backstop.store.loader import SlateWriter
from tests.store.rows import DAY, features, props

def load():
    threading.main_thread().join()
    writer = SlateWriter(redis.Redis.from_url(sys.argv[1]), SystemClock())
    draft, some, more = writer.open(DAY, cutoff=DAY, run_id="late"), features(), props()
    loaded = {"features": writer.load(draft, "features", some), "props": writer.load(draft, "props", more)}
    writer.publish(draft, loaded)

threading.Thread(target=load).start()
"""


def test_a_load_in_a_thread_that_outlives_the_main_one_does_without_another_thread(reader, embedded_url):
    late = [sys.executable, "-c", LATE, embedded_url]
    ended = subprocess.run(late, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False, timeout=60)
    assert ended.stderr == ""
    assert_frame_equal(reader.props(DAY).sort("prop_id"), props().sort("prop_id"), check_column_order=False)
    assert len(reader.features(DAY)) == len(features())
