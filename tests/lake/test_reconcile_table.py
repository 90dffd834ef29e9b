"""Every state that a key may be in, with and without its partition: what a repair makes of it, and that it makes it once."""

from __future__ import annotations

import datetime as dt
import os
import socket
import subprocess
import sys

import polars as pl
import pytest

from backstop import tables
from backstop.errors import LakeError
from backstop.lake import lease
from backstop.lake.closing import Closing
from backstop.lake.entries import Counts
from backstop.lake.ledger import Ledger
from backstop.lake.notes import Note
from backstop.lake.quarantine import Quarantine
from backstop.lake.reconcile import UNKNOWN, reconcile
from backstop.lake.states import State
from backstop.lake.tables import Lake
from tests.here import only_here
from tests.lake.conftest import DAY

KEY, TABLE = DAY.isoformat(), "core_games"
ROWS = 3


def games(count):
    rows = [dict.fromkeys(tables.GAMES.schema) | {"game_pk": pk, "game_date": DAY} for pk in range(count)]
    return pl.DataFrame(rows, schema=tables.GAMES.schema)


@pytest.fixture
def ledger(tmp_path, clock):
    """A ledger in SQLite: what a repair decides does not depend on the database."""
    opened = Ledger.connect(f"sqlite:///{tmp_path}/ledger.sqlite", clock)
    yield opened
    opened.close()


def closed(ledger, state, digest):
    """Bring the key to a state, as run r1 left it."""
    known = {"run_id": "r1", "content_hash": digest}
    match state:
        case "unheard of":
            return
        case "expected":
            ledger.expect(TABLE, [KEY])
            return
        case "empty":
            ledger.empty(TABLE, KEY, run_id="r1", reason="no games")
            return
    ledger.begin(TABLE, KEY, run_id="r1", lease_s=0 if state == "running, dead" else 60)
    match state:
        case "running, dead" if digest is not None:
            closing = Closing("r1", Counts(ROWS + 1, ROWS, 1), "", digest)
            ledger.renew(TABLE, KEY, run_id="r1", closing=closing, lease_s=0)
        case "complete" | "stale":
            ledger.complete(TABLE, KEY, rows_in=ROWS, rows_loaded=ROWS, **known)
        case "degraded":
            ledger.degrade(TABLE, KEY, reason="late", rows_in=ROWS, rows_loaded=ROWS, **known)
        case "failed":
            ledger.fail(TABLE, KEY, run_id="r1", reason="refused", rows_in=ROWS)
    if state == "stale":
        ledger.stale(TABLE, [KEY], reason="corrected")


LEFT = None
CASES = [
    # state, the hash it knows, without its file, with it
    ("unheard of", None, LEFT, State.DEGRADED),
    ("expected", None, LEFT, State.DEGRADED),
    ("running, alive", None, LEFT, LEFT),
    ("running, dead", None, State.FAILED, State.FAILED),
    ("running, dead", "same", State.FAILED, State.COMPLETE),
    ("running, dead", "other", State.FAILED, State.FAILED),
    ("complete", "same", State.STALE, LEFT),
    ("complete", "other", State.STALE, State.COMPLETE),
    ("complete", None, LEFT, State.COMPLETE),
    ("degraded", "same", State.STALE, LEFT),
    ("degraded", "other", State.STALE, State.DEGRADED),
    ("degraded", None, LEFT, State.DEGRADED),
    ("empty", None, LEFT, State.COMPLETE),
    ("failed", None, LEFT, LEFT),
    ("stale", "same", LEFT, LEFT),
    ("stale", "other", LEFT, LEFT),
]


@pytest.mark.parametrize("is_there", [False, True], ids=["without its file", "with its file"])
@pytest.mark.parametrize(
    ("state", "known", "without", "with_file"), CASES, ids=[f"{each[0]}-{each[1]}" for each in CASES]
)
def test_a_repair_is_what_state_and_partition_make_it_and_is_made_once(
    lake, ledger, clock, state, known, without, with_file, is_there
):
    quarantine = Quarantine(lake, clock)
    digest = lake.write(TABLE, DAY, games(ROWS)).content_hash
    refused = pl.DataFrame({"row": ["{}"], "rule": ["r"], "reason": ["x"]})
    quarantine.put(TABLE, DAY, refused, run_id="r1", raw_ref=None)
    if not is_there:
        lake.remove(TABLE, DAY)
    closed(ledger, state, {"same": digest, "other": "0" * 64, None: None}[known])
    before = ledger.entry(TABLE, KEY)
    after = with_file if is_there else without
    repairs = reconcile(lake, ledger, quarantine, [TABLE], run_id="repair")
    entry = ledger.entry(TABLE, KEY)
    if after is LEFT:
        assert repairs == []
        assert entry == before
        return
    (repair,) = repairs
    assert (repair.table, repair.key, repair.before, repair.after) == (TABLE, KEY, before and before.state, after)
    assert entry.state is after
    if after is State.DEGRADED:
        assert entry.reason == UNKNOWN
    if after in {State.COMPLETE, State.DEGRADED}:
        assert (entry.rows_in, entry.rows_loaded, entry.rows_quarantined, entry.rows_failed) == (ROWS + 1, ROWS, 1, 0)
        assert (entry.content_hash, entry.run_id, entry.lease_owner) == (digest, "repair", None)
    else:
        assert entry.reason
        assert ledger.missing(TABLE, [KEY]) == [KEY]
    assert reconcile(lake, ledger, quarantine, [TABLE], run_id="again") == []


def test_days_and_tables_are_repaired_one_by_one_and_each_is_told(lake, ledger, clock):
    days = [DAY + dt.timedelta(days=n) for n in range(3)]
    for day in days:
        lake.write("t", day, pl.DataFrame({"n": [1]}))
    lake.write("u", DAY, pl.DataFrame({"n": [1, 2]}))
    repairs = reconcile(lake, ledger, Quarantine(lake, clock), ["u", "t", "nothing"], run_id="r2")
    assert [(each.table, each.key) for each in repairs] == [("u", KEY), *(("t", day.isoformat()) for day in days)]
    assert repairs[0].reason == "the partition holds 2 rows that the ledger did not know"


@pytest.mark.parametrize("state", ["unheard of", "expected", "running, dead", "complete"])
def test_a_partition_that_cannot_be_read_is_named_and_its_key_is_free_for_whoever_writes_it_anew(
    lake, ledger, clock, tmp_path, state
):
    lake.write(TABLE, DAY, games(ROWS))
    path = tmp_path / "lake" / TABLE / f"game_date={KEY}" / "part.parquet"
    content = bytearray(path.read_bytes())
    content[10:60] = bytes(50)  # the footer, which holds the hash, is whole: the rows are not
    path.write_bytes(content)
    closed(ledger, state, "0" * 64)
    before = ledger.entry(TABLE, KEY)
    with pytest.raises(LakeError, match=f"{TABLE} of {KEY} has a partition that cannot be read"):
        reconcile(lake, ledger, Quarantine(lake, clock), [TABLE], run_id="r2")
    assert ledger.entry(TABLE, KEY) == before
    assert ledger.begin(TABLE, KEY, run_id="r3").run_id == "r3"
    assert lake.write(TABLE, DAY, games(ROWS + 1)).changed


# Who works on a key


def test_this_process_is_alive_and_knows_itself():
    host, pid, started, _ = lease.owner().split("/")
    assert (host, int(pid)) == (socket.gethostname(), os.getpid())
    assert int(started) > 0
    assert not lease.is_gone(lease.owner())


def test_a_process_that_ended_is_gone_and_so_is_one_whose_number_another_has_now():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert lease.is_gone(f"{socket.gethostname()}/{ended.pid}/1")
    assert lease.is_gone(f"{socket.gethostname()}/{os.getpid()}/1")


def test_of_another_machine_nothing_is_known_whatever_its_name_looks_like():
    for host in ("another", "rack/7", f"{socket.gethostname()}.example"):
        assert not lease.is_gone(f"{host}/{os.getpid()}/1")


def test_a_process_of_another_user_is_alive(monkeypatch):
    def forbidden(_pid, _signal):
        raise PermissionError

    only_here(monkeypatch, os, "kill", forbidden)
    assert not lease.is_gone(f"{socket.gethostname()}/{os.getpid()}/1")


def test_a_lake_in_a_bucket_is_repaired_alike(ledger, clock, tmp_path):
    lake = Lake(f"memory://{tmp_path.name}/lake")
    lake.write(TABLE, DAY, games(ROWS), Note(Closing("r1", Counts(ROWS, ROWS), "", None), clock.now()))
    (repair,) = reconcile(lake, ledger, Quarantine(lake, clock), [TABLE], run_id="r2")
    assert repair.after is State.COMPLETE
    lake.remove(TABLE, DAY)
    (repair,) = reconcile(lake, ledger, Quarantine(lake, clock), [TABLE], run_id="r3")
    assert repair.after is State.STALE
