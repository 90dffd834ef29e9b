from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import logging
import socket as sockets
import threading

import orjson
import polars as pl
import pytest
from websockets.asyncio.client import connect as connect_async
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from backstop.api import live
from backstop.api.stream import KEPT, KEPT_BYTES, WAITING, Counts, Reader, Stream
from backstop.clock import FixedClock
from backstop.store.slates import Slates as Versions
from tests.api.serving import DAY, parts_over, publish, serving
from tests.cache.conftest import until
from tests.store.servers import wait_for


def address(api, query=""):
    return f"ws://127.0.0.1:{api.port}/api/v1/live?slate={DAY}{query}"


def take(socket, kind=None):
    """Return the next message, of a kind if one is given."""
    while True:
        message = orjson.loads(socket.recv(timeout=30))
        if kind is None or message["type"] == kind:
            return message


def test_a_flip_is_told_with_what_it_changed(api, redis, repriced, meta, frames):
    with connect(address(api)) as socket:
        hello = take(socket)
        assert (hello["type"], hello["version"], hello["state"], hello["resumed"]) == ("hello", 1, "fresh", False)
        publish(redis, repriced(1001, 9.5), run_id="r2", meta=meta)
        flip, delta = take(socket), take(socket)
    assert (flip["type"], flip["version"], flip["previous"], flip["delta"]) == ("flip", 2, 1, True)
    assert (delta["type"], delta["from"], delta["version"]) == ("reprice", 1, 2)
    assert delta["published_at"] == flip["published_at"]
    assert [hello["seq"], flip["seq"], delta["seq"]] == [0, 1, 2]
    mine = frames["props"].filter(pl.col("player_id_mlbam") == 1001)
    assert {each["prop_id"]: each["best_price_decimal"] for each in delta["rows"]} == dict.fromkeys(
        mine["prop_id"], 9.5
    )
    assert (delta["added"], delta["gone"]) == ([], [])


def test_props_that_come_and_go_are_whole_rows_and_ids(api, redis, frames, meta):
    fewer = {**frames, "props": frames["props"].filter(pl.col("player_id_mlbam") != 1002)}
    gone = set(frames["props"].filter(pl.col("player_id_mlbam") == 1002)["prop_id"])
    with connect(address(api)) as socket:
        take(socket)
        publish(redis, fewer, run_id="r2", meta=meta)
        assert set(take(socket, "reprice")["gone"]) == gone
        publish(redis, frames, run_id="r3", meta=meta)
        added = take(socket, "reprice")["added"]
    assert {each["prop_id"] for each in added} == gone
    assert set(added[0]) == set(frames["props"].columns)


def test_a_slate_that_changed_by_more_than_half_is_only_announced(api, redis, frames, meta):
    other = {**frames, "props": frames["props"].with_columns(mean=pl.col("mean") + 1)}
    with connect(address(api)) as socket:
        take(socket)
        publish(redis, other, run_id="r2", meta=meta)
        assert take(socket)["delta"] is False
        publish(redis, frames, run_id="r3", meta=meta)
        assert take(socket)["version"] == 3


def test_who_comes_back_is_given_what_he_missed_in_order(api, redis, repriced, meta):
    with connect(address(api)) as socket:
        hello = take(socket)
    for n in (2, 3):
        publish(redis, repriced(1001, 5.0 + n), run_id=f"r{n}", meta=meta)
        wait_for(lambda n=n: api.get(f"/api/v1/slates/{DAY}").json()["slate"]["version"] == n)
    wait_for(lambda: api.app.state.hub.streams[DAY].seq >= 2)
    with connect(address(api, f"&since={hello['seq']}&stream={hello['stream']}")) as socket:
        again = take(socket)
        assert (again["resumed"], again["seq"], again["version"]) == (True, 0, 3)
        flips = [take(socket, "flip") for _ in range(2)]
    assert [each["version"] for each in flips] == [2, 3]
    assert [each["seq"] for each in flips] == [1, 2]


def test_who_missed_more_than_may_wait_for_a_reader_is_given_all_of_it_on_one_line(api):
    with connect(address(api)) as socket:
        hello = take(socket)
        hub = api.app.state.hub
        loop = hub.streams[DAY].worker.get_loop()
    missed = 2 * WAITING

    def tell():
        for n in range(missed):
            hub.tell({"type": "feed", "reason": str(n)})

    wait_for(lambda: not hub.clients)
    loop.call_soon_threadsafe(tell)
    wait_for(lambda: hub.streams[DAY].seq == hello["seq"] + missed)
    with connect(address(api, f"&since={hello['seq']}&stream={hello['stream']}")) as socket:
        assert take(socket)["resumed"] is True
        assert [take(socket)["reason"] for _ in range(missed)] == [str(n) for n in range(missed)]
        loop.call_soon_threadsafe(hub.tell, {"type": "feed", "reason": "new"})
        assert take(socket)["reason"] == "new"
    assert hub.counts.dropped == 0


@pytest.mark.parametrize("query", ["&since=0&stream=anotherserver", "&since=999&stream={name}", "&since=5"])
def test_who_cannot_be_given_what_he_missed_is_told_so(api, query):
    with connect(address(api)) as socket:
        name = take(socket)["stream"]
    with connect(address(api, query.format(name=name))) as socket:
        assert take(socket)["resumed"] is False


def test_a_slate_that_is_not_published_yet_may_be_waited_for(api, redis, frames, meta):
    later = DAY + dt.timedelta(days=1)
    with connect(address(api).replace(str(DAY), str(later))) as socket:
        assert take(socket)["state"] == "missing"
        publish(redis, frames, day=later, run_id="r2", meta=meta)
        flip = take(socket, "flip")
        assert (flip["version"], flip["previous"]) == (1, None)
        assert take(socket, "freshness")["state"] == "fresh"


def test_a_slate_that_nobody_waits_for_any_more_is_forgotten_whatever_was_told_of_the_feeds(api):
    hub = api.app.state.hub
    never = DAY + dt.timedelta(days=400)
    with connect(f"ws://127.0.0.1:{api.port}/api/v1/live?slate={never}") as socket:
        assert take(socket)["state"] == "missing"
        hub.tell({"type": "feed", "feed": "savant", "breaker": "open"})
    wait_for(lambda: never not in hub.streams)


def test_a_rollback_is_a_flip_to_a_smaller_version(api, redis, repriced, meta):
    with connect(address(api)) as socket:
        take(socket)
        publish(redis, repriced(1001, 9.5), run_id="r2", meta=meta)
        assert take(socket, "flip")["version"] == 2
        Versions(redis).rollback(DAY)
        flip = take(socket, "flip")
        assert (flip["version"], flip["previous"]) == (1, 2)


def test_a_slate_that_becomes_old_is_told(embedded_url, redis, frames, meta):
    publish(redis, frames, meta=meta)
    clock = FixedClock(dt.datetime.now(dt.UTC))
    with serving(parts_over(embedded_url, clock=clock)) as api, connect(address(api)) as socket:
        assert take(socket)["state"] == "fresh"
        clock.advance(901)
        told = take(socket, "freshness")
        assert told["state"] == "stale"
        assert told["age_s"] >= 899


def test_a_quiet_line_carries_pings(api):
    api.app.state.hub.heartbeat_s = 0.1
    with connect(address(api)) as socket:
        take(socket)
        ping = take(socket)
        assert (ping["type"], ping["seq"], ping["state"]) == ("ping", 0, "fresh")


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("slate=tomorrow", "query.slate: 'tomorrow' is not a date; expected YYYY-MM-DD, for example 2025-06-15"),
        ("", "query.slate: Field required"),
        ("slate=2024-04-16&since=-1", "query.since: Input should be greater than or equal to 0"),
        (
            "slate=2024-04-16&since=1.0",
            "query.since: Input should be a valid integer, unable to parse string as an integer",
        ),
        ("slate=2024-04-16&day=1", "query.day: there is no such parameter; expected since, slate, stream"),
        ("slate=2024-04-16&slate=2024-04-17", "query.slate: it is given more than once; expected one"),
    ],
)
def test_a_socket_for_nothing_is_refused_in_a_sentence(api, query, sentence, caplog):
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://127.0.0.1:{api.port}/api/v1/live?{query}"):
        pass
    told = orjson.loads(refused.value.response.body)
    assert (refused.value.response.status_code, told["type"]) == (422, "urn:backstop:invalid-request")
    assert told["detail"].startswith(f"The request cannot be read: {sentence} (seen ")
    # a caller's mistake is no fault of the server's
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_socket_that_is_not_there_and_one_without_the_protocol_are_told_what_there_is(api):
    with pytest.raises(InvalidStatus) as refused, connect(f"ws://127.0.0.1:{api.port}/api/v1/lives"):
        pass
    assert refused.value.response.status_code == 404
    told = orjson.loads(refused.value.response.body)
    assert told["detail"] == "There is no WebSocket at /api/v1/lives; the only one is /api/v1/live."
    answer = api.get("/api/v1/live", params={"slate": str(DAY)})
    assert (answer.status_code, answer.headers["upgrade"]) == (426, "websocket")
    assert answer.json()["detail"].startswith("This is a WebSocket: open it as ws://")


def test_a_socket_needs_a_key_where_keys_are_set_and_an_origin_that_is_ours(embedded_url, published):
    with serving(parts_over(embedded_url, settings={"api_keys": "open sesame"})) as api:
        with pytest.raises(InvalidStatus) as refused, connect(address(api)):
            pass
        assert refused.value.response.status_code == 401
        key = base64.urlsafe_b64encode(b"open sesame").rstrip(b"=").decode()
        with connect(address(api), subprotocols=["backstop", f"key.{key}"]) as socket:
            assert socket.subprotocol == "backstop"
            assert take(socket)["type"] == "hello"
        with (
            pytest.raises(InvalidStatus) as refused,
            connect(address(api), origin="https://evil.example", subprotocols=["backstop", f"key.{key}"]),
        ):
            pass
        assert refused.value.response.status_code == 403


def test_a_reader_who_takes_nothing_is_dropped_and_the_others_are_not(api, redis, repriced, meta, monkeypatch):
    monkeypatch.setattr(live, "SEND_S", 2.0)
    hub = api.app.state.hub
    raw = sockets.create_connection(("127.0.0.1", api.port))
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    key = base64.b64encode(bytes(16)).decode()
    raw.sendall(
        f"GET /api/v1/live?slate={DAY} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    with contextlib.closing(raw), connect(address(api)) as good:
        take(good)
        wait_for(lambda: hub.clients == 2)
        heavy = {"type": "feed", "reason": "x" * 200_000}
        sent = threading.Event()

        def flood():
            for _ in range(40):
                hub.tell(heavy)
            sent.set()

        loop = hub.streams[DAY].worker.get_loop()
        seen = 0
        for _ in range(4):
            sent.clear()
            loop.call_soon_threadsafe(flood)
            for _ in range(40):
                take(good, "feed")
                seen += 1
            if hub.counts.dropped:
                break
        wait_for(lambda: hub.counts.dropped == 1 and hub.clients == 1)
        publish(redis, repriced(1001, 9.5), run_id="r2", meta=meta)
        assert take(good, "flip")["version"] == 2
    assert seen >= 40


async def follow(api, last, cut_every=None):
    """Read until a version came; returns the versions and the numbers of all messages, over lines that are cut."""
    seen, seqs, query = [], [], ""
    while seen[-1:] != [last]:
        async with connect_async(address(api, query), max_size=None) as socket:
            hello = orjson.loads(await socket.recv())
            assert hello["resumed"] is bool(seqs)
            while seen[-1:] != [last]:
                message = orjson.loads(await asyncio.wait_for(socket.recv(), 60))
                if message["type"] == "ping":
                    continue
                seqs.append(message["seq"])
                if message["type"] == "flip":
                    seen.append(message["version"])
                    if cut_every and len(seen) % cut_every == 0:
                        break  # in the middle of things: its delta comes after it
        query = f"&since={seqs[-1]}&stream={hello['stream']}"
    return seen, seqs


def test_fifty_readers_get_every_version_in_order_through_flips_and_cut_lines(api, redis, repriced, meta):
    """The short form of `benchmarks/api.py`, which does it with 500 readers and a flip every second."""
    last = 13
    # version 1 is known before anybody listens: else its discovery is a flip too
    wait_for(lambda: api.get(f"/api/v1/slates/{DAY}").is_success)

    async def run():
        readers = [asyncio.create_task(follow(api, last, cut_every=4 if n % 5 == 0 else None)) for n in range(50)]
        hub = api.app.state.hub
        await until(lambda: hub.clients == 50)
        for n in range(2, last + 1):
            await asyncio.to_thread(publish, redis, repriced(1001, 2.0 + n), run_id=f"r{n}", meta=meta)
            await until(lambda n=n: hub.streams[DAY].seq >= 2 * (n - 1))
        return await asyncio.gather(*readers)

    for seen, seqs in asyncio.run(run()):
        assert seen == list(range(2, last + 1))
        assert seqs == list(range(1, seqs[-1] + 1))


def test_work_that_fails_sends_its_readers_away_to_a_new_stream(api, redis, repriced, meta, monkeypatch, caplog):
    hub = api.app.state.hub
    with connect(address(api)) as socket:
        hello = take(socket)
        # what a release with a mistake in it would do
        monkeypatch.setattr(live, "compare", lambda _before, _after: 1 / 0)
        publish(redis, repriced(1001, 9.5), run_id="r2", meta=meta)
        with pytest.raises(ConnectionClosed) as closed:
            take(socket, "flip")
    assert closed.value.rcvd.code == 1011
    assert "ZeroDivisionError" in caplog.text
    monkeypatch.undo()
    wait_for(lambda: not hub.clients)
    with connect(address(api, f"&since=0&stream={hello['stream']}")) as socket:
        assert take(socket)["resumed"] is False
        publish(redis, repriced(1001, 8.5), run_id="r3", meta=meta)
        assert take(socket, "flip")["version"] == 3


def test_a_stream_keeps_so_many_messages_and_no_more_bytes_than_it_may():
    stream, counts = Stream(DAY), Counts()
    for _ in range(KEPT + 10):
        stream.publish({"type": "flip"}, counts)
    assert len(stream.kept) == KEPT
    assert stream.since(5) is None
    assert len(stream.since(KEPT)) == 10
    assert stream.since(stream.seq) == []
    for _ in range(10):
        stream.publish({"type": "feed", "reason": "x" * (KEPT_BYTES // 4)}, counts)
    assert stream.kept_bytes <= KEPT_BYTES
    assert stream.kept_bytes == sum(len(body) for _, body in stream.kept)


def test_a_reader_whose_queue_is_full_is_taken_off_the_stream():
    stream, counts = Stream(DAY), Counts()
    reader = Reader()
    stream.readers.add(reader)
    for _ in range(WAITING + 1):
        stream.publish({"type": "flip"}, counts)
    assert reader.slow.is_set()
    assert not stream.readers
    assert counts.dropped == 1
