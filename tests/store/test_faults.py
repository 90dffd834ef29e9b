"""Whatever dies, whenever: readers have the old slate or the new one, every row is counted, no key stays for ever."""

import contextlib
import datetime as dt
import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection

import pytest
from redis import connection as redis_connection
from redis import exceptions

from backstop.clock import FixedClock, SystemClock
from backstop.errors import BackstopError, IncompleteVersion, StaleVersion, StoreError, StoreUnavailable
from backstop.store import keys
from backstop.store.connection import connect_url
from backstop.store.faults import explain
from backstop.store.loader import SlateWriter
from backstop.store.reader import SlateReader, State
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, features, props
from tests.store.servers import Proxy, Server, wait_for

COUNTS = {"props": 4800, "features": 420}


@pytest.fixture
def server(tmp_path):
    with Server(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def client(server):
    with contextlib.closing(connect_url(server.url)) as client:
        yield client


def writer_on(client) -> SlateWriter:
    return SlateWriter(client, FixedClock(dt.datetime.now(dt.UTC)))


def reader_on(client) -> SlateReader:
    return SlateReader(client, FixedClock(dt.datetime.now(dt.UTC)))


def load_all(writer, run_id, seed=1, players=100):
    """Load the rows of `COUNTS`, the props of so many players at a time."""
    draft = writer.open(DAY, cutoff=CUTOFF, run_id=run_id)
    writer.load(draft, "features", features(400, seed=seed))
    for first in range(600_000, 600_400, players):
        writer.load(draft, "props", props(players, seed=seed, first=first))
    return draft


def whole(client, seed_meta):
    """Every row that the slate says it has is there."""
    reader = reader_on(client)
    view = reader.slate(DAY)
    assert view.meta == seed_meta
    assert (view.props_count, view.features_count) == (4800, 420)
    assert len(reader.props(DAY)) == 4800
    assert len(reader.features(DAY)) == 420


def everlasting(client) -> set[str]:
    return {key.decode() for key in client.scan_iter() if client.ttl(key) == -1}


LASTING = {keys.SlateKeys(DAY).current, keys.SlateKeys(DAY).versions, keys.SlateKeys(DAY).sequence, keys.days()}

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["tests.store.test_faults"])
"""Loaders that are killed begin from a process that has imported everything, once for all of them."""


def load_and_die(url: str, step: int, told: Connection) -> None:
    """Load and publish a slate; die before message number `step`, of 0 never: then tell how many messages it took."""
    send, sent = redis_connection.AbstractConnection.send_packed_command, 0

    def counting(self, *args, **kwargs):
        nonlocal sent
        sent += 1
        if sent == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return send(self, *args, **kwargs)

    redis_connection.AbstractConnection.send_packed_command = counting
    with contextlib.closing(connect_url(url)) as client:
        writer = SlateWriter(client, SystemClock())
        writer.publish(load_all(writer, "loader", seed=2, players=200), COUNTS, {"seed": 2})
    told.send(sent)


def run_loader(url: str, step: int) -> tuple[int, int | None]:
    """Return a loader's exit code, and the number of messages it sent if it lived."""
    heard, told = PROCESSES.Pipe(duplex=False)
    loader = PROCESSES.Process(target=load_and_die, args=(url, step, told))
    loader.start()
    told.close()
    loader.join()
    code = loader.exitcode
    loader.close()
    with heard:
        return code, heard.recv() if code == 0 else None


@pytest.mark.slow
def test_a_loader_killed_before_any_of_its_messages_leaves_a_whole_slate_and_the_rerun_completes(client, server):
    """The kill falls once before every message that a load and publish send: before, during and after the rows, before
    the flip, after the flip. That lake and ledger follow a flip they were not told of is tested with whole runs, in
    tests/operations/test_runs.py."""
    code, messages = run_loader(server.url, 0)
    assert code == 0
    assert messages > 10
    client.flushall()
    writer = writer_on(client)
    writer.publish(load_all(writer, "first"), COUNTS, {"seed": 1})
    first = [(key, max(0, client.pttl(key)), client.dump(key)) for key in client.scan_iter()]
    seen = set()
    for step in range(1, messages + 1):
        client.flushall()
        for key, lifetime_ms, value in first:
            client.restore(key, lifetime_ms, value)
        assert run_loader(server.url, step) == (-signal.SIGKILL, None)
        now = reader_on(client).slate(DAY).meta["seed"]
        seen.add(now)
        whole(client, {"seed": now})
        assert everlasting(client) == LASTING
        again = writer.publish(load_all(writer, "loader", seed=2, players=200), COUNTS, {"seed": 2})
        assert again.served
        whole(client, {"seed": 2})
        assert everlasting(client) == LASTING
    assert seen == {1, 2}


def test_redis_restarted_empty_in_mid_load_is_noticed_and_the_rerun_completes(client, server):
    writer = writer_on(client)
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
    writer.load(draft, "props", props(100))
    server.kill()
    with pytest.raises(StoreUnavailable, match="Check that it runs"):
        writer.load(draft, "props", props(100, first=600_100))
    server.start()
    with pytest.raises(IncompleteVersion, match="gone"):
        writer.load(draft, "props", props(100, first=600_100))
    with pytest.raises(IncompleteVersion, match="gone"):
        writer.publish(draft, {"props": 2400}, {})
    assert everlasting(client) == set()
    assert reader_on(client).slate(DAY).state is State.MISSING
    writer.publish(load_all(writer, "r2"), COUNTS, {"seed": 1})
    whole(client, {"seed": 1})


def test_redis_restarted_empty_between_two_messages_of_one_load_leaves_no_key_for_ever(client, server, monkeypatch):
    """redis-py sends a pipeline again to the server that came back: its rows must not stay without a lifetime."""
    from backstop.store import pipe

    monkeypatch.setattr(pipe, "COMMANDS", 4)
    writer = writer_on(client)
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1", rows={"props": 30_000})
    flush, count = pipe.StagePipe.flush, [0]

    def interrupted(self):
        count[0] += 1
        if count[0] == 3:
            server.kill()
            server.start()
        flush(self)

    monkeypatch.setattr(pipe.StagePipe, "flush", interrupted)
    with pytest.raises(StoreError):
        writer.load(draft, "props", props(400))
    assert count[0] >= 3
    assert everlasting(client) == set()
    with pytest.raises(IncompleteVersion, match="gone"):
        writer.publish(draft, {"props": 4800}, {})


def test_redis_out_of_memory_in_mid_load_is_named_and_the_old_slate_stays(client):
    writer = writer_on(client)
    writer.publish(load_all(writer, "r1"), COUNTS, {"seed": 1})
    client.config_set("maxmemory", client.info("memory")["used_memory"] + 300_000)
    draft = writer.open(DAY, cutoff=CUTOFF, run_id="r2")
    with pytest.raises(StoreError, match="maxmemory"):
        writer.load(draft, "props", props(2000, seed=2))
    whole(client, {"seed": 1})
    with pytest.raises(StoreError):
        writer.publish(draft, {"props": 24_000}, {})
    writer.abandon(draft)
    assert everlasting(client) == LASTING
    client.config_set("maxmemory", 0)
    writer.publish(load_all(writer, "r3", seed=2), COUNTS, {"seed": 2})
    whole(client, {"seed": 2})


@pytest.mark.parametrize("key", [lambda draft: draft.rows("props", 1), lambda draft: draft.top("ev", "all")])
def test_a_key_that_redis_evicted_in_mid_load_is_missed_before_the_flip(client, key):
    writer = writer_on(client)
    draft = load_all(writer, "r1")
    assert client.unlink(key(draft)) == 1
    with pytest.raises(IncompleteVersion, match="checksum"):
        writer.publish(draft, COUNTS, {})
    assert reader_on(client).slate(DAY).state is State.MISSING


def test_a_key_lost_between_the_check_and_the_flip_is_missed_by_the_flip(client, monkeypatch):
    writer = writer_on(client)
    draft = load_all(writer, "r1")
    settle = SlateWriter._settle

    def lose(self, draft, about, sizes):
        settle(self, draft, about, sizes)
        client.unlink(draft.rows("props", 1))

    monkeypatch.setattr(SlateWriter, "_settle", lose)
    with pytest.raises(IncompleteVersion, match="holds 0 entries"):
        writer.publish(draft, COUNTS, {})
    assert reader_on(client).slate(DAY).state is State.MISSING


@pytest.mark.parametrize("cut_after", [1, 2_000, 60_000, 200_000, 400_000])
def test_a_connection_cut_in_mid_pipeline_is_repaired_and_every_row_is_counted(client, server, cut_after):
    proxy = Proxy(server.port)
    try:
        with contextlib.closing(connect_url(proxy.url)) as far:
            writer = writer_on(far)
            proxy.cut_when(cut_after)
            draft = load_all(writer, "r1")
            published = writer.publish(draft, COUNTS, {"seed": 1})
            assert proxy.cut_after is None
            assert published.rows == COUNTS
    finally:
        proxy.close()
    whole(client, {"seed": 1})
    assert everlasting(client) == LASTING


def test_two_loaders_of_one_slate_at_once_end_with_one_whole_version(client, server):
    outcomes: list[object] = []
    ready = threading.Barrier(2)

    def run(seed: int) -> None:
        with contextlib.closing(connect_url(server.url)) as own:
            writer = writer_on(own)
            ready.wait()
            draft = load_all(writer, f"r{seed}", seed=seed)
            try:
                outcomes.append(writer.publish(draft, COUNTS, {"seed": seed}))
            except BackstopError as error:
                outcomes.append(error)

    threads = [threading.Thread(target=run, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [outcome for outcome in outcomes if not isinstance(outcome, BackstopError)]
    assert len(outcomes) == 2
    assert all(isinstance(outcome, StaleVersion) for outcome in outcomes if isinstance(outcome, BackstopError))
    assert reader_on(client).slate(DAY).version == max(each.version for each in won)
    whole(client, reader_on(client).slate(DAY).meta)


@pytest.mark.parametrize("skew_s", [-3600, 3600])
def test_a_writer_whose_clock_is_an_hour_off_decides_nothing(client, skew_s):
    """What wins is the cutoff of the data, then the version: never the writer's clock."""
    now = dt.datetime.now(dt.UTC)
    right = SlateWriter(client, FixedClock(now))
    wrong = SlateWriter(client, FixedClock(now + dt.timedelta(seconds=skew_s)))
    for writer, cutoff, seed in ((wrong, CUTOFF, 1), (right, CUTOFF + dt.timedelta(minutes=1), 2)):
        draft = writer.open(DAY, cutoff=cutoff, run_id=f"r{seed}")
        writer.load(draft, "props", props(10, seed=seed))
        writer.publish(draft, {"props": 120}, {"seed": seed})
    late = wrong.open(DAY, cutoff=CUTOFF, run_id="r3")
    wrong.load(late, "props", props(10, seed=3))
    with pytest.raises(StaleVersion):
        wrong.publish(late, {"props": 120}, {"seed": 3})
    assert reader_on(client).slate(DAY).meta == {"seed": 2}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (exceptions.BusyLoadingError("LOADING Redis is loading the dataset in memory"), "still loading"),
        (exceptions.ClusterDownError("CLUSTERDOWN Hash slot not served"), "does not answer"),
        (exceptions.TryAgainError("Multiple keys request during rehashing of slot"), "moving the keys"),
        (exceptions.ClusterError("TTL exhausted."), "moving the keys"),
        (exceptions.ResponseError("Lua script attempted to access a non local key in a cluster node"), "moving the"),
    ],
    ids=lambda given: type(given).__name__,
)
def test_a_server_that_will_take_it_later_is_named(answer, said):
    error = explain(answer, "reading")
    assert isinstance(error, StoreUnavailable)
    assert said in str(error)
    assert error.retryable


def test_a_server_that_does_not_answer_in_time_is_named(server):
    import redis as redis_py
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    with contextlib.closing(redis_py.Redis(port=server.port, socket_timeout=0.2, retry=Retry(NoBackoff(), 0))) as slow:
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            with pytest.raises(StoreUnavailable, match="does not answer"):
                reader_on(slow).slate(DAY)
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
    wait_for(lambda: server.process.poll() is None)
