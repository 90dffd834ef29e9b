"""The same slate on every kind of server: Valkey, Redis, a cluster of three, a master behind sentinels."""

import contextlib
import datetime as dt
import os
import signal
import subprocess

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from backstop.clock import FixedClock
from backstop.errors import IncompleteVersion, StaleVersion, StoreError, StoreUnavailable
from backstop.store import keys
from backstop.store.connection import connect_url
from backstop.store.loader import SlateWriter
from backstop.store.reader import SlateReader, State
from backstop.store.slates import Slates
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, features, props
from tests.store.servers import Server, binary, cluster, free_port, wait_for


def a_whole_life(client):
    """Publish, read, replace, refuse, turn back, list: what every server must do alike."""
    clock = FixedClock(dt.datetime.now(dt.UTC))
    writer, reader = SlateWriter(client, clock), SlateReader(client, clock)
    days = [DAY + dt.timedelta(days=n) for n in range(4)]
    for day in days:
        for seed in (1, 2):
            draft = writer.open(day, cutoff=CUTOFF, run_id=f"r{seed}", rows={"props": 20_000})
            writer.load(draft, "props", props(seed=seed))
            writer.load(draft, "features", features(seed=seed))
            assert writer.publish(draft, {"props": 720, "features": 63}, {"seed": seed}).served
    assert reader.days() == days
    for day in days:
        assert reader.slate(day).meta == {"seed": 2}
        assert_frame_equal(reader.props(day).sort("prop_id"), props(seed=2).sort("prop_id"), check_column_order=False)
        assert [len(view.props) for view in reader.players([600_001, 1, 600_002], day)] == [12, 0, 12]
        assert len(reader.props(day, "batter_hits", limit=5)) == 5
    late = writer.open(DAY, cutoff=CUTOFF - dt.timedelta(days=1), run_id="late")
    writer.load(late, "props", props(seed=3))
    with pytest.raises(StaleVersion):
        writer.publish(late, {"props": 720}, {})
    writer.abandon(late)
    Slates(client).rollback(DAY)
    assert reader.slate(DAY).meta == {"seed": 1}
    assert len(Slates(client).diff(DAY, 1, 2).changed) > 0
    Slates(client).pin(DAY, 1)
    assert Slates(client).unpin(DAY) == reader.slate(DAY).version == 2


@pytest.mark.parametrize("name", ["valkey", pytest.param("redis-server", marks=pytest.mark.redis_server)])
def test_one_server(tmp_path, name):
    with Server(tmp_path, name) as server, contextlib.closing(connect_url(server.url)) as client:
        a_whole_life(client)


@pytest.mark.parametrize("name", ["valkey", pytest.param("redis-server", marks=pytest.mark.redis_server)])
def test_a_cluster_of_three(tmp_path, name):
    with cluster(tmp_path, name) as url, contextlib.closing(connect_url(url)) as client:
        a_whole_life(client)
        slots = {client.keyslot(keys.SlateKeys(DAY + dt.timedelta(days=n)).current) // 5462 for n in range(4)}
        assert len(slots) > 1


@pytest.fixture
def watched(tmp_path):
    """A master and its replica behind a sentinel; yields the address for clients, and both."""
    port = free_port()
    (tmp_path / "sentinel").mkdir()
    with Server(tmp_path / "a", "redis-server") as first, Server(tmp_path / "b", "redis-server") as second:
        with contextlib.closing(connect_url(second.url)) as replica:
            replica.execute_command("REPLICAOF", "127.0.0.1", first.port)
            wait_for(lambda: replica.info("replication")["master_link_status"] == "up")
        config = tmp_path / "sentinel" / "sentinel.conf"
        config.write_text(
            f"port {port}\nbind 127.0.0.1\ndir {tmp_path}\nsentinel monitor slates 127.0.0.1 {first.port} 1\n"
            "sentinel down-after-milliseconds slates 300\nsentinel failover-timeout slates 3000\n"
        )
        sentinel = subprocess.Popen(
            [str(binary("redis-server")), str(config), "--sentinel"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"redis+sentinel://127.0.0.1:{port}/slates/0"
            wait_for(lambda: _tried(lambda: connect_url(url).close()))
            # the sentinel must know the replica before it can promote it
            with contextlib.closing(connect_url(f"redis://127.0.0.1:{port}")) as watch:
                wait_for(lambda: len(watch.execute_command("SENTINEL", "REPLICAS", "slates")) == 1)
            yield url, first, second
        finally:
            sentinel.kill()
            sentinel.wait()


def _tried(step):
    """Whether a step is done; it is not while nobody is the master."""
    try:
        step()
    except (StoreUnavailable, StoreError):
        return False
    return True


@pytest.mark.redis_server
def test_a_master_behind_sentinels_is_found_again_after_it_died(watched):
    url, first, _ = watched
    with contextlib.closing(connect_url(url)) as client:
        clock = FixedClock(dt.datetime.now(dt.UTC))
        writer, reader = SlateWriter(client, clock), SlateReader(client, clock)
        draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
        writer.load(draft, "props", props())
        writer.publish(draft, {"props": 720}, {})
        client.wait(1, 5000)
        first.kill()
        wait_for(lambda: _tried(lambda: reader.slate(DAY)))
        assert reader.slate(DAY).state is State.FRESH
        later = writer.open(DAY, cutoff=CUTOFF, run_id="r2")
        writer.load(later, "props", props(seed=2))
        assert writer.publish(later, {"props": 720}, {}).version == 2


@pytest.mark.redis_server
@pytest.mark.parametrize("is_lost", [False, True], ids=["rows were copied before", "rows went down with the master"])
def test_a_failover_in_mid_load_publishes_every_row_or_nothing(watched, is_lost):
    url, first, second = watched
    with contextlib.closing(connect_url(url)) as client:
        clock = FixedClock(dt.datetime.now(dt.UTC))
        writer, reader = SlateWriter(client, clock), SlateReader(client, clock)

        def begin(seed):
            return writer.open(DAY, cutoff=CUTOFF, run_id=f"r{seed}")

        draft = begin(1)
        writer.load(draft, "props", props(seed=1))
        writer.publish(draft, {"props": 720}, {"seed": 1})
        halves = [props(30, seed=2), props(30, seed=2, first=600_030)]
        draft = begin(2)
        client.wait(1, 5000)
        if is_lost:
            os.kill(second.process.pid, signal.SIGSTOP)
            client.execute_command("CLIENT", "KILL", "TYPE", "replica")
        writer.load(draft, "props", halves[0])
        if not is_lost:
            client.wait(1, 5000)
        first.kill()
        os.kill(second.process.pid, signal.SIGCONT)
        wait_for(lambda: _tried(lambda: writer.load(draft, "props", halves[1])))
        assert (reader.slate(DAY).meta, reader.props(DAY).height) == ({"seed": 1}, 720)
        if is_lost:
            with pytest.raises(IncompleteVersion, match="360 rows were loaded, expected 720"):
                writer.publish(draft, {"props": 720}, {"seed": 2})
            assert reader.slate(DAY).meta == {"seed": 1}
            draft = begin(2)
            writer.load(draft, "props", halves[0])
        assert writer.publish(draft, {"props": 720}, {"seed": 2}).version == 2
        assert reader.slate(DAY).meta == {"seed": 2}
        expected = pl.concat(halves).sort("prop_id")
        assert_frame_equal(reader.props(DAY).sort("prop_id"), expected, check_column_order=False)


def test_a_replica_is_named_as_the_reason_it_takes_no_rows(tmp_path):
    with (
        Server(tmp_path / "a") as master,
        Server(tmp_path / "b") as replica,
        contextlib.closing(connect_url(replica.url)) as client,
    ):
        client.execute_command("REPLICAOF", "127.0.0.1", master.port)
        wait_for(lambda: client.info("replication")["master_link_status"] == "up")
        with pytest.raises(StoreError, match="read-only replica"):
            SlateWriter(client, FixedClock(dt.datetime.now(dt.UTC))).open(DAY, cutoff=CUTOFF, run_id="r1")


def test_a_replica_serves_reads(tmp_path):
    with (
        Server(tmp_path / "a") as master,
        Server(tmp_path / "b") as replica,
        contextlib.closing(connect_url(master.url)) as near,
        contextlib.closing(connect_url(replica.url)) as far,
    ):
        clock = FixedClock(dt.datetime.now(dt.UTC))
        writer = SlateWriter(near, clock)
        draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
        writer.load(draft, "props", props())
        writer.publish(draft, {"props": 720}, {})
        far.execute_command("REPLICAOF", "127.0.0.1", master.port)
        wait_for(lambda: far.info("replication")["master_link_status"] == "up")
        assert SlateReader(far, clock).slate(DAY).state is State.FRESH
        assert len(SlateReader(far, clock).player(600_001, DAY).props) == 12
