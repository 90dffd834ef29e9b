"""A read is one round trip, whoever drives it, and never a mixture of two versions."""

import asyncio
import contextlib
import os
import signal
import threading

import pytest
from polars.testing import assert_frame_equal
from redis.exceptions import ResponseError

from backstop.errors import StoreUnavailable, UsageError
from backstop.settings import Settings
from backstop.store import keys
from backstop.store.asking import ask
from backstop.store.connection import connect_async, connect_url
from backstop.store.reader import AsyncSlateReader, SlateReader, State
from tests.store.rows import DAY, features, props
from tests.store.servers import Proxy, Server


def trips(reader, monkeypatch):
    """Return a list that grows by the commands of each round trip."""
    made = []
    from backstop.store import asking

    def counted(client, commands):
        made.append([command[0] for command in commands])
        return ask(client, commands)

    monkeypatch.setattr(asking, "ask", counted)
    return made


@pytest.mark.parametrize("ids", [(600_001,), tuple(range(600_000, 600_050)), ()])
def test_a_read_is_one_round_trip_once_the_version_is_known(publish, reader, monkeypatch, ids):
    publish()
    reader.slate(DAY)
    made = trips(reader, monkeypatch)
    views = reader.players(ids, DAY)
    assert len(made) == 1
    assert [view.player_id for view in views] == list(ids)
    assert all(len(view.props) == 12 and view.features for view in views)


def test_a_flip_is_noticed_by_the_very_next_read_and_its_rows_are_all_of_the_new_version(publish, reader):
    publish(seed=1)
    before = reader.player(600_001, DAY)
    publish(seed=2, run_id="r2")
    after = reader.player(600_001, DAY)
    assert (before.slate.version, after.slate.version) == (1, 2)
    mine = {seed: props(seed=seed).filter(player_id_mlbam=600_001).sort("prop_id") for seed in (1, 2)}
    assert [row["mean"] for row in before.props] == mine[1]["mean"].to_list()
    assert [row["mean"] for row in after.props] == mine[2]["mean"].to_list()


def test_a_version_that_left_redis_is_not_answered_from_memory(publish, reader, redis):
    published = publish()
    assert reader.player(600_001, DAY).state is State.FRESH
    slate = keys.SlateKeys(DAY)
    redis.unlink(slate.meta(published.version), *(slate.rows(published.version, "props", n) for n in range(4)))
    redis.unlink(slate.rows(published.version, "features", 0))
    assert reader.player(600_001, DAY).state is State.MISSING
    assert reader.slate(DAY).state is State.MISSING
    publish(seed=2, run_id="r2")
    assert reader.player(600_001, DAY).state is State.FRESH


def test_reads_during_many_flips_are_each_of_one_version(embedded_url, redis, clock, publish):
    """Every row of a version carries its seed: a reader on another thread sees one seed in every answer."""
    wanted = {}
    for seed in range(1, 9):
        wanted[seed] = {
            row["prop_id"]: row["mean"] for row in props(seed=seed).select("prop_id", "mean").iter_rows(named=True)
        }
    publish(seed=1, meta={"seed": 1})
    done, torn, seen = threading.Event(), [], set()

    def read():
        with contextlib.closing(connect_url(embedded_url)) as client:
            reader = SlateReader(client, clock)
            while not done.is_set():
                views = reader.players(list(range(600_000, 600_050)), DAY)
                seed = views[0].slate.meta["seed"]
                seen.add(seed)
                torn.extend(row for view in views for row in view.props if wanted[seed][row["prop_id"]] != row["mean"])

    thread = threading.Thread(target=read)
    thread.start()
    for seed in range(2, 9):
        publish(seed=seed, run_id=f"r{seed}", meta={"seed": seed})
    done.set()
    thread.join()
    assert not torn
    assert seen


def test_an_error_among_the_answers_is_raised_and_the_next_read_gets_its_own(redis):
    redis.set("text", "x")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        ask(redis, [("GET", "text"), ("HGET", "text", "field"), ("GET", "text")])
    assert ask(redis, [("GET", "text"), ("EXISTS", "text")]) == [b"x", 1]


def test_a_connection_that_breaks_under_a_read_is_made_anew(tmp_path):
    with Server(tmp_path / "redis") as server:
        proxy = Proxy(server.port)
        try:
            with contextlib.closing(connect_url(proxy.url)) as client:
                client.set("kept", "yes")
                proxy.cut_when(1)
                assert ask(client, [("GET", "kept"), ("EXISTS", "kept")]) == [b"yes", 1]
        finally:
            proxy.close()


def test_a_reader_whose_server_is_gone_says_so(tmp_path, clock):
    with Server(tmp_path / "redis") as server, contextlib.closing(connect_url(server.url)) as client:
        reader = SlateReader(client, clock)
        assert reader.slate(DAY).state is State.MISSING
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        with pytest.raises(StoreUnavailable):
            reader.slate(DAY)


def test_the_reader_of_an_event_loop_answers_what_the_other_one_does(publish, reader, embedded_url, clock):
    publish(meta={"games": 2})

    async def read():
        client = await connect_async(Settings(redis_url=embedded_url, _env_file=None))
        try:
            later = AsyncSlateReader(client, clock)
            with pytest.raises(UsageError):
                await later.props(DAY, sort="name")
            return (
                await later.slate(DAY),
                await later.days(),
                await later.player(600_001),
                await later.players([600_020, 1], DAY),
                await later.props(DAY, "batter_hits", limit=5, sort="edge"),
                await later.features(DAY),
                await later.slate(DAY.replace(year=2001)),
            )
        finally:
            await client.aclose()

    slate, days, player, players, best, rows, never = asyncio.run(read())
    assert slate.meta == {"games": 2}
    assert days == [DAY]
    assert player.props == reader.player(600_001).props
    assert [view.state for view in players] == [State.FRESH, State.MISSING]
    assert_frame_equal(best, reader.props(DAY, "batter_hits", limit=5, sort="edge"))
    assert_frame_equal(rows, reader.features(DAY))
    assert never.state is State.MISSING


def test_the_newest_slate_is_found_past_days_that_were_listed_and_never_flipped(publish, reader, redis):
    publish()
    for n in range(1, 7):
        later = DAY.replace(day=DAY.day + n)
        redis.zadd(keys.days(), {later.isoformat(): later.toordinal()})
    assert reader.player(600_001).slate.day == DAY
    assert reader.days() == [DAY]


def test_values_of_every_type_come_back_as_such(publish, reader):
    publish()
    row = reader.player(600_020, DAY).features[0]
    expected = features().filter(player_id_mlbam=600_020).sort("game_pk").row(0, named=True)
    assert row == expected
    assert {type(value) for value in row.values()} == {type(value) for value in expected.values()}


def test_a_version_number_that_an_emptied_redis_gave_out_again_is_another_version(publish, reader, redis, clock):
    publish(seed=1, meta={"seed": 1})
    assert reader.player(600_001, DAY).slate.meta == {"seed": 1}
    redis.flushall()
    clock.advance(1)
    assert publish(seed=2, run_id="r2", meta={"seed": 2}).version == 1
    again = reader.player(600_001, DAY)
    assert again.slate.meta == {"seed": 2}
    mine = props(seed=2).filter(player_id_mlbam=600_001).sort("prop_id")
    assert [row["mean"] for row in again.props] == mine["mean"].to_list()
