"""A lake in an S3-compatible store: a server on loopback, spoken to through s3fs as any bucket would be."""

import datetime as dt
import os
import threading

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backstop import tables
from backstop.clock import FixedClock
from backstop.errors import ConfigurationError, LakeError
from backstop.lake import turns
from backstop.lake.bucket import Bucket
from backstop.lake.closing import Closing
from backstop.lake.entries import Counts
from backstop.lake.ledger import Ledger
from backstop.lake.notes import Note
from backstop.lake.quarantine import Quarantine
from backstop.lake.reconcile import reconcile
from backstop.lake.tables import Lake
from backstop.settings import Settings
from backstop.stages.house import House
from tests.lake.conftest import DAY

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def store():
    """The server's address, in the environment as a user would set it."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": f"http://{host}:{port}"}.items():
            patch.setenv(name, value)
        yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def address(store, request):
    """A bucket of the test's own."""
    import s3fs

    bucket = f"b{abs(hash(request.node.name)):x}"
    filesystem = s3fs.S3FileSystem(skip_instance_cache=True)
    filesystem.mkdir(bucket)
    return f"s3://{bucket}/lake"


def rows(n: int, day: dt.date = DAY) -> pl.DataFrame:
    return pl.DataFrame({"game_date": [day] * 300, "n": [n] * 300, "text": [f"row {n}"] * 300})


def test_what_was_written_is_read_listed_scanned_and_removed(address):
    lake = Lake(address)
    days = [DAY + dt.timedelta(days=n) for n in range(4)]
    for n, day in enumerate(days):
        assert lake.write("t", day, rows(n, day)).path == f"{address}/t/game_date={day}/part.parquet"
    other = Lake(address)
    assert other.days("t") == set(days)
    assert other.tables() == ["t"]
    assert_frame_equal(other.read("t", days[2]), rows(2, days[2]))
    scanned = other.scan("t", days[1], days[2]).collect()
    assert_frame_equal(scanned, pl.concat([rows(1, days[1]), rows(2, days[2])]))
    lake.remove("t", days[0])
    lake.remove("t", days[0])
    assert other.days("t") == set(days[1:])
    assert len(other.place.read_many([f"t/game_date={day}/part.parquet" for day in days])) == 3
    with pytest.raises(LakeError, match="no partition"):
        other.read("t", days[0])


def test_the_same_rows_are_not_put_again(address):
    lake = Lake(address)
    first = lake.write("t", DAY, rows(1))
    stamp = lake.place.filesystem.info(f"{lake.place.prefix}/t/game_date={DAY}/part.parquet")["LastModified"]
    again = Lake(address).write("t", DAY, rows(1))
    assert (first.changed, again.changed, again.content_hash) == (True, False, first.content_hash)
    lake.place.filesystem.invalidate_cache()
    assert lake.place.filesystem.info(f"{lake.place.prefix}/t/game_date={DAY}/part.parquet")["LastModified"] == stamp
    assert lake.write("t", DAY, rows(2)).changed


def test_a_reader_during_a_replacement_sees_the_old_rows_or_the_new_ones(address):
    Lake(address).write("t", DAY, rows(0))
    done, seen, torn = threading.Event(), set(), []

    def read():
        reader = Lake(address)
        while not done.is_set():
            found = reader.read("t", DAY)
            seen.add(found["n"][0])
            if found.height != 300 or found["n"].n_unique() != 1:
                torn.append(found)

    thread = threading.Thread(target=read)
    thread.start()
    writer = Lake(address)
    for n in range(1, 12):
        writer.write("t", DAY, rows(n))
    done.set()
    thread.join()
    assert not torn
    assert seen <= set(range(12))
    assert Lake(address).read("t", DAY)["n"][0] == 11


def test_quarantine_and_reconcile_work_there_too(address, tmp_path, clock):
    lake, ledger = Lake(address), Ledger.connect(f"sqlite:///{tmp_path / 'ledger.sqlite'}", clock)
    quarantine = Quarantine(lake, clock)
    refused = pl.DataFrame({"row": ["a", "b"], "rule": ["r", "r"], "reason": ["x", "x"]})
    assert quarantine.put("t", DAY, refused, run_id="r1", raw_ref=None) == 2
    closing = Closing("r1", Counts(302, 300, 2), "", None)
    lake.write("t", DAY, rows(1), Note(closing, clock.now()))
    (repair,) = reconcile(lake, ledger, quarantine, ["t"], run_id="r2")
    assert repair.after == "complete"
    entry = ledger.entry("t", DAY.isoformat())
    assert (entry.rows_in, entry.rows_loaded, entry.rows_quarantined) == (302, 300, 2)
    assert quarantine.settle("t", DAY, refused.head(1), run_id="r3") == 1
    ledger.close()


def test_a_store_that_is_gone_is_named(address, monkeypatch, unused_port):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{unused_port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()
    with pytest.raises(LakeError, match="could not be"):
        Lake(address).write("t", DAY, rows(1))
    s3fs.S3FileSystem.clear_instance_cache()


def test_a_bucket_that_does_not_exist_is_named(store):
    with pytest.raises(LakeError, match="could not be replaced"):
        Lake("s3://nobody-made-this/lake").write("t", DAY, rows(1))


def test_the_setting_puts_the_houses_lake_into_the_store(address, tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("BACKSTOP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("BACKSTOP_LAKE_URL", address)
    monkeypatch.setenv("BACKSTOP_HOME", str(tmp_path / "home"))
    house = House(Settings(_env_file=None), FixedClock(dt.datetime(2025, 6, 15, 16, tzinfo=dt.UTC)))
    house.lake.write("t", DAY, rows(3))
    assert_frame_equal(Lake(address).read("t", DAY), rows(3))
    assert not (tmp_path / "home" / "lake").exists()
    declared = tables.GAMES.empty()
    house.lake.write(tables.GAMES.name, DAY, declared)
    assert house.lake.scan(tables.GAMES.name).collect().is_empty()


def test_a_scheme_that_nobody_knows_is_a_clear_error():
    with pytest.raises(ConfigurationError, match="nosuch"):
        Lake("nosuch://bucket/lake")


def test_of_several_who_create_an_object_one_does_and_turns_are_taken_by_that(address):
    one, other = Bucket(address), Bucket(address)
    assert (one.create("t/x", b"one"), other.create("t/x", b"other")) == (True, False)
    assert other.read("t/x") == b"one"
    with one.turn("t"):
        # what another process would do
        assert not turns._is_mine(other, "t", 1, b"other")
    with turns.held(other, "t"):
        assert other.names("t") == [f"{turns.MARK}00000002", "x"]
    assert one.list("t") == ["x"]
