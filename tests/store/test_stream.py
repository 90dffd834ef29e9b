"""A stream of commands: bounded, in order, every error with its command, nothing lost when the line breaks."""

import contextlib

import pytest
from redis.exceptions import ResponseError

from backstop.errors import StoreError, StoreUnavailable
from backstop.store import pipe, stream
from backstop.store.connection import connect_url
from backstop.store.faults import explained
from backstop.store.keys import SlateKeys
from backstop.store.loader import SlateWriter
from backstop.store.reader import SlateReader
from backstop.store.stream import Stream
from tests.store.conftest import CUTOFF
from tests.store.rows import DAY, props
from tests.store.servers import Proxy, Server, cluster

VALUE = b"v" * 1000


def fields(count):
    return [part for n in range(count) for part in (b"%d" % n, VALUE)]


def sent(client, commands):
    with Stream(client, commands[0][1]) as to:
        for command in commands:
            to.send(100, command)


def test_an_error_names_the_command_that_it_answers_and_leaves_the_connection_clean(redis):
    redis.set("a-text", "not a hash")
    commands = [("HSET", "h", *fields(3)), ("HSET", "a-text", *fields(3)), ("HSET", "h", "later", VALUE)]
    with pytest.raises(StoreError, match="HSET a-text caused error: WRONGTYPE"), explained("a test"):
        sent(redis, commands)
    assert redis.hlen("h") == 4
    assert redis.get("a-text") == b"not a hash"


def test_what_is_unanswered_is_bounded(redis, monkeypatch):
    monkeypatch.setattr(stream, "IN_FLIGHT_BYTES", 400_000)
    monkeypatch.setattr(stream, "WRITE_BYTES", 50_000)
    most = 0
    with Stream(redis, "h") as commands:
        for n in range(100):
            commands.send(20_000, ("HSET", f"h{n}", *fields(20)))
            most = max(most, commands.in_flight)
    assert 200_000 < most <= 400_000 + 50_000 + 20_000
    assert commands.in_flight == 0
    assert sum(redis.hlen(f"h{n}") for n in range(100)) == 2000


def test_a_line_that_breaks_with_answers_owed_loses_no_command(redis, tmp_path):
    with Server(tmp_path) as server, contextlib.closing(connect_url(server.url)) as client:
        proxy = Proxy(server.port)
        with contextlib.closing(connect_url(proxy.url)) as far:
            for cut in (10_000, 150_000, 1_000_000):
                client.flushall()
                proxy.cut_when(cut)
                with Stream(far, "h") as commands:
                    for n in range(100):
                        commands.send(20_000, ("HSET", f"h{n}", *fields(20)))
                assert proxy.cut_after is None
                assert sum(client.hlen(f"h{n}") for n in range(100)) == 2000
        proxy.close()


def test_a_loader_that_is_interrupted_leaves_no_answer_to_the_next_caller(redis):
    with contextlib.suppress(KeyboardInterrupt), Stream(redis, "h") as commands:
        for n in range(20):
            commands.send(20_000, ("HSET", f"h{n}", *fields(20)))
        raise KeyboardInterrupt
    redis.set("name", "mine")
    assert redis.get("name") == b"mine"


def test_commands_of_every_size_and_type_are_spelled_as_redis_reads_them(redis):
    with Stream(redis, "h") as commands:
        for count in (1, 31, 32, 33, 500):
            pairs = [part for n in range(count) for part in (f"fïeld-{n}", n if n % 2 else b"\x00\r\n$1\xff")]
            commands.send(100, ("HSET", f"h{count}", *pairs))
        commands.send(100, ("ZADD", "z", *[part for n in range(40) for part in (n / 3, f"m{n}")]))
    for count in (1, 31, 32, 33, 500):
        found = redis.hgetall(f"h{count}")
        assert len(found) == count
        assert found["fïeld-0".encode()] == b"\x00\r\n$1\xff"
        assert count == 1 or found["fïeld-1".encode()] == b"1"
    assert redis.zscore("z", "m2") == 2 / 3


def begun(client, slot, source, target):
    """Begin to move a slot: what is there stays reachable, what is new belongs to the target."""
    names = {node.port: node_id(client, node) for node in (source, target)}
    ask = {node.port: client.get_redis_connection(node).execute_command for node in (source, target)}
    ask[target.port]("CLUSTER", "SETSLOT", slot, "IMPORTING", names[source.port])
    ask[source.port]("CLUSTER", "SETSLOT", slot, "MIGRATING", names[target.port])
    return names


def moved(client, slot, source, target):
    """Move a slot with all its keys from one master to another, as redis-cli's reshard does."""
    near = client.get_redis_connection(source)
    names = begun(client, slot, source, target)
    while found := near.execute_command("CLUSTER", "GETKEYSINSLOT", slot, 100):
        near.execute_command("MIGRATE", target.host, target.port, "", 0, 5000, "KEYS", *found)
    for each in client.get_primaries():
        client.get_redis_connection(each).execute_command("CLUSTER", "SETSLOT", slot, "NODE", names[target.port])


def node_id(client, node):
    answer = client.get_redis_connection(node).execute_command("CLUSTER", "MYID")
    return answer.decode() if isinstance(answer, bytes) else answer


def test_a_slot_that_moves_in_mid_load_is_followed_and_every_row_is_counted(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(pipe, "COMMANDS", 4)
    with cluster(tmp_path, "valkey") as url, contextlib.closing(connect_url(url)) as client:
        slot = client.keyslot(SlateKeys(DAY).current)
        flush, count = pipe.StagePipe.flush, [0]

        def resharded(self):
            flush(self)
            count[0] += 1
            if count[0] in (2, 4):
                # another client moves it: this one's map of the slots is out of date then
                with contextlib.closing(connect_url(url)) as other:
                    source = other.get_node_from_key(SlateKeys(DAY).current)
                    moved(other, slot, source, next(n for n in other.get_primaries() if n.port != source.port))

        monkeypatch.setattr(pipe.StagePipe, "flush", resharded)
        writer = SlateWriter(client, clock)
        draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1", rows={"props": 30_000})
        writer.load(draft, "props", props(400))
        assert count[0] > 4
        assert writer.publish(draft, {"props": 4800}, {}).served
        assert len(SlateReader(client, clock).props(DAY)) == 4800


def test_a_slot_that_is_on_its_way_asks_for_another_try_and_publishes_no_half(tmp_path, clock):
    with cluster(tmp_path, "valkey") as url, contextlib.closing(connect_url(url)) as client:
        slot, source = client.keyslot(SlateKeys(DAY).current), client.get_node_from_key(SlateKeys(DAY).current)
        target = next(node for node in client.get_primaries() if node.port != source.port)
        writer, reader = SlateWriter(client, clock), SlateReader(client, clock)
        first = writer.open(DAY, cutoff=CUTOFF, run_id="r0")
        writer.load(first, "props", props(4, seed=2))
        writer.publish(first, {"props": 48}, {})
        draft = writer.open(DAY, cutoff=CUTOFF, run_id="r1")
        writer.load(draft, "props", props(4))
        begun(client, slot, source, target)
        for step in (
            lambda: writer.open(DAY, cutoff=CUTOFF, run_id="r2"),
            lambda: writer.publish(draft, {"props": 48}, {}),
        ):
            with pytest.raises(StoreUnavailable, match="The cluster is moving the keys to another node"):
                step()
        assert reader.slate(DAY).version == 1
        assert len(reader.props(DAY)) == 48
        moved(client, slot, source, target)
        assert writer.publish(draft, {"props": 48}, {}).served
        assert reader.slate(DAY).version == draft.version


def test_a_refusal_comes_from_a_cluster_with_its_command(tmp_path):
    with cluster(tmp_path, "valkey") as url, contextlib.closing(connect_url(url)) as client:
        client.set("{h}text", "not a hash")
        with pytest.raises(ResponseError, match=r"HSET \{h\}text caused error: WRONGTYPE"):
            sent(client, [("HSET", "{h}text", *fields(40))])


def test_a_cluster_that_lost_a_part_of_its_slots_is_named(tmp_path):
    with cluster(tmp_path, "valkey") as url, contextlib.closing(connect_url(url)) as client:
        client.nodes_manager.slots_cache.pop(client.keyslot("{h}text"))
        with pytest.raises(StoreUnavailable, match="Redis does not answer, so a test failed"), explained("a test"):
            sent(client, [("HSET", "{h}text", *fields(40))])
